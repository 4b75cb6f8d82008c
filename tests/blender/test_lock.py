"""Wheels of other packages in the extension: the lock file pins them, and pip accepts no others."""

from __future__ import annotations

import hashlib
import json
import re
from importlib import metadata
from pathlib import Path

import pytest
from click.testing import CliRunner

from ganassets.api.errors import InputError
from ganassets.cli import cli
from ganassets_blender import lock
from ganassets_blender.lock import (
    CPU_BUILD,
    GPU_BUILD,
    LOCK,
    PLATFORMS,
    WITH_DEPENDENCIES,
    WITHOUT_DEPENDENCIES,
    find_reason,
    read_lock,
    read_wheels,
    renew_lock,
)
from ganassets_blender.wheels import fetch_wheels, pack

ROOT = Path(__file__).parents[2]
COMMON = {"annotated_types", "click", "onnxruntime", "pillow", "pydantic", "rich"}


def parts_of(requirement: str) -> tuple[str, frozenset[str]]:
    """Name and bounds of "rich>=13.7,<16; ...", in any order."""
    name = re.split("[<>=!~; ]", requirement)[0]
    return name, frozenset(requirement.partition(";")[0].strip().removeprefix(name).split(","))


def name_of(wheel: str) -> str:
    """The distribution's name in a wheel's file name."""
    return wheel.partition("-")[0]


def test_ranges_are_those_of_the_package():
    required = {parts_of(text) for text in metadata.requires("ganassets") or [] if "extra" not in text}
    assert {parts_of(text) for text in (*WITH_DEPENDENCIES, *WITHOUT_DEPENDENCIES)} <= required


@pytest.mark.parametrize("info", [{"hashes": {"sha256": "ab"}, "hash": "sha256=ab"}, {"hash": "sha256=ab"}])
def test_reports_of_older_and_newer_pips_are_read(info: dict[str, object]):
    url = "https://index.example/packages/rich-15.0.0-py3-none-any.whl"
    report = json.dumps({"install": [{"download_info": {"url": url, "archive_info": info}}]})
    assert list(read_wheels(report)) == [("rich-15.0.0-py3-none-any.whl", "ab")]


def test_the_lock_names_files_and_digests_and_nothing_else():
    locked = read_lock()
    assert {platform: set(pythons) for platform, pythons in locked.items()} == {
        platform: set(pythons) for platform, pythons in PLATFORMS.items()
    }
    for platform, pythons in locked.items():
        for python, wheels in pythons.items():
            assert {*map(name_of, wheels)} >= COMMON | ({"colorama"} if platform.startswith("windows") else set())
            assert len({*map(name_of, wheels)}) == len(wheels)
            for wheel, digest in wheels.items():
                assert re.fullmatch(r"[\w.]+-[\w.]+-[\w.]+-[\w.]+-[\w.]+\.whl", wheel)
                assert re.fullmatch("[0-9a-f]{64}", digest)
                assert wheel.split("-")[2] in (f"cp{python.replace('.', '')}", "py3", "py2.py3")


def test_the_locked_versions_are_those_that_the_tests_run_with():
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    pinned = dict(line.split("==") for line in lines if not line.startswith("#"))
    for wheels in read_lock()["linux-x64"].values():
        for wheel in wheels:
            name, version = wheel.split("-")[:2]
            asked = GPU_BUILD if name == CPU_BUILD else name.replace("_", "-")
            assert pinned[asked] == version, wheel


def make_wheel(folder: Path, name: str, version: str, tag: str, requires: str = "") -> None:
    """A wheel of an empty package."""
    info = f"{name}-{version}.dist-info"
    needs = f"Requires-Dist: {requires}\n" if requires else ""
    files = {
        f"{info}/METADATA": f"Metadata-Version: 2.4\nName: {name}\nVersion: {version}\n{needs}",
        f"{info}/WHEEL": f"Wheel-Version: 1.0\nGenerator: x\nRoot-Is-Purelib: true\nTag: {tag}\n",
        f"{info}/RECORD": "",
    }
    content = pack({name: text.encode() for name, text in files.items()})
    (folder / f"{name}-{version}-{tag}.whl").write_bytes(content)


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A folder of wheels, of which some fit no platform or no Python of Blender's."""
    folder = tmp_path / "source"
    folder.mkdir()
    for python in ("cp311-cp311", "cp313-cp313"):
        for tag in ("manylinux_2_28_x86_64", "win_amd64", "win_arm64", "macosx_11_0_universal2"):
            make_wheel(folder, "onnxruntime", "1.20.0", f"{python}-{tag}", "numpy")
            make_wheel(folder, "pillow", "12.0.0", f"{python}-{tag}")
    for tag in ("cp314-cp314-win_amd64", "cp311-cp311-manylinux_2_34_x86_64", "cp311-cp311-macosx_13_0_universal2"):
        make_wheel(folder, "onnxruntime", "1.30.0", tag, "numpy")
    make_wheel(folder, "onnxruntime", "2.0.0", "cp311-cp311-win_amd64", "numpy")
    make_wheel(folder, "pydantic", "2.9.0", "py3-none-any", "annotated-types")
    for name, version in (("annotated_types", "1.0"), ("click", "8.2.0"), ("rich", "14.0.0"), ("colorama", "0.4.6")):
        make_wheel(folder, name, version, "py3-none-any")
    return folder


@pytest.fixture
def locked(source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, dict[str, dict[str, str]]]:
    """A lock file of one platform's wheels in that folder, in place of the package's."""
    monkeypatch.setattr(lock, "LOCK", tmp_path / "wheels.json")
    monkeypatch.setattr(lock, "PLATFORMS", {"windows-x64": PLATFORMS["windows-x64"]})
    monkeypatch.setattr(lock, "installed_versions", lambda: iter(()))
    assert renew_lock(source=source) == tmp_path / "wheels.json"
    return read_lock()


def test_the_lock_takes_wheels_that_fit_platform_and_python(locked: dict, source: Path):
    assert locked.keys() == {"windows-x64"} and locked["windows-x64"].keys() == {"3.11", "3.13"}
    for python, wheels in locked["windows-x64"].items():
        names = {name_of(wheel): wheel for wheel in wheels}
        tag = f"cp{python.replace('.', '')}"
        assert names.keys() == COMMON | {"colorama"}
        assert names["onnxruntime"] == f"onnxruntime-1.20.0-{tag}-{tag}-win_amd64.whl"
        assert wheels == {wheel: hashlib.sha256((source / wheel).read_bytes()).hexdigest() for wheel in wheels}


def test_the_lock_prefers_the_versions_that_are_installed(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    make_wheel(source, "rich", "15.5.0", "py3-none-any")
    monkeypatch.setattr(lock, "installed_versions", lambda: iter(["rich==14.0.0", "onnxruntime==1.99"]))
    wheels = lock.resolve_wheels("linux-x64", "3.11", source)
    assert "rich-14.0.0-py3-none-any.whl" in wheels
    assert "onnxruntime-1.20.0-cp311-cp311-manylinux_2_28_x86_64.whl" in wheels, "the newest where a version has none"


def test_both_builds_of_onnxruntime_are_one_version():
    versions = dict(line.split("==") for line in lock.installed_versions())
    assert GPU_BUILD not in versions
    assert versions[CPU_BUILD] == metadata.version("onnxruntime-gpu" if GPU_BUILD in installed() else CPU_BUILD)


def installed() -> set[str]:
    """Names of the distributions that are installed here."""
    return {found.metadata["Name"] for found in metadata.distributions()}


def test_the_locked_wheels_are_fetched(locked: dict, source: Path, tmp_path: Path):
    make_wheel(source, "rich", "15.5.0", "py3-none-any")  # which came later
    (tmp_path / "taken").mkdir()
    taken = fetch_wheels("windows-x64", tmp_path / "taken", source)
    assert taken == sorted(taken)
    assert {path.name for path in taken} == {wheel for wheels in locked["windows-x64"].values() for wheel in wheels}
    assert all(path.read_bytes() == (source / path.name).read_bytes() for path in taken)


def test_another_file_under_a_locked_name_is_refused(locked: dict, source: Path, tmp_path: Path):
    make_wheel(source, "rich", "14.0.0", "py3-none-any", "click")
    (tmp_path / "taken").mkdir()
    said = r"^pip can't get the wheels for windows-x64 \(rich==14\.0\.0 differs from the file in wheels\.json\)\.$"
    with pytest.raises(InputError, match=said):
        fetch_wheels("windows-x64", tmp_path / "taken", source)


def test_missing_wheels_are_one_sentence(locked: dict, source: Path, tmp_path: Path):
    for path in source.glob("rich*"):
        path.unlink()
    (tmp_path / "taken").mkdir()
    for act in (lambda: fetch_wheels("windows-x64", tmp_path / "taken", source), lambda: renew_lock(source=source)):
        with pytest.raises(InputError, match=r"^pip can't get the wheels for windows-x64 \(.*rich.*\)\.$") as caught:
            act()
        assert "\n" not in str(caught.value)
    assert read_lock() == locked, "the lock file stays as it was"


def test_the_command_renews_the_lock(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setattr(lock, "LOCK", tmp_path / LOCK.name)
    monkeypatch.setattr(lock, "resolve_wheels", lambda platform, python, source: {f"{platform}-{python}.whl": "0"})
    result = CliRunner().invoke(cli, ("blender", "lock"), prog_name="ganassets")
    assert result.exit_code == 0, result.output
    assert result.stdout == f"{tmp_path / LOCK.name}\n"
    written = json.loads((tmp_path / LOCK.name).read_text())
    assert written["macos-x64"] == {"3.11": {"macos-x64-3.11.whl": "0"}}


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ("WARNING: slow\nERROR: a\nERROR: No such wheel.\n[notice] newer pip\n", "No such wheel"),
        ("python: No module named pip\n\n", "python: No module named pip"),
        ("", "it printed nothing"),
    ],
)
def test_the_reason_is_pips(said: str, reason: str):
    assert find_reason(said) == reason
