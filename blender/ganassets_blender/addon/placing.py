# SPDX-License-Identifier: GPL-3.0-or-later
# pyright: reportMissingImports=false
"""A finished job's assets into the user's file: a grid, or onto what they had selected. All of it in small steps."""

from __future__ import annotations

import math
import os
import shutil
from collections.abc import Sequence
from typing import Any

import bpy
from mathutils import Vector

from . import jobs
from .landing import LandingError, clips, heads, materials, read_card
from .landing.common import Card, Steps, keep, whole_or_gone

TEXTURES = "textures"  # folder beside a .blend file
GAP = 1.15  # of a thing's size, from one to the next
SPACING = {"textures": 2.0, "mesh": 0.45, "motion": 1.8}  # metres
TOGETHER = 25  # things that come into the scene at a time: all at once takes long, and one by one is drawn each time
UPRIGHT = {"textures": 1.0, "mesh": 1.3, "motion": 1.0}  # how much farther rows are apart than columns


def land(job: jobs.Job, folder: str, pack: bool, author: str, licence: str) -> Steps[str]:
    """Bring a job's assets into the file.

    Args:
        job: whose parts are made.
        folder: that has them.
        pack: whether pictures are kept inside the file.
        author, licence: as in landing.

    Returns:
        What could not be done, or "".

    Raises:
        LandingError: nothing could be done.
    """
    cards = []
    for name in job.result["assets"]:
        cards.append(read_card(os.path.join(folder, f"{name}.json")))
        yield
    terms = (folder, pack, author, licence)
    if not cards:
        return ""
    if job.target == jobs.APPLY and job.kind == "textures":
        note = yield from give_materials(job.objects, cards, terms)
    elif job.target == jobs.APPLY and job.kind == "motion":
        note = yield from give_clips(job.objects, cards, terms)
    else:
        note = yield from place(job, cards, terms)
    if not pack:
        yield from settle_pictures(folder, job.name)
    return note


def settle_pictures(folder: str, name: str) -> Steps[None]:
    """Copy pictures from where they were made into a folder of that name beside the .blend file, and let paths be
    relative; a file that was never saved has no beside, so they are packed.
    """
    home = os.path.join(os.path.dirname(bpy.data.filepath), TEXTURES, name) if bpy.data.filepath else ""
    for image in list(bpy.data.images):
        path = bpy.path.abspath(image.filepath)
        if image.packed_file or os.path.dirname(path) != os.path.abspath(folder):
            continue
        if home:
            os.makedirs(home, exist_ok=True)
            image.filepath_raw = bpy.path.relpath(shutil.copy(path, home))
        else:
            keep(image)
        yield


def place(job: jobs.Job, cards: Sequence[Card], terms: tuple[str, bool, str, str]) -> Steps[str]:
    """Place a grid at the 3D cursor, in a collection of its own."""
    scene = bpy.context.scene
    if scene.library:
        raise LandingError(f"the scene {scene.name} is linked from another file; open a scene of this file.")
    with whole_or_gone() as made:
        things: list[tuple[Any, list[Any]]] = []
        for card in cards:
            if job.kind == "textures":
                material = yield from materials.build(card, *terms)
                swatch = make_swatch(material)
                made += [material, swatch, swatch.data]
                things.append((None, [swatch]))
            else:
                if job.kind == "mesh":
                    collection = yield from heads.build(card, *terms)
                else:
                    rate = scene.render.fps / scene.render.fps_base
                    action, collection = yield from clips.build(card, *terms, fps=rate)
                    made.append(action)
                made += [collection, *collection.objects]
                things.append((collection, [thing for thing in collection.objects if thing.parent is None]))
            yield
        whole = bpy.data.collections.new(job.title)
        made.append(whole)
        side = GAP * SPACING[job.kind]
        spread([roots for _, roots in things], (side, side * UPRIGHT[job.kind]), scene.cursor.location)
        scene.collection.children.link(whole)
        for first in range(0, len(things), TOGETHER):
            for collection, roots in things[first : first + TOGETHER]:
                if collection:
                    whole.children.link(collection)
                else:
                    whole.objects.link(roots[0])
            bpy.context.view_layer.update()  # now, for the step of undo that comes next takes its time too
            yield
    return ""


def spread(things: Sequence[Sequence[Any]], spacing: tuple[float, float], corner: Any) -> None:
    """Put things, each some objects, into rows from a corner on, so far apart along X and Y."""
    columns = math.ceil(math.sqrt(len(things)))
    for i, roots in enumerate(things):
        place = Vector(((i % columns) * spacing[0], -(i // columns) * spacing[1], 0.0)) + corner
        for thing in roots:
            thing.location = thing.location + place


def make_swatch(material: Any) -> Any:
    """An object that shows a material in its real size: a square with UVs in metres."""
    side = SPACING["textures"]
    mesh = bpy.data.meshes.new(material.name)
    mesh.from_pydata([(0, 0, 0), (side, 0, 0), (side, side, 0), (0, side, 0)], [], [(0, 1, 2, 3)])
    mesh.uv_layers.new(name="UVMap").data.foreach_set("uv", [0, 0, side, 0, side, side, 0, side])
    mesh.materials.append(material)
    return bpy.data.objects.new(material.name, mesh)


def give_materials(names: Sequence[str], cards: Sequence[Card], terms: tuple[str, bool, str, str]) -> Steps[str]:
    """Give each object a material, in turn; materials that are left over stay in the file."""
    with whole_or_gone() as made:
        built = []
        for card in cards:
            built.append((yield from materials.build(card, *terms)))
            made.append(built[-1])
        things = [thing for thing in map(bpy.data.objects.get, names) if thing]
        refused = [thing.name for i, thing in enumerate(things) if not give(thing, built[i % len(built)])]
        if len(refused) == len(things):
            raise LandingError("none of the selected objects can have a material of this file; select others.")
        for material in built:
            material.use_fake_user = material.users == 0
    return f"no material for {', '.join(refused)}" if refused else ""


def give(thing: Any, material: Any) -> bool:
    """Give an object a material in its active slot; False where that can't be done because of what is linked."""
    data = thing.data
    if not hasattr(data, "materials") or is_linked(thing):
        return False
    if not thing.material_slots:
        if is_linked(data):
            return False
        data.materials.append(material)
        return True
    slot = thing.material_slots[thing.active_material_index]
    if is_linked(data):
        slot.link = "OBJECT"
    slot.material = material
    return True


def is_linked(block: Any) -> bool:
    """Whether a data block is another file's and can't be changed."""
    return bool(block.library) and not block.override_library


def give_clips(names: Sequence[str], cards: Sequence[Card], terms: tuple[str, bool, str, str]) -> Steps[str]:
    """Let an armature perform the first clip; the others are kept as actions that fit it."""
    armature = next((thing for thing in map(bpy.data.objects.get, names) if thing and thing.type == "ARMATURE"), None)
    if armature is None:
        raise LandingError("the armature that the clips are for is gone; select one and try again.")
    scene = bpy.context.scene
    rate = scene.render.fps / scene.render.fps_base
    with whole_or_gone() as made:
        for card in reversed(cards):  # the first one is performed in the end
            action, _ = yield from clips.build(card, *terms, armature=armature, fps=rate)
            action.use_fake_user = True
            made.append(action)
    return ""
