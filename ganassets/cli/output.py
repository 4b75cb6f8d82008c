"""Print text of the command line to the terminal.

File names, labels and texts in models come from elsewhere: they may hold control codes, letters that the terminal's
encoding lacks, and bytes that are no text.
"""

from __future__ import annotations

import contextlib
import sys
from typing import TYPE_CHECKING, Any

import click

from ..api.texts import printable, printable_lines, to_json

if TYPE_CHECKING:
    from rich.console import Console


def say(text: object, err: bool = False, **style: Any) -> None:
    """Print one line.

    Args:
        text: The line; anything but text is converted with str.
        err: Print to standard error.
        style: See click.style.
    """
    click.secho(printable(str(text)), err=err, **style)


def say_lines(text: str, err: bool = False) -> None:
    """Print several lines."""
    click.echo(printable_lines(text), err=err)


def say_json(value: Any) -> None:
    """Print a value as JSON."""
    click.echo(to_json(value, indent=2))


def make_console(stderr: bool = False) -> Console:
    """Return a rich console for tables, progress and lines."""
    from .console import PlainConsole

    return PlainConsole(stderr)


def replace_unknown_letters() -> None:
    """Make standard output and error print "?" for letters that their encoding lacks, instead of failing."""
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(AttributeError, ValueError):  # tests and callers may replace the streams
            stream.reconfigure(errors="replace")  # pyright: ignore[reportAttributeAccessIssue]
