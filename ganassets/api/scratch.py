"""Temporary files of libraries that write nothing else, such as USD's and Blender's."""

from __future__ import annotations

import contextlib
import errno
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

from .errors import GanassetsError

VARIABLE = "TEMP" if os.name == "nt" else "TMPDIR"
# What a disk says that takes no more of a file.
REFUSALS = (errno.ENOSPC, errno.EFBIG, errno.EDQUOT, errno.EROFS)


@contextlib.contextmanager
def scratch_folder(prefix: str) -> Iterator[Path]:
    """A temporary folder, removed at the end.

    Args:
        prefix: of its name.

    Raises:
        GanassetsError: the folder can't be made, or the disk refuses a file in it. Other errors are the caller's.
    """
    try:
        made = tempfile.TemporaryDirectory(prefix=prefix, ignore_cleanup_errors=True)
    except OSError as error:
        raise refused(error) from error
    with made as name:
        try:
            yield Path(name)
        except OSError as error:
            if is_refusal(error, Path(name)):
                raise refused(error) from error
            raise


def is_refusal(error: OSError, folder: Path) -> bool:
    """Whether the disk refused a file, or the folder takes none from this user."""
    inside = error.errno == errno.EACCES and error.filename and Path(os.fsdecode(error.filename)).is_relative_to(folder)
    return error.errno in REFUSALS or bool(inside)


def refused(error: OSError) -> GanassetsError:
    """The error for users."""
    why = (error.strerror or str(error)).lower()
    place = tempfile.tempdir or "the temporary folder"
    return GanassetsError(
        f"temporary files can't be written in {place} ({why}); make room there, or name another folder in {VARIABLE}."
    )
