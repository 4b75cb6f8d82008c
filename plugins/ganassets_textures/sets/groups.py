"""Which files belong together: one set in a folder of its own, or many in one folder, told apart by their stems."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import PurePosixPath

from .names import Reading, Words, readings

# Files of these kinds can be a set's colour map; None is a file whose name names no map.
COLOUR_KINDS = ("albedo", "albedo and height", None)


@dataclass(frozen=True)
class File:
    """A picture: its name within the container, and how the name is understood."""

    name: str
    reading: Reading


@dataclass(frozen=True)
class Group:
    """Files of one set.

    Attributes:
        folder: within the container, "" at its top.
        title: what the files' names share, as they write it; "" if the folder holds nothing but this set.
        files: sorted by name, those of ignored maps left out.
    """

    folder: str
    title: str
    files: tuple[File, ...]

    @property
    def name(self) -> str:
        """Folder and title."""
        return "/".join(part for part in (self.folder, self.title) if part)


def grouped(names: Iterable[str]) -> list[Group]:
    """The sets that pictures of these names make, sorted by folder and stem."""
    folders: dict[str, list[str]] = defaultdict(list)
    for name in sorted(names):
        folder = PurePosixPath(name).parent.as_posix()
        folders["" if folder == "." else folder].append(name)
    return [group for folder in sorted(folders) for group in folder_groups(folder, folders[folder])]


def folder_groups(folder: str, names: list[str]) -> list[Group]:
    """The sets of one folder."""
    by_stem: dict[Words, list[File]] = defaultdict(list)
    for file in understood(names):
        by_stem[file.reading.stem].append(file)
    adopt_colours(by_stem)
    out = []
    for stem in sorted(by_stem):
        files = tuple(file for file in by_stem[stem] if file.reading.kind != "ignored")
        if files:
            out.append(Group(folder, next(f.reading.title for f in by_stem[stem] if f.reading.stem == stem), files))
    return out


def understood(names: list[str]) -> list[File]:
    """Files of one folder, each with the first of its readings that gives it company: another map of the same stem.

    Alone, a file's first reading that isn't weak counts.
    """
    options = {name: readings(PurePosixPath(name).stem) for name in names}
    kinds_of: dict[Words, Counter[str | None]] = defaultdict(Counter)
    for found in options.values():
        for reading in found:
            kinds_of[reading.stem][reading.kind] += 1

    def chosen(found: tuple[Reading, ...]) -> Reading:
        for reading in found:
            others = kinds_of[reading.stem] - Counter(own.kind for own in found if own.stem == reading.stem)
            if set(others) - {reading.kind}:
                return reading
        return next(reading for reading in found if not reading.weak)

    return [File(name, chosen(found)) for name, found in options.items()]


def adopt_colours(by_stem: dict[Words, list[File]]) -> None:
    """Give sets without a colour map the one picture whose name names no map and goes on where their stem ends.

    So metal-new-tileable.png is the colour map of metal-new-nm.png.
    """
    nameless: dict[Words, list[Words]] = {}
    kinds_of = {stem: {file.reading.kind for file in files} for stem, files in by_stem.items()}
    for stem, kinds in kinds_of.items():
        if kinds.isdisjoint(COLOUR_KINDS) and kinds != {"ignored"}:
            nameless[stem] = []
    for stem in (stem for stem, kinds in kinds_of.items() if kinds == {None}):
        for start in (stem[:length] for length in range(len(stem))):
            if start in nameless:
                nameless[start].append(stem)
    for stem in sorted(nameless, key=lambda stem: (-len(stem), stem)):
        found = [other for other in nameless[stem] if other in by_stem]
        if len(found) == 1:
            by_stem[stem] += by_stem.pop(found[0])
