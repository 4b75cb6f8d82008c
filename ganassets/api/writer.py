"""Write files atomically: each file is complete, or doesn't exist under its name.

Content is written to a temporary name in the same folder, flushed to the device and then renamed, so that a crash or a
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
MAX_QUOTED = 80  # characters of a name in a message
# Names of files that are still being written.
TEMPORARY = re.compile(r"\.[0-9a-f]{16}\.tmp")
FORBIDDEN = set('<>:"/\\|?*') | {chr(code) for code in range(32)} | {"\x7f"}
# Names that Windows reserves for devices, with any suffix.
RESERVED = {"con", "prn", "aux", "nul", *(f"{port}{n}" for port in ("com", "lpt") for n in range(1, 10))}
# Reasons why a folder can't be written, and a remedy other than choosing another folder.
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
        folder: The folder.
        why: Reason.
        remedy: Advice for the user; "" if only another folder helps.
    """

    def __init__(self, folder: Path, why: str, remedy: str = "") -> None:
        super().__init__(folder, why, remedy)
        self.folder, self.why, self.remedy = folder, why, remedy

    def __str__(self) -> str:
        return f"can't write in {self.folder}: {self.why}; {self.remedy and f'{self.remedy} or '}choose another folder."


def write_files(folder: Path, files: Mapping[str, bytes], overwrite: bool = False) -> list[Path]:
    """Write files into one folder; all of them are on the device before the first gets its name.

    Args:
        folder: Folder of the files; created if it doesn't exist.
        files: Content by file name, without a path.
        overwrite: Whether existing files may be replaced.

    Returns:
        Paths of the files, in the same order.

    Raises:
        InputError: A name is unsafe, a file exists already, or the device refuses; nothing half-written is left.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     [path] = write_files(Path(folder), {"head-7.txt": b"text"})
    ...     path.name, path.read_bytes()
    ('head-7.txt', b'text')
    """
    folder = Path(folder)
    check_names(files)
    targets = {name: folder / name for name in files}
    if "\0" in str(folder):
        raise InputError(f"{str(folder)!r} can't be the name of a folder.")
    temporaries: dict[str, Path] = {}
    try:
        _check_free(targets.values(), overwrite)
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in files.items():
            temporaries[name] = _temporary(folder)
            _write_synced(temporaries[name], content)
        for name in files:
            temporaries[name].replace(targets[name])
        _sync_folder(folder)
    except OSError as error:
        raise write_error(folder, error) from error
    finally:
        for temporary in temporaries.values():
            _remove(temporary)
    return list(targets.values())


def _temporary(folder: Path) -> Path:
    return folder / f".{secrets.token_hex(8)}.tmp"


def remove_leftovers(folder: Path) -> None:
    """Remove half-written files of killed processes from a folder; no other process may be writing there.

    Raises:
        InputError: The folder can't be read.
    """
    try:
        leftovers = [path for path in folder.iterdir() if TEMPORARY.fullmatch(path.name)] if folder.is_dir() else []
    except OSError as error:
        raise write_error(folder, error) from error
    for path in leftovers:
        _remove(path)


def write_atomic(path: Path, content: bytes) -> Path:
    """Write or replace one file and create its folder.

    Args:
        path: Path of the file.
        content: Its bytes.

    Returns:
        The path.

    Raises:
        InputError: The file can't be written; nothing half-written is left.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_atomic(Path(folder) / "notes" / "a.txt", b"text").read_bytes()
    b'text'
    """
    path = Path(path)
    return write_files(path.parent, {path.name: content}, overwrite=True)[0]


def stems_of(name: str) -> set[str]:
    """Return the possible names of a file's asset: "rock-7" and others for "T_rock-7_BC.png" or "rock-7-albedo.png".

    Exporters append a dot, an underscore or a hyphen and a word to an asset's name, and some engines expect capitals
    and an underscore in front of it.
    """
    bare = re.sub(r"^[A-Z]+_", "", name)
    return {text[: end.start()] for text in (name, bare) for end in re.finditer(r"[._]|-(?=[a-z])|$", text)}


def check_names(names: Collection[str]) -> None:
    """Raise InputError unless all names are valid on every operating system, stay in their folder and differ."""
    seen: set[str] = set()
    for name in names:
        stem = name.partition(".")[0].rstrip(" ").lower()
        unsafe = not name or name.startswith(".") or name.endswith((".", " ")) or FORBIDDEN.intersection(name)
        if unsafe or stem in RESERVED or not _is_unicode(name) or len(name.encode()) > MAX_NAME_BYTES:
            shown = repr(name) if len(name) <= MAX_QUOTED else f"{name[:MAX_QUOTED]!r}..."
            raise InputError(f"{shown} can't be the name of a file on every system.")
        if name.lower() in seen:
            raise InputError(f"two files would have the name {name!r}.")
        seen.add(name.lower())


def _is_unicode(text: str) -> bool:
    """Whether a text has no lone surrogates, which stand for bytes of file names that are not UTF-8."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _check_free(paths: Collection[Path], overwrite: bool) -> None:
    """Raise InputError if a path is a folder, or a file that may not be replaced."""
    for path in sorted(paths):
        if path.is_dir():
            raise InputError(f"{path} is a folder; choose another name.")
        if not overwrite and os.path.lexists(path):
            raise InputError(f"{path} is there already; choose another folder or use --overwrite.")


def _write_synced(path: Path, content: bytes) -> None:
    with path.open("xb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _sync_folder(folder: Path) -> None:
    """Flush a folder's renames to the device, so that they survive a power cut (not possible on Windows)."""
    if os.name == "nt":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    except OSError as error:
        if error.errno != errno.EINVAL:  # some network file systems don't support it
            raise
    finally:
        os.close(handle)


def _remove(path: Path) -> None:
    with contextlib.suppress(OSError):  # an earlier error is more useful to the user
        path.unlink(missing_ok=True)


def write_error(folder: Path, error: OSError) -> InputError:
    """Return the error for the user: why a folder can't be written."""
    if isinstance(error, (FileExistsError, NotADirectoryError)):
        return WriteError(folder, "a file has that name")
    if error.errno == errno.ENAMETOOLONG:
        return InputError(f"can't write in {folder}: the name is too long; choose a shorter one.")
    return WriteError(folder, *REASONS.get(error.errno or 0, ((error.strerror or str(error)).lower(), "")))
