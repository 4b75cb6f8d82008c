# SPDX-License-Identifier: GPL-3.0-or-later
# pyright: reportMissingImports=false
"""The process that carries out jobs, one at a time, and the building of what they made.

When a job's assets are made, each tick builds a little of them, within BUDGET.
"""

from __future__ import annotations

import time
from typing import Any

import bpy

from . import jobs, libraries, places, placing
from .child import Child
from .jobs import Job
from .landing import LandingError
from .preferences import preferences

BUDGET = 0.008  # seconds a tick
GRACE = 3.0  # that a process may take to leave off


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
                libraries.show(job.library)
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


def remember(message: str) -> None:
    """Make one step of undo of all that was built, where somebody could undo it."""
    windows = bpy.context.window_manager.windows
    if windows and not bpy.app.background:
        with bpy.context.temp_override(window=windows[0]):
            bpy.ops.ed.undo_push(message=message)
