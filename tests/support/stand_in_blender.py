"""A module bpy for programs that a Python without Blender stands in for."""

from __future__ import annotations

from pathlib import Path

import pytest

from ganassets.api.blender import VARIABLE


def put_bpy(folder: Path, version: tuple[int, int, int] = (4, 5, 0)) -> Path:
    """Write the module bpy of a version of Blender into a folder and return that."""
    folder.mkdir(exist_ok=True)
    name = ".".join(map(str, version))
    (folder / "bpy.py").write_text(f"class app:\n    version, version_string = {version}, {name!r}\n")
    return folder


def stand_in(monkeypatch: pytest.MonkeyPatch, folder: Path, program: str) -> None:
    """Let a Python pass for the one that has Blender's module, which lies in a new folder."""
    monkeypatch.setenv("PYTHONPATH", str(put_bpy(folder)))
    monkeypatch.setenv(VARIABLE, program)
