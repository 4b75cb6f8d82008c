"""Run Blender in a process of its own and send it requests. It stays open, because starting it takes seconds.

The process is a Python that has the module bpy, or the program blender, and runs a script. It describes itself first
(inside_blender.py), so that an unfit one is refused with a clear message. Requests and answers are lines of JSON;
answers start with MARK, because Blender prints other lines too. Large data goes through files. The process ends when
its input does, so it can't outlive this one.
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
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .errors import GanassetsError, InputError, MissingDependencyError

VARIABLE = "GANASSETS_BLENDER"
START = Path(__file__).with_name("inside_blender.py")
OLDEST = (3, 4)
TIMEOUT = 600.0  # seconds, for an answer and for the start of Blender
MARK = "GANASSETS "
ANOTHER = f"name another Blender in {VARIABLE}"
USER_FOLDERS = (
    "BLENDER_USER_RESOURCES",
    "BLENDER_USER_CONFIG",
    "BLENDER_USER_SCRIPTS",
    "BLENDER_USER_DATAFILES",
    "BLENDER_USER_EXTENSIONS",
)


def blender_command(script: Path, what: str) -> list[str]:
    """Return the command that starts Blender with a script.

    The program is the one that GANASSETS_BLENDER names (a Blender, or a Python that has bpy), this Python if it has
    bpy, or the blender on the PATH.

    Args:
        script: Script that answers requests.
        what: Subject and verb of the message, "FBX needs".

    Returns:
        Program and arguments.

    Raises:
        InputError: There is no Blender.

    >>> from unittest.mock import patch
    >>> with patch.dict(os.environ, {"GANASSETS_BLENDER": sys.executable}):  # a Python that has bpy
    ...     program, *arguments = blender_command(Path("write_fbx.py"), "FBX needs")
    >>> arguments[1:]
    ['--', 'write_fbx.py']
    """
    program = os.environ.get(VARIABLE) or (sys.executable if importlib.util.find_spec("bpy") else "blender")
    found = shutil.which(program)
    if not found:
        raise MissingDependencyError(
            f"{what} Blender: pip install 'ganassets[blender]' (Python 3.11 or 3.13), put blender on the PATH, or name "
            f"it in {VARIABLE}."
        )
    if Path(found).stem.lower().startswith("blender"):
        options = ["-b", "-t", "1", "--factory-startup", "--python-use-system-env", "--python"]
        return [found, *options, str(START), "--", str(script)]
    return [found, str(START), "--", str(script)]


def reason_against(program: str, facts: Mapping[str, Any]) -> str:
    """Return why a Blender can't be used and what to do, or "" if it can.

    Args:
        program: Path of the program.
        facts: Result of inside_blender.describe.
    """
    python, why = f"Python {facts['python']}", facts["why"].rstrip(".")
    if facts["lacks"] == "bpy":
        return f"{program} ({python}) can't import Blender's module bpy ({why}): {ANOTHER}."
    name = f"{program} (Blender {facts['blender']}, {python})"
    if tuple(facts["version"]) < OLDEST:
        return f"{name} is too old; use {OLDEST[0]}.{OLDEST[1]} or later: {ANOTHER}."
    if facts["lacks"]:
        return (
            f"{name} can't import {facts['lacks']} ({why}): install it for that Python (on Debian: apt install "
            f"python3-{facts['lacks']}), or {ANOTHER}."
        )
    return ""


class Blender:
    """A running Blender process.

    Args:
        start: Program and arguments, see blender_command.

    Raises:
        InputError: There is no such program, or it can't run on this machine.

    >>> process = Blender([sys.executable, "-c", "input()"])  # a program that waits, instead of Blender
    >>> process.usable()
    True
    >>> process.close()
    >>> process.usable()
    False
    """

    def __init__(self, start: list[str]) -> None:
        self.program, self.ready = start[0], False
        self.owner = os.getpid()
        self.errors = tempfile.TemporaryFile()  # noqa: SIM115 - open as long as the process runs
        # Its own user folder: with the user's and without their settings it would delete what their extensions need.
        self.user = tempfile.TemporaryDirectory(prefix="ganassets-blender-", ignore_cleanup_errors=True)
        # Blender's exporters turn hashes into numbers, which must not change from run to run.
        try:
            self.process = subprocess.Popen(
                start,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self.errors,
                env={**os.environ, **dict.fromkeys(USER_FOLDERS, self.user.name), "PYTHONHASHSEED": "0"},
                encoding="utf-8",
                errors="replace",  # other lines may be in the system's encoding
            )
        except OSError as error:
            self.errors.close()
            self.user.cleanup()
            raise InputError(f"{self.program} doesn't start ({error.strerror}): {ANOTHER}.") from error
        atexit.register(self.close)

    def usable(self) -> bool:
        """Whether the process still runs and was started by this process, not by one that it was forked from."""
        return self.process.poll() is None and self.owner == os.getpid()

    def close(self) -> None:
        """End the process."""
        atexit.unregister(self.close)
        if self.owner == os.getpid():
            self.process.kill()
            self.process.communicate()
            self.user.cleanup()
        self.errors.close()

    def wait_until_ready(self) -> None:
        """Wait until Blender has started.

        Raises:
            InputError: This Blender can't be used.
        """
        if self.ready:
            return
        facts, message = self._read()
        if facts is None:
            raise InputError(f"{self.program} doesn't start as Blender ({message.rstrip('.')}): {ANOTHER}.")
        if reason := reason_against(self.program, facts):
            raise InputError(reason)
        self.ready = True

    def ask(self, request: dict[str, Any]) -> dict[str, Any]:
        """Send a request and return the answer.

        Args:
            request: JSON object.

        Raises:
            GanassetsError: Blender can't be used, ends or takes longer than TIMEOUT.
        """
        assert self.process.stdin
        self.wait_until_ready()
        with contextlib.suppress(OSError):  # it has ended; Windows says so with an error of another class
            self.process.stdin.write(json.dumps(request) + "\n")
            self.process.stdin.flush()
        answer, message = self._read()
        if answer is None:
            raise GanassetsError(f"Blender ended before it had answered: {message}")
        return answer

    def _read(self) -> tuple[dict[str, Any] | None, str]:
        """Return the next answer and ""; or None and the last error message if the process ended or took too long."""
        assert self.process.stdout
        printed: list[str] = []
        timer = threading.Timer(TIMEOUT, self.process.kill)
        timer.start()
        try:
            for line in self.process.stdout:
                if line.startswith(MARK):
                    return json.loads(line.removeprefix(MARK)), ""
                printed.append(line)
        except OSError:
            pass
        finally:
            timer.cancel()
        self.process.wait()
        self.errors.seek(0)
        printed += self.errors.read().decode(errors="replace").splitlines()
        lines = [line.strip() for line in printed if line.strip()]
        errors = [line for line in lines if "Error" in line]
        return None, (errors or lines or ["it said nothing."])[-1]
