"""The glTF exporters: meshes, materials on a shape and clips on a mannequin as GLB; VRM avatars and VRM animations."""

from __future__ import annotations

from dataclasses import replace

from ganassets.api.assets import Exporter, Option

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
    export="ganassets_gltf.export:export_glb",
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
        Option("engine", str, "any", "whose names the files have", choices=("any", "unreal")),
    ),
)
VRM = Exporter(
    name="vrm",
    summary="VRM 1.0 avatar: the head on a mannequin's body, with expressions and eyes that look",
    api_version=1,
    kinds=("mesh",),
    suffixes=(".vrm",),
    export="ganassets_gltf.export:export_vrm",
    options=(replace(TEXTURE_SIZE, kinds=MESH), replace(IMAGE_FORMAT, kinds=MESH)),
)
VRMA = Exporter(
    name="vrma",
    summary="VRM animation: motion for any VRM avatar",
    api_version=1,
    kinds=("motion",),
    suffixes=(".vrma",),
    export="ganassets_gltf.export:export_vrma",
    options=(ROOT,),
)
