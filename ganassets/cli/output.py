"""The one way of the command line's texts to the terminal.

Names of files, labels and what models say of themselves are strangers' texts: they may hold control codes, letters that
the terminal's encoding lacks, and bytes that are no text at all.
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
        text: of the line; a path or anything else as its str.
        err: to standard error.
        style: see click.style.
    """
    click.secho(printable(str(text)), err=err, **style)


def say_lines(text: str, err: bool = False) -> None:
    """Print a text of several lines."""
    click.echo(printable_lines(text), err=err)


def say_json(value: Any) -> None:
    """Print JSON."""
    click.echo(to_json(value, indent=2))


def make_console(stderr: bool = False) -> Console:
    """A rich console for tables, progress and lines."""
    from .console import PlainConsole

    return PlainConsole(stderr)


def replace_unknown_letters() -> None:
    """Let standard output and error show "?" for a letter that their encoding lacks, in place of an error."""
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(AttributeError, ValueError):  # a caller may replace the streams
            stream.reconfigure(errors="replace")  # pyright: ignore[reportAttributeAccessIssue]
