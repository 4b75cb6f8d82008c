"""Sizes of size-free models: parse, check and write them."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

from ..api.errors import InputError

MAX_SIDE = 2**16  # samples along an axis
MAX_TEXELS = 16 * 2**20


def parse_size(text: str) -> tuple[int, int]:
    """Parse a size such as "1024x512" (width x height) or "512" (a square).

    Returns:
        Rows and columns.

    Raises:
        InputError: The text is no size.
    """
    match = re.fullmatch(r"([0-9]{1,6})(?:x([0-9]{1,6}))?", text.strip().lower())
    if not match or not int(match[1]) or not int(match[2] or 1):
        raise InputError(f"the size must be WIDTHxHEIGHT, such as 1024x512, or one number, not {text!r}.")
    width = int(match[1])
    return int(match[2] or width), width


def is_too_large(size: Sequence[int]) -> bool:
    """Return whether a map of `size` samples along each axis is larger than the limits."""
    return max(size) > MAX_SIDE or math.prod(map(float, size)) > MAX_TEXELS


def check_size(size: Sequence[int]) -> None:
    """Raise InputError unless every side is positive and the map is within the limits."""
    if not 1 <= len(size) <= 2 or min(size) < 1 or is_too_large(size):
        raise InputError(
            f"a size of {format_size(size)} is not possible; at most {MAX_TEXELS:,} texels are, {MAX_SIDE:,} a side."
        )


def format_size(size: Sequence[int]) -> str:
    """Write a size along rows and columns as "1024x512", the width first."""
    return "x".join(str(side) for side in reversed(size))
