"""Find, install and run the real consumers of assets: Blender, a browser, validators."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NoReturn

import pytest

CACHE = Path(os.environ.get("GANASSETS_TEST_CACHE", "~/.cache/ganassets-tests")).expanduser()
SETUP = "run tests/real/setup.sh as root"


def skip_or_fail(reason: str) -> NoReturn:
    """Skip a test because a consumer is missing; in CI (CI=true), fail it."""
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)


def run_command(
    *command: str | Path,
    folder: Path | None = None,
    seconds: int = 900,
    variables: Mapping[str, str] | None = None,
) -> subprocess.CompletedProcess[str]:
    """Run a command without this process's Python variables.

    Args:
        *command: program and arguments.
        folder: working directory; by default this file's, in which Python finds no package of ours.
        seconds: time limit.
        variables: more environment variables.
    """
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    environment |= variables or {}
    words = [str(word) for word in command]
    return subprocess.run(
        words, cwd=folder or Path(__file__).parent, env=environment, capture_output=True, text=True, timeout=seconds
    )


def install(*command: str | Path, folder: Path | None = None) -> None:
    """Run a command that downloads a consumer; skip the test if it fails."""
    done = run_command(*command, folder=folder, seconds=1200)
    if done.returncode:
        skip_or_fail(f"{' '.join(map(str, command))} failed: {done.stderr[-800:]}")


def read_report(done: subprocess.CompletedProcess[str]) -> Any:
    """The report of a script: the JSON in its only line that starts with "REPORT "."""
    output = done.stdout[-2000:] + done.stderr[-3000:]
    assert done.returncode == 0, output
    reports = [line for line in done.stdout.splitlines() if line.startswith("REPORT ")]
    assert len(reports) == 1, output
    return json.loads(reports[0].removeprefix("REPORT "))
