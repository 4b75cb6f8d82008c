"""The lock file of the extension's wheels: their file names and SHA-256 digests, by platform and Python version."""

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

# Blender's names of platforms, the Python versions of its builds (3.11: 4.1 to 5.0, and 3.4 as Debian builds it; 3.13:
# from 5.1 on), and the platform tags that the oldest supported systems take. From 5.0 on there is none for Intel Macs.
GLIBC_2_28 = (*(f"manylinux_2_{minor}_x86_64" for minor in range(28, 4, -1)), "manylinux2014_x86_64")
PLATFORMS: dict[str, dict[str, tuple[str, ...]]] = {
    "linux-x64": {"3.11": GLIBC_2_28, "3.13": GLIBC_2_28},
    "windows-x64": {"3.11": ("win_amd64",), "3.13": ("win_amd64",)},
    "windows-arm64": {"3.11": ("win_arm64",), "3.13": ("win_arm64",)},
    "macos-arm64": {"3.11": ("macosx_11_0_arm64",), "3.13": ("macosx_13_0_arm64",)},
    "macos-x64": {"3.11": ("macosx_11_0_x86_64",)},
}
WITH_DEPENDENCIES = ("click>=8.1,<9", "pillow>=10.3,<14", "pydantic>=2.7,<3", "rich>=13.7,<16")
# Without dependencies: numpy is Blender's, and running models needs nothing else of them. click asks for colorama on
# Windows, which pip takes into account on Windows alone.
ALONE = ("onnxruntime>=1.19.2,<2",)
ALONE_ON = {"windows-x64": ("colorama>=0.4,<1",), "windows-arm64": ("colorama>=0.4,<1",)}
GPU_BUILD, PLAIN_BUILD = "onnxruntime-gpu", "onnxruntime"  # of the same source, one version at a time


def read_lock() -> dict[str, dict[str, dict[str, str]]]:
    """Read the lock file: digests by file name, by Python version, by platform."""
    return json.loads(LOCK.read_text(encoding="utf-8"))


def renew_lock(report: Callable[[str], None] = lambda text: None, source: Path | None = None) -> Path:
    """Write the lock file anew: the versions that are installed here, or the newest that fit where a platform has none.

    Args:
        report: receives a line before each platform.
        source: a folder to take wheels from; pip's usual index otherwise.

    Returns:
        path of the lock file.

    Raises:
        InputError: pip is missing or finds no wheels, or the file can't be written.
    """
    locked: dict[str, dict[str, dict[str, str]]] = {}
    for platform, pythons in PLATFORMS.items():
        report(f"{platform}: choosing the wheels")
        locked[platform] = {python: resolve_wheels(platform, python, source) for python in pythons}
    return write_atomic(LOCK, f"{json.dumps(locked, indent=1, sort_keys=True)}\n".encode())


def resolve_wheels(platform: str, python: str, source: Path | None = None) -> dict[str, str]:
    """Choose the wheels for a platform and a Python version; returns digests by file name."""
    alone = ("--no-deps", *ALONE, *ALONE_ON.get(platform, ()))
    target = pip_target(platform, python, source)
    with tempfile.TemporaryDirectory(prefix="ganassets-lock-") as name:
        installed = Path(name, "installed.txt")
        installed.write_text("".join(f"{line}\n" for line in installed_versions()), encoding="utf-8")
        found: dict[str, str] = {}
        for wanted in (WITH_DEPENDENCIES, alone):
            command = ["install", "--dry-run", "--ignore-installed", "--report=-", f"--target={name}", *target]
            try:
                told = run_pip(platform, [*command, f"--constraint={installed}", *wanted])
            except InputError:  # no wheel of an installed version
                told = run_pip(platform, [*command, *wanted])
            found |= dict(wheels_in(told))
    return found


def installed_versions() -> Iterator[str]:
    """Pin every distribution that is installed here, for pip."""
    for found in metadata.distributions():
        name = found.metadata["Name"]
        yield f"{PLAIN_BUILD if name == GPU_BUILD else name}=={found.version}"


def wheels_in(report: str) -> Iterator[tuple[str, str]]:
    """File names and digests in pip's installation report.

    Format: https://pip.pypa.io/en/stable/reference/installation-report/
    """
    for row in json.loads(report)["install"]:
        archive = row["download_info"]
        info = archive["archive_info"]
        # Before version 23.1, pip wrote {"hash": "sha256=..."} alone.
        digest = info["hashes"]["sha256"] if "hashes" in info else info["hash"].removeprefix("sha256=")
        yield unquote(archive["url"].rpartition("/")[2]), digest


def pip_target(platform: str, python: str, source: Path | None) -> list[str]:
    """Make pip's options for wheels of a platform and a Python version, from its usual index or a folder."""
    options = ["--only-binary=:all:", "--implementation=cp", f"--python-version={python}"]
    options += [f"--abi={abi}" for abi in (f"cp{python.replace('.', '')}", "abi3", "none")]
    options += [f"--platform={tag}" for tag in PLATFORMS[platform][python]]
    return options + (["--no-index", f"--find-links={source}"] if source else [])


def run_pip(platform: str, words: Sequence[str]) -> str:
    """Run pip and return what it prints; InputError with its reason if it fails."""
    command = [sys.executable, "-m", "pip", words[0], "--quiet", "--disable-pip-version-check", *words[1:]]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise InputError(f"pip can't get the wheels for {platform} ({reason_in(done.stderr)}).")
    return done.stdout


def reason_in(said: str) -> str:
    """Pick what is wrong from what pip prints: a file that isn't the locked one, the last error, or the last line."""
    other = re.search(r"^ +(\S+==\S+) from ", said, re.MULTILINE) if "DO NOT MATCH THE HASHES" in said else None
    if other:
        return f"{other[1]} is another file than the one in {LOCK.name}"
    lines = [line.strip().rstrip(".") for line in said.splitlines() if line.strip()]
    errors = [line.removeprefix("ERROR: ") for line in lines if line.startswith("ERROR: ")]
    return (errors or lines or ["it said nothing"])[-1]
