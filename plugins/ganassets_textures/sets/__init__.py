"""Material sets that others made, read for training: folders and zips as the libraries of materials hand them out."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from ganassets.data.images import SUFFIXES, UNREAD_SUFFIXES
from ganassets.data.sources import Container, Problem, list_containers, opened
from ganassets.errors import InputError

from .groups import Group, grouped
from .reading import MaterialSet, Result, read_group

__all__ = ["MaterialSet", "Report", "read_sets"]

# Folders of pictures that are no maps: of the finished material.
SKIPPED_FOLDERS = frozenset({"preview", "previews", "thumb", "thumbs", "thumbnails", "render", "renders"})
EXAMPLE = "a set is a colour map and what belongs to it: wall_color.png, wall_normal.png, wall_roughness.png"


@dataclass(frozen=True)
class Report:
    """What was found.

    Attributes:
        found: a line for each set that is used: name, maps, size, class of material, whether it tiles.
        problems: (file or set, why it isn't used).
    """

    found: tuple[str, ...]
    problems: tuple[Problem, ...]


def no_report(done: int, total: int) -> None:
    """Progress that nobody watches."""


def read_sets(
    path: Path, longest: int = 512, report: Callable[[int, int], None] = no_report
) -> tuple[list[MaterialSet], Report]:
    """Read all material sets in a folder or a zip, at any depth, and in zips in the folder; sorted by place and name.

    Sets are read one after the other, so memory holds the reduced sets and the pictures of one.

    Args:
        path: of the folder or the zip.
        longest: most texels of a set's longer side; larger ones are reduced.
        report: called with (done, total) sets.

    Raises:
        InputError: path is neither a readable folder nor a zip, or holds no usable set.
    """
    containers, problems = list_containers(path, "a folder or a zip of material sets", SKIPPED_FOLDERS)
    groups = [(container, groups_of(container, problems)) for container in containers]
    root = path.resolve().name.removesuffix(".zip")
    total = sum(len(found) for _, found in groups)
    sets: list[MaterialSet] = []
    lines: list[str] = []
    done = 0
    for container, found in groups:
        for result in read_container(container, found, root, longest):
            problems += result.problems
            if result.made is not None:
                sets.append(result.made)
                lines.append(result.line)
            done += 1
            report(done, total)
    if not sets:
        why = f" ({problems[0][0]}: {problems[0][1]})" if problems else ""
        raise InputError(f"{path} holds no usable material set{why}; {EXAMPLE}.")
    return sets, Report(tuple(lines), tuple(problems))


def groups_of(container: Container, problems: list[Problem]) -> list[Group]:
    """Groups of the container's pictures; those in formats that can't be read become problems."""
    pictures = []
    for name in container.names:
        suffix = PurePosixPath(name).suffix.lower()
        if suffix in SUFFIXES:
            pictures.append(name)
        elif suffix in UNREAD_SUFFIXES:
            problems.append((container.full_name(name), f"{suffix} isn't read; convert it to PNG"))
    return grouped(pictures)


def read_container(container: Container, groups: list[Group], root: str, longest: int) -> Iterator[Result]:
    """Results of a container's groups, one after the other; root is the name of what the user gave."""
    if groups:
        with opened(container) as open_file:
            for group in groups:
                yield read_group(container, group, root, open_file, longest)
