"""Processes that make units side by side, with the answers in the plan's order and little under way at a time."""

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

DEPTH = 2  # tasks that a worker has at a time: one that it makes, one that waits
AHEAD = 4  # tasks a worker that may be done before the one whose turn it is
MOST_DEATHS = 5  # of workers one after the other, with nothing made in between
SECONDS_TO_END = 5


@contextlib.contextmanager
def interrupts_held() -> Iterator[None]:
    """Let Ctrl-C wait: half of what a process begins with would make it fail with a traceback. A process that begins
    meanwhile never sees Ctrl-C, which is for the one that began it. Not on Windows.
    """
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    resource_tracker.ensure_running()  # beforehand, because it lets signals through again once it has begun
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


@dataclass(eq=False)
class WorkerProcess:
    """A process and what it was asked for.

    Attributes:
        process, pipe: that it is.
        tasks: that it has, the oldest first.
        open: units that it has not answered.
        since: when it last answered, or was asked while it had nothing to do.
        overdue: whether it was ended because it took too long.
    """

    process: SpawnProcess
    pipe: Connection
    tasks: deque[Task] = field(default_factory=deque)
    open: set[int] = field(default_factory=set)
    since: float = 0.0
    overdue: bool = False


class Pool:
    """WorkerProcess processes; leaving its context ends them.

    Args:
        plan: of the batch.
        terms: how they work.
        size: how many.
    """

    def __init__(self, plan: Plan, terms: WorkerSettings, size: int) -> None:
        self.plan, self.terms, self.size = plan, terms, size
        self.workers: list[WorkerProcess] = []
        self.again: deque[Task] = deque()  # of workers that died
        self.suspects: set[Task] = set()
        self.deaths = 0

    def __enter__(self) -> Pool:
        return self

    def __exit__(self, *_: object) -> None:
        for worker in self.workers:
            worker.process.terminate()
        for worker in self.workers:
            worker.process.join(SECONDS_TO_END)
            worker.pipe.close()

    def results(self, tasks: Iterator[Task]) -> Iterator[Answer]:
        """One answer for each unit, in the order of the tasks."""
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
        """Whether another task may be given."""
        return not self.again and (len(self.workers) < self.size or any(self._free(worker) for worker in self.workers))

    def _free(self, worker: WorkerProcess) -> bool:
        """Whether a worker may be given more; one with a suspect may not, so that it is known who killed it."""
        return len(worker.tasks) < DEPTH and self.suspects.isdisjoint(worker.tasks)

    def _give(self, task: Task) -> None:
        """To the worker that has least to do; a new one where there are too few."""
        if len(self.workers) < self.size:
            self._start()
        self._send(min(filter(self._free, self.workers), key=lambda worker: len(worker.tasks)), task)

    def _start(self) -> WorkerProcess:
        context = multiprocessing.get_context("spawn")
        ours, theirs = context.Pipe()
        process = context.Process(target=serve, args=(theirs, self.plan, self.terms), daemon=True)
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
        with contextlib.suppress(OSError):  # a dead one is seen when answers are waited for
            worker.pipe.send(task)

    def _answers(self) -> Iterator[Answer]:
        """What comes next, from any worker."""
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
        """Seconds until the next worker has taken too long; those that have are ended. None without a limit."""
        if self.terms.patience is None:
            return None
        left = [self.terms.patience]
        for worker in working:
            rest = worker.since + self.terms.patience - time.monotonic()
            if rest <= 0 and not worker.pipe.poll():
                worker.overdue = True
                worker.process.kill()
            else:
                left.append(max(rest, 0.0))
        return min(left)

    def _bury(self, worker: WorkerProcess) -> Iterator[Answer]:
        """A worker died: its tasks are made again, each with a worker to itself; who kills that one too has failed."""
        worker.process.join(SECONDS_TO_END)
        worker.pipe.close()
        self.workers.remove(worker)
        self.deaths += 1
        code = worker.process.exitcode
        if self.deaths >= MOST_DEATHS:
            yield Stopped(f"{MOST_DEATHS} processes ended one after the other, the last with code {code}.", 1)
            return
        for task in worker.tasks:
            if task in self.suspects:
                yield from (Failed(i, self._cause_of_death(worker, i)) for i in task.indices if i in worker.open)
            else:
                self.again.append(task)

    def _cause_of_death(self, worker: WorkerProcess, index: int) -> str:
        """Why a worker that made a unit has ended: one that ended by itself, with a code that neither Python nor
        Windows gives a process that fails, was told to by a plugin.
        """
        code = worker.process.exitcode
        lift = f"; {LIFT_LIMITS}" if self.terms.memory else ""
        if worker.overdue:
            return f"it took more than {self.terms.patience:g} s; {LIFT_LIMITS}."
        if code is None or code < 0:
            return f"the process that made it was killed (signal {-(code or 0)}); it may have run out of memory{lift}."
        if code == 1 or sys.platform == "win32":
            return (
                f"the process that made it ended with code {code}; it may have run out of memory, or a library "
                f"crashed{lift}."
            )
        job, _ = self.plan.unit(index)
        plugins = label_named(GENERATORS, job.generator), label_named(EXPORTERS, job.exporter)
        return f"{' or '.join(plugins)} ended the process that made it (exit code {code}); tell its author."

    def _retry(self) -> None:
        """Give one of the tasks that came back to a worker that has nothing else to do."""
        if not self.again:
            return
        idle = next((worker for worker in self.workers if not worker.tasks), None)
        if idle is None and len(self.workers) < self.size:
            idle = self._start()
        if idle:
            task = self.again.popleft()
            self.suspects.add(task)
            self._send(idle, task)
