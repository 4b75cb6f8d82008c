# SPDX-License-Identifier: GPL-3.0-or-later
"""Run a Python module with packages from wheels, for Blenders that don't install an add-on's wheels.

    python wheel_runner.py WHEELS FOLDER [MORE ...] -m MODULE [ARGUMENT ...]

The wheels in WHEELS that fit this Python are unpacked into a subfolder of FOLDER once. MORE are folders that are
searched for packages after it.
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

# Folder of wheels in the installed add-on.
WHEELS = Path(__file__).with_name("wheels")
RENAME_TIMEOUT = 10.0  # seconds to retry while another program blocks a rename
UNUSED_SECONDS = 7 * 86400.0  # age at which unpacked packages are removed; no worker process runs that long


def read_tags(wheel: Path) -> tuple[list[str], str]:
    """Python tags and ABI tag in a wheel's file name: (["cp311"], "cp311"), (["py2", "py3"], "none")."""
    python, abi, _ = wheel.stem.split("-")[-3:]
    return python.split("."), abi


def supported_pythons(wheels: Path) -> list[tuple[int, int]]:
    """Python versions of the compiled wheels in a folder; wheels for the stable ABI are not counted."""
    tags = (read_tags(wheel) for wheel in wheels.glob("*.whl"))
    named = {tag for pythons, abi in tags if abi not in ("none", "abi3") for tag in pythons}
    return sorted((int(tag[2]), int(tag[3:])) for tag in named)


def fits_this_python(wheel: Path) -> bool:
    """Return whether a wheel is for this version of Python; its platform is not checked."""
    pythons, abi = read_tags(wheel)
    major, minor = sys.version_info[:2]
    stable = [f"cp{major}{older}" for older in range(minor)] if abi == "abi3" else []
    return any(tag in pythons for tag in (f"py{major}", f"cp{major}{minor}", *stable))


def unpack(wheels: Path, folder: Path) -> Path:
    """Unpack the wheels for this Python, unless that was done before; safe when several processes do so at once.

    Args:
        wheels: folder with the wheels.
        folder: folder for unpacked packages, created if missing.

    Returns:
        subfolder with the packages.
    """
    files = sorted(filter(fits_this_python, wheels.glob("*.whl")))
    listing = "".join(f"{file.name} {file.stat().st_size}\n" for file in files)
    target = folder / hashlib.sha256(listing.encode()).hexdigest()[:16]
    if not target.is_dir():
        folder.mkdir(parents=True, exist_ok=True)
        temporary = Path(tempfile.mkdtemp(dir=folder))
        for file in files:
            with zipfile.ZipFile(file) as archive:
                archive.extractall(temporary)
        rename_folder(temporary, target)
    os.utime(target)  # marks it as used
    remove_unused(folder)
    return target


def rename_folder(temporary: Path, target: Path) -> None:
    """Rename a folder, or remove it if another process has created the target; OSError after RENAME_TIMEOUT."""
    end = time.monotonic() + RENAME_TIMEOUT
    while not target.is_dir():
        try:
            temporary.replace(target)
        except OSError:  # Windows can't rename a folder while a virus scanner reads it
            if time.monotonic() > end:
                raise
            time.sleep(0.1)
    shutil.rmtree(temporary, ignore_errors=True)


def remove_unused(folder: Path) -> None:
    """Remove packages that were not used for UNUSED_SECONDS: older versions, and unpacking that was interrupted."""
    for old in folder.iterdir():
        with contextlib.suppress(OSError):
            if time.time() - old.stat().st_mtime > UNUSED_SECONDS:
                shutil.rmtree(old, ignore_errors=True)


def main() -> None:
    """Unpack the wheels and run the module."""
    at = sys.argv.index("-m")
    wheels, folder, *more = sys.argv[1:at]
    path = [str(unpack(Path(wheels), Path(folder))), *more]
    os.environ["PYTHONPATH"] = os.pathsep.join(path)  # for the processes that this one starts
    sys.path[:0] = path
    module, sys.argv[1:] = sys.argv[at + 1], sys.argv[at + 2 :]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
