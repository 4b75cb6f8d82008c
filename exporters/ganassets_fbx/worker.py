"""Build a scene in Blender from each request and write it as FBX, until the input ends.

A request is a line of JSON: the metadata of scene.py and "folder", which holds scene.npz and gets scene.fbx. The answer
is a line that starts with MARK. This file imports nothing of the package, because Blender's Python doesn't have it.

The scene is built in centimetres with Y up, as FBX expects, so that Blender's exporter converts nothing.
"""

from __future__ import annotations

import datetime
import json
import os
import sys
from pathlib import Path
from typing import Any

import bpy  # pyright: ignore[reportMissingImports]
import numpy as np
from bpy_extras.node_shader_utils import PrincipledBSDFWrapper  # pyright: ignore[reportMissingImports]
from io_scene_fbx import export_fbx_bin, fbx_utils  # pyright: ignore[reportMissingImports]
from mathutils import Matrix, Quaternion, Vector  # pyright: ignore[reportMissingImports]

MARK = "GANASSETS "
UNIT = 0.01  # metres
ARMATURE = "Armature"  # Unreal adds a bone for an armature of any other name
SHORTEST_BONE = 1.0  # centimetres
REST_FRAME = -1
Metadata = dict[str, Any]
Arrays = dict[str, np.ndarray]


def main() -> None:
    """Answer requests until the input ends."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # Blender's own output must not mix with the answers
    make_reproducible()
    for line in sys.stdin:
        request = json.loads(line)
        try:
            write_fbx(request)
            error = ""
        except Exception as caught:
            error = f"{type(caught).__name__}: {caught}"
        print(MARK + json.dumps({"error": error}), file=answers, flush=True)


class FixedTime(datetime.datetime):
    """A clock that always shows the same time."""

    @classmethod
    def now(cls, tz: datetime.tzinfo | None = None) -> datetime.datetime:
        """Return the first moment of 1970."""
        return cls(1970, 1, 1, tzinfo=tz)


def make_reproducible() -> None:
    """Keep the time of day and the temporary folder's name out of the files."""
    export_fbx_bin.datetime = type("datetime", (), {"datetime": FixedTime})

    def paths(image: Any, _scene_data: Any) -> tuple[str, str]:
        return image.name, image.name

    export_fbx_bin._gen_vid_path = paths


def write_fbx(metadata: Metadata) -> None:
    """Build the scene of a request and write scene.fbx."""
    with np.load(Path(metadata["folder"], "scene.npz"), allow_pickle=False) as file:
        arrays = dict(file)
    clear_scene()
    scene = bpy.context.scene
    scene.name = metadata["name"]  # becomes the name of the animation
    scene.unit_settings.scale_length = UNIT
    scene.render.fps = max(1, round(metadata["fps"]))
    scene.render.fps_base = scene.render.fps / metadata["fps"]
    scene.frame_start, scene.frame_end = 0, len(arrays["rotations"]) - 1 if "rotations" in arrays else 0
    armature = make_armature(metadata, arrays) if "bones" in metadata else None
    objects = [armature] if armature else []
    if "positions" in arrays:
        objects.append(make_mesh(metadata, arrays, armature))
    for keyword, text in metadata["properties"].items():
        objects[0][keyword] = text
    if armature and "rotations" in arrays:
        animate(armature, metadata, arrays)
    scene.frame_set(REST_FRAME)
    bpy.ops.export_scene.fbx(
        filepath=str(Path(metadata["folder"], "scene.fbx")),
        use_space_transform=False,
        axis_forward="-Z",
        axis_up="Y",
        apply_scale_options="FBX_SCALE_NONE",
        mesh_smooth_type=metadata["smoothing"],
        object_types={"ARMATURE", "MESH"},
        add_leaf_bones=False,
        bake_anim="rotations" in arrays,
        bake_anim_use_nla_strips=False,
        bake_anim_use_all_actions=False,
        bake_anim_simplify_factor=0.0,
        use_custom_props=True,
        path_mode="COPY",
        embed_textures=True,
    )


def clear_scene() -> None:
    """Remove everything that the request before has left, in the scene and in Blender's exporter."""
    kinds = ("objects", "meshes", "armatures", "materials", "images", "actions")
    bpy.data.batch_remove([block for kind in kinds for block in getattr(bpy.data, kind)])
    for numbers in (fbx_utils._keys_to_uuids, fbx_utils._uuids_to_keys):
        numbers.clear()


def add_object(name: str, data: Any) -> Any:
    """Add an object to the scene."""
    added = bpy.data.objects.new(name, data)
    bpy.context.scene.collection.objects.link(added)
    return added


def make_armature(metadata: Metadata, arrays: Arrays) -> Any:
    """Build the armature. A bone of Blender lies along its Y axis, so each points along its joint's Y axis."""
    armature = add_object(ARMATURE, bpy.data.armatures.new(ARMATURE))
    bpy.context.view_layer.objects.active = armature
    bpy.ops.object.mode_set(mode="EDIT")
    bones = []
    rest = zip(arrays["bone_positions"].tolist(), arrays["bone_rotations"], strict=True)
    for name, parent, (position, rotation) in zip(metadata["bones"], metadata["parents"], rest, strict=True):
        bone = armature.data.edit_bones.new(name)
        bone.tail = (0, SHORTEST_BONE, 0)
        bone.parent = bones[parent] if parent >= 0 else None
        bones.append(bone)
        bone.length = max([SHORTEST_BONE, *lengths_to_children(len(bones) - 1, metadata["parents"], arrays)])
        bone.matrix = Matrix.LocRotScale(Vector(position), to_blender_quaternion(rotation), None)
    bpy.ops.object.mode_set(mode="OBJECT")
    return armature


def lengths_to_children(bone: int, parents: list[int], arrays: Arrays) -> list[float]:
    """Measure the centimetres from a bone's joint to its children."""
    positions = arrays["bone_positions"]
    return [float(np.linalg.norm(positions[k] - positions[bone])) for k, parent in enumerate(parents) if parent == bone]


def to_blender_quaternion(rotation: np.ndarray) -> Any:
    """Put w first, as Blender has it."""
    x, y, z, w = rotation.tolist()
    return Quaternion((w, x, y, z))


def make_mesh(metadata: Metadata, arrays: Arrays, armature: Any) -> Any:
    """Build the mesh with materials, weights and shape keys."""
    data = bpy.data.meshes.new(metadata["mesh"])
    positions = arrays["positions"]
    faces = [face.tolist() for face in np.split(arrays["corners"], arrays["starts"][1:])]
    data.from_pydata(positions.tolist(), [], faces)
    data.polygons.foreach_set("material_index", arrays["face_materials"])
    data.polygons.foreach_set("use_smooth", np.ones(len(faces), bool))
    data.uv_layers.new(name="UVMap").data.foreach_set("uv", arrays["corner_uvs"].ravel())
    data.normals_split_custom_set_from_vertices(arrays["normals"])
    for material in make_materials(metadata, arrays):
        data.materials.append(material)
    mesh = add_object(metadata["mesh"], data)
    if armature:
        bind(mesh, armature, metadata["bones"], arrays)
    if "offsets" in arrays:
        add_shape_keys(mesh, metadata["morphs"], positions, arrays["offsets"])
    return mesh


def bind(mesh: Any, armature: Any, bones: list[str], arrays: Arrays) -> None:
    """Give the vertices their weights and let the armature move them."""
    joints, weights = arrays["skin_joints"], arrays["skin_weights"]
    for bone, name in enumerate(bones):
        group = mesh.vertex_groups.new(name=name)
        shares = (weights * (joints == bone)).sum(1)
        for share in np.unique(shares[shares > 0]).tolist():
            group.add(np.flatnonzero(shares == np.float32(share)).tolist(), share, "REPLACE")
    mesh.parent = armature
    mesh.modifiers.new(ARMATURE, "ARMATURE").object = armature


def add_shape_keys(mesh: Any, names: list[str], positions: np.ndarray, offsets: np.ndarray) -> None:
    """Add the morph targets as shape keys, all at 0."""
    mesh.shape_key_add(name="Basis")
    for name, offset in zip(names, offsets, strict=True):
        key = mesh.shape_key_add(name=name)
        key.data.foreach_set("co", (positions + offset).ravel())
        key.value = 0.0


def make_materials(metadata: Metadata, arrays: Arrays) -> list[Any]:
    """Build the materials with their images packed into the file."""
    images = []
    for number, name in enumerate(metadata["images"]):
        path = Path(metadata["folder"], f"{number}.png")
        path.write_bytes(arrays[f"image_{number}"].tobytes())
        image = bpy.data.images.load(str(path))
        image.name = name
        image.alpha_mode = "NONE"
        image.pack()
        images.append(image)
    return [make_material(row, images) for row in metadata["materials"]]


def make_material(row: Metadata, images: list[Any]) -> Any:
    """Build one material."""
    material = bpy.data.materials.new(row["name"])
    material.use_nodes = True
    surface = PrincipledBSDFWrapper(material, is_readonly=False)
    surface.base_color = row["base_colour"]
    surface.roughness, surface.metallic = row["roughness"], row["metallic"]
    if row["albedo"] is not None:
        surface.base_color_texture.image = images[row["albedo"]]
    if row["roughness_map"] is not None:
        image = images[row["roughness_map"]]
        image.colorspace_settings.name = "Non-Color"
        surface.roughness_texture.image = image
    return material


def animate(armature: Any, metadata: Metadata, arrays: Arrays) -> None:
    """Key every bone in every frame from 0 on, and the rest pose in the frame before.

    The exporter writes the pose of that frame beside the animation.
    """
    translations, rotations = arrays["translations"], arrays["rotations"]
    channels: list[tuple[float, np.ndarray]] = []  # value at rest, and its value in each frame
    for number, name in enumerate(metadata["bones"]):
        bone = armature.pose.bones[name]
        if number < translations.shape[1]:
            bone.keyframe_insert("location", frame=REST_FRAME)
            channels.extend((0.0, values) for values in translations[:, number].T)
        bone.keyframe_insert("rotation_quaternion", frame=REST_FRAME)
        wxyz = rotations[:, number, (3, 0, 1, 2)].T
        channels.extend(zip((1.0, 0.0, 0.0, 0.0), wxyz, strict=True))
    frames = np.arange(REST_FRAME, len(rotations))
    for curve, (rest, values) in zip(curves_of(armature.animation_data), channels, strict=True):
        points = curve.keyframe_points
        points.add(len(rotations))
        points.foreach_set("co", np.stack([frames, np.append(rest, values)], -1).astype(np.float32).ravel())
        curve.update()


def curves_of(animation: Any) -> Any:
    """Return the curves of an object's action; since Blender 5.0 only the bag of the action's slot has them."""
    if hasattr(animation.action, "fcurves"):
        return animation.action.fcurves
    return animation.action.layers[0].strips[0].channelbag(animation.action_slot).fcurves


if __name__ == "__main__":
    main()
