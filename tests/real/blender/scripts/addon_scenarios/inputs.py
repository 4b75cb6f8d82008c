"""Use odd models, paths and Blenders."""

from __future__ import annotations

import os
import shutil
import signal
import sys
from pathlib import Path
from typing import Any
from unittest import mock

import bpy  # pyright: ignore[reportMissingImports]
from install_extension import MODULE, enable

from .common import (
    addon_module,
    generate,
    get_session,
    job_runner,
    list_files,
    load_models,
    tick_until,
)


def sizes(folder: Path) -> list[str]:
    """Sizes of a job and of its thumbnails, for each size in the panel."""
    del folder
    load_models()
    model, state, found = addon_module("models").find("textures"), bpy.context.window_manager.ganassets, []
    for size, width, height in (("256", 16, 16), ("1024", 16, 16), ("CUSTOM", 4096, 16), ("CUSTOM", 768, 1024)):
        state.size, state.width, state.height = size, width, height
        found += [addon_module("session").job_table(model, most)["size"] for most in (0, 512)]
    return found


def switched(folder: Path) -> dict[str, Any]:
    """Set all sliders of a model and choose another model; returns the changed sliders of each model."""
    load_models()
    state = bpy.context.window_manager.ganassets
    found = {}
    for name in ("textures", "poses", "faces", "textures"):
        model = addon_module("models").find(name)
        state.model = model["path"]
        get_session().tick()
        looks = bpy.context.window_manager.ganassets_looks
        found.setdefault(name, []).append(addon_module("properties").changed_looks(model, looks))
        for i, condition in enumerate(model["conditions"]):
            if condition["choices"] or condition["switch"]:
                setattr(looks, f"slider_{i}", (condition["choices"] or ["yes", "no"])[1])
            else:
                setattr(looks, f"use_{i}", True)
    return found


def strangers(folder: Path) -> dict[str, Any]:
    """Add files that are not models."""
    panel_worker, found = get_session().panel_worker, {}
    paths = sorted(folder.iterdir())
    for path in paths:
        bpy.ops.ganassets.add_model(filepath=str(path))
        tick_until(lambda: not panel_worker.pending)
        addon_module("session").tick()
        found[path.name] = panel_worker.error
    return {
        "said": found,
        "paths": list(panel_worker.paths),
        "models": [model["name"] for model in addon_module("models").FOUND],
        "operator": generate(model=str(paths[-1]), seeds="1"),
        "works": generate(model="textures", seeds="1", size="64", target="GRID"),
    }


def model_removed(folder: Path) -> dict[str, Any]:
    """Remove a user's model in the middle of a job; then use another model."""
    folder.mkdir(parents=True)
    path = folder / "Mein Modell.onnx"
    shutil.copyfile(addon_module("models").find("textures")["path"], path)
    bpy.ops.ganassets.add_model(filepath=str(path))
    tick_until(lambda: not get_session().panel_worker.pending)
    model = addon_module("models").find(str(path))
    table = {"model": str(path), "seeds": "1-8", "size": "128"}
    job = addon_module("session").add_job(table, model, "LIBRARY", str(folder / "library"))
    tick_until(lambda: job.done >= 2)
    path.unlink()
    worker = job_runner().worker
    os.kill(worker.process.pid, signal.SIGKILL)  # one that runs has the model in memory
    tick_until(lambda: not job.is_open)
    found = [job.state, job.error, job.about]
    panel, refusal = bpy.context.window_manager.ganassets, ""
    panel.model = addon_module("models").find("faces")["path"]
    try:
        bpy.ops.ganassets.use_model(job=job.name)
    except RuntimeError as error:
        refusal = str(error)
    panel.model = addon_module("models").find("textures")["path"]
    bpy.ops.ganassets.use_model(job=job.name)
    tick_until(lambda: not job.is_open)
    return {"ended": found, "refusal": refusal, "again": [job.state, job.error], "result": job.result}


def relative_paths(folder: Path) -> dict[str, Any]:
    """Use paths relative to the open file: of a model, twice, and of the folders in the preferences."""
    folder.mkdir(parents=True)
    load_models()
    shutil.copyfile(addon_module("models").find("textures")["path"], folder / "mine.onnx")
    bpy.ops.wm.save_as_mainfile(filepath=str(folder / "scene.blend"))
    said = [generate(model="//mine.onnx", seeds="1", size="64", target="GRID") for _ in range(2)]
    chosen = addon_module("preferences").preferences()
    chosen.library, chosen.models = "//library", "//models"
    kept = [chosen.library, chosen.models]
    chosen.library, chosen.models = "", ""
    listed = [model["path"] for model in addon_module("models").FOUND if not model["boxed"]]
    return {"said": said, "listed": listed, "kept": kept, "folder": str(folder)}


def library_is_a_file(folder: Path) -> dict[str, Any]:
    """Use a library folder that is a file."""
    folder.mkdir(parents=True)
    (folder / "library").touch()
    return {"said": generate(model="textures", seeds="1", size="64", library=str(folder / "library"))}


def odd_paths(folder: Path) -> dict[str, Any]:
    """Use a library whose path has unusual characters and more than 250 of them."""
    library = folder / "Größe & Co. 100%" / "素材ライブラリ" / ("sehr lang " * 12).strip() / ("x" * 80)
    assert len(str(library)) > 250
    said = generate(model="textures", seeds="1-2", size="64", library=str(library))
    return {"said": said, "files": list_files(library), "library": str(library)}


def command_line(folder: Path) -> dict[str, Any]:
    """Run `blender --command ganassets ...`."""
    run = addon_module("cli_command").run
    codes = [run(["models"]), run(["nonsense"])]
    out = folder / "out"
    codes.append(run(["generate", "textures", "-n", "2", "--size", "64", "--no-preview", "-o", str(out)]))
    return {"codes": codes, "files": list_files(out)}


def unfit(folder: Path) -> dict[str, str]:
    """Enable the add-on in a Blender with an unsupported Python, and in one without numpy."""
    del folder
    bpy.ops.preferences.addon_disable(module=MODULE)
    said = {}
    for name, change in {
        "python": mock.patch.object(sys, "version_info", (3, 10, 8)),
        "numpy": mock.patch.dict(sys.modules, {"numpy": None}),
    }.items():
        try:
            with change:
                enable()
        except RuntimeError as error:
            said[name] = str(error)
    enable()
    return said
