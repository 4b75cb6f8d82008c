"""`ganassets report`: a page about a run."""

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


@click.command(name="report", short_help="Write a page about a run.", epilog=EXAMPLES)
@click.argument("run", required=False, shell_complete=complete_generators)
@debug_option
def command(run: str | None) -> None:
    """Write report.html into a run's folder and print its path: how good the run is, curves, samples over time.

    RUN is a run's folder or a generator's name (its newest run); by default the newest run of all. A run in training
    writes its report by itself; the page needs no network.
    """
    from ..training.report import write_report

    say(write_report(find_run(run)))
