# SPDX-License-Identifier: GPL-3.0-or-later
# pyright: reportMissingImports=false
"""Where the add-on is, keeps its files, and finds what its process needs."""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import bpy
import numpy

from .child import Child, interpreter
from .unpacked import WHEELS

PACKAGE = __package__ or "ganassets"
MODULE = "ganassets_blender.serve"
LOG = "log.txt"
CHOOSING = (4, 2, 13)  # the earliest Blender known to choose wheels by its Python; 4.2.0 takes any


def user_folder(path: str = "") -> Path:
    """A folder of the user's that is the add-on's own, made if it isn't there."""
    if PACKAGE.startswith("bl_ext."):
        return Path(bpy.utils.extension_path_user(PACKAGE, path=path, create=True))
    return Path(bpy.utils.user_resource("DATAFILES", path=os.path.join("ganassets", path), create=True))


def library_folder() -> Path:
    """Where assets are kept unless the user names another folder."""
    return user_folder("library")


def log_file() -> Path:
    """What the process prints."""
    return user_folder() / LOG


@cache
def installed() -> Path | None:
    """The folder that Blender has installed the wheels in; None where it installs none, or those of another Python."""
    if bpy.app.version < CHOOSING:
        return None
    found = importlib.util.find_spec("ganassets_blender")  # "ganassets" may be this very add-on
    return Path(found.origin).parents[1] if found and found.origin else None


def start_child() -> Child:
    """The process, started."""
    return Child(*command_for(MODULE), log_file())


def command_for(module: str, arguments: Sequence[str] = ()) -> tuple[list[str], dict[str, str]]:
    """What runs a module of the bundled packages in a Python of its own, and its environment."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    environment["GANASSETS_BLENDER"] = bpy.app.binary_path or interpreter()
    command = [interpreter(), "-s", "-P"]
    packages, blenders_own = installed(), str(Path(numpy.__file__).parents[1])
    if packages:
        environment["PYTHONPATH"] = os.pathsep.join([str(packages), blenders_own])
    else:
        unpacked = str(Path(__file__).with_name("unpacked.py"))
        command += [unpacked, str(WHEELS), str(user_folder("libraries")), blenders_own]
    return [*command, "-m", module, *arguments], environment
