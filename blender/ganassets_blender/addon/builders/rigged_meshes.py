# SPDX-License-Identifier: GPL-3.0-or-later
# pyright: reportMissingImports=false
"""Build a mesh, the armature that moves it, and the collection that holds both; for heads and for clips' figures."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

import bpy
import numpy as np
from mathutils import Matrix

from . import common, materials
from .common import Card, Steps

MESH_ARRAYS = ("positions", "normals", "corners", "starts", "corner_uvs", "face_materials")
SKIN_ARRAYS = ("skin_joints", "skin_weights")
BONE_ARRAYS = ("bone_matrices", "bone_lengths")
WEIGHTS_PER_STEP = 200  # different weights of a bone that are assigned in one step


def build_rigged_mesh(card: Card, folder: str, pack: bool) -> Steps[Any]:
    """Build a collection with the mesh, and the armature if the card has bones.

    Args:
        card: card of a mesh or a clip.
        folder: absolute path of the folder with its files.
        pack: whether to store the images in the .blend file.

    Returns:
        The collection, linked to no scene.

    Raises:
        BuildError: a file can't be read.
    """
    title = card["title"]
    with common.remove_on_error() as created:
        arrays = common.read_arrays(card, folder, *MESH_ARRAYS)
        yield
        mesh = bpy.data.meshes.new(title)
        created.append(mesh)
        yield from fill_mesh(mesh, arrays)
        for row in card["materials"]:
            material = yield from materials.build_simple(row, title, folder, pack)
            created.append(material)
            mesh.materials.append(material)
        # Blender drops material indices that are set before the materials exist.
        mesh.polygons.foreach_set("material_index", arrays["face_materials"])
        collection = bpy.data.collections.new(title)
        thing = bpy.data.objects.new(title, mesh)
        collection.objects.link(thing)
        created += [collection, thing]
        yield
        if card["bones"]:
            armature = yield from build_armature(card, folder)
            created.append(armature)
            collection.objects.link(armature)
            yield from bind(thing, armature, card, folder)
    return collection


def fill_mesh(mesh: Any, arrays: dict[str, np.ndarray]) -> Steps[None]:
    """Add vertices, faces, UVs and normals to an empty mesh."""
    corners, starts = arrays["corners"], arrays["starts"]
    mesh.vertices.add(len(arrays["positions"]))
    mesh.vertices.foreach_set("co", arrays["positions"].ravel())
    mesh.loops.add(len(corners))
    mesh.loops.foreach_set("vertex_index", corners)
    mesh.polygons.add(len(starts))
    mesh.polygons.foreach_set("loop_start", starts)
    if bpy.app.version < (4, 0, 0):
        mesh.polygons.foreach_set("loop_total", np.diff(starts, append=len(corners)))
    mesh.polygons.foreach_set("use_smooth", np.ones(len(starts), bool))
    yield
    mesh.update(calc_edges=True)
    yield
    mesh.uv_layers.new(name="UVMap").data.foreach_set("uv", arrays["corner_uvs"].ravel())
    yield
    if hasattr(mesh, "use_auto_smooth"):  # before Blender 4.1
        mesh.use_auto_smooth, mesh.auto_smooth_angle = True, math.pi
    mesh.normals_split_custom_set_from_vertices(arrays["normals"])
    yield


def build_armature(card: Card, folder: str) -> Steps[Any]:
    """Build an armature object with the card's bones, linked to no scene."""
    with common.remove_on_error() as created:
        arrays = common.read_arrays(card, folder, *BONE_ARRAYS)
        data = bpy.data.armatures.new(f"{card['title']} Rig")
        created.append(data)
        armature = bpy.data.objects.new(data.name, data)
        created.append(armature)
        with edit_mode(armature):
            add_bones(data, card["bones"], card["parents"], arrays)
        yield
    return armature


@contextmanager
def edit_mode(armature: Any) -> Iterator[None]:
    """Put an armature into Edit Mode, the only mode in which bones can be added.

    This happens in a temporary scene, so that the user's mode, selection and active object stay as they are.
    """
    scene = bpy.data.scenes.new("GAN Assets")
    try:
        scene.collection.objects.link(armature)
        scene.view_layers[0].objects.active = armature
        set_mode(scene, armature, "EDIT")
        try:
            yield
        finally:
            set_mode(scene, armature, "OBJECT")
    finally:
        bpy.data.batch_remove([scene])  # scenes.remove crashes in a timer


def set_mode(scene: Any, armature: Any, mode: str) -> None:
    """Set the mode of an armature that is the only object of a scene.

    The override includes the edited object: Blender derives from it for which mode it chooses a tool, and without it
    that could be the user's mode.
    """
    override = {"scene": scene, "view_layer": scene.view_layers[0], "active_object": armature, "object": armature}
    # Two overrides: given together, the window's scene would replace the given scene.
    with in_window(), bpy.context.temp_override(**override, edit_object=armature if mode == "EDIT" else None):
        bpy.ops.object.mode_set(mode=mode)


def in_window() -> AbstractContextManager[Any]:
    """Override the context with a window: a timer may have none, and Blender crashes without one."""
    windows = bpy.context.window_manager.windows
    if bpy.context.window or not windows:
        return nullcontext()
    return bpy.context.temp_override(window=windows[0])


def add_bones(data: Any, names: Sequence[str], parents: Sequence[int], arrays: dict[str, np.ndarray]) -> None:
    """Add bones to an armature in Edit Mode."""
    bones = []
    lengths = arrays["bone_lengths"].tolist()
    for name, parent, matrix, length in zip(names, parents, arrays["bone_matrices"].tolist(), lengths, strict=True):
        bone = data.edit_bones.new(name)
        bone.tail = (0, length, 0)
        bone.parent = bones[parent] if parent >= 0 else None
        bone.matrix = Matrix(matrix)
        bones.append(bone)


def bind(thing: Any, armature: Any, card: Card, folder: str) -> Steps[None]:
    """Bind a mesh object to an armature: set skin weights, parent and modifier."""
    arrays = common.read_arrays(card, folder, *SKIN_ARRAYS)
    joints, weights = arrays["skin_joints"], arrays["skin_weights"]
    for bone, name in enumerate(card["bones"]):
        thing.vertex_groups.new(name=name)
        vertex_weights = (weights * (joints == bone)).sum(1)
        for count, weight in enumerate(np.unique(vertex_weights[vertex_weights > 0]), 1):
            vertices = np.flatnonzero(vertex_weights == weight).tolist()
            thing.vertex_groups[bone].add(vertices, float(weight), "REPLACE")
            if count % WEIGHTS_PER_STEP == 0:
                yield
        yield
    thing.parent = armature
    thing.modifiers.new("Armature", "ARMATURE").object = armature
    yield
