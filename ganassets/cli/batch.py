"""`ganassets batch`: many jobs from a file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from ..inference.model_search import find_model
from .base import debug_option
from .generation import RUN_OPTIONS, carry_out, with_options

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
  ganassets batch jobs.toml -o library        (again: goes on where it stopped)
  ganassets batch jobs.toml --dry-run
"""


@click.command(name="batch", short_help="Make what a file of jobs asks for.", epilog=EXAMPLES)
@click.argument("jobs", type=click.Path(path_type=Path))
@with_options(RUN_OPTIONS)
@debug_option
def command(jobs: Path, **params: Any) -> None:
    """Make assets of several models, looks and formats in one go.

    Each asset is entered in index.jsonl when its files are whole. A batch that was stopped in any way goes on where it
    was when it is started again, and the result is the same.
    """
    from ..inference.batch.jobs import plan_of, read_jobs
    from ..inference.provenance import recipe_in

    def find(text: str) -> Path:
        """The model that a job names; paths are relative to the file of jobs, wherever it is started from."""
        return find_model(text, beside=jobs.parent)

    carry_out(plan_of(read_jobs(jobs), find, lambda text: recipe_in(jobs.parent / text)), params)
