"""Make units: in this process, or in a worker process that answers through a pipe."""

from __future__ import annotations

import contextlib
import gc
import hashlib
import signal
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import lru_cache, partial
from multiprocessing.connection import Connection
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...api.errors import GanassetsError, InputError, one_line
from ...api.plugin_calls import export_asset, reduce_asset
from ...api.registry import load_exporter, load_generator
from ...api.writer import write_files
from ..callbacks import ignore
from ..pipeline import make_assets
from .plan import Plan

if TYPE_CHECKING:
    from ..model import Model

PREVIEW_TEXELS = 256  # side of the assets that are kept for a contact sheet
LIFT_LIMITS = "if you trust the model, --trusted lifts its limits on the command line"


@dataclass(frozen=True)
class Task:
    """Units that go through the network together.

    Attributes:
        indices: Indices of the units in the plan.
        write: Indices of the units whose files are written.
        show: Indices of the units that a contact sheet shows.
    """

    indices: tuple[int, ...]
    write: frozenset[int]
    show: frozenset[int] = frozenset()


@dataclass(frozen=True)
class Made:
    """The answer for a unit that was made.

    Attributes:
        index: Index of the unit in the plan.
        files: Size in bytes and SHA-256 of each file by its path below the output folder; none if it was only shown.
        recipe: Recipe of the asset, as JSON.
        asset: Reduced asset for a contact sheet, if the task asked for it.
    """

    index: int
    files: dict[str, tuple[int, str]]
    recipe: str = ""
    asset: Any = None


@dataclass(frozen=True)
class Failed:
    """The answer for a unit that can't be made: error message and exit code."""

    index: int
    why: str
    exit_code: int = GanassetsError.exit_code


@dataclass(frozen=True)
class Stopped:
    """The answer that ends a batch: error message and exit code."""

    why: str
    exit_code: int


Answer = Made | Failed | Stopped


@dataclass(frozen=True)
class WorkerSettings:
    """Settings of workers.

    Attributes:
        out: Output folder; None discards the files.
        providers: Execution providers of onnxruntime; None chooses.
        memory: Limit of a worker process in bytes; None for no limit.
        patience: Time limit of a worker process for an answer in seconds; None for no limit.
    """

    out: Path | None
    providers: tuple[str, ...] | None = None
    memory: int | None = None
    patience: float | None = None


class UnitMaker:
    """Makes units with models that it opens when they are needed.

    Each operator runs on one thread, because the number of threads may change the last bits of a result.

    Args:
        plan: Plan of the batch.
        settings: Settings of the workers.
        report: Called with a sentence when a device could not be used.
    """

    def __init__(self, plan: Plan, settings: WorkerSettings, report: Callable[[str], None] = ignore) -> None:
        self.plan, self.settings, self.report = plan, settings, report
        self.models: dict[str, Model] = {}
        # Plugins are looked up once: that may take longer than making a unit.
        self.spec, self.exporter = lru_cache(load_generator), lru_cache(load_exporter)
        self.disk = ThreadPoolExecutor(1)
        self.written: Future[list[Answer]] | None = None

    def model(self, job_index: int) -> Model:
        """Return the opened model of a job; only the last one is kept, to save memory."""
        from ..model import check_generator, open_model

        file = self.plan.jobs[job_index].file
        if file.digest not in self.models:
            self.models.clear()
            model = open_model(file.path, self.settings.providers, threads=1, report=self.report)
            if model.digest != file.digest:
                raise InputError(f"{file.path} was replaced while the batch ran; start it again.")
            check_generator(model, self.spec(file.manifest.generator))
            self.models[file.digest] = model
        return self.models[file.digest]

    def assets(self, indices: Sequence[int]) -> list[tuple[Any, str]]:
        """Make the assets of units of one job, each with its recipe as JSON."""
        jobs = [self.plan.unit(i) for i in indices]
        job = jobs[0][0]
        spec = self.spec(job.generator)
        recipes = [job.recipe(unit) for _, unit in jobs]
        made = make_assets(self.model(self.plan.job_at(indices[0])), spec, recipes)
        return [(asset, recipe.to_json()) for asset, recipe in zip(made, recipes, strict=True)]

    def export(self, index: int, asset: Any) -> dict[str, bytes]:
        """Encode an asset's files, by name."""
        job, _ = self.plan.unit(index)
        return export_asset(self.exporter(job.exporter), asset, job.options)

    def reduce(self, index: int, asset: Any) -> Any:
        """Reduce an asset to what a contact sheet needs."""
        return reduce_asset(self.spec(self.plan.unit(index)[0].generator), asset, PREVIEW_TEXELS)

    def work(self, task: Task) -> list[Answer]:
        """Make the units of a task and start to write their files.

        Returns:
            The answers of the task before, whose files are written now; `finish` returns those of the last task.
        """
        self.model(self.plan.job_at(task.indices[0]))  # a missing model is no unit's fault
        ready: list[tuple[Made, dict[str, bytes]]] = []
        failed: list[Failed] = []
        try:
            made: list[tuple[Any, str] | GanassetsError] = list(self.assets(task.indices))
        except GanassetsError as error:
            made = [error] if len(task.indices) == 1 else [self._alone(i) for i in task.indices]
        for index, one in zip(task.indices, made, strict=True):
            try:
                if isinstance(one, GanassetsError):
                    raise one
                asset, recipe = one
                files = self.export(index, asset) if index in task.write else {}
                shown = self.reduce(index, asset) if index in task.show else None
                ready.append((Made(index, {}, recipe, shown), files))
            except GanassetsError as error:
                failed.append(Failed(index, str(error), error.exit_code))
        before = self.finish()
        self.written = self.disk.submit(self._write, ready, failed)
        return before

    def _alone(self, index: int) -> tuple[Any, str] | GanassetsError:
        try:
            return self.assets([index])[0]
        except GanassetsError as error:
            return error

    def finish(self) -> list[Answer]:
        """Wait until the files of the last task are written, and return its answers."""
        written, self.written = self.written, None
        return written.result() if written else []

    def _write(self, ready: Sequence[tuple[Made, dict[str, bytes]]], failed: Sequence[Failed]) -> list[Answer]:
        """Write the files; an error of the disk ends the batch."""
        answers: list[Made | Failed] = [*failed]
        for made, files in ready:
            folder = self.plan.jobs[self.plan.job_at(made.index)].folder
            records = {
                f"{folder}/{name}" if folder else name: (len(content), hashlib.sha256(content).hexdigest())
                for name, content in files.items()
            }
            try:
                if self.settings.out is not None and files:
                    write_files(self.settings.out / folder, files, overwrite=True)
            except GanassetsError as error:
                return [*answers, Stopped(str(error), error.exit_code)]
            answers.append(Made(made.index, records, made.recipe, made.asset))
        answers.sort(key=lambda answer: answer.index)
        return [*answers]


def serve(pipe: Connection, plan: Plan, settings: WorkerSettings) -> None:
    """Run a worker process: receive tasks through the pipe and send answers, until the pipe is closed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the main process handles Ctrl-C
    if settings.memory:
        limit_memory(settings.memory)
    maker = UnitMaker(plan, settings)
    try:
        while (task := pipe.recv()) is not None:
            answers = catch_errors(partial(maker.work, task), settings)
            # Without another task, wait for the files of this one.
            if not pipe.poll():
                answers += catch_errors(maker.finish, settings)
            pipe.send(answers)
        pipe.send(catch_errors(maker.finish, settings))
    except (EOFError, BrokenPipeError, ConnectionResetError):
        pass  # the main process has ended


def catch_errors(call: Callable[[], list[Answer]], settings: WorkerSettings) -> list[Answer]:
    """Return the answers of a call; an error that is no unit's fault becomes the answer that ends the batch."""
    try:
        return call()
    except GanassetsError as error:
        return [Stopped(str(error), error.exit_code)]
    except MemoryError:
        lift = f"; {LIFT_LIMITS}" if settings.memory else ""
        return [Stopped(f"there is not enough memory; use fewer --workers or a smaller --size{lift}.", 1)]
    except Exception as error:
        return [Stopped(f"something unexpected happened ({one_line(error)}).", 1)]
    finally:
        gc.collect(0)


def limit_memory(most: int) -> None:
    """Limit the memory of this process to a number of bytes, where the system can (not on Windows)."""
    if sys.platform != "win32":
        import resource

        with contextlib.suppress(ValueError):  # some systems have the limit but refuse to set it
            resource.setrlimit(resource.RLIMIT_AS, (most, most))
