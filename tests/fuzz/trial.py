"""Give one parser one input and check its errors, its time and the files that it touches."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
import time
import warnings
from pathlib import Path
from typing import Any

from ganassets.api.errors import GanassetsError

from .harnesses import ROOT, SLOW, Harness

# Python's audit events of changed files, started programs and connections; opened files are checked separately.
CHANGES = frozenset({
    "os.mkdir", "os.rename", "os.remove", "os.rmdir", "os.symlink", "os.link", "os.truncate", "os.chmod", "os.system",
    "os.exec", "os.fork", "os.posix_spawn", "subprocess.Popen", "socket.connect", "socket.bind", "pickle.find_class",
})  # fmt: skip
# Folders from which Python and libraries may read.
LIBRARIES = (sys.prefix, sys.base_prefix, str(ROOT), "/proc", "/sys")
WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC
MEMORY = Path("/dev/shm")
FAST = 0.1  # seconds of processor time below which no input counts as slow


class FindingError(Exception):
    """A parser was too slow, or touched files outside its folder."""


class FileAccessWatch:
    """Records the files outside a folder that are touched while a folder is set."""

    def __init__(self) -> None:
        self.folder: str | None = None
        self.touched: list[str] = []
        sys.addaudithook(self.hear)

    def hear(self, event: str, arguments: tuple[Any, ...]) -> None:
        """Record an audit event of Python."""
        if self.folder is None or not (event == "open" or event in CHANGES):
            return
        path = arguments[0] if arguments else ""
        if isinstance(path, int):  # the file is open already
            return
        # Not Path.resolve: it follows links, and raises events of its own.
        is_path = isinstance(path, (str, bytes, os.PathLike))
        name = os.path.abspath(os.fsdecode(path)) if is_path else str(path)  # noqa: PTH100  # see above
        reading = event == "open" and not (arguments[2] or 0) & WRITING
        if not name.startswith((self.folder, *LIBRARIES) if reading else self.folder):
            self.touched.append(f"{event} {name}")


WATCH = FileAccessWatch()


def attempt(harness: Harness, data: bytes, watched: bool = True) -> None:
    """Give a parser one input. The first time it runs unwatched, because libraries load their own files then.

    Raises:
        FindingError: the parser was too slow, or touched files outside its folder.
        Exception: any error or warning that the parser may not raise.
    """
    folder = tempfile.mkdtemp(prefix="fuzz-", dir=MEMORY if MEMORY.is_dir() else None)
    WATCH.touched, WATCH.folder = [], folder if watched else None
    began = time.process_time()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            harness.parse(data, Path(folder))
    except (GanassetsError, *harness.refusals):
        pass
    finally:
        WATCH.folder = None
        shutil.rmtree(folder)
    seconds = time.process_time() - began
    if not watched:
        return
    if WATCH.touched:
        raise FindingError(f"touched {WATCH.touched[0]}")
    if seconds > FAST and seconds > SLOW * pace():
        raise FindingError(f"took {seconds:.1f} s")


def pace() -> float:
    """Measure the processor time in seconds of a fixed computation, which grows while other programs run."""
    began = time.process_time()
    sum(i for i in range(1_000_000))
    return time.process_time() - began
