"""Run by Blender in a window with the add-on installed: a user who works on while batches come in.

Usage: blender --python blender_window.py -- REPORT PICTURES

The panel's tab is clicked from outside; everything else is done by timers, as events are. Writes a report as JSON.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from typing import Any

import bpy  # pyright: ignore[reportMissingImports]

# isort: split
import addon_utils  # pyright: ignore[reportMissingImports]  # which bpy finds

MODULE = "bl_ext.user_default.ganassets" if bpy.app.version >= (4, 2) else "ganassets"
PATIENCE = 240.0
PULSE = 0.005  # seconds between looks at the clock
Script = Iterator[Callable[[], bool]]


class Watch:
    """The longest time between two looks at the clock, drawing and all."""

    def __init__(self) -> None:
        self.longest, self.last = 0.0, time.perf_counter()

    def __call__(self) -> float:
        now = time.perf_counter()
        self.longest, self.last = max(self.longest, now - self.last), now
        return PULSE

    def reset(self) -> None:
        """Begin anew."""
        self.longest, self.last = 0.0, time.perf_counter()


def view() -> dict[str, Any]:
    """Where operators are to work."""
    window = bpy.context.window_manager.windows[0]
    area = next(area for area in window.screen.areas if area.type == "VIEW_3D")
    region = next(region for region in area.regions if region.type == "WINDOW")
    return {"window": window, "area": area, "region": region}


def picture(folder: str, name: str) -> None:
    """A picture of the whole window."""
    with bpy.context.temp_override(**view()):
        bpy.ops.screen.screenshot(filepath=os.path.join(folder, f"{name}.png"))


def make_a_job(studio: Any, target: str, seeds: str) -> Any:
    """What the Generate button does."""
    state = bpy.context.window_manager.ganassets
    state.seed_mode, state.seeds, state.size, state.target = "RANGE", seeds, "256", target
    with bpy.context.temp_override(**view()):
        assert bpy.ops.ganassets.generate("INVOKE_DEFAULT", from_panel=True) == {"FINISHED"}
    return studio.works.queue.jobs[-1]


def script(report: dict[str, Any], folder: str) -> Script:
    """What the user does; yields what is waited for."""
    models = importlib.import_module(f"{MODULE}.models")
    studio = importlib.import_module(f"{MODULE}.studio").studio()
    watch = Watch()
    yield lambda: bool(models.FOUND) and studio.shown != ""  # the panel was opened, and the process has told
    report["models"] = [model["name"] for model in models.FOUND]
    picture(folder, "panel")

    with bpy.context.temp_override(**view()):
        bpy.ops.object.mode_set(mode="EDIT")
        bpy.ops.ed.undo_push(message="what the user did last")
    bpy.app.timers.register(watch)
    before = set(bpy.data.objects.keys())
    watch.reset()
    job = make_a_job(studio, "GRID", "1-20")
    yield lambda: job.done >= 5
    picture(folder, "running")
    watch.last = time.perf_counter()  # the picture itself takes long
    yield lambda: not job.is_open
    report["grid"] = {"state": job.state, "error": job.error, "note": job.note, "stall": watch.longest}
    report["mode"] = bpy.context.object.mode
    report["placed"] = sorted(set(bpy.data.objects.keys()) - before)
    with bpy.context.temp_override(**view()):
        bpy.ops.ed.undo()
    report["undone"] = sorted(set(bpy.data.objects.keys()) - before)
    report["mode after undo"] = bpy.context.object.mode
    with bpy.context.temp_override(**view()):
        bpy.ops.ed.redo()
    report["redone"] = sorted(set(bpy.data.objects.keys()) - before)

    watch.reset()
    job = make_a_job(studio, "LIBRARY", "1-30")
    yield lambda: not job.is_open
    report["library"] = {"state": job.state, "error": job.error, "stall": watch.longest, "result": job.result}
    libraries = bpy.context.preferences.filepaths.asset_libraries
    report["libraries"] = {one.name: one.path for one in libraries}
    bpy.ops.ganassets.preview("INVOKE_DEFAULT")
    yield lambda: len(studio.desk.thumbnails) == 12
    bpy.ops.ganassets.pick("INVOKE_DEFAULT", seed=3)
    report["picked"] = bpy.context.window_manager.ganassets.picked
    picture(folder, "thumbnails")


def play(steps: Script, report: dict[str, Any], path: str) -> None:
    """Go through a script as its conditions come true, write the report and quit."""
    state: dict[str, Any] = {"wait": lambda: True, "end": time.monotonic() + PATIENCE}

    def go() -> float | None:
        try:
            if time.monotonic() > state["end"]:
                raise TimeoutError("waited too long")
            if state["wait"]():
                state["wait"] = next(steps)
            return 0.05
        except StopIteration:
            report["error"] = ""
        except BaseException:
            report["error"] = traceback.format_exc()
        with open(path + ".tmp", "w", encoding="utf-8") as file:
            json.dump(report, file)
        os.replace(path + ".tmp", path)
        bpy.ops.wm.quit_blender()
        return None

    bpy.app.timers.register(go, first_interval=0.5)


def main(path: str, folder: str) -> None:
    """Set the stage."""
    preferences = bpy.context.preferences
    preferences.view.show_splash = False
    preferences.use_preferences_save = False
    if not addon_utils.check(MODULE)[1]:
        addon_utils.enable(MODULE, default_set=True)

    def open_sidebar() -> None:
        view()["area"].spaces.active.show_region_ui = True

    bpy.app.timers.register(open_sidebar, first_interval=0.5)
    report: dict[str, Any] = {}
    play(script(report, folder), report, path)


main(*sys.argv[sys.argv.index("--") + 1 :])
