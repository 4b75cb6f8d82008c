"""The MaterialX exporter: a material as an OpenPBR surface with its pictures."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ganassets.api.assets import Exporter, TextureSet


def export(asset: TextureSet, options: Mapping[str, Any]) -> dict[str, bytes]:
    """NAME.mtlx and the PNGs that it names."""
    from .document import encode_material

    return encode_material(asset)


EXPORTER = Exporter(
    name="materialx",
    summary="MaterialX: an OpenPBR surface with displacement, and its pictures",
    api_version=1,
    kinds=("textures",),
    suffixes=(".mtlx", ".png"),
    export=export,
)
