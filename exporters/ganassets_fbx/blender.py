"""Write FBX files with Blender. One Blender stays open for all files; arrays and files pass through a folder."""

from __future__ import annotations

import contextlib
import os
import re
import threading
from pathlib import Path
from typing import Any

import numpy as np

from ganassets.api.blender import Blender, blender_command
from ganassets.api.errors import GanassetsError
from ganassets.api.scratch import REFUSALS, scratch_folder

from .scene import BlenderScene

SCRIPT = Path(__file__).with_name("worker.py")

_lock = threading.Lock()
_blender: Blender | None = None


def run_in_blender(scene: BlenderScene) -> bytes:
    """Write a scene as FBX.

    Raises:
        InputError: Blender is not installed.
        GanassetsError: Blender failed, ended or took too long.
    """
    with _lock, scratch_folder("ganassets-fbx-") as folder:
        np.savez(folder / "scene.npz", **scene.arrays)  # pyright: ignore[reportArgumentType]
        answer = ask_blender({**scene.metadata, "folder": str(folder)})
        check_answer(answer["error"])
        if not (folder / "scene.fbx").is_file():
            raise GanassetsError("Blender reported no error, but wrote no FBX file.")
        return (folder / "scene.fbx").read_bytes()


def check_answer(error: str) -> None:
    """Raise the error that Blender reported, if any.

    Args:
        error: Text of an operator's error, which ends with the last line of Python's traceback; "" for none.

    Raises:
        OSError: The disk refused a file.
        GanassetsError: Anything else went wrong.
    """
    number = re.search(r"\[Errno (\d+)\]", error)
    if number and int(number[1]) in REFUSALS:
        raise OSError(int(number[1]), os.strerror(int(number[1])))
    if error:
        raise GanassetsError(f"Blender couldn't write the file: {error.strip().splitlines()[-1].rstrip('.')}.")


def ask_blender(request: dict[str, Any]) -> dict[str, Any]:
    """Send a request to the open Blender; start another one if none is open or it ends during the request."""
    global _blender
    if _blender and _blender.usable():
        with contextlib.suppress(GanassetsError):
            return _blender.ask(request)
    if _blender:
        _blender.close()
    _blender = Blender(blender_command(SCRIPT, "FBX needs"))
    return _blender.ask(request)
