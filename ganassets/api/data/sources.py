"""List and open files in folders and zips of training data, without leaving them and without filling the memory."""

from __future__ import annotations

import os
import posixpath
import stat
import zipfile
from collections import Counter
from collections.abc import Callable, Collection, Generator, Iterable, Iterator, Sequence
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

MOST_FILES = 100_000  # limit of files in a folder or zip
MOST_COUNTED = 1_000_000  # limit up to which further files are counted
MOST_NAMED = 1000  # limit of single records for files of one folder that are left out for their names
LARGEST_MEMBER = 256 * 2**20  # limit of a zip member's unpacked bytes
LONGEST_NAME = 255  # limit of characters in the name of a file or folder, on any system
# Files and folders that operating systems create, in lower case.
SYSTEM_NAMES = frozenset({"__macosx", ".ds_store", "thumbs.db", "desktop.ini"})
RESOURCE_FORK = "._"  # prefix of files in which macOS stores metadata on other file systems
ARCHIVES = (".tar", ".tar.gz", ".tgz", ".tar.xz", ".tar.bz2", ".tar.zst", ".rar", ".7z", ".gz", ".xz", ".bz2", ".zst")

INDEX = "index.jsonl"  # index of generated assets, see ganassets.inference.batch.index
SHEETS = "contact-sheet"  # prefix of the names of contact sheets
RUN_FILES, SNAPSHOTS = ("config.toml", "data.json"), ("snapshots", "nearest")

Opener = Callable[[str], BinaryIO]


@dataclass(frozen=True)
class Container:
    """A folder, or a zip within one.

    Attributes:
        path: Path of the folder or zip.
        label: Path of a zip within the user's folder; "" for the user's folder or zip itself.
        names: Sorted names of the files that may be read, with "/" between folders.
        is_zip: Whether the container is a zip.

    >>> folder = Container(Path("art"), "", ("a.png", "old/b.png"), is_zip=False)
    >>> archive = Container(Path("art/pack.zip"), "pack.zip", ("c.png",), is_zip=True)
    >>> folder.full_name("old/b.png"), archive.full_name("c.png")
    ('old/b.png', 'pack.zip/c.png')
    """

    path: Path
    label: str
    names: tuple[str, ...]
    is_zip: bool

    @cached_property
    def name_set(self) -> frozenset[str]:
        """The names as a set, for quick look-ups."""
        return frozenset(self.names)

    def full_name(self, name: str) -> str:
        """Return the path of a file within the user's folder or zip."""
        return f"{self.label}/{name}" if self.label else name


def list_containers(
    path: Path, expected: str, previews: frozenset[str] = frozenset()
) -> tuple[list[Container], list[FileRecord]]:
    """List the files of a folder or zip; zips in the folder become containers of their own.

    Args:
        path: Path of the folder or zip.
        expected: What the user should give, for errors: "a folder or a zip of material sets".
        previews: Names, in lower case, of folders at any depth that contain previews instead of data.

    Returns:
        The containers, and a record of each file that is left out. See also unread_records.

    Raises:
        InputError: Path is neither a readable folder nor a zip.

    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     Path(folder, "a.png").touch()
    ...     containers, records = list_containers(Path(folder), "a folder or a zip of pictures")
    >>> [container.names for container in containers], records
    ([('a.png',)], [])
    """
    if path.is_dir():
        return list_folder(path, previews)
    if not path.exists():
        raise InputError(f"{path} doesn't exist; give {expected}.")
    if archive := archive_suffix(path.name):
        raise InputError(f"{path} is a {archive} archive, which is not read; unpack it and give the folder.")
    if not is_zip(path):
        raise InputError(f"{path} is neither a folder nor a zip; give {expected}.")
    try:
        container, records = list_zip(path, "", previews)
    except InputError as error:
        raise InputError(f"{path} can't be read ({error}); give {expected}.") from None
    return [container], records


def is_zip(path: Path) -> bool:
    """Whether a file is a zip by its content or its name."""
    return stat.S_ISREG(mode_of(path)) and (path.suffix.lower() == ".zip" or zipfile.is_zipfile(path))


def archive_suffix(name: str) -> str:
    """Return the suffix of an archive that is not read, such as ".tar.gz"; "" for other files.

    >>> archive_suffix("art.tar.gz"), archive_suffix("art.png")
    ('.tar.gz', '')
    """
    return max((suffix for suffix in ARCHIVES if name.lower().endswith(suffix)), key=len, default="")


def list_folder(root: Path, previews: frozenset[str]) -> tuple[list[Container], list[FileRecord]]:
    """List a folder and its zips; links to folders are not followed, links to files only within the folder.

    Args:
        root: Path of the folder.
        previews: See list_containers.
    """
    names: list[str] = []
    zips: list[str] = []
    records: list[FileRecord] = []
    by_name = NameRecords(previews)
    first, beyond = "", 0
    for name in walk(root, records):
        if error := name_error(name, previews):
            by_name.add(name, error)
        elif max(len(names) + len(zips), len(records)) >= MOST_FILES:
            first, beyond = first or name, beyond + 1
            if beyond >= MOST_COUNTED:
                break
        elif error := kind_error(root / name, root):
            records.append(left_out(name, error))
        else:
            (zips if name.lower().endswith(".zip") else names).append(name)
    records += by_name.records()
    if beyond:
        rest = f"{'at least ' if beyond >= MOST_COUNTED else ''}{beyond:,} files from this one on are left out"
        why = f"more than {MOST_FILES:,} files; {rest}"
        records.append(FileRecord(first, reason=why, category=TOO_MANY, count=beyond))
    own = own_picture_errors(names)
    records += [left_out(name, error) for name, error in own.items()]
    containers = [Container(root, "", tuple(sorted(name for name in names if name not in own)), False)]
    for name in sorted(zips):
        try:
            container, found = list_zip(root / name, name, previews)
            containers.append(container)
            records += found
        except InputError as error:
            records.append(left_out(name, error))
    return containers, records


def folder_of(file: Path) -> Container:
    """Return the folder of a file, without its subfolders, as a container: the files that the file may refer to.

    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     Path(folder, "hero.bin").touch()
    ...     folder_of(Path(folder, "hero.gltf")).names
    ('hero.bin', 'hero.gltf')
    """
    root = file.parent
    names = [entry.name for entry in root.iterdir() if stat.S_ISREG(mode_of(entry)) and stays_within(entry, root)]
    return Container(root, "", tuple(sorted({*names, file.name})), False)


def unread_records(containers: Iterable[Container], known: Collection[str]) -> list[FileRecord]:
    """Return records of the files whose kind is not read.

    Args:
        containers: All containers.
        known: Full names of the files that are used or have a record.

    >>> folder = Container(Path("art"), "", ("a.png", "notes.txt"), is_zip=False)
    >>> [record.file for record in unread_records([folder], {"a.png"})]
    ['notes.txt']
    """
    return [
        FileRecord(name, reason=unread_reason(name), category=NOT_READ)
        for name in (container.full_name(name) for container in containers for name in container.names)
        if name not in known
    ]


def unread_reason(name: str) -> str:
    """Return why a file's kind is not read, and what the user can do if it may contain data.

    >>> unread_reason("wall.psd")
    '.psd is not read; convert it to PNG'
    """
    if archive := archive_suffix(name):
        return f"{archive} archives are not read; unpack it first"
    suffix = PurePosixPath(name).suffix.lower()
    if suffix in UNREAD_SUFFIXES:
        return f"{suffix} is not read; convert it to PNG"
    return f"{suffix} is not read" if suffix else "a file without an ending is not read"


def walk(root: Path, records: list[FileRecord]) -> Iterator[str]:
    """Yield the names of all files below a folder in a fixed order; folders that can't be listed get records."""

    def unlistable(error: OSError) -> None:
        name = Path(os.path.relpath(error.filename, root)).as_posix()
        records.append(FileRecord(name, reason=f"can't be listed ({error.strerror})", category=UNREADABLE))

    for folder, folders, files in os.walk(root, onerror=unlistable):
        folders.sort()
        relative = Path(folder).relative_to(root).as_posix()
        start = "" if relative == "." else f"{relative}/"
        for name in [name for name in folders if Path(folder, name).is_symlink()]:
            why = "a link to a folder is not followed; put the folder itself there"
            records.append(FileRecord(start + name, reason=why, category=LINK))
        yield from (start + name for name in sorted(files))


def name_error(name: str, previews: frozenset[str]) -> LeftOutError | None:
    """Return why a file is left out for its name or a folder's name; None if it isn't."""
    *folders, _ = parts = name.split("/")
    for part in parts:
        if part.lower() in SYSTEM_NAMES or part.startswith(RESOURCE_FORK):
            return LeftOutError("operating systems create such files; it holds no data", LEFT_BEHIND)
        if part.startswith(".") and part != "..":
            return LeftOutError("its name, or a folder's, begins with a dot", HIDDEN)
    for folder in folders:
        if folder.lower() in previews:
            return LeftOutError(f"lies in a folder named {folder}", PREVIEW)
    return None


class NameRecords:
    """Records of files that are left out for their names.

    There is one record per file, or a single one for a folder with many such files: a folder such as .git must neither
    fill the memory nor count against the limit of files.

    Args:
        previews: See list_containers.
    """

    def __init__(self, previews: frozenset[str]) -> None:
        self.previews = previews
        self.counts: Counter[tuple[str, str]] = Counter()  # files by folder and category
        self.kept: dict[tuple[str, str], list[FileRecord]] = {}
        self.total = 0  # number of records

    def add(self, name: str, error: LeftOutError) -> None:
        """Add a record of a file."""
        key = self.folder_of(name), error.category
        self.counts[key] += 1
        kept = self.kept.setdefault(key, [])
        if not kept or (len(kept) < MOST_NAMED and self.total < MOST_FILES):
            kept.append(left_out(name, error))
            self.total += 1

    def folder_of(self, name: str) -> str:
        """Return the outermost folder for which a file is left out, or else the file's own folder."""
        *folders, _ = name.split("/")
        lengths = (i for i, part in enumerate(folders, start=1) if name_error(f"{part}/x", self.previews))
        return "/".join(folders[: next(lengths, None)])

    def records(self) -> list[FileRecord]:
        """Return the records of all files."""
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
    """Return why a directory entry isn't read (a pipe, a device, a dangling link); None for a file."""
    if not stays_within(file, root):
        return LeftOutError("a link that leads out of the folder", OUTSIDE)
    mode = mode_of(file)
    if not mode:
        return LeftOutError("a link to nothing, or a file that no longer exists", UNREADABLE)
    return None if stat.S_ISREG(mode) else LeftOutError("a pipe, socket or device", NOT_READ)


def stays_within(file: Path, root: Path) -> bool:
    """Whether a file is in the root; links are followed."""
    return not file.is_symlink() or Path(os.path.realpath(file)).is_relative_to(os.path.realpath(root))


def mode_of(file: Path) -> int:
    """Return the mode of a file; 0 if it doesn't exist (a dangling link, a loop of links)."""
    try:
        return file.stat().st_mode
    except OSError:
        return 0


def list_zip(path: Path, label: str, previews: frozenset[str]) -> tuple[Container, list[FileRecord]]:
    """List the members of a zip that are safe to read, and records of the others.

    Args:
        path: Path of the zip.
        label: See Container.
        previews: See list_containers.

    Raises:
        InputError: The file is not a zip, is damaged, or has no members or too many.
    """
    with open_zip(path) as archive:
        members = archive.infolist()
    files = {member_name(info): info for info in members if info.filename and not info.is_dir()}
    if not files:
        raise LeftOutError("a zip without files", UNREADABLE)
    by_name = NameRecords(previews)
    errors: dict[str, LeftOutError | None] = {}
    for name, info in sorted(files.items()):
        if error := name_error(name, previews):
            by_name.add(name, error)
        else:
            errors[name] = member_error(info)
    if len(errors) > MOST_FILES:
        raise LeftOutError(f"more than {MOST_FILES:,} files in one zip", TOO_MANY)
    errors |= own_picture_errors([name for name, error in errors.items() if not error])
    container = Container(path, label, tuple(sorted(name for name, error in errors.items() if not error)), True)
    records = [left_out(name, error) for name, error in errors.items() if error] + by_name.records()
    return container, [replace(record, file=container.full_name(record.file)) for record in records]


def own_picture_errors(names: Sequence[str]) -> dict[str, LeftOutError]:
    """Return errors by name for pictures that ganassets itself drew, which are no data.

    These are contact sheets beside an index of generated assets, and snapshots in a run folder.
    """
    present = frozenset(names)
    found: dict[str, LeftOutError] = {}
    for name in names:
        folder, base = posixpath.split(name)
        run, last = posixpath.split(folder)
        if base.startswith(SHEETS) and posixpath.join(folder, INDEX) in present:
            found[name] = LeftOutError("a contact sheet of what ganassets made", PREVIEW)
        elif last in SNAPSHOTS and all(posixpath.join(run, file) in present for file in RUN_FILES):
            found[name] = LeftOutError("a snapshot of a run of ganassets", PREVIEW)
    return found


@contextmanager
def open_zip(path: Path) -> Generator[zipfile.ZipFile]:
    """Open a zip.

    Raises:
        InputError: The file is not a readable zip.
    """
    with open_file(path) as file:
        try:
            archive = zipfile.ZipFile(file)
        except Exception as error:  # zipfile raises many kinds of errors for a damaged directory
            raise InputError(f"not a readable zip: {one_line(error)}") from None
        with archive:
            yield archive


def member_name(info: zipfile.ZipInfo) -> str:
    """Return a member's name with "/" between folders; some programs write backslashes."""
    return info.filename.replace("\\", "/")


def member_error(info: zipfile.ZipInfo) -> LeftOutError | None:
    """Return why a member isn't read, or None."""
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
def open_container(container: Container) -> Generator[Opener]:
    """Open a container: the `with` target is a function that opens its files by name.

    The function raises InputError for a file that can't be read.

    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     _ = Path(folder, "walk.bvh").write_text("HIERARCHY")
    ...     container = Container(Path(folder), "", ("walk.bvh",), is_zip=False)
    ...     with open_container(container) as open_file, open_file("walk.bvh") as stream:
    ...         stream.read()
    b'HIERARCHY'
    """
    if not container.is_zip:
        yield lambda name: open_file(container.path / name)
        return
    with open_zip(container.path) as archive:
        members = {member_name(info): info for info in archive.infolist()}
        yield lambda name: BytesIO(read_member(archive, members[name]))


def open_file(path: Path) -> BinaryIO:
    """Open a file for reading.

    Raises:
        InputError: The file can't be opened.

    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     path = Path(folder, "walk.bvh")
    ...     _ = path.write_text("HIERARCHY")
    ...     with open_file(path) as stream:
    ...         stream.read()
    b'HIERARCHY'
    """
    try:
        return open_regular(path)
    except OSError as error:
        raise InputError(f"can't be opened ({error.strerror})") from None


def read_member(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> bytes:
    """Return a member's bytes; zipfile stops at the size in the directory, which was checked before."""
    try:
        with archive.open(info) as stream:
            return read_up_to(stream, LARGEST_MEMBER)
    except Exception as error:  # each decompressor has its own kinds of errors
        raise InputError(f"damaged in the zip: {one_line(error)}") from None


def read_file(open_file: Opener, name: str, most: int) -> bytes:
    """Read all bytes of a container's file.

    Args:
        open_file: Function that opens the container's files.
        name: Name of the file.
        most: Largest allowed size in bytes.

    Raises:
        InputError: The file can't be read or is larger.

    >>> read_file(lambda name: BytesIO(b"HIERARCHY"), "walk.bvh", most=2**20)
    b'HIERARCHY'
    """
    with open_file(name) as stream:
        try:
            content = read_up_to(stream, most + 1)
        except OSError as error:
            raise InputError(f"can't be read ({error.strerror})") from None
    if len(content) > most:
        raise InputError(f"more than {most // 2**20} MB")
    return content
