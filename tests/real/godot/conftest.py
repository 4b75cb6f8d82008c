"""Find Godot."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from support.consumers import SETUP, run_command, skip_or_fail

PROJECT = Path(__file__).with_name("project")


@pytest.fixture(scope="session")
def godot() -> Callable[[Path], dict[str, Any]]:
    """Import the GLB files of a folder with Godot; returns a description of each scene."""
    display, program = shutil.which("xvfb-run"), shutil.which("godot3")
    if not display or not program:
        skip_or_fail(f"Godot or a display for it is not installed: {SETUP}")

    def call(folder: Path) -> dict[str, Any]:
        shutil.copytree(PROJECT, folder, dirs_exist_ok=True)
        start = (display, "-a", program, "--path", folder)
        run_command(*start, "-e", "--quit")  # imports the files; this version may crash when it quits
        done = run_command(*start, "-s", "probe.gd")
        (report,) = (line for line in done.stdout.splitlines() if line.startswith("REPORT "))
        return json.loads(report.removeprefix("REPORT "))

    return call
