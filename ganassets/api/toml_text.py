"""Read TOML that a stranger may have written.

tomllib keeps all prefixes of a dotted key, so a key of 40,000 parts takes gigabytes, and it calls itself for each level
of arrays and inline tables. So parts and levels are counted before it sees the text.
"""

from __future__ import annotations

import re
import tomllib
from typing import Any

MOST_LETTERS = 2**20
MOST_PARTS = 16  # of a dotted key or a table's name
MOST_LEVELS = 32  # of arrays and inline tables within each other

# Strings and comments, in which dots and brackets mean nothing (TOML 1.0, "String" and "Comment"); a quote that begins
# no whole string; the letters that end a key or open and close a level. Repetitions are possessive, so that no text can
# make the search slow.
STRINGS = (
    r'"""(?:[^"\\]|\\.|"{1,2}(?!"))*+"{3,5}',
    r"'''(?:[^']|'{1,2}(?!'))*+'{3,5}",
    r'"(?!"")(?:[^"\\\n]|\\[^\n])*+"',
    r"'(?!'')[^'\n]*+'",
)
COMMENT = r"\#[^\n]*+"
TOKEN = re.compile(rf"{'|'.join([*STRINGS, COMMENT])}|(?P<broken>[\"'])|(?P<mark>[.=,\n\[\]{{}}])", re.DOTALL)


def parse_toml(text: str) -> dict[str, Any]:
    """Table of a TOML text; ValueError when it is broken, too long or nested too deeply."""
    check_nesting(text)
    return tomllib.loads(text)


def check_nesting(text: str) -> None:
    """Raise ValueError when a TOML text is too long, or its keys or values are nested too deeply.

    A text that is no TOML is checked up to its first mistake, where tomllib stops too.
    """
    if len(text) > MOST_LETTERS:
        raise ValueError(f"more than {MOST_LETTERS:,} letters")
    dots = level = 0
    for token in TOKEN.finditer(text):
        if token["broken"]:
            return
        mark = token["mark"]
        if mark == ".":
            dots += 1
            if dots >= MOST_PARTS:
                raise ValueError(f"a key of more than {MOST_PARTS} parts in line {line_of(text, token)}")
        elif mark:
            dots = 0
            level += (mark in "[{") - (mark in "]}")
            if level > MOST_LEVELS:
                raise ValueError(f"more than {MOST_LEVELS} levels of brackets in line {line_of(text, token)}")


def line_of(text: str, token: re.Match[str]) -> int:
    """Number of the line that a token stands in."""
    return text.count("\n", 0, token.start()) + 1
