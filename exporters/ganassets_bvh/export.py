"""Export of a motion clip as BVH; see EXPORTER.options."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ganassets.api.assets import MotionClip

from .encode import encode_clip


def export(asset: MotionClip, options: Mapping[str, Any]) -> dict[str, bytes]:
    """Return NAME.bvh, and a JSON file with the provenance, because BVH has no comments."""
    name = f"{asset.name}.bvh"
    return {name: encode_clip(asset, options).encode(), **asset.provenance.sidecar(name)}
