"""A Blender that runs beside and stays open, because starting it takes seconds.

It is a Python that has the module bpy, or a program, and runs a script. Requests and answers are lines of JSON, answers
after MARK because Blender talks too; all that is large goes through files. It ends when its input does, so it can't
outlive this process.
"""

from __future__ import annotations

import atexit
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

from .errors import GanassetsError, InputError

VARIABLE = "GANASSETS_BLENDER"
SECONDS = 600.0  # that an answer may take, the start of Blender included
MARK = "GANASSETS "
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
            f"{what} Blender: pip install 'ganassets[blender]' (Python 3.11), put blender on the PATH, or name it in "
            f"{VARIABLE}."
        )
    if Path(found).stem.lower().startswith("blender"):
        return [found, "-b", "-t", "1", "--factory-startup", "--python-use-system-env", "--python", str(script)]
    return [found, "-P", str(script)]


class Blender:
    """One that runs.

    Args:
        start: see command.
    """

    def __init__(self, start: list[str]) -> None:
        self.owner = os.getpid()
        self.errors = tempfile.TemporaryFile()  # noqa: SIM115 - open for as long as this runs
        # A user folder of its own: without the user's settings it would tidy away what their extensions need.
        self.user = tempfile.TemporaryDirectory(prefix="ganassets-blender-", ignore_cleanup_errors=True)
        # Blender's exporters make numbers of hashes, which must not change from run to run.
        self.process = subprocess.Popen(
            start,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.errors,
            env={**os.environ, **dict.fromkeys(USER_FOLDERS, self.user.name), "PYTHONHASHSEED": "0"},
            encoding="utf-8",
            errors="replace",  # what Blender says besides answers may be in the system's encoding
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
            self.user.cleanup()
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
        except OSError:
            pass  # it has ended; Windows says so with an error of another class
        finally:
            clock.cancel()
        self.process.wait()
        self.errors.seek(0)
        said += self.errors.read().decode(errors="replace").splitlines()
        words = [line.strip() for line in said if "Error" in line]
        raise GanassetsError(f"Blender ended before it had answered: {words[-1] if words else 'it said nothing.'}")
