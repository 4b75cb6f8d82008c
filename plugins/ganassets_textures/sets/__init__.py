"""Material sets that others made, read for training: folders and zips as the libraries of materials hand them out."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from ganassets.api.data.images import SUFFIXES
from ganassets.api.data.records import FileRecord, explain_left_out
from ganassets.api.data.sources import Container, list_containers, opened, unread_records
from ganassets.api.errors import InputError

from .groups import FileGroup, group_files
from .material_set import NOT_LEARNT, GroupResult, MaterialSet, read_group

__all__ = ["MaterialSet", "Report", "read_sets"]

# Folders of pictures that are no maps: of the finished material.
SKIPPED_FOLDERS = frozenset({"preview", "previews", "thumb", "thumbs", "thumbnails", "render", "renders"})
EXAMPLE = "a set is a colour map and what belongs to it: wall_color.png, wall_normal.png, wall_roughness.png"


@dataclass(frozen=True)
class SetReport:
    """What was found.

    Attributes:
        found: a line for each set that is used: name, maps, size, class of material, whether it tiles.
        records: of all files.
    """

    found: tuple[str, ...]
    records: tuple[FileRecord, ...]


def no_report(done: int, total: int) -> None:
    """Progress that nobody watches."""


def read_sets(
    path: Path, longest: int = 512, report: Callable[[int, int], None] = no_report
) -> tuple[list[MaterialSet], SetReport]:
    """Read all material sets in a folder or a zip, at any depth, and in zips in the folder; sorted by place and name.

    Sets are read one after the other, so memory holds the reduced sets and the pictures of one.

    Args:
        path: of the folder or the zip.
        longest: most texels of a set's longer side; larger ones are reduced.
        report: called with (done, total) sets.

    Raises:
        InputError: path is neither a readable folder nor a zip, or holds no usable set.
    """
    containers, records = list_containers(path, "a folder or a zip of material sets", SKIPPED_FOLDERS)
    groups = [(container, find_groups(container, records)) for container in containers]
    root = path.resolve().name.removesuffix(".zip")
    total = sum(len(found) for _, found in groups)
    sets: list[MaterialSet] = []
    lines: list[str] = []
    done = 0
    for container, found in groups:
        for result in read_container(container, found, root, longest):
            records += result.records
            if result.made is not None:
                sets.append(result.made)
                lines.append(result.line)
            done += 1
            report(done, total)
    records += unread_records(containers, {record.file for record in records})
    if not sets:
        why = explain_left_out(records)
        raise InputError(f"{path} holds no usable material set{why and f' ({why})'}; {EXAMPLE}.")
    return sets, SetReport(tuple(lines), tuple(records))


def find_groups(container: Container, records: list[FileRecord]) -> list[FileGroup]:
    """Groups of the container's pictures; those of maps that are not learnt get records."""
    pictures = [name for name in container.names if PurePosixPath(name).suffix.lower() in SUFFIXES]
    groups = group_files(pictures)
    learnt = {file.name for group in groups for file in group.files}
    why = (
        "its name or its folder's says that it is a preview, or a map that is not learnt, such as occlusion or emission"
    )
    records += [
        FileRecord(container.full_name(name), reason=why, category=NOT_LEARNT)
        for name in pictures
        if name not in learnt
    ]
    return groups


def read_container(container: Container, groups: list[FileGroup], root: str, longest: int) -> Iterator[GroupResult]:
    """Results of a container's groups, one after the other; root is the name of what the user gave."""
    if groups:
        with opened(container) as open_file:
            for group in groups:
                yield read_group(container, group, root, open_file, longest)
