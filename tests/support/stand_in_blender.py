"""A fake module bpy, so that a Python without Blender can take the place of a Blender."""

from __future__ import annotations

from pathlib import Path

import pytest

from ganassets.api.blender import VARIABLE


def put_bpy(folder: Path, version: tuple[int, int, int] = (4, 5, 0)) -> Path:
    """Write a fake module bpy of a version of Blender into a folder; returns the folder."""
    folder.mkdir(exist_ok=True)
    name = ".".join(map(str, version))
    (folder / "bpy.py").write_text(f"class app:\n    version, version_string = {version}, {name!r}\n")
    return folder


def stand_in(monkeypatch: pytest.MonkeyPatch, folder: Path, program: str) -> None:
    """Let a Python take the place of the one that has Blender's module.

    Args:
        monkeypatch: sets the environment variables.
        folder: new folder for the module bpy.
        program: the Python.
    """
    monkeypatch.setenv("PYTHONPATH", str(put_bpy(folder)))
    monkeypatch.setenv(VARIABLE, program)
