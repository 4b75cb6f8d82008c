"""Lock a run folder, so that one process at a time writes in it; the system frees the lock when the process ends."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ..api.errors import InputError
from ..api.files import check_regular
from ..api.writer import remove_leftovers, write_atomic, write_error
from ..inference.batch.lock import lock_file
from .run_folder import CHECKPOINTS, COMPARISON, LOCK, NEAREST, SNAPSHOTS

FOLDERS = ("", CHECKPOINTS, SNAPSHOTS, NEAREST, COMPARISON)
# Seconds that a run waits for a command that writes one file in its folder.
SECONDS_TO_WAIT = 2.0


@contextmanager
def lock_run(run: Path) -> Iterator[None]:
    """Hold a run's lock, and remove the half-written files of killed processes from its folder.

    Raises:
        InputError: Another process holds it, or the folder can't be written.
    """
    with _lock(run, SECONDS_TO_WAIT) as held:
        if not held:
            raise InputError(f"another process trains {run}; wait until it has ended, or stop it first.")
        yield


def write_in_run(path: Path, content: bytes) -> None:
    """Write or replace one file in a run's folder, also while the run is training.

    If nothing else holds the lock, the half-written files of killed processes are removed.
    """
    with _lock(path.parent, 0.0):
        write_atomic(path, content)


@contextmanager
def _lock(run: Path, seconds: float) -> Iterator[bool]:
    """Try for some seconds to take a run's lock; yields whether it may be written."""
    flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_BINARY", 0) | getattr(os, "O_NONBLOCK", 0)
    try:
        handle = os.open(run / LOCK, flags, 0o666)
    except OSError as error:
        raise write_error(run, error) from error
    try:
        try:
            check_regular(handle, run / LOCK)
            held = lock_file(handle, seconds)
        except OSError as error:
            raise write_error(run, error) from error
        # `take` returns None on a file system without locks, where another process may be writing these files.
        if held:
            for name in FOLDERS:
                remove_leftovers(run / name)
        yield held is not False
    finally:
        os.close(handle)
