# SPDX-License-Identifier: GPL-3.0-or-later
"""The queue of jobs, kept in a folder so that it survives Blender. No bpy."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from .locks import take

FILE, LOCK = "job.json", "lock"
WAITING, RUNNING, LANDING, PAUSED = "waiting", "running", "landing", "paused"
DONE, FAILED, CANCELLED = "done", "failed", "cancelled"
OPEN = (WAITING, RUNNING, LANDING, PAUSED)
LIBRARY, GRID, APPLY = "LIBRARY", "GRID", "APPLY"
LONGEST = 2.0  # seconds that disabling the add-on may take to remove files
MOST_RESTARTS = 3  # of the process without anything made in between


@dataclass
class Job:
    """One job.

    Attributes:
        name: names its folder.
        title: what the panel calls it.
        table: what is made, as in a file of jobs.
        kind: of assets: "textures", "mesh" or "motion".
        target: LIBRARY, GRID or APPLY.
        library: folder of the asset library.
        objects: names of the objects that results are applied to.
        state, done, total, note: how it goes.
        error, about: why it failed, and what that is about ("model", "looks", "library", "making", "").
        result: what the process answered.
        created: seconds since 1970.
    """

    name: str
    title: str
    table: dict[str, Any]
    kind: str
    target: str = LIBRARY
    library: str = ""
    objects: list[str] = field(default_factory=list)
    state: str = WAITING
    done: int = 0
    total: int = 0
    note: str = ""
    error: str = ""
    about: str = ""
    result: dict[str, Any] = field(default_factory=dict)
    created: float = field(default_factory=time.time)

    def __post_init__(self) -> None:
        self.restarts = 0
        self.stop = ""  # the state that it is to have when the process has let go of it
        self.orphaned = False  # the file that it was for was closed
        self.now = 0.0
        self._first: tuple[float, int] | None = None

    @property
    def is_open(self) -> bool:
        """Whether there is something left to do."""
        return self.state in OPEN

    @property
    def share(self) -> float:
        """How much is done, 0 to 1."""
        return self.done / self.total if self.total else 0.0

    @property
    def lacking(self) -> str:
        """What could not be made, with the first reason, or ""."""
        failures = self.result.get("failures")
        return f"{len(failures)} could not be made: {failures[0]}" if failures else ""

    def advance(self, done: int, total: int, now: float) -> None:
        """Take in how far it is, at a time in seconds."""
        if done > self.done:
            self.restarts = 0
        if self._first is None and done:
            self._first = (now, done)  # what came before the first one, such as opening the model, comes once
        self.note = self.note if done == self.done else ""
        self.now, self.done, self.total = now, done, total

    def interrupted(self) -> None:
        """The clock stands while nothing is made."""
        self._first = None

    @property
    def seconds_left(self) -> float | None:
        """How long it will take, or None where that can't be told yet."""
        if self._first is None or self.done <= self._first[1] or self.state != RUNNING:
            return None
        return (self.now - self._first[0]) / (self.done - self._first[1]) * (self.total - self.done)


class Queue:
    """All jobs, the oldest first.

    Args:
        folder: that keeps them, a folder each.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.jobs: list[Job] = []
        self.locks: dict[str, int] = {}
        self.removed: list[Path] = []

    def load(self) -> None:
        """Take in what is there; what was going on when Blender ended is paused. What can't be read, or is another
        Blender's that runs, is left alone.
        """
        self.jobs = []
        for path in sorted(self.folder.glob(f"*/{FILE}")):
            try:
                raw = json.loads(path.read_text(encoding="utf-8"))
                job = Job(**raw)
                if job.name != path.parent.name or not self._claim(job):
                    continue
            except (OSError, ValueError, TypeError):
                continue
            if job.is_open:
                job.state, job.note = PAUSED, "Blender was closed"
            self.jobs.append(job)
        self.jobs.sort(key=lambda job: job.created)

    def add(self, **what: Any) -> Job:
        """A new job, waiting."""
        job = Job(name=f"{time.strftime('%Y%m%d-%H%M%S')}-{secrets.token_hex(3)}", **what)
        self.jobs.append(job)
        with contextlib.suppress(OSError):  # on a full disk it is done and not kept
            self._claim(job)
        self.save(job)
        return job

    def _claim(self, job: Job) -> bool:
        """Whether a job is this Blender's now; False where another one has it."""
        folder = self.folder_of(job)
        folder.mkdir(parents=True, exist_ok=True)
        handle = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT, 0o666)
        if not take(handle):
            os.close(handle)
            return False
        self.locks[job.name] = handle
        return True

    def save(self, job: Job) -> None:
        """Write a job down."""
        with contextlib.suppress(OSError):
            write(self.folder_of(job), json.dumps(asdict(job), indent=1))

    def folder_of(self, job: Job) -> Path:
        """The folder of a job."""
        return self.folder / job.name

    def parts_of(self, job: Job) -> Path:
        """Where a job's assets are made."""
        return self.folder_of(job) / "parts"

    def find(self, name: str) -> Job | None:
        """The job of that name."""
        return next((job for job in self.jobs if job.name == name), None)

    def resume(self, job: Job) -> None:
        """Let a job wait for its turn once more; it goes on where it was."""
        job.error, job.about, job.note = "", "", ""
        job.restarts, job.orphaned = 0, False
        job.state = WAITING
        self.save(job)

    def next(self) -> Job | None:
        """The job whose turn it is; None while another one is going on."""
        if any(job.state in (RUNNING, LANDING) for job in self.jobs):
            return None
        return next((job for job in self.jobs if job.state == WAITING), None)

    def remove(self, job: Job) -> None:
        """Forget a job; its files go little by little (see tidy)."""
        self.jobs.remove(job)
        if job.name in self.locks:
            os.close(self.locks.pop(job.name))
        folder = self.folder_of(job)
        with contextlib.suppress(OSError):
            (folder / FILE).unlink()
            self.removed += [*sorted(folder.rglob("*"), reverse=True), folder]

    def tidy(self, seconds: float) -> None:
        """Remove files of jobs that were removed, for so long."""
        end = time.perf_counter() + seconds
        while self.removed and time.perf_counter() < end:
            path = self.removed.pop(0)
            with contextlib.suppress(OSError):
                path.rmdir() if path.is_dir() else path.unlink()

    def close(self) -> None:
        """Remove what is left of jobs that were removed, and let other Blenders have the others."""
        self.tidy(LONGEST)
        while self.locks:
            os.close(self.locks.popitem()[1])


def write(folder: Path, text: str) -> None:
    """Write a job's file whole or not at all. It isn't waited for until it is on the disk, which may take long."""
    folder.mkdir(parents=True, exist_ok=True)
    temporary = folder / f".{FILE}.tmp"
    temporary.write_text(text, encoding="utf-8")
    os.replace(temporary, folder / FILE)


def duration(seconds: float) -> str:
    """ "1 h 5 min"."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes // 60} h {minutes % 60} min" if minutes >= 90 else f"{minutes} min"
