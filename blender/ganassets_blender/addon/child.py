# SPDX-License-Identifier: GPL-3.0-or-later
"""The process beside Blender that makes assets: started when it is needed, watched, ended when it is idle.

Its answers go into a file that Blender's main thread looks into and never waits for. There is no thread that reads
them: Blender calls Python's functions unlocked where a context is overridden while any thread runs Python.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import IO, Any, cast

SILENCE = 1.6  # seconds without a heartbeat after which it hangs
BEGINNING = 60.0  # the same before the first one: a cold disk is slow
STANDSTILL = 1.0  # seconds without a poll after which it was Blender that hung, or the machine that slept
MOST_BYTES = 2**16  # taken in at a poll
LOG_BYTES = 2**20

FLAGS = sum(getattr(subprocess, name, 0) for name in ("CREATE_NO_WINDOW", "BELOW_NORMAL_PRIORITY_CLASS"))  # of Windows

Message = dict[str, Any]


class Child:
    """One process.

    Args:
        start: its command.
        environment: of the process.
        log: file that gets what it prints.

    Attributes:
        ready: whether it has said hello.
        failure: why it is gone, or "".
    """

    def __init__(self, start: list[str], environment: dict[str, str], log: Path) -> None:
        self.ready, self.failure = False, ""
        self.process: subprocess.Popen[str] | None = None
        self.heard = self.used = self.polled = time.monotonic()
        self.number = 0
        self.rest = b""  # of a line that is not whole yet
        self.path, self.answers = "", cast("IO[bytes]", io.BytesIO())
        try:
            handle, self.path = tempfile.mkstemp(prefix="ganassets-answers-")
            with os.fdopen(handle) as answers:
                self.answers = open(self.path, "rb", buffering=0)  # noqa: SIM115 - for as long as this runs
                self.process = self._start(start, environment, answers.fileno(), log)
        except OSError as error:  # a disk that is full, for one
            self._lose(f"the process that makes assets can't be started ({error})")

    def _start(self, start: list[str], environment: dict[str, str], answers: int, log: Path) -> subprocess.Popen[str]:
        log.parent.mkdir(parents=True, exist_ok=True)
        with open(log, "ab") as errors:
            if errors.tell() > LOG_BYTES:
                errors.seek(errors.truncate(0))
            return subprocess.Popen(
                start,
                stdin=subprocess.PIPE,
                stdout=answers,
                stderr=errors,
                env=environment,
                encoding="utf-8",
                # Ctrl-C in the terminal that Blender was started from is for Blender.
                start_new_session=os.name != "nt",
                creationflags=FLAGS,
            )

    def ask(self, **request: Any) -> int:
        """Send a request; returns its number, which its answers have as "id"."""
        self.number += 1
        self.used = time.monotonic()
        self._send({**request, "id": self.number})
        return self.number

    def cancel(self, number: int) -> None:
        """Say that a request's answers are no longer wanted."""
        self._send({"do": "cancel", "id": number})

    def _send(self, message: Message) -> None:
        if self.process and self.process.stdin:
            with contextlib.suppress(OSError, ValueError):  # one that is gone is seen at the next poll
                self.process.stdin.write(json.dumps(message) + "\n")
                self.process.stdin.flush()

    def poll(self) -> list[Message]:
        """What it said since the last time; notices when it is dead or hangs."""
        code = self.process.poll() if self.process else None
        now = time.monotonic()
        data = b"" if self.answers.closed else self.answers.read(MOST_BYTES)
        if data or now - self.polled > STANDSTILL:
            self.heard = now
        self.polled = now
        *lines, self.rest = (self.rest + data).split(b"\n")
        try:
            found = [message for message in map(json.loads, lines) if "beat" not in message]
        except ValueError:
            found = []
            self._lose("the process that makes assets said what is no answer")
        self.ready = self.ready or any("hello" in message for message in found)
        if found:
            self.used = now
        silent = now - self.heard
        if code is not None and not data:
            self._lose(f"the process that makes assets ended with code {code}")
        elif silent > (SILENCE if self.ready else BEGINNING):
            self._lose(f"the process that makes assets has not answered for {silent:.1f} s")
        return found

    def _lose(self, why: str) -> None:
        self.failure = self.failure or why
        self.kill()

    def idle(self) -> float:
        """Seconds since it was asked or answered."""
        return time.monotonic() - self.used

    def end(self) -> None:
        """Let it end by itself: its input does."""
        if self.process and self.process.stdin:
            with contextlib.suppress(OSError):
                self.process.stdin.close()
        self.answers.close()
        with contextlib.suppress(OSError):  # Windows removes no file that is open
            os.unlink(self.path)

    def kill(self) -> None:
        """End it now."""
        self.end()
        if self.process and self.process.poll() is None:
            self.process.kill()


def interpreter() -> str:
    """Path of this Blender's Python: its own, or the system's that it was built with."""
    name = "python.exe" if os.name == "nt" else f"python{sys.version_info[0]}.{sys.version_info[1]}"
    # sys.executable may be any of that name on the PATH, and is Blender itself here and there.
    candidates = [Path(sys.exec_prefix, "bin", name), Path(sys.exec_prefix, name), Path(sys.executable)]
    found = (path for path in candidates if path.stem.lower().startswith("python") and path.is_file())
    return str(next(found, name))
