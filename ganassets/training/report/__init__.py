"""Write a report of a run, run/report.html: verdict, charts, samples over time and nearest neighbours.

files.py reads the run folder, verdict.py judges it, charts.py draws, and page.py writes the HTML. Needs no torch.
"""

from __future__ import annotations

from pathlib import Path

from ..lock import write_in_run
from .files import read_facts
from .page import report_html

__all__ = ["REPORT_FILE", "report_html", "write_report"]

REPORT_FILE = "report.html"


def write_report(run: Path) -> Path:
    """Write run/report.html, a single file of a few MB at most that needs no network, and return its path.

    Files of the run that are missing, cut off or damaged are left out, and the page lists them.

    Args:
        run: Folder of the run; the same content gives the same bytes.

    Raises:
        InputError: The page can't be written.
    """
    run = Path(run)
    # A file may hold half a surrogate pair, which UTF-8 can't encode.
    content = report_html(read_facts(run)).encode("utf-8", "replace")
    write_in_run(run / REPORT_FILE, content)
    return run / REPORT_FILE
