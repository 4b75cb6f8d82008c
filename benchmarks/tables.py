"""Print paragraphs and markdown tables."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence


def say(text: str) -> None:
    """Print a paragraph."""
    print(textwrap.fill(text, 100), end="\n\n", flush=True)


def print_table(rows: Sequence[dict[str, str]]) -> None:
    """Print a markdown table of rows, which are cells by column."""
    for row in (rows[0], ["---"] * len(rows[0]), *(row.values() for row in rows)):
        print(f"| {' | '.join(row)} |")
    print(flush=True)
