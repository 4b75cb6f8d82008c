"""The extension's zip in Blender: it is valid, it installs, and Blender's Python generates assets with its packages."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from ganassets import __version__
from ganassets.cli import cli
from ganassets_blender import wheels

pytestmark = pytest.mark.real

NUMPY = {"3.4": "1.24.", "4.2": "1.24.", "4.5.15": "1.26.", "5.0": "1.26.", "5.2": "2.", "5.3": "2."}
PIECES = {
    "textures": ("--size", "256", "--to", "images"),
    "faces": ("--to", "gltf"),
    "poses": ("--to", "bvh"),
}


def make_command(kind: str, folder: Path) -> list[str]:
    """Command that generates two assets of a kind."""
    return ["generate", kind, "--seeds", "1-2", "--no-preview", "-o", str(folder), *PIECES[kind]]


@pytest.fixture(scope="module")
def textures(tmp_path_factory: pytest.TempPathFactory) -> dict[str, np.ndarray]:
    """Images that the command line generates here, by file name."""
    folder = tmp_path_factory.mktemp("textures")
    done = CliRunner().invoke(cli, make_command("textures", folder))
    assert done.exit_code == 0, done.output
    return pictures(folder)


def pictures(folder: Path) -> dict[str, np.ndarray]:
    """Pixels of the images in a folder, by file name."""
    return {path.name: np.asarray(Image.open(path)) for path in sorted(folder.glob("*.png"))}


def test_blender_finds_the_zip_valid(validate: Callable[[Path], str], extension: Path):
    assert "Success" in validate(extension)


def test_blender_finds_a_spoiled_zip_invalid(validate: Callable[[Path], str], extension: Path, tmp_path: Path):
    with zipfile.ZipFile(extension) as file, zipfile.ZipFile(tmp_path / "spoiled.zip", "w") as spoiled:
        for name in file.namelist():
            if not name.endswith(".whl"):
                spoiled.writestr(name, file.read(name).replace(b'"Pipeline"', b'"Nonsense"'))
    assert "Nonsense" in validate(tmp_path / "spoiled.zip")


def test_it_installs_and_is_enabled(extended: Any):
    facts = extended.facts
    assert facts["enabled"]
    assert ".".join(map(str, facts["version"])) == __version__
    assert facts["numpy_version"].startswith(NUMPY[extended.version])
    assert any(facts["addon"].startswith(folder) for folder in extended.variables.values())
    assert (Path(facts["packages"]) / "ganassets_textures" / "data" / "textures.onnx").is_file()


def test_blender_itself_imports_what_it_brings(extended: Any):
    if extended.version == "3.4":
        assert "onnxruntime" not in extended.facts  # it does not install wheels
    else:
        assert extended.facts["onnxruntime"] == extended.facts["packages"]
        assert extended.facts["packages"].startswith(extended.variables["BLENDER_USER_RESOURCES"])
        assert "CPUExecutionProvider" in extended.facts["providers"]


def test_all_that_was_in_the_zip_is_installed(extended: Any, extension: Path):
    folder = Path(extended.facts["addon"])
    with zipfile.ZipFile(extension) as file:
        for entry in file.infolist():
            assert (folder.parent / entry.filename).stat().st_size == entry.file_size


def test_a_rebuilt_zip_of_the_same_version_replaces_all(
    extended: Any, extension: Path, build: Callable[[Path], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    if extended.version == "3.4":
        pytest.skip("the add-on unpacks its packages itself")
    read = wheels.read_packages
    monkeypatch.setattr(wheels, "read_packages", lambda own: read(own) | {"ganassets/later.py": b""})
    variables = {"BLENDER_USER_RESOURCES": str(tmp_path)}
    report = replace(extended, variables=variables)("reinstall_extension.py", extension, build(tmp_path / "dist"))
    before, after, gone = report["steps"]
    assert "__main__.py" in before
    assert sorted([*before, "later.py"]) == after
    assert gone == []


def test_packages_come_from_the_extension_alone(extended: Any):
    code = "import sys, ganassets, onnxruntime, PIL, pydantic, click; print(*(m.__file__ for m in map(sys.modules.get, "
    done = extended.python("-c", code + "('ganassets', 'onnxruntime', 'PIL', 'pydantic', 'click'))))")
    assert done.returncode == 0, done.stderr
    assert len(done.stdout.split()) == 5
    assert all(path.startswith(extended.facts["packages"]) for path in done.stdout.split())


def test_it_makes_the_textures_that_the_command_line_makes(
    extended: Any, textures: dict[str, np.ndarray], tmp_path: Path
):
    done = extended.python("-m", "ganassets", *make_command("textures", tmp_path))
    assert done.returncode == 0, done.stdout + done.stderr
    made = pictures(tmp_path)
    assert made.keys() == textures.keys()
    assert len(made) == 8
    for name, pixels in made.items():
        np.testing.assert_array_equal(pixels, textures[name])


@pytest.mark.parametrize("kind", PIECES)
def test_nothing_is_fetched(extended_thorough: Any, offline: tuple[str, ...], tmp_path: Path, kind: str):
    done = extended_thorough.python("-m", "ganassets", *make_command(kind, tmp_path), before=offline)
    assert done.returncode == 0, done.stdout + done.stderr
    assert len(list(tmp_path.glob(f"{kind}-0000000[12]*"))) >= 2


def test_the_network_is_really_away(extended_thorough: Any, offline: tuple[str, ...]):
    code = "import socket; socket.create_connection(('127.0.0.1', 9), 1)"
    assert "Network is unreachable" in extended_thorough.python("-c", code, before=offline).stderr
