"""Generate batches into libraries and scenes."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import bpy  # pyright: ignore[reportMissingImports]

from .common import (
    KINDS,
    SEEDS,
    add_job,
    addon_module,
    count_data,
    describe_jobs,
    describe_object,
    describe_volume,
    generate,
    get_session,
    job_runner,
    list_files,
    tick_until,
)


def batch(folder: Path) -> dict[str, Any]:
    """Generate a batch of each kind into a library, twice, and into the scene."""
    chosen = addon_module("preferences").preferences()
    chosen.author, chosen.licence = "An Author", "A licence"
    before = count_data()
    added = [add_to_library(folder / "library") for _ in range(2)]
    untouched = count_data() == before
    for words in KINDS.values():
        assert generate(**words, seeds=SEEDS, target="GRID") == ["FINISHED"], describe_jobs()
    grids = bpy.context.scene.collection.children[-len(KINDS) :]
    return {
        "added": added,
        "untouched": untouched,
        "grids": {name: describe_grid(one) for name, one in zip(KINDS, grids, strict=True)},
    }


def add_to_library(folder: Path) -> list[list[int]]:
    """Generate a batch of each kind into a library; returns the numbers of new and existing assets."""
    for words in KINDS.values():
        assert generate(**words, seeds=SEEDS, target="LIBRARY", library=str(folder)) == ["FINISHED"], describe_jobs()
    jobs = get_session().job_runner.queue.jobs[-len(KINDS) :]
    return [[job.result["new"], job.result["there"]] for job in jobs]


def describe_grid(collection: Any) -> dict[str, Any]:
    """Describe a grid in the scene."""
    things = sorted(collection.all_objects, key=lambda thing: thing.name)
    return {
        "name": collection.name,
        "types": sorted(thing.type for thing in things),
        "places": sorted({tuple(thing.matrix_world.translation.xy) for thing in things if not thing.parent}),
        "blocks": [describe_object(thing) for thing in things],
    }


def reopened(folder: Path) -> dict[str, list[dict[str, Any]]]:
    """Describe the assets in each volume of a library."""
    return {path.name: describe_volume(path) for path in sorted((folder / "library" / "ganassets").glob("*.blend"))}


def adding_low(folder: Path) -> list[str]:
    """Add to a library while another Blender runs `adding_high`; some seeds are the same."""
    return add_at_once(folder, "1-8", "adding_high")


def adding_high(folder: Path) -> list[str]:
    """Add to a library while another Blender runs `adding_low`."""
    return add_at_once(folder, "5-16", "adding_low")


def add_at_once(folder: Path, seeds: str, other: str) -> list[str]:
    """Add materials to a library as soon as the other Blender is ready to do the same."""
    assert generate(model="textures", seeds="1", size="64", target="GRID") == ["FINISHED"]
    (folder / sys.argv[-1]).touch()
    tick_until((folder / other).exists)
    return generate(model="textures", seeds=seeds, size="64", library=str(folder / "library"))


def full(folder: Path) -> dict[str, Any]:
    """Fill a library on a disk of 2 MB (the folder) until it is full; then enlarge the disk and resume."""
    library, filler, said = folder / "library", folder / "filler", []
    assert generate(model="textures", seeds="1-2", size="64", library=str(library)) == ["FINISHED"]
    for left in (0, 250_000, 650_000, 750_000):
        filler.write_bytes(bytes(shutil.disk_usage(folder).free - left))
        job = add_job(library, "LIBRARY", seeds="3-6", size="128")
        tick_until(lambda: not job.is_open)  # noqa: B023 - called at once
        said.append([job.state, job.error, job.about])
        filler.unlink()
    subprocess.run(["mount", "-o", "remount,size=64m", str(folder)], check=True)
    readable = [len(describe_volume(path)) for path in sorted(library.rglob("*.blend"))]
    job = [job for job in job_runner().queue.jobs if job.state == "failed"][-1]
    bpy.ops.ganassets.resume(job=job.name)
    tick_until(lambda: not job.is_open)
    again = [job.state, job.error, job.result]
    return {"said": said, "readable": readable, "again": again, "files": list_files(library)}
