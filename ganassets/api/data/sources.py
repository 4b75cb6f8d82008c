"""Folders and zips of training data: what is in them, and how to open it without leaving them or filling the memory."""

from __future__ import annotations

import os
import posixpath
import stat
import zipfile
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from io import BytesIO
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from ..errors import InputError, one_line
from ..files import open_regular, read_up_to
from .images import UNREAD_SUFFIXES
from .records import (
    HIDDEN,
    LEFT_BEHIND,
    LINK,
    NOT_READ,
    OUTSIDE,
    PREVIEW,
    TOO_LARGE,
    TOO_MANY,
    UNREADABLE,
    FileRecord,
    LeftOutError,
    left_out,
)

MOST_FILES = 100_000
MOST_COUNTED = 1_000_000  # files beyond the limit that are counted
MOST_NAMED = 1000  # files of one folder left out for their names of which each has a record
LARGEST_MEMBER = 256 * 2**20  # bytes of one member of a zip, unpacked
LONGEST_NAME = 255  # letters of a file's or folder's name, on any system
# Files and folders that operating systems leave among others, in lower case.
SYSTEM_NAMES = frozenset({"__macosx", ".ds_store", "thumbs.db", "desktop.ini"})
RESOURCE_FORK = "._"  # how names begin of files in which macOS keeps what other systems have no place for
ARCHIVES = (".tar", ".tar.gz", ".tgz", ".tar.xz", ".tar.bz2", ".tar.zst", ".rar", ".7z", ".gz", ".xz", ".bz2", ".zst")

INDEX = "index.jsonl"  # of what was made, see ganassets.inference.batch.index
SHEETS = "contact-sheet"  # how the names of contact sheets begin
RUN_FILES, SNAPSHOTS = ("config.toml", "data.json"), ("snapshots", "nearest")

Opener = Callable[[str], BinaryIO]


@dataclass(frozen=True)
class Container:
    """A folder, or a zip within one.

    Attributes:
        path: of the folder or the zip.
        label: of a zip: its path within the folder that the user gave; else "".
        names: of the files in it that may be read, sorted, with "/" between folders.
        is_zip: whether it is a zip.
    """

    path: Path
    label: str
    names: tuple[str, ...]
    is_zip: bool

    @cached_property
    def name_set(self) -> frozenset[str]:
        """The names, to tell quickly whether one is among them."""
        return frozenset(self.names)

    def full_name(self, name: str) -> str:
        """Name of a file within what the user gave."""
        return f"{self.label}/{name}" if self.label else name


def list_containers(
    path: Path, wanted: str, previews: frozenset[str] = frozenset()
) -> tuple[list[Container], list[FileRecord]]:
    """What a folder or a zip holds; zips in the folder are containers of their own.

    Args:
        path: of the folder or the zip.
        wanted: what the user should give, for errors: "a folder or a zip of material sets".
        previews: names, in lower case, of folders at any depth that hold pictures of the data instead of data.

    Returns:
        The containers, and a record of each file that is in none of them. See also unread_records.

    Raises:
        InputError: path is neither a readable folder nor a zip.
    """
    if path.is_dir():
        return list_folder(path, previews)
    if not path.exists():
        raise InputError(f"{path} doesn't exist; give {wanted}.")
    if archive := archive_suffix(path.name):
        raise InputError(f"{path} is a {archive} archive, which is not read; unpack it and give the folder.")
    if not is_zip(path):
        raise InputError(f"{path} is neither a folder nor a zip; give {wanted}.")
    try:
        container, records = list_zip(path, "", previews)
    except InputError as error:
        raise InputError(f"{path} can't be read ({error}); give {wanted}.") from None
    return [container], records


def is_zip(path: Path) -> bool:
    """Whether a file is, or by its name should be, a zip."""
    return stat.S_ISREG(mode_of(path)) and (path.suffix.lower() == ".zip" or zipfile.is_zipfile(path))


def archive_suffix(name: str) -> str:
    """The ending of an archive that is not read, such as ".tar.gz"; "" for other files."""
    return max((suffix for suffix in ARCHIVES if name.lower().endswith(suffix)), key=len, default="")


def list_folder(root: Path, previews: frozenset[str]) -> tuple[list[Container], list[FileRecord]]:
    """The folder's own files, and its zips; links to folders are not followed, links to files only within the root."""
    names: list[str] = []
    zips: list[str] = []
    records: list[FileRecord] = []
    named = NameRecords(previews)
    first, beyond = "", 0
    for name in walk(root, records):
        if error := name_error(name, previews):
            named.add(name, error)
        elif max(len(names) + len(zips), len(records)) >= MOST_FILES:
            first, beyond = first or name, beyond + 1
            if beyond >= MOST_COUNTED:
                break
        elif error := kind_error(root / name, root):
            records.append(left_out(name, error))
        else:
            (zips if name.lower().endswith(".zip") else names).append(name)
    records += named.records()
    if beyond:
        told = f"{'at least ' if beyond >= MOST_COUNTED else ''}{beyond:,} files from this one on are left out"
        why = f"more than {MOST_FILES:,} files; {told}"
        records.append(FileRecord(first, reason=why, category=TOO_MANY, count=beyond))
    drawn = drawn_errors(names)
    records += [left_out(name, error) for name, error in drawn.items()]
    containers = [Container(root, "", tuple(sorted(name for name in names if name not in drawn)), False)]
    for name in sorted(zips):
        try:
            container, found = list_zip(root / name, name, previews)
            containers.append(container)
            records += found
        except InputError as error:
            records.append(left_out(name, error))
    return containers, records


def folder_of(file: Path) -> Container:
    """The folder that a file lies in, with the files of that folder alone: what the file may name beside it."""
    root = file.parent
    names = [entry.name for entry in root.iterdir() if stat.S_ISREG(mode_of(entry)) and stays_within(entry, root)]
    return Container(root, "", tuple(sorted({*names, file.name})), False)


def unread_records(containers: Iterable[Container], known: Collection[str]) -> list[FileRecord]:
    """Records of those files of containers that nothing was done with: of no kind that is read.

    Args:
        containers: as listed.
        known: full names of all other files.
    """
    return [
        FileRecord(name, reason=unread_reason(name), category=NOT_READ)
        for name in (container.full_name(name) for container in containers for name in container.names)
        if name not in known
    ]


def unread_reason(name: str) -> str:
    """Why a file of no kind that is read is left out, and what to do where it may hold data."""
    if archive := archive_suffix(name):
        return f"{archive} archives are not read; unpack it first"
    suffix = PurePosixPath(name).suffix.lower()
    if suffix in UNREAD_SUFFIXES:
        return f"{suffix} is not read; convert it to PNG"
    return f"{suffix} is not read" if suffix else "a file without an ending is not read"


def walk(root: Path, records: list[FileRecord]) -> Iterator[str]:
    """Names of all files below a folder, in a fixed order; folders that can't be entered get records."""

    def unlistable(error: OSError) -> None:
        name = Path(os.path.relpath(error.filename, root)).as_posix()
        records.append(FileRecord(name, reason=f"can't be listed ({error.strerror})", category=UNREADABLE))

    for folder, folders, files in os.walk(root, onerror=unlistable):
        folders.sort()
        relative = Path(folder).relative_to(root).as_posix()
        start = "" if relative == "." else f"{relative}/"
        for name in [name for name in folders if os.path.islink(os.path.join(folder, name))]:
            why = "a link to a folder is not followed; put the folder itself there"
            records.append(FileRecord(start + name, reason=why, category=LINK))
        yield from (start + name for name in sorted(files))


def name_error(name: str, previews: frozenset[str]) -> LeftOutError | None:
    """Why a file is left out for its name or that of a folder it is in."""
    *folders, _ = parts = name.split("/")
    for part in parts:
        if part.lower() in SYSTEM_NAMES or part.startswith(RESOURCE_FORK):
            return LeftOutError("operating systems leave such files; it holds no data", LEFT_BEHIND)
        if part.startswith(".") and part != "..":
            return LeftOutError("its name, or a folder's, begins with a dot", HIDDEN)
    for folder in folders:
        if folder.lower() in previews:
            return LeftOutError(f"lies in a folder named {folder}", PREVIEW)
    return None


class NameRecords:
    """Records of files that are left out for their names: one each or, where a folder has many, one for all of these,
    so that a folder such as .git neither fills the memory nor takes the place of data.

    Args:
        previews: as for name_error.
    """

    def __init__(self, previews: frozenset[str]) -> None:
        self.previews = previews
        self.counts: Counter[tuple[str, str]] = Counter()  # by folder and category
        self.kept: dict[tuple[str, str], list[FileRecord]] = {}
        self.total = 0  # records that are kept

    def add(self, name: str, error: LeftOutError) -> None:
        """Record a file."""
        key = self.folder_of(name), error.category
        self.counts[key] += 1
        kept = self.kept.setdefault(key, [])
        if not kept or (len(kept) < MOST_NAMED and self.total < MOST_FILES):
            kept.append(left_out(name, error))
            self.total += 1

    def folder_of(self, name: str) -> str:
        """The outermost folder for which a file is left out, else the one that it lies in."""
        *folders, _ = name.split("/")
        lengths = (i for i, part in enumerate(folders, start=1) if name_error(f"{part}/x", self.previews))
        return "/".join(folders[: next(lengths, None)])

    def records(self) -> list[FileRecord]:
        """Records of all files."""
        out: list[FileRecord] = []
        for (folder, category), kept in self.kept.items():
            count = self.counts[folder, category]
            if count == len(kept):
                out += kept
            else:
                why = f"{kept[0].reason}; {count:,} such files in {folder or 'the top folder'}"
                out.append(replace(kept[0], reason=why, count=count))
        return out


def kind_error(file: Path, root: Path) -> LeftOutError | None:
    """Why something in a folder that should be a file isn't read: no pipes, no devices, no links to nothing."""
    if not stays_within(file, root):
        return LeftOutError("a link that leads out of the folder", OUTSIDE)
    mode = mode_of(file)
    if not mode:
        return LeftOutError("a link to nothing, or a file that went away", UNREADABLE)
    return None if stat.S_ISREG(mode) else LeftOutError("a pipe, socket or device", NOT_READ)


def stays_within(file: Path, root: Path) -> bool:
    """Whether a file that may be a link lies in the root."""
    return not file.is_symlink() or Path(os.path.realpath(file)).is_relative_to(os.path.realpath(root))


def mode_of(file: Path) -> int:
    """Mode of a file, 0 where there is none (a dangling link, a loop of links)."""
    try:
        return file.stat().st_mode
    except OSError:
        return 0


def list_zip(path: Path, label: str, previews: frozenset[str]) -> tuple[Container, list[FileRecord]]:
    """Members of a zip that are safe to read, and records of the others.

    Raises:
        InputError: not a zip, a damaged one, one without files or one of too many members.
    """
    with open_zip(path) as archive:
        members = archive.infolist()
    files = {member_name(info): info for info in members if info.filename and not info.is_dir()}
    if not files:
        raise LeftOutError("a zip without files", UNREADABLE)
    named = NameRecords(previews)
    errors: dict[str, LeftOutError | None] = {}
    for name, info in sorted(files.items()):
        if error := name_error(name, previews):
            named.add(name, error)
        else:
            errors[name] = member_error(info)
    if len(errors) > MOST_FILES:
        raise LeftOutError(f"more than {MOST_FILES:,} files in one zip", TOO_MANY)
    errors |= drawn_errors([name for name, error in errors.items() if not error])
    container = Container(path, label, tuple(sorted(name for name, error in errors.items() if not error)), True)
    records = [left_out(name, error) for name, error in errors.items() if error] + named.records()
    return container, [replace(record, file=container.full_name(record.file)) for record in records]


def drawn_errors(names: Sequence[str]) -> dict[str, LeftOutError]:
    """Why pictures are left out that ganassets drew of assets and runs, by name: contact sheets beside the index of
    what was made, snapshots in the folder of a run.
    """
    present = frozenset(names)
    found = {}
    for name in names:
        folder, base = posixpath.split(name)
        run, last = posixpath.split(folder)
        if base.startswith(SHEETS) and posixpath.join(folder, INDEX) in present:
            found[name] = LeftOutError("a contact sheet of what ganassets made", PREVIEW)
        elif last in SNAPSHOTS and all(posixpath.join(run, file) in present for file in RUN_FILES):
            found[name] = LeftOutError("a snapshot of a run of ganassets", PREVIEW)
    return found


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


def member_error(info: zipfile.ZipInfo) -> LeftOutError | None:
    """Why a member isn't read, or None."""
    name = member_name(info)
    if any(len(part) > LONGEST_NAME for part in name.split("/")):
        return LeftOutError("a name longer than a file's can be", UNREADABLE)
    if name.startswith("/") or ".." in name.split("/") or name[1:2] == ":":
        return LeftOutError("a name that leads out of the zip", OUTSIDE)
    if info.flag_bits & 1:
        return LeftOutError("encrypted; unpack it first", UNREADABLE)
    if info.file_size > LARGEST_MEMBER:
        return LeftOutError(f"more than {LARGEST_MEMBER // 2**20} MB unpacked", TOO_LARGE)
    if name.lower().endswith(".zip"):
        return LeftOutError("a zip within a zip; unpack it first", NOT_READ)
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
            return read_up_to(stream, LARGEST_MEMBER)
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
            content = read_up_to(stream, most + 1)
        except OSError as error:
            raise InputError(f"can't be read ({error.strerror})") from None
    if len(content) > most:
        raise InputError(f"more than {most // 2**20} MB")
    return content
