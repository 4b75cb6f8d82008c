"""A Blender that runs beside and stays open, because starting it takes seconds.

It is a Python that has the module bpy, or a program, and runs a script. It first describes itself (inside_blender.py),
so that one that can't serve is refused in a sentence. Requests and answers are lines of JSON, answers
after MARK because Blender talks too; all that is large goes through files. It ends when its input does, so it can't
outlive this process.
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

from .errors import GanassetsError, InputError

VARIABLE = "GANASSETS_BLENDER"
START = Path(__file__).with_name("inside_blender.py")
OLDEST = (3, 4)
SECONDS = 600.0  # that an answer may take, and the start of Blender
MARK = "GANASSETS "
ANOTHER = f"name another Blender in {VARIABLE}"
USER_FOLDERS = (
    "BLENDER_USER_RESOURCES",
    "BLENDER_USER_CONFIG",
    "BLENDER_USER_SCRIPTS",
    "BLENDER_USER_DATAFILES",
    "BLENDER_USER_EXTENSIONS",
)


def command(script: Path, what: str) -> list[str]:
    """What starts a Blender with a script: the program that GANASSETS_BLENDER names (a Blender, or a Python that has
    bpy), this Python if it has bpy, or the blender on the PATH.

    Args:
        script: that answers requests.
        what: needs it, for the message.

    Raises:
        InputError: there is no Blender.
    """
    program = os.environ.get(VARIABLE) or (sys.executable if importlib.util.find_spec("bpy") else "blender")
    found = shutil.which(program)
    if not found:
        raise InputError(
            f"{what} Blender: pip install 'ganassets[blender]' (Python 3.11 or 3.13), put blender on the PATH, or name "
            f"it in {VARIABLE}."
        )
    if Path(found).stem.lower().startswith("blender"):
        options = ["-b", "-t", "1", "--factory-startup", "--python-use-system-env", "--python"]
        return [found, *options, str(START), "--", str(script)]
    return [found, str(START), "--", str(script)]


def reason_against(program: str, facts: Mapping[str, Any]) -> str:
    """One sentence that says why a Blender can't serve and what to do; "" if it can.

    Args:
        program: its path.
        facts: what inside_blender.describe says of it.
    """
    python, why = f"Python {facts['python']}", facts["why"].rstrip(".")
    if facts["lacks"] == "bpy":
        return f"{program} ({python}) can't import Blender's module bpy ({why}): {ANOTHER}."
    name = f"{program} (Blender {facts['blender']}, {python})"
    if tuple(facts["version"]) < OLDEST:
        return f"{name} is too old, because {OLDEST[0]}.{OLDEST[1]} is the oldest that serves: {ANOTHER}."
    if facts["lacks"]:
        return (
            f"{name} can't import {facts['lacks']} ({why}): install it for that Python (on Debian: apt install "
            f"python3-{facts['lacks']}), or {ANOTHER}."
        )
    return ""


class Blender:
    """One that runs.

    Args:
        start: see command.

    Raises:
        InputError: there is no such program, or it is none for this machine.
    """

    def __init__(self, start: list[str]) -> None:
        self.program, self.ready = start[0], False
        self.owner = os.getpid()
        self.errors = tempfile.TemporaryFile()  # noqa: SIM115 - open for as long as this runs
        # A user folder of its own: without the user's settings it would tidy away what their extensions need.
        self.user = tempfile.TemporaryDirectory(prefix="ganassets-blender-", ignore_cleanup_errors=True)
        # Blender's exporters make numbers of hashes, which must not change from run to run.
        try:
            self.process = subprocess.Popen(
                start,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self.errors,
                env={**os.environ, **dict.fromkeys(USER_FOLDERS, self.user.name), "PYTHONHASHSEED": "0"},
                encoding="utf-8",
                errors="replace",  # what Blender says besides answers may be in the system's encoding
            )
        except OSError as error:
            self.errors.close()
            self.user.cleanup()
            raise InputError(f"{self.program} doesn't start ({error.strerror}): {ANOTHER}.") from error
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
            self.user.cleanup()
        self.errors.close()

    def wait_until_ready(self) -> None:
        """Wait until it has started; InputError where this Blender can't serve."""
        if self.ready:
            return
        facts, said = self._read()
        if facts is None:
            raise InputError(f"{self.program} doesn't start as Blender ({said.rstrip('.')}): {ANOTHER}.")
        if reason := reason_against(self.program, facts):
            raise InputError(reason)
        self.ready = True

    def ask(self, request: dict[str, Any]) -> dict[str, Any]:
        """The answer to a request; GanassetsError when it can't serve, ends or takes too long."""
        assert self.process.stdin
        self.wait_until_ready()
        with contextlib.suppress(OSError):  # it has ended; Windows says so with an error of another class
            self.process.stdin.write(json.dumps(request) + "\n")
            self.process.stdin.flush()
        answer, said = self._read()
        if answer is None:
            raise GanassetsError(f"Blender ended before it had answered: {said}")
        return answer

    def _read(self) -> tuple[dict[str, Any] | None, str]:
        """The next line of JSON; None when it has ended or takes too long, and then what it said last of an error."""
        assert self.process.stdout
        said = []
        clock = threading.Timer(SECONDS, self.process.kill)
        clock.start()
        try:
            for line in self.process.stdout:
                if line.startswith(MARK):
                    return json.loads(line.removeprefix(MARK)), ""
                said.append(line)
        except OSError:
            pass
        finally:
            clock.cancel()
        self.process.wait()
        self.errors.seek(0)
        said += self.errors.read().decode(errors="replace").splitlines()
        lines = [line.strip() for line in said if line.strip()]
        errors = [line for line in lines if "Error" in line]
        return None, (errors or lines or ["it said nothing."])[-1]
