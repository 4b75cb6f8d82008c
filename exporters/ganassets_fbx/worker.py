"""Runs inside Blender: makes a scene of each request and writes it as FBX, until its input ends.

A request is a line of JSON, the words of scene.py and the folder that holds scene.npz and gets scene.fbx. The answer is
a line that begins with MARK. This file stands alone, since Blender's Python doesn't know the package.

The scene is made in centimetres with Y up, as FBX has it, so that the exporter needn't turn or scale anything.
"""

from __future__ import annotations

import datetime
import json
import os
import sys
from typing import Any

import bpy  # pyright: ignore[reportMissingImports]
import numpy as np
from bpy_extras.node_shader_utils import PrincipledBSDFWrapper  # pyright: ignore[reportMissingImports]
from io_scene_fbx import export_fbx_bin, fbx_utils  # pyright: ignore[reportMissingImports]
from mathutils import Matrix, Quaternion, Vector  # pyright: ignore[reportMissingImports]

MARK = "GANASSETS "
UNIT = 0.01  # metres
ARMATURE = "Armature"  # Unreal makes no bone of an armature with this name alone
SHORTEST_BONE = 1.0
BEFORE = -1  # frame
Words = dict[str, Any]
Arrays = dict[str, np.ndarray]


def main() -> None:
    """Answer requests."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # what Blender prints is no answer
    write_the_same_bytes()
    for line in sys.stdin:
        request = json.loads(line)
        try:
            write(request)
            error = ""
        except Exception as problem:
            error = f"{type(problem).__name__}: {problem}"
        print(MARK + json.dumps({"error": error}), file=answers, flush=True)


class Epoch(datetime.datetime):
    """A clock that stands still."""

    @classmethod
    def now(cls, tz: datetime.tzinfo | None = None) -> datetime.datetime:
        return cls(1970, 1, 1, tzinfo=tz)


def write_the_same_bytes() -> None:
    """Take the time of day and the temporary folder's name out of what the exporter writes."""
    export_fbx_bin.datetime = type("datetime", (), {"datetime": Epoch})
    export_fbx_bin._gen_vid_path = lambda image, scene_data: (image.name, image.name)


def write(words: Words) -> None:
    """Make the scene and write scene.fbx."""
    with np.load(os.path.join(words["folder"], "scene.npz"), allow_pickle=False) as file:
        arrays = dict(file)
    everything = (bpy.data.objects, bpy.data.meshes, bpy.data.armatures, bpy.data.materials, bpy.data.images)
    bpy.data.batch_remove([thing for things in (*everything, bpy.data.actions) for thing in things])
    for numbers in (fbx_utils._keys_to_uuids, fbx_utils._uuids_to_keys):  # those of the file before
        numbers.clear()
    scene = bpy.context.scene
    scene.name = words["name"]  # the name of the animation
    scene.unit_settings.scale_length = UNIT
    scene.render.fps = max(1, round(words["fps"]))
    scene.render.fps_base = scene.render.fps / words["fps"]
    scene.frame_start, scene.frame_end = 0, len(arrays["turns"]) - 1 if "turns" in arrays else 0
    armature = make_armature(words, arrays) if "bones" in words else None
    things = [armature] if armature else []
    if "positions" in arrays:
        things.append(make_mesh(words, arrays, armature))
    for keyword, text in words["notes"].items():
        things[0][keyword] = text
    if armature and "turns" in arrays:
        animate(armature, words, arrays)
    scene.frame_set(BEFORE)
    bpy.ops.export_scene.fbx(
        filepath=os.path.join(words["folder"], "scene.fbx"),
        use_space_transform=False,
        axis_forward="-Z",
        axis_up="Y",
        apply_scale_options="FBX_SCALE_NONE",
        mesh_smooth_type=words["smoothing"],
        object_types={"ARMATURE", "MESH"},
        add_leaf_bones=False,
        bake_anim="turns" in arrays,
        bake_anim_use_nla_strips=False,
        bake_anim_use_all_actions=False,
        bake_anim_simplify_factor=0.0,
        use_custom_props=True,
        path_mode="COPY",
        embed_textures=True,
    )


def add(name: str, data: Any) -> Any:
    """An object of the scene."""
    thing = bpy.data.objects.new(name, data)
    bpy.context.scene.collection.objects.link(thing)
    return thing


def make_armature(words: Words, arrays: Arrays) -> Any:
    """The bones. Blender's lie along their Y axis, so each points where its joint's Y axis does."""
    armature = add(ARMATURE, bpy.data.armatures.new(ARMATURE))
    bpy.context.view_layer.objects.active = armature
    bpy.ops.object.mode_set(mode="EDIT")
    bones = []
    places = arrays["bone_places"].tolist()
    for name, parent, place, turn in zip(words["bones"], words["parents"], places, arrays["bone_turns"], strict=True):
        bone = armature.data.edit_bones.new(name)
        bone.tail = (0, SHORTEST_BONE, 0)
        bone.parent = bones[parent] if parent >= 0 else None
        bones.append(bone)
        bone.length = max([SHORTEST_BONE, *lengths_to_children(len(bones) - 1, words["parents"], arrays)])
        bone.matrix = Matrix.LocRotScale(Vector(place), quaternion(turn), None)
    bpy.ops.object.mode_set(mode="OBJECT")
    return armature


def lengths_to_children(bone: int, parents: list[int], arrays: Arrays) -> list[float]:
    """Centimetres from a bone's joint to those right below it."""
    places = arrays["bone_places"]
    return [float(np.linalg.norm(places[k] - places[bone])) for k, parent in enumerate(parents) if parent == bone]


def quaternion(turn: np.ndarray) -> Any:
    """Blender's w stands first."""
    x, y, z, w = turn.tolist()
    return Quaternion((w, x, y, z))


def make_mesh(words: Words, arrays: Arrays, armature: Any) -> Any:
    """The mesh with materials, weights and shape keys."""
    data = bpy.data.meshes.new(words["mesh"])
    positions = arrays["positions"]
    faces = [face.tolist() for face in np.split(arrays["corners"], arrays["starts"][1:])]
    data.from_pydata(positions.tolist(), [], faces)
    data.polygons.foreach_set("material_index", arrays["face_materials"])
    data.polygons.foreach_set("use_smooth", np.ones(len(faces), bool))
    data.uv_layers.new(name="UVMap").data.foreach_set("uv", arrays["corner_uvs"].ravel())
    data.normals_split_custom_set_from_vertices(arrays["normals"])
    for material in make_materials(words, arrays):
        data.materials.append(material)
    thing = add(words["mesh"], data)
    if armature:
        bind(thing, armature, words["bones"], arrays)
    if "offsets" in arrays:
        add_shape_keys(thing, words["morphs"], positions, arrays["offsets"])
    return thing


def bind(thing: Any, armature: Any, bones: list[str], arrays: Arrays) -> None:
    """Weigh the vertices and let the armature move them."""
    joints, weights = arrays["skin_joints"], arrays["skin_weights"]
    for bone, name in enumerate(bones):
        group = thing.vertex_groups.new(name=name)
        shares = (weights * (joints == bone)).sum(1)
        for share in np.unique(shares[shares > 0]).tolist():
            group.add(np.flatnonzero(shares == np.float32(share)).tolist(), share, "REPLACE")
    thing.parent = armature
    thing.modifiers.new(ARMATURE, "ARMATURE").object = armature


def add_shape_keys(thing: Any, names: list[str], positions: np.ndarray, offsets: np.ndarray) -> None:
    """The morph targets, all at 0."""
    thing.shape_key_add(name="Basis")
    for name, offset in zip(names, offsets, strict=True):
        key = thing.shape_key_add(name=name)
        key.data.foreach_set("co", (positions + offset).ravel())
        key.value = 0.0


def make_materials(words: Words, arrays: Arrays) -> list[Any]:
    """The materials with their pictures packed in."""
    pictures = []
    for number, name in enumerate(words["pictures"]):
        path = os.path.join(words["folder"], f"{number}.png")
        with open(path, "wb") as file:
            file.write(arrays[f"picture_{number}"].tobytes())
        picture = bpy.data.images.load(path)
        picture.name = name
        picture.alpha_mode = "NONE"
        picture.pack()
        pictures.append(picture)
    return [make_material(row, pictures) for row in words["materials"]]


def make_material(row: Words, pictures: list[Any]) -> Any:
    """One material."""
    material = bpy.data.materials.new(row["name"])
    material.use_nodes = True
    surface = PrincipledBSDFWrapper(material, is_readonly=False)
    surface.base_color = row["base_colour"]
    surface.roughness, surface.metallic = row["roughness"], row["metallic"]
    if row["albedo"] is not None:
        surface.base_color_texture.image = pictures[row["albedo"]]
    if row["roughness_map"] is not None:
        picture = pictures[row["roughness_map"]]
        picture.colorspace_settings.name = "Non-Color"
        surface.roughness_texture.image = picture
    return material


def animate(armature: Any, words: Words, arrays: Arrays) -> None:
    """Key every bone in every frame from 0 on. It rests in the frame before, where the exporter finds the pose that it
    writes beside the animation.
    """
    shifts, turns = arrays["shifts"], arrays["turns"]
    channels: list[tuple[float, np.ndarray]] = []  # at rest, and in each frame
    for number, name in enumerate(words["bones"]):
        bone = armature.pose.bones[name]
        if number < shifts.shape[1]:
            bone.keyframe_insert("location", frame=BEFORE)
            channels.extend((0.0, values) for values in shifts[:, number].T)
        bone.keyframe_insert("rotation_quaternion", frame=BEFORE)
        wxyz = turns[:, number, (3, 0, 1, 2)].T
        channels.extend(zip((1.0, 0.0, 0.0, 0.0), wxyz, strict=True))
    frames = np.arange(BEFORE, len(turns))
    for curve, (rest, values) in zip(curves_of(armature.animation_data), channels, strict=True):
        points = curve.keyframe_points
        points.add(len(turns))
        points.foreach_set("co", np.stack([frames, np.append(rest, values)], -1).astype(np.float32).ravel())
        curve.update()


def curves_of(animation: Any) -> Any:
    """The curves of what an object performs; from Blender 5.0 on they are in a bag of the action's slot alone."""
    if hasattr(animation.action, "fcurves"):
        return animation.action.fcurves
    return animation.action.layers[0].strips[0].channelbag(animation.action_slot).fcurves


if __name__ == "__main__":
    main()
