"""Folders and zips of training data: what is in them, and how to open it without leaving them or filling the memory."""

from __future__ import annotations

import os
import stat
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import BinaryIO

from ..errors import InputError, one_line
from ..files import open_regular

MOST_FILES = 100_000
LARGEST_MEMBER = 256 * 2**20  # bytes of one member of a zip, unpacked
LONGEST_NAME = 255  # letters of a file's or folder's name, on any system
LEFT_BEHIND = frozenset({"__macosx"})  # folders that operating systems leave in zips, in lower case

Problem = tuple[str, str]
Opener = Callable[[str], BinaryIO]


@dataclass(frozen=True)
class Container:
    """A folder, or a zip within one.

    Attributes:
        path: of the folder or the zip.
        label: of a zip: its path within the folder that the user gave; else "".
        names: of the files in it, sorted, with "/" between folders.
        is_zip: whether it is a zip.
    """

    path: Path
    label: str
    names: tuple[str, ...]
    is_zip: bool

    def full_name(self, name: str) -> str:
        """Name of a file within what the user gave."""
        return f"{self.label}/{name}" if self.label else name


def list_containers(
    path: Path, wanted: str, skipped: frozenset[str] = frozenset()
) -> tuple[list[Container], list[Problem]]:
    """What a folder or a zip holds; zips in the folder are containers of their own.

    Args:
        path: of the folder or the zip.
        wanted: what the user should give, for errors: "a folder or a zip of material sets".
        skipped: names of folders that are left out at any depth, in lower case. Hidden ones always are.

    Raises:
        InputError: path is neither a readable folder nor a zip.
    """
    if path.is_dir():
        return list_folder(path, skipped | LEFT_BEHIND)
    if not path.exists():
        raise InputError(f"{path} doesn't exist; give {wanted}.")
    try:
        container, problems = list_zip(path, "", skipped | LEFT_BEHIND)
    except InputError as error:
        raise InputError(f"{path} can't be read ({error}); give {wanted}.") from None
    return [container], problems


def list_folder(root: Path, skipped: frozenset[str]) -> tuple[list[Container], list[Problem]]:
    """The folder's own files, and its zips; links to folders are not followed, links to files only within the root."""
    names, zips, problems = [], [], []
    for name in walk(root, skipped, problems):
        file, is_zip = root / name, name.lower().endswith(".zip")
        if not stays_within(file, root):
            problems.append((name, "a link that leads out of the folder"))
        elif stat.S_ISREG(mode_of(file)):  # no pipes, no devices, no dangling links
            (zips if is_zip else names).append(name)
        if len(names) + len(zips) >= MOST_FILES:
            problems.append((name, f"more than {MOST_FILES:,} files; those after this one are left out"))
            break
    containers = [Container(root, "", tuple(sorted(names)), False)]
    for name in sorted(zips):
        try:
            container, found = list_zip(root / name, name, skipped)
            containers.append(container)
            problems += found
        except InputError as error:
            problems.append((name, str(error)))
    return containers, problems


def folder_of(file: Path) -> Container:
    """The folder that a file lies in, with the files of that folder alone: what the file may name beside it."""
    root = file.parent
    names = [entry.name for entry in root.iterdir() if stat.S_ISREG(mode_of(entry)) and stays_within(entry, root)]
    return Container(root, "", tuple(sorted({*names, file.name})), False)


def walk(root: Path, skipped: frozenset[str], problems: list[Problem]) -> Iterator[str]:
    """Names of all files below a folder, in a fixed order; folders that can't be listed become problems."""

    def unlistable(error: OSError) -> None:
        problems.append((os.path.relpath(error.filename, root), f"can't be listed ({error.strerror})"))

    for folder, folders, files in os.walk(root, onerror=unlistable):
        folders[:] = sorted(name for name in folders if not is_skipped(name, skipped))
        relative = Path(folder).relative_to(root)
        yield from ((relative / name).as_posix() for name in sorted(files) if not is_skipped(name, skipped))


def is_skipped(name: str, skipped: frozenset[str]) -> bool:
    """Whether a file or folder is hidden or to be skipped."""
    return (name.startswith(".") and name != "..") or name.lower() in skipped


def stays_within(file: Path, root: Path) -> bool:
    """Whether a file that may be a link lies in the root."""
    return not file.is_symlink() or Path(os.path.realpath(file)).is_relative_to(os.path.realpath(root))


def mode_of(file: Path) -> int:
    """Mode of a file, 0 where there is none (a dangling link, a loop of links)."""
    try:
        return file.stat().st_mode
    except OSError:
        return 0


def list_zip(path: Path, label: str, skipped: frozenset[str]) -> tuple[Container, list[Problem]]:
    """Members of a zip that are safe to read, and what is wrong with the others.

    Raises:
        InputError: not a zip, a damaged one, or one of too many members.
    """
    with open_zip(path) as archive:
        members = archive.infolist()
    if len(members) > MOST_FILES:
        raise InputError(f"more than {MOST_FILES:,} files in one zip")
    files = [info for info in members if info.filename and not info.is_dir()]
    reasons = {member_name(info): member_problem(info) for info in files}
    wanted = {
        name: why
        for name, why in reasons.items()
        if not any(is_skipped(folder, skipped) for folder in name.split("/")[:-1])
    }
    container = Container(path, label, tuple(sorted(name for name, why in wanted.items() if not why)), True)
    return container, [(container.full_name(name), why) for name, why in sorted(wanted.items()) if why]


@contextmanager
def open_zip(path: Path) -> Iterator[zipfile.ZipFile]:
    """An open zip; InputError where it is none."""
    with open_file(path) as file:
        try:
            archive = zipfile.ZipFile(file)
        except Exception as error:  # zipfile lets through whatever a damaged directory makes it meet
            raise InputError(f"not a readable zip: {one_line(error)}") from None
        with archive:
            yield archive


def member_name(info: zipfile.ZipInfo) -> str:
    """Name with "/" between folders; some programs write backslashes."""
    return info.filename.replace("\\", "/")


def member_problem(info: zipfile.ZipInfo) -> str | None:
    """Why a member isn't read, or None."""
    name = member_name(info)
    if any(len(part) > LONGEST_NAME for part in name.split("/")):
        return "a name longer than a file's can be"
    if name.startswith("/") or ".." in name.split("/") or name[1:2] == ":":
        return "a name that leads out of the zip"
    if info.flag_bits & 1:
        return "encrypted; unpack it first"
    if info.file_size > LARGEST_MEMBER:
        return f"more than {LARGEST_MEMBER // 2**20} MB unpacked"
    if name.lower().endswith(".zip"):
        return "a zip within a zip; unpack it first"
    return None


@contextmanager
def opened(container: Container) -> Iterator[Opener]:
    """A function that opens the container's files by name. It raises InputError for one that can't be read."""
    if not container.is_zip:
        yield lambda name: open_file(container.path / name)
        return
    with open_zip(container.path) as archive:
        members = {member_name(info): info for info in archive.infolist()}
        yield lambda name: BytesIO(read_member(archive, members[name]))


def open_file(path: Path) -> BinaryIO:
    """A file opened for reading."""
    try:
        return open_regular(path)
    except OSError as error:
        raise InputError(f"can't be opened ({error.strerror})") from None


def read_member(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> bytes:
    """A member's bytes; zipfile itself stops at the size that the directory promises, which was checked."""
    try:
        with archive.open(info) as stream:
            return stream.read(LARGEST_MEMBER)
    except Exception as error:  # the decompressors each have errors of their own
        raise InputError(f"damaged in the zip: {one_line(error)}") from None


def read_file(open_file: Opener, name: str, most: int) -> bytes:
    """All bytes of a container's file.

    Args:
        open_file: opens the container's files.
        name: of the file.
        most: bytes that it may hold.

    Raises:
        InputError: the file can't be read or is larger.
    """
    with open_file(name) as stream:
        try:
            content = stream.read(most + 1)
        except OSError as error:
            raise InputError(f"can't be read ({error.strerror})") from None
    if len(content) > most:
        raise InputError(f"more than {most // 2**20} MB")
    return content
