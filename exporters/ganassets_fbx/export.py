"""Write meshes and clips as FBX files."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ganassets.api.assets import Mesh, MotionClip
from ganassets.api.engines import ENGINES

from .blender import run_in_blender
from .scene import make_clip_scene, make_mesh_scene


def export_asset(asset: Mesh | MotionClip, options: Mapping[str, Any]) -> dict[str, bytes]:
    """Write an asset as one FBX file. The same Blender writes the same bytes.

    Args:
        asset: A mesh or a clip.
        options: Values of `ganassets_fbx.EXPORTER.options`; those for other kinds of assets change nothing.

    Raises:
        InputError: Blender is not installed, or a mesh has no faces.
        GanassetsError: Blender failed.
    """
    engine = ENGINES[options["engine"]]
    if isinstance(asset, Mesh):
        scene = make_mesh_scene(asset, engine, options)
    else:
        scene = make_clip_scene(asset, engine, options)
    return {f"{scene.metadata['name']}.fbx": run_in_blender(scene)}
