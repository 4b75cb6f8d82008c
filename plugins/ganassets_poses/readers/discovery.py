"""Find all clips in a folder, zip or file, with their labels, and record what became of each file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from ganassets.api.data.records import NOT_READ, FileRecord, explain_left_out, left_out
from ganassets.api.data.sources import (
    Container,
    archive_suffix,
    folder_of,
    list_containers,
    open_container,
    unread_reason,
)
from ganassets.api.errors import InputError
from ganassets.api.motion.take import Take

from .labels import ClipLabels, label_files, labels_from_recipe, labels_of_clip, missing_clips
from .motion_file import READERS, FileClip, MotionFile, list_skeletons, read_clips, suffix_of

EXPECTED = (
    "a folder, a zip or a file of motion (.bvh, .glb, .gltf, .vrma, .amc with its .asf, or humanoid .txt or .json)"
)
# Categories of records.
NO_MOTION, SKIPPED = "no motion in it", "all frames are skipped"
# Suffixes of motion files that are not read, and how to convert the files.
ADVICE = {
    (".fbx", ".dae", ".abc", ".mb", ".ma", ".max", ".c4d", ".bip", ".vmd", ".unity", ".uasset"): "export BVH or GLB",
    (".c3d", ".trc", ".trb"): "it holds markers and no skeleton; solve it and export BVH",
    (".npz", ".npy", ".pkl", ".pt", ".h5", ".mat"): "convert it to BVH or GLB",
    (".blend", ".usd", ".usda", ".usdc", ".usdz", ".anim"): "export GLB",
}


@dataclass(frozen=True, eq=False)
class LabelledTake:
    """A clip of a motion file.

    Attributes:
        file: Name of the file relative to what the user gave.
        take: The motion.
        labels: Labels from manifests, recipes and the file itself.
    """

    file: str
    take: Take
    labels: ClipLabels


def find_motion(source: Path, records: list[FileRecord]) -> Iterator[LabelledTake]:
    """Yield all clips of a folder (with its subfolders and zips), a zip or a file, sorted by place and name.

    Labels come from files named manifest.jsonl, whose lines name files relative to their folder, and from the recipes
    of generated clips: in the files, beside them or in index.jsonl.

    Args:
        source: Folder, zip or file.
        records: Records of files are appended, except for the clips that are yielded.

    Raises:
        InputError: Source can't be read, or holds no motion.
    """
    found_any = False
    containers, chosen = _list_sources(source, records)
    for container in containers:
        for take in _find_in_container(container, chosen, records):
            found_any = True
            yield take
    if not found_any:
        why = explain_left_out(records)
        raise InputError(f"{source} holds no motion that can be read{f' ({why})' if why else ''}; give {EXPECTED}.")


def _list_sources(source: Path, records: list[FileRecord]) -> tuple[list[Container], str | None]:
    """Return the containers to search, and the name of the only file to read where the user gave a motion file."""
    if source.is_file() and source.suffix.lower() in READERS:
        return [folder_of(source)], source.name
    containers, found = list_containers(source, EXPECTED)
    records += found
    return containers, None


def _find_in_container(container: Container, chosen: str | None, records: list[FileRecord]) -> Iterator[LabelledTake]:
    """Yield the clips of one container; see `find_motion`.

    Args:
        container: Folder or zip.
        chosen: The only file to read, or None for all.
        records: Records of files are appended.
    """
    with open_container(container) as open_file:
        motion = [name for name in container.names if suffix_of(name) in READERS]
        labels = label_files(container, open_file, motion, records, complete=chosen is None)
        known = _file_names(records)
        recorded, skeletons = set(known), list_skeletons(container)
        for name in motion if chosen is None else [chosen]:
            file = container.full_name(name)
            if file not in known:
                known.add(file)
                rows = tuple(labels.get(file, ()))
                yield from _find_in_file(MotionFile(container, open_file, name, rows, records, recorded, skeletons))
        if chosen is None:
            records += _record_unread(container, known | _file_names(records))


def _file_names(records: Sequence[FileRecord]) -> set[str]:
    return {record.file for record in records}


def _record_unread(container: Container, known: set[str]) -> list[FileRecord]:
    """Return a record of each file that is not known, and therefore has a format that is not read."""
    return [
        FileRecord(file, reason=_explain_unread(file), category=NOT_READ)
        for file in map(container.full_name, container.names)
        if file not in known
    ]


def _explain_unread(name: str) -> str:
    """Return why a file is not read, and how to convert it where it may hold motion."""
    suffix = suffix_of(name)
    if suffix == ".asf":
        return "a skeleton that no .amc beside it belongs to"
    for suffixes, advice in ADVICE.items():
        if suffix in suffixes:
            return f"{suffix} is not read; {advice}"
    if archive_suffix(name):
        return unread_reason(name)
    return f"{suffix} is not read" if suffix else "a file without an ending is not read"


def _find_in_file(file: MotionFile) -> Iterator[LabelledTake]:
    """Yield a file's clips; a record is appended where it has none."""
    try:
        if not file.may_hold_motion():
            reason = 'no motion: it has no "Frames"'
            file.records.append(FileRecord(file.full_name, reason=reason, category=NO_MOTION))
            return
        clips = read_clips(file)
    except InputError as error:
        file.records.append(left_out(file.full_name, error))
        return
    file.records.extend(missing_clips(file.labels, file.full_name, [clip.take.name for clip in clips]))
    for clip in clips:
        labels = _label_clip(file, clip, alone=len(clips) == 1)
        skipped = labels.skip_start_frames
        if skipped >= len(clip.take.positions):
            why = f"the manifest skips {skipped} frames of {clip.take.name!r}, which has no more"
            file.records.append(FileRecord(file.full_name, part=clip.take.name, reason=why, category=SKIPPED))
            continue
        yield LabelledTake(file.full_name, _drop_frames(clip.take, skipped), labels)


def _label_clip(file: MotionFile, clip: FileClip, alone: bool) -> ClipLabels:
    """Return the labels of one of a file's clips; those in the file itself count last."""
    rows = file.labels
    if clip.recipe and (row := labels_from_recipe(clip.recipe, file.full_name, "the recipe in the file")):
        rows = (*rows, row)
    labels = labels_of_clip(rows, file.full_name, clip.take.name, alone)
    loops = clip.loops if labels.loops is None else labels.loops
    return labels.model_copy(update={"clip": clip.take.name, "loops": loops})


def _drop_frames(take: Take, count: int) -> Take:
    """Return a take without its first frames."""
    return replace(take, positions=take.positions[count:], rotations=take.rotations[count:]) if count else take
