"""What makes units: in this process, or in one of its own that answers through a pipe."""

from __future__ import annotations

import contextlib
import gc
import hashlib
import signal
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import lru_cache
from multiprocessing.connection import Connection
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...api.errors import GanassetsError, InputError, one_line
from ...api.plugin_calls import export_asset, reduce_asset
from ...api.registry import load_exporter, load_generator
from ...api.writer import write_files
from ..pipeline import make_assets
from .plan import Plan

if TYPE_CHECKING:
    from ..model import Model

PICTURE_TEXELS = 256  # of what is kept for a contact sheet
LIFT_LIMITS = "if you trust the model, --trusted lifts its limits on the command line"


@dataclass(frozen=True)
class Task:
    """Units that go through the network together.

    Attributes:
        indices: in the plan.
        write: those whose files are wanted.
        show: those that are wanted for a contact sheet.
    """

    indices: tuple[int, ...]
    write: frozenset[int]
    show: frozenset[int] = frozenset()


@dataclass(frozen=True)
class Made:
    """A unit that was made.

    Attributes:
        index: in the plan.
        files: bytes and SHA-256 of each file by its path below the output folder; none where it was only shown.
        recipe: its JSON.
        asset: for a contact sheet, reduced, where it was asked for.
    """

    index: int
    files: dict[str, tuple[int, str]]
    recipe: str = ""
    asset: Any = None


@dataclass(frozen=True)
class Failed:
    """A unit that can't be made, why, and the exit code of that."""

    index: int
    why: str
    exit_code: int = GanassetsError.exit_code


@dataclass(frozen=True)
class Stopped:
    """Why nothing more can be made."""

    why: str
    exit_code: int


Answer = Made | Failed | Stopped


@dataclass(frozen=True)
class WorkerSettings:
    """How workers work.

    Attributes:
        out: where files go; None makes them and throws them away.
        providers: of onnxruntime; None chooses.
        memory: bytes that a worker's process may have, or None.
        patience: seconds that it may take for an answer, or None.
    """

    out: Path | None
    providers: tuple[str, ...] | None = None
    memory: int | None = None
    patience: float | None = None


class UnitMaker:
    """Models that are opened as they are needed; one thread for an operator, because how many there are may change the
    last bits of a result.

    Args:
        plan: of the batch.
        terms: how to work.
        report: told of a device that had to be left unused.
    """

    def __init__(self, plan: Plan, terms: WorkerSettings, report: Callable[[str], None] = lambda line: None) -> None:
        self.plan, self.terms, self.report = plan, terms, report
        self.models: dict[str, Model] = {}
        # Looking for plugins takes longer than many a unit does.
        self.spec, self.exporter = lru_cache(load_generator), lru_cache(load_exporter)
        self.disk = ThreadPoolExecutor(1)
        self.written: Future[list[Answer]] | None = None

    def model(self, job_index: int) -> Model:
        """The opened model of a job; the last one alone is kept, for memory's sake."""
        from ..model import check_plugin, open_model

        file = self.plan.jobs[job_index].file
        if file.digest not in self.models:
            self.models.clear()
            model = open_model(file.path, self.terms.providers, threads=1, report=self.report)
            if model.digest != file.digest:
                raise InputError(f"{file.path} was replaced while the batch ran; start it again.")
            check_plugin(model, self.spec(file.manifest.generator))
            self.models[file.digest] = model
        return self.models[file.digest]

    def assets(self, indices: Sequence[int]) -> list[tuple[Any, str]]:
        """Assets of units of one job with their recipes' JSON; GanassetsError where one of them can't be made."""
        jobs = [self.plan.unit(i) for i in indices]
        job = jobs[0][0]
        spec = self.spec(job.generator)
        recipes = [job.recipe(unit) for _, unit in jobs]
        made = make_assets(self.model(self.plan.job_at(indices[0])), spec, recipes)
        return [(asset, recipe.to_json()) for asset, recipe in zip(made, recipes, strict=True)]

    def export(self, index: int, asset: Any) -> dict[str, bytes]:
        """A unit's files by name."""
        job, _ = self.plan.unit(index)
        return export_asset(self.exporter(job.exporter), asset, job.options)

    def reduced(self, index: int, asset: Any) -> Any:
        """What a contact sheet needs of a unit's asset."""
        return reduce_asset(self.spec(self.plan.unit(index)[0].generator), asset, PICTURE_TEXELS)

    def work(self, task: Task) -> list[Answer]:
        """Make a task's units; what is to be written is being written when this returns, and the answers are those of
        the task before. `finish` has the last ones.
        """
        self.model(self.plan.job_at(task.indices[0]))  # no unit's fault when it is gone
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
                shown = self.reduced(index, asset) if index in task.show else None
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
        """Answers of the last task, when its files are on the device."""
        written, self.written = self.written, None
        return written.result() if written else []

    def _write(self, ready: Sequence[tuple[Made, dict[str, bytes]]], failed: Sequence[Failed]) -> list[Answer]:
        """Write the files; the disk's refusal ends all."""
        answers: list[Made | Failed] = [*failed]
        for made, files in ready:
            folder = self.plan.jobs[self.plan.job_at(made.index)].folder
            told = {
                f"{folder}/{name}" if folder else name: (len(content), hashlib.sha256(content).hexdigest())
                for name, content in files.items()
            }
            try:
                if self.terms.out is not None and files:
                    write_files(self.terms.out / folder, files, overwrite=True)
            except GanassetsError as error:
                return [*answers, Stopped(str(error), error.exit_code)]
            answers.append(Made(made.index, told, made.recipe, made.asset))
        answers.sort(key=lambda answer: answer.index)
        return [*answers]


def serve(pipe: Connection, plan: Plan, terms: WorkerSettings) -> None:
    """A worker's process: tasks come through the pipe, answers go back, until the pipe is closed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the process that began it all
    if terms.memory:
        limit_memory(terms.memory)
    shop = UnitMaker(plan, terms)
    try:
        while (task := pipe.recv()) is not None:
            answers = told(lambda task=task: shop.work(task), terms)
            # Nothing else to do: the files of this one are waited for.
            if not pipe.poll():
                answers += told(shop.finish, terms)
            pipe.send(answers)
        pipe.send(told(shop.finish, terms))
    except (EOFError, BrokenPipeError, ConnectionResetError):
        pass  # whoever asked is gone


def told(call: Callable[[], list[Answer]], terms: WorkerSettings) -> list[Answer]:
    """Answers; what is no fault of a unit's ends all."""
    try:
        return call()
    except GanassetsError as error:
        return [Stopped(str(error), error.exit_code)]
    except MemoryError:
        lift = f"; {LIFT_LIMITS}" if terms.memory else ""
        return [Stopped(f"there is not enough memory; use fewer --workers or a smaller --size{lift}.", 1)]
    except Exception as error:
        return [Stopped(f"something unexpected happened ({one_line(error)}).", 1)]
    finally:
        gc.collect(0)


def limit_memory(most: int) -> None:
    """Let this process have no more than so many bytes, where the system can do that (not on Windows)."""
    if sys.platform != "win32":
        import resource

        with contextlib.suppress(ValueError):  # some systems know the limit and take none
            resource.setrlimit(resource.RLIMIT_AS, (most, most))
