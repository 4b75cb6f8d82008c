"""The one family of errors that users see."""

from __future__ import annotations


class GanassetsError(Exception):
    """A failure told in one sentence that says what to do; the command line exits with `exit_code`."""

    exit_code = 1


class InputError(GanassetsError):
    """Something the user gave (a file, an option, a folder) can't be used."""

    exit_code = 2


def one_line(error: BaseException) -> str:
    """An error's class and the first line of its text, for a sentence: "KeyError: 'x'"."""
    try:
        lines = str(error).strip().splitlines()
    except Exception:  # a stranger's exception may fail even at being printed
        lines = []
    return f"{type(error).__name__}: {lines[0].rstrip('. ')}" if lines else type(error).__name__
