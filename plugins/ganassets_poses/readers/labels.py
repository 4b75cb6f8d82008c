"""Labels of clips: the action, style, licence and so on that manifests and the recipes of generated clips give."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ganassets.api.data.generated_files import as_object, index_recipes, parse_json, sidecar_recipe
from ganassets.api.data.records import UNREADABLE, FileRecord, left_out
from ganassets.api.data.sources import INDEX, Container, Opener, read_file
from ganassets.api.errors import InputError

from ..actions import ACTION_NAMES, STYLES
from .limits import FASTEST, LARGEST_TEXT, SLOWEST

MANIFEST = "manifest.jsonl"
FIGURE = re.compile(r" \([^()]*\)$")  # suffix of a clip's name where several figures move; see read_gltf
LARGEST_SIDECAR = 2**20  # bytes
MOST_LINES = 100_000  # lines of a manifest or an index
MISSING = "named by a manifest and not there"  # category of records


class ClipLabels(BaseModel):
    """One line of a manifest: what it says about a clip. Other fields of the line are ignored.

    Attributes:
        file: Path relative to the manifest's folder; after `label_files` relative to what the user gave.
        clip: Name of the animation; "" applies to every animation of the file.
        action: What the figure does, such as "walk".
        loops: Whether the clip ends in the pose of its start.
        skip_start_frames: Number of frames to drop at the start.
        skeleton: Path of the .asf of an .amc; relative as `file` is.
        fps: Frames per second of a file that doesn't say (.amc).
        style: One of actions.STYLES.
        up: Axis of the file that points up, where it is not recognised correctly.
        given_by: Source of the labels, such as "the manifest"; "" where there are none.
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


def label_files(
    container: Container, open_file: Opener, labelled: Sequence[str], records: list[FileRecord], complete: bool
) -> dict[str, list[ClipLabels]]:
    """Read the labels in a container: from manifests, from indexes of generated files, then from sidecar files.

    Args:
        container: Folder or zip that holds the files.
        open_file: Opens the container's files.
        labelled: Names in the container of the motion files that may have a sidecar.
        records: A record of each file that was read, and of each problem, is appended.
        complete: Whether all files that a manifest may name are in the container.

    Returns:
        Labels by the full name of the file that they are about.
    """
    labels: dict[str, list[ClipLabels]] = {}
    present = frozenset(map(container.full_name, container.names)) if complete else None
    for kind, use in ((MANIFEST, "manifest"), (INDEX, "recipes")):
        for name in container.names:
            if posixpath.basename(name) == kind:
                for row in _read_label_file(container, open_file, name, use, records, present):
                    labels.setdefault(row.file, []).append(row)
    for name in labelled:
        sidecar = f"{name}.json"
        if sidecar in container.name_set and (row := _read_sidecar(open_file, sidecar, posixpath.basename(name))):
            records.append(FileRecord(container.full_name(sidecar), use="recipes", reason=f"of {name}"))
            row = _resolve_paths(row, container, posixpath.dirname(sidecar))
            labels.setdefault(row.file, []).append(row)
    return labels


def _read_label_file(
    container: Container,
    open_file: Opener,
    name: str,
    use: str,
    records: list[FileRecord],
    present: frozenset[str] | None,
) -> Iterator[ClipLabels]:
    """Yield the labels of a manifest or an index, see `label_files`; a record is appended for each missing file.

    Args:
        container: Folder or zip that holds the files.
        open_file: Opens the container's files.
        name: Name of the manifest or index in the container.
        use: "manifest" or "recipes".
        records: The record of the file is appended.
        present: Full names of all files that a manifest may name; None to not check them.
    """
    file = container.full_name(name)
    try:
        content = read_file(open_file, name, LARGEST_TEXT)
    except InputError as error:
        records.append(left_out(file, error))
        return
    records.append(FileRecord(file, use=use))
    lines = _limit_lines(content, file, records)
    for row in _parse_manifest(lines, file, records) if use == "manifest" else _parse_index(lines):
        row = _resolve_paths(row, container, posixpath.dirname(name))
        yield row
        if present is not None and use == "manifest" and row.file not in present:
            why = f"it names {row.file!r}, which is not there"
            records.append(FileRecord(file, part=row.file, reason=why, category=MISSING))


def _limit_lines(content: bytes, file: str, records: list[FileRecord]) -> list[str]:
    """Return the first MOST_LINES lines of a file; a record is appended where there are more."""
    lines = content.decode("utf-8", errors="replace").splitlines()
    if len(lines) > MOST_LINES:
        why = f"more than {MOST_LINES:,} lines; those after are left out"
        records.append(FileRecord(file, part="lines", reason=why, category=UNREADABLE))
    return lines[:MOST_LINES]


def _parse_manifest(lines: Sequence[str], file: str, records: list[FileRecord]) -> Iterator[ClipLabels]:
    """Yield the labels of a manifest's lines; a record is appended for each invalid line."""
    for number, line in enumerate(lines, start=1):
        try:
            if line.strip():
                yield ClipLabels.model_validate_json(line).model_copy(update={"given_by": "the manifest"})
        except ValidationError as error:
            first = error.errors(include_url=False, include_context=False, include_input=False)[0]
            place = ".".join(map(str, first["loc"])) or "it"
            why = f"{place}: {first['msg'][:200]}"
            records.append(FileRecord(file, part=f"line {number}", reason=why, category=UNREADABLE))


def _parse_index(lines: Sequence[str]) -> Iterator[ClipLabels]:
    """Yield the labels of generated clips that an index lists."""
    for name, recipe in index_recipes(lines):
        if row := labels_from_recipe(recipe, name, f"the recipe in {INDEX}"):
            yield row


def _read_sidecar(open_file: Opener, name: str, about: str) -> ClipLabels | None:
    """Return the labels of a generated clip from the JSON file beside it."""
    try:
        content = read_file(open_file, name, LARGEST_SIDECAR)
    except InputError:
        return None
    return labels_from_recipe(sidecar_recipe(content), about, "the recipe beside it")


def labels_from_recipe(recipe: object, file: str, given_by: str) -> ClipLabels | None:
    """Return the labels of a clip that this generator made; None for any other recipe.

    Args:
        recipe: Parsed JSON, or JSON text.
        file: Name of the clip's file.
        given_by: Where the recipe was found, for messages.
    """
    fields = as_object(parse_json(recipe) if isinstance(recipe, str) else recipe)
    condition = fields.get("condition")
    if fields.get("generator") != "poses" or not isinstance(condition, dict):
        return None
    values = {name: value for name, value in condition.items() if isinstance(value, (int, float))}
    return ClipLabels(
        file=file,
        action=_largest_share(values, "action", ACTION_NAMES),
        style=_largest_share(values, "style", STYLES),
        loops=values.get("loop", 0) >= 0.5,
        licence=licence if isinstance(licence := fields.get("licence"), str) else "",
        given_by=given_by,
    )


def _largest_share(values: Mapping[str, float], condition: str, choices: Sequence[str]) -> str | None:
    """Return the choice with the largest share of a condition; None where all shares are 0."""
    shares = {choice: values.get(f"{condition}:{choice}", 0) for choice in choices}
    best = max(shares, key=lambda choice: shares[choice])
    return best if shares[best] > 0 else None


def _resolve_paths(row: ClipLabels, container: Container, folder: str) -> ClipLabels:
    """Resolve a row's paths: the file's relative to what the user gave, the skeleton's relative to the container."""
    file = posixpath.normpath(posixpath.join(folder, row.file))
    skeleton = row.skeleton and posixpath.normpath(posixpath.join(folder, row.skeleton))
    return row.model_copy(update={"file": container.full_name(file), "skeleton": skeleton})


def labels_of_clip(rows: Sequence[ClipLabels], file: str, clip: str, alone: bool) -> ClipLabels:
    """Return the labels of a clip: those that name the clip, or else those that name only its file.

    Args:
        rows: Labels of the file.
        file: The file's name.
        clip: Name of the animation.
        alone: Whether the file holds no other clip; then a single row applies whatever clip it names.
    """
    only = [row.clip for row in rows] if alone and len(rows) == 1 else []
    for name in (*clip_aliases(clip), "", *only):
        for row in rows:
            if row.clip == name:
                return row
    return ClipLabels(file=file)


def missing_clips(rows: Sequence[ClipLabels], file: str, clips: Sequence[str]) -> list[FileRecord]:
    """Return records of the clips that labels name and the file lacks; the only clip of a file needs no name."""
    names = {alias for clip in clips for alias in clip_aliases(clip)}
    missing = {row.clip: row.given_by for row in rows if row.clip and row.clip not in names}
    return [
        FileRecord(file, part=clip, reason=f"{given_by} names this clip, which is not there", category=MISSING)
        for clip, given_by in missing.items()
        if len(clips) > 1
    ]


def clip_aliases(clip: str) -> tuple[str, ...]:
    """Return the names that a manifest may use for a clip.

    Blender writes the armature's name before that of an action ("Rig|Walk"), and `read_gltf` appends the figure's name
    where several figures move; either may be left out.
    """
    short = FIGURE.sub("", clip)
    return clip, clip.split("|")[-1], short, short.split("|")[-1]
