"""Run commands in this process or in one of their own, and write what they read."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from click.testing import CliRunner, Result

from ganassets.cli import cli

RUN_CONFIG = """
generator = "squares"
objective = "rpgan"
seed = 0
data_options = {}
[preset]
name = "quick"
summary = ""
size = 4
network_size = 4
kimg = 1.0
[hardware]
device = "cpu"
threads = 1
precision = "float32"
channels_last = false
"""


def run(*args: str) -> Result:
    """Run the command line in this process."""
    return CliRunner().invoke(cli, args, prog_name="ganassets")


def generate_raw(model: str, *args: str) -> Result:
    """Run `generate` with the raw exporter."""
    return run("generate", model, "--to", "raw", *args)


def list_outputs(folder: str = "out") -> list[str]:
    """List the files of an output folder, without its index."""
    return sorted(path.name for path in Path(folder).iterdir() if path.name != "index.jsonl")


def read_error(result: Result, exit_code: int = 2) -> str:
    """Return the error of a failed command; it must be a single line."""
    assert result.exit_code == exit_code, result.output
    assert result.stdout == ""
    assert result.stderr.startswith("Error: ")
    assert result.stderr.count("\n") == 1, result.stderr
    return result.stderr.removeprefix("Error: ").strip()


def run_python(code: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run Python code in a process of its own."""
    variables = {**os.environ, **environment}
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=variables, check=False)


def make_run(folder: Path) -> Path:
    """Write the files of a run folder that the command line reads."""
    folder.mkdir(parents=True)
    (folder / "config.toml").write_text(RUN_CONFIG)
    return folder
