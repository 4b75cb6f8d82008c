"""The glTF exporter: a mesh with its textures, rig and morph targets, or a material on a shape, as one GLB file."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ganassets.assets import Asset, Exporter, Mesh, Option


def export(asset: Asset, options: Mapping[str, Any]) -> dict[str, bytes]:
    """One GLB named after the asset; see EXPORTER.options. Those that don't apply to its kind change nothing."""
    if isinstance(asset, Mesh):
        from .document import encode_mesh

        content = encode_mesh(asset, options)
    else:
        from .surface import encode_surface

        content = encode_surface(asset, options)
    return {f"{asset.name}.glb": content}


EXPORTER = Exporter(
    name="gltf",
    summary="glTF 2.0 binary (GLB) with textures, skeleton and morph targets",
    api_version=1,
    kinds=("mesh", "textures"),
    suffixes=(".glb",),
    export=export,
    options=(
        Option("texture-size", int, 0, "longest side of the textures in texels; 0: as generated", low=0, high=8192),
        Option("image-format", str, "png", "format of the colour textures; data stay PNG", choices=("png", "jpeg")),
        Option("morphs", bool, True, "meshes: write the morph targets (facial expressions)"),
        Option("rig", bool, True, "meshes: write the skeleton and the skin weights"),
        Option("shape", str, "plane", "materials: what they are shown on", choices=("plane", "sphere", "cube")),
        Option("tiling", float, 1.0, "materials: how often they repeat where they fit once", low=0.01, high=1000),
        Option("texture-transform", bool, False, "materials: tile by KHR_texture_transform, not by the UVs"),
    ),
)
