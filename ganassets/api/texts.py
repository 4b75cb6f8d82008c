"""Write text for terminals, JSON and shells that may hold untrusted parts (file names, labels, manifests)."""

from __future__ import annotations

import difflib
import json
import os
import re
import shlex
import subprocess
from collections.abc import Sequence
from typing import Any, cast

SURROGATE = re.compile("[\ud800-\udfff]")
UNDECODABLE = range(0xDC80, 0xDD00)  # how Python keeps bytes of a file name that are not UTF-8 (PEP 383)


def printable(text: str) -> str:
    r"""Return text that a terminal shows in one line: no control codes, line ends or changes of writing direction.

    Bytes of a file name that are not UTF-8 become "\xe9"; anything else that can't be shown becomes a space.

    >>> printable("two\nlines")
    'two lines'
    """
    return "".join(c if c.isprintable() else " " for c in escape_surrogates(text))


def printable_lines(text: str) -> str:
    """Return a text of several lines with each of them printable."""
    return "\n".join(map(printable, text.split("\n")))


def escape_surrogates(text: str) -> str:
    r"""Return text that UTF-8 can encode: "\xe9" for a byte of a file name, "\ud800" for any other lone surrogate."""
    return SURROGATE.sub(_escape, text)


def _escape(match: re.Match[str]) -> str:
    code = ord(match[0])
    return f"\\x{code & 0xFF:02x}" if code in UNDECODABLE else f"\\u{code:04x}"


def to_json(value: Any, indent: int | None = None) -> str:
    """Return JSON that every reader accepts, also with file names that are not UTF-8.

    Args:
        value: str, number, bool, None, or lists and dicts of these.
        indent: Spaces per level; None for a single line.
    """
    return json.dumps(_escape_strings(value), indent=indent)


def _escape_strings(value: Any) -> Any:
    if isinstance(value, str):
        return escape_surrogates(value)
    if isinstance(value, dict):
        pairs = cast("dict[Any, Any]", value).items()
        return {_escape_strings(key): _escape_strings(item) for key, item in pairs}
    if isinstance(value, (list, tuple)):
        return [_escape_strings(item) for item in cast("Sequence[Any]", value)]
    return value


def shell_command(*words: object) -> str:
    """Return a command line to suggest to the user, with its words quoted where the shell needs it.

    POSIX shells and fish take single quotes, PowerShell and cmd.exe double ones.
    """
    texts = [str(word) for word in words]
    return subprocess.list2cmdline(texts) if os.name == "nt" else shlex.join(texts)


def suggest_name(word: str, known: Sequence[str]) -> str:
    """Return the end of an error about an unknown name: the name that was probably meant, else all names.

    >>> suggest_name("face", ["faces", "poses"])
    "did you mean 'faces'?"
    >>> suggest_name("x", ["faces", "poses"])
    'choose from faces, poses.'
    """
    close = difflib.get_close_matches(word.lower(), known, 1)
    if close:
        return f"did you mean {close[0]!r}?"
    return f"choose from {', '.join(known)}." if known else "none is installed."
