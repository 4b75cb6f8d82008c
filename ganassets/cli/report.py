"""`ganassets report`: write a report of a run."""

from __future__ import annotations

import click

from .base import complete_generators, debug_option
from .find import find_run
from .output import say

EXAMPLES = """\b
Examples:
  ganassets report
  ganassets report faces
  ganassets report runs/faces-20260131-1
"""


@click.command(name="report", short_help="Write a report of a run.", epilog=EXAMPLES)
@click.argument("run", required=False, shell_complete=complete_generators)
@debug_option
def command(run: str | None) -> None:
    """Write report.html into a run folder and print its path: verdict, charts and samples over time.

    RUN is a run folder, or the name of a generator for its newest run. The default is the newest run of all. Training
    writes the report too; the page needs no network.
    """
    from ..training.report import write_report

    say(write_report(find_run(run)))
