"""Make units in several processes; answers come in the plan's order, and few units are in progress at a time."""

from __future__ import annotations

import contextlib
import multiprocessing
import signal
import sys
import time
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from multiprocessing import resource_tracker
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess

from ...api.registry import EXPORTERS, GENERATORS, label_named
from .plan import Plan
from .worker import LIFT_LIMITS, Answer, Failed, Stopped, Task, WorkerSettings, serve

DEPTH = 2  # tasks of a worker at a time: one in progress, one that waits
AHEAD = 4  # tasks per worker that may be finished before an earlier one
MAX_DEATHS = 5  # workers that may die in a row without an asset in between
EXIT_SECONDS = 5


@contextlib.contextmanager
def interrupts_held() -> Iterator[None]:
    """Hold Ctrl-C back while a process starts, which would end with a traceback. Not on Windows.

    The new process never sees Ctrl-C; its parent handles it.
    """
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    resource_tracker.ensure_running()  # first, because its start lets signals through again
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


@dataclass(eq=False)
class WorkerProcess:
    """A worker process and its tasks.

    Attributes:
        process, pipe: the process, and this end of the pipe to it.
        tasks: Its tasks, the oldest first.
        open: Indices of its units without an answer.
        since: Time of its last answer, or of a task that it received while idle.
        overdue: Whether it was killed because it took too long.
    """

    process: SpawnProcess
    pipe: Connection
    tasks: deque[Task] = field(default_factory=deque)
    open: set[int] = field(default_factory=set)
    since: float = 0.0
    overdue: bool = False


class Pool:
    """Worker processes; leaving the context ends them.

    A unit is marked failed after two workers died on it.

    Args:
        plan: Plan of the batch.
        settings: Settings of the workers.
        size: Number of workers.
    """

    def __init__(self, plan: Plan, settings: WorkerSettings, size: int) -> None:
        self.plan, self.settings, self.size = plan, settings, size
        self.workers: list[WorkerProcess] = []
        self.again: deque[Task] = deque()  # tasks of workers that died
        self.suspects: set[Task] = set()
        self.deaths = 0

    def __enter__(self) -> Pool:
        return self

    def __exit__(self, *_: object) -> None:
        for worker in self.workers:
            worker.process.terminate()
        for worker in self.workers:
            worker.process.join(EXIT_SECONDS)
            worker.pipe.close()

    def results(self, tasks: Iterator[Task]) -> Iterator[Answer]:
        """Make the units of tasks.

        Returns:
            One answer for each unit, in the order of the tasks; `Stopped` ends them.
        """
        order: deque[int] = deque()
        ready: dict[int, Answer] = {}
        left = True
        while left or order:
            while left and len(order) < AHEAD * self.size * max(1, self._units_a_task()) and self._has_room():
                task = next(tasks, None)
                left = task is not None
                if task:
                    order.extend(task.indices)
                    self._give(task)
            if not order:
                return
            for answer in self._answers():
                if isinstance(answer, Stopped):
                    yield answer
                    return
                ready[answer.index] = answer
            while order and order[0] in ready:
                yield ready.pop(order.popleft())

    def _units_a_task(self) -> int:
        return max((len(task.indices) for worker in self.workers for task in worker.tasks), default=1)

    def _has_room(self) -> bool:
        """Return whether a worker can take another task."""
        return not self.again and (len(self.workers) < self.size or any(self._free(worker) for worker in self.workers))

    def _free(self, worker: WorkerProcess) -> bool:
        """Return whether a worker can take another task; not while it retries one that killed a worker."""
        return len(worker.tasks) < DEPTH and self.suspects.isdisjoint(worker.tasks)

    def _give(self, task: Task) -> None:
        """Give a task to the worker with the fewest, or to a new worker."""
        if len(self.workers) < self.size:
            self._start()
        self._send(min(filter(self._free, self.workers), key=lambda worker: len(worker.tasks)), task)

    def _start(self) -> WorkerProcess:
        context = multiprocessing.get_context("spawn")
        ours, theirs = context.Pipe()
        process = context.Process(target=serve, args=(theirs, self.plan, self.settings), daemon=True)
        with interrupts_held():
            process.start()
            theirs.close()
            worker = WorkerProcess(process, ours)
            self.workers.append(worker)
        return worker

    def _send(self, worker: WorkerProcess, task: Task) -> None:
        if not worker.tasks:
            worker.since = time.monotonic()
        worker.tasks.append(task)
        worker.open.update(task.indices)
        with contextlib.suppress(OSError):  # a dead worker is noticed while waiting for answers
            worker.pipe.send(task)

    def _answers(self) -> Iterator[Answer]:
        """Wait for the next answers of any worker."""
        self._retry()
        by_pipe = {worker.pipe: worker for worker in self.workers if worker.tasks}
        for pipe in wait(list(by_pipe), self._time_left(by_pipe.values())):
            worker = by_pipe[pipe]  # pyright: ignore[reportArgumentType]  # only pipes were asked for
            worker.since = time.monotonic()
            try:
                answers = worker.pipe.recv()
            except (EOFError, OSError):
                yield from self._bury(worker)
                continue
            self.deaths = 0 if answers else self.deaths
            for answer in answers:
                if not isinstance(answer, Stopped):
                    worker.open.discard(answer.index)
                yield answer
            while worker.tasks and worker.open.isdisjoint(worker.tasks[0].indices):
                worker.tasks.popleft()

    def _time_left(self, working: Iterable[WorkerProcess]) -> float | None:
        """Kill workers that took too long.

        Returns:
            Seconds until the next worker will have taken too long; None without a limit.
        """
        if self.settings.patience is None:
            return None
        left = [self.settings.patience]
        for worker in working:
            rest = worker.since + self.settings.patience - time.monotonic()
            if rest <= 0 and not worker.pipe.poll():
                worker.overdue = True
                worker.process.kill()
            else:
                left.append(max(rest, 0.0))
        return min(left)

    def _bury(self, worker: WorkerProcess) -> Iterator[Answer]:
        """Remove a dead worker and retry its tasks, each alone; a task that kills a second worker has failed."""
        worker.process.join(EXIT_SECONDS)
        worker.pipe.close()
        self.workers.remove(worker)
        self.deaths += 1
        code = worker.process.exitcode
        if self.deaths >= MAX_DEATHS:
            yield Stopped(f"{MAX_DEATHS} processes ended one after the other, the last with code {code}.", 1)
            return
        for task in worker.tasks:
            if task in self.suspects:
                yield from (Failed(i, self._cause_of_death(worker, i)) for i in task.indices if i in worker.open)
            else:
                self.again.append(task)

    def _cause_of_death(self, worker: WorkerProcess, index: int) -> str:
        """Describe why a worker died on a unit.

        An exit code that neither Python nor Windows gives to a failing process comes from a plugin that ended it.
        """
        code = worker.process.exitcode
        lift = f"; {LIFT_LIMITS}" if self.settings.memory else ""
        if worker.overdue:
            return f"it took more than {self.settings.patience:g} s; {LIFT_LIMITS}."
        if code is None or code < 0:
            return f"its process was killed (signal {-(code or 0)}); it may have run out of memory{lift}."
        if code == 1 or sys.platform == "win32":
            return f"its process ended with code {code}; it may have run out of memory, or a library crashed{lift}."
        job, _ = self.plan.unit(index)
        plugins = label_named(GENERATORS, job.generator), label_named(EXPORTERS, job.exporter)
        return f"{' or '.join(plugins)} ended the process (exit code {code}); tell its author."

    def _retry(self) -> None:
        """Give one of the tasks to retry to an idle worker."""
        if not self.again:
            return
        idle = next((worker for worker in self.workers if not worker.tasks), None)
        if idle is None and len(self.workers) < self.size:
            idle = self._start()
        if idle:
            task = self.again.popleft()
            self.suspects.add(task)
            self._send(idle, task)
