# SPDX-License-Identifier: GPL-3.0-or-later
# pyright: reportMissingImports=false
"""Run the queued jobs, one at a time: a worker process generates assets, then they are placed in the open file.

Placing happens in small steps, at most UPDATE_BUDGET seconds in each call of the timer, so that Blender stays usable.
"""

from __future__ import annotations

import time
from typing import Any

import bpy

from . import asset_libraries, job_queue, paths, placement
from .builders import BuildError
from .job_queue import QueuedJob
from .preferences import preferences
from .worker_process import AddonWorker, Message

UPDATE_BUDGET = 0.008  # seconds
CANCEL_TIMEOUT = 3.0  # seconds until a worker process that ignores a cancellation is killed


class JobRunner:
    """Runs the queued jobs, one at a time.

    Attributes:
        queue: all jobs.
        worker: the process that generates assets; None while it is not needed.
        job: the running job.
        placement: the steps that place the running job's assets, once they are generated.
    """

    def __init__(self) -> None:
        self.queue = job_queue.JobQueue(paths.user_folder("jobs"))
        self.queue.load()
        self.worker: AddonWorker | None = None
        self.job: QueuedJob | None = None
        self.placement: Any = None
        self._request_id = 0
        self._kill_time: float | None = None

    def update(self) -> bool:
        """Do the next bit of work; returns whether anything changed."""
        self.queue.delete_files(UPDATE_BUDGET / 4)
        changed = self._poll_worker() if self.worker else False
        if self.job and self.job.state == job_queue.PLACING:
            self._place_assets()
            return True
        if not self.job:
            job = self.queue.next_job()
            if job:
                self._start(job)
                return True
        if self.worker and not self.job and self.worker.idle_seconds() > preferences().idle:
            self.release()
        return changed

    def release(self) -> None:
        """End the process to free its memory, unless a job is running."""
        if self.worker and not self.job:
            self.worker.close()
            self.worker = None

    def _start(self, job: QueuedJob) -> None:
        self.job = job
        job.error, job.about, job.note, job.stop_state = "", "", "Starting", ""
        self._set_state(job_queue.PLACING if job.result else job_queue.RUNNING)
        if job.state == job_queue.RUNNING:
            self._send_job()

    def _send_job(self) -> None:
        """Send the running job to the worker process."""
        assert self.job
        job, chosen = self.job, preferences()
        self.worker = self.worker or paths.start_worker()
        request = {
            "job": job.table,
            "threads": chosen.threads,
            "memory": chosen.memory,
            "provider": chosen.provider,
        }
        if job.target == job_queue.LIBRARY:
            texts = {"author": chosen.author, "licence": chosen.licence}
            request |= {"do": "library", "library": job.library, "pack": chosen.pack, **texts}
        else:
            request |= {"do": "run", "out": str(self.queue.parts_folder(job))}
        self._request_id = self.worker.send_request(**request)

    def _poll_worker(self) -> bool:
        assert self.worker
        messages = self.worker.poll()
        for message in messages:
            if self.job and message.get("id") == self._request_id:
                self._handle_message(self.job, message)
        if self.worker.failure:
            self._handle_failure(self.worker.failure)
            return True
        if self._kill_time and time.monotonic() > self._kill_time:
            self.worker.kill()
            self._kill_time = None
        return bool(messages)

    def _handle_message(self, job: QueuedJob, message: Message) -> None:
        """Handle one answer to the running job's request."""
        if "progress" in message:
            done, total = message["progress"]
            job.update_progress(done, total, time.monotonic())
        elif "waiting" in message:
            job.note = message["waiting"]
        elif "done" in message:
            job.result = message["done"]
            job.note = job.failure_summary
            if job.target == job_queue.LIBRARY:
                self._finish(job_queue.DONE)
                asset_libraries.show_library(job.library)
            elif job.stop_state:  # all assets are generated, but placing them can still be stopped
                self._finish(job.stop_state)
            else:
                self._set_state(job_queue.PLACING)
        elif "error" in message:
            job.error, job.about = message["error"], message["about"]
            self._finish(job.stop_state or job_queue.FAILED)
        elif "cancelled" in message:
            self._finish(job.stop_state or job_queue.CANCELLED)

    def _handle_failure(self, reason: str) -> None:
        """Continue the job in a new process, unless processes have died on it MAX_RESTARTS times in a row."""
        self.worker, self._kill_time, job = None, None, self.job
        if not job or job.state != job_queue.RUNNING:
            return
        if job.stop_state:
            self._finish(job.stop_state)
            return
        job.reset_clock()
        job.restarts += 1
        if job.restarts > job_queue.MAX_RESTARTS:
            job.error, job.about = f"{reason}, {job.restarts} times in a row.", ""
            self._finish(job_queue.FAILED)
            return
        job.note = f"Restarted: {reason}"
        self._send_job()

    def stop(self, job: QueuedJob, state: str) -> None:
        """Pause or cancel a job.

        Args:
            job: any job of the queue.
            state: PAUSED or CANCELLED.
        """
        if job is not self.job:
            job.state = state
            self.queue.save(job)
        elif job.state == job_queue.PLACING or not self.worker:
            self._finish(state)
        else:
            job.stop_state = state
            job.note = "Stopping"
            self.worker.cancel(self._request_id)
            self._kill_time = time.monotonic() + CANCEL_TIMEOUT

    def _set_state(self, state: str) -> None:
        assert self.job
        self.job.state = state
        self.queue.save(self.job)

    def _finish(self, state: str) -> None:
        """Leave the running job in a state; the next one can start."""
        assert self.job
        self.job.reset_clock()
        if self.job.stop_state:
            self.job.note = ""
        self._kill_time = None
        self.discard_placement()
        self._set_state(state)
        self.job = None

    def _place_assets(self) -> None:
        """Place the running job's assets for UPDATE_BUDGET seconds."""
        job, chosen = self.job, preferences()
        assert job
        if job.orphaned:
            job.note = "The file was closed. Resume places the assets in the file that is open now"
            self._finish(job_queue.PAUSED)
            return
        start = time.perf_counter()
        try:
            if self.placement is None:
                folder = str(self.queue.parts_folder(job))
                job.note = "Placing"
                self.placement = placement.place_assets(job, folder, chosen.pack, chosen.author, chosen.licence)
            while time.perf_counter() - start < UPDATE_BUDGET:
                next(self.placement)
        except StopIteration as end:
            job.note = "; ".join(filter(None, (end.value, job.failure_summary)))
            self.placement = None
            self._finish(job_queue.DONE)
            push_undo(f"GAN Assets: {job.title}")
        except ReferenceError:
            self.placement = None  # an undo or another file removed the data blocks: start again
        except BuildError as error:
            self._fail(job, str(error))
        except Exception as error:  # an exception in the timer would stop it for good
            self._fail(job, f"something unexpected happened ({error}).")

    def _fail(self, job: QueuedJob, reason: str) -> None:
        self.placement = None
        job.error, job.about = reason, "making"
        self._finish(job_queue.FAILED)

    def discard_placement(self) -> None:
        """Remove what has been placed of the running job; the next update starts placing again."""
        if self.placement:
            self.placement.close()
            self.placement = None

    def handle_file_closed(self) -> None:
        """Stop placing assets in a file that is being closed; the user decides whether the next file gets them."""
        self.discard_placement()
        for job in self.queue.jobs:
            job.orphaned = job.orphaned or (job.is_open and job.target != job_queue.LIBRARY)


def push_undo(message: str) -> None:
    """Add one undo step for everything that was placed, if Blender has a window."""
    windows = bpy.context.window_manager.windows
    if windows and not bpy.app.background:
        with bpy.context.temp_override(window=windows[0]):
            bpy.ops.ed.undo_push(message=message)
