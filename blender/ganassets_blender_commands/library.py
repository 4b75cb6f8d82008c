"""`ganassets blender library`: add assets to an asset library."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ganassets.api.blender import VARIABLE
from ganassets.api.errors import GanassetsError, InputError
from ganassets.cli.base import complete_generators, debug_option
from ganassets.cli.generation import MAX_FAILURES_SHOWN, say_limits, say_versions
from ganassets.cli.options import (
    LOOK_OPTIONS,
    SEED_OPTIONS,
    UNTRUSTED_OPTION,
    build_request,
    choose_seeds,
    with_options,
)
from ganassets.cli.output import make_console, say
from ganassets.cli.plugin_options import GenerationCommand

if TYPE_CHECKING:
    from ganassets.inference.batch.engine import BatchSettings
    from ganassets.inference.batch.plan import Plan
    from ganassets_blender.library import LibraryResult, LibraryTerms

FORMAT = "parts"
JOBS_SUFFIX = ".toml"

EXAMPLES = """\b
Examples:
  ganassets blender library textures -n 50 -o my-library
  ganassets blender library textures --seeds 1-200 --material brick --size 1024 -o my-library --author "Ada"
  ganassets blender library faces --seeds 1-20 -o my-library
  ganassets blender library poses --action walk -n 30 --option rig=rigify -o my-library
  ganassets blender library jobs.toml -o my-library
  ganassets blender library textures -n 20 -o my-library --blender ~/blender-4.5/blender
"""


@click.command(cls=GenerationCommand, name="library", short_help="Add assets to an asset library.", epilog=EXAMPLES)
@click.argument("name_or_model", metavar="NAME_MODEL_OR_JOBS", shell_complete=complete_generators)
@with_options(SEED_OPTIONS, LOOK_OPTIONS)
@click.option(
    "--option", "options", multiple=True, metavar="NAME=VALUE", help="Option of the format; clips have rig and root."
)
@click.option(
    "-o", "--out", type=click.Path(path_type=Path, file_okay=False), required=True, help="Folder of the library."
)
@click.option(
    "--pack/--no-pack", default=True, help="Store images in the .blend files, or beside them.  [default: pack]"
)
@click.option("--author", default="", help="Author of the assets.")
@click.option("--licence", default="", help="Licence of the assets.  [default: the model's]")
@click.option(
    "--workers",
    type=click.IntRange(1, 64),
    help="Number of processes.  [default: as many as processors and memory allow]",
)
@UNTRUSTED_OPTION
@click.option(
    "--blender", metavar="PROGRAM", help=f"Blender that writes the files.  [default: {VARIABLE}, bpy, the PATH]"
)
@debug_option
def command(
    name_or_model: str,
    out: Path,
    pack: bool,
    author: str,
    licence: str,
    workers: int | None,
    untrusted: bool | None,
    blender: str | None,
    **params: Any,
) -> None:
    """Generate assets and add them to an asset library for Blender's Asset Browser.

    Add the folder in Blender under Preferences > File Paths > Asset Libraries. Assets that the library already has are
    not added again, so the same command continues after an interruption.
    """
    from ganassets.inference.batch.engine import BatchSettings
    from ganassets_blender.library import LibraryTerms

    if blender:
        os.environ[VARIABLE] = blender
    if name_or_model.endswith(JOBS_SUFFIX):
        if params["count"] or params["seed"] is not None or params["seeds"]:
            raise InputError("a file of jobs contains the seeds; leave out -n, --seed and --seeds.")
        plan = plan_of_jobs(Path(name_or_model))
    else:
        from ganassets.inference.batch.plan import Plan
        from ganassets.inference.resolve import resolve_request

        request = build_request(name_or_model, params, to=FORMAT, **choose_seeds(params))
        plan = Plan([resolve_request(request)])
        plan.check_names()
    say_versions([job.file for job in plan.jobs])
    trusted = None if untrusted is None else not untrusted
    say_limits([job.file for job in plan.jobs], trusted)
    settings = BatchSettings(workers, trusted=trusted)
    say_result(add(plan, out.absolute(), LibraryTerms(pack, author, licence), settings), out)


def plan_of_jobs(path: Path) -> Plan:
    """Plan the jobs of a file, all for a library."""
    from ganassets.inference.jobs import plan_requests, read_jobs

    requests = [request.model_copy(update={"to": FORMAT}) for request in read_jobs(path)]
    return plan_requests(requests, path.parent)


def add(plan: Plan, library: Path, terms: LibraryTerms, settings: BatchSettings) -> LibraryResult:
    """Add a plan's assets to a library, with a progress bar if there is a terminal."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    from ganassets_blender.library import add_to_library

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    console = make_console(stderr=True)
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("Filling the library", total=len(plan))

        def progress(done: int, total: int) -> None:
            bar.update(task, completed=done, total=total)

        return add_to_library(plan, library, terms, settings, progress, lambda line: say(line, err=True))


def say_result(result: LibraryResult, library: Path) -> None:
    """Print the result; GanassetsError if an asset could not be generated."""
    say(f"{result.new:,} added to {library} in {len(result.volumes)} files, {result.there:,} were already there.")
    for failure in result.failures[:MAX_FAILURES_SHOWN]:
        say(f"Not made: {failure.name}: {failure.why}", err=True)
    if result.failures:
        raise GanassetsError(f"{len(result.failures):,} assets could not be made.")
