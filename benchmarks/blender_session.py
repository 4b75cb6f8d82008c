"""Install and use the extension inside Blender, and measure how long it blocks the main thread. blender.py runs this.

Usage: blender [-b] --python blender_session.py -- ACTION ARGUMENT, or python blender_session.py -- ACTION ARGUMENT

An action is a function of ACTIONS. It prints "PHASE name" when a phase begins, and "REPORT json" at the end.
"""

from __future__ import annotations

import importlib
import json
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from typing import Any

import bpy  # pyright: ignore[reportMissingImports]
import numpy as np

# isort: split
import addon_utils  # pyright: ignore[reportMissingImports]  # which bpy finds

EXTENSIONS = bpy.app.version >= (4, 2)
MODULE = "bl_ext.user_default.ganassets" if EXTENSIONS else "ganassets"
TIMEOUT = 1800.0  # seconds, for each condition
REST = 1.0  # seconds without work, in which memory is measured
SHORTEST_IDLE = 5  # seconds; the minimum in the preferences
INTERVAL = 0.005  # seconds between calls of the stopwatch
REDRAW_INTERVAL = 0.1  # seconds between redraws of the panel while a job runs


def main(action: str, *arguments: str) -> None:
    """Run an action; those in a window continue in timers."""
    ACTIONS[action](*arguments)


def phase(name: str) -> None:
    """Print the name of the phase that begins."""
    print(f"PHASE {name}", flush=True)


def print_report(report: dict[str, Any]) -> None:
    """Print the results."""
    print(f"REPORT {json.dumps(report)}", flush=True)


def addon_module(name: str) -> Any:
    """Import a module of the add-on."""
    return importlib.import_module(f"{MODULE}.{name}")


def install(path: str) -> None:
    """Install and enable the extension as a user does, and report how long that takes."""
    start = time.perf_counter()
    if EXTENSIONS:
        addon_utils.enable("bl_pkg", default_set=True)
        bpy.ops.extensions.package_install_files(filepath=path, repo="user_default", enable_on_install=True)
    else:
        bpy.ops.preferences.addon_install(filepath=path)
        enable()
    seconds = time.perf_counter() - start
    if not EXTENSIONS:  # the add-on unpacks its packages at the first use
        start = time.perf_counter()
        look_for_models()
        seconds += time.perf_counter() - start
    print_report({"version": bpy.app.version_string, "seconds": seconds})


def enable() -> None:
    """Enable the installed extension."""
    bpy.ops.preferences.addon_enable(module=MODULE)


def tick_until(condition: Callable[[], Any]) -> None:
    """Call the add-on's timer, as Blender would, until a condition holds."""
    session_module, end = addon_module("session"), time.monotonic() + TIMEOUT
    while not condition():
        assert time.monotonic() < end, [
            (job.title, job.state, job.error) for job in get_session().job_runner.queue.jobs
        ]
        time.sleep(session_module.tick())


def rest(name: str) -> None:
    """Wait for REST seconds in a phase of its own; the time after it belongs to no phase."""
    phase(name)
    tick_until(after(REST))
    phase("")


def get_session() -> Any:
    """The add-on's session."""
    return addon_module("session").get_session()


def look_for_models() -> None:
    """Do what opening the panel does."""
    panel_worker = get_session().panel_worker
    panel_worker.panel_shown = True
    tick_until(lambda: addon_module("models").FOUND and not panel_worker.pending)


class TickTimes:
    """Measure how long each call of the add-on's timer takes, in seconds."""

    def __init__(self) -> None:
        self.seconds: list[float] = []
        session_class = addon_module("session").AddonSession
        tick = session_class.tick

        def timed(one: Any) -> float:
            start = time.perf_counter()
            try:
                return tick(one)
            finally:
                self.seconds.append(time.perf_counter() - start)

        session_class.tick = timed

    def facts(self, wall: float) -> dict[str, float]:
        """Statistics of the calls since the last time.

        Args:
            wall: time since then, in seconds.
        """
        found, self.seconds = np.array(self.seconds), []
        return {
            "wall": wall,
            "ticks": len(found),
            "longest": float(found.max()),
            "p99": float(np.quantile(found, 0.99)),
            "share": float(found.sum()) / wall,
        }


def session(plan: str) -> None:
    """Run jobs without a window.

    Args:
        plan: arguments of the operator by the job's name, as JSON.
    """
    enable()
    rest("Blender started")
    look_for_models()
    rest("models listed")
    ticks, report = TickTimes(), {}
    for name, words in json.loads(plan).items():
        phase(name)
        start = time.perf_counter()
        # In the background the operator itself calls the timer until the job is done.
        assert bpy.ops.ganassets.generate(**words) == {"FINISHED"}
        report[name] = ticks.facts(time.perf_counter() - start)
        rest(f"after {name}")
        ticks.seconds.clear()
    addon_module("preferences").preferences().idle = SHORTEST_IDLE
    current = get_session()
    tick_until(lambda: not current.panel_worker.worker and not current.job_runner.worker)
    rest("released")
    current.close()
    print_report(report)


class StallTimes:
    """Measure the times between calls of a short timer, in seconds; a blocked main thread makes them longer."""

    def __init__(self) -> None:
        self.gaps: list[float] = []
        self.last = time.perf_counter()
        bpy.app.timers.register(self)

    def __call__(self) -> float:
        now = time.perf_counter()
        self.gaps.append(now - self.last)
        self.last = now
        return INTERVAL

    def facts(self) -> dict[str, float]:
        """Statistics of the times since the last call."""
        found, self.gaps = np.array(self.gaps), []
        return {"longest": float(found.max()), "p99": float(np.quantile(found, 0.99))}


def window(plan: str) -> None:
    """Run jobs in a window with an open panel, and then do nothing for the same time.

    Args:
        plan: as in session.
    """
    preferences = bpy.context.preferences
    preferences.view.show_splash, preferences.use_preferences_save = False, False
    if not addon_utils.check(MODULE)[1]:
        addon_utils.enable(MODULE, default_set=True)
    (view,) = (area for area in bpy.context.window_manager.windows[0].screen.areas if area.type == "VIEW_3D")
    view.spaces.active.show_region_ui = True
    preferences.system.viewport_aa = "OFF"  # takes most of the time of a software rasteriser
    view.spaces.active.overlay.show_overlays = False
    steps = in_window(json.loads(plan))
    condition = next(steps)

    def advance() -> float | None:
        nonlocal condition
        try:
            if condition():
                condition = next(steps)
            return REDRAW_INTERVAL
        except StopIteration:
            pass
        except BaseException:
            traceback.print_exc()
        bpy.ops.wm.quit_blender()
        return None

    bpy.app.timers.register(advance, first_interval=REDRAW_INTERVAL)


def in_window(plan: dict[str, dict[str, Any]]) -> Iterator[Callable[[], Any]]:
    """Run jobs; yields conditions to wait for."""
    current = get_session()
    phase("window")
    yield lambda: addon_module("models").FOUND and current.shown_model  # blender.py clicks the panel's tab
    phase("panel")
    ticks, watch, report = TickTimes(), StallTimes(), {}
    for name, words in plan.items():
        yield after(REST)
        watch.facts()
        ticks.seconds.clear()
        start = time.perf_counter()
        assert bpy.ops.ganassets.generate(**words) == {"FINISHED"}
        job = current.job_runner.queue.jobs[-1]
        yield lambda job=job: not job.is_open
        wall = time.perf_counter() - start
        assert job.state == "done", job.error
        yield after(REST)  # time to draw the new objects
        report[name] = {**ticks.facts(wall), "gap": watch.facts()}
        bpy.app.timers.register(redraw)
        yield after(wall + REST)
        bpy.app.timers.unregister(redraw)
        report[name]["without"] = watch.facts()
    print_report(report)


def redraw() -> float:
    """Redraw the panel as often as while a job runs."""
    addon_module("session").redraw_panels()
    return REDRAW_INTERVAL


def after(seconds: float) -> Callable[[], bool]:
    """Condition that holds after a time in seconds."""
    end = time.monotonic() + seconds
    return lambda: time.monotonic() > end


ACTIONS: dict[str, Callable[..., None]] = {"install": install, "session": session, "window": window}

if __name__ == "__main__":
    main(*sys.argv[sys.argv.index("--") + 1 :])
