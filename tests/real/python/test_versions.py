"""Assets differ between versions of onnxruntime and processors by no more than docs/models.md says.

tests/real/blender/test_extension.py tests that the same version gives the same bytes.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

pytestmark = pytest.mark.real

DIRECTIONS = 1e-4  # tolerance of unit vectors and quaternions
METRES = {"faces": 1e-6, "textures": 1e-6, "poses": 1e-4}  # tolerance; clips sum up the steps of all frames
KINDS = {"faces": (), "textures": ("--size", "128"), "poses": ("--seconds", "1")}


def generate(kind: str, folder: Path, modules: Path | None = None, before: tuple[str, ...] = ()) -> dict[str, Path]:
    """Generate the parts of three assets; returns files by name, without thumbnails, where edges may move by a pixel.

    Args:
        kind: name of the model.
        folder: folder for the parts.
        modules: folder whose packages are used before all others.
        before: start of the command.
    """
    command = [*before, sys.executable, "-m", "ganassets", "generate", kind, *KINDS[kind], "--seeds", "1-3"]
    # Some machines choose numpy's kernels by OPENBLAS_CORETYPE, which an emulated processor may lack.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("OPENBLAS_")}
    environment |= {"PYTHONPATH": str(modules)} if modules else {}
    done = subprocess.run(
        [*command, "--to", "parts", "--no-preview", "-o", str(folder)], env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    paths = [path for path in folder.iterdir() if path.suffix in (".npz", ".png")]
    return {path.name: path for path in paths if not path.stem.endswith("_thumb")}


def assert_close(kind: str, ours: dict[str, Path], theirs: dict[str, Path]) -> None:
    """Check that both have the same files, with values within the tolerances."""
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
                    limit = DIRECTIONS if key in ("normals", "rotations") else METRES[kind]
                    np.testing.assert_allclose(one[key], other[key], rtol=0, atol=limit, err_msg=f"{name} {key}")


@pytest.mark.parametrize("kind", KINDS)
def test_other_versions_differ_by_less_than_anyone_sees(kind: str, other_runtime: Path, tmp_path: Path) -> None:
    probe = [sys.executable, "-c", "import onnxruntime; print(onnxruntime.__file__)"]
    done = subprocess.run(probe, env=os.environ | {"PYTHONPATH": str(other_runtime)}, capture_output=True, text=True)
    assert done.stdout.startswith(str(other_runtime))
    ours, theirs = generate(kind, tmp_path / "ours"), generate(kind, tmp_path / "theirs", other_runtime)
    assert_close(kind, ours, theirs)


@pytest.mark.parametrize("kind", KINDS)
def test_other_processors_differ_by_less_than_anyone_sees(
    kind: str, older_processor: tuple[str, ...], tmp_path: Path
) -> None:
    ours, theirs = generate(kind, tmp_path / "ours"), generate(kind, tmp_path / "theirs", before=older_processor)
    assert_close(kind, ours, theirs)
