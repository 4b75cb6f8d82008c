"""Parse and draw seeds."""

from __future__ import annotations

import re
import secrets

from ..api.errors import InputError
from ..api.latents import MAX_SEED

MAX_SEEDS = 1_000_000
RANDOM_SEEDS = 10**8  # random seeds are below this, so that they are easy to note down


def parse_seeds(text: str) -> tuple[int, ...]:
    """Parse seeds such as "7", "1-200" or "1,5,9-12".

    Returns:
        Each seed once, in the order written.

    Raises:
        InputError: The text is no list of seeds, or names more than MAX_SEEDS.
    """
    ranges = [_parse_range(part.strip()) for part in text.split(",")]
    if sum(last - first + 1 for first, last in ranges) > MAX_SEEDS:
        raise InputError(f"seeds {text!r} are more than {MAX_SEEDS:,}; ask for fewer at a time.")
    return tuple(dict.fromkeys(seed for first, last in ranges for seed in range(first, last + 1)))


def _parse_range(part: str) -> tuple[int, int]:
    match = re.fullmatch(r"([0-9]{1,19})(?:-([0-9]{1,19}))?", part)
    if not match:
        raise InputError(f"seeds {part!r} can't be read; write 7, 1-200 or 1,5,9-12 (whole numbers from 0).")
    first, last = int(match[1]), int(match[2] or match[1])
    if first > last:
        raise InputError(f"seeds {part!r} run backwards; write {last}-{first}.")
    if last > MAX_SEED:
        raise InputError(f"seed {last} is larger than {MAX_SEED}.")
    return first, last


def consecutive_seeds(first: int, count: int) -> range:
    """Return `count` seeds from `first` on; InputError where they pass the largest one."""
    if first + count - 1 > MAX_SEED:
        raise InputError(f"seeds end at {MAX_SEED}; start lower, or ask for fewer.")
    return range(first, first + count)


def random_seeds(count: int) -> tuple[int, ...]:
    """Draw at most `count` different seeds at random."""
    return tuple(dict.fromkeys(secrets.randbelow(RANDOM_SEEDS) for _ in range(count)))
