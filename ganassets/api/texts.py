"""Texts that strangers wrote (names of files, labels, manifests) on their way to a terminal, a JSON file or a shell."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
from typing import Any

SURROGATE = re.compile("[\ud800-\udfff]")
NAME_BYTES = range(0xDC80, 0xDD00)  # how Python keeps bytes of a file's name that are no UTF-8 (PEP 383)


def printable(text: str) -> str:
    """One line that a terminal only shows: no control codes, no line ends, nothing that changes the writing direction.

    Bytes of a file's name that are no UTF-8 become "\\xe9"; all else that can't be shown becomes a blank.
    """
    return "".join(c if c.isprintable() else " " for c in escape_surrogates(text))


def printable_lines(text: str) -> str:
    """A text of several lines, each printable."""
    return "\n".join(map(printable, text.split("\n")))


def escape_surrogates(text: str) -> str:
    """Text that UTF-8 can hold: "\\xe9" for a byte of a file's name, "\\ud800" for any other half of a letter."""
    return SURROGATE.sub(_escape, text)


def _escape(match: re.Match[str]) -> str:
    code = ord(match[0])
    return f"\\x{code & 0xFF:02x}" if code in NAME_BYTES else f"\\u{code:04x}"


def to_json(value: Any, indent: int | None = None) -> str:
    """JSON that every reader takes, whatever bytes a file's name in it has."""
    return json.dumps(_well_formed(value), indent=indent)


def _well_formed(value: Any) -> Any:
    if isinstance(value, str):
        return escape_surrogates(value)
    if isinstance(value, dict):
        return {_well_formed(key): _well_formed(one) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [_well_formed(one) for one in value]
    return value


def shell_command(*words: object) -> str:
    """A command to suggest: its words as a shell takes them, quoted where they need it.

    POSIX shells and fish take single quotes, PowerShell and cmd.exe double ones.
    """
    texts = [str(word) for word in words]
    return subprocess.list2cmdline(texts) if os.name == "nt" else shlex.join(texts)
