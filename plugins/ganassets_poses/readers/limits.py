"""What every reader holds a file to, so that a broken or hostile one costs an error and nothing else."""

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
LARGEST_NUMBER = 1e7  # of any unit: a number beyond it is damage
SLOWEST, FASTEST = 0.1, 1000.0  # frames a second


def as_text(content: str | bytes) -> str:
    """Text of a file, all lines ended by a line feed.

    Raises:
        InputError: it is too long, or no text.
    """
    if len(content) > LARGEST_TEXT:
        raise InputError(f"more than {LARGEST_TEXT // 2**20} MB of text; cut it into shorter clips")
    text = content if isinstance(content, str) else content.decode(errors="replace")
    if "\0" in text:
        raise InputError("not a text file")
    return text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")


def parse_numbers(words: Iterable[str], what: str) -> list[float]:
    """Words as numbers.

    Args:
        words: what the file has.
        what: the numbers are, for errors.

    Raises:
        InputError: a word is no number, not finite or beyond LARGEST_NUMBER.
    """
    words = list(words)
    try:
        found = [float(word) for word in words]
    except ValueError:
        raise InputError(describe_bad_number(words, what)) from None
    check_numbers(np.array(found), what)
    return found


def describe_bad_number(words: Iterable[str], what: str) -> str:
    """An error about the first of the words that is no number."""
    wrong = next(word for word in words if not is_number(word))
    return f"{what} should be numbers, not {wrong[:40]!r}"


def is_number(word: str) -> bool:
    """Whether float() reads the word."""
    try:
        float(word)
    except ValueError:
        return False
    return True


def check_numbers(values: NDArray[np.floating], what: str) -> None:
    """Raise InputError where one of the values is not finite or beyond LARGEST_NUMBER."""
    if not np.isfinite(values).all():
        raise InputError(f"{what} hold numbers that are not finite")
    if values.size and np.abs(values).max() > LARGEST_NUMBER:
        raise InputError(f"{what} hold a number beyond {LARGEST_NUMBER:,.0f}")


def parse_number_lines(
    text: str, start: int, what: str
) -> tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.int64]]:
    """All numbers from a place in the text to its end.

    Returns:
        (n,) numbers; (k,) how many each line has that has any; (k,) the lines' numbers in the file, from 1.

    Raises:
        InputError: as parse_numbers(), with the line.
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
    """Frames a second where a frame lasts that long. Files round the time, so the result is rounded to hundredths:
    0.0083333 is 120.

    Raises:
        InputError: the time is not above 0, or out of all reason.
    """
    if not 1 / FASTEST <= seconds <= 1 / SLOWEST:
        raise InputError(f"a frame lasts {seconds:g} s; {1 / FASTEST:g} to {1 / SLOWEST:g} s can be read")
    return round(1 / seconds, 2)


def check_size(joints: int, frames: int) -> None:
    """Raise InputError for more joints or frames than fit."""
    if joints > MOST_JOINTS:
        raise InputError(f"more than {MOST_JOINTS:,} joints")
    if joints * frames > MOST_TRANSFORMS:
        raise InputError(
            f"{frames:,} frames of {joints:,} joints are more than {MOST_TRANSFORMS:,} poses of joints; "
            "cut it into shorter clips"
        )
