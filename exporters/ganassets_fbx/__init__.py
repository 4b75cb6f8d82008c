"""The FBX exporter: a mesh or a motion clip for Unity and Unreal, written by a Blender that runs beside."""

from __future__ import annotations

from ganassets.api.assets import Exporter, Option

MESH, MOTION = ("mesh",), ("motion",)


EXPORTER = Exporter(
    name="fbx",
    summary="FBX for Unity and Unreal: rigged meshes with textures inside, motion; needs Blender",
    api_version=1,
    kinds=("mesh", "motion"),
    suffixes=(".fbx",),
    export="ganassets_fbx.export:export",
    options=(
        Option("engine", str, "unity", "whose names and smoothing it has", choices=("unity", "unreal")),
        Option("morphs", bool, True, "write the morph targets (facial expressions)", kinds=MESH),
        Option("skin", bool, True, "write the skeleton and the skin weights", kinds=MESH),
        Option(
            "rig",
            str,
            "engine",
            "names and rest pose of the bones",
            choices=("engine", "vrm", "mixamo", "unreal", "unity", "godot", "rigify"),
            kinds=MOTION,
        ),
        Option("mannequin", bool, True, "add a figure that shows the motion", kinds=MOTION),
        Option("root", str, "motion", "whether the figure travels", choices=("motion", "in-place"), kinds=MOTION),
    ),
)
