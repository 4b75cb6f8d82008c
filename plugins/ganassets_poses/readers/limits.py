"""Limits and checks of all readers, so that a damaged or hostile file costs no more than an error."""

from __future__ import annotations

from array import array
from collections.abc import Iterable
from io import StringIO

import numpy as np
from numpy.typing import NDArray

from ganassets.api.errors import InputError

MOST_JOINTS = 2048
MOST_TRANSFORMS = 4_000_000  # joints times frames of one file
LARGEST_TEXT = 64 * 2**20  # bytes
LARGEST_NUMBER = 1e7  # in any unit; larger numbers are damage
SLOWEST, FASTEST = 0.1, 1000.0  # frames per second


def as_text(content: str | bytes) -> str:
    r"""Decode a file's text, with "\n" at the end of all lines.

    Raises:
        InputError: It is too long, or not text.
    """
    if len(content) > LARGEST_TEXT:
        raise InputError(f"more than {LARGEST_TEXT // 2**20} MB of text; cut it into shorter clips")
    text = content if isinstance(content, str) else content.decode(errors="replace")
    if "\0" in text:
        raise InputError("not a text file")
    return text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")


def parse_numbers(words: Iterable[str], what: str) -> list[float]:
    """Parse words as numbers.

    Args:
        words: Words to parse.
        what: Name of the numbers in errors.

    Raises:
        InputError: A word is not a number, not finite or larger than LARGEST_NUMBER.
    """
    words = list(words)
    try:
        found = [float(word) for word in words]
    except ValueError:
        raise InputError(describe_bad_number(words, what)) from None
    check_numbers(np.array(found), what)
    return found


def describe_bad_number(words: Iterable[str], what: str) -> str:
    """Return an error message about the first word that is not a number."""
    wrong = next(word for word in words if not is_number(word))
    return f"{what} should be numbers, not {wrong[:40]!r}"


def is_number(word: str) -> bool:
    """Return whether float() accepts a word."""
    try:
        float(word)
    except ValueError:
        return False
    return True


def check_numbers(values: NDArray[np.floating], what: str) -> None:
    """Raise InputError unless all values are finite and at most LARGEST_NUMBER."""
    if not np.isfinite(values).all():
        raise InputError(f"{what} hold numbers that are not finite")
    if values.size and np.abs(values).max() > LARGEST_NUMBER:
        raise InputError(f"{what} hold a number beyond {LARGEST_NUMBER:,.0f}")


def parse_number_lines(
    text: str, start: int, what: str
) -> tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.int64]]:
    """Parse all numbers from a position in the text to its end.

    Args:
        text: Text of the file.
        start: Position of the numbers.
        what: Name of the numbers in errors.

    Returns:
        (n,) numbers; (k,) how many there are in each line that has any; (k,) the numbers of these lines, from 1.

    Raises:
        InputError: See parse_numbers; the message has the line.
    """
    found, counts, lines = array("d"), array("q"), array("q")
    begin = text.rfind("\n", 0, start) + 1
    first = text.count("\n", 0, start) + 1
    for number, line in enumerate(StringIO(" " * (start - begin) + text[start:]), start=first):
        if words := line.split():
            try:
                found.extend(map(float, words))
            except ValueError:
                raise InputError(f"line {number:,}: {describe_bad_number(words, what)}") from None
            counts.append(len(words))
            lines.append(number)
    values = np.frombuffer(found, np.float64) if found else np.zeros(0)
    check_numbers(values, what)
    return values, np.array(counts, np.int64), np.array(lines, np.int64)


def frame_rate(seconds: float) -> float:
    """Return the frames per second of frames of a given duration, rounded to hundredths.

    Files round the duration: 0.0083333 is 120 frames per second.

    Raises:
        InputError: The duration is not above 0, or out of range.
    """
    if not 1 / FASTEST <= seconds <= 1 / SLOWEST:
        raise InputError(f"a frame lasts {seconds:g} s; {1 / FASTEST:g} to {1 / SLOWEST:g} s can be read")
    return round(1 / seconds, 2)


def check_motion_size(joints: int, frames: int) -> None:
    """Raise InputError for too many joints or frames."""
    if joints > MOST_JOINTS:
        raise InputError(f"more than {MOST_JOINTS:,} joints")
    if joints * frames > MOST_TRANSFORMS:
        raise InputError(
            f"{frames:,} frames of {joints:,} joints are more than {MOST_TRANSFORMS:,} poses of joints; "
            "cut it into shorter clips"
        )
