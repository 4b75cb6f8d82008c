"""One seed with other versions of onnxruntime is as close as docs/models.md says; test_extension.py has the same."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

pytestmark = pytest.mark.real

METRES = 1e-6
KINDS = {"faces": (), "textures": ("--size", "128"), "poses": ("--seconds", "1")}


def generate(kind: str, folder: Path, modules: Path | None = None) -> dict[str, Path]:
    """Make three assets' parts, with the packages of a folder before all others; returns files by name."""
    command = [sys.executable, "-m", "ganassets", "generate", kind, *KINDS[kind], "--seeds", "1-3", "--to", "parts"]
    environment = os.environ | ({"PYTHONPATH": str(modules)} if modules else {})
    done = subprocess.run(
        [*command, "--no-preview", "-o", str(folder)], env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return {path.name: path for path in folder.iterdir() if path.suffix in (".npz", ".png")}


@pytest.mark.parametrize("kind", KINDS)
def test_other_versions_differ_by_less_than_anyone_sees(kind: str, other_runtime: Path, tmp_path: Path) -> None:
    probe = [sys.executable, "-c", "import onnxruntime; print(onnxruntime.__file__)"]
    told = subprocess.run(probe, env=os.environ | {"PYTHONPATH": str(other_runtime)}, capture_output=True, text=True)
    assert told.stdout.startswith(str(other_runtime))
    ours, theirs = generate(kind, tmp_path / "ours"), generate(kind, tmp_path / "theirs", other_runtime)
    assert ours.keys() == theirs.keys() and len(ours) >= 3
    for name in ours:
        if name.endswith(".png"):
            one, other = (np.asarray(Image.open(files[name])) for files in (ours, theirs))
            assert one.dtype == other.dtype
            assert abs(one.astype(int) - other.astype(int)).max() <= np.iinfo(one.dtype).max // 255, name
        else:
            with np.load(ours[name]) as one, np.load(theirs[name]) as other:
                assert set(one) == set(other)
                for key in one:
                    np.testing.assert_allclose(one[key], other[key], rtol=0, atol=METRES, err_msg=f"{name} {key}")
