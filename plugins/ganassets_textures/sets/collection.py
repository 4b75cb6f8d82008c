"""Read all material sets in a folder or a zip."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from ganassets.api.data.images import SUFFIXES
from ganassets.api.data.records import FileRecord, explain_left_out
from ganassets.api.data.sources import Container, list_containers, open_container, unread_records
from ganassets.api.errors import InputError

from .groups import FileGroup, group_files
from .material_set import NOT_LEARNT, GroupResult, MaterialSet, read_group

# Folders of pictures that show the finished material and are not maps.
SKIPPED_FOLDERS = frozenset({"preview", "previews", "thumb", "thumbs", "thumbnails", "render", "renders"})
EXAMPLE = "a set is a colour map and what belongs to it: wall_color.png, wall_normal.png, wall_roughness.png"


@dataclass(frozen=True)
class SetReport:
    """Report on the sets and files that were found.

    Attributes:
        found: A line for each set that is used: name, maps, size, class of material, whether it tiles.
        records: Records of all files.
    """

    found: tuple[str, ...]
    records: tuple[FileRecord, ...]


def no_report(done: int, total: int) -> None:
    """Ignore progress."""


def read_sets(
    path: Path, longest: int | Callable[[int], int] = 512, report: Callable[[int, int], None] = no_report
) -> tuple[list[MaterialSet], SetReport]:
    """Read all material sets in a folder or a zip, at any depth, and in zips in the folder; sorted by place and name.

    Sets are read one after the other, so memory holds the reduced sets and the images of one set.

    Args:
        path: Folder or zip.
        longest: Most texels of a set's longer side, or a function that returns it for a number of sets; larger sets are
            reduced.
        report: Called with (done, total) sets.

    Raises:
        InputError: The path is neither a readable folder nor a zip, or holds no usable set.
    """
    containers, records = list_containers(path, "a folder or a zip of material sets", SKIPPED_FOLDERS)
    groups = [(container, find_groups(container, records)) for container in containers]
    root = path.resolve().name.removesuffix(".zip")
    total = sum(len(found) for _, found in groups)
    texels = longest if isinstance(longest, int) else longest(total)
    sets: list[MaterialSet] = []
    lines: list[str] = []
    done = 0
    for container, found in groups:
        for result in read_container(container, found, root, texels):
            records += result.records
            if result.material_set is not None:
                sets.append(result.material_set)
                lines.append(result.line)
            done += 1
            report(done, total)
    records += unread_records(containers, {record.file for record in records})
    if not sets:
        why = explain_left_out(records)
        raise InputError(f"{path} holds no usable material set{why and f' ({why})'}; {EXAMPLE}.")
    return sets, SetReport(tuple(lines), tuple(records))


def find_groups(container: Container, records: list[FileRecord]) -> list[FileGroup]:
    """Group the images of a container into sets.

    Args:
        container: Folder or zip.
        records: Records; images that no set uses are added.
    """
    pictures = [name for name in container.names if PurePosixPath(name).suffix.lower() in SUFFIXES]
    groups = group_files(pictures)
    learnt = {file.name for group in groups for file in group.files}
    why = "it is named as a preview, or lies in a folder so named, or is a map that is not learnt, such as occlusion"
    records += [
        FileRecord(container.full_name(name), reason=why, category=NOT_LEARNT)
        for name in pictures
        if name not in learnt
    ]
    return groups


def read_container(container: Container, groups: list[FileGroup], root: str, longest: int) -> Iterator[GroupResult]:
    """Read the sets of a container's groups, one after the other.

    Args:
        container: Folder or zip.
        groups: Its groups of files.
        root: Name of the folder or zip that the user gave.
        longest: Most texels of a set's longer side.
    """
    if groups:
        with open_container(container) as open_file:
            for group in groups:
                yield read_group(container, group, root, open_file, longest)
