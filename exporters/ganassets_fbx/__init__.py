"""The FBX exporter: a mesh or a motion clip for Unity and Unreal, written by a Blender in a process of its own."""

from __future__ import annotations

from dataclasses import replace

from ganassets.api.assets import Exporter, Option
from ganassets.api.engines import ENGINES
from ganassets.api.rig_options import RIG_NAMES, RIG_OPTION, ROOT_OPTION

MESH, MOTION = ("mesh",), ("motion",)
ENGINE_NAMES = tuple(name for name, engine in ENGINES.items() if engine.fbx_smoothing)


EXPORTER = Exporter(
    name="fbx",
    summary="FBX for Unity and Unreal: rigged meshes with textures inside, motion; needs Blender",
    api_version=1,
    kinds=("mesh", "motion"),
    suffixes=(".fbx",),
    export="ganassets_fbx.export:export_asset",
    options=(
        Option("engine", str, "unity", "engine that imports the file; sets names and smoothing", choices=ENGINE_NAMES),
        Option("morphs", bool, True, "write the morph targets (facial expressions)", kinds=MESH),
        Option("skin", bool, True, "write the skeleton and the skin weights", kinds=MESH),
        replace(RIG_OPTION, default="engine", choices=("engine", *RIG_NAMES)),
        Option("mannequin", bool, True, "add a mannequin that shows the motion", kinds=MOTION),
        ROOT_OPTION,
    ),
)
