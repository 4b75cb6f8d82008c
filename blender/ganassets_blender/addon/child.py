# SPDX-License-Identifier: GPL-3.0-or-later
"""The process beside Blender that makes assets: started when it is needed, watched, ended when it is idle.

Only a thread that reads lines touches it; Blender's main thread polls and never waits.
"""

from __future__ import annotations

import contextlib
import json
import os
import queue
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

SILENCE = 1.6  # seconds without a heartbeat after which it hangs
BEGINNING = 60.0  # the same before the first one: a cold disk is slow
STANDSTILL = 1.0  # seconds without a poll after which it was Blender that hung, or the machine that slept
MOST_LINES = 200  # taken in at a poll
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
        self.messages: queue.SimpleQueue[Message] = queue.SimpleQueue()
        self.heard = self.used = self.polled = time.monotonic()
        self.number = 0
        self.ended = False
        self.lock = threading.Lock()
        self.unsent: list[Message] = []
        # Starting takes longer than a frame.
        threading.Thread(target=self._run, args=(start, environment, log), daemon=True).start()

    def _run(self, start: list[str], environment: dict[str, str], log: Path) -> None:
        try:
            process = self._start(start, environment, log)
        except OSError as error:
            self.failure = f"the process that makes assets can't be started ({error})"
            return
        with self.lock:
            self.process = process
            for message in self.unsent:
                self._write(process, message)
            if self.ended:
                self._close(process)
        self._listen(process)

    def _start(self, start: list[str], environment: dict[str, str], log: Path) -> subprocess.Popen[str]:
        log.parent.mkdir(parents=True, exist_ok=True)
        with open(log, "ab" if log.exists() and log.stat().st_size < LOG_BYTES else "wb") as errors:
            return subprocess.Popen(
                start,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                env=environment,
                encoding="utf-8",
                # Ctrl-C in the terminal that Blender was started from is for Blender.
                start_new_session=os.name != "nt",
                creationflags=FLAGS,
            )

    def _listen(self, process: subprocess.Popen[str]) -> None:
        assert process.stdout
        try:
            with process.stdout:
                for line in process.stdout:
                    self.heard = time.monotonic()
                    message = json.loads(line)
                    if "beat" not in message:
                        self.messages.put(message)
        except ValueError:
            pass  # cut off in the middle of a line

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
        with self.lock:
            if self.process:
                self._write(self.process, message)
            else:
                self.unsent.append(message)

    def _write(self, process: subprocess.Popen[str], message: Message) -> None:
        assert process.stdin
        with contextlib.suppress(OSError, ValueError):  # one that is gone is seen at the next poll
            process.stdin.write(json.dumps(message) + "\n")
            process.stdin.flush()

    def _close(self, process: subprocess.Popen[str]) -> None:
        assert process.stdin
        with contextlib.suppress(OSError):
            process.stdin.close()

    def poll(self) -> list[Message]:
        """What it said since the last time; notices when it is dead or hangs."""
        found: list[Message] = []
        now = time.monotonic()
        if now - self.polled > STANDSTILL:
            self.heard = now
        self.polled = now
        code = self.process.poll() if self.process else None
        while len(found) < MOST_LINES:
            try:
                found.append(self.messages.get_nowait())
            except queue.Empty:
                break
        self.ready = self.ready or any("hello" in message for message in found)
        if found:
            self.used = time.monotonic()
        silent = time.monotonic() - self.heard
        if code is not None and self.messages.empty():
            self.failure = f"the process that makes assets ended with code {code}"
        elif silent > (SILENCE if self.ready else BEGINNING):
            self.failure = f"the process that makes assets has not answered for {silent:.1f} s"
            self.kill()
        return found

    def idle(self) -> float:
        """Seconds since it was asked or answered."""
        return time.monotonic() - self.used

    def end(self) -> None:
        """Let it end by itself: its input does."""
        with self.lock:
            self.ended = True
            if self.process:
                self._close(self.process)

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
