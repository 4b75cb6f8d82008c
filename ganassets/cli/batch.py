"""`ganassets batch`: make the assets of a file of jobs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from .base import debug_option
from .generation import run_plan
from .options import RUN_OPTIONS, with_options

EXAMPLES = """\b
Example of a file of jobs:
  [[job]]
  model = "textures"
  seeds = "1-500"
  size = 512
  to = "unity"
  folder = "materials"
  name = "{material}-{seed:05d}"
  sliders = { material = { any = ["brick", "rock"] }, wear = { from = 0.2, to = 0.8 } }
  [[job]]
  model = "faces"
  count = 100
  sliders = { age = [20, 50, 80] }        (a list: each seed with each value)
\b
Examples:
  ganassets batch jobs.toml -o library
  ganassets batch jobs.toml -o library        (run again to continue where it stopped)
  ganassets batch jobs.toml --dry-run
"""


@click.command(name="batch", short_help="Make the assets of a file of jobs.", epilog=EXAMPLES)
@click.argument("jobs", type=click.Path(path_type=Path))
@with_options(RUN_OPTIONS)
@debug_option
def command(jobs: Path, **params: Any) -> None:
    """Make the assets that the file JOBS describes: several models, sliders and formats.

    Each asset is recorded in index.jsonl when its files are complete. Run the command again to continue a batch that
    was stopped; the result is the same. Relative paths in the file start from its folder.
    """
    from ..inference.jobs import plan_requests, read_jobs

    run_plan(plan_requests(read_jobs(jobs), jobs.parent), params)
