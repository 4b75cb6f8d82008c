"""Import a clip, play it, and print the joints' positions in some frames as JSON.

Usage: python play_clip.py CLIP.bvh|CLIP.fbx|CLIP.glb|CLIP.usdc FRAME ... (the first frame of the clip is 0)
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import bpy  # pyright: ignore[reportMissingImports]

IMPORTERS = {
    ".bvh": lambda path: bpy.ops.import_anim.bvh(filepath=path),
    ".fbx": lambda path: bpy.ops.import_scene.fbx(filepath=path),
    ".glb": lambda path: bpy.ops.import_scene.gltf(filepath=path),
    ".usdc": lambda path: bpy.ops.wm.usd_import(filepath=path),
}
# Blender's frame of the clip's first frame. It is an option of the BVH importer; times in glTF and USD start at 0.
FIRST = {".bvh": 1, ".fbx": 1, ".glb": 0, ".usdc": 0}


def main(path: str, *frames: str) -> None:
    """Import the clip, play it and report."""
    suffix = Path(path).suffix
    bpy.ops.wm.read_factory_settings(use_empty=True)
    if suffix == ".glb":
        bpy.context.scene.render.fps = 30  # the importer converts seconds to the scene's frames
    IMPORTERS[suffix](path)
    (armature,) = (o for o in bpy.context.scene.objects if o.type == "ARMATURE")
    meshes = [o for o in bpy.context.scene.objects if o.type == "MESH" and o.find_armature() == armature]
    disconnect(armature)
    poses = []
    for frame in map(int, frames):
        bpy.context.scene.frame_set(FIRST[suffix] + frame)
        poses.append({bone.name: list(armature.matrix_world @ bone.head) for bone in armature.pose.bones})
    report = {
        "version": bpy.app.version_string,
        "rest": {bone.name: list(armature.matrix_world @ bone.head_local) for bone in armature.data.bones},
        "parents": {bone.name: bone.parent.name if bone.parent else None for bone in armature.data.bones},
        "action": [round(frame) - FIRST[suffix] for frame in armature.animation_data.action.frame_range],
        "meshes": [mesh.name for mesh in meshes],
        "smooth": all(polygon.use_smooth for mesh in meshes for polygon in mesh.data.polygons),
        "poses": poses,
    }
    print("REPORT " + json.dumps(report))


def disconnect(armature) -> None:
    """Disconnect all bones: the FBX importer connects bones that start at their parent's end, and those can't move."""
    bpy.context.view_layer.objects.active = armature
    bpy.ops.object.mode_set(mode="EDIT")
    for bone in armature.data.edit_bones:
        bone.use_connect = False
    bpy.ops.object.mode_set(mode="OBJECT")


if __name__ == "__main__":
    main(*sys.argv[1:])
