"""Make an armature and describe it, or pose it with a clip; print the bones' matrices as JSON.

Usage: python pose_armature.py metarig|rigify|imported FOLDER [FRAME ...]

Without frames, the add-on's description of the armature is written to armature.json in the folder. With frames, the
folder must hold clip.json and clip.npz. The kind "imported" is an armature as from an FBX file, with the bones in
figure.npz and figure.json: in centimetres, Y up, rotated and scaled by its object.
"""

from __future__ import annotations

import importlib.util
import json
import os
import sys
from pathlib import Path

import bpy  # pyright: ignore[reportMissingImports]
import numpy as np
from mathutils import Matrix, Quaternion  # pyright: ignore[reportMissingImports]

WRITER = Path(__file__).parents[4] / "blender" / "ganassets_blender" / "addon" / "armatures.py"


def main(kind: str, folder: str, *frames: str) -> None:
    """Make the armature, and write its description or pose it."""
    bpy.ops.wm.read_factory_settings(use_empty=True)
    armature = make_imported(Path(folder)) if kind == "imported" else make_rigify(generate=kind == "rigify")
    if not frames:
        written = import_writer().write_armature(armature, Path(folder))
        Path(written).rename(Path(folder, "armature.json"))
        print("REPORT " + json.dumps({"version": bpy.app.version_string}))
        return
    card = json.loads(Path(folder, "clip.json").read_text())
    with np.load(Path(folder, "clip.npz"), allow_pickle=False) as file:
        arrays = dict(file)
    for bone, name, value in card["custom"]:
        armature.pose.bones[bone][name] = value
    poses = [pose_bones(armature, card, arrays, int(frame)) for frame in frames]
    rest = {bone.name: matrix_rows(armature.matrix_world @ bone.matrix_local) for bone in armature.data.bones}
    print("REPORT " + json.dumps({"version": bpy.app.version_string, "rest": rest, "poses": poses}))


def import_writer():
    """Import the add-on's module that describes armatures."""
    spec = importlib.util.spec_from_file_location("armatures", WRITER)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def make_rigify(generate: bool):
    """Make Rigify's human metarig, or the rig that Rigify generates from it."""
    import addon_utils  # pyright: ignore[reportMissingImports]

    addon_utils.enable("rigify", default_set=True)
    bpy.ops.object.armature_human_metarig_add()
    if generate:
        bpy.ops.pose.rigify_generate()
    return next(o for o in bpy.data.objects if o.type == "ARMATURE" and o.name == ("rig" if generate else "metarig"))


def make_imported(folder: Path):
    """Make an armature like one from an FBX file."""
    card = json.loads((folder / "figure.json").read_text())
    matrices = np.load(folder / "figure.npz")["bone_matrices"]
    armature = bpy.data.objects.new("Armature", bpy.data.armatures.new("Armature"))
    bpy.context.scene.collection.objects.link(armature)
    bpy.context.view_layer.objects.active = armature
    bpy.ops.object.mode_set(mode="EDIT")
    bones = []
    for name, parent, matrix in zip(card["bones"], card["parents"], matrices.tolist(), strict=True):
        bone = armature.data.edit_bones.new(name)
        bone.tail = (0, 8, 0)
        bone.parent = bones[parent] if parent >= 0 else None
        turned = Matrix.Rotation(-np.pi / 2, 4, "X") @ Matrix(matrix)
        bone.matrix = Matrix.LocRotScale(100 * turned.translation, turned.to_quaternion(), None)
        bones.append(bone)
    bpy.ops.object.mode_set(mode="OBJECT")
    armature.matrix_world = Matrix.LocRotScale((3, 2, 1), Quaternion((1, 0, 0), np.pi / 2), (0.01, 0.01, 0.01))
    return armature


def pose_bones(armature, card: dict, arrays: dict, frame: int) -> dict:
    """Pose an armature as in a frame of the clip; returns the world matrix of every bone."""
    for number, name in enumerate(card["bones"]):
        bone = armature.pose.bones[name]
        bone.rotation_mode = "QUATERNION"
        bone.rotation_quaternion = arrays["rotations"][frame, number].tolist()
    for number, name in enumerate(card["moved"]):
        armature.pose.bones[name].location = arrays["locations"][frame, number].tolist()
    armature.update_tag()
    bpy.context.view_layer.update()
    return {bone.name: matrix_rows(armature.matrix_world @ bone.matrix) for bone in armature.pose.bones}


def matrix_rows(matrix) -> list:
    """Rows of a matrix as lists."""
    return [list(row) for row in matrix]


if __name__ == "__main__":
    main(*sys.argv[1:])
    sys.stdout.flush()
    os._exit(0)  # after Rigify, Blender's module does not exit by itself
