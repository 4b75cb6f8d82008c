"""Temporary folders for libraries that can only write to disk, such as those of USD and Blender."""

from __future__ import annotations

import contextlib
import errno
import os
import tempfile
from collections.abc import Generator
from pathlib import Path

from .errors import GanassetsError

VARIABLE = "TEMP" if os.name == "nt" else "TMPDIR"
# Errors of a disk that is full or read-only.
REFUSALS = (errno.ENOSPC, errno.EFBIG, errno.EDQUOT, errno.EROFS)


@contextlib.contextmanager
def scratch_folder(prefix: str) -> Generator[Path]:
    """Make a temporary folder for the `with` block and remove it afterwards.

    Args:
        prefix: First part of its name.

    Raises:
        GanassetsError: The folder can't be made, or the disk refuses a file in it. Other errors pass through.

    >>> with scratch_folder("ganassets-") as folder:
    ...     folder.is_dir()
    True
    >>> folder.exists()
    False
    """
    try:
        folder = tempfile.TemporaryDirectory(prefix=prefix, ignore_cleanup_errors=True)
    except OSError as error:
        raise disk_error(error) from error
    with folder as name:
        try:
            yield Path(name)
        except OSError as error:
            if is_refusal(error, Path(name)):
                raise disk_error(error) from error
            raise


def is_refusal(error: OSError, folder: Path) -> bool:
    """Whether an error says that the disk refused a file, or that this user may not write in the folder."""
    inside = error.errno == errno.EACCES and error.filename and Path(os.fsdecode(error.filename)).is_relative_to(folder)
    return error.errno in REFUSALS or bool(inside)


def disk_error(error: OSError) -> GanassetsError:
    """Return the error for a temporary folder that can't be written: reason and remedy."""
    why = (error.strerror or str(error)).lower()
    place = tempfile.tempdir or "the temporary folder"
    return GanassetsError(
        f"temporary files can't be written in {place} ({why}); make room there, or name another folder in {VARIABLE}."
    )
