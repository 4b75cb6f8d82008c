"""The glTF exporters: a mesh, a material on a shape, or a clip on a mannequin as GLB; a clip as VRM animation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ganassets.assets import Exporter, Mesh, MotionClip, Option, TextureSet

RIG = Option(
    "rig",
    str,
    "vrm",
    "names and rest pose of the bones",
    choices=("vrm", "mixamo", "unreal", "unity", "godot", "rigify"),
    kinds=("motion",),
)
ROOT = Option("root", str, "motion", "whether the figure travels", choices=("motion", "in-place"), kinds=("motion",))
MESH, SURFACE, TEXTURED = ("mesh",), ("textures",), ("mesh", "textures")


def export(asset: Mesh | TextureSet | MotionClip, options: Mapping[str, Any]) -> dict[str, bytes]:
    """One GLB named after the asset; see EXPORTER.options. Those that don't apply to its kind change nothing."""
    if isinstance(asset, Mesh):
        from .document import encode_mesh

        content = encode_mesh(asset, options)
    elif isinstance(asset, TextureSet):
        from .surface import encode_surface

        content = encode_surface(asset, options)
    else:
        from .motion import encode_motion

        content = encode_motion(asset, options)
    return {f"{asset.name}.glb": content}


def export_vrma(asset: MotionClip, options: Mapping[str, Any]) -> dict[str, bytes]:
    """One VRMA named after the clip; see VRMA.options."""
    from .motion import encode_vrma

    return {f"{asset.name}.vrma": encode_vrma(asset, options)}


EXPORTER = Exporter(
    name="gltf",
    summary="glTF 2.0 binary (GLB): textured and rigged meshes, materials, animated mannequins",
    api_version=1,
    kinds=("mesh", "textures", "motion"),
    suffixes=(".glb",),
    export=export,
    options=(
        Option(
            "texture-size",
            int,
            0,
            "longest side of the textures in texels; 0: as generated",
            low=0,
            high=8192,
            kinds=TEXTURED,
        ),
        Option(
            "image-format",
            str,
            "png",
            "format of the colour textures; data stay PNG",
            choices=("png", "jpeg"),
            kinds=TEXTURED,
        ),
        Option("morphs", bool, True, "write the morph targets (facial expressions)", kinds=MESH),
        Option("skin", bool, True, "write the skeleton and the skin weights", kinds=MESH),
        Option("shape", str, "plane", "what it is shown on", choices=("plane", "sphere", "cube"), kinds=SURFACE),
        Option("tiling", float, 1.0, "how often it repeats where it fits once", low=0.01, high=1000, kinds=SURFACE),
        Option("texture-transform", bool, False, "tile by KHR_texture_transform, not by the UVs", kinds=SURFACE),
        RIG,
        ROOT,
    ),
)
VRMA = Exporter(
    name="vrma",
    summary="VRM animation: motion for any VRM avatar",
    api_version=1,
    kinds=("motion",),
    suffixes=(".vrma",),
    export=export_vrma,
    options=(ROOT,),
)
