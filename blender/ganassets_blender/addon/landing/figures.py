# SPDX-License-Identifier: GPL-3.0-or-later
# pyright: reportMissingImports=false
"""What heads and the figures of clips share: a mesh, an armature that moves it, and the collection that holds both."""

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

MESH = ("positions", "normals", "corners", "starts", "corner_uvs", "face_materials")
SKIN = ("skin_joints", "skin_weights")
BONES = ("bone_matrices", "bone_lengths")
AT_ONCE = 200  # groups of vertices that a step weighs


def build_figure(card: Card, folder: str, pack: bool) -> Steps[Any]:
    """A collection with the mesh, and the armature if the card has bones; linked to no scene.

    Raises:
        LandingError: a file can't be read.
    """
    title = card["title"]
    with common.whole_or_gone() as made:
        arrays = common.read_arrays(card, folder, *MESH)
        yield
        mesh = bpy.data.meshes.new(title)
        made.append(mesh)
        yield from fill_mesh(mesh, arrays)
        for row in card["materials"]:
            material = yield from materials.build_simple(row, title, folder, pack)
            made.append(material)
            mesh.materials.append(material)
        # Before there are materials, numbers of them don't hold.
        mesh.polygons.foreach_set("material_index", arrays["face_materials"])
        collection = bpy.data.collections.new(title)
        thing = bpy.data.objects.new(title, mesh)
        collection.objects.link(thing)
        made += [collection, thing]
        yield
        if card["bones"]:
            armature = yield from build_armature(card, folder)
            made.append(armature)
            collection.objects.link(armature)
            yield from bind(thing, armature, card, folder)
    return collection


def fill_mesh(mesh: Any, arrays: dict[str, np.ndarray]) -> Steps[None]:
    """Vertices, faces, UVs and normals of an empty mesh."""
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
    if hasattr(mesh, "use_auto_smooth"):  # until 4.1
        mesh.use_auto_smooth, mesh.auto_smooth_angle = True, math.pi
    mesh.normals_split_custom_set_from_vertices(arrays["normals"])
    yield


def build_armature(card: Card, folder: str) -> Steps[Any]:
    """An armature object with the card's bones; linked to no scene."""
    with common.whole_or_gone() as made:
        arrays = common.read_arrays(card, folder, *BONES)
        data = bpy.data.armatures.new(f"{card['title']} Rig")
        made.append(data)
        armature = bpy.data.objects.new(data.name, data)
        made.append(armature)
        with editing(armature):
            add_bones(data, card["bones"], card["parents"], arrays)
        yield
    return armature


@contextmanager
def editing(armature: Any) -> Iterator[None]:
    """An armature in Edit Mode, which alone makes bones. It is in a scene of its own that is gone afterwards, and what
    the user has open, edits and selects stays as it is.
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
    """Bring an armature that is alone in a scene into a mode. What is edited is named too: by that Blender tells whose
    tool it chooses, and it might be the user's.
    """
    own = {"scene": scene, "view_layer": scene.view_layers[0], "active_object": armature, "object": armature}
    # Not in one: a window given takes the scene's place.
    with in_window(), bpy.context.temp_override(**own, edit_object=armature if mode == "EDIT" else None):
        bpy.ops.object.mode_set(mode=mode)


def in_window() -> AbstractContextManager[Any]:
    """A context with a window, which a timer's may lack and Blender crashes without."""
    windows = bpy.context.window_manager.windows
    if bpy.context.window or not windows:
        return nullcontext()
    return bpy.context.temp_override(window=windows[0])


def add_bones(data: Any, names: Sequence[str], parents: Sequence[int], arrays: dict[str, np.ndarray]) -> None:
    """Bones of an armature in Edit Mode."""
    bones = []
    lengths = arrays["bone_lengths"].tolist()
    for name, parent, matrix, length in zip(names, parents, arrays["bone_matrices"].tolist(), lengths, strict=True):
        bone = data.edit_bones.new(name)
        bone.tail = (0, length, 0)
        bone.parent = bones[parent] if parent >= 0 else None
        bone.matrix = Matrix(matrix)
        bones.append(bone)


def bind(thing: Any, armature: Any, card: Card, folder: str) -> Steps[None]:
    """Weigh the vertices and let the armature move them."""
    arrays = common.read_arrays(card, folder, *SKIN)
    joints, weights = arrays["skin_joints"], arrays["skin_weights"]
    for bone, name in enumerate(card["bones"]):
        thing.vertex_groups.new(name=name)
        shares = (weights * (joints == bone)).sum(1)
        for count, share in enumerate(np.unique(shares[shares > 0]), 1):
            vertices = np.flatnonzero(shares == share).tolist()
            thing.vertex_groups[bone].add(vertices, float(share), "REPLACE")
            if count % AT_ONCE == 0:
                yield
        yield
    thing.parent = armature
    thing.modifiers.new("Armature", "ARMATURE").object = armature
    yield
