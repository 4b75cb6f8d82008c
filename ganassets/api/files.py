"""Read files safely: only regular files, and only up to a limit of bytes.

A name in a folder of training data, beside a model or in a run folder may be a link to an endless device or to a pipe
without a writer. Opening it must not block, and reading it must not fill the memory.
"""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path
from typing import IO, BinaryIO

from .errors import InputError

CHUNK = 2**20  # bytes per read; a stream allocates this much memory at each read
NOT_REGULAR = "it is a device or a pipe, not a file"
# Files that a shell opened for the program: `< file`, `| program /dev/stdin`, `program <(other program)`.
SHELL_FILES = ("/dev/stdin", "/dev/fd/", "/proc/self/fd/")
# Without these flags, opening a pipe waits for a writer, and a terminal may become the controlling one.
FLAGS = os.O_RDONLY | sum(getattr(os, name, 0) for name in ("O_NONBLOCK", "O_NOCTTY", "O_CLOEXEC", "O_BINARY"))


def open_regular(path: str | Path) -> BinaryIO:
    """Open a regular file for reading, or a pipe that the shell opened (see SHELL_FILES).

    Args:
        path: Path of the file.

    Raises:
        OSError: The file can't be opened, or it is a folder, a device, a socket or another pipe.
    """
    if "\0" in os.fspath(path):
        raise OSError(errno.EINVAL, "A path can't contain a null character")
    from_shell = os.fspath(path).startswith(SHELL_FILES)
    nonblocking = 0 if from_shell else getattr(os, "O_NONBLOCK", 0)
    handle = os.open(path, FLAGS & ~getattr(os, "O_NONBLOCK", 0) | nonblocking)
    try:
        check_regular(handle, path, pipes=from_shell)
        return os.fdopen(handle, "rb")
    except BaseException:
        os.close(handle)
        raise


def check_regular(handle: int, path: str | Path, pipes: bool = False) -> None:
    """Raise OSError unless an open file is a regular one.

    Args:
        handle: Descriptor of the file.
        path: Path of the file, for the message.
        pipes: Whether pipes are allowed too.
    """
    mode = os.fstat(handle).st_mode
    if stat.S_ISDIR(mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    if not (stat.S_ISREG(mode) or (pipes and stat.S_ISFIFO(mode))):
        raise OSError(errno.EINVAL, NOT_REGULAR, str(path))


def read_up_to(stream: IO[bytes], most: int) -> bytes:
    """Read up to `most` bytes of a stream, allocating no memory for bytes that don't exist."""
    parts: list[bytes] = []
    while most > 0 and (part := stream.read(min(most, CHUNK))):
        parts.append(part)
        most -= len(part)
    return b"".join(parts)


def read_bytes(path: str | Path, most: int) -> bytes:
    """Read all bytes of a regular file.

    Args:
        path: Path of the file.
        most: Largest allowed size in bytes.

    Raises:
        OSError: The file can't be read or is larger.
    """
    with open_regular(path) as file:
        content = read_up_to(file, most + 1)
    if len(content) > most:
        raise OSError(errno.EFBIG, f"it is larger than {format_bytes(most)}", str(path))
    return content


def read_text(path: str | Path, most: int) -> str:
    """Read the text of a regular UTF-8 file.

    Args:
        path: Path of the file.
        most: Largest allowed size in bytes.

    Raises:
        OSError: The file can't be read or is larger.
        UnicodeDecodeError: The file is not UTF-8.

    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     path = Path(folder, "labels.txt")
    ...     _ = path.write_text("cat")
    ...     read_text(path, most=2**20)
    'cat'
    """
    return read_bytes(path, most).decode()


def read_limited(path: Path, most: int, what: str) -> bytes:
    """Read a file that the user named.

    Args:
        path: Path of the file.
        most: Largest allowed size in bytes.
        what: What the file should be, for the message: "a recipe".

    Raises:
        InputError: The file can't be read or is larger.
    """
    try:
        return read_bytes(path, most)
    except FileNotFoundError as error:
        raise InputError(f"{path} is not there; give the path of {what}.") from error
    except OSError as error:
        if error.errno == errno.EFBIG:
            raise InputError(f"{path} is too large for {what}.") from error
        raise InputError(f"{path} can't be read ({str(error.strerror).lower()}); give the path of {what}.") from error


def format_bytes(size: int) -> str:
    """Return a size in bytes as text: "8 MB", or "100 bytes" below one megabyte."""
    return f"{size // 2**20:,} MB" if size >= 2**20 else f"{size:,} bytes"
