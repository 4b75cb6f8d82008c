"""`ganassets blender library`: assets into an asset library."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ganassets.api.blender import VARIABLE
from ganassets.api.errors import GanassetsError, InputError
from ganassets.cli.base import complete_generators, debug_option
from ganassets.cli.generate import choose_seeds
from ganassets.cli.generation import (
    LOOK_OPTIONS,
    MOST_TOLD,
    SEED_OPTIONS,
    UNTRUSTED_OPTION,
    say_limits,
    say_versions,
    wanted,
    with_options,
)
from ganassets.cli.output import make_console, say
from ganassets.cli.plugin_options import MakingCommand

if TYPE_CHECKING:
    from ganassets.inference.batch.plan import Plan
    from ganassets_blender.library import LibraryResult

FORMAT = "parts"
JOBS = ".toml"

EXAMPLES = """\b
Examples:
  ganassets blender library textures -n 50 -o my-library
  ganassets blender library textures --seeds 1-200 --material brick --size 1024 -o my-library --author "Ada"
  ganassets blender library faces --seeds 1-20 -o my-library
  ganassets blender library poses --action walk -n 30 --option rig=rigify -o my-library
  ganassets blender library jobs.toml -o my-library
  ganassets blender library textures -n 20 -o my-library --blender ~/blender-4.5/blender
"""


@click.command(cls=MakingCommand, name="library", short_help="Add assets to an asset library.", epilog=EXAMPLES)
@click.argument("name_or_model", metavar="NAME_MODEL_OR_JOBS", shell_complete=complete_generators)
@with_options(SEED_OPTIONS, LOOK_OPTIONS)
@click.option("--option", "settings", multiple=True, metavar="NAME=VALUE", help="Of clips: rig, root.")
@click.option(
    "-o", "--out", type=click.Path(path_type=Path, file_okay=False), required=True, help="The library's folder."
)
@click.option("--pack/--no-pack", default=True, help="Pictures inside the .blend files, or beside.  [default: pack]")
@click.option("--author", default="", help="Written into every asset.")
@click.option("--licence", default="", help="Written into every asset.  [default: the model's]")
@click.option("--workers", type=click.IntRange(1, 64), help="Processes side by side.  [default: as many as pay here]")
@UNTRUSTED_OPTION
@click.option("--blender", metavar="PROGRAM", help=f"The Blender to write with.  [default: {VARIABLE}, bpy, the PATH]")
@debug_option
def command(
    name_or_model: str,
    count: int | None,
    seed: int | None,
    seeds: str | None,
    out: Path,
    pack: bool,
    author: str,
    licence: str,
    workers: int | None,
    untrusted: bool | None,
    blender: str | None,
    **params: Any,
) -> None:
    """Make assets and add them to a library that Blender's Asset Browser shows.

    Point Blender to the folder under Preferences > File Paths > Asset Libraries. What the library has is not added
    again, so the same command goes on where it was stopped.
    """
    from ganassets.inference.batch.engine import Settings
    from ganassets_blender.library import LibraryTerms

    if blender:
        os.environ[VARIABLE] = blender
    if name_or_model.endswith(JOBS):
        if count or seed is not None or seeds:
            raise InputError("a file of jobs says which seeds; leave out -n, --seed and --seeds.")
        plan = plan_of_jobs(Path(name_or_model))
    else:
        from ganassets.inference.batch.plan import Plan

        asked = wanted(name_or_model, {**params, "target": FORMAT}, params)
        plan = Plan([asked.job(choose_seeds(seeds, count, seed))])
        plan.check_names()
    say_versions([job.file for job in plan.jobs])
    trusted = None if untrusted is None else not untrusted
    say_limits([job.file for job in plan.jobs], trusted)
    settings = Settings(workers, trusted=trusted)
    tell(add(plan, out.absolute(), LibraryTerms(pack, author, licence), settings), out)


def plan_of_jobs(path: Path) -> Plan:
    """The plan of a file of jobs, each for a library."""
    from ganassets.inference.batch.jobs import plan_of, read_jobs
    from ganassets.inference.model_search import find_model
    from ganassets.inference.provenance import recipe_in

    tables = [table.model_copy(update={"to": FORMAT}) for table in read_jobs(path)]
    return plan_of(tables, lambda text: find_model(text, path.parent), lambda text: recipe_in(path.parent / text))


def add(plan: Plan, library: Path, terms: Any, settings: Any) -> LibraryResult:
    """Add a plan under a bar, where there is a terminal."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    from ganassets_blender.library import add_to_library

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    console = make_console(stderr=True)
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("Filling the library", total=len(plan))
        progress = lambda done, total: bar.update(task, completed=done, total=total)  # noqa: E731
        return add_to_library(plan, library, terms, settings, progress, lambda line: say(line, err=True))


def tell(added: LibraryResult, library: Path) -> None:
    """Say what came of it; GanassetsError when something could not be made."""
    say(f"{added.new:,} added to {library} in {len(added.volumes)} files, {added.there:,} were there.")
    for failure in added.failures[:MOST_TOLD]:
        say(f"Not made: {failure.name}: {failure.why}", err=True)
    if added.failures:
        raise GanassetsError(f"{len(added.failures):,} could not be made.")
