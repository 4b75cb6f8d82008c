# SPDX-License-Identifier: GPL-3.0-or-later
# pyright: reportMissingImports=false
"""Place a finished job's assets in the open file: in a grid, or on the selected objects. Works in small steps."""

from __future__ import annotations

import math
import os
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import bpy
from mathutils import Vector

from . import job_queue
from .builders import BuildError, clips, materials, meshes, read_card
from .builders.common import Card, Steps, pack_image, remove_on_error
from .job_queue import QueuedJob

TEXTURES = "textures"  # folder beside a .blend file
SPACING = {"textures": 2.0, "mesh": 0.45, "motion": 1.8}  # size of one asset in metres
GAP = 1.15  # distance between columns of the grid, relative to SPACING
ROW_GAP = {"textures": 1.0, "mesh": 1.3, "motion": 1.0}  # distance between rows, relative to that between columns
# Assets that are linked to the scene in one step. Linking all at once takes long; Blender redraws after each step.
LINKED_PER_STEP = 25

Terms = tuple[str, bool, str, str]  # folder with the parts, pack, author, licence: arguments of all builders


def place_assets(job: QueuedJob, folder: str, pack: bool, author: str, licence: str) -> Steps[str]:
    """Place a job's assets in the open file.

    Args:
        job: a job whose parts are generated.
        folder: folder with the parts.
        pack: whether images are stored inside the file.
        author: author of the assets; may be empty.
        licence: licence of the assets; empty for the licence in each card.

    Returns:
        A note about what could not be done, or "".

    Raises:
        BuildError: nothing could be placed.
    """
    cards = []
    for name in job.result["assets"]:
        cards.append(read_card(str(Path(folder, f"{name}.json"))))
        yield
    terms = (folder, pack, author, licence)
    if not cards:
        return ""
    if job.target == job_queue.APPLY and job.kind == "textures":
        note = yield from apply_materials(job.objects, cards, terms)
    elif job.target == job_queue.APPLY and job.kind == "motion":
        note = yield from apply_clips(job.objects, cards, terms)
    else:
        note = yield from place_grid(job, cards, terms)
    if not pack:
        yield from copy_images(folder, job.name)
    return note


def copy_images(folder: str, name: str) -> Steps[None]:
    """Copy images from a job's folder into a folder beside the .blend file, and make their paths relative.

    If the file was never saved, the images are packed into it.

    Args:
        folder: the job's folder.
        name: name of the new folder in "textures".
    """
    target = Path(bpy.data.filepath).parent / TEXTURES / name if bpy.data.filepath else None
    for image in list(bpy.data.images):
        path = Path(bpy.path.abspath(image.filepath))
        if image.packed_file or path.parent != Path(os.path.abspath(folder)):
            continue
        if target:
            target.mkdir(parents=True, exist_ok=True)
            image.filepath_raw = bpy.path.relpath(str(shutil.copy(path, target)))
        else:
            pack_image(image)
        yield


def place_grid(job: QueuedJob, cards: Sequence[Card], terms: Terms) -> Steps[str]:
    """Build the assets and place them in a grid at the 3D cursor, in a new collection."""
    scene = bpy.context.scene
    if scene.library:
        raise BuildError(f"the scene {scene.name} is linked from another file; open a scene of this file.")
    with remove_on_error() as created:
        assets: list[tuple[Any, list[Any]]] = []
        for card in cards:
            assets.append((yield from build_for_grid(job.kind, card, terms, created)))
            yield
        grid = bpy.data.collections.new(job.title)
        created.append(grid)
        width = GAP * SPACING[job.kind]
        arrange([roots for _, roots in assets], (width, width * ROW_GAP[job.kind]), scene.cursor.location)
        scene.collection.children.link(grid)
        for first in range(0, len(assets), LINKED_PER_STEP):
            for collection, roots in assets[first : first + LINKED_PER_STEP]:
                if collection:
                    grid.children.link(collection)
                else:
                    grid.objects.link(roots[0])
            bpy.context.view_layer.update()  # here rather than in the undo step, which takes long enough itself
            yield
    return ""


def build_for_grid(kind: str, card: Card, terms: Terms, created: list[Any]) -> Steps[tuple[Any, list[Any]]]:
    """Build one asset for a grid.

    Args:
        kind: asset kind.
        card: of the asset.
        terms: arguments of the builders.
        created: list that receives the new data blocks.

    Returns:
        The asset's collection (None for a material) and the objects to arrange.
    """
    if kind == "textures":
        material = yield from materials.build(card, *terms)
        swatch = make_swatch(material)
        created += [material, swatch, swatch.data]
        return None, [swatch]
    if kind == "mesh":
        collection = yield from meshes.build(card, *terms)
    else:
        action, collection = yield from clips.build(card, *terms, fps=scene_fps())
        created.append(action)
    created += [collection, *collection.objects]
    return collection, [thing for thing in collection.objects if thing.parent is None]


def scene_fps() -> float:
    """Frames per second of the open scene."""
    render = bpy.context.scene.render
    return render.fps / render.fps_base


def arrange(assets: Sequence[Sequence[Any]], spacing: tuple[float, float], corner: Any) -> None:
    """Move assets into the rows of a square grid.

    Args:
        assets: objects of each asset.
        spacing: metres between columns (X) and rows (-Y).
        corner: location of the first asset.
    """
    columns = math.ceil(math.sqrt(len(assets)))
    for i, roots in enumerate(assets):
        offset = Vector(((i % columns) * spacing[0], -(i // columns) * spacing[1], 0.0)) + corner
        for thing in roots:
            thing.location = thing.location + offset


def make_swatch(material: Any) -> Any:
    """Make an object that shows a material at its real size: a square with UVs in metres."""
    side = SPACING["textures"]
    mesh = bpy.data.meshes.new(material.name)
    mesh.from_pydata([(0, 0, 0), (side, 0, 0), (side, side, 0), (0, side, 0)], [], [(0, 1, 2, 3)])
    mesh.uv_layers.new(name="UVMap").data.foreach_set("uv", [0, 0, side, 0, side, side, 0, side])
    mesh.materials.append(material)
    return bpy.data.objects.new(material.name, mesh)


def apply_materials(names: Sequence[str], cards: Sequence[Card], terms: Terms) -> Steps[str]:
    """Apply the materials to objects, in turn; unused materials stay in the file."""
    with remove_on_error() as created:
        built = []
        for card in cards:
            built.append((yield from materials.build(card, *terms)))
            created.append(built[-1])
        things = [thing for thing in map(bpy.data.objects.get, names) if thing]
        refused = [thing.name for i, thing in enumerate(things) if not apply_material(thing, built[i % len(built)])]
        if len(refused) == len(things):
            raise BuildError("none of the selected objects can have a material of this file; select others.")
        for material in built:
            material.use_fake_user = material.users == 0
    return f"no material for {', '.join(refused)}" if refused else ""


def apply_material(thing: Any, material: Any) -> bool:
    """Set the material of an object's active slot; False if the object or its data are linked and can't change."""
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
    """Return whether a data block belongs to another file and can't be changed."""
    return bool(block.library) and not block.override_library


def apply_clips(names: Sequence[str], cards: Sequence[Card], terms: Terms) -> Steps[str]:
    """Play the first clip on an armature; the other clips become actions that fit it."""
    armature = next((thing for thing in map(bpy.data.objects.get, names) if thing and thing.type == "ARMATURE"), None)
    if armature is None:
        raise BuildError("the armature for the clips no longer exists; select one and try again.")
    with remove_on_error() as created:
        for card in reversed(cards):  # the first clip comes last, so that its action is the one that plays
            action, _ = yield from clips.build(card, *terms, armature=armature, fps=scene_fps())
            action.use_fake_user = True
            created.append(action)
    return ""
