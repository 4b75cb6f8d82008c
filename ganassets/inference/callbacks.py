"""The default of callbacks."""

from __future__ import annotations


def ignore(*_: object) -> None:
    """Do nothing: the default of a callback that a caller need not pass."""
