"""The Blender that runs beside and stays open from file to file, because starting it takes seconds.

It is a Python that has the module bpy, or a program. Requests and answers are lines of JSON; arrays and the FBX go
through a temporary folder. It ends when its input does, so it can't outlive this process.
"""

from __future__ import annotations

import atexit
import contextlib
import importlib.util
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from typing import Any

import numpy as np

from ganassets.errors import GanassetsError, InputError

from .scene import Scene

SCRIPT = str(Path(__file__).with_name("worker.py"))
VARIABLE = "GANASSETS_BLENDER"
SECONDS = 600.0  # that a file may take, the start of Blender included
MARK = "GANASSETS "  # before each answer: Blender talks too
NONE_FOUND = (
    "FBX needs Blender: pip install 'ganassets[blender]' (Python 3.11), put blender on the PATH, or name it in "
    f"{VARIABLE}."
)


def command() -> list[str]:
    """What starts the worker: the program that GANASSETS_BLENDER names (a Blender, or a Python that has bpy), this
    Python if it has bpy, or the blender on the PATH; InputError if there is none."""
    program = os.environ.get(VARIABLE) or (sys.executable if importlib.util.find_spec("bpy") else "blender")
    found = shutil.which(program)
    if not found:
        raise InputError(NONE_FOUND)
    if Path(found).stem.startswith("blender"):
        return [found, "-b", "-t", "1", "--factory-startup", "--python-use-system-env", "--python", SCRIPT]
    return [found, "-P", SCRIPT]


class Blender:
    """One that runs."""

    def __init__(self, start: list[str]) -> None:
        self.owner = os.getpid()
        self.errors = tempfile.TemporaryFile()  # noqa: SIM115 - open for as long as this runs
        # Blender's exporter makes numbers of hashes, which must not change from run to run.
        self.process = subprocess.Popen(
            start,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.errors,
            env={**os.environ, "PYTHONHASHSEED": "0"},
            encoding="utf-8",
        )
        atexit.register(self.close)

    def usable(self) -> bool:
        """Whether it runs still, and wasn't started by a process that this one was forked from."""
        return self.process.poll() is None and self.owner == os.getpid()

    def close(self) -> None:
        """End it."""
        atexit.unregister(self.close)
        if self.owner == os.getpid():
            self.process.kill()
            self.process.communicate()
        self.errors.close()

    def ask(self, request: dict[str, Any]) -> dict[str, Any]:
        """The answer to a request; GanassetsError when it ends or takes too long."""
        assert self.process.stdin and self.process.stdout
        said = []
        clock = threading.Timer(SECONDS, self.process.kill)
        clock.start()
        try:
            self.process.stdin.write(json.dumps(request) + "\n")
            self.process.stdin.flush()
            for line in self.process.stdout:
                if line.startswith(MARK):
                    return json.loads(line.removeprefix(MARK))
                said.append(line)
        except BrokenPipeError:
            pass
        finally:
            clock.cancel()
        self.process.wait()
        self.errors.seek(0)
        said += self.errors.read().decode(errors="replace").splitlines()
        words = [line.strip() for line in said if "Error" in line]
        raise GanassetsError(
            f"Blender ended before it had written the file: {words[-1] if words else 'it said nothing.'}"
        )


_lock = threading.Lock()
_blender: Blender | None = None


def run_in_blender(scene: Scene) -> bytes:
    """The FBX of a scene.

    Raises:
        InputError: there is no Blender.
        GanassetsError: it failed, ended or took too long.
    """
    with _lock, tempfile.TemporaryDirectory(prefix="ganassets-fbx-") as name:
        folder = Path(name)
        np.savez(folder / "scene.npz", **scene.arrays)  # pyright: ignore[reportArgumentType]
        answer = ask_blender({**scene.words, "folder": name})
        if answer["error"]:
            raise GanassetsError(f"Blender couldn't write the file: {answer['error']}.")
        return (folder / "scene.fbx").read_bytes()


def ask_blender(request: dict[str, Any]) -> dict[str, Any]:
    """The answer of the Blender that runs, or of a new one if there is none or it ends over this."""
    global _blender
    if _blender and _blender.usable():
        with contextlib.suppress(GanassetsError):
            return _blender.ask(request)
    if _blender:
        _blender.close()
    _blender = Blender(command())
    return _blender.ask(request)
