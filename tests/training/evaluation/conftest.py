"""These tests measure and run as users do, not as the short runs beside them."""

from __future__ import annotations

import pytest


@pytest.fixture
def cheap_runs() -> None:
    """Change nothing: takes the place of the fixture of tests/training."""
