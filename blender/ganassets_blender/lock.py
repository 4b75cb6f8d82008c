"""The lock file of the extension's wheels: file names and SHA-256 digests, by platform and Python version."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from importlib import metadata
from pathlib import Path
from urllib.parse import unquote

from ganassets.api.errors import InputError
from ganassets.api.writer import write_atomic

LOCK = Path(__file__).with_name("wheels.json")

# Blender's names of platforms, the Python versions of its builds, and the platform tags of the oldest supported
# systems. Python 3.11: Blender 4.1 to 5.0, and Debian's 3.4. Python 3.13: Blender 5.1 and later. From 5.0 on, there is
# no Blender for Macs with Intel processors.
GLIBC_2_28 = (*(f"manylinux_2_{minor}_x86_64" for minor in range(28, 4, -1)), "manylinux2014_x86_64")
PLATFORMS: dict[str, dict[str, tuple[str, ...]]] = {
    "linux-x64": {"3.11": GLIBC_2_28, "3.13": GLIBC_2_28},
    "windows-x64": {"3.11": ("win_amd64",), "3.13": ("win_amd64",)},
    "windows-arm64": {"3.11": ("win_arm64",), "3.13": ("win_arm64",)},
    "macos-arm64": {"3.11": ("macosx_11_0_arm64",), "3.13": ("macosx_13_0_arm64",)},
    "macos-x64": {"3.11": ("macosx_11_0_x86_64",)},
}
WITH_DEPENDENCIES = ("click>=8.1,<9", "pillow>=10.3,<14", "pydantic>=2.7,<3", "rich>=13.7,<16")
# Without dependencies: Blender includes numpy, and running models needs no other dependency of onnxruntime. click needs
# colorama on Windows; pip ignores that requirement on other systems.
WITHOUT_DEPENDENCIES = ("onnxruntime>=1.19.2,<2",)
WITHOUT_DEPENDENCIES_ON = {"windows-x64": ("colorama>=0.4,<1",), "windows-arm64": ("colorama>=0.4,<1",)}
GPU_BUILD, CPU_BUILD = "onnxruntime-gpu", "onnxruntime"  # both builds have the same versions


def read_lock() -> dict[str, dict[str, dict[str, str]]]:
    """Read the lock file: digests by file name, by Python version, by platform."""
    return json.loads(LOCK.read_text(encoding="utf-8"))


def renew_lock(report: Callable[[str], object] | None = None, source: Path | None = None) -> Path:
    """Write the lock file: the versions that are installed here, or the newest that fit if a platform has no wheel.

    Args:
        report: receives a line before each platform.
        source: folder to take the wheels from; None for pip's index.

    Returns:
        Path of the lock file.

    Raises:
        InputError: pip is missing or finds no wheels, or the file can't be written.
    """
    locked: dict[str, dict[str, dict[str, str]]] = {}
    for platform, pythons in PLATFORMS.items():
        if report:
            report(f"{platform}: choosing the wheels")
        locked[platform] = {python: resolve_wheels(platform, python, source) for python in pythons}
    return write_atomic(LOCK, f"{json.dumps(locked, indent=1, sort_keys=True)}\n".encode())


def resolve_wheels(platform: str, python: str, source: Path | None = None) -> dict[str, str]:
    """Choose the wheels for a platform and a Python version; returns their digests by file name."""
    exact = ("--no-deps", *WITHOUT_DEPENDENCIES, *WITHOUT_DEPENDENCIES_ON.get(platform, ()))
    target = pip_target(platform, python, source)
    with tempfile.TemporaryDirectory(prefix="ganassets-lock-") as name:
        installed = Path(name, "installed.txt")
        installed.write_text("".join(f"{line}\n" for line in installed_versions()), encoding="utf-8")
        found: dict[str, str] = {}
        for requirements in (WITH_DEPENDENCIES, exact):
            command = ["install", "--dry-run", "--ignore-installed", "--report=-", f"--target={name}", *target]
            try:
                output = run_pip(platform, [*command, f"--constraint={installed}", *requirements])
            except InputError:  # an installed version has no wheel for the platform
                output = run_pip(platform, [*command, *requirements])
            found |= dict(read_wheels(output))
    return found


def installed_versions() -> Iterator[str]:
    """Iterate over pip constraints that pin all distributions that are installed here."""
    for found in metadata.distributions():
        name = found.metadata["Name"]
        yield f"{CPU_BUILD if name == GPU_BUILD else name}=={found.version}"


def read_wheels(report: str) -> Iterator[tuple[str, str]]:
    """Read file names and digests from pip's installation report.

    Format: https://pip.pypa.io/en/stable/reference/installation-report/
    """
    for row in json.loads(report)["install"]:
        archive = row["download_info"]
        info = archive["archive_info"]
        # pip before version 23.1 wrote only {"hash": "sha256=..."}.
        digest = info["hashes"]["sha256"] if "hashes" in info else info["hash"].removeprefix("sha256=")
        yield unquote(archive["url"].rpartition("/")[2]), digest


def pip_target(platform: str, python: str, source: Path | None) -> list[str]:
    """Make pip's options for a platform's wheels.

    Args:
        platform: one of PLATFORMS.
        python: Python version such as "3.11".
        source: folder to take the wheels from; None for pip's index.
    """
    options = ["--only-binary=:all:", "--implementation=cp", f"--python-version={python}"]
    options += [f"--abi={abi}" for abi in (f"cp{python.replace('.', '')}", "abi3", "none")]
    options += [f"--platform={tag}" for tag in PLATFORMS[platform][python]]
    return options + (["--no-index", f"--find-links={source}"] if source else [])


def run_pip(platform: str, words: Sequence[str]) -> str:
    """Run pip; returns its output.

    Args:
        platform: for the error message.
        words: pip's command and its arguments.

    Raises:
        InputError: pip fails.
    """
    command = [sys.executable, "-m", "pip", words[0], "--quiet", "--disable-pip-version-check", *words[1:]]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise InputError(f"pip can't get the wheels for {platform} ({find_reason(done.stderr)}).")
    return done.stdout


def find_reason(output: str) -> str:
    """Find the reason in pip's output: a file that differs from the locked one, the last error, or the last line."""
    other = re.search(r"^ +(\S+==\S+) from ", output, re.MULTILINE) if "DO NOT MATCH THE HASHES" in output else None
    if other:
        return f"{other[1]} differs from the file in {LOCK.name}"
    lines = [line.strip().rstrip(".") for line in output.splitlines() if line.strip()]
    errors = [line.removeprefix("ERROR: ") for line in lines if line.startswith("ERROR: ")]
    return (errors or lines or ["it printed nothing"])[-1]
