"""Temporary files of libraries that write nothing else, such as USD's and Blender's."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

from .errors import GanassetsError

VARIABLE = "TEMP" if os.name == "nt" else "TMPDIR"


@contextlib.contextmanager
def scratch_folder(prefix: str) -> Iterator[Path]:
    """A temporary folder, removed at the end.

    Args:
        prefix: of its name.

    Raises:
        GanassetsError: the disk refuses a file: it is full, or files may not be that large.
    """
    try:
        with tempfile.TemporaryDirectory(prefix=prefix, ignore_cleanup_errors=True) as name:
            yield Path(name)
    except OSError as error:
        why = (error.strerror or str(error)).lower()
        place = tempfile.tempdir or "the temporary folder"
        raise GanassetsError(
            f"temporary files can't be written in {place} ({why}); "
            f"make room there, or name another folder in {VARIABLE}."
        ) from error
