# SPDX-License-Identifier: GPL-3.0-or-later
# pyright: reportMissingImports=false
"""The add-on's folders, and the command that starts Python with its packages."""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import bpy
import numpy

from .wheel_runner import WHEELS
from .worker_process import AddonWorker, find_interpreter

PACKAGE = __package__ or "ganassets"
WORKER_MODULE = "ganassets_blender.serve"
LOG = "log.txt"
CHOOSES_WHEELS = (4, 2, 13)  # the first Blender known to install only wheels for its own Python; 4.2.0 installs any


def user_folder(name: str = "") -> Path:
    """A folder of the add-on in Blender's user folder, created if missing."""
    if PACKAGE.startswith("bl_ext."):
        return Path(bpy.utils.extension_path_user(PACKAGE, path=name, create=True))
    return Path(bpy.utils.user_resource("DATAFILES", path=str(Path("ganassets", name)), create=True))


def library_folder() -> Path:
    """Asset library that is used unless the user chooses another folder."""
    return user_folder("library")


def log_file() -> Path:
    """File with the output of the worker processes."""
    return user_folder() / LOG


@cache
def installed_packages() -> Path | None:
    """Folder where Blender has installed the wheels; None if it did not, or may have chosen another Python's."""
    if bpy.app.version < CHOOSES_WHEELS:
        return None
    found = importlib.util.find_spec("ganassets_blender")  # "ganassets" may be this very add-on
    return Path(found.origin).parents[1] if found and found.origin else None


def start_worker() -> AddonWorker:
    """Start a worker process."""
    return AddonWorker(*python_command(WORKER_MODULE), log_file())


def python_command(module: str, arguments: Sequence[str] = ()) -> tuple[list[str], dict[str, str]]:
    """Command and environment that run a module of the bundled packages in a Python process of its own."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    environment["GANASSETS_BLENDER"] = bpy.app.binary_path or find_interpreter()
    command = [find_interpreter(), "-s", "-P"]
    packages, numpy_folder = installed_packages(), str(Path(numpy.__file__).parents[1])
    if packages:
        environment["PYTHONPATH"] = os.pathsep.join([str(packages), numpy_folder])
    else:
        runner = str(Path(__file__).with_name("wheel_runner.py"))
        command += [runner, str(WHEELS), str(user_folder("libraries")), numpy_folder]
    return [*command, "-m", module, *arguments], environment
