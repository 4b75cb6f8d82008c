"""The glTF exporter: a mesh with its textures, rig and morph targets as one GLB file."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ganassets.assets import Exporter, Mesh, Option


def export(asset: Mesh, options: Mapping[str, Any]) -> dict[str, bytes]:
    """One GLB named after the asset; see EXPORTER.options."""
    from .document import encode_mesh

    return {f"{asset.name}.glb": encode_mesh(asset, options)}


EXPORTER = Exporter(
    name="gltf",
    summary="glTF 2.0 binary (GLB) with textures, skeleton and morph targets",
    api_version=1,
    kinds=("mesh",),
    suffixes=(".glb",),
    export=export,
    options=(
        Option("morphs", bool, True, "write the morph targets (facial expressions)"),
        Option("rig", bool, True, "write the skeleton and the skin weights"),
        Option("texture-size", int, 0, "longest side of the textures in texels; 0: as generated", low=0, high=8192),
        Option("image-format", str, "png", "format of the colour textures; data stay PNG", choices=("png", "jpeg")),
    ),
)
