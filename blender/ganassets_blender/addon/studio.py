# SPDX-License-Identifier: GPL-3.0-or-later
# pyright: reportMissingImports=false
"""All that goes on while Blender runs: two processes, the queue, the models, thumbnails, and the timer that tends them.

One process answers the panel, the other carries out jobs, so that a long job doesn't keep the panel waiting. Each tick
of the timer takes in what they said and, when a job's assets are made, builds a little of them, within BUDGET.
"""

from __future__ import annotations

import os
import time
import traceback
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import bpy
import bpy.utils.previews

from . import jobs, models, places, placing, properties
from .child import Child
from .jobs import Job
from .landing import LandingError
from .preferences import absolute, library_path, preferences

BUDGET = 0.008  # seconds a tick
ACTIVE, BUSY, IDLE = 0.02, 0.1, 0.5  # seconds to the next tick
GRACE = 3.0  # that a process may take to leave off
THUMBNAILS, SIDE = 12, 128
MOST_SIZE = 512  # pixels of what a thumbnail of a material is made of
LIBRARY_NAME, SHELF = "GAN Assets", "ganassets"  # what Blender calls it, and the folder in it that is ours


class Desk:
    """The process that answers the panel.

    Attributes:
        wanted: whether the panel is, or was, to be seen.
        thumbnails: icons by seed, of what was asked for last.
        told: what was asked for last, so that nothing is asked twice.
        error: what to tell, or "".
        again: asks once more what a process that died was asked; None if there is no such.
    """

    def __init__(self) -> None:
        self.child: Child | None = None
        self.again: Callable[[], None] | None = None
        self.wanted = False
        self.known = False
        self.thumbnails: dict[int, int] = {}
        self.told: dict[str, Any] | None = None
        self.error = ""
        self.paths: list[str] = []
        self.calls: dict[int, Callable[[dict[str, Any]], None]] = {}
        self.pictures: Any = None
        self.asked = 0
        self.deaths = 0  # of the process before it had told of models

    def ask(self, take: Callable[[dict[str, Any]], None], **request: Any) -> int:
        """Send a request, starting the process if there is none."""
        self.child = self.child or places.start_child()
        number = self.child.ask(**request)
        self.again = None
        self.calls[number] = take
        return number

    def add_model(self, path: str) -> None:
        """Ask what a model file is; it is the one to choose."""
        self.paths = [*(one for one in self.paths if one != path), path]
        self.look_for_models()

    def look_for_models(self) -> None:
        """Ask which models there are."""
        if not self.known:
            kept = [path for path in preferences().added.splitlines() if os.path.isfile(path)]
            self.paths = list(dict.fromkeys([*kept, *self.paths]))
        self.known = True
        folder = preferences().models
        paths = [*self.paths, *([absolute(folder)] if folder else [])]
        self.ask(self._take_models, do="models", paths=paths)

    def _take_models(self, message: dict[str, Any]) -> None:
        if "error" in message:
            self.error, self.again = message["error"], self.look_for_models
        if "done" not in message:
            return
        state, chosen = bpy.context.window_manager.ganassets, ""
        if models.FOUND:
            chosen = state.model
        models.take(message["done"])
        self.deaths = 0
        self.error = models.BROKEN[-1]["error"] if models.BROKEN else ""
        broken = {model["path"] for model in models.BROKEN}
        self.paths = [path for path in self.paths if path not in broken]
        preferences().added = "\n".join(self.paths)
        newest = models.find(self.paths[-1]) if self.paths and not models.BROKEN else None
        wanted = newest or models.find(chosen) or models.find("textures") or (models.FOUND or [None])[0]
        if wanted:
            state.model = wanted["path"]

    def look_at(self, table: dict[str, Any]) -> None:
        """Ask for thumbnails, unless they are what was asked for last."""
        if table == self.told:
            return
        if self.child and self.asked:
            self.child.cancel(self.asked)
        self.told, self.error = table, ""
        self.forget_pictures()
        folder = str(places.user_folder("thumbnails"))
        self.asked = self.ask(self._take_thumbnail, do="thumbnails", job=table, folder=folder, side=SIDE)

    def _take_thumbnail(self, message: dict[str, Any]) -> None:
        if message.get("id") != self.asked:
            return
        found = message.get("thumbnail")
        if found:
            self.pictures = self.pictures or bpy.utils.previews.new()
            if found["file"] not in self.pictures:
                self.pictures.load(found["file"], found["file"], "IMAGE")
            self.thumbnails[found["seed"]] = self.pictures[found["file"]].icon_id
        if "error" in message:
            self.error, self.told = message["error"], None  # the same may be asked again

    def forget_pictures(self) -> None:
        """Free the thumbnails."""
        self.thumbnails = {}
        if self.pictures:
            bpy.utils.previews.remove(self.pictures)
            self.pictures = None

    def tend(self) -> bool:
        """Take in what was said; returns whether there was anything."""
        if self.wanted and not self.known:
            self.look_for_models()
        if not self.child:
            return False
        heard = self.child.poll()
        for message in heard:
            take = self.calls.get(message.get("id", 0))
            if take:
                take(message)
            if {"done", "error", "cancelled"} & message.keys():
                self.calls.pop(message.get("id", 0), None)
        if self.child.failure:
            self._lost(self.child.failure)
        elif self.child.idle() > preferences().idle and not self.calls:
            self.child.end()
            self.child = None
        return bool(heard)

    def _lost(self, why: str) -> None:
        """The process is dead."""
        table = self.told if self.asked in self.calls else None
        self.error = f"{why}." if self.calls else ""
        self.again = (partial(self.look_at, table) if table else self.look_for_models) if self.calls else None
        self.child, self.told, self.calls = None, None, {}
        self.deaths += 1
        self.known = bool(models.FOUND) or self.deaths > jobs.MOST_RESTARTS

    def dismiss(self) -> None:
        """The error has been read."""
        self.error, self.again = "", None

    def try_again(self) -> None:
        """Ask once more what a process that died was asked."""
        again = self.again or self.look_for_models
        self.dismiss()
        again()


class Works:
    """The process that carries out jobs, one at a time.

    Attributes:
        queue: of all jobs.
        job: the one that is carried out.
        longest: of all ticks so far, seconds.
    """

    def __init__(self) -> None:
        self.queue = jobs.Queue(places.user_folder("jobs"))
        self.queue.load()
        self.child: Child | None = None
        self.job: Job | None = None
        self.number = 0
        self.deadline: float | None = None
        self.landing: Any = None
        self.longest = 0.0

    def tend(self) -> bool:
        """Go on by a tick; returns whether anything changed."""
        self.queue.tidy(BUDGET / 4)
        changed = self._listen() if self.child else False
        if self.job and self.job.state == jobs.LANDING:
            self._land()
            return True
        if not self.job:
            job = self.queue.next()
            if job:
                self._begin(job)
                return True
        if self.child and not self.job and self.child.idle() > preferences().idle:
            self.release()
        return changed

    def release(self) -> None:
        """Give the memory back."""
        if self.child and not self.job:
            self.child.end()
            self.child = None

    def _begin(self, job: Job) -> None:
        self.job = job
        job.error, job.about, job.note, job.stop = "", "", "Starting", ""
        self._set(jobs.LANDING if job.result else jobs.RUNNING)
        if job.state == jobs.RUNNING:
            self._ask()

    def _ask(self) -> None:
        """Send the job to the process."""
        assert self.job
        job, chosen = self.job, preferences()
        self.child = self.child or places.start_child()
        limits = {"threads": chosen.threads, "memory": chosen.memory, "provider": chosen.provider}
        if job.target == jobs.LIBRARY:
            kept = {"pack": chosen.pack, "author": chosen.author, "licence": chosen.licence}
            self.number = self.child.ask(do="library", job=job.table, library=job.library, **kept, **limits)
        else:
            out = str(self.queue.parts_of(job))
            self.number = self.child.ask(do="run", job=job.table, out=out, **limits)

    def _listen(self) -> bool:
        assert self.child
        heard = self.child.poll()
        for message in heard:
            if self.job and message.get("id") == self.number:
                self._take(self.job, message)
        if self.child.failure:
            self._lost(self.child.failure)
            return True
        if self.deadline and time.monotonic() > self.deadline:
            self.child.kill()  # it was asked and did not leave off
            self.deadline = None
        return bool(heard)

    def _take(self, job: Job, message: dict[str, Any]) -> None:
        """One thing that the process said of the job."""
        if "progress" in message:
            done, total = message["progress"]
            job.advance(done, total, time.monotonic())
        elif "waiting" in message:
            job.note = message["waiting"]
        elif "done" in message:
            job.result = message["done"]
            job.note = job.lacking
            if job.target == jobs.LIBRARY:
                self._end(jobs.DONE)
                show_library(job.library)
            elif job.stop:  # it was too late to leave off making, and isn't to place
                self._end(job.stop)
            else:
                self._set(jobs.LANDING)
        elif "error" in message:
            job.error, job.about = message["error"], message["about"]
            self._end(job.stop or jobs.FAILED)
        elif "cancelled" in message:
            self._end(job.stop or jobs.CANCELLED)

    def _lost(self, why: str) -> None:
        """The process is dead: its job goes on in a new one, where it was, unless that is in vain."""
        self.child, self.deadline, job = None, None, self.job
        if not job or job.state != jobs.RUNNING:
            return
        if job.stop:
            self._end(job.stop)
            return
        job.interrupted()
        job.restarts += 1
        if job.restarts > jobs.MOST_RESTARTS:
            job.error, job.about = f"{why}, {job.restarts} times in a row.", ""
            self._end(jobs.FAILED)
            return
        job.note = f"Going on: {why}"
        self._ask()

    def stop(self, job: Job, state: str) -> None:
        """Pause or cancel a job."""
        if job is not self.job:
            job.state = state
            self.queue.save(job)
        elif job.state == jobs.LANDING or not self.child:
            self._end(state)
        else:
            job.stop = state
            job.note = "Stopping"
            self.child.cancel(self.number)
            self.deadline = time.monotonic() + GRACE

    def _set(self, state: str) -> None:
        assert self.job
        self.job.state = state
        self.queue.save(self.job)

    def _end(self, state: str) -> None:
        assert self.job
        self.job.interrupted()
        if self.job.stop:
            self.job.note = ""
        self.deadline = None
        if self.landing:
            self.landing.close()
            self.landing = None
        self._set(state)
        self.job = None

    def _land(self) -> None:
        """Build for a little while."""
        job, chosen = self.job, preferences()
        assert job
        if job.orphaned:
            job.note = "The file was closed; Resume places them in the one that is open"
            self._end(jobs.PAUSED)
            return
        began = time.perf_counter()
        try:
            if self.landing is None:
                folder = str(self.queue.parts_of(job))
                job.note = "Placing"
                self.landing = placing.land(job, folder, chosen.pack, chosen.author, chosen.licence)
            while time.perf_counter() - began < BUDGET:
                next(self.landing)
        except StopIteration as end:
            job.note = "; ".join(filter(None, (end.value, job.lacking)))
            self.landing = None
            self._end(jobs.DONE)
            remember(f"GAN Assets: {job.title}")
        except ReferenceError:
            self.landing = None  # an undo or another file took it away: once more from the start
        except LandingError as error:
            self._fail(job, str(error))
        except Exception as error:  # else Blender would never call the timer again
            self._fail(job, f"something unexpected happened ({error}).")

    def _fail(self, job: Job, why: str) -> None:
        self.landing = None
        job.error, job.about = why, "making"
        self._end(jobs.FAILED)

    def drop(self) -> None:
        """Forget what is being built, and begin again: references to it end with an undo or a file."""
        if self.landing:
            self.landing.close()
            self.landing = None

    def file_closed(self) -> None:
        """What was to be placed in the file that was open is not for the next one, unless the user says so."""
        self.drop()
        for job in self.queue.jobs:
            job.orphaned = job.orphaned or (job.is_open and job.target != jobs.LIBRARY)


class Studio:
    """Both processes and what they need; there is one while the add-on is enabled."""

    def __init__(self) -> None:
        self.desk, self.works = Desk(), Works()
        self.looks: type | None = None
        self.shown = ""  # path of the model whose sliders these are
        self.begun = False
        self.kept: list[dict[str, Any]] = []

    def keep(self) -> None:
        """Remember what the panel shows: another file takes the window manager's properties away."""
        self.kept = [properties.values_of(group) for group in panel_groups()]

    def put_back(self) -> None:
        """Let the panel show what it did."""
        for group, values in zip(panel_groups(), self.kept, strict=False):
            properties.set_values(group, values)

    def tick(self) -> float:
        """What the timer calls; returns seconds to its next call."""
        began = time.perf_counter()
        if not self.begun:
            self.begun = True
            if os.path.isdir(os.path.join(library_path(), SHELF)):
                show_library(library_path())
        changed = self.desk.tend()
        model = chosen_model()
        if model and self.shown != model["path"]:
            show_looks(model)
            changed = True
        changed = self.works.tend() or changed
        if changed:
            redraw()
        self.works.longest = max(self.works.longest, time.perf_counter() - began)
        if self.works.landing:
            return ACTIVE
        queue = self.works.queue
        return BUSY if self.works.job or queue.next() or queue.removed or self.desk.calls else IDLE

    def close(self) -> None:
        """End the processes; an open job is paused when Blender starts again."""
        self.works.drop()
        for child in (self.desk.child, self.works.child):
            if child:
                child.kill()
        self.desk.forget_pictures()
        self.works.queue.close()


STUDIO: Studio | None = None


def studio() -> Studio:
    """The one that there is."""
    assert STUDIO
    return STUDIO


def tick() -> float | None:
    """The timer."""
    try:
        return STUDIO.tick() if STUDIO else None
    except Exception:  # else Blender would never call it again
        traceback.print_exc()
        return IDLE


def show_looks(model: dict[str, Any]) -> None:
    """Make the sliders of a model those that the panel shows."""
    hide_looks()
    made = properties.looks_class(model)
    bpy.utils.register_class(made)
    bpy.types.WindowManager.ganassets_looks = bpy.props.PointerProperty(type=made)
    studio().looks, studio().shown = made, model["path"]


def hide_looks() -> None:
    """Remove the sliders."""
    if STUDIO and STUDIO.looks:
        bpy.context.window_manager.property_unset("ganassets_looks")  # or the next model's would have these values
        del bpy.types.WindowManager.ganassets_looks
        bpy.utils.unregister_class(STUDIO.looks)
        STUDIO.looks, STUDIO.shown = None, ""


def panel_groups() -> list[Any]:
    """All properties that the panel shows."""
    window_manager = bpy.context.window_manager
    return [window_manager.ganassets, *([window_manager.ganassets_looks] if studio().looks else [])]


def chosen_model() -> dict[str, Any] | None:
    """The model that the panel has chosen."""
    state = bpy.context.window_manager.ganassets
    return models.find(state.model) if models.FOUND else None


def table_of(model: dict[str, Any], most: int = 0) -> dict[str, Any]:
    """What the panel says of a job, but for its seeds.

    Args:
        model: that is chosen.
        most: pixels that a side may have at most; 0 for any.
    """
    window_manager = bpy.context.window_manager
    state = window_manager.ganassets
    table = {"model": model["path"], "truncation": round(state.truncation, 4)}
    if studio().shown == model["path"]:
        table |= properties.looks_of(model, window_manager.ganassets_looks)
    if model["stride"]:
        table["size"] = state.size_text(most)
    if model["kind"] == "motion":
        table["options"] = {"rig": state.rig, "root": "in-place" if state.in_place else "motion"}
    return table


def redraw() -> None:
    """Draw the panels again."""
    for window in bpy.context.window_manager.windows:
        for area in window.screen.areas:
            if area.type in ("VIEW_3D", "NODE_EDITOR", "PREFERENCES"):
                for region in area.regions:
                    if region.type == "UI":
                        region.tag_redraw()


def remember(message: str) -> None:
    """Make one step of undo of all that was built, where somebody could undo it."""
    windows = bpy.context.window_manager.windows
    if windows and not bpy.app.background:
        with bpy.context.temp_override(window=windows[0]):
            bpy.ops.ed.undo_push(message=message)


def show_library(folder: str) -> str:
    """Let Blender know a library, and its Asset Browsers look again; returns its name."""
    name = known_library(folder) or add_library(folder)
    for window in bpy.context.window_manager.windows:
        for area in window.screen.areas:
            if area.ui_type == "ASSETS":
                with bpy.context.temp_override(window=window, area=area):
                    bpy.ops.asset.library_refresh()
    return name


def known_library(folder: str) -> str:
    """The name that Blender knows a folder by, or ""."""
    libraries = bpy.context.preferences.filepaths.asset_libraries
    return next((one.name for one in libraries if Path(bpy.path.abspath(one.path)) == Path(folder)), "")


def add_library(folder: str) -> str:
    """Add a folder to the asset libraries of the user's preferences; returns its name."""
    preferences = bpy.context.preferences
    libraries = preferences.filepaths.asset_libraries
    if hasattr(libraries, "new"):  # since 4.0
        added = libraries.new(name=LIBRARY_NAME, directory=folder)
    else:
        bpy.ops.preferences.asset_library_add(directory=folder)
        added = libraries[-1]
        added.name = LIBRARY_NAME
    preferences.is_dirty = True
    return added.name


def add_job(table: dict[str, Any], model: dict[str, Any], target: str, library: str = "", objects: Any = ()) -> Job:
    """Put a job into the queue."""
    seeds = table.get("seeds") or f"{table['count']} at random"
    title = f"{models.title(model)} {seeds}"
    return studio().works.queue.add(
        title=title[:60],
        table=table,
        kind=model["kind"],
        target=target,
        library=library or library_path(),
        objects=list(objects),
    )
