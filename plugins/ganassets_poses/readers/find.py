"""Motion in folders and zips, with what manifests and recipes say about it, and what became of each file."""

from __future__ import annotations

import json
import posixpath
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ganassets.api.data.records import NOT_READ, UNREADABLE, FileRecord, explain_left_out, left_out
from ganassets.api.data.sources import (
    Container,
    Opener,
    archive_suffix,
    folder_of,
    list_containers,
    opened,
    read_file,
    unread_reason,
)
from ganassets.api.errors import InputError
from ganassets.api.motion.take import Take
from ganassets.inference.batch.index import INDEX
from ganassets.inference.provenance import KEY

from ..actions import NAMES, STYLES
from .acclaim import CMU_FPS, read_acclaim
from .bvh import read_bvh
from .gltf import read_gltf
from .gltf_document import recipe_in
from .humanoid import LARGEST, read_humanoid
from .limits import FASTEST, LARGEST_TEXT, SLOWEST

MANIFEST = "manifest.jsonl"
FIGURE = re.compile(r" \([^()]*\)$")  # at the end of a clip's name; see read_gltf
WANTED = "a folder, a zip or a file of motion (.bvh, .glb, .gltf, .vrma, .amc with its .asf, or humanoid .txt or .json)"
LARGEST_BINARY = 256 * 2**20  # bytes
LARGEST_NOTES = 2**20  # bytes of a file of notes beside another
MOST_LINES = 100_000  # of a manifest
HEAD = 4096  # bytes in which a humanoid's file names its frames
# Categories of files and clips that are left out.
NO_MOTION, NO_SKELETON, SKIPPED = "no motion in it", "moves no skeleton", "all frames are skipped"
MISSING = "named by a manifest and not there"
# What to do about kinds of files that hold motion and aren't read, by the ends of their names.
EXPORT = {
    (".fbx", ".dae", ".abc", ".mb", ".ma", ".max", ".c4d", ".bip", ".vmd", ".unity", ".uasset"): "export BVH or GLB",
    (".c3d", ".trc", ".trb"): "it holds markers and no skeleton; solve it and export BVH",
    (".npz", ".npy", ".pkl", ".pt", ".h5", ".mat"): "convert it to BVH or GLB",
    (".blend", ".usd", ".usda", ".usdc", ".usdz", ".anim"): "export GLB",
}


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
        up: axis of the file that points up, where it is taken for another one.
        given_by: where this is said, in words; "" where nothing says it.
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
    up: Literal["X", "-X", "Y", "-Y", "Z", "-Z"] | None = None
    given_by: str = ""


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
        rows: what manifests and recipes say about it.
        records: what became of files, to which those that are read beside this one are added.
        recorded: files that have records already, to which those that are read beside this one are added.
        skeletons: names of the container's .asf by folder and stem.
    """

    container: Container
    open_file: Opener
    name: str
    rows: tuple[Facts, ...]
    records: list[FileRecord] = field(default_factory=list)
    recorded: set[str] = field(default_factory=set)
    skeletons: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    @property
    def stem(self) -> str:
        """Name without folders and suffix."""
        return PurePosixPath(self.name).stem

    @property
    def suffix(self) -> str:
        """The name's end, in lower case."""
        return suffix_of(self.name)

    @property
    def file(self) -> str:
        """Name within what the user gave."""
        return self.container.full_name(self.name)

    def content(self, most: int) -> bytes:
        """The file's bytes; InputError for more than `most`."""
        return read_file(self.open_file, self.name, most)

    def beside(self, name: str, most: int = LARGEST_BINARY) -> bytes:
        """Bytes of a file named relative to this one; only files that were found in the container can be opened."""
        found = posixpath.normpath(posixpath.join(posixpath.dirname(self.name), name))
        if found not in self.container.name_set:
            raise InputError(f"{name[:80]!r} is not among the files that were given")
        content = read_file(self.open_file, found, most)
        kind = "skeleton" if self.suffix == ".amc" else "buffer"
        file = self.container.full_name(found)
        if file not in self.recorded:
            self.recorded.add(file)
            self.records.append(FileRecord(file, use=kind, reason=f"of {self.file}"))
        return content


def suffix_of(name: str) -> str:
    """The end of a file's name, in lower case."""
    return PurePosixPath(name).suffix.lower()


@dataclass(frozen=True, eq=False)
class Clip:
    """A clip as a reader finds it.

    Attributes:
        take: the motion.
        loops: whether it loops, as far as the file says.
        recipe: that made the file, as JSON has it; None where the file holds none.
    """

    take: Take
    loops: bool | None = None
    recipe: object | None = None


def bvh_clips(source: Source) -> list[Clip]:
    """A BVH file's clip."""
    return [Clip(read_bvh(source.content(LARGEST_TEXT), source.stem))]


def gltf_clips(source: Source) -> list[Clip]:
    """A glTF file's clips; animations that move no skeleton are recorded."""
    content = source.content(LARGEST_BINARY)
    still: list[str] = []
    takes = read_gltf(content, source.stem, source.beside, still)
    source.records.extend(
        FileRecord(source.file, part=name, reason="the animation moves no skeleton", category=NO_SKELETON)
        for name in still
    )
    recipe = recipe_in(content)
    return [Clip(take, recipe=recipe) for take in takes]


def acclaim_clips(source: Source) -> list[Clip]:
    """An AMC file's clip on the skeleton that belongs to it."""
    fps = next((row.fps for row in source.rows if row.fps), CMU_FPS)
    skeleton = source.beside(skeleton_of(source), LARGEST_TEXT)
    return [Clip(read_acclaim(skeleton, source.content(LARGEST_TEXT), source.stem, fps))]


def humanoid_clips(source: Source) -> list[Clip]:
    """A humanoid file's clip."""
    return [Clip(*read_humanoid(source.content(LARGEST), source.stem))]


READERS: dict[str, Callable[[Source], list[Clip]]] = {
    ".bvh": bvh_clips,
    **dict.fromkeys((".glb", ".gltf", ".vrma", ".vrm"), gltf_clips),
    ".amc": acclaim_clips,
    **dict.fromkeys((".txt", ".json"), humanoid_clips),
}
HUMANOID_SUFFIXES = (".txt", ".json")  # of which many are something else


def find_motion(source: Path, records: list[FileRecord]) -> Iterator[Found]:
    """All clips in a folder (at any depth, zips in it too), a zip or a file, sorted by place and name. Lines of files
    named manifest.jsonl, which name files relative to their folder, give facts about the clips; so do the recipes of
    clips that were generated, in the files, beside them or in index.jsonl.

    Args:
        source: of the folder, the zip or the file.
        records: what became of all files is appended, but for the clips that are yielded.

    Raises:
        InputError: source can't be read, or holds no motion.
    """
    count = 0
    containers, chosen = containers_of(source, records)
    for container in containers:
        with opened(container) as open_file:
            rows = fact_rows(container, open_file, records, whole=chosen is None)
            known = file_names(records)
            recorded, skeletons = set(known), skeletons_of(container)
            for name in container.names if chosen is None else [chosen]:
                file = container.full_name(name)
                if suffix_of(name) in READERS and file not in known:
                    known.add(file)
                    told = tuple(rows.get(file, ()))
                    for found in clips_of(Source(container, open_file, name, told, records, recorded, skeletons)):
                        count += 1
                        yield found
            if chosen is None:
                records += unread_records(container, known | file_names(records))
    if not count:
        why = explain_left_out(records)
        raise InputError(f"{source} holds no motion that can be read{f' ({why})' if why else ''}; give {WANTED}.")


def file_names(records: Sequence[FileRecord]) -> set[str]:
    """Names of the files that are recorded."""
    return {record.file for record in records}


def unread_records(container: Container, known: set[str]) -> list[FileRecord]:
    """Records of a container's files that are not known and thus of no kind that is read."""
    return [
        FileRecord(file, reason=unread_motion(file), category=NOT_READ)
        for file in map(container.full_name, container.names)
        if file not in known
    ]


def unread_motion(name: str) -> str:
    """Why a file of no kind that is read is left out, and what to do where it may hold motion."""
    suffix = suffix_of(name)
    if suffix == ".asf":
        return "a skeleton that no .amc beside it belongs to"
    for suffixes, advice in EXPORT.items():
        if suffix in suffixes:
            return f"{suffix} is not read; {advice}"
    if archive_suffix(name):
        return unread_reason(name)
    return f"{suffix} is not read" if suffix else "a file without an ending is not read"


def containers_of(source: Path, records: list[FileRecord]) -> tuple[list[Container], str | None]:
    """Where to look, and the only file to read where the user gave a single one."""
    if source.is_file() and source.suffix.lower() in READERS:
        return [folder_of(source)], source.name
    containers, found = list_containers(source, WANTED)
    records += found
    return containers, None


def fact_rows(
    container: Container, open_file: Opener, records: list[FileRecord], whole: bool
) -> dict[str, list[Facts]]:
    """Facts by the full name of the file that they are about: those of manifests first, then those of recipes.

    Args:
        container: that holds manifests and files.
        open_file: opens the container's files.
        records: what became of files is appended.
        whole: whether all files that a manifest may name are in the container.
    """
    rows: dict[str, list[Facts]] = {}
    there = set(map(container.full_name, container.names))
    readers = {MANIFEST: (manifest_facts, "manifest"), INDEX: (index_facts, "recipes")}
    for wanted, (read, use) in readers.items():
        for name in container.names:
            folder, base = posixpath.split(name)
            if base != wanted:
                continue
            file = container.full_name(name)
            try:
                content = read_file(open_file, name, LARGEST_TEXT)
            except InputError as error:
                records.append(left_out(file, error))
                continue
            records.append(FileRecord(file, use=use))
            for facts in read(limited_lines(content, file, records), file, records):
                facts = placed(facts, container, folder)
                rows.setdefault(facts.file, []).append(facts)
                if whole and use == "manifest" and facts.file not in there:
                    why = f"it names {facts.file!r}, which is not there"
                    records.append(FileRecord(file, part=facts.file, reason=why, category=MISSING))
    for name in container.names:
        about = name.removesuffix(".json")
        if about == name or about not in container.name_set or suffix_of(about) not in READERS:
            continue
        if facts := notes_facts(open_file, name, posixpath.basename(about)):
            records.append(FileRecord(container.full_name(name), use="recipes", reason=f"of {about}"))
            facts = placed(facts, container, posixpath.dirname(name))
            rows.setdefault(facts.file, []).append(facts)
    return rows


def limited_lines(content: bytes, file: str, records: list[FileRecord]) -> list[str]:
    """The first lines of a file."""
    lines = content.decode("utf-8", errors="replace").splitlines()
    if len(lines) > MOST_LINES:
        why = f"more than {MOST_LINES:,} lines; those after are left out"
        records.append(FileRecord(file, part="lines", reason=why, category=UNREADABLE))
    return lines[:MOST_LINES]


def manifest_facts(lines: Sequence[str], file: str, records: list[FileRecord]) -> Iterator[Facts]:
    """What a manifest's lines say; wrong ones are recorded."""
    for number, line in enumerate(lines, start=1):
        try:
            if line.strip():
                yield Facts.model_validate_json(line).model_copy(update={"given_by": "the manifest"})
        except ValidationError as error:
            first = error.errors(include_url=False, include_context=False, include_input=False)[0]
            place = ".".join(map(str, first["loc"])) or "it"
            why = f"{place}: {first['msg'][:200]}"
            records.append(FileRecord(file, part=f"line {number}", reason=why, category=UNREADABLE))


def index_facts(lines: Sequence[str], file: str, records: list[FileRecord]) -> Iterator[Facts]:
    """What the index of a folder of generated clips says; lines that make no clips say nothing."""
    del records, file
    for line in lines:
        entry = parsed(line)
        if isinstance(entry, dict) and isinstance(files := entry.get("files"), dict):
            for name in files:
                if name and (facts := recipe_facts(entry.get("recipe"), name, f"the recipe in {INDEX}")):
                    yield facts


def notes_facts(open_file: Opener, name: str, about: str) -> Facts | None:
    """What the notes beside a generated clip say."""
    try:
        notes = parsed(read_file(open_file, name, LARGEST_NOTES))
    except InputError:
        return None
    notes = notes.get("provenance", notes) if isinstance(notes, dict) else None
    return recipe_facts(notes.get(KEY), about, "the recipe beside it") if isinstance(notes, dict) else None


def parsed(text: str | bytes) -> object:
    """What JSON holds, None where it is none."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def recipe_facts(recipe: object, file: str, given_by: str) -> Facts | None:
    """Facts about a clip that this generator made; None for other recipes.

    Args:
        recipe: as JSON has it.
        file: that it made.
        given_by: where the recipe stands, in words.
    """
    recipe = parsed(recipe) if isinstance(recipe, str) else recipe
    if not isinstance(recipe, dict) or recipe.get("generator") != "poses":
        return None
    condition = recipe.get("condition")
    if not isinstance(condition, dict):
        return None
    values = {name: value for name, value in condition.items() if isinstance(value, (int, float))}
    return Facts(
        file=file,
        action=largest(values, "action", NAMES),
        style=largest(values, "style", STYLES),
        loops=values.get("loop", 0) >= 0.5,
        licence=licence if isinstance(licence := recipe.get("licence"), str) else "",
        given_by=given_by,
    )


def largest(values: Mapping[str, float], condition: str, choices: Sequence[str]) -> str | None:
    """The choice of a condition that has the largest share, None where none has any."""
    shares = {choice: values.get(f"{condition}:{choice}", 0) for choice in choices}
    best = max(shares, key=lambda choice: shares[choice])
    return best if shares[best] > 0 else None


def placed(facts: Facts, container: Container, folder: str) -> Facts:
    """Facts of a file in a container's folder, with the file named within what the user gave, and the skeleton within
    the container.
    """
    file = posixpath.normpath(posixpath.join(folder, facts.file))
    skeleton = facts.skeleton and posixpath.normpath(posixpath.join(folder, facts.skeleton))
    return facts.model_copy(update={"file": container.full_name(file), "skeleton": skeleton})


def clips_of(source: Source) -> Iterator[Found]:
    """A file's clips; what has none is recorded."""
    file, records = source.file, source.records
    try:
        if source.suffix in HUMANOID_SUFFIXES and not names_frames(source):
            records.append(FileRecord(file, reason='no motion: it has no "Frames"', category=NO_MOTION))
            return
        clips = READERS[source.suffix](source)
    except InputError as error:
        records.append(left_out(file, error))
        return
    records += missing_clips(source, [clip.take.name for clip in clips])
    for clip in clips:
        rows = source.rows
        if clip.recipe and (told := recipe_facts(clip.recipe, file, "the recipe in the file")):
            rows = (*rows, told)
        take, loops = clip.take, clip.loops
        facts = facts_of(rows, file, take.name, len(clips) == 1)
        facts = facts.model_copy(update={"clip": take.name, "loops": loops if facts.loops is None else facts.loops})
        skipped = facts.skip_start_frames
        if skipped >= len(take.positions):
            why = f"the manifest skips {skipped} frames of {take.name!r}, which has no more"
            records.append(FileRecord(file, part=take.name, reason=why, category=SKIPPED))
            continue
        yield Found(file, cut(take, skipped), facts)


def names_frames(source: Source) -> bool:
    """Whether a text or JSON file may hold a humanoid's motion."""
    with source.open_file(source.name) as stream:
        return b'"Frames"' in stream.read(HEAD)


def missing_clips(source: Source, clips: Sequence[str]) -> list[FileRecord]:
    """Records of clips that a manifest names and a file has not; its only clip needs no name."""
    names = {name for clip in clips for name in clip_names(clip)}
    missing = {row.clip: row.given_by for row in source.rows if row.clip and row.clip not in names}
    return [
        FileRecord(source.file, part=clip, reason=f"{given_by} names this clip, which is not there", category=MISSING)
        for clip, given_by in missing.items()
        if len(clips) > 1
    ]


def clip_names(clip: str) -> tuple[str, ...]:
    """Names by which a manifest may call a clip: without the armature's, without the figure's where several move."""
    return clip, clip.split("|")[-1], FIGURE.sub("", clip), FIGURE.sub("", clip).split("|")[-1]


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
    for name in (*clip_names(clip), "", *only):
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
    skeletons = source.skeletons.get(folder, {})
    for stem in (source.stem, source.stem.split("_")[0]):
        if stem in skeletons:
            return skeletons[stem]
    if len(skeletons) != 1:
        raise InputError(f"{len(skeletons) or 'no'} skeletons (.asf) lie beside it; name it {source.stem}.asf")
    return next(iter(skeletons.values()))


def skeletons_of(container: Container) -> dict[str, dict[str, str]]:
    """Names of a container's .asf without their folder, by folder and stem."""
    found: dict[str, dict[str, str]] = {}
    for name in container.names:
        if suffix_of(name) == ".asf":
            folder, base = posixpath.split(name)
            found.setdefault(folder, {})[PurePosixPath(base).stem] = base
    return found
