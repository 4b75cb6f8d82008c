"""The glTF exporters: meshes, materials on a shape and clips on a mannequin as GLB; VRM avatars and VRM animations."""

from __future__ import annotations

from dataclasses import replace

from ganassets.api.assets import Exporter, Option
from ganassets.api.engines import ENGINES
from ganassets.api.rig_options import RIG_OPTION, ROOT_OPTION

MESH, TEXTURES, TEXTURED = ("mesh",), ("textures",), ("mesh", "textures")
ENGINE_NAMES = ("any", *(name for name, engine in ENGINES.items() if engine.renames_files))


TEXTURE_SIZE = Option(
    "texture-size",
    int,
    0,
    "longer side of the textures in texels; 0 keeps the model's size",
    low=0,
    high=8192,
    kinds=TEXTURED,
)
IMAGE_FORMAT = Option(
    "image-format",
    str,
    "png",
    "file format of the colour textures; data textures are always PNG",
    choices=("png", "jpeg"),
    kinds=TEXTURED,
)
EXPORTER = Exporter(
    name="gltf",
    summary="glTF 2.0 binary (GLB): textured and rigged meshes, materials, animated mannequins",
    api_version=1,
    kinds=("mesh", "textures", "motion"),
    suffixes=(".glb",),
    export="ganassets_gltf.export:export_asset",
    options=(
        TEXTURE_SIZE,
        IMAGE_FORMAT,
        Option("morphs", bool, True, "write the morph targets (facial expressions)", kinds=MESH),
        Option("skin", bool, True, "write the skeleton and the skin weights", kinds=MESH),
        Option(
            "shape", str, "plane", "shape that shows the material", choices=("plane", "sphere", "cube"), kinds=TEXTURES
        ),
        Option(
            "tiling",
            float,
            1.0,
            "repetitions of the material along the shape; at 1 it has its true size",
            low=0.01,
            high=1000,
            kinds=TEXTURES,
        ),
        Option("texture-transform", bool, False, "tile with KHR_texture_transform instead of UVs", kinds=TEXTURES),
        RIG_OPTION,
        ROOT_OPTION,
        Option("engine", str, "any", "engine whose naming conventions the file names follow", choices=ENGINE_NAMES),
    ),
)
VRM = Exporter(
    name="vrm",
    summary="VRM 1.0 avatar: the head on a mannequin's body, with expressions and moving eyes",
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
    options=(ROOT_OPTION,),
)
