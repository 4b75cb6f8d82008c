"""FBX files of scenes, by a Blender that stays open from file to file; arrays and the FBX go through a folder."""

from __future__ import annotations

import contextlib
import os
import re
import threading
from pathlib import Path
from typing import Any

import numpy as np

from ganassets.api.blender import Blender, command
from ganassets.api.errors import GanassetsError
from ganassets.api.scratch import REFUSALS, scratch_folder

from .scene import Scene

SCRIPT = Path(__file__).with_name("worker.py")

_lock = threading.Lock()
_blender: Blender | None = None


def run_in_blender(scene: Scene) -> bytes:
    """The FBX of a scene.

    Raises:
        InputError: there is no Blender.
        GanassetsError: it failed, ended or took too long.
    """
    with _lock, scratch_folder("ganassets-fbx-") as folder:
        np.savez(folder / "scene.npz", **scene.arrays)  # pyright: ignore[reportArgumentType]
        answer = ask_blender({**scene.words, "folder": str(folder)})
        check_answer(answer["error"])
        if not (folder / "scene.fbx").is_file():
            raise GanassetsError("Blender said nothing, but wrote no FBX file.")
        return (folder / "scene.fbx").read_bytes()


def check_answer(error: str) -> None:
    """Raise what went wrong in Blender, if anything: OSError where its disk refused a file, else GanassetsError.

    An operator's error is a text that ends with the last line of Python's account.
    """
    number = re.search(r"\[Errno (\d+)\]", error)
    if number and int(number[1]) in REFUSALS:
        raise OSError(int(number[1]), os.strerror(int(number[1])))
    if error:
        raise GanassetsError(f"Blender couldn't write the file: {error.strip().splitlines()[-1].rstrip('.')}.")


def ask_blender(request: dict[str, Any]) -> dict[str, Any]:
    """The answer of the Blender that runs, or of a new one if there is none or it ends over this."""
    global _blender
    if _blender and _blender.usable():
        with contextlib.suppress(GanassetsError):
            return _blender.ask(request)
    if _blender:
        _blender.close()
    _blender = Blender(command(SCRIPT, "FBX needs"))
    return _blender.ask(request)
