"""A real Blender whose Python has no numpy is refused in one sentence by whatever would start it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from ganassets.blender import VARIABLE
from ganassets.cli import cli

pytestmark = pytest.mark.real

COMMANDS = {
    "fbx": ("generate", "poses", "--seeds", "1", "--seconds", "0.5", "--to", "fbx", "--no-preview"),
    "library": ("blender", "library", "textures", "--seeds", "1", "--size", "64"),
}


@pytest.mark.parametrize("name", COMMANDS)
def test_a_blender_without_numpy(
    blender_program: str, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "modules").mkdir()
    (tmp_path / "modules" / "numpy.py").write_text("raise ModuleNotFoundError(\"No module named 'numpy'\")")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "modules"))
    monkeypatch.setenv(VARIABLE, blender_program)
    done = CliRunner().invoke(cli, (*COMMANDS[name], "-o", str(tmp_path / "out")), prog_name="ganassets")
    assert done.exit_code in (1, 2)
    assert re.search(rf"{blender_program} \(Blender 3\.4\.\d+, Python 3\.11\.\d+\) can't import numpy", done.stderr)
    assert "apt install python3-numpy" in done.stderr and "Traceback" not in done.output
    assert not list(tmp_path.rglob("*.blend")) and not list(tmp_path.rglob("*.fbx"))
