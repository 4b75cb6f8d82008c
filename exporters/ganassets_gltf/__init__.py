"""The glTF exporters: meshes, materials on a shape and clips on a mannequin as GLB; VRM avatars and VRM animations."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from ganassets.api.assets import Exporter, Mesh, MotionClip, Option, TextureSet

RIG = Option(
    "rig",
    str,
    "vrm",
    "names and rest pose of the bones",
    choices=("vrm", "mixamo", "unreal", "unity", "godot", "rigify"),
    kinds=("motion",),
)
ROOT = Option("root", str, "motion", "whether the figure travels", choices=("motion", "in-place"), kinds=("motion",))
# Before the names of files, by engine and by what they hold. Those for Unreal are Epic's.
PREFIXES = {"any": {}, "unreal": {"rigged": "SK_", "mesh": "SM_", "textures": "SM_", "motion": "A_"}}
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
    return {f"{prefix(asset, options)}{asset.name}.glb": content}


def prefix(asset: Mesh | TextureSet | MotionClip, options: Mapping[str, Any]) -> str:
    """What stands before the name of the file for an engine."""
    rigged = isinstance(asset, Mesh) and options["skin"] and asset.topology.joint_names
    return PREFIXES[options["engine"]].get("rigged" if rigged else asset.kind, "")


def export_vrma(asset: MotionClip, options: Mapping[str, Any]) -> dict[str, bytes]:
    """One VRMA named after the clip; see VRMA.options."""
    from .motion import encode_vrma

    return {f"{asset.name}.vrma": encode_vrma(asset, options)}


def export_vrm(asset: Mesh, options: Mapping[str, Any]) -> dict[str, bytes]:
    """One VRM named after the mesh; see VRM.options."""
    from .vrm import encode_vrm

    return {f"{asset.name}.vrm": encode_vrm(asset, options)}


TEXTURE_SIZE = Option(
    "texture-size", int, 0, "longest side of the textures in texels; 0: as generated", low=0, high=8192, kinds=TEXTURED
)
IMAGE_FORMAT = Option(
    "image-format",
    str,
    "png",
    "format of the colour textures; data stay PNG",
    choices=("png", "jpeg"),
    kinds=TEXTURED,
)
EXPORTER = Exporter(
    name="gltf",
    summary="glTF 2.0 binary (GLB): textured and rigged meshes, materials, animated mannequins",
    api_version=1,
    kinds=("mesh", "textures", "motion"),
    suffixes=(".glb",),
    export=export,
    options=(
        TEXTURE_SIZE,
        IMAGE_FORMAT,
        Option("morphs", bool, True, "write the morph targets (facial expressions)", kinds=MESH),
        Option("skin", bool, True, "write the skeleton and the skin weights", kinds=MESH),
        Option("shape", str, "plane", "what it is shown on", choices=("plane", "sphere", "cube"), kinds=SURFACE),
        Option("tiling", float, 1.0, "how often it repeats where it fits once", low=0.01, high=1000, kinds=SURFACE),
        Option("texture-transform", bool, False, "tile by KHR_texture_transform, not by the UVs", kinds=SURFACE),
        RIG,
        ROOT,
        Option("engine", str, "any", "whose names the files have", choices=tuple(PREFIXES)),
    ),
)
VRM = Exporter(
    name="vrm",
    summary="VRM 1.0 avatar: the head on a mannequin's body, with expressions and eyes that look",
    api_version=1,
    kinds=("mesh",),
    suffixes=(".vrm",),
    export=export_vrm,
    options=(replace(TEXTURE_SIZE, kinds=MESH), replace(IMAGE_FORMAT, kinds=MESH)),
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
