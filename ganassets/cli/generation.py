"""What all commands that make assets share: options for looks and files, the plan, progress, contact sheets."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ..api.errors import GanassetsError, InputError
from ..api.options import option_values
from ..api.registry import load_exporter, load_generator
from ..inference.model_search import RUNS, check_trusted, find_model, is_trusted
from .base import parse_pairs
from .output import make_console, say
from .plugin_options import SETTING, SLIDER, chosen_format, dynamic_values

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ..api.assets import Exporter
    from ..api.spec import GeneratorSpec
    from ..inference.batch.engine import Summary
    from ..inference.batch.plan import Job, Plan
    from ..inference.model import Model, ModelFile
    from ..inference.pipeline import Request
    from ..inference.recipe import Recipe

MOST_TOLD = 5  # failures on the screen; the file has them all

UNTRUSTED_OPTION = click.option(
    "--untrusted/--trusted",
    default=None,
    help="Open the model in a process of its own that may have little memory and time, or as any other.  "
    "[default: untrusted unless the model is in the box or of a run in the working folder's runs/]",
)
# Of commands that open the model in their own process.
TRUSTED_OPTION = click.option(
    "--trusted",
    is_flag=True,
    help="Open a model that is neither in the box nor of a run in the working folder's runs/.",
)
SEED_OPTIONS = (
    click.option("-n", "--count", type=click.IntRange(1, 1_000_000), help="How many.  [default: 8]"),
    click.option("--seed", type=click.IntRange(0), help="The first of them.  [default: 1]"),
    click.option("--seeds", help="Which: 7, 1-200, 1,5,9-12, or random."),
)
LOOK_OPTIONS = (
    click.option(
        "--set",
        "sliders",
        multiple=True,
        metavar="NAME=VALUE",
        help="A slider, a choice or a mix (asian:0.5,african:0.5).",
    ),
    click.option(
        "--slider",
        "directions",
        multiple=True,
        metavar="NAME=AMOUNT",
        help="A slider found by `ganassets sliders discover`.",
    ),
    click.option("--truncation", type=float, help="Variety: 0 is the average, 1 is all of it.  [default: 0.85]"),
    click.option("--size", metavar="WIDTHxHEIGHT", help="Of what has no size of its own, such as 1024x512 or 512."),
    click.option("--crop", is_flag=True, help="Cut a size that can't be made from the next larger one; it won't tile."),
    click.option(
        "--window", type=click.IntRange(64, 8192), help="Compute in windows of so many texels, to save memory."
    ),
)
FORMAT_OPTIONS = (
    click.option("--to", "target", help="Format; see `ganassets plugins list`.  [default: the generator's]"),
    click.option("--option", "settings", multiple=True, metavar="NAME=VALUE", help="A setting of the format."),
)
RUN_OPTIONS = (
    click.option(
        "-o",
        "--out",
        type=click.Path(path_type=Path),
        default=Path("out"),
        show_default=True,
        help="Folder to write to.",
    ),
    click.option("--preview/--no-preview", default=True, help="Also draw contact-sheet.png.  [default: preview]"),
    click.option("--overwrite", is_flag=True, help="Make all again, in place of files that are there."),
    click.option(
        "--workers", type=click.IntRange(1, 64), help="Processes side by side.  [default: as many as pay here]"
    ),
    UNTRUSTED_OPTION,
    click.option("--dry-run", is_flag=True, help="Say what would be made, how large and how long; write nothing."),
)


def with_options(*groups: Sequence[Callable[[Any], Any]]) -> Callable[[Any], Any]:
    """A decorator that adds groups of options."""

    def decorate(command: Any) -> Any:
        for option in reversed([option for group in groups for option in group]):
            command = option(command)
        return command

    return decorate


@dataclass(frozen=True, eq=False)
class Wanted:
    """What a command line asks for, but for the seeds.

    Attributes:
        file, spec: the model and its plugin.
        exporter, options: the format.
        request: looks, without seeds.
        own: the looks that were asked for by name, which change recipes too.
        offset: (layers, w_dim) of found sliders, or None.
    """

    file: ModelFile
    spec: GeneratorSpec
    exporter: Exporter
    options: Mapping[str, Any]
    request: Request
    own: Mapping[str, Any]
    offset: NDArray[Any] | None

    def job(self, seeds: Sequence[int] = (), recipes: Sequence[Recipe] = (), template: str = "") -> Job:
        """A checked job."""
        from dataclasses import replace

        from ..inference.batch.plan import Job

        request = replace(self.request, seeds=seeds)
        offset = None if recipes else self.offset  # recipes have it already
        job = Job(
            self.file, self.exporter.name, self.options, request, recipes=recipes, template=template, offset=offset
        )
        job.check(self.spec)
        return job

    def recipe(self, text: str) -> Recipe:
        """The recipe of a seed, or of a file that holds or carries one, with the looks that were asked for."""
        from ..inference.conditions import parse_seeds
        from ..inference.pipeline import check_recipe, seed_recipe
        from ..inference.provenance import recipe_in

        if text.isascii() and text.isdigit():
            return self.pulled(seed_recipe(self.file, self.spec, self.request, parse_seeds(text)[0]))
        recipe = recipe_in(Path(text))
        check_recipe(self.file, self.spec, recipe)
        return self.pulled(self.changed(recipe))

    def pulled(self, recipe: Recipe) -> Recipe:
        """A recipe with the found sliders that were asked for."""
        from ..inference.latent_edits import pulled

        return recipe if self.offset is None else pulled(self.file.manifest, recipe, self.offset)

    def opened(self, untrusted: bool | None, threads: int | None = 1) -> Model:
        """The model, opened in this process; InputError where that is not wanted, or not without being asked for."""
        from ..inference.model import open_model

        if untrusted:
            raise InputError("this command opens the model in its own process; leave out --untrusted.")
        check_trusted(self.file, untrusted is False)
        return open_model(self.file.path, threads=threads)

    def changed(self, recipe: Recipe) -> Recipe:
        """A recipe with the looks that were asked for."""
        import numpy as np

        from ..inference.conditions import wanted_row
        from ..inference.pipeline import condition_of

        wanted = wanted_row(self.file.manifest.conditions, self.request.wishes)
        row = np.where(np.isfinite(wanted), wanted, recipe.row).astype(np.float32)
        settings = {**recipe.settings, **self.own.get("settings", {})}
        looks = {name: value for name, value in self.own.items() if name != "settings"}
        return recipe.changed(condition=condition_of(self.file.manifest, row), settings=settings, file=None, **looks)


def wanted(name_or_model: str, params: Mapping[str, Any], dynamic: Mapping[str, Any]) -> Wanted:
    """What the options of LOOK_OPTIONS and FORMAT_OPTIONS ask of a model, checked."""
    from ..inference.conditions import parse_size, parse_wishes
    from ..inference.directions import offset_of_amounts
    from ..inference.model import check_plugin, look_into
    from ..inference.pipeline import DEFAULT_TRUNCATION, Request

    size = parse_size(params["size"])
    if params["target"]:
        load_exporter(params["target"])  # a wrong name is told before the model is read
    file = look_into(find_model(name_or_model))
    spec = load_generator(file.manifest.generator)
    check_plugin(file, spec)
    exporter, options = chosen_format(spec, params["target"], params["settings"], dynamic)
    conditions = [condition.name for condition in file.manifest.conditions]
    texts = parse_pairs("--set", [*params["sliders"], *dynamic_values(SLIDER, dynamic, conditions)])
    asked = parse_pairs("a setting", dynamic_values(SETTING, dynamic, [option.name for option in spec.settings]))
    settings = option_values(spec.settings, asked)
    truncation = params["truncation"]
    request = Request(
        (),
        DEFAULT_TRUNCATION if truncation is None else truncation,
        parse_wishes(file.manifest, texts),
        size=size,
        crop=params["crop"],
        window=params["window"],
        settings=settings,
    )
    looks = {"truncation": truncation, "size": size, "crop": params["crop"] or None, "window": params["window"]}
    own = {name: value for name, value in looks.items() if value is not None}
    if asked:
        own["settings"] = {name: settings[name] for name in asked}
    offset = offset_of_amounts(file, parse_pairs("--slider", params["directions"]))
    return Wanted(file, spec, exporter, options, request, own, offset)


def carry_out(plan: Plan, params: Mapping[str, Any]) -> None:
    """Make a plan as RUN_OPTIONS say, and tell what came of it; GanassetsError when something could not be made."""
    from ..inference.batch.engine import Settings, run

    out, untrusted = params["out"], params["untrusted"]
    trusted = None if untrusted is None else not untrusted
    settings = Settings(params["workers"], params["overwrite"], params["preview"], trusted=trusted)
    say_versions([job.file for job in plan.jobs])
    say_limits([job.file for job in plan.jobs], trusted)
    if params["dry_run"]:
        tell_estimate(plan, settings, out)
        return
    summary = run_with_progress(plan, out, settings, run)
    tell(plan, out, summary)
    if params["preview"]:
        sheets = draw_sheets(plan, out, summary)
        if sheets:
            say(f"Contact sheet{'s' if len(plan.jobs) > 1 else ''}: {' and '.join(map(str, sheets))}")
    if summary.failures:
        raise GanassetsError(f"{len(summary.failures):,} of {len(plan):,} could not be made.")


def say_versions(files: Sequence[ModelFile]) -> None:
    """Say where models were made by other versions of their plugins than the installed ones."""
    from ..inference.model import version_note

    notes = [version_note(file.manifest, load_generator(file.manifest.generator)) for file in files]
    for note in filter(None, dict.fromkeys(notes)):
        say(note, err=True)


def say_limits(files: Sequence[ModelFile], trusted: bool | None) -> None:
    """Say which models are strangers' and so run under limits, unless the user chose."""
    strange = [file.path for file in files if trusted is None and not is_trusted(file)]
    for path in dict.fromkeys(strange):
        say(
            f"{path} is neither in the box nor of a run in {RUNS}/, so it runs on the processor under limits; "
            "--trusted lifts them.",
            err=True,
        )


def run_with_progress(plan: Plan, out: Path, settings: Any, run: Callable[..., Summary]) -> Summary:
    """The engine under a bar, where there is a terminal."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    console = make_console(stderr=True)
    hidden = not console.is_terminal
    with Progress(*columns, console=console, transient=True, disable=hidden, speed_estimate_period=600) as bar:
        names = dict.fromkeys(job.generator for job in plan.jobs)
        task = bar.add_task(f"Generating {' and '.join(names)}", total=len(plan))
        update = lambda done, total: bar.update(task, completed=done, total=total)  # noqa: E731
        return run(plan, out, settings, update, lambda line: say(line, err=True))


def tell(plan: Plan, out: Path, summary: Summary) -> None:
    """Say what was made, what was there, what failed."""
    counts: dict[tuple[str, Path], int] = {}
    for job in plan.jobs:
        key = (job.generator, job.file.path)
        counts[key] = counts.get(key, 0) + len(job)
    for (generator, path), count in counts.items():
        say(f"{count:,} of {generator} in {out} (model {path}).")
    if summary.skipped:
        say(f"{summary.skipped:,} of them were there already.")
    for failure in summary.failures[:MOST_TOLD]:
        say(f"Not made: {failure.name}: {failure.why}", err=True)
    if len(summary.failures) > MOST_TOLD:
        from ..inference.batch.engine import FAILURES

        say(f"... and {len(summary.failures) - MOST_TOLD:,} more, listed in {out / FAILURES}.", err=True)


def tell_estimate(plan: Plan, settings: Any, out: Path) -> None:
    """Say what a plan would take."""
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
    """ "1.2 GB"."""
    for unit in ("B", "kB", "MB"):
        if count < 1000:
            return f"{count:.3g} {unit}"
        count /= 1000
    return f"{count:,.1f} GB"


def duration_text(seconds: float) -> str:
    """ "2 h 5 min"."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes // 60} h {minutes % 60} min" if minutes >= 90 else f"{minutes} min"


def draw_sheets(plan: Plan, out: Path, summary: Summary) -> list[Path]:
    """Draw each job's assets into one picture, and what moves into one that moves as well."""
    from ..inference.batch.engine import sheet_names

    written: list[Path] = []
    for k, name in enumerate(sheet_names(plan)):
        if summary.shown.get(k):
            written += draw_sheet(load_generator(plan.jobs[k].generator), summary.shown[k], out, name)
    return written


def draw_sheet(spec: GeneratorSpec, assets: Sequence[Any], out: Path, name: str) -> list[Path]:
    """Draw and write the sheet of some assets of one generator."""
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


def keep_recipes(recipes: Sequence[Recipe], out: Path, dry: bool) -> None:
    """Write recipes beside their assets, so that they can stand for a seed."""
    from ..api.writer import write_files
    from ..inference.recipe import SUFFIX

    if dry:
        return
    files = {f"{recipe.name}{SUFFIX}": (recipe.to_json() + "\n").encode() for recipe in recipes}
    write_files(out, files, overwrite=True)
    say(f"Recipe{'s' if len(recipes) > 1 else ''}: {out}/*{SUFFIX}")
