"""Commands that start a Blender without numpy fail with a one-line error."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from ganassets.api.blender import VARIABLE

pytestmark = pytest.mark.real

COMMANDS = {
    "fbx": ("generate", "poses", "--seeds", "1", "--seconds", "0.5", "--to", "fbx", "--no-preview"),
    "library": ("blender", "library", "textures", "--seeds", "1", "--size", "64"),
}


@pytest.mark.parametrize("name", COMMANDS)
def test_a_blender_without_numpy(blender_program: str, name: str, tmp_path: Path) -> None:
    (tmp_path / "modules").mkdir()
    (tmp_path / "modules" / "numpy.py").write_text("raise ModuleNotFoundError(\"No module named 'numpy'\")")
    # Only Blender gets the path. The command runs in a new process, because this one may have a Blender that is open.
    program = tmp_path / "blender"
    program.write_text(f'#!/bin/sh\nPYTHONPATH="{tmp_path}/modules" exec "{blender_program}" "$@"\n')
    program.chmod(0o755)
    command = [sys.executable, "-m", "ganassets", *COMMANDS[name], "-o", str(tmp_path / "out")]
    done = subprocess.run(command, env=os.environ | {VARIABLE: str(program)}, capture_output=True, text=True)
    assert done.returncode in (1, 2)
    assert re.search(rf"{program} \(Blender 3\.4\.\d+, Python 3\.11\.\d+\) can't import numpy", done.stderr)
    assert "apt install python3-numpy" in done.stderr and "Traceback" not in done.stdout + done.stderr
    assert not list(tmp_path.rglob("*.blend")) and not list(tmp_path.rglob("*.fbx"))
