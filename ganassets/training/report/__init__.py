"""A run told on one page, run/report.html, for whoever trains: verdict, curves, grids over time, nearest neighbours.

files.py reads the folder, verdict.py judges, charts.py draws, page.py writes the HTML. Needs no torch.
"""

from __future__ import annotations

from pathlib import Path

from ..lock import write_in_run
from .files import read_facts
from .page import report_html

__all__ = ["REPORT_FILE", "report_html", "write_report"]

REPORT_FILE = "report.html"


def write_report(run: Path) -> Path:
    """Write run/report.html, one file of a few MB at most that needs nothing else and no network.

    Files of the run that are missing, cut off or damaged are left out, and the page says so.

    Args:
        run: the run's folder; the same content gives the same bytes.

    Raises:
        InputError: the page can't be written there.
    """
    run = Path(run)
    # What UTF-8 can't hold (half a surrogate pair out of a file) must not fail the page.
    content = report_html(read_facts(run)).encode("utf-8", "replace")
    write_in_run(run / REPORT_FILE, content)
    return run / REPORT_FILE
