"""Default callback."""

from __future__ import annotations


def ignore(*_: object) -> None:
    """Do nothing; the default of optional callbacks."""
