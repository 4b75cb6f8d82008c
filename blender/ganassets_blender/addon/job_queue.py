# SPDX-License-Identifier: GPL-3.0-or-later
"""The queue of jobs, stored in a folder so that it survives Blender. Needs no bpy."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from .locks import take_lock

FILE, LOCK = "job.json", "lock"
# States and targets, as they are written in job files.
WAITING, RUNNING, PLACING, PAUSED = "waiting", "running", "landing", "paused"
DONE, FAILED, CANCELLED = "done", "failed", "cancelled"
OPEN = (WAITING, RUNNING, PLACING, PAUSED)
LIBRARY, GRID, APPLY = "LIBRARY", "GRID", "APPLY"
CLOSE_SECONDS = 2.0  # time limit for deleting files when the add-on is disabled
# Maximum number of restarts of the worker process without a finished asset in between.
MAX_RESTARTS = 3


@dataclass
class QueuedJob:
    """A job in the queue. All fields are stored in the job's file.

    Attributes:
        name: name of the job's folder.
        title: text in the panel.
        table: what to generate, as in a file of jobs.
        kind: asset kind: "textures", "mesh" or "motion".
        target: LIBRARY, GRID or APPLY.
        library: folder of the asset library.
        objects: names of the objects that receive the results.
        state: one of the states above.
        done: number of finished assets.
        total: number of all assets; 0 while it is unknown.
        note: current activity or result, for the panel.
        error: why the job failed.
        about: subject of the error, which decides the button to fix it: "model", "looks", "library", "making" or "".
        result: answer of the worker process.
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
        self.stop_state = ""  # state to enter when the worker process has stopped working on the job
        self.orphaned = False  # whether the file that the results were for has been closed
        self.now = 0.0
        self._first: tuple[float, int] | None = None

    @property
    def is_open(self) -> bool:
        """Return whether the job is not finished."""
        return self.state in OPEN

    @property
    def fraction(self) -> float:
        """Finished part of the job, 0 to 1."""
        return self.done / self.total if self.total else 0.0

    @property
    def failure_summary(self) -> str:
        """Number of assets that failed and the first reason; "" if none did."""
        failures = self.result.get("failures")
        return f"{len(failures)} could not be made: {failures[0]}" if failures else ""

    def update_progress(self, done: int, total: int, now: float) -> None:
        """Set the progress.

        Args:
            done: number of finished assets.
            total: number of all assets.
            now: time in seconds, from any monotonic clock.
        """
        if done > self.done:
            self.restarts = 0
        if self._first is None and done:
            # The time before the first asset is not counted: opening the model happens only once.
            self._first = (now, done)
        self.note = self.note if done == self.done else ""
        self.now, self.done, self.total = now, done, total

    def reset_clock(self) -> None:
        """Forget the measured speed, after a pause or a restart."""
        self._first = None

    @property
    def seconds_left(self) -> float | None:
        """Estimated time to the end in seconds; None while there is no estimate."""
        if self._first is None or self.done <= self._first[1] or self.state != RUNNING:
            return None
        return (self.now - self._first[0]) / (self.done - self._first[1]) * (self.total - self.done)


class JobQueue:
    """All jobs, oldest first.

    Args:
        folder: folder that holds a folder for each job.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.jobs: list[QueuedJob] = []
        self.locks: dict[str, int] = {}
        self.to_delete: list[Path] = []

    def load(self) -> None:
        """Read the stored jobs and pause those that were open when Blender ended.

        Jobs that can't be read, or that belong to another running Blender, are skipped and left unchanged.
        """
        self.jobs = []
        for path in sorted(self.folder.glob(f"*/{FILE}")):
            try:
                raw = json.loads(path.read_text(encoding="utf-8"))
                job = QueuedJob(**raw)
                if job.name != path.parent.name or not self._lock(job):
                    continue
            except (OSError, ValueError, TypeError):
                continue
            if job.is_open:
                job.state, job.note = PAUSED, "Blender was closed"
            self.jobs.append(job)
        self.jobs.sort(key=lambda job: job.created)

    def add(self, **fields: Any) -> QueuedJob:
        """Add a job in the state WAITING.

        Args:
            **fields: fields of QueuedJob except its name.
        """
        job = QueuedJob(name=f"{time.strftime('%Y%m%d-%H%M%S')}-{secrets.token_hex(3)}", **fields)
        self.jobs.append(job)
        with contextlib.suppress(OSError):  # on a full disk the job runs but is not stored
            self._lock(job)
        self.save(job)
        return job

    def _lock(self, job: QueuedJob) -> bool:
        """Lock a job's folder for this Blender; False if another Blender has locked it."""
        folder = self.job_folder(job)
        folder.mkdir(parents=True, exist_ok=True)
        handle = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT, 0o666)
        if not take_lock(handle):
            os.close(handle)
            return False
        self.locks[job.name] = handle
        return True

    def save(self, job: QueuedJob) -> None:
        """Write a job's file, if the disk allows it."""
        with contextlib.suppress(OSError):
            write_job_file(self.job_folder(job), json.dumps(asdict(job), indent=1))

    def job_folder(self, job: QueuedJob) -> Path:
        """Folder of a job."""
        return self.folder / job.name

    def parts_folder(self, job: QueuedJob) -> Path:
        """Folder where a job's assets are generated."""
        return self.job_folder(job) / "parts"

    def find(self, name: str) -> QueuedJob | None:
        """Find a job by its name."""
        return next((job for job in self.jobs if job.name == name), None)

    def resume(self, job: QueuedJob) -> None:
        """Put a stopped job back into the queue; it continues where it stopped."""
        job.error, job.about, job.note = "", "", ""
        job.restarts, job.orphaned = 0, False
        job.state = WAITING
        self.save(job)

    def next_job(self) -> QueuedJob | None:
        """The next job to start; None while another one is running."""
        if any(job.state in (RUNNING, PLACING) for job in self.jobs):
            return None
        return next((job for job in self.jobs if job.state == WAITING), None)

    def remove(self, job: QueuedJob) -> None:
        """Remove a job; delete_files deletes its files later, a few at a time."""
        self.jobs.remove(job)
        if job.name in self.locks:
            os.close(self.locks.pop(job.name))
        folder = self.job_folder(job)
        with contextlib.suppress(OSError):
            (folder / FILE).unlink()
            self.to_delete += [*sorted(folder.rglob("*"), reverse=True), folder]

    def delete_files(self, seconds: float) -> None:
        """Delete files of removed jobs until the time in seconds is over."""
        end = time.perf_counter() + seconds
        while self.to_delete and time.perf_counter() < end:
            path = self.to_delete.pop(0)
            with contextlib.suppress(OSError):
                path.rmdir() if path.is_dir() else path.unlink()

    def close(self) -> None:
        """Delete the files of removed jobs, and unlock the other jobs."""
        self.delete_files(CLOSE_SECONDS)
        while self.locks:
            os.close(self.locks.popitem()[1])


def write_job_file(folder: Path, text: str) -> None:
    """Replace a job's file in one step, without waiting for the disk (fsync), which can take long."""
    folder.mkdir(parents=True, exist_ok=True)
    temporary = folder / f".{FILE}.tmp"
    temporary.write_text(text, encoding="utf-8")
    temporary.replace(folder / FILE)


def format_duration(seconds: float) -> str:
    """Format a duration for the panel, for example "1 h 35 min"."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes // 60} h {minutes % 60} min" if minutes >= 90 else f"{minutes} min"
