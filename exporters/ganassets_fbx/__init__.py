"""The FBX exporter: a mesh or a motion clip for Unity and Unreal, written by a Blender that runs beside."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ganassets.api.assets import Exporter, Mesh, MotionClip, Option

MESH, MOTION = ("mesh",), ("motion",)


def export(asset: Mesh | MotionClip, options: Mapping[str, Any]) -> dict[str, bytes]:
    """One FBX; see EXPORTER.options. The same Blender writes the same bytes.

    Raises:
        InputError: there is no Blender.
        GanassetsError: it failed.
    """
    from .blender import run_in_blender
    from .engines import ENGINES
    from .scene import clip_scene, mesh_scene

    engine = ENGINES[options["engine"]]
    scene = mesh_scene(asset, engine, options) if isinstance(asset, Mesh) else clip_scene(asset, engine, options)
    return {f"{scene.words['name']}.fbx": run_in_blender(scene)}


EXPORTER = Exporter(
    name="fbx",
    summary="FBX for Unity and Unreal: rigged meshes with textures inside, motion; needs Blender",
    api_version=1,
    kinds=("mesh", "motion"),
    suffixes=(".fbx",),
    export=export,
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
