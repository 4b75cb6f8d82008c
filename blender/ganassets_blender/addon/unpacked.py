# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs a module with packages out of wheels, for Blenders that don't install an add-on's wheels themselves.

    python unpacked.py WHEELS FOLDER [MORE ...] -m MODULE [ARGUMENT ...]

The wheels that fit this Python are unpacked below FOLDER once; MORE are folders that packages are looked for in after
them.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import runpy
import shutil
import sys
import tempfile
import time
import zipfile
from pathlib import Path

WHEELS = Path(__file__).with_name("wheels")  # of the zip
PATIENCE = 10.0  # seconds
LONG_AGO = 7 * 86400.0  # seconds; no process runs that long


def tags(wheel: Path) -> tuple[list[str], str]:
    """The Python tags and the ABI tag in a wheel's file name: (["cp311"], "cp311"), (["py2", "py3"], "none")."""
    python, abi, _ = wheel.stem.split("-")[-3:]
    return python.split("."), abi


def pythons_of(wheels: Path) -> list[tuple[int, int]]:
    """The versions of Python that a folder's compiled wheels are for; those of the stable ABI don't count."""
    found = (tags(wheel) for wheel in wheels.glob("*.whl"))
    named = {tag for pythons, abi in found if abi not in ("none", "abi3") for tag in pythons}
    return sorted((int(tag[2]), int(tag[3:])) for tag in named)


def fits(wheel: Path) -> bool:
    """Whether a wheel is for this version of Python; its platform is not looked at."""
    pythons, abi = tags(wheel)
    major, minor = sys.version_info[:2]
    stable = [f"cp{major}{older}" for older in range(minor)] if abi == "abi3" else []
    return any(tag in pythons for tag in (f"py{major}", f"cp{major}{minor}", *stable))


def unpack(wheels: Path, folder: Path) -> Path:
    """Unpack the wheels that fit, unless that was done before; returns where to. Processes that do so at once don't
    disturb each other.
    """
    files = sorted(filter(fits, wheels.glob("*.whl")))
    told = "".join(f"{file.name} {file.stat().st_size}\n" for file in files)
    target = folder / hashlib.sha256(told.encode()).hexdigest()[:16]
    if not target.is_dir():
        folder.mkdir(parents=True, exist_ok=True)
        temporary = Path(tempfile.mkdtemp(dir=folder))
        for file in files:
            with zipfile.ZipFile(file) as archive:
                archive.extractall(temporary)
        settle(temporary, target)
    os.utime(target)  # it is in use
    tidy(folder)
    return target


def settle(temporary: Path, target: Path) -> None:
    """Give a folder its name, unless another process has been faster; OSError where that can't be done."""
    end = time.monotonic() + PATIENCE
    while not target.is_dir():
        try:
            os.replace(temporary, target)
        except OSError:  # Windows moves no folder while a virus scanner looks into it
            if time.monotonic() > end:
                raise
            time.sleep(0.1)
    shutil.rmtree(temporary, ignore_errors=True)


def tidy(folder: Path) -> None:
    """Remove what no process has begun to use for a long time: of older versions, or never finished."""
    for old in folder.iterdir():
        with contextlib.suppress(OSError):
            if time.time() - old.stat().st_mtime > LONG_AGO:
                shutil.rmtree(old, ignore_errors=True)


def main() -> None:
    """Unpack and run."""
    at = sys.argv.index("-m")
    wheels, folder, *more = sys.argv[1:at]
    path = [str(unpack(Path(wheels), Path(folder))), *more]
    os.environ["PYTHONPATH"] = os.pathsep.join(path)  # for the processes that this one starts
    sys.path[:0] = path
    module, sys.argv[1:] = sys.argv[at + 1], sys.argv[at + 2 :]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
