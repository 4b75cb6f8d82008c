"""Run inside a Blender by blender.py: installs the extension, uses it, and times what it does on the main thread.

Usage: blender [-b] --python blender_session.py -- DEED WORDS, or python blender_session.py -- DEED WORDS

A deed is a function of DEEDS. It prints "PHASE name" when something new begins and "REPORT json" in the end.
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
PATIENCE = 1800.0  # seconds that anything may take
REST = 1.0  # seconds that memory is looked at where nothing goes on
SHORTEST_IDLE = 5  # seconds; the least that the preferences allow
PULSE = 0.005  # seconds between looks at the clock
REDRAWS = 0.1  # seconds between drawings of the panel while a job runs


def main(deed: str, *words: str) -> None:
    """Do it; what needs a window goes on in timers."""
    DEEDS[deed](*words)


def phase(name: str) -> None:
    """Tell what begins."""
    print(f"PHASE {name}", flush=True)


def tell(report: dict[str, Any]) -> None:
    """Tell how it went."""
    print(f"REPORT {json.dumps(report)}", flush=True)


def part(name: str) -> Any:
    """A module of the add-on."""
    return importlib.import_module(f"{MODULE}.{name}")


def install(path: str) -> None:
    """Install and enable the extension as a user does, and tell how long that took."""
    start = time.perf_counter()
    if EXTENSIONS:
        addon_utils.enable("bl_pkg", default_set=True)
        bpy.ops.extensions.package_install_files(filepath=path, repo="user_default", enable_on_install=True)
    else:
        bpy.ops.preferences.addon_install(filepath=path)
        enable()
    seconds = time.perf_counter() - start
    if not EXTENSIONS:  # which unpacks its packages when it is used first
        start = time.perf_counter()
        look_for_models()
        seconds += time.perf_counter() - start
    tell({"version": bpy.app.version_string, "seconds": seconds})


def enable() -> None:
    """Enable it where it is installed."""
    bpy.ops.preferences.addon_enable(module=MODULE)


def until(wanted: Callable[[], Any]) -> None:
    """Tick, as Blender's timer would, until something is so."""
    studio, end = part("session"), time.monotonic() + PATIENCE
    while not wanted():
        assert time.monotonic() < end, [(job.title, job.state, job.error) for job in runner().queue.jobs]
        time.sleep(studio.tick())


def rest(name: str) -> None:
    """A phase in which nothing goes on; what comes after it is none until there is another one."""
    phase(name)
    until(after(REST))
    phase("")


def runner() -> Any:
    """What carries jobs out."""
    return session().job_runner


def look_for_models() -> None:
    """What opening the panel does."""
    panel_worker = session().panel_worker
    panel_worker.panel_shown = True
    until(lambda: part("models").FOUND and not panel_worker.pending)


class Ticks:
    """The times that each call of the add-on's timer takes, in seconds."""

    def __init__(self) -> None:
        self.seconds: list[float] = []
        studio = part("session").AddonSession
        tick = studio.tick

        def timed(one: Any) -> float:
            start = time.perf_counter()
            try:
                return tick(one)
            finally:
                self.seconds.append(time.perf_counter() - start)

        studio.tick = timed

    def facts(self, wall: float) -> dict[str, float]:
        """What there was to see in so many seconds."""
        found, self.seconds = np.array(self.seconds), []
        return {
            "wall": wall,
            "ticks": len(found),
            "longest": float(found.max()),
            "p99": float(np.quantile(found, 0.99)),
            "share": float(found.sum()) / wall,
        }


def session(plan: str) -> None:
    """Carry jobs out, without a window.

    Args:
        plan: JSON: arguments of the operator by the job's name.
    """
    enable()
    rest("Blender started")
    look_for_models()
    rest("models listed")
    ticks, report = Ticks(), {}
    for name, words in json.loads(plan).items():
        phase(name)
        start = time.perf_counter()
        # In the background the operator itself calls the timer until the job is done.
        assert bpy.ops.ganassets.generate(**words) == {"FINISHED"}
        report[name] = ticks.facts(time.perf_counter() - start)
        rest(f"after {name}")
        ticks.seconds.clear()
    part("preferences").preferences().idle = SHORTEST_IDLE
    studio = session()
    until(lambda: not studio.panel_worker.worker and not studio.job_runner.worker)
    rest("released")
    studio.close()
    tell(report)


class Watch:
    """The times between looks at the clock, in seconds: what stops Blender's main thread stops this."""

    def __init__(self) -> None:
        self.gaps: list[float] = []
        self.last = time.perf_counter()
        bpy.app.timers.register(self)

    def __call__(self) -> float:
        now = time.perf_counter()
        self.gaps.append(now - self.last)
        self.last = now
        return PULSE

    def facts(self) -> dict[str, float]:
        """What there was to see since the last time."""
        found, self.gaps = np.array(self.gaps), []
        return {"longest": float(found.max()), "p99": float(np.quantile(found, 0.99))}


def window(plan: str) -> None:
    """Carry jobs out in a window, whose panel is open, and then do nothing for as long.

    Args:
        plan: as in session.
    """
    preferences = bpy.context.preferences
    preferences.view.show_splash, preferences.use_preferences_save = False, False
    if not addon_utils.check(MODULE)[1]:
        addon_utils.enable(MODULE, default_set=True)
    (view,) = (area for area in bpy.context.window_manager.windows[0].screen.areas if area.type == "VIEW_3D")
    view.spaces.active.show_region_ui = True
    preferences.system.viewport_aa = "OFF"  # which a software rasteriser takes most of its time for
    view.spaces.active.overlay.show_overlays = False
    steps = in_window(json.loads(plan))
    wanted = next(steps)

    def go() -> float | None:
        nonlocal wanted
        try:
            if wanted():
                wanted = next(steps)
            return REDRAWS
        except StopIteration:
            pass
        except BaseException:
            traceback.print_exc()
        bpy.ops.wm.quit_blender()
        return None

    bpy.app.timers.register(go, first_interval=REDRAWS)


def in_window(plan: dict[str, dict[str, Any]]) -> Iterator[Callable[[], Any]]:
    """What is done; yields what is waited for."""
    studio = session()
    phase("window")
    yield lambda: part("models").FOUND and studio.shown_model  # someone clicks the panel's tab
    phase("panel")
    ticks, watch, report = Ticks(), Watch(), {}
    for name, words in plan.items():
        yield after(REST)
        watch.facts()
        ticks.seconds.clear()
        start = time.perf_counter()
        assert bpy.ops.ganassets.generate(**words) == {"FINISHED"}
        job = studio.job_runner.queue.jobs[-1]
        yield lambda job=job: not job.is_open
        wall = time.perf_counter() - start
        assert job.state == "done", job.error
        yield after(REST)  # what was placed is drawn
        report[name] = {**ticks.facts(wall), "gap": watch.facts()}
        bpy.app.timers.register(redraw)
        yield after(wall + REST)
        bpy.app.timers.unregister(redraw)
        report[name]["without"] = watch.facts()
    tell(report)


def redraw() -> float:
    """Have the panel drawn as often as while a job runs."""
    part("session").redraw_panels()
    return REDRAWS


def after(seconds: float) -> Callable[[], bool]:
    """True when so much time has passed."""
    end = time.monotonic() + seconds
    return lambda: time.monotonic() > end


DEEDS: dict[str, Callable[..., None]] = {"install": install, "session": session, "window": window}

if __name__ == "__main__":
    main(*sys.argv[sys.argv.index("--") + 1 :])
