"""Generate assets while the user edits, undoes and opens files."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from unittest import mock

import bpy  # pyright: ignore[reportMissingImports]
import numpy as np

# isort: split
import bmesh  # pyright: ignore[reportMissingImports]  # importing bpy makes it available

from .common import (
    KINDS,
    add_job,
    addon_module,
    generate,
    job_runner,
    select_only,
    tick_until,
)

SMALL_BUDGET = 0.0005  # seconds


def edit_mode(folder: Path) -> dict[str, Any]:
    """Place grids while a mesh is in Edit Mode."""
    del folder
    cube = bpy.data.objects["Cube"]
    bpy.context.view_layer.objects.active = cube
    cube.select_set(True)
    bpy.ops.object.mode_set(mode="EDIT")
    before = describe_user_state()
    said = [generate(**words, seeds="5", target="GRID") for words in KINDS.values()]
    after = describe_user_state()
    bpy.ops.object.mode_set(mode="OBJECT")
    return {"said": said, "before": before, "after": after}


def describe_user_state() -> list[Any]:
    """Describe mode, selection and active objects of the user."""
    mesh = bmesh.from_edit_mesh(bpy.context.object.data) if bpy.context.mode == "EDIT_MESH" else None
    return [
        bpy.context.mode,
        bpy.context.object.name,
        sorted(thing.name for thing in bpy.context.selected_objects),
        [vertex.select for vertex in mesh.verts] if mesh else [],
        bpy.context.view_layer.active_layer_collection.name,
        bpy.context.scene.frame_current,
    ]


def linked(folder: Path) -> dict[str, Any]:
    """Apply materials to objects, one of which is linked and two of which have linked data."""
    folder.mkdir(parents=True)
    for name in ("linked", "data"):
        bpy.data.objects.new(name, bpy.data.meshes.new(f"{name} mesh"))
    bpy.data.meshes["data mesh"].materials.append(bpy.data.materials.new("theirs"))
    bpy.data.meshes.new("bare mesh").use_fake_user = True
    mine, path = bpy.data.objects.new("mine", bpy.data.meshes.new("mine")), folder / "Fremde Datei.blend"
    theirs = {*(bpy.data.objects[name] for name in ("linked", "data")), bpy.data.meshes["bare mesh"]}
    bpy.data.libraries.write(str(path), theirs)
    for name in ("linked", "data"):
        bpy.data.objects.remove(bpy.data.objects[name])
    with bpy.data.libraries.load(str(path), link=True) as (_, loaded):
        loaded.objects, loaded.meshes = ["linked"], ["data mesh", "bare mesh"]
    half, bare = (bpy.data.objects.new(name, mesh) for name, mesh in zip(("half", "bare"), loaded.meshes, strict=True))
    select_only(mine, half, bare, loaded.objects[0])
    said = generate(model="textures", seeds="1-2", size="64", target="APPLY")
    note = job_runner().queue.jobs[-1].note
    select_only(loaded.objects[0])
    return {
        "said": said,
        "note": note,
        "slots": [[slot.link, bool(slot.material)] for thing in (mine, half, bare) for slot in thing.material_slots],
        "alone": generate(model="textures", seeds="1", size="64", target="APPLY"),
    }


def clip_on_armature(folder: Path) -> dict[str, Any]:
    """Apply a clip to a user's armature."""
    del folder
    assert generate(**KINDS["clips"], seeds="3", target="GRID") == ["FINISHED"]
    collection = bpy.context.scene.collection.children[-1]
    armature = next(thing for thing in collection.all_objects if thing.type == "ARMATURE")
    loaded = bone_positions(armature)
    armature.animation_data_clear()
    for bone in armature.pose.bones:
        bone.matrix_basis.identity()
    select_only(armature)
    said = generate(**KINDS["clips"], seeds="3", target="APPLY")
    return {
        "said": said,
        "error": job_runner().queue.jobs[-1].error,
        "off": float(abs(bone_positions(armature) - loaded).max()),
        "moves": float(np.ptp(loaded, axis=0).max()),
        "slot": bool(getattr(armature.animation_data, "action_slot", True)),
    }


def bone_positions(armature: Any) -> np.ndarray:
    """Return (frames, bones, 3) positions of an armature's bone heads."""
    found = []
    for frame in (1, 5, 10):
        bpy.context.scene.frame_set(frame)
        found.append([list(bone.head) for bone in armature.pose.bones])
    return np.array(found)


def clip_on_nothing(folder: Path) -> dict[str, Any]:
    """Apply a clip while no armature is selected."""
    del folder
    select_only(bpy.data.objects["Cube"])
    return {"said": generate(**KINDS["clips"], seeds="3", target="APPLY")}


def file_closed_while_placing(folder: Path) -> dict[str, Any]:
    """Open another file while a grid is placed, and while its assets are generated."""
    state, found = bpy.context.window_manager.ganassets, []
    state.seeds, state.target = "7-9", "GRID"
    model = state.model
    for is_placing in (True, False):
        job = add_job(folder, seeds="1-6", size="64")
        # Small steps: a fast machine would place all assets in a single call of the timer.
        with mock.patch.object(addon_module("job_runner"), "UPDATE_BUDGET", SMALL_BUDGET):
            tick_until(lambda: job_runner().placement if is_placing else job.done)  # noqa: B023 - called at once
        bpy.ops.wm.read_homefile()
        tick_until(lambda: job.state == "paused")  # noqa: B023
        assert job.title not in bpy.context.scene.collection.children
        note = job.note
        bpy.ops.ganassets.resume(job=job.name)
        tick_until(lambda: not job.is_open)  # noqa: B023
        found.append([note, job.state, job.error, len(bpy.context.scene.collection.children[-1].objects)])
    state = bpy.context.window_manager.ganassets
    return {"found": found, "panel": [state.seeds, state.target, state.model == model]}


def undone_while_placing(folder: Path) -> dict[str, Any]:
    """Undo and redo the user's last step while heads are placed."""
    bpy.ops.ed.undo_push(message="before")
    cube, before = bpy.data.objects["Cube"], bpy.data.objects["Cube"].location.x
    cube.location.x = 5
    bpy.ops.ed.undo_push(message="moved")
    job = add_job(folder, seeds="1-3", name="faces")
    found = []
    for undo in (bpy.ops.ed.undo, bpy.ops.ed.redo):
        tick_until(lambda: job_runner().placement and len(bpy.data.shape_keys))
        undo()
        found.append([bpy.data.objects["Cube"].location.x, job_runner().placement is None])
    tick_until(lambda: not job.is_open)
    things = bpy.context.scene.collection.children[-1].all_objects
    return {
        "before": before,
        "found": found,
        "ended": [job.state, job.error],
        "types": sorted(thing.type for thing in things),
        "keys": [len(thing.data.shape_keys.key_blocks) for thing in things if thing.type == "MESH"],
        "heads": len([one for one in bpy.data.objects if one.type == "MESH" and "ganassets" in one]),
    }
