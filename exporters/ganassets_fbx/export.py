"""Export of a mesh or a motion clip as FBX; see EXPORTER.options."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ganassets.api.assets import Mesh, MotionClip

from .blender import run_in_blender
from .engines import ENGINES
from .scene import clip_scene, mesh_scene


def export(asset: Mesh | MotionClip, options: Mapping[str, Any]) -> dict[str, bytes]:
    """Return one FBX file. The same version of Blender writes the same bytes.

    Raises:
        InputError: there is no Blender.
        GanassetsError: Blender failed.
    """
    engine = ENGINES[options["engine"]]
    scene = mesh_scene(asset, engine, options) if isinstance(asset, Mesh) else clip_scene(asset, engine, options)
    return {f"{scene.words['name']}.fbx": run_in_blender(scene)}
