"""Who writes in a run's folder: one process at a time, known by a lock that the system gives back when it ends."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ..api.errors import InputError
from ..api.files import check_regular
from ..api.writer import can_not_write, remove_leftovers, write_atomic
from ..inference.batch.lock import lock_file

LOCK = "lock"
# Where a run's files lie, below its folder.
FOLDERS = ("", "checkpoints", "snapshots", "nearest")
SECONDS_TO_WAIT = 2.0  # for a command that writes one file


@contextmanager
def lock_run(run: Path) -> Iterator[None]:
    """Hold a run's lock, and remove what killed processes left half-written in its folder.

    Raises:
        InputError: another process has it, or the folder can't be written.
    """
    with _lock(run, SECONDS_TO_WAIT) as held:
        if not held:
            raise InputError(f"another process trains {run}; wait until it has ended, or stop it first.")
        yield


def write_in_run(path: Path, content: bytes) -> None:
    """Write or replace one file of a run's folder, which may be in training.

    Where it isn't, what killed processes left half-written there is removed.
    """
    with _lock(path.parent, 0.0):
        write_atomic(path, content)


@contextmanager
def _lock(run: Path, seconds: float) -> Iterator[bool]:
    """Hold a run's lock, waiting so long for it; whether it is held."""
    flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_BINARY", 0) | getattr(os, "O_NONBLOCK", 0)
    try:
        handle = os.open(run / LOCK, flags, 0o666)
    except OSError as error:
        raise can_not_write(run, error) from error
    try:
        try:
            check_regular(handle, run / LOCK)
            held = lock_file(handle, seconds)
        except OSError as error:
            raise can_not_write(run, error) from error
        if held:  # where the file system knows no locks, another process may be writing them
            for name in FOLDERS:
                remove_leftovers(run / name)
        yield held is not False
    finally:
        os.close(handle)
