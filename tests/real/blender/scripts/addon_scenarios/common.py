"""Use the add-on, and describe jobs, processes and Blender data; shared by all scenarios.

The scenarios call the add-on's timer themselves, because Blender's timers do not run without a window.
"""

from __future__ import annotations

import contextlib
import hashlib
import importlib
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import bpy  # pyright: ignore[reportMissingImports]
import numpy as np
from install_extension import MODULE

TIMEOUT = 300.0  # seconds; generous for busy machines
TICK = 0.02  # seconds; the shortest interval of the add-on's timer
# Arguments of the operator for each kind of asset.
KINDS = {
    "textures": {"model": "textures", "size": "128"},
    "faces": {"model": "faces"},
    "clips": {"model": "poses", "settings": '{"seconds": 0.5}'},
    "poses": {"model": "poses", "settings": '{"pose": 0.5}'},
}
SEEDS = "3-4"
IMAGES_PER_MATERIAL = 5  # with the thumbnail
COUNTED = ("objects", "meshes", "armatures", "materials", "images", "actions", "collections", "node_groups")


def get_session() -> Any:
    """The add-on's session."""
    return addon_module("session").get_session()


def addon_module(name: str) -> Any:
    """Import a module of the add-on."""
    return importlib.import_module(f"{MODULE}.{name}")


def generate(**words: Any) -> list[str]:
    """Call the operator; returns its result, or its error message."""
    try:
        return sorted(bpy.ops.ganassets.generate(**words))
    except RuntimeError as error:
        return [str(error)]


def tick_until(condition: Callable[[], Any]) -> int:
    """Call the add-on's timer until a condition holds; returns the number of calls, at least TICK seconds apart."""
    end, ticks = time.monotonic() + TIMEOUT, 0
    while not condition():
        assert time.monotonic() < end, describe_jobs()
        time.sleep(min(addon_module("session").tick(), TICK))
        ticks += 1
    return ticks


def wait_until_gone(processes: dict[int, str]) -> bool:
    """Wait until all processes have ended; returns True."""
    tick_until(lambda: not still_running(processes))
    return True


def describe_jobs() -> list[Any]:
    """Title, state, note and error of each job."""
    return [[job.title, job.state, job.note, job.error] for job in get_session().job_runner.queue.jobs]


def add_job(
    folder: Path, target: str = "GRID", seeds: str = "1-16", size: str = "128", name: str = "textures", **more: Any
) -> Any:
    """Add a job to the queue, as the panel does."""
    load_models()
    model = addon_module("models").find(name)
    table = {"model": model["path"], "seeds": seeds, **({"size": size} if model["stride"] else {}), **more}
    return addon_module("session").add_job(table, model, target, str(folder))


def load_models() -> None:
    """Request the list of models, as the panel does."""
    panel_worker = get_session().panel_worker
    if not addon_module("models").find("textures"):
        panel_worker.request_models()
        tick_until(lambda: not panel_worker.pending)


def job_runner() -> Any:
    """The add-on's job runner."""
    return get_session().job_runner


def find_descendants(pid: int) -> dict[int, str]:
    """Start times, by process id, of all descendants of a process, without Python's resource tracker."""
    parents, times = {}, {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            words = path.read_text().rpartition(")")[2].split()
            if words[0] != "Z":
                parents[int(path.parent.name)], times[int(path.parent.name)] = int(words[1]), words[19]
    found = {pid}
    while more := {one for one, parent in parents.items() if parent in found} - found:
        found |= more
    return {one: times[one] for one in found - {pid} if "resource_tracker" not in command_line_of(one)}


def command_line_of(pid: int) -> str:
    """Command line of a process."""
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_text()
    return ""


def still_running(processes: dict[int, str]) -> dict[int, str]:
    """The processes that are still running."""
    found = {}
    for pid, time_ in processes.items():
        with contextlib.suppress(OSError):
            words = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            if words[0] != "Z" and words[19] == time_:
                found[pid] = time_
    return found


def list_files(folder: Path) -> list[str]:
    """Relative paths of all files in a folder."""
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def hash_bytes(data: bytes) -> str:
    """SHA-256 of bytes."""
    return hashlib.sha256(data).hexdigest()


def hash_pixels(png: bytes) -> str:
    """SHA-256 of a PNG's compressed pixels; the texts before them contain the format."""
    return hash_bytes(png[png.index(b"IDAT") :])


def count_data() -> list[int]:
    """Number of data blocks of each kind."""
    return [len(getattr(bpy.data, kind)) for kind in COUNTED]


def describe_volume(path: Path) -> list[dict[str, Any]]:
    """Describe the assets that a volume offers to the Asset Browser."""
    kinds = ("materials", "collections", "actions", "objects", "meshes")
    with bpy.data.libraries.load(str(path), assets_only=True) as (there, loaded):
        for kind in kinds:
            setattr(loaded, kind, getattr(there, kind))
    found = []
    for asset in (asset for kind in kinds for asset in getattr(loaded, kind)):
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
                "blocks": [describe_object(thing) for thing in getattr(asset, "objects", ())],
                "material": describe_material(asset) if isinstance(asset, bpy.types.Material) else None,
            }
        )
    return found


def describe_object(thing: Any) -> dict[str, Any]:
    """Describe a mesh (vertices, materials, shape keys, armature) or an armature (bones, action)."""
    if thing.type == "MESH":
        positions = np.empty((len(thing.data.vertices), 3), np.float32)
        thing.data.vertices.foreach_get("co", positions.ravel())
        keys = thing.data.shape_keys
        return {
            "vertices": hash_bytes(positions.tobytes()),
            "keys": len(keys.key_blocks) - 1 if keys else 0,
            "modifiers": [[one.type, one.object.type] for one in thing.modifiers],
            "groups": len(thing.vertex_groups),
            "materials": [describe_material(one) for one in thing.data.materials],
        }
    animation = thing.animation_data
    return {
        "bones": len(thing.data.bones),
        "action": animation.action.name if animation else "",
        "slot": bool(getattr(animation, "action_slot", True)) if animation else False,
    }


def describe_material(made: Any) -> dict[str, Any]:
    """Describe a material's nodes and images."""
    pictures = [node.image for node in made.node_tree.nodes if node.type == "TEX_IMAGE"]
    return {
        "nodes": sorted({node.type for node in made.node_tree.nodes}),
        "pictures": {image.name: hash_pixels(image.packed_file.data) for image in pictures},
    }


def select_only(*things: Any) -> None:
    """Link objects to the scene and select only them."""
    for thing in bpy.context.selected_objects:
        thing.select_set(False)
    for thing in things:
        if thing.name not in bpy.context.scene.objects:
            bpy.context.scene.collection.objects.link(thing)
        thing.select_set(True)
    bpy.context.view_layer.objects.active = things[0]


def written_times(job: Any, count: int = 3) -> dict[str, int]:
    """Times when the images of a job's first assets were written; the job's target must not be a library."""
    paths = sorted(job_runner().queue.parts_folder(job).glob("*.png"))
    found = {path.name: path.stat().st_mtime_ns for path in paths}
    assert len(found) >= IMAGES_PER_MATERIAL * count
    return dict(list(found.items())[: IMAGES_PER_MATERIAL * count])
