"""Numbers of records, and how they are written for people."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

Record = dict[str, Any]
LARGEST = 1e30  # beyond it a number is a fault; below one over it, nought
NARROW_SPACE = "\u202f"  # does not break


def number(record: Mapping[str, Any], *keys: str) -> float | None:
    """The number under a key, or a key of a table in it; None where it is missing, no number or not finite."""
    value: Any = record
    for key in keys:
        value = value.get(key) if isinstance(value, Mapping) else None
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    if not abs(value) <= LARGEST:
        return None
    return float(value) if abs(value) > 1 / LARGEST else 0.0


def thousands(value: float) -> str:
    """A whole number with its thousands apart: "12 500"."""
    return f"{round(value):,}".replace(",", NARROW_SPACE)


def short(value: float) -> str:
    """A number in three significant digits: "0.0123", "12.5", "12 500"."""
    if abs(value) >= 1e6 or 0 < abs(value) < 1e-4:
        return f"{value:.2e}".replace("e+0", "e").replace("e-0", "e-").replace("e+", "e")
    if abs(value) >= 1000:
        return thousands(value)
    return f"{value:.3g}"


def percent(share: float) -> str:
    """A share as "12 %"."""
    value = 100 * share
    return f"{value:.0f}{NARROW_SPACE}%" if abs(value) >= 10 or value == 0 else f"{value:.2g}{NARROW_SPACE}%"


def duration(seconds: float) -> str:
    """A time as "45 s", "12 min", "3 h 05 min" or "2 d 4 h"."""
    minutes, hours = round(seconds / 60), math.floor(seconds / 3600)
    if seconds < 60:
        return f"{seconds:.0f} s"
    if minutes < 60:
        return f"{minutes} min"
    if hours < 48:
        return f"{minutes // 60} h {minutes % 60:02d} min"
    return f"{hours // 24} d {hours % 24} h"
