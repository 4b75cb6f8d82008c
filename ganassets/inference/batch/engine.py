"""A plan made: what is there already is left alone, the rest is made, entered in the index, and failures are listed."""

from __future__ import annotations

import json
import math
import os
import re
import shutil
import time
from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain
from pathlib import Path
from typing import Any

from ...api.errors import GanassetsError, InputError
from ...api.writer import can_not_write, remove_leftovers, stems_of, write_atomic
from ..model import CPU, CUDA, has_cuda
from ..model_search import is_trusted
from .index import Index
from .plan import BatchUnit, Plan, ResolvedRequest
from .pool import Pool
from .worker import Answer, Failed, Made, Stopped, Task, UnitMaker, WorkerSettings

FAILURES = "failures.jsonl"
# Assets that go through the network together: one by one no processor is slower, and the last bits of an asset can't
# depend on the others; a GPU needs more.
TOGETHER, TOGETHER_ON_CUDA = 1, 8
MOST_WORKERS, MOST_WORKERS_ON_CUDA = 16, 4
FEW = 3  # units that are not worth a thought about processes
WORTH_PROCESSES = 3.0  # seconds of work that is left
# Memory that a worker takes: at rest, and for each texel of a size-free model (measured, docs/performance.md).
BYTES_AT_REST, BYTES_PER_TEXEL = 300e6, 1000.0
LARGE = 4 * 2**20  # texels
# What a model of a stranger may take: memory of a process, and time for an asset of up to LARGE texels.
UNTRUSTED_BYTES, UNTRUSTED_SECONDS = 4 * 2**30, 120.0
MOST_SHOWN = 64
ENOUGH = 8  # failures of one kind, with nothing made, after which there is no hope for the rest
SAMPLES = 3  # that a dry run makes of each job

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class UnitFailure:
    """A unit that could not be made.

    Attributes:
        name: of its asset, with the job's folder before it.
        seed, why, exit_code: what for and why.
    """

    name: str
    seed: int
    why: str
    exit_code: int

    @property
    def reason(self) -> str:
        """Why, without the unit's name."""
        return self.why.replace(self.name.rpartition("/")[2], "it")


@dataclass
class BatchSummary:
    """What a run did.

    Attributes:
        made: assets that were made.
        skipped: assets that were there.
        failures: what could not be made.
        shown: assets for the contact sheet of each job, by its number.
    """

    made: int = 0
    skipped: int = 0
    failures: list[UnitFailure] = field(default_factory=list)
    shown: dict[int, list[Any]] = field(default_factory=dict)


@dataclass(frozen=True)
class BatchSettings:
    """How a plan is made.

    Attributes:
        workers: processes side by side; None for as many as pay here.
        overwrite: make all again, in place of whatever has the files' names.
        sheet: whether assets are wanted for contact sheets.
        providers: of onnxruntime; None chooses, the processor for models that aren't trusted.
        memory: bytes that a process may have that opens a model; no model is opened in this one then.
        patience: seconds that such a process may take for an answer of up to LARGE texels, and in proportion for more;
            None waits.
        trusted: whether the models are; None for those alone that came with their plugins or are of runs in the
            working folder. The others are opened under the limits UNTRUSTED_BYTES and UNTRUSTED_SECONDS, or the two
            above.
    """

    workers: int | None = None
    overwrite: bool = False
    sheet: bool = False
    providers: tuple[str, ...] | None = None
    memory: int | None = None
    patience: float | None = None
    trusted: bool | None = None


def with_limits(plan: Plan, settings: BatchSettings) -> BatchSettings:
    """BatchSettings with the limits that strangers' models are opened under, where one of a plan's is not trusted."""
    trusted = settings.trusted
    if trusted is None:
        trusted = all(is_trusted(file) for file in {job.file.digest: job.file for job in plan.jobs}.values())
    if trusted:
        return settings
    return replace(
        settings,
        providers=settings.providers or (CPU,),
        memory=settings.memory or UNTRUSTED_BYTES,
        patience=settings.patience or UNTRUSTED_SECONDS,
    )


def run(
    plan: Plan,
    out: Path,
    settings: BatchSettings,
    progress: Progress = lambda done, total: None,
    report: Callable[[str], None] = lambda line: None,
    made: Callable[[ResolvedRequest, BatchUnit], None] = lambda job, unit: None,
    elsewhere: Container[str] = (),
) -> BatchSummary:
    """Make what a folder lacks of a plan.

    Args:
        plan: checked.
        out: the folder, made if it isn't there.
        settings: how.
        progress: told (done, total) after each asset.
        report: told of a device that had to be left unused.
        made: told of each unit when its files are on the device and entered.
        elsewhere: keys of units (see ResolvedRequest.key) that the caller has already.

    Raises:
        InputError: the folder is in use, damaged or can't be written, or holds other files with these names.
        GanassetsError: nothing more can be made.
    """
    settings = with_limits(plan, settings)
    with Index(out) as index:
        done = lambda job, unit: job.key(unit) in elsewhere or is_done(index, out, job, unit)  # noqa: E731
        todo = [i for i, (job, unit) in enumerate(plan) if settings.overwrite or not done(job, unit)]
        if not settings.overwrite:
            check_free(plan, todo, index, out)
        tidy(plan, out, index.locked)
        shown = set(chosen(plan)) if settings.sheet and (todo or not sheets_there(plan, out)) else set()
        summary = BatchSummary(skipped=len(plan) - len(todo))
        if todo:
            index.begin()
        if todo or shown:
            work = Work(frozenset(todo), frozenset(shown))
            make(plan, out, settings, work, index, summary, progress, report, made)
        if todo or index.cut_off:
            check_hope(summary)
            write_failures(out, summary.failures)
            index.end()
    return summary


def check_hope(summary: BatchSummary) -> None:
    """Raise why nothing at all could be made, where it is the same for all: a library that is missing, for one."""
    first = summary.failures[0] if summary.failures else None
    nothing = not summary.made and not summary.skipped
    if first and nothing and all(failure.reason == first.reason for failure in summary.failures):
        raise error_of(first.why, first.exit_code)


def is_done(index: Index, out: Path, job: ResolvedRequest, unit: BatchUnit) -> bool:
    """Whether a unit was made as it is wanted, and its files are still there."""
    done = index.done.get(job.path(unit))
    return done is not None and done.key == job.key(unit) and done.is_there(out)


@dataclass(frozen=True)
class Work:
    """Units to write and units to show."""

    write: frozenset[int]
    show: frozenset[int]

    def tasks(self, plan: Plan, together: int) -> Iterator[Task]:
        """In the plan's order; a task holds units of one job, the same ones whatever is there already."""
        for k in range(len(plan.jobs)):
            for start in range(plan.starts[k], plan.starts[k + 1], together):
                indices = tuple(range(start, min(start + together, plan.starts[k + 1])))
                write, show = self.write.intersection(indices), self.show.intersection(indices)
                if write or show:
                    yield Task(indices, write, show)

    def __len__(self) -> int:
        return len(self.write | self.show)


def make(
    plan: Plan,
    out: Path,
    settings: BatchSettings,
    work: Work,
    index: Index,
    summary: BatchSummary,
    progress: Progress,
    report: Callable[[str], None],
    made: Callable[[ResolvedRequest, BatchUnit], None],
) -> None:
    """Make the work and enter it."""
    terms = WorkerSettings(out, settings.providers, settings.memory, patience_for(plan, settings))
    done = 0
    for answer in answers_of(plan, terms, work, settings, report):
        if isinstance(answer, Stopped):
            raise error_of(answer.why, answer.exit_code)
        wanted = answer.index in work.write
        job, unit = plan.unit(answer.index)
        if isinstance(answer, Failed):
            summary.failures += [UnitFailure(job.path(unit), unit.seed, answer.why, answer.exit_code)] if wanted else []
            if len(summary.failures) == ENOUGH:
                check_hope(summary)
        else:
            take(plan, answer, index if wanted else None, summary)
        done += wanted
        if wanted and isinstance(answer, Made):
            made(job, unit)
        if wanted:
            progress(done, len(work.write))


def take(plan: Plan, made: Made, index: Index | None, summary: BatchSummary) -> None:
    """Enter what was made, and keep what is to be shown."""
    job, unit = plan.unit(made.index)
    if index:
        index.enter(job.path(unit), job.key(unit), made.files, made.recipe)
        summary.made += 1
    if made.asset is not None:
        summary.shown.setdefault(plan.job_at(made.index), []).append(shared(made.asset, summary.shown))


def shared(asset: Any, shown: Mapping[int, Sequence[Any]]) -> Any:
    """An asset from another process, whose topology is that of one that is here already if it is the same."""
    topology = getattr(asset, "topology", None)
    for other in chain(*shown.values()) if topology is not None else ():
        known = getattr(other, "topology", None)
        if known is not None and same_arrays(topology, known):
            return replace(asset, topology=known)
    return asset


def same_arrays(a: Any, b: Any) -> bool:
    """Whether two topologies hold the same."""
    import numpy as np

    return a is b or all(np.array_equal(getattr(a, name), getattr(b, name)) for name in a.__dataclass_fields__)


def error_of(why: str, exit_code: int) -> GanassetsError:
    """The error for users, with its exit code."""
    return InputError(why) if exit_code == InputError.exit_code else GanassetsError(why)


def answers_of(
    plan: Plan, terms: WorkerSettings, work: Work, settings: BatchSettings, report: Callable[[str], None]
) -> Iterator[Answer]:
    """Answers in the plan's order: from this process where little is to be made, else from several."""
    cuda = has_cuda() and (terms.providers is None or CUDA in terms.providers)
    tasks = work.tasks(plan, TOGETHER_ON_CUDA if cuda else TOGETHER)
    workers = settings.workers or default_workers(plan, cuda, terms.memory or 0)
    if terms.memory is None and (workers == 1 or len(work) < FEW):
        yield from from_here(UnitMaker(plan, terms, report), tasks)
        return
    if terms.memory is None and len(plan.jobs) == 1:  # the first units of several jobs say nothing of the others
        shop = UnitMaker(plan, terms, report)
        first = next(tasks)
        yield from (*shop.work(first), *shop.finish())  # opens the model
        second, started = next(tasks, None), time.monotonic()
        if second:
            yield from (*shop.work(second), *shop.finish())
        seconds = time.monotonic() - started
        if seconds * (len(work) - 2) / len(first.indices) < WORTH_PROCESSES:
            yield from from_here(shop, tasks)
            return
        del shop
    with Pool(plan, terms, min(workers, len(work))) as pool:
        yield from pool.results(tasks)


def from_here(shop: UnitMaker, tasks: Iterator[Task]) -> Iterator[Answer]:
    """Answers of this process."""
    for answers in chain((shop.work(task) for task in tasks), (shop.finish() for _ in range(1))):
        yield from answers


def default_workers(plan: Plan, cuda: bool, allowed: int = 0) -> int:
    """As many as there are processors for this process and there is memory for, `allowed` bytes included that each may
    take.
    """
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    most = MOST_WORKERS_ON_CUDA if cuda else MOST_WORKERS
    needed = max([allowed, *map(worker_memory, plan.jobs)]) or 1
    return max(1, min(cores, most, int(free_memory() / needed)))


def worker_memory(job: Any) -> float:
    """Bytes that a worker takes for a job."""
    return BYTES_AT_REST + BYTES_PER_TEXEL * texels(job)


def texels(job: Any) -> int:
    """Of the largest map that a job names the size of; 0 where it names none."""
    sizes = [job.request.size, *(recipe.size for recipe in job.recipes)]
    return max(math.prod(size) if size else 0 for size in sizes)


def patience_for(plan: Plan, settings: BatchSettings) -> float | None:
    """Seconds that a plan's slowest answer may take."""
    if settings.patience is None:
        return None
    return settings.patience * max([1.0, *(texels(job) / LARGE for job in plan.jobs)])


def free_memory() -> float:
    """Bytes that processes may have, infinite where the system doesn't tell."""
    try:
        told = re.search(r"^MemAvailable:\s*([0-9]+) kB$", Path("/proc/meminfo").read_text(), re.MULTILINE)
        if told:
            return float(told[1]) * 1024  # what caches give back included
    except OSError:
        pass
    try:
        return float(os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"))
    except (AttributeError, ValueError, OSError):
        return float("inf")


def chosen(plan: Plan) -> Iterator[int]:
    """Units for contact sheets: of each job all, or as many as a sheet holds, evenly spaced."""
    for k, job in enumerate(plan.jobs):
        count = min(len(job), MOST_SHOWN)
        yield from (plan.starts[k] + i * len(job) // count for i in range(count))


def sheet_names(plan: Plan) -> list[str]:
    """Of each job, the contact sheet's file without its suffix."""
    if len(plan.jobs) == 1:
        return ["contact-sheet"]
    return [f"contact-sheet-{job.title or k}" for k, job in enumerate(plan.jobs, start=1)]


def sheets_there(plan: Plan, out: Path) -> bool:
    """Whether no contact sheet is missing."""
    return all((out / f"{name}.png").is_file() for name in sheet_names(plan))


def check_free(plan: Plan, todo: Sequence[int], index: Index, out: Path) -> None:
    """InputError where files that aren't of this plan have its names: found before anything is made.

    What a cut-off run left without entering it, and what the index has under the same key, may be replaced.
    """
    names: dict[str, set[str]] = {}
    for i in todo:
        job, unit = plan.unit(i)
        done = index.done.get(job.path(unit))
        if done.key != job.key(unit) if done else not index.cut_off:
            names.setdefault(job.folder, set()).add(unit.name)
    for folder, wanted in names.items():
        for path in sorted(files_in(out / folder)):
            if not stems_of(path.name).isdisjoint(wanted):
                raise InputError(f"{path} is there already; choose another folder or use --overwrite.")


def files_in(folder: Path) -> list[Path]:
    """What lies in a folder; nothing where there is none."""
    try:
        return list(folder.iterdir()) if folder.is_dir() else []
    except OSError as error:
        raise can_not_write(folder, error) from error


def tidy(plan: Plan, out: Path, locked: bool) -> None:
    """Remove what killed runs left half-written, where no other run can be writing, and see whether the folders can be
    listed.
    """
    for folder in plan.folders(out):
        remove_leftovers(folder) if locked else files_in(folder)


def write_failures(out: Path, failures: Sequence[UnitFailure]) -> None:
    """failures.jsonl, or none."""
    path = out / FAILURES
    if failures:
        lines = [json.dumps({"name": f.name, "seed": f.seed, "error": f.why}) for f in failures]
        write_atomic(path, ("\n".join(lines) + "\n").encode())
    else:
        path.unlink(missing_ok=True)


@dataclass(frozen=True)
class Estimate:
    """What a job will take, measured on some of its assets.

    Attributes:
        assets: how many there will be.
        files, bytes: of one asset, the mean.
        seconds: for all of them, with all workers.
    """

    assets: int
    files: float
    bytes: float
    seconds: float


def estimate(plan: Plan, settings: BatchSettings) -> list[Estimate]:
    """Of each job, from some of its units that are made and thrown away."""
    settings = with_limits(plan, settings)
    terms = WorkerSettings(None, settings.providers, settings.memory, patience_for(plan, settings))
    with Pool(plan, terms, 1) as pool:
        shop = UnitMaker(plan, terms)
        make = pool.results if terms.memory else lambda tasks: from_here(shop, tasks)
        return estimates(plan, settings, make)


def estimates(
    plan: Plan, settings: BatchSettings, make: Callable[[Iterator[Task]], Iterator[Answer]]
) -> list[Estimate]:
    """Of each job, from answers to tasks."""
    workers = settings.workers or default_workers(plan, cuda=False)
    found = []
    for k, job in enumerate(plan.jobs):
        picked = sorted({plan.starts[k] + i * len(job) // SAMPLES for i in range(SAMPLES)}) if len(job) else []
        sizes: list[tuple[int, int]] = []
        began = time.monotonic()
        for number, i in enumerate(picked):
            began = time.monotonic() if number == 1 else began  # the first one opens the model
            for answer in make(iter((Task((i,), frozenset({i})),))):
                if isinstance(answer, Made):
                    sizes.append((len(answer.files), sum(size for size, _ in answer.files.values())))
                else:
                    raise GanassetsError(answer.why)
        each = (time.monotonic() - began) / max(1, len(picked) - 1)
        files, size = (sum(values) / max(1, len(sizes)) for values in zip(*sizes, strict=True)) if sizes else (0, 0)
        found.append(Estimate(len(job), files, size, each * len(job) / min(workers, max(1, len(job)))))
    return found


def free_space(out: Path) -> int:
    """Bytes that are free where a folder is, or will be."""
    place = Path(out).absolute()
    while not place.exists():
        place = place.parent
    return shutil.disk_usage(place).free
