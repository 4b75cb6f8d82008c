"""Open files that somebody else may have named: regular files alone, and no more of them than fits.

A name in a folder of training data, beside a model or in a run may be a link to a device that never ends or a pipe that
nobody writes to. Opening such a one must not block, and reading it must not fill the memory.
"""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path
from typing import IO, BinaryIO

from .errors import InputError

PART = 2**20  # bytes that are asked for at once: a stream takes memory for all of them
NOT_REGULAR = "it is a device or a pipe, not a file"
# Pipes that a user hands over on purpose: `< file`, `| program /dev/stdin`, `program <(other program)`.
HANDED_OVER = ("/dev/stdin", "/dev/fd/", "/proc/self/fd/")
# Without these, opening a pipe waits for a writer, and a terminal may become the program's own.
FLAGS = os.O_RDONLY | sum(getattr(os, name, 0) for name in ("O_NONBLOCK", "O_NOCTTY", "O_CLOEXEC", "O_BINARY"))


def open_regular(path: str | Path) -> BinaryIO:
    """Open a regular file for reading, or a pipe that the user handed over by its descriptor.

    Raises:
        OSError: the file can't be opened, or it is a folder, a device, a socket or any other pipe.
    """
    handed_over = os.fspath(path).startswith(HANDED_OVER)
    nonblocking = 0 if handed_over else getattr(os, "O_NONBLOCK", 0)
    handle = os.open(path, FLAGS & ~getattr(os, "O_NONBLOCK", 0) | nonblocking)
    try:
        check_regular(handle, path, pipes=handed_over)
        return os.fdopen(handle, "rb")
    except BaseException:
        os.close(handle)
        raise


def check_regular(handle: int, path: str | Path, pipes: bool = False) -> None:
    """Raise OSError unless an open file is a regular one.

    Args:
        handle: descriptor of the file.
        path: for the message.
        pipes: whether a pipe is welcome too.
    """
    mode = os.fstat(handle).st_mode
    if stat.S_ISDIR(mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    if not (stat.S_ISREG(mode) or (pipes and stat.S_ISFIFO(mode))):
        raise OSError(errno.EINVAL, NOT_REGULAR, str(path))


def read_up_to(stream: IO[bytes], most: int) -> bytes:
    """The next bytes of a stream, `most` at most, without taking memory for more than there are."""
    parts = []
    while most > 0 and (part := stream.read(min(most, PART))):
        parts.append(part)
        most -= len(part)
    return b"".join(parts)


def read_bytes(path: str | Path, most: int) -> bytes:
    """All bytes of a regular file; OSError when it can't be read or holds more than `most` bytes."""
    with open_regular(path) as file:
        content = read_up_to(file, most + 1)
    if len(content) > most:
        raise OSError(errno.EFBIG, f"it is larger than {size_text(most)}", str(path))
    return content


def read_text(path: str | Path, most: int) -> str:
    """Text of a regular UTF-8 file; OSError as in read_bytes, UnicodeDecodeError when it is no UTF-8."""
    return read_bytes(path, most).decode()


def read_limited(path: Path, most: int, what: str) -> bytes:
    """Content of a file that the user names; InputError when it can't be read or is larger than `most` bytes.

    Args:
        path: of the file.
        most: bytes that it may hold.
        what: it should be, for the message: "a recipe".
    """
    try:
        return read_bytes(path, most)
    except FileNotFoundError as error:
        raise InputError(f"{path} is not there; give the path of {what}.") from error
    except OSError as error:
        if error.errno == errno.EFBIG:
            raise InputError(f"{path} is too large for {what}.") from error
        raise InputError(f"{path} can't be read ({str(error.strerror).lower()}); give the path of {what}.") from error


def size_text(size: int) -> str:
    """Write a size as "8 MB", or as "100 bytes" below one megabyte."""
    return f"{size // 2**20:,} MB" if size >= 2**20 else f"{size:,} bytes"
