"""A file of JSON lines that one process at a time appends to, each line written to the disk before the next."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

from ...api.errors import InputError
from ...api.files import check_regular, open_regular
from ...api.writer import write_error
from .lock import lock_file

MAX_LINE = 8 * 2**20  # bytes
MAX_BYTES = 16 * 2**30


class Journal:
    """A file of JSON lines, open for writing and locked.

    Args:
        path: Path of the file; it is created with its folder if it is missing.
        folder: Folder to name in error messages.
        taken: Called again and again while another process has the file; raises, or waits a little.

    Attributes:
        locked: Whether the file is locked; False where the file system has no locks.

    Raises:
        InputError: The file can't be written or is too large.
    """

    def __init__(self, path: Path, folder: Path, taken: Callable[[], None]) -> None:
        self.path, self.folder = path, folder
        flags = os.O_RDWR | os.O_CREAT | os.O_APPEND | getattr(os, "O_BINARY", 0) | getattr(os, "O_NONBLOCK", 0)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._handle = os.open(path, flags, 0o666)
        except OSError as error:
            raise write_error(folder, error) from error
        try:
            check_regular(self._handle, path)
            while (held := lock_file(self._handle)) is False:
                taken()
            self.locked = bool(held)
            if self.size > MAX_BYTES:
                raise InputError(f"{path} is too large for an index; choose another folder.")
        except OSError as error:
            self.close()
            raise write_error(folder, error) from error
        except BaseException:
            self.close()
            raise

    @property
    def size(self) -> int:
        """Size of the file in bytes."""
        return os.fstat(self._handle).st_size

    def close(self) -> None:
        """Close the file and release the lock."""
        os.close(self._handle)

    def cut(self, size: int) -> None:
        """Truncate the file to a size in bytes, to remove the incomplete line of a killed process."""
        if size < self.size:
            try:
                os.ftruncate(self._handle, size)
            except OSError as error:
                raise write_error(self.folder, error) from error

    def write(self, record: str) -> None:
        """Append a line, completely or not at all; InputError where the disk refuses."""
        line, start = f"{record}\n".encode(), self.size
        try:
            if os.write(self._handle, line) != len(line):
                raise OSError(28, os.strerror(28))  # no space for all of it
            os.fsync(self._handle)
        except OSError as error:
            os.ftruncate(self._handle, start)
            raise write_error(self.folder, error) from error


def lines_of(path: Path) -> Iterator[bytes]:
    """Read the lines of a file with their line ends; InputError where one is longer than MAX_LINE."""
    with open_regular(path) as file:
        while line := file.readline(MAX_LINE + 1):
            if len(line) > MAX_LINE:
                raise InputError(f"{path} is damaged (a line without an end); move it away, or choose another folder.")
            yield line
