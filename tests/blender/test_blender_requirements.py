"""The add-on says in one sentence why a Blender can't run it."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest


@pytest.fixture
def requirements(addon: Callable[[str], ModuleType], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> ModuleType:
    """The module in a Blender that can run the add-on, with Python 3.13."""
    bpy = ModuleType("bpy")
    bpy.app = SimpleNamespace(version_string="6.0.1", binary_path="/usr/blender")  # pyright: ignore[reportAttributeAccessIssue]
    monkeypatch.setitem(sys.modules, "bpy", bpy)
    monkeypatch.setattr(sys, "version_info", (3, 13, 5))
    for tag in ("cp311-cp311", "cp313-cp313"):
        (tmp_path / f"one-1-{tag}-any.whl").touch()
    found = addon("blender_requirements")
    monkeypatch.setattr(found, "bpy", bpy)
    monkeypatch.setattr(found, "WHEELS", tmp_path)
    return found


def test_a_blender_that_can_run_the_addon(requirements: ModuleType) -> None:
    assert requirements.find_problem() == ""


def test_a_checkout_without_wheels_runs_with_any_python(
    requirements: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(requirements, "WHEELS", tmp_path / "none")
    monkeypatch.setattr(sys, "version_info", (3, 15, 0))
    assert requirements.find_problem() == ""


def test_a_python_without_wheels(requirements: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "version_info", (3, 15, 0))
    assert requirements.find_problem() == (
        "GAN Assets supports Python 3.11 and 3.13 only and can't run in Blender 6.0.1 (/usr/blender, Python 3.15.0): "
        "install a newer GAN Assets, or use a Blender with one of these Python versions."
    )


def test_a_blender_without_numpy(requirements: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "numpy", None)
    message = requirements.find_problem()
    assert message.startswith(
        "GAN Assets needs numpy, which Blender 6.0.1 (/usr/blender, Python 3.13.5) can't import (import of numpy halted"
    )
    assert message.count(". ") == 0 and message.endswith("which includes it.")
