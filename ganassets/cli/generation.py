"""Run a plan for any command that generates assets: show progress and results, draw contact sheets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..api.errors import GanassetsError, InputError
from ..api.registry import load_generator
from ..inference.model_search import RUNS, check_trusted, is_trusted
from .output import make_console, say

if TYPE_CHECKING:
    from ..api.spec import GeneratorSpec
    from ..inference.batch.engine import BatchSettings, BatchSummary
    from ..inference.batch.plan import Plan, ResolvedRequest
    from ..inference.model import Model, ModelFile
    from ..inference.recipe import Recipe

MAX_FAILURES_SHOWN = 5  # the others are in the file of failures


def open_in_process(file: ModelFile, untrusted: bool | None, threads: int | None = 1) -> Model:
    """Open a model in this process.

    Args:
        file: the model.
        untrusted: value of --untrusted/--trusted.
        threads: for one operator; None lets onnxruntime choose.

    Raises:
        InputError: the model may not be opened without limits.
    """
    from ..inference.model import open_model

    if untrusted:
        raise InputError("this command opens the model in its own process; leave out --untrusted.")
    check_trusted(file, untrusted is False)
    return open_model(file.path, threads=threads)


def make_from_recipes(resolved: ResolvedRequest, recipes: Sequence[Recipe], params: Mapping[str, Any]) -> None:
    """Make the assets of recipes with the format of a request, as RUN_OPTIONS say."""
    from ..inference.batch.plan import Plan
    from ..inference.resolve import with_recipes

    job = with_recipes(resolved, recipes)
    job.check(load_generator(job.generator))
    run_plan(Plan([job]), params)


def run_plan(plan: Plan, params: Mapping[str, Any]) -> None:
    """Make a plan as RUN_OPTIONS say, and report the result.

    Raises:
        GanassetsError: some assets could not be made.
    """
    from ..inference.batch.engine import BatchSettings

    out, untrusted = params["out"], params["untrusted"]
    trusted = None if untrusted is None else not untrusted
    settings = BatchSettings(params["workers"], params["overwrite"], params["preview"], trusted=trusted)
    say_versions([job.file for job in plan.jobs])
    say_limits([job.file for job in plan.jobs], trusted)
    if params["dry_run"]:
        print_estimate(plan, settings, out)
        return
    summary = run_with_progress(plan, out, settings)
    print_summary(plan, out, summary)
    if params["preview"]:
        sheets = draw_sheets(plan, out, summary)
        if sheets:
            say(f"Contact sheet{'s' if len(plan.jobs) > 1 else ''}: {' and '.join(map(str, sheets))}")
    if summary.failures:
        raise GanassetsError(f"{len(summary.failures):,} of {len(plan):,} could not be made.")


def say_versions(files: Sequence[ModelFile]) -> None:
    """Say which models were made by another version of their plugin than the installed one."""
    from ..inference.model import version_note

    notes = [version_note(file.manifest, load_generator(file.manifest.generator)) for file in files]
    for note in filter(None, dict.fromkeys(notes)):
        say(note, err=True)


def say_limits(files: Sequence[ModelFile], trusted: bool | None) -> None:
    """Say which models run under limits because their origin is unknown, unless the user chose."""
    untrusted = [file.path for file in files if trusted is None and not is_trusted(file)]
    for path in dict.fromkeys(untrusted):
        say(
            f"{path} is neither in the box nor of a run in {RUNS}/, so it runs on the processor under limits; "
            "--trusted lifts them.",
            err=True,
        )


def run_with_progress(plan: Plan, out: Path, settings: BatchSettings) -> BatchSummary:
    """Make a plan, with a progress bar where there is a terminal."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    from ..inference.batch.engine import run_batch

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    console = make_console(stderr=True)
    hidden = not console.is_terminal
    with Progress(*columns, console=console, transient=True, disable=hidden, speed_estimate_period=600) as bar:
        names = dict.fromkeys(job.generator for job in plan.jobs)
        task = bar.add_task(f"Generating {' and '.join(names)}", total=len(plan))

        def update(done: int, total: int) -> None:
            bar.update(task, completed=done, total=total)

        return run_batch(plan, out, settings, update, lambda line: say(line, err=True))


def print_summary(plan: Plan, out: Path, summary: BatchSummary) -> None:
    """Say which assets were made, which existed already and which failed."""
    counts: dict[tuple[str, Path], int] = {}
    for job in plan.jobs:
        key = (job.generator, job.file.path)
        counts[key] = counts.get(key, 0) + len(job)
    for (generator, path), count in counts.items():
        say(f"{count:,} of {generator} in {out} (model {path}).")
    if summary.skipped:
        say(f"{summary.skipped:,} of them were there already.")
    for failure in summary.failures[:MAX_FAILURES_SHOWN]:
        say(f"Not made: {failure.name}: {failure.why}", err=True)
    if len(summary.failures) > MAX_FAILURES_SHOWN:
        from ..inference.batch.engine import FAILURES

        say(f"... and {len(summary.failures) - MAX_FAILURES_SHOWN:,} more, listed in {out / FAILURES}.", err=True)


def print_estimate(plan: Plan, settings: BatchSettings, out: Path) -> None:
    """Print the number, size and time of a plan's files; InputError where they don't fit on the disk."""
    from rich.table import Table

    from ..inference.batch.engine import estimate, free_space

    table = Table(box=None)
    for title in ("job", "model", "assets", "format", "files", "size", "time"):
        table.add_column(title, justify="left" if title in ("job", "model", "format") else "right")
    total = 0.0
    found = estimate(plan, settings)
    for job, one in zip(plan.jobs, found, strict=True):
        total += one.bytes * one.assets
        table.add_row(
            job.title or "1",
            job.generator,
            f"{one.assets:,}",
            job.exporter,
            f"{one.files * one.assets:,.0f}",
            size_text(one.bytes * one.assets),
            duration_text(one.seconds),
        )
    console = make_console()
    console.print(table)
    names = [plan.unit(i)[1].name for i in dict.fromkeys((0, len(plan) - 1)) if len(plan)]
    say(f"From {' to '.join(names)}, in {out}. Nothing was written.")
    if total > free_space(out):
        raise InputError(f"{size_text(total)} don't fit: {size_text(free_space(out))} are free in {out}.")


def size_text(count: float) -> str:
    """Write a number of bytes as in "1.2 GB"."""
    for unit in ("B", "kB", "MB"):
        if count < 1000:
            return f"{count:.3g} {unit}"
        count /= 1000
    return f"{count:,.1f} GB"


def duration_text(seconds: float) -> str:
    """Write a duration as in "2 h 5 min"."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes // 60} h {minutes % 60} min" if minutes >= 90 else f"{minutes} min"


def draw_sheets(plan: Plan, out: Path, summary: BatchSummary) -> list[Path]:
    """Draw a contact sheet for each job: a picture, and an animation of moving assets."""
    from ..inference.batch.engine import sheet_names

    written: list[Path] = []
    for k, name in enumerate(sheet_names(plan)):
        if summary.shown.get(k):
            written += draw_sheet(load_generator(plan.jobs[k].generator), summary.shown[k], out, name)
    return written


def draw_sheet(spec: GeneratorSpec, assets: Sequence[Any], out: Path, name: str) -> list[Path]:
    """Draw and write the contact sheet of assets of one generator."""
    from ..api.plugin_calls import draw_animation, draw_preview
    from ..api.writer import write_atomic

    try:
        picture, moving = draw_preview(spec, assets), draw_animation(spec, assets)
    except GanassetsError as error:
        raise GanassetsError(
            f"the assets are written, but {str(error).rstrip('.')}; --no-preview leaves it out."
        ) from error
    written = [write_atomic(out / f"{name}.png", picture)]
    return [*written, write_atomic(out / f"{name}.webp", moving)] if moving else written


def write_recipes(recipes: Sequence[Recipe], out: Path, dry_run: bool) -> None:
    """Write recipes beside their assets, so that commands accept them in place of a seed."""
    from ..api.writer import write_files
    from ..inference.recipe import SUFFIX

    if dry_run:
        return
    files = {f"{recipe.name}{SUFFIX}": (recipe.to_json() + "\n").encode() for recipe in recipes}
    write_files(out, files, overwrite=True)
    say(f"Recipe{'s' if len(recipes) > 1 else ''}: {out}/*{SUFFIX}")
