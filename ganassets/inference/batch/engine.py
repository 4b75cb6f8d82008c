"""Run a plan: keep the assets that exist, make the others, record them in the index and list the failures."""

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
from ...api.writer import remove_leftovers, stems_of, write_atomic, write_error
from ..callbacks import ignore
from ..model import CPU, CUDA, has_cuda
from ..model_search import is_trusted
from .index import Index
from .plan import BatchUnit, Plan, ResolvedRequest
from .pool import Pool
from .worker import Answer, Failed, Made, Stopped, Task, UnitMaker, WorkerSettings

FAILURES = "failures.jsonl"
# Assets in one run of the network. On a processor, one at a time is as fast, and no asset depends on the others in its
# last bits. A GPU needs more to be busy.
BATCH_SIZE, CUDA_BATCH_SIZE = 1, 8
MAX_WORKERS, MAX_CUDA_WORKERS = 16, 4
MIN_PARALLEL_UNITS = 3  # fewer units are made in this process
MIN_PARALLEL_SECONDS = 3.0  # less work is done in this process
# Memory of a worker: at rest, and for each texel of a size-free model (measured, docs/performance.md).
BYTES_AT_REST, BYTES_PER_TEXEL = 300e6, 1000.0
LARGE = 4 * 2**20  # texels
# Limits of an untrusted model: memory of a process, and time for an asset of up to LARGE texels.
UNTRUSTED_BYTES, UNTRUSTED_SECONDS = 4 * 2**30, 120.0
MAX_SHOWN = 64  # assets on a contact sheet
MAX_EQUAL_FAILURES = 8  # a run ends after this many failures for one reason, if no asset could be made
SAMPLES = 3  # assets of each job that a dry run makes

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class UnitFailure:
    """A unit that could not be made.

    Attributes:
        name: Name of its asset, with the job's subfolder.
        seed: Seed of the asset.
        why: Error message.
        exit_code: Exit code of the error.
    """

    name: str
    seed: int
    why: str
    exit_code: int

    @property
    def reason(self) -> str:
        """The error message without the unit's name, to compare failures."""
        return self.why.replace(self.name.rpartition("/")[2], "it")


@dataclass
class BatchSummary:
    """The result of a run.

    Attributes:
        made: Number of assets that were made.
        skipped: Number of assets that existed already.
        failures: Units that could not be made.
        shown: Assets for the contact sheet of each job, by the job's number.
    """

    made: int = 0
    skipped: int = 0
    failures: list[UnitFailure] = field(default_factory=list)
    shown: dict[int, list[Any]] = field(default_factory=dict)


@dataclass(frozen=True)
class BatchSettings:
    """Settings of a batch run.

    Attributes:
        workers: Number of processes; None chooses by processors and memory.
        overwrite: Make all assets again and replace existing files.
        sheet: Whether to return assets for contact sheets.
        providers: Execution providers of onnxruntime; None chooses, and takes the processor for untrusted models.
        memory: Limit of a worker process in bytes; with a limit, this process opens no model. None for no limit.
        patience: Time limit of a worker process for an asset of up to LARGE texels, in seconds, and in proportion for
            larger ones; None for no limit.
        trusted: Whether to run all models without limits. None trusts models that came with their plugins or are of
            runs in the working folder; the others get UNTRUSTED_BYTES and UNTRUSTED_SECONDS, or the two limits above.
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


def run_batch(
    plan: Plan,
    out: Path,
    settings: BatchSettings,
    progress: Progress = ignore,
    report: Callable[[str], None] = ignore,
    made: Callable[[ResolvedRequest, BatchUnit], None] = ignore,
    elsewhere: Container[str] = (),
) -> BatchSummary:
    """Generate the assets of a plan that are missing in a folder.

    Args:
        plan: Checked.
        out: The folder, created if it is missing.
        settings: How to run.
        progress: Called with (done, total) after each asset.
        report: Called with a sentence when a device could not be used.
        made: Called with each unit when its files are on the disk and recorded.
        elsewhere: Keys of units (see ResolvedRequest.key) that the caller has already.

    Raises:
        InputError: The folder is in use, damaged or can't be written, or holds other files with these names.
        GanassetsError: No further asset can be made.
    """
    settings = with_limits(plan, settings)
    with Index(out) as index:
        todo = [
            i
            for i, (job, unit) in enumerate(plan)
            if settings.overwrite or not (job.key(unit) in elsewhere or is_done(index, out, job, unit))
        ]
        if not settings.overwrite:
            check_names_free(plan, todo, index, out)
        clean_folders(plan, out, index.locked)
        shown = set(units_to_show(plan)) if settings.sheet and (todo or not has_sheets(plan, out)) else set()
        summary = BatchSummary(skipped=len(plan) - len(todo))
        if todo:
            index.begin()
        if todo or shown:
            work = Work(frozenset(todo), frozenset(shown))
            process_units(plan, out, settings, work, index, summary, progress, report, made)
        if todo or index.cut_off:
            raise_common_failure(summary)
            write_failures(out, summary.failures)
            index.end()
    return summary


def raise_common_failure(summary: BatchSummary) -> None:
    """Raise the common reason of all failures if no asset could be generated (a missing library, say)."""
    first = summary.failures[0] if summary.failures else None
    nothing = not summary.made and not summary.skipped
    if first and nothing and all(failure.reason == first.reason for failure in summary.failures):
        raise error_of(first.why, first.exit_code)


def is_done(index: Index, out: Path, job: ResolvedRequest, unit: BatchUnit) -> bool:
    """Return whether a unit was made with the same key before, and its files still exist."""
    done = index.done.get(job.path(unit))
    return done is not None and done.key == job.key(unit) and done.is_there(out)


@dataclass(frozen=True)
class Work:
    """Indices of the units to write and of those to show."""

    write: frozenset[int]
    show: frozenset[int]

    def tasks(self, plan: Plan, batch_size: int) -> Iterator[Task]:
        """Group the units into tasks, in the plan's order.

        A task holds units of one job. The groups don't depend on the files that exist, so that results don't either.
        """
        for k in range(len(plan.jobs)):
            for start in range(plan.starts[k], plan.starts[k + 1], batch_size):
                indices = tuple(range(start, min(start + batch_size, plan.starts[k + 1])))
                write, show = self.write.intersection(indices), self.show.intersection(indices)
                if write or show:
                    yield Task(indices, write, show)

    def __len__(self) -> int:
        return len(self.write | self.show)


def process_units(
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
    """Make the units of the work and record them."""
    worker_settings = WorkerSettings(out, settings.providers, settings.memory, patience_for(plan, settings))
    done = 0
    for answer in answers_of(plan, worker_settings, work, settings, report):
        if isinstance(answer, Stopped):
            raise error_of(answer.why, answer.exit_code)
        to_write = answer.index in work.write
        job, unit = plan.unit(answer.index)
        if isinstance(answer, Failed):
            if to_write:
                summary.failures.append(UnitFailure(job.path(unit), unit.seed, answer.why, answer.exit_code))
            if len(summary.failures) == MAX_EQUAL_FAILURES:
                raise_common_failure(summary)
        else:
            record(plan, answer, index if to_write else None, summary)
        done += to_write
        if to_write and isinstance(answer, Made):
            made(job, unit)
        if to_write:
            progress(done, len(work.write))


def record(plan: Plan, made: Made, index: Index | None, summary: BatchSummary) -> None:
    """Record a unit in the index, and keep its asset if it is to be shown."""
    job, unit = plan.unit(made.index)
    if index:
        index.enter(job.path(unit), job.key(unit), made.files, made.recipe)
        summary.made += 1
    if made.asset is not None:
        summary.shown.setdefault(plan.job_at(made.index), []).append(share_topology(made.asset, summary.shown))


def share_topology(asset: Any, shown: Mapping[int, Sequence[Any]]) -> Any:
    """Replace the topology of an asset from another process by an equal one of the assets here, to save memory."""
    topology = getattr(asset, "topology", None)
    for other in chain(*shown.values()) if topology is not None else ():
        known = getattr(other, "topology", None)
        if known is not None and same_arrays(topology, known):
            return replace(asset, topology=known)
    return asset


def same_arrays(a: Any, b: Any) -> bool:
    """Return whether two topologies hold equal arrays."""
    import numpy as np

    return a is b or all(np.array_equal(getattr(a, name), getattr(b, name)) for name in a.__dataclass_fields__)


def error_of(why: str, exit_code: int) -> GanassetsError:
    """Return the error with a message and an exit code."""
    return InputError(why) if exit_code == InputError.exit_code else GanassetsError(why)


def answers_of(
    plan: Plan, worker_settings: WorkerSettings, work: Work, settings: BatchSettings, report: Callable[[str], None]
) -> Iterator[Answer]:
    """Make the units in this process if there are few, else in several, and return the answers in the plan's order."""
    cuda = has_cuda() and (worker_settings.providers is None or CUDA in worker_settings.providers)
    tasks = work.tasks(plan, CUDA_BATCH_SIZE if cuda else BATCH_SIZE)
    workers = settings.workers or default_workers(plan, cuda, worker_settings.memory or 0)
    if worker_settings.memory is None and (workers == 1 or len(work) < MIN_PARALLEL_UNITS):
        yield from make_here(UnitMaker(plan, worker_settings, report), tasks)
        return
    if worker_settings.memory is None and len(plan.jobs) == 1:  # with several jobs, the first units are not typical
        maker = UnitMaker(plan, worker_settings, report)
        first = next(tasks)
        yield from (*maker.work(first), *maker.finish())  # opens the model
        second, started = next(tasks, None), time.monotonic()
        if second:
            yield from (*maker.work(second), *maker.finish())
        seconds = time.monotonic() - started
        if seconds * (len(work) - 2) / len(first.indices) < MIN_PARALLEL_SECONDS:
            yield from make_here(maker, tasks)
            return
        del maker
    with Pool(plan, worker_settings, min(workers, len(work))) as pool:
        yield from pool.results(tasks)


def make_here(maker: UnitMaker, tasks: Iterator[Task]) -> Iterator[Answer]:
    """Make units in this process."""
    for task in tasks:
        yield from maker.work(task)
    yield from maker.finish()


def default_workers(plan: Plan, cuda: bool, allowed: int = 0) -> int:
    """Return the number of workers that the processors and the memory allow.

    Args:
        plan: Plan of the batch.
        cuda: Whether the workers use a GPU.
        allowed: bytes that each worker may use, if that is limited.
    """
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    most = MAX_CUDA_WORKERS if cuda else MAX_WORKERS
    needed = max([allowed, *map(worker_memory, plan.jobs)]) or 1
    return max(1, min(cores, most, int(free_memory() / needed)))


def worker_memory(job: ResolvedRequest) -> float:
    """Estimate the memory of a worker for a job, in bytes."""
    return BYTES_AT_REST + BYTES_PER_TEXEL * texels(job)


def texels(job: ResolvedRequest) -> int:
    """Return the texels of the largest map whose size a job names; 0 where it names none."""
    sizes = [job.request.size, *(recipe.size for recipe in job.recipes)]
    return max(math.prod(size) if size else 0 for size in sizes)


def patience_for(plan: Plan, settings: BatchSettings) -> float | None:
    """Return the time limit of a worker for an answer, in seconds; None for no limit."""
    if settings.patience is None:
        return None
    return settings.patience * max([1.0, *(texels(job) / LARGE for job in plan.jobs)])


def free_memory() -> float:
    """Return the available memory in bytes; infinite where the system doesn't report it."""
    try:
        available = re.search(r"^MemAvailable:\s*([0-9]+) kB$", Path("/proc/meminfo").read_text(), re.MULTILINE)
        if available:
            return float(available[1]) * 1024  # includes what caches give back
    except OSError:
        pass
    try:
        return float(os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"))
    except (AttributeError, ValueError, OSError):
        return float("inf")


def units_to_show(plan: Plan) -> Iterator[int]:
    """Choose the units for contact sheets: of each job all, or as many as a sheet holds, evenly spaced."""
    for k, job in enumerate(plan.jobs):
        count = min(len(job), MAX_SHOWN)
        yield from (plan.starts[k] + i * len(job) // count for i in range(count))


def sheet_names(plan: Plan) -> list[str]:
    """Return the file name of each job's contact sheet, without its suffix."""
    if len(plan.jobs) == 1:
        return ["contact-sheet"]
    return [f"contact-sheet-{job.title or k}" for k, job in enumerate(plan.jobs, start=1)]


def has_sheets(plan: Plan, out: Path) -> bool:
    """Return whether all contact sheets exist."""
    return all((out / f"{name}.png").is_file() for name in sheet_names(plan))


def check_names_free(plan: Plan, todo: Sequence[int], index: Index, out: Path) -> None:
    """Check, before anything is made, that no other files have the names of the plan's assets.

    Files that an interrupted run left without recording them, and those recorded under the same key, may be replaced.

    Raises:
        InputError: A file with such a name exists.
    """
    names: dict[str, set[str]] = {}
    for i in todo:
        job, unit = plan.unit(i)
        done = index.done.get(job.path(unit))
        if done.key != job.key(unit) if done else not index.cut_off:
            names.setdefault(job.folder, set()).add(unit.name)
    for folder, stems in names.items():
        for path in sorted(list_files(out / folder)):
            if not stems_of(path.name).isdisjoint(stems):
                raise InputError(f"{path} is there already; choose another folder or use --overwrite.")


def list_files(folder: Path) -> list[Path]:
    """List a folder; nothing where there is none."""
    try:
        return list(folder.iterdir()) if folder.is_dir() else []
    except OSError as error:
        raise write_error(folder, error) from error


def clean_folders(plan: Plan, out: Path, locked: bool) -> None:
    """Remove incomplete files of killed runs, unless another run may be writing, and check that folders can be read."""
    for folder in plan.folders(out):
        remove_leftovers(folder) if locked else list_files(folder)


def write_failures(out: Path, failures: Sequence[UnitFailure]) -> None:
    """Write failures.jsonl, or remove it where there are no failures."""
    path = out / FAILURES
    if failures:
        lines = [json.dumps({"name": f.name, "seed": f.seed, "error": f.why}) for f in failures]
        write_atomic(path, ("\n".join(lines) + "\n").encode())
    else:
        path.unlink(missing_ok=True)


@dataclass(frozen=True)
class Estimate:
    """The expected cost of a job, measured on some of its assets.

    Attributes:
        assets: Number of assets.
        files: Mean number of files of an asset.
        bytes: Mean size of an asset.
        seconds: Time for all assets, with all workers.
    """

    assets: int
    files: float
    bytes: float
    seconds: float


def estimate(plan: Plan, settings: BatchSettings) -> list[Estimate]:
    """Estimate the cost of each job: make some of its units and discard them."""
    settings = with_limits(plan, settings)
    worker_settings = WorkerSettings(None, settings.providers, settings.memory, patience_for(plan, settings))
    if worker_settings.memory is None:
        maker = UnitMaker(plan, worker_settings)
        return [estimate_job(plan, k, settings, lambda tasks: make_here(maker, tasks)) for k in range(len(plan.jobs))]
    with Pool(plan, worker_settings, 1) as pool:
        return [estimate_job(plan, k, settings, pool.results) for k in range(len(plan.jobs))]


def estimate_job(
    plan: Plan, k: int, settings: BatchSettings, process: Callable[[Iterator[Task]], Iterator[Answer]]
) -> Estimate:
    """Estimate the cost of the job number k.

    Args:
        plan: Plan of the batch.
        k: Number of the job.
        settings: Settings of the batch.
        process: Generates the units of tasks.
    """
    job = plan.jobs[k]
    workers = settings.workers or default_workers(plan, cuda=False)
    picked = sorted({plan.starts[k] + i * len(job) // SAMPLES for i in range(SAMPLES)}) if len(job) else []
    sizes: list[tuple[int, int]] = []
    began = time.monotonic()
    for number, i in enumerate(picked):
        began = time.monotonic() if number == 1 else began  # the first unit opens the model
        for answer in process(iter((Task((i,), frozenset({i})),))):
            if not isinstance(answer, Made):
                raise GanassetsError(answer.why)
            sizes.append((len(answer.files), sum(size for size, _ in answer.files.values())))
    seconds = (time.monotonic() - began) / max(1, len(picked) - 1)
    files, size = (sum(values) / max(1, len(sizes)) for values in zip(*sizes, strict=True)) if sizes else (0, 0)
    return Estimate(len(job), files, size, seconds * len(job) / min(workers, max(1, len(job))))


def free_space(out: Path) -> int:
    """Return the free bytes on the disk of a folder that exists or will be made."""
    place = Path(out).absolute()
    while not place.exists():
        place = place.parent
    return shutil.disk_usage(place).free
