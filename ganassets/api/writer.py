"""The one place that puts files on disk: whole or not at all.

Content goes to a temporary name in the same folder, is flushed to the device and then renamed, so that a crash or a
full disk never leaves half a file under its real name.
"""

from __future__ import annotations

import contextlib
import errno
import os
import re
import secrets
from collections.abc import Collection, Mapping
from pathlib import Path

from .errors import InputError

MAX_NAME_BYTES = 255
SHOWN = 80  # characters of a name in a message
# What a file is called while it is written.
TEMPORARY = re.compile(r"\.[0-9a-f]{16}\.tmp")
FORBIDDEN = set('<>:"/\\|?*') | {chr(code) for code in range(32)} | {"\x7f"}
# Names that Windows keeps for devices, whatever their suffix.
RESERVED = {"con", "prn", "aux", "nul", *(f"{port}{n}" for port in ("com", "lpt") for n in range(1, 10))}
# What keeps a folder from being written, and what would mend it, where another folder isn't all there is to do.
REASONS = {
    errno.ENOSPC: ("there is no space left on the device", "free some"),
    errno.EDQUOT: ("your disk quota is used up", "free some space"),
    errno.EROFS: ("it is read-only", ""),
    errno.EACCES: ("you may not write there", ""),
    errno.EPERM: ("you may not write there", ""),
    errno.EFBIG: ("the file would be larger than allowed there", ""),
}


class WriteError(InputError):
    """A folder can't be written.

    Attributes:
        folder: which.
        why: it can't.
        remedy: what would mend it; "" where only another folder does.
    """

    def __init__(self, folder: Path, why: str, remedy: str = "") -> None:
        super().__init__(folder, why, remedy)
        self.folder, self.why, self.remedy = folder, why, remedy

    def __str__(self) -> str:
        return f"can't write in {self.folder}: {self.why}; {self.remedy and f'{self.remedy} or '}choose another folder."


def write_files(folder: Path, files: Mapping[str, bytes], overwrite: bool = False) -> list[Path]:
    """Write files into one folder, made if it isn't there; all are on the device before the first gets its name.

    Args:
        folder: where to.
        files: content by name; names are plain, without any path.
        overwrite: replace files that are there.

    Returns:
        their paths, in the same order.

    Raises:
        InputError: a name is unsafe, a file is there already, or the device refuses; nothing half-written stays.
    """
    folder = Path(folder)
    check_names(files)
    targets = {name: folder / name for name in files}
    _check_free(targets.values(), overwrite)
    temporaries: dict[str, Path] = {}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in files.items():
            temporaries[name] = _temporary(folder)
            _write_synced(temporaries[name], content)
        for name in files:
            os.replace(temporaries[name], targets[name])
        _sync_folder(folder)
    except OSError as error:
        raise can_not_write(folder, error) from error
    finally:
        for temporary in temporaries.values():
            _remove(temporary)
    return list(targets.values())


def _temporary(folder: Path) -> Path:
    return folder / f".{secrets.token_hex(8)}.tmp"


def remove_leftovers(folder: Path) -> None:
    """Remove what killed processes left half-written in a folder, which nobody else may be writing in."""
    try:
        leftovers = [path for path in folder.iterdir() if TEMPORARY.fullmatch(path.name)] if folder.is_dir() else []
    except OSError as error:
        raise can_not_write(folder, error) from error
    for path in leftovers:
        _remove(path)


def write_atomic(path: Path, content: bytes) -> Path:
    """Write or replace one file, making its folder; InputError when that can't be done, nothing half-written."""
    path = Path(path)
    return write_files(path.parent, {path.name: content}, overwrite=True)[0]


def check_folder(folder: Path, stems: Collection[str], overwrite: bool = False) -> None:
    """Find out before any work whether files can be written: make the folder and try it.

    Args:
        folder: where to.
        stems: names of the assets whose files are to come.
        overwrite: whether files of such an asset may be there already.

    Raises:
        InputError: the folder is a file, can't be made or written, or holds such files.
    """
    folder = Path(folder)
    probe = _temporary(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if not overwrite:
            _check_free([path for path in folder.iterdir() if not stems_of(path.name).isdisjoint(stems)], overwrite)
        _write_synced(probe, b"ganassets")
    except OSError as error:
        raise can_not_write(folder, error) from error
    finally:
        _remove(probe)


def stems_of(name: str) -> set[str]:
    """Names that the asset of a file may have: "rock-7" and others of "T_rock-7_BC.png" or "rock-7-albedo.png".

    Exporters put a dot, an underscore or a hyphen and a word behind an asset's name, and some engines want capitals and
    an underscore before it.
    """
    bare = re.sub(r"^[A-Z]+_", "", name)
    return {text[: end.start()] for text in (name, bare) for end in re.finditer(r"[._]|-(?=[a-z])|$", text)}


def check_names(names: Collection[str]) -> None:
    """InputError unless all are file names that every system takes and that stay in their folder."""
    seen: set[str] = set()
    for name in names:
        stem = name.partition(".")[0].rstrip(" ").lower()
        unsafe = not name or name.startswith(".") or name.endswith((".", " ")) or FORBIDDEN.intersection(name)
        if unsafe or stem in RESERVED or not _is_unicode(name) or len(name.encode()) > MAX_NAME_BYTES:
            shown = repr(name) if len(name) <= SHOWN else f"{name[:SHOWN]!r}..."
            raise InputError(f"{shown} can't be the name of a file on every system.")
        if name.lower() in seen:
            raise InputError(f"two files would have the name {name!r}.")
        seen.add(name.lower())


def _is_unicode(text: str) -> bool:
    """Whether a text has no lone surrogates, which files' names of bytes that aren't UTF-8 have."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _check_free(paths: Collection[Path], overwrite: bool) -> None:
    """InputError when a path is taken: by a file that may not be replaced, or by a folder."""
    for path in sorted(paths):
        if path.is_dir():
            raise InputError(f"{path} is a folder; choose another name.")
        if not overwrite and os.path.lexists(path):
            raise InputError(f"{path} is there already; choose another folder or use --overwrite.")


def _write_synced(path: Path, content: bytes) -> None:
    with open(path, "xb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _sync_folder(folder: Path) -> None:
    """Make renames last through a power cut, where folders can be opened (not on Windows)."""
    if os.name == "nt":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    except OSError as error:
        if error.errno != errno.EINVAL:  # some network file systems don't know it
            raise
    finally:
        os.close(handle)


def _remove(path: Path) -> None:
    with contextlib.suppress(OSError):  # the first error is the one to tell
        path.unlink(missing_ok=True)


def can_not_write(folder: Path, error: OSError) -> InputError:
    """The error for users: what keeps a folder from being written."""
    if isinstance(error, (FileExistsError, NotADirectoryError)):
        return WriteError(folder, "a file has that name")
    if error.errno == errno.ENAMETOOLONG:
        return InputError(f"can't write in {folder}: the name is too long; choose a shorter one.")
    return WriteError(folder, *REASONS.get(error.errno or 0, ((error.strerror or str(error)).lower(), "")))
