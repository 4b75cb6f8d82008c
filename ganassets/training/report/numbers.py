"""Read numbers from records, and format them for people."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

Record = dict[str, Any]
# Larger numbers count as faults, and numbers below its inverse as 0.
LARGEST = 1e30
# A narrow space without a line break.
NARROW_SPACE = "\u202f"


def number(record: Mapping[str, Any], *keys: str) -> float | None:
    """Return the number under a key, or under a path of keys; None when it is missing, no number or not finite."""
    value: Any = record
    for key in keys:
        value = value.get(key) if isinstance(value, Mapping) else None
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    if not abs(value) <= LARGEST:
        return None
    return float(value) if abs(value) > 1 / LARGEST else 0.0


def thousands(value: float) -> str:
    """Format a rounded number with separated thousands, as in "12 500"."""
    return f"{round(value):,}".replace(",", NARROW_SPACE)


def short(value: float) -> str:
    """Format a number with three significant digits, as in "0.0123", "12.5" or "12 500"."""
    if abs(value) >= 1e6 or 0 < abs(value) < 1e-4:
        return f"{value:.2e}".replace("e+0", "e").replace("e-0", "e-").replace("e+", "e")
    if abs(value) >= 1000:
        return thousands(value)
    return f"{value:.3g}"


def percent(share: float) -> str:
    """Format a share as a percentage, as in "12 %"."""
    value = 100 * share
    return f"{value:.0f}{NARROW_SPACE}%" if abs(value) >= 10 or value == 0 else f"{value:.2g}{NARROW_SPACE}%"


def duration(seconds: float) -> str:
    """Format a time, as in "45 s", "12 min", "3 h 05 min" or "2 d 4 h"."""
    minutes, hours = round(seconds / 60), math.floor(seconds / 3600)
    if seconds < 60:
        return f"{seconds:.0f} s"
    if minutes < 60:
        return f"{minutes} min"
    if hours < 48:
        return f"{minutes // 60} h {minutes % 60:02d} min"
    return f"{hours // 24} d {hours % 24} h"
