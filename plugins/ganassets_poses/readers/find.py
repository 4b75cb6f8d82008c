"""Motion in folders and zips, with what a manifest says about it."""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ganassets.data.sources import Container, Opener, folder_of, list_containers, opened, read_file
from ganassets.errors import InputError
from ganassets.motion.take import Take

from .acclaim import CMU_FPS, read_acclaim
from .bvh import read_bvh
from .gltf import read_gltf
from .humanoid import LARGEST, read_humanoid
from .limits import FASTEST, LARGEST_TEXT, SLOWEST

Problem = tuple[str, str]

MANIFEST = "manifest.jsonl"
WANTED = "a folder, a zip or a file of motion (.bvh, .glb, .gltf, .amc with its .asf, or humanoid .txt or .json)"
LARGEST_BINARY = 256 * 2**20  # bytes
MOST_LINES = 100_000  # of a manifest
HEAD = 4096  # bytes in which a humanoid's file names its frames


class Facts(BaseModel):
    """What a manifest's line says about a clip; what isn't named is ignored.

    Attributes:
        file: relative to the manifest's folder; in `Found` within what the user gave.
        clip: name of the animation; "" stands for all in the file.
        action: what is done, such as "walk".
        loops: whether the clip's end is its beginning again.
        skip_start_frames: frames at the beginning that don't belong to the motion.
        skeleton: the .asf of an .amc, named as the file is.
        fps: frames a second of a file that doesn't say (.amc).
        style: how it is done.
    """

    model_config = ConfigDict(extra="ignore", frozen=True)

    file: Annotated[str, Field(min_length=1)]
    clip: str = ""
    action: str | None = None
    loops: bool | None = None
    skip_start_frames: Annotated[int, Field(ge=0)] = 0
    skeleton: str | None = None
    fps: Annotated[float, Field(ge=SLOWEST, le=FASTEST)] | None = None
    licence: str = ""
    author: str = ""
    style: str | None = None
    tags: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Found:
    """A clip, the file that it is in (named within what the user gave), and what is known about it."""

    file: str
    take: Take
    facts: Facts


@dataclass(frozen=True)
class Source:
    """A file of motion among others.

    Attributes:
        container: that holds it.
        open_file: opens the container's files.
        name: in the container.
        rows: of the manifest about it.
    """

    container: Container
    open_file: Opener
    name: str
    rows: tuple[Facts, ...]

    @property
    def stem(self) -> str:
        """Name without folders and suffix."""
        return PurePosixPath(self.name).stem

    def content(self, most: int) -> bytes:
        """The file's bytes; InputError for more than `most`."""
        return read_file(self.open_file, self.name, most)

    def beside(self, name: str, most: int = LARGEST_BINARY) -> bytes:
        """Bytes of a file named relative to this one; only files that were found in the container can be opened."""
        found = posixpath.normpath(posixpath.join(posixpath.dirname(self.name), name))
        if found not in self.container.names:
            raise InputError(f"{name[:80]!r} is not among the files that were given")
        return read_file(self.open_file, found, most)


def bvh_takes(source: Source) -> list[tuple[Take, bool | None]]:
    """A BVH file's clip."""
    return [(read_bvh(source.content(LARGEST_TEXT), source.stem), None)]


def gltf_takes(source: Source) -> list[tuple[Take, bool | None]]:
    """A glTF file's clips."""
    return [(take, None) for take in read_gltf(source.content(LARGEST_BINARY), source.stem, source.beside)]


def acclaim_takes(source: Source) -> list[tuple[Take, bool | None]]:
    """An AMC file's clip on the skeleton that belongs to it."""
    fps = next((row.fps for row in source.rows if row.fps), CMU_FPS)
    skeleton = source.beside(skeleton_of(source), LARGEST_TEXT)
    return [(read_acclaim(skeleton, source.content(LARGEST_TEXT), source.stem, fps), None)]


def humanoid_takes(source: Source) -> list[tuple[Take, bool | None]]:
    """A humanoid file's clip."""
    return [read_humanoid(source.content(LARGEST), source.stem)]


# The first reads .bvh files, ...: clips, and whether they loop as far as the file says.
READERS: dict[str, Callable[[Source], list[tuple[Take, bool | None]]]] = {
    ".bvh": bvh_takes,
    ".glb": gltf_takes,
    ".gltf": gltf_takes,
    ".amc": acclaim_takes,
    ".txt": humanoid_takes,
    ".json": humanoid_takes,
}
HUMANOID_SUFFIXES = (".txt", ".json")  # of which many are something else


def find_motion(source: Path, problems: list[Problem]) -> Iterator[Found]:
    """All clips in a folder (at any depth, zips in it too), a zip or a file, sorted by place and name. Lines of files
    named manifest.jsonl, which name files relative to their folder, give facts about the clips.

    Args:
        source: of the folder, the zip or the file.
        problems: (file, why it isn't used) are appended; the rest goes on.

    Raises:
        InputError: source can't be read, or holds no motion.
    """
    count = 0
    containers, chosen = containers_of(source, problems)
    for container in containers:
        with opened(container) as open_file:
            rows = manifest_rows(container, open_file, problems)
            for name in container.names if chosen is None else [chosen]:
                file = Source(container, open_file, name, tuple(rows.get(container.full_name(name), ())))
                for found in clips_of(file, problems):
                    count += 1
                    yield found
    if not count:
        why = f" ({problems[0][0]}: {problems[0][1]})" if problems else ""
        raise InputError(f"{source} holds no motion that can be read{why}; give {WANTED}.")


def containers_of(source: Path, problems: list[Problem]) -> tuple[list[Container], str | None]:
    """Where to look, and the only file to read where the user gave a single one."""
    if source.is_file() and source.suffix.lower() in READERS:
        return [folder_of(source)], source.name
    containers, found = list_containers(source, WANTED)
    problems += [(record.label, record.reason) for record in found]
    return containers, None


def manifest_rows(container: Container, open_file: Opener, problems: list[Problem]) -> dict[str, list[Facts]]:
    """Facts by the full name of the file that they are about."""
    rows: dict[str, list[Facts]] = {}
    for name in container.names:
        folder, base = posixpath.split(name)
        if base != MANIFEST:
            continue
        try:
            lines = read_file(open_file, name, LARGEST_TEXT).decode("utf-8", errors="replace").splitlines()
        except InputError as error:
            problems.append((container.full_name(name), str(error)))
            continue
        if len(lines) > MOST_LINES:
            problems.append((container.full_name(name), f"more than {MOST_LINES:,} lines; those after are left out"))
        for number, line in enumerate(lines[:MOST_LINES], start=1):
            try:
                if line.strip():
                    facts = placed(Facts.model_validate_json(line), container, folder)
                    rows.setdefault(facts.file, []).append(facts)
            except ValidationError as error:
                first = error.errors(include_url=False, include_context=False, include_input=False)[0]
                place = ".".join(map(str, first["loc"])) or "it"
                problems.append((f"{container.full_name(name)} line {number}", f"{place}: {first['msg'][:200]}"))
    return rows


def placed(facts: Facts, container: Container, folder: str) -> Facts:
    """Facts of a manifest in a container's folder, with the file named within what the user gave, and the skeleton
    within the container."""
    file = posixpath.normpath(posixpath.join(folder, facts.file))
    skeleton = facts.skeleton and posixpath.normpath(posixpath.join(folder, facts.skeleton))
    return facts.model_copy(update={"file": container.full_name(file), "skeleton": skeleton})


def clips_of(source: Source, problems: list[Problem]) -> Iterator[Found]:
    """A file's clips; none where it is no file of motion."""
    suffix, file = PurePosixPath(source.name).suffix.lower(), source.container.full_name(source.name)
    if suffix not in READERS:
        return
    try:
        if suffix in HUMANOID_SUFFIXES and not names_frames(source):
            return
        takes = READERS[suffix](source)
    except InputError as error:
        problems.append((file, str(error)))
        return
    for take, loops in takes:
        facts = facts_of(source.rows, file, take.name, len(takes) == 1)
        facts = facts.model_copy(update={"clip": take.name, "loops": loops if facts.loops is None else facts.loops})
        skipped = facts.skip_start_frames
        if skipped >= len(take.positions):
            problems.append((file, f"the manifest skips {skipped} frames of {take.name!r}, which has no more"))
            continue
        yield Found(file, cut(take, skipped), facts)


def names_frames(source: Source) -> bool:
    """Whether a text or JSON file may hold a humanoid's motion."""
    with source.open_file(source.name) as stream:
        return b'"Frames"' in stream.read(HEAD)


def facts_of(rows: tuple[Facts, ...], file: str, clip: str, alone: bool) -> Facts:
    """Facts of a clip: those of a line that names it, or of one that names the file alone. Blender puts the armature's
    name before an action's ("Rig|Walk"), which the manifest may leave out.

    Args:
        rows: of the manifest about the file.
        file: its name.
        clip: the animation's name.
        alone: whether the file holds only this clip, which needs no name then.
    """
    only = [row.clip for row in rows] if alone and len(rows) == 1 else []
    for name in (clip, clip.split("|")[-1], "", *only):
        for row in rows:
            if row.clip == name:
                return row
    return Facts(file=file)


def cut(take: Take, frames: int) -> Take:
    """The take without its first frames."""
    return replace(take, positions=take.positions[frames:], rotations=take.rotations[frames:]) if frames else take


def skeleton_of(source: Source) -> str:
    """Name of the .asf that an .amc belongs to, relative to it: the manifest's, one of the same stem or of what stands
    before its "_", or the only one beside it.

    Raises:
        InputError: there is none, or more than one.
    """
    folder = posixpath.dirname(source.name)
    for row in source.rows:
        if row.skeleton:
            return posixpath.relpath(row.skeleton, folder or ".")
    beside = [PurePosixPath(name) for name in source.container.names if posixpath.dirname(name) == folder]
    skeletons = {path.stem: path.name for path in beside if path.suffix.lower() == ".asf"}
    for stem in (source.stem, source.stem.split("_")[0]):
        if stem in skeletons:
            return skeletons[stem]
    if len(skeletons) != 1:
        raise InputError(f"{len(skeletons) or 'no'} skeletons (.asf) lie beside it; name it {source.stem}.asf")
    return next(iter(skeletons.values()))
