"""A motion file in a folder or zip, with the files beside it that it needs, and the reader for its format."""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from ganassets.api.data.records import FileRecord
from ganassets.api.data.sources import Container, Opener, read_file
from ganassets.api.errors import InputError
from ganassets.api.motion.take import Take

from .acclaim import CMU_FPS, read_acclaim
from .bvh import read_bvh
from .gltf import read_gltf
from .gltf_document import embedded_recipe
from .humanoid import LARGEST, read_humanoid
from .labels import ClipLabels
from .limits import LARGEST_TEXT

LARGEST_BINARY = 256 * 2**20  # bytes
HEAD = 4096  # bytes at the start of a humanoid file that contain the word "Frames"
NO_SKELETON = "moves no skeleton"  # category of records


def suffix_of(name: str) -> str:
    """Return the suffix of a file's name in lower case."""
    return PurePosixPath(name).suffix.lower()


@dataclass(frozen=True)
class MotionFile:
    """A motion file and its surroundings.

    Attributes:
        container: Folder or zip that holds it.
        open_file: Opens the container's files.
        name: Name in the container.
        labels: Labels of its clips.
        records: Records of files that are read beside this one are appended.
        recorded: Names of files that have a record; extended like `records`.
        skeletons: Names of the container's .asf files by folder and stem.
    """

    container: Container
    open_file: Opener
    name: str
    labels: tuple[ClipLabels, ...]
    records: list[FileRecord] = field(default_factory=list)
    recorded: set[str] = field(default_factory=set)
    skeletons: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    @property
    def stem(self) -> str:
        """Name without folders and suffix."""
        return PurePosixPath(self.name).stem

    @property
    def suffix(self) -> str:
        """Suffix of the name in lower case."""
        return suffix_of(self.name)

    @property
    def full_name(self) -> str:
        """Name relative to what the user gave."""
        return self.container.full_name(self.name)

    def read(self, most: int) -> bytes:
        """Return the file's content; InputError for more than `most` bytes."""
        return read_file(self.open_file, self.name, most)

    def read_neighbour(self, name: str, most: int = LARGEST_BINARY) -> bytes:
        """Return the content of a file named relative to this one; it must be in the same container."""
        found = posixpath.normpath(posixpath.join(posixpath.dirname(self.name), name))
        if found not in self.container.name_set:
            raise InputError(f"{name[:80]!r} is not among the files that were given")
        content = read_file(self.open_file, found, most)
        kind = "skeleton" if self.suffix == ".amc" else "buffer"
        file = self.container.full_name(found)
        if file not in self.recorded:
            self.recorded.add(file)
            self.records.append(FileRecord(file, use=kind, reason=f"of {self.full_name}"))
        return content

    def may_hold_motion(self) -> bool:
        """Return False for a text or JSON file that is clearly not a humanoid's motion."""
        if self.suffix not in HUMANOID_SUFFIXES:
            return True
        with self.open_file(self.name) as stream:
            return b'"Frames"' in stream.read(HEAD)


@dataclass(frozen=True, eq=False)
class FileClip:
    """A clip of a motion file.

    Attributes:
        take: The motion.
        loops: Whether it loops; None where the file doesn't say.
        recipe: Recipe in the file, see `gltf_recipe`; None where there is none.
    """

    take: Take
    loops: bool | None = None
    recipe: object | None = None


def read_clips(file: MotionFile) -> list[FileClip]:
    """Read all clips of a file whose suffix is in READERS; InputError where it can't be read."""
    return READERS[file.suffix](file)


def _read_bvh(file: MotionFile) -> list[FileClip]:
    return [FileClip(read_bvh(file.read(LARGEST_TEXT), file.stem))]


def _read_gltf(file: MotionFile) -> list[FileClip]:
    """Read a glTF file; a record is appended for each animation that moves no skeleton."""
    content = file.read(LARGEST_BINARY)
    still: list[str] = []
    takes = read_gltf(content, file.stem, file.read_neighbour, still)
    file.records.extend(
        FileRecord(file.full_name, part=name, reason="the animation moves no skeleton", category=NO_SKELETON)
        for name in still
    )
    recipe = embedded_recipe(content)
    return [FileClip(take, recipe=recipe) for take in takes]


def _read_acclaim(file: MotionFile) -> list[FileClip]:
    fps = next((row.fps for row in file.labels if row.fps), CMU_FPS)
    skeleton = file.read_neighbour(_find_skeleton(file), LARGEST_TEXT)
    return [FileClip(read_acclaim(skeleton, file.read(LARGEST_TEXT), file.stem, fps))]


def _read_humanoid(file: MotionFile) -> list[FileClip]:
    return [FileClip(*read_humanoid(file.read(LARGEST), file.stem))]


HUMANOID_SUFFIXES = (".txt", ".json")  # most files with these suffixes hold no motion
READERS: dict[str, Callable[[MotionFile], list[FileClip]]] = {
    ".bvh": _read_bvh,
    **dict.fromkeys((".glb", ".gltf", ".vrma", ".vrm"), _read_gltf),
    ".amc": _read_acclaim,
    **dict.fromkeys(HUMANOID_SUFFIXES, _read_humanoid),
}


def _find_skeleton(file: MotionFile) -> str:
    """Return the name of an .amc file's .asf, relative to the .amc.

    It is the one that the labels name, the one with the same stem or the part of the stem before "_", or the only one
    in the folder.

    Raises:
        InputError: There is none, or more than one.
    """
    folder = posixpath.dirname(file.name)
    for row in file.labels:
        if row.skeleton:
            return posixpath.relpath(row.skeleton, folder or ".")
    skeletons = file.skeletons.get(folder, {})
    for stem in (file.stem, file.stem.split("_")[0]):
        if stem in skeletons:
            return skeletons[stem]
    if len(skeletons) != 1:
        raise InputError(f"{len(skeletons) or 'no'} skeletons (.asf) lie beside it; name it {file.stem}.asf")
    return next(iter(skeletons.values()))


def list_skeletons(container: Container) -> dict[str, dict[str, str]]:
    """Return the names of a container's .asf files without their folder, by folder and stem."""
    found: dict[str, dict[str, str]] = {}
    for name in container.names:
        if suffix_of(name) == ".asf":
            folder, base = posixpath.split(name)
            found.setdefault(folder, {})[PurePosixPath(base).stem] = base
    return found
