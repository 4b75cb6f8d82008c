"""Read TOML from untrusted files.

tomllib stores all prefixes of a dotted key, so a key of 40,000 parts takes gigabytes, and it recurses for each level
of arrays and inline tables. Therefore parts and levels are counted before tomllib sees the text.
"""

from __future__ import annotations

import re
import tomllib
from typing import Any

MOST_LETTERS = 2**20  # limit of a file's characters
MOST_PARTS = 16  # limit of the parts of a dotted key or a table's name
MOST_LEVELS = 32  # limit of nested arrays and inline tables

# Tokens: strings and comments, whose dots and brackets mean nothing (TOML 1.0, "String" and "Comment"); a quote without
# its end; characters that end a key, or open or close a level. Repetitions are possessive, so that no text makes the
# search slow.
STRINGS = (
    r'"""(?:[^"\\]|\\.|"{1,2}(?!"))*+"{3,5}',
    r"'''(?:[^']|'{1,2}(?!'))*+'{3,5}",
    r'"(?!"")(?:[^"\\\n]|\\[^\n])*+"',
    r"'(?!'')[^'\n]*+'",
)
COMMENT = r"\#[^\n]*+"
TOKEN = re.compile(rf"{'|'.join([*STRINGS, COMMENT])}|(?P<broken>[\"'])|(?P<mark>[.=,\n\[\]{{}}])", re.DOTALL)


def parse_toml(text: str) -> dict[str, Any]:
    """Return the table of a TOML text.

    Raises:
        ValueError: The text is invalid, too long or nested too deeply.
    """
    check_nesting(text)
    return tomllib.loads(text)


def check_nesting(text: str) -> None:
    """Raise ValueError if a TOML text is too long, or its keys or values are nested too deeply.

    Invalid TOML is checked up to its first error, where tomllib stops too.
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
    """Return the number of a token's line, from 1."""
    return text.count("\n", 0, token.start()) + 1
