"""The extension's zip: its files, its manifest, and the command that builds it."""

from __future__ import annotations

import ast
import tomllib
import zipfile
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from ganassets import __version__
from ganassets.api.errors import InputError
from ganassets.cli import cli
from ganassets_blender import build
from ganassets_blender.build import ADDON, build_extension, licence_of, this_platform
from ganassets_blender.lock import PLATFORMS
from ganassets_blender.wheels import files_below, pack

WHEEL = "brought-2.0-py3-none-any.whl"
METADATA = "Metadata-Version: 2.4\nName: brought\nVersion: 2.0\n"


def wheel(fields: str) -> bytes:
    """Make a wheel with some fields in its metadata."""
    return pack({"brought-2.0.dist-info/METADATA": f"{METADATA}{fields}\n\nLicense: none of it.".encode()})


@pytest.fixture
def wheels(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, Path | None]]:
    """Requests for wheels, which return one small wheel instead of calling pip; our own wheel is small too."""
    asked: list[tuple[str, Path | None]] = []

    def fetch(platform: str, folder: Path, source: Path | None) -> list[Path]:
        asked.append((platform, source))
        (folder / WHEEL).write_bytes(wheel("License-Expression: MIT"))
        return [folder / WHEEL]

    monkeypatch.setattr(build, "fetch_wheels", fetch)
    monkeypatch.setattr(build, "make_own_wheel", lambda: ("ganassets-1-py3-none-any.whl", b"own"))
    return asked


def run(*args: str) -> Result:
    """Run the command line in this process."""
    return CliRunner().invoke(cli, ("blender", "build", *args), prog_name="ganassets")


def manifest_in(path: Path) -> dict:
    """Read the manifest in a zip."""
    with zipfile.ZipFile(path) as file:
        return tomllib.loads(file.read("ganassets/blender_manifest.toml").decode())


def test_the_zip_is_one_folder_with_all_that_it_needs(wheels: list, tmp_path: Path):
    path = build_extension("linux-x64", tmp_path / "new" / "dist")
    assert path == tmp_path / "new" / "dist" / f"ganassets-{__version__}-linux-x64.zip"
    own = {"blender_manifest.toml", "LICENSE", "NOTICE", f"wheels/{WHEEL}", "wheels/ganassets-1-py3-none-any.whl"}
    with zipfile.ZipFile(path) as file:
        assert set(file.namelist()) == {f"ganassets/{name}" for name in own | files_below(ADDON).keys()}
        assert b"GNU GENERAL PUBLIC LICENSE" in file.read("ganassets/LICENSE")
        assert b"- brought 2.0: MIT\n" in file.read("ganassets/NOTICE")
        assert f"- ganassets {__version__}: Apache-2.0 AND GPL-3.0-or-later".encode() in file.read("ganassets/NOTICE")
        assert file.read(f"ganassets/wheels/{WHEEL}") == wheel("License-Expression: MIT")


@pytest.mark.parametrize("platform", PLATFORMS)
def test_the_manifest(wheels: list, tmp_path: Path, platform: str):
    manifest = manifest_in(build_extension(platform, tmp_path))
    assert manifest["schema_version"] == "1.0.0"
    assert manifest["id"] == "ganassets"
    assert manifest["version"] == __version__
    assert manifest["platforms"] == [platform]
    assert manifest["license"] == ["SPDX:GPL-3.0-or-later"]
    assert manifest["blender_version_min"] == "4.2.0" and "blender_version_max" not in manifest
    assert manifest["wheels"] == [f"./wheels/{WHEEL}", "./wheels/ganassets-1-py3-none-any.whl"]
    assert manifest["permissions"].keys() == {"files"}
    for text in (manifest["tagline"], *manifest["permissions"].values()):
        assert 0 < len(text) <= 64
        assert text[-1].isalnum()


def test_the_addon_has_the_same_version_and_asks_for_no_later_blender():
    tree = ast.parse((ADDON / "__init__.py").read_text(encoding="utf-8"))
    (info,) = (
        ast.literal_eval(node.value)
        for node in tree.body
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "bl_info"
    )
    assert ".".join(map(str, info["version"])) == __version__
    assert info["blender"] == (3, 4, 0)


def test_the_same_input_makes_the_same_bytes(wheels: list, tmp_path: Path):
    first = build_extension("linux-x64", tmp_path / "a").read_bytes()
    path = build_extension("linux-x64", tmp_path / "b")
    assert path.read_bytes() == first
    assert build_extension("linux-x64", tmp_path / "b") == path  # which is replaced
    assert [found.name for found in (tmp_path / "b").iterdir()] == [path.name]


def test_a_wheel_that_is_not_to_be_had_leaves_nothing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    def fetch(platform: str, folder: Path, source: Path | None) -> list[Path]:
        raise InputError(f"pip can't get the wheels for {platform} (it printed nothing).")

    monkeypatch.setattr(build, "fetch_wheels", fetch)
    result = run("-o", str(tmp_path / "dist"), "--platform", "windows-x64")
    assert result.exit_code == 2
    assert result.stderr.endswith("Error: pip can't get the wheels for windows-x64 (it printed nothing).\n")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("fields", "licence"),
    [
        ("License-Expression: BSD-3-Clause\nClassifier: License :: OSI Approved :: MIT License", "BSD-3-Clause"),
        ("License: long\n  text\nClassifier: License :: OSI Approved :: MIT License", "MIT License"),
        ("License: MIT\nClassifier: Topic :: Other", "MIT"),
        ("Classifier: Topic :: Other", "see inside"),
    ],
)
def test_licences_are_what_wheels_say(fields: str, licence: str, tmp_path: Path):
    (tmp_path / WHEEL).write_bytes(wheel(fields))
    assert licence_of(tmp_path / WHEEL) == f"brought 2.0: {licence}"


def test_the_command_builds_for_this_machine(wheels: list, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(build, "this_platform", lambda: "macos-arm64")
    result = run("-o", str(tmp_path))
    assert result.exit_code == 0, result.output
    assert wheels == [("macos-arm64", None)]
    assert result.stdout == f"{tmp_path / f'ganassets-{__version__}-macos-arm64.zip'} (0.1 MB)\n"
    assert result.stderr.splitlines() == ["macos-arm64: getting the wheels", "macos-arm64: packing"]


def test_the_command_builds_for_others(wheels: list, tmp_path: Path):
    (tmp_path / "wheels").mkdir()
    named = ("--platform", "windows-x64", "--platform", "linux-x64", "--platform", "windows-x64")
    result = run("-o", str(tmp_path / "dist"), *named, "--wheels", str(tmp_path / "wheels"))
    assert result.exit_code == 0, result.output
    assert wheels == [("windows-x64", tmp_path / "wheels"), ("linux-x64", tmp_path / "wheels")]
    wheels.clear()
    assert run("-o", str(tmp_path / "dist"), "--platform", "all").exit_code == 0
    assert [platform for platform, _ in wheels] == list(PLATFORMS)
    assert len(list((tmp_path / "dist").iterdir())) == len(PLATFORMS)


def test_bad_input_is_refused(wheels: list, tmp_path: Path):
    (tmp_path / "file").write_text("")
    for args, word in (
        (["--platform", "amiga"], "amiga"),
        (["--wheels", str(tmp_path / "nowhere")], "nowhere"),
        (["-o", str(tmp_path / "file")], "file"),
        (["-o", str(tmp_path / "file" / "dist"), "--platform", "linux-x64"], "file"),
    ):
        result = run(*args)
        assert result.exit_code == 2, args
        assert word in result.stderr
        assert "Traceback" not in result.stderr


@pytest.mark.parametrize(
    ("system", "machine", "name"),
    [
        ("Linux", "x86_64", "linux-x64"), ("Windows", "AMD64", "windows-x64"), ("Windows", "ARM64", "windows-arm64"),
        ("Darwin", "arm64", "macos-arm64"), ("Darwin", "x86_64", "macos-x64"),
    ],
)  # fmt: skip
def test_this_platform(monkeypatch: pytest.MonkeyPatch, system: str, machine: str, name: str):
    monkeypatch.setattr("platform.system", lambda: system)
    monkeypatch.setattr("platform.machine", lambda: machine)
    assert this_platform() == name


def test_platforms_without_blender(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("platform.system", lambda: "Linux")
    monkeypatch.setattr("platform.machine", lambda: "aarch64")
    with pytest.raises(
        InputError, match="Linux on aarch64 has no wheels for Blender; name another platform with --platform"
    ):
        this_platform()
