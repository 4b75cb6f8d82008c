"""Use the installed add-on in a window while batches run, and write a report as JSON.

Usage: blender --python use_window.py -- REPORT FOLDER

The test clicks the panel's tab; timers do everything else. FOLDER receives screenshots.
"""

from __future__ import annotations

import importlib
import json
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import bpy  # pyright: ignore[reportMissingImports]

# isort: split
import addon_utils  # pyright: ignore[reportMissingImports]  # importing bpy makes it available

MODULE = "bl_ext.user_default.ganassets" if bpy.app.version >= (4, 2) else "ganassets"
TIMEOUT = 240.0  # seconds
INTERVAL = 0.005  # seconds between calls of the stopwatch
Script = Iterator[Callable[[], bool]]


class StallWatch:
    """Measure how long Blender's main thread is blocked: the longest time between two calls of a timer."""

    def __init__(self) -> None:
        self.longest, self.last = 0.0, time.perf_counter()

    def __call__(self) -> float:
        now = time.perf_counter()
        self.longest, self.last = max(self.longest, now - self.last), now
        return INTERVAL

    def reset(self) -> None:
        """Forget the longest time."""
        self.longest, self.last = 0.0, time.perf_counter()


def view() -> dict[str, Any]:
    """Context of the 3D view, for operators."""
    window = bpy.context.window_manager.windows[0]
    area = next(area for area in window.screen.areas if area.type == "VIEW_3D")
    region = next(region for region in area.regions if region.type == "WINDOW")
    return {"window": window, "area": area, "region": region}


def take_screenshot(folder: str, name: str) -> None:
    """Save an image of the whole window."""
    with bpy.context.temp_override(**view()):
        bpy.ops.screen.screenshot(filepath=str(Path(folder, f"{name}.png")))


def generate_from_panel(session: Any, target: str, seeds: str) -> Any:
    """Press the Generate button."""
    state = bpy.context.window_manager.ganassets
    state.seed_mode, state.seeds, state.size, state.target = "RANGE", seeds, "256", target
    with bpy.context.temp_override(**view()):
        assert bpy.ops.ganassets.generate("INVOKE_DEFAULT", from_panel=True) == {"FINISHED"}
    return session.job_runner.queue.jobs[-1]


def script(report: dict[str, Any], folder: str) -> Script:
    """Do what the user does; yields conditions to wait for."""
    models = importlib.import_module(f"{MODULE}.models")
    session = importlib.import_module(f"{MODULE}.session").get_session()
    watch = StallWatch()
    yield lambda: bool(models.FOUND) and session.shown_model != ""  # the panel is open, and the models are listed
    report["models"] = [model["name"] for model in models.FOUND]
    take_screenshot(folder, "panel")

    with bpy.context.temp_override(**view()):
        bpy.ops.object.mode_set(mode="EDIT")
        bpy.ops.ed.undo_push(message="the user's last step")
    bpy.app.timers.register(watch)
    before = set(bpy.data.objects.keys())
    watch.reset()
    job = generate_from_panel(session, "GRID", "1-20")
    yield lambda: job.done >= 5
    take_screenshot(folder, "running")
    watch.last = time.perf_counter()  # taking the screenshot blocks Blender
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
    job = generate_from_panel(session, "LIBRARY", "1-30")
    yield lambda: not job.is_open
    report["library"] = {"state": job.state, "error": job.error, "stall": watch.longest, "result": job.result}
    libraries = bpy.context.preferences.filepaths.asset_libraries
    report["libraries"] = {one.name: one.path for one in libraries}
    bpy.ops.ganassets.preview("INVOKE_DEFAULT")
    yield lambda: len(session.panel_worker.thumbnails) == 12
    bpy.ops.ganassets.pick("INVOKE_DEFAULT", seed=3)
    report["picked"] = bpy.context.window_manager.ganassets.picked
    take_screenshot(folder, "thumbnails")


def run_script(steps: Script, report: dict[str, Any], path: str) -> None:
    """Continue a script whenever its condition holds, then write the report and quit."""
    state: dict[str, Any] = {"wait": lambda: True, "end": time.monotonic() + TIMEOUT}

    def advance() -> float | None:
        try:
            if time.monotonic() > state["end"]:
                raise TimeoutError("a condition did not become true in time")
            if state["wait"]():
                state["wait"] = next(steps)
            return 0.05
        except StopIteration:
            report["error"] = ""
        except BaseException:
            report["error"] = traceback.format_exc()
        temporary = Path(f"{path}.tmp")
        temporary.write_text(json.dumps(report), encoding="utf-8")
        temporary.replace(path)
        bpy.ops.wm.quit_blender()
        return None

    bpy.app.timers.register(advance, first_interval=0.5)


def main(path: str, folder: str) -> None:
    """Enable the add-on, open the sidebar and start the script."""
    preferences = bpy.context.preferences
    preferences.view.show_splash = False
    preferences.use_preferences_save = False
    if not addon_utils.check(MODULE)[1]:
        addon_utils.enable(MODULE, default_set=True)

    def open_sidebar() -> None:
        view()["area"].spaces.active.show_region_ui = True

    bpy.app.timers.register(open_sidebar, first_interval=0.5)
    report: dict[str, Any] = {}
    run_script(script(report, folder), report, path)


main(*sys.argv[sys.argv.index("--") + 1 :])
