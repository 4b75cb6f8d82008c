"""Wheels that the add-on unpacks itself, in Blenders that don't."""

from __future__ import annotations

import os
import time
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier
from types import ModuleType
from typing import Any

import pytest

AT_ONCE = 4


@pytest.fixture
def runner(addon: Any) -> ModuleType:
    return addon("wheel_runner")


@pytest.fixture
def wheels(tmp_path: Path) -> Path:
    folder = tmp_path / "wheels"
    folder.mkdir()
    for name in ("one", "two"):
        with zipfile.ZipFile(folder / f"{name}-1-py3-none-any.whl", "w") as archive:
            archive.writestr(f"{name}/__init__.py", "")
    return folder


def packages(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_unpacked_once(runner: Any, wheels: Path, tmp_path: Path) -> None:
    home = tmp_path / "new" / "libraries"
    target = runner.unpack(wheels, home)
    assert packages(target) == ["one", "two"]
    (target / "mark").touch()
    assert runner.unpack(wheels, home) == target and (target / "mark").exists()
    assert list(home.iterdir()) == [target]


@pytest.mark.parametrize(("version", "expected"), [((3, 11), ["older", "own"]), ((3, 13), ["newer", "older", "own"])])
def test_only_what_fits_this_python(
    runner: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, version: tuple[int, int], expected: list[str]
) -> None:
    folder = tmp_path / "wheels"
    folder.mkdir()
    for name, tags in (
        ("own", "py2.py3-none-any"),
        ("older", "cp39-abi3-linux_x86_64"),
        ("newer", "cp312-abi3-linux_x86_64"),
        ("other", "cp312-cp312-linux_x86_64"),
    ):
        with zipfile.ZipFile(folder / f"{name}-1-{tags}.whl", "w") as archive:
            archive.writestr(f"{name}/__init__.py", "")
    monkeypatch.setattr("sys.version_info", (*version, 4))
    assert packages(runner.unpack(folder, tmp_path / "libraries")) == expected


def test_the_pythons_of_compiled_wheels(runner: Any, tmp_path: Path) -> None:
    for tags in ("cp313-cp313-win_amd64", "cp311-cp311-win_amd64", "cp39-abi3-win_amd64", "py3-none-any"):
        (tmp_path / f"one-1-{tags}.whl").touch()
    assert runner.supported_pythons(tmp_path) == [(3, 11), (3, 13)]
    assert runner.supported_pythons(tmp_path / "none") == []


def test_processes_that_unpack_at_once(runner: Any, wheels: Path, tmp_path: Path, monkeypatch: Any) -> None:
    """All rename their folder at the same moment."""
    barrier, rename = Barrier(AT_ONCE, timeout=300), runner.rename_folder

    def rename_together(temporary: Path, target: Path) -> None:
        barrier.wait()
        rename(temporary, target)

    monkeypatch.setattr(runner, "rename_folder", rename_together)
    with ThreadPoolExecutor(AT_ONCE) as pool:
        found = list(pool.map(lambda _: runner.unpack(wheels, tmp_path / "libraries"), range(AT_ONCE)))
    assert len(set(found)) == 1 and packages(found[0]) == ["one", "two"]
    assert list((tmp_path / "libraries").iterdir()) == found[:1]


def test_an_older_version_stays_while_it_may_be_in_use(runner: Any, wheels: Path, tmp_path: Path) -> None:
    home = tmp_path / "libraries"
    older = runner.unpack(wheels, home)
    (wheels / "two-1-py3-none-any.whl").unlink()
    newer = runner.unpack(wheels, home)
    assert packages(older) == ["one", "two"] and packages(newer) == ["one"]
    long_ago = time.time() - runner.UNUSED_SECONDS - 60
    for folder in (older, newer):
        os.utime(folder, (long_ago, long_ago))
    assert runner.unpack(wheels, home) == newer
    assert list(home.iterdir()) == [newer]


def test_a_folder_that_cannot_be_named_is_reported(runner: Any, tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setattr(runner, "RENAME_TIMEOUT", 0.0)
    (tmp_path / "target").touch()
    (tmp_path / "temporary").mkdir()
    with pytest.raises(OSError, match="target"):
        runner.rename_folder(tmp_path / "temporary", tmp_path / "target")
