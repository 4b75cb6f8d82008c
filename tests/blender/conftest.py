"""The add-on's modules that need no Blender."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

import ganassets_blender

ADDON = Path(ganassets_blender.__file__).with_name("addon")


@pytest.fixture
def addon(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], ModuleType]:
    """Imports a module of the add-on without the add-on itself."""
    package = ModuleType("addon_in_tests")
    package.__path__ = [str(ADDON)]
    monkeypatch.setitem(sys.modules, package.__name__, package)
    return lambda name: importlib.import_module(f"{package.__name__}.{name}")
