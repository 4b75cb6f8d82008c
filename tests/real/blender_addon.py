"""Run by Blender's Python with the extension installed: use the add-on, print what came of it as JSON.

Usage: python blender_addon.py -- FOLDER SCENARIO ...

Each scenario is a function below that gets the folder, or of several scenarios one in it with its own name. The
add-on's timer is called by hand, as Blender has none without a window.
"""

from __future__ import annotations

import contextlib
import hashlib
import importlib
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest import mock

import bpy  # pyright: ignore[reportMissingImports]
import numpy as np

# isort: split
import bmesh  # pyright: ignore[reportMissingImports]  # which bpy finds

sys.path.insert(0, str(Path(__file__).parent))  # which a Blender that is a program doesn't do
from blender_extension import MODULE, enable

SECONDS = 300.0  # that anything may take on a busy machine
KINDS = {
    "textures": {"model": "textures", "size": "128"},
    "faces": {"model": "faces"},
    "clips": {"model": "poses", "settings": '{"seconds": 0.5}'},
    "poses": {"model": "poses", "settings": '{"pose": 0.5}'},
}
SEEDS = "3-4"
PICTURES = 5  # of a material, its thumbnail included
TICK = 0.02  # seconds; the shortest time that the add-on asks for
COUNTED = ("objects", "meshes", "armatures", "materials", "images", "actions", "collections", "node_groups")


def main(folder: str, *scenarios: str) -> None:
    """Carry scenarios out and report."""
    if scenarios != ("reopened",):
        enable()
    home = Path(folder)
    report = {name: globals()[name](home / name if len(scenarios) > 1 else home) for name in scenarios}
    print("REPORT " + json.dumps(report))


def part(name: str) -> Any:
    """A module of the add-on."""
    return importlib.import_module(f"{MODULE}.{name}")


def generate(**words: Any) -> list[str]:
    """Use the operator; returns what it did, and what it said if that was an error."""
    try:
        return sorted(bpy.ops.ganassets.generate(**words))
    except RuntimeError as error:
        return [str(error)]


def until(wanted: Callable[[], Any]) -> int:
    """Tick until something is so; returns the number of ticks, TICK seconds apart or more on a slow machine."""
    began, ticks = time.monotonic(), 0
    while not wanted():
        assert time.monotonic() - began < SECONDS, told()
        time.sleep(min(part("studio").tick(), TICK))
        ticks += 1
    return ticks


def gone(processes: dict[int, str]) -> bool:
    """Wait for the end of processes."""
    until(lambda: not alive(processes))
    return True


def told() -> list[Any]:
    """What the queue says of its jobs."""
    return [[job.title, job.state, job.note, job.error] for job in part("studio").studio().works.queue.jobs]


def batch(folder: Path) -> dict[str, Any]:
    """A batch of each kind into a library, twice, and into the scene."""
    chosen = part("preferences").preferences()
    chosen.author, chosen.licence = "An Author", "A licence"
    before = counts()
    added = [add_to_library(folder / "library") for _ in range(2)]
    untouched = counts() == before
    for words in KINDS.values():
        assert generate(**words, seeds=SEEDS, target="GRID") == ["FINISHED"], told()
    grids = bpy.context.scene.collection.children[-len(KINDS) :]
    return {
        "added": added,
        "untouched": untouched,
        "grids": {name: grid(one) for name, one in zip(KINDS, grids, strict=True)},
    }


def add_to_library(folder: Path) -> list[list[int]]:
    """A batch of each kind into a library; returns how many assets were added and how many were there."""
    for words in KINDS.values():
        assert generate(**words, seeds=SEEDS, target="LIBRARY", library=str(folder)) == ["FINISHED"], told()
    jobs = part("studio").studio().works.queue.jobs[-len(KINDS) :]
    return [[job.result["new"], job.result["there"]] for job in jobs]


def counts() -> list[int]:
    """How many data blocks there are of each kind."""
    return [len(getattr(bpy.data, kind)) for kind in COUNTED]


def grid(collection: Any) -> dict[str, Any]:
    """A grid in the scene."""
    things = sorted(collection.all_objects, key=lambda thing: thing.name)
    return {
        "name": collection.name,
        "types": sorted(thing.type for thing in things),
        "places": sorted({tuple(thing.matrix_world.translation.xy) for thing in things if not thing.parent}),
        "blocks": [describe(thing) for thing in things],
    }


def describe(thing: Any) -> dict[str, Any]:
    """An object: of a mesh its vertices, materials with their pictures, shape keys, armature; of an armature what it
    performs."""
    if thing.type == "MESH":
        positions = np.empty((len(thing.data.vertices), 3), np.float32)
        thing.data.vertices.foreach_get("co", positions.ravel())
        keys = thing.data.shape_keys
        return {
            "vertices": digest(positions.tobytes()),
            "keys": len(keys.key_blocks) - 1 if keys else 0,
            "modifiers": [[one.type, one.object.type] for one in thing.modifiers],
            "groups": len(thing.vertex_groups),
            "materials": [material(one) for one in thing.data.materials],
        }
    animation = thing.animation_data
    return {
        "bones": len(thing.data.bones),
        "action": animation.action.name if animation else "",
        "slot": bool(getattr(animation, "action_slot", True)) if animation else False,
    }


def material(made: Any) -> dict[str, Any]:
    """A material's nodes and pictures."""
    pictures = [node.image for node in made.node_tree.nodes if node.type == "TEX_IMAGE"]
    return {
        "nodes": sorted({node.type for node in made.node_tree.nodes}),
        "pictures": {image.name: pixels(image.packed_file.data) for image in pictures},
    }


def pixels(png: bytes) -> str:
    """Digest of a picture's pixels as they are compressed; the texts before them name the format."""
    return digest(png[png.index(b"IDAT") :])


def digest(data: bytes) -> str:
    """What tells bytes apart."""
    return hashlib.sha256(data).hexdigest()


def reopened(folder: Path) -> dict[str, list[dict[str, Any]]]:
    """The assets of each volume of a library."""
    return {path.name: offered(path) for path in sorted((folder / "library" / "ganassets").glob("*.blend"))}


def offered(path: Path) -> list[dict[str, Any]]:
    """What a volume offers the Asset Browser."""
    kinds = ("materials", "collections", "actions", "objects", "meshes")
    with bpy.data.libraries.load(str(path), assets_only=True) as (there, wanted):
        for kind in kinds:
            setattr(wanted, kind, getattr(there, kind))
    found = []
    for asset in (asset for kind in kinds for asset in getattr(wanted, kind)):
        about = asset.asset_data
        found.append(
            {
                "type": asset.bl_rna.identifier,
                "name": asset.name,
                "catalog": about.catalog_id,
                "tags": [tag.name for tag in about.tags],
                "author": about.author,
                "licence": getattr(about, "license", None),
                "preview": list(asset.preview.image_size),
                "pixels": bool(np.any(asset.preview.image_pixels)),
                "from": sorted(asset["ganassets"].keys()),
                "blocks": [describe(thing) for thing in getattr(asset, "objects", ())],
                "material": material(asset) if isinstance(asset, bpy.types.Material) else None,
            }
        )
    return found


def start(
    folder: Path, target: str = "GRID", seeds: str = "1-16", size: str = "128", name: str = "textures", **more: Any
) -> Any:
    """A job, as the panel puts it into the queue."""
    know_models()
    model = part("models").find(name)
    table = {"model": model["path"], "seeds": seeds, **({"size": size} if model["stride"] else {}), **more}
    return part("studio").add_job(table, model, target, str(folder))


def know_models() -> None:
    """Let the add-on look for models, as when the panel is shown."""
    desk = part("studio").studio().desk
    if not part("models").find("textures"):
        desk.look_for_models()
        until(lambda: not desk.calls)


def works() -> Any:
    """What carries jobs out."""
    return part("studio").studio().works


def family(pid: int) -> dict[int, str]:
    """Processes that a process has started and they have, each with the time of its start; but for Python's own, which
    remains as long as that runs."""
    parents, times = {}, {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            words = path.read_text().rpartition(")")[2].split()
            if words[0] != "Z":
                parents[int(path.parent.name)], times[int(path.parent.name)] = int(words[1]), words[19]
    found = {pid}
    while more := {one for one, parent in parents.items() if parent in found} - found:
        found |= more
    return {one: times[one] for one in found - {pid} if "resource_tracker" not in words_of(one)}


def words_of(pid: int) -> str:
    """The command of a process."""
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_text()
    return ""


def alive(processes: dict[int, str]) -> dict[int, str]:
    """Those of some processes that run still."""
    found = {}
    for pid, time_ in processes.items():
        with contextlib.suppress(OSError):
            words = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            if words[0] != "Z" and words[19] == time_:
                found[pid] = time_
    return found


def made(job: Any, count: int = 3) -> dict[str, int]:
    """When the pictures of a job's first assets were written, whose target isn't a library."""
    paths = sorted(works().queue.parts_of(job).glob("*.png"))
    found = {path.name: path.stat().st_mtime_ns for path in paths}
    assert len(found) >= PICTURES * count
    return dict(list(found.items())[: PICTURES * count])


def killed(folder: Path) -> dict[str, Any]:
    """The process is killed in the middle of a job."""
    job = start(folder)
    until(lambda: job.done >= 3)
    before, child = made(job), works().child
    processes, threads = family(child.process.pid), threading.active_count()
    os.kill(child.process.pid, signal.SIGKILL)
    noticed = until(lambda: works().child is not child)
    until(lambda: not job.is_open)
    return {
        "noticed": noticed,
        "ended": [job.state, job.error],
        "made": len(job.result["assets"]),
        "kept": made(job) == before,
        "threads": threads,
        "placed": len(bpy.context.scene.collection.children[job.title].objects),
        "left": gone(processes),
    }


def killed_while_writing(folder: Path) -> dict[str, Any]:
    """The process is killed while a background Blender writes."""
    job = start(folder, "LIBRARY")
    until(lambda: job.note == "Writing the library.")
    child = works().child
    processes = family(child.process.pid)
    os.kill(child.process.pid, signal.SIGKILL)
    until(lambda: not job.is_open)
    left = gone(processes)
    result = job.result
    job = start(folder, "LIBRARY")  # finds all there
    until(lambda: not job.is_open)
    return {
        "ended": [job.state, job.error],
        "result": result,
        "left": left,
        "files": files(folder),
        "offered": sum(len(offered(path)) for path in folder.rglob("*.blend")),
    }


def files(folder: Path) -> list[str]:
    """All files below a folder."""
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def hung(folder: Path) -> dict[str, Any]:
    """The process hangs in the middle of a job."""
    job = start(folder, seeds="21-36")
    until(lambda: job.done >= 3)
    before, child = made(job), works().child
    processes = family(child.process.pid)
    os.kill(child.process.pid, signal.SIGSTOP)
    noticed = until(lambda: works().child is not child)
    until(lambda: not job.is_open)
    return {
        "noticed": noticed,
        "ended": [job.state, job.error],
        "made": len(job.result["assets"]),
        "kept": made(job) == before,
        "left": gone(processes),
    }


def dying(folder: Path) -> dict[str, Any]:
    """The process dies again and again; then it doesn't, and the user tries again."""
    job = start(folder, seeds="1-2")

    def kill() -> bool:
        child = works().child
        if child and child.process:
            child.process.kill()
        return not job.is_open

    until(kill)
    found = [job.state, job.error, job.about]
    bpy.ops.ganassets.resume(job=job.name)
    until(lambda: not job.is_open)
    return {"ended": found, "again": [job.state, job.error, len(job.result["assets"])]}


def cancelled(folder: Path) -> dict[str, Any]:
    """Cancelled while assets are made."""
    job, before = start(folder, seeds="1-60", size="256"), counts()
    until(lambda: job.done >= 2)
    processes = family(os.getpid())
    bpy.ops.ganassets.cancel(job=job.name)
    took = until(lambda: not job.is_open)
    bpy.ops.ganassets.release()
    return {
        "took": took,
        "state": job.state,
        "note": job.note,
        "nothing": counts() == before,
        "left": gone(processes),
    }


def cancelled_while_writing(folder: Path) -> dict[str, Any]:
    """Cancelled while a background Blender writes."""
    job = start(folder, "LIBRARY")
    until(lambda: job.note == "Writing the library." and len(family(works().child.process.pid)))
    processes = family(works().child.process.pid)
    bpy.ops.ganassets.cancel(job=job.name)
    took = until(lambda: not job.is_open)
    left = gone(processes)
    nothing = not any(name.endswith((".blend", ".tmp")) for name in files(folder))
    return {"took": took, "state": job.state, "note": job.note, "left": left, "nothing": nothing}


def cancelled_in_an_asset(folder: Path) -> dict[str, Any]:
    """Cancelled while an asset is made that takes long."""
    job, before = start(folder, seeds="1-2", size="4096"), counts()
    until(lambda: works().child and works().child.ready and job.total)
    until(lambda: works().child.idle() > 0.5)
    processes = family(os.getpid())
    bpy.ops.ganassets.cancel(job=job.name)
    took = until(lambda: not job.is_open)
    bpy.ops.ganassets.release()
    left = gone(processes)
    return {"took": took, "state": job.state, "note": job.note, "left": left, "nothing": counts() == before}


def paused(folder: Path) -> dict[str, Any]:
    """Paused and resumed."""
    job = start(folder)
    until(lambda: job.done >= 3)
    bpy.ops.ganassets.pause(job=job.name)
    until(lambda: job.state == "paused")
    before = made(job)
    for _ in range(10):
        part("studio").tick()
    still = job.state
    bpy.ops.ganassets.resume(job=job.name)
    until(lambda: not job.is_open)
    return {
        "still": still,
        "ended": [job.state, job.error],
        "made": len(job.result["assets"]),
        "kept": made(job) == before,
    }


def paused_too_late(folder: Path) -> dict[str, Any]:
    """Paused when all is made and the process hasn't said so yet, and resumed."""
    job = start(folder, seeds="1-3")
    until(lambda: job.done >= 1)
    begun, before = works(), counts()
    time.sleep(3.0)  # it ends meanwhile
    bpy.ops.ganassets.pause(job=job.name)
    until(lambda: not begun.job)
    still, nothing = job.state, counts() == before
    bpy.ops.ganassets.resume(job=job.name)
    until(lambda: not job.is_open)
    return {"still": still, "nothing": nothing, "ended": [job.state, job.error]}


def preview_lost(folder: Path) -> dict[str, Any]:
    """The process that answers the panel dies while it makes thumbnails; the user tries again."""
    know_models()
    desk, found = part("studio").studio().desk, []
    for act in (bpy.ops.ganassets.preview, bpy.ops.ganassets.look_again):
        bpy.context.window_manager.ganassets.first = 500 + len(found)
        act()
        desk.child.process.kill()
        until(lambda: not desk.child)
        found.append([desk.error, desk.again is not None])
    bpy.ops.ganassets.look_again()
    found.append([desk.error, desk.again is not None])
    until(lambda: not desk.calls)
    return {"said": found, "shown": sorted(desk.thumbnails)}


def sizes(folder: Path) -> list[str]:
    """What a job and its thumbnails have of the sizes that the panel shows."""
    del folder
    know_models()
    model, state, found = part("models").find("textures"), bpy.context.window_manager.ganassets, []
    for size, width, height in (("256", 16, 16), ("1024", 16, 16), ("CUSTOM", 4096, 16), ("CUSTOM", 768, 1024)):
        state.size, state.width, state.height = size, width, height
        found += [part("studio").table_of(model, most)["size"] for most in (0, 512)]
    return found


def switched(folder: Path) -> dict[str, Any]:
    """The user sets all that a model has, and chooses another one."""
    know_models()
    state = bpy.context.window_manager.ganassets
    found = {}
    for name in ("textures", "poses", "faces", "textures"):
        model = part("models").find(name)
        state.model = model["path"]
        part("studio").studio().tick()
        looks = bpy.context.window_manager.ganassets_looks
        found.setdefault(name, []).append(part("properties").looks_of(model, looks))
        for i, condition in enumerate(model["conditions"]):
            if condition["choices"] or condition["switch"]:
                setattr(looks, f"slider_{i}", (condition["choices"] or ["yes", "no"])[1])
            else:
                setattr(looks, f"use_{i}", True)
    return found


def idle(folder: Path) -> dict[str, Any]:
    """Nothing to do for a while."""
    bpy.ops.ganassets.look_again()
    start(folder, seeds="1-1")
    until(lambda: not works().job and not part("studio").studio().desk.calls)
    studio, seconds = part("studio").studio(), part("preferences").preferences().idle
    processes = family(os.getpid())
    for child in (studio.desk.child, studio.works.child):
        child.used -= seconds - 0.3
    early = bool(studio.desk.child and studio.works.child)
    until(lambda: not studio.desk.child and not studio.works.child)
    return {"early": early, "left": gone(processes)}


def disabled(folder: Path) -> dict[str, Any]:
    """The add-on is disabled in the middle of a job, as when Blender ends, and enabled again."""
    job = start(folder, "LIBRARY")
    until(lambda: job.done >= 3)
    processes = family(os.getpid())
    began = time.monotonic()
    bpy.ops.preferences.addon_disable(module=MODULE)
    while alive(processes) and time.monotonic() - began < SECONDS:
        time.sleep(0.02)
    left = bool(alive(processes))
    enable()
    job = works().queue.find(job.name)
    for _ in range(5):
        part("studio").tick()
    found = [job.state, job.note]
    bpy.ops.ganassets.resume(job=job.name)
    until(lambda: not job.is_open)
    return {"left": not left, "found": found, "ended": [job.state, job.error], "result": job.result}


def strangers(folder: Path) -> dict[str, Any]:
    """Files that are no models."""
    desk, found = part("studio").studio().desk, {}
    for path in sorted(folder.iterdir()):
        bpy.ops.ganassets.add_model(filepath=str(path))
        until(lambda: not desk.calls)
        part("studio").tick()
        found[path.name] = desk.error
    return {
        "said": found,
        "paths": list(desk.paths),
        "models": [model["name"] for model in part("models").FOUND],
        "operator": generate(model=str(path), seeds="1"),
        "works": generate(model="textures", seeds="1", size="64", target="GRID"),
    }


def model_removed(folder: Path) -> dict[str, Any]:
    """A model of the user's that goes away in the middle of a job."""
    folder.mkdir(parents=True)
    path = folder / "Mein Modell.onnx"
    shutil.copyfile(part("models").find("textures")["path"], path)
    bpy.ops.ganassets.add_model(filepath=str(path))
    until(lambda: not part("studio").studio().desk.calls)
    model = part("models").find(str(path))
    table = {"model": str(path), "seeds": "1-8", "size": "128"}
    job = part("studio").add_job(table, model, "LIBRARY", str(folder / "library"))
    until(lambda: job.done >= 2)
    path.unlink()
    child = works().child
    os.kill(child.process.pid, signal.SIGKILL)  # one that runs has the model in memory
    until(lambda: not job.is_open)
    found = [job.state, job.error, job.about]
    panel, refusal = bpy.context.window_manager.ganassets, ""
    panel.model = part("models").find("faces")["path"]
    try:
        bpy.ops.ganassets.use_model(job=job.name)
    except RuntimeError as error:
        refusal = str(error)
    panel.model = part("models").find("textures")["path"]
    bpy.ops.ganassets.use_model(job=job.name)
    until(lambda: not job.is_open)
    return {"ended": found, "refusal": refusal, "again": [job.state, job.error], "result": job.result}


def another_python(folder: Path) -> dict[str, Any]:
    """The add-on is enabled in a Blender whose Python its libraries are not for."""
    del folder
    bpy.ops.preferences.addon_disable(module=MODULE)
    said = ""
    with mock.patch.object(sys, "version_info", (3, 10, 8)):
        try:
            enable()
        except RuntimeError as error:
            said = str(error)
    enable()
    return {"said": said}


def relative_paths(folder: Path) -> dict[str, Any]:
    """Paths that begin at the file that is open: of a model, used twice, and of the folders in the preferences."""
    folder.mkdir(parents=True)
    know_models()
    shutil.copyfile(part("models").find("textures")["path"], folder / "mine.onnx")
    bpy.ops.wm.save_as_mainfile(filepath=str(folder / "scene.blend"))
    said = [generate(model="//mine.onnx", seeds="1", size="64", target="GRID") for _ in range(2)]
    chosen = part("preferences").preferences()
    chosen.library, chosen.models = "//library", "//models"
    kept = [chosen.library, chosen.models]
    chosen.library, chosen.models = "", ""
    listed = [model["path"] for model in part("models").FOUND if not model["boxed"]]
    return {"said": said, "listed": listed, "kept": kept, "folder": str(folder)}


def library_is_a_file(folder: Path) -> dict[str, Any]:
    """A library folder that is a file."""
    folder.mkdir(parents=True)
    (folder / "library").touch()
    return {"said": generate(model="textures", seeds="1", size="64", library=str(folder / "library"))}


def odd_paths(folder: Path) -> dict[str, Any]:
    """A library and a folder of a user's with names of all sorts, longer than 200 characters."""
    library = folder / "Größe & Co. 100%" / "素材ライブラリ" / ("sehr lang " * 12).strip() / ("x" * 80)
    assert len(str(library)) > 250
    said = generate(model="textures", seeds="1-2", size="64", library=str(library))
    return {"said": said, "files": files(library), "library": str(library)}


def edit_mode(folder: Path) -> dict[str, Any]:
    """A grid lands while a mesh is edited."""
    del folder
    cube = bpy.data.objects["Cube"]
    bpy.context.view_layer.objects.active = cube
    cube.select_set(True)
    bpy.ops.object.mode_set(mode="EDIT")
    before = scene_of_user()
    said = [generate(**words, seeds="5", target="GRID") for words in KINDS.values()]
    after = scene_of_user()
    bpy.ops.object.mode_set(mode="OBJECT")
    return {"said": said, "before": before, "after": after}


def scene_of_user() -> list[Any]:
    """What a user has open."""
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
    """Materials for objects of the user's, of which one has linked data and one is linked."""
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
    with bpy.data.libraries.load(str(path), link=True) as (_, wanted):
        wanted.objects, wanted.meshes = ["linked"], ["data mesh", "bare mesh"]
    half, bare = (bpy.data.objects.new(name, mesh) for name, mesh in zip(("half", "bare"), wanted.meshes, strict=True))
    select(mine, half, bare, wanted.objects[0])
    said = generate(model="textures", seeds="1-2", size="64", target="APPLY")
    note = works().queue.jobs[-1].note
    select(wanted.objects[0])
    return {
        "said": said,
        "note": note,
        "slots": [[slot.link, bool(slot.material)] for thing in (mine, half, bare) for slot in thing.material_slots],
        "alone": generate(model="textures", seeds="1", size="64", target="APPLY"),
    }


def select(*things: Any) -> None:
    """Put objects into the scene and select them alone."""
    for thing in bpy.context.selected_objects:
        thing.select_set(False)
    for thing in things:
        if thing.name not in bpy.context.scene.objects:
            bpy.context.scene.collection.objects.link(thing)
        thing.select_set(True)
    bpy.context.view_layer.objects.active = things[0]


def clip_on_armature(folder: Path) -> dict[str, Any]:
    """A clip on an armature of the user's, and on none."""
    del folder
    assert generate(**KINDS["clips"], seeds="3", target="GRID") == ["FINISHED"]
    collection = bpy.context.scene.collection.children[-1]
    armature = next(thing for thing in collection.all_objects if thing.type == "ARMATURE")
    wanted = moves(armature)
    armature.animation_data_clear()
    for bone in armature.pose.bones:
        bone.matrix_basis.identity()
    select(armature)
    said = generate(**KINDS["clips"], seeds="3", target="APPLY")
    return {
        "said": said,
        "error": works().queue.jobs[-1].error,
        "off": float(abs(moves(armature) - wanted).max()),
        "moves": float(np.ptp(wanted, axis=0).max()),
        "slot": bool(getattr(armature.animation_data, "action_slot", True)),
    }


def moves(armature: Any) -> np.ndarray:
    """(frames, bones, 3) where an armature's bones begin."""
    found = []
    for frame in (1, 5, 10):
        bpy.context.scene.frame_set(frame)
        found.append([list(bone.head) for bone in armature.pose.bones])
    return np.array(found)


def clip_on_nothing(folder: Path) -> dict[str, Any]:
    """A clip where no armature is selected."""
    del folder
    select(bpy.data.objects["Cube"])
    return {"said": generate(**KINDS["clips"], seeds="3", target="APPLY")}


def file_closed_while_landing(folder: Path) -> dict[str, Any]:
    """Another file is opened while a grid is built, and while its assets are made."""
    state, found = bpy.context.window_manager.ganassets, []
    state.seeds, state.target = "7-9", "GRID"
    model = state.model
    for built in (True, False):
        job = start(folder, seeds="1-6", size="64")
        until(lambda: works().landing if built else job.done)  # noqa: B023 - called at once
        bpy.ops.wm.read_homefile()
        until(lambda: job.state == "paused")  # noqa: B023
        assert job.title not in bpy.context.scene.collection.children
        note = job.note
        bpy.ops.ganassets.resume(job=job.name)
        until(lambda: not job.is_open)  # noqa: B023
        found.append([note, job.state, job.error, len(bpy.context.scene.collection.children[-1].objects)])
    state = bpy.context.window_manager.ganassets
    return {"found": found, "panel": [state.seeds, state.target, state.model == model]}


def undone_while_landing(folder: Path) -> dict[str, Any]:
    """The user undoes what they did last while heads are built, and does it again."""
    bpy.ops.ed.undo_push(message="before")
    cube, before = bpy.data.objects["Cube"], bpy.data.objects["Cube"].location.x
    cube.location.x = 5
    bpy.ops.ed.undo_push(message="moved")
    job = start(folder, seeds="1-3", name="faces")
    found = []
    for undo in (bpy.ops.ed.undo, bpy.ops.ed.redo):
        until(lambda: works().landing and len(bpy.data.shape_keys))
        undo()
        found.append([bpy.data.objects["Cube"].location.x, works().landing is None])
    until(lambda: not job.is_open)
    things = bpy.context.scene.collection.children[-1].all_objects
    return {
        "before": before,
        "found": found,
        "ended": [job.state, job.error],
        "types": sorted(thing.type for thing in things),
        "keys": [len(thing.data.shape_keys.key_blocks) for thing in things if thing.type == "MESH"],
        "heads": len([one for one in bpy.data.objects if one.type == "MESH" and "ganassets" in one]),
    }


def told_by_the_command(folder: Path) -> dict[str, Any]:
    """What a Blender that is a program does for `blender --command ganassets ...`."""
    run = part("commands").run
    codes = [run(["models"]), run(["nonsense"])]
    out = folder / "out"
    codes.append(run(["generate", "textures", "-n", "2", "--size", "64", "--no-preview", "-o", str(out)]))
    return {"codes": codes, "files": files(out)}


def full(folder: Path) -> dict[str, Any]:
    """A library on a disk of 2 MB, which is the folder, that is full; then there is room."""
    library, filler, said = folder / "library", folder / "filler", []
    assert generate(model="textures", seeds="1-2", size="64", library=str(library)) == ["FINISHED"]
    for left in (0, 250_000, 650_000, 750_000):
        filler.write_bytes(bytes(shutil.disk_usage(folder).free - left))
        job = start(library, "LIBRARY", seeds="3-6", size="128")
        until(lambda: not job.is_open)  # noqa: B023 - called at once
        said.append([job.state, job.error, job.about])
        filler.unlink()
    subprocess.run(["mount", "-o", "remount,size=64m", str(folder)], check=True)
    readable = [len(offered(path)) for path in sorted(library.rglob("*.blend"))]
    job = [job for job in works().queue.jobs if job.state == "failed"][-1]
    bpy.ops.ganassets.resume(job=job.name)
    until(lambda: not job.is_open)
    again = [job.state, job.error, job.result]
    return {"said": said, "readable": readable, "again": again, "files": files(library)}


def adding_low(folder: Path) -> list[str]:
    """Half of what two Blenders add to one library at once; they share some."""
    return add_beside(folder, "1-8", "adding_high")


def adding_high(folder: Path) -> list[str]:
    """The other half."""
    return add_beside(folder, "5-16", "adding_low")


def add_beside(folder: Path, seeds: str, other: str) -> list[str]:
    """Add materials to a library as soon as the other one is about to do the same."""
    assert generate(model="textures", seeds="1", size="64", target="GRID") == ["FINISHED"]
    (folder / sys.argv[-1]).touch()
    until((folder / other).exists)
    return generate(model="textures", seeds=seeds, size="64", library=str(folder / "library"))


if __name__ == "__main__":
    main(*sys.argv[sys.argv.index("--") + 1 :])
