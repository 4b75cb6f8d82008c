# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs a module with packages out of wheels, for Blenders that don't install an add-on's wheels themselves.

    python unpacked.py WHEELS FOLDER [MORE ...] -m MODULE [ARGUMENT ...]

The wheels are unpacked below FOLDER once; MORE are folders that packages are looked for in after them.
"""

from __future__ import annotations

import hashlib
import os
import runpy
import shutil
import sys
import zipfile
from pathlib import Path


def unpack(wheels: Path, folder: Path) -> Path:
    """Unpack the wheels; returns where to. What an older version left is removed."""
    files = sorted(wheels.glob("*.whl"))
    told = "".join(f"{file.name} {file.stat().st_size}\n" for file in files)
    target = folder / hashlib.sha256(told.encode()).hexdigest()[:16]
    if target.is_dir():
        return target
    for old in folder.iterdir() if folder.is_dir() else ():
        shutil.rmtree(old, ignore_errors=True)
    temporary = folder / f".{os.getpid()}.tmp"
    for file in files:
        with zipfile.ZipFile(file) as archive:
            archive.extractall(temporary)
    os.replace(temporary, target)
    return target


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
