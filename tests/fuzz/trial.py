"""One input given to one parser, watched: which errors come out, how long it takes, which files it touches."""

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

# Python's audit events of what changes files, runs something or talks to others; an opened file is looked at more
# closely.
CHANGES = frozenset({
    "os.mkdir", "os.rename", "os.remove", "os.rmdir", "os.symlink", "os.link", "os.truncate", "os.chmod", "os.system",
    "os.exec", "os.fork", "os.posix_spawn", "subprocess.Popen", "socket.connect", "socket.bind", "pickle.find_class",
})  # fmt: skip
# What Python and libraries read of their own.
LIBRARIES = tuple(os.path.abspath(path) for path in (sys.prefix, sys.base_prefix, str(ROOT), "/proc", "/sys"))
WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC
MEMORY = Path("/dev/shm")
SOON = 0.1  # seconds of the processor after which an input is worth a look


class Finding(Exception):
    """Something that a parser may not do, beside raising an error of another kind."""


class Watch:
    """Which files are touched outside a folder while one is set."""

    def __init__(self) -> None:
        self.folder: str | None = None
        self.touched: list[str] = []
        sys.addaudithook(self.hear)

    def hear(self, event: str, arguments: tuple[Any, ...]) -> None:
        """Called by Python."""
        if self.folder is None or not (event == "open" or event in CHANGES):
            return
        path = arguments[0] if arguments else ""
        if isinstance(path, int):  # of a file that is open already
            return
        name = os.path.abspath(os.fsdecode(path)) if isinstance(path, (str, bytes, os.PathLike)) else str(path)
        reading = event == "open" and not (arguments[2] or 0) & WRITING
        if not name.startswith((self.folder, *LIBRARIES) if reading else self.folder):
            self.touched.append(f"{event} {name}")


WATCH = Watch()


def attempt(harness: Harness, data: bytes, watched: bool = True) -> None:
    """Give a parser one input; not watched the first time, when libraries load what they need.

    Raises:
        Finding: it was slow, or touched files that it wasn't given.
        Exception: any error or warning that is not in its contract.
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
        raise Finding(f"touched {WATCH.touched[0]}")
    if seconds > SOON and seconds > SLOW * pace():
        raise Finding(f"took {seconds:.1f} s")


def pace() -> float:
    """Seconds of the processor that a fixed piece of work takes here and now, where other programs may be at work."""
    began = time.process_time()
    sum(i for i in range(1_000_000))
    return time.process_time() - began
