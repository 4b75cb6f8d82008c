# SPDX-License-Identifier: GPL-3.0-or-later
"""A worker process that generates assets beside Blender: start it, send requests, and notice when it dies or hangs.

It writes its answers into a file, which Blender's main thread polls without waiting. No thread reads them: while
another thread runs Python, Blender calls Python functions without the interpreter lock where a context is overridden.
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

HEARTBEAT_TIMEOUT = 1.6  # seconds without a heartbeat after which the process counts as hung
START_TIMEOUT = 60.0  # seconds until the first heartbeat; reading packages from a cold disk is slow
MAX_POLL_GAP = 1.0  # seconds between polls; after a longer gap, Blender hung or the machine slept, not the process
MAX_POLL_BYTES = 2**16
MAX_LOG_BYTES = 2**20
# Name of the worker process in messages to the user.
NAME = "the process that makes assets"

# On Windows: without a console window, and with a lower priority than Blender.
FLAGS = sum(getattr(subprocess, name, 0) for name in ("CREATE_NO_WINDOW", "BELOW_NORMAL_PRIORITY_CLASS"))

Message = dict[str, Any]


class AddonWorker:
    """One worker process.

    Args:
        command: starts the process.
        environment: environment variables of the process.
        log: file that the process's standard error is appended to.

    Attributes:
        process: the process; None if it could not be started.
        ready: whether the process has sent its first message.
        failure: why the process is gone, without a full stop; "" while it runs.
    """

    def __init__(self, command: list[str], environment: dict[str, str], log: Path) -> None:
        self.ready, self.failure = False, ""
        self.process: subprocess.Popen[str] | None = None
        self.heard = self.used = self.polled = time.monotonic()
        self.last_id = 0
        self.partial_line = b""
        self.path, self.answers = "", cast("IO[bytes]", io.BytesIO())
        try:
            handle, self.path = tempfile.mkstemp(prefix="ganassets-answers-")
            with os.fdopen(handle) as answers:
                self.answers = Path(self.path).open("rb", buffering=0)  # noqa: SIM115 - open until the process ends
                self.process = self._start(command, environment, answers.fileno(), log)
        except OSError as error:  # for example a full disk
            self._fail(f"{NAME} can't be started ({error})")

    def _start(self, command: list[str], environment: dict[str, str], answers: int, log: Path) -> subprocess.Popen[str]:
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("ab") as errors:
            if errors.tell() > MAX_LOG_BYTES:
                errors.seek(errors.truncate(0))
            return subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=answers,
                stderr=errors,
                env=environment,
                encoding="utf-8",
                # Ctrl-C in the terminal that started Blender must not reach the process.
                start_new_session=os.name != "nt",
                creationflags=FLAGS,
            )

    def send_request(self, **request: Any) -> int:
        """Send a request; returns its id, which all its answers carry as "id"."""
        self.last_id += 1
        self.used = time.monotonic()
        self._send({**request, "id": self.last_id})
        return self.last_id

    def cancel(self, request_id: int) -> None:
        """Cancel a request."""
        self._send({"do": "cancel", "id": request_id})

    def _send(self, message: Message) -> None:
        if self.process and self.process.stdin:
            with contextlib.suppress(OSError, ValueError):  # the next poll notices a process that is gone
                self.process.stdin.write(json.dumps(message) + "\n")
                self.process.stdin.flush()

    def poll(self) -> list[Message]:
        """Return the messages since the last poll; set `failure` if the process is dead or hangs."""
        code = self.process.poll() if self.process else None
        now = time.monotonic()
        data = b"" if self.answers.closed else self.answers.read(MAX_POLL_BYTES)
        if data or now - self.polled > MAX_POLL_GAP:
            self.heard = now
        self.polled = now
        *lines, self.partial_line = (self.partial_line + data).split(b"\n")
        try:
            messages = [message for message in map(json.loads, lines) if "beat" not in message]
        except ValueError:
            messages = []
            self._fail(f"{NAME} sent an answer that is not valid JSON")
        self.ready = self.ready or any("hello" in message for message in messages)
        if messages:
            self.used = now
        silent = now - self.heard
        if code is not None and not data:
            self._fail(f"{NAME} ended with code {code}")
        elif silent > (HEARTBEAT_TIMEOUT if self.ready else START_TIMEOUT):
            self._fail(f"{NAME} has not answered for {silent:.1f} s")
        return messages

    def _fail(self, reason: str) -> None:
        self.failure = self.failure or reason
        self.kill()

    def idle_seconds(self) -> float:
        """Seconds since the last request or answer."""
        return time.monotonic() - self.used

    def close(self) -> None:
        """Close the process's input, after which it ends by itself."""
        if self.process and self.process.stdin:
            with contextlib.suppress(OSError):
                self.process.stdin.close()
        self.answers.close()
        if self.path:
            with contextlib.suppress(OSError):  # Windows can't remove a file that is open
                Path(self.path).unlink()

    def kill(self) -> None:
        """End the process now."""
        self.close()
        if self.process and self.process.poll() is None:
            self.process.kill()


def find_interpreter() -> str:
    """Path of this Blender's Python: the one it includes, or the system's Python that it was built with."""
    name = "python.exe" if os.name == "nt" else f"python{sys.version_info[0]}.{sys.version_info[1]}"
    # sys.executable may be any Python of that name on the PATH, and in some Blenders it is Blender itself.
    candidates = [Path(sys.exec_prefix, "bin", name), Path(sys.exec_prefix, name), Path(sys.executable)]
    found = (path for path in candidates if path.stem.lower().startswith("python") and path.is_file())
    return str(next(found, name))
