"""Groups of files that make one material set.

A folder holds one set or many sets with different name stems, or each map lies in a folder of its own.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import PurePosixPath

from .names import MAP_WORDS, WEAK_WORDS, MapWord, NameReading, Words, interpret_name, map_of_folder

# Files of these kinds can be a set's colour map; None is a file whose name names no map.
COLOUR_KINDS = ("albedo", "albedo and height", None)
# Kind of a file whose name starts with a set's name but then names no known map.
UNKNOWN = "unknown"
# Kinds of maps that make a set.
LEARNT_KINDS = MAP_WORDS.keys() - {"ignored"}
LETTERS = frozenset(word for words in WEAK_WORDS.values() for word in words if len(word) == 1)
# Letters that makers also use for maps, with more than one meaning.
OTHER_LETTERS = frozenset("abct")

ReadingsByName = Mapping[str, tuple[NameReading, ...]]


@dataclass(frozen=True)
class MapFile:
    """An image file and how its name is understood.

    Attributes:
        name: Name within the container.
        reading: Reading of the name.
    """

    name: str
    reading: NameReading


@dataclass(frozen=True)
class FileGroup:
    """Files of one set.

    Attributes:
        folder: Folder within the container, "" for its top.
        title: Common part of the file names as written; "" where the folder holds this set alone.
        files: Files sorted by name, without those of ignored maps.
    """

    folder: str
    title: str
    files: tuple[MapFile, ...]

    @property
    def name(self) -> str:
        """Folder and title."""
        return "/".join(part for part in (self.folder, self.title) if part)


def group_files(names: Iterable[str]) -> list[FileGroup]:
    """Group image files into sets, sorted by folder and stem."""
    folders: dict[str, list[str]] = defaultdict(list)
    for name in sorted(names):
        folders[parent_of(name)].append(name)
    files: dict[str, list[MapFile]] = defaultdict(list)
    for parent, maps in find_map_folders(folders).items():
        files[parent] = read_map_folders({folder: (word, folders[folder]) for folder, word in maps.items()})
        for folder in maps if files[parent] else ():
            del folders[folder]
    for folder, found in folders.items():
        files[folder] += read_folder_names(folder, found)
    return [group for folder in sorted(files) for group in group_folder(folder, files[folder])]


def parent_of(path: str) -> str:
    """Return the folder that a file or folder lies in, "" for the top."""
    folder = PurePosixPath(path).parent.as_posix()
    return "" if folder == "." else folder


def find_map_folders(folders: Iterable[str]) -> dict[str, dict[str, MapWord]]:
    """Find the folders that are named for maps, by the folder that they lie in."""
    found: dict[str, dict[str, MapWord]] = defaultdict(dict)
    for folder in folders:
        word = map_of_folder(PurePosixPath(folder).name) if folder else None
        if word:
            found[parent_of(folder)][folder] = word
    return found


def read_map_folders(maps: Mapping[str, tuple[MapWord, list[str]]]) -> list[MapFile]:
    """Read the names in folders that hold one map each: albedo/brick.png, normal/brick.png.

    This holds if colours and other maps have a name in common, or if each folder has one image.

    Args:
        maps: By folder, its map and its files.

    Returns:
        The files, or none if the folders don't hold one map each.
    """
    files = [read_by_folder(name, word) for word, names in maps.values() for name in names]
    colours, others = (
        {file.reading.stem for file in files if (file.reading.kind in COLOUR_KINDS) == is_colour}
        for is_colour in (True, False)
    )
    if not colours.isdisjoint(others):
        return files
    if colours and others and len(files) == len(maps):
        return [replace(file, reading=replace(file.reading, stem=(), title="")) for file in files]
    return []


def read_by_folder(name: str, word: MapWord) -> MapFile:
    """Read the name of an image in a folder of one map; the image's own name may repeat the map."""
    options = interpret_name(PurePosixPath(name).stem)
    own = next((reading for reading in options if reading.kind == word.kind and not reading.weak), options[-1])
    reason = f"its folder is named {PurePosixPath(name).parent.name}"
    convention = own.convention or word.convention
    return MapFile(name, replace(own, kind=word.kind, convention=convention, weak=False, reason=reason))


def read_folder_names(folder: str, names: list[str]) -> list[MapFile]:
    """Read the file names of one folder.

    In a folder named for a map without colours, a name without a map's word means that map. It is a colour map only if
    it starts with the stem of another map.
    """
    files = read_names(names)
    word = map_of_folder(PurePosixPath(folder).name) if folder else None
    if word is None or word.weak or word.kind in COLOUR_KINDS:
        return files
    stems = {file.reading.stem for file in files if file.reading.kind in LEARNT_KINDS - {word.kind}}

    def belongs(stem: Words) -> bool:
        return any(stem[:length] in stems for length in range(len(stem) + 1))

    return [
        read_by_folder(file.name, word) if file.reading.kind is None and not belongs(file.reading.stem) else file
        for file in files
    ]


def group_folder(folder: str, files: Iterable[MapFile]) -> list[FileGroup]:
    """Group the files of one folder into sets."""
    by_stem: dict[Words, list[MapFile]] = defaultdict(list)
    for file in files:
        by_stem[file.reading.stem].append(file)
    adopt_colours(by_stem)
    adopt_unknown(by_stem)
    out = []
    for stem in sorted(by_stem):
        learnt = tuple(file for file in by_stem[stem] if file.reading.kind != "ignored")
        if learnt:
            out.append(
                FileGroup(folder, next(f.reading.title for f in by_stem[stem] if f.reading.stem == stem), learnt)
            )
    return out


def read_names(names: list[str]) -> list[MapFile]:
    """Read the file names of one folder, preferring readings for which another map of the same stem exists.

    Without such a reading, a file's first reading that isn't weak counts.
    """
    options = drop_stray_letters({name: interpret_name(PurePosixPath(name).stem) for name in names})
    kinds_of: dict[Words, Counter[str | None]] = defaultdict(Counter)
    for found in options.values():
        for reading in found:
            kinds_of[reading.stem][reading.kind] += 1

    def choose_reading(found: tuple[NameReading, ...]) -> NameReading:
        for reading in found:
            others = kinds_of[reading.stem] - Counter(own.kind for own in found if own.stem == reading.stem)
            if set(others) - {reading.kind}:
                return reading
        return next(reading for reading in found if not reading.weak)

    return [MapFile(name, choose_reading(found)) for name, found in options.items()]


def drop_stray_letters(options: ReadingsByName) -> ReadingsByName:
    """Drop readings by a single letter at a name's end where the letters don't name maps.

    Letters name maps beside a normal map (wall_d, wall_n) or a map's word (wall_d, wall_normal), or where all names end
    with a map's letter, colours among them (wall_d, wall_s). They don't in series (tile_a, tile_b ...) or for sides
    (door_r).
    """
    letters: dict[Words, set[str]] = defaultdict(set)
    worded: set[Words] = set()
    for found in options.values():
        *start, last = found[-1].stem
        if len(last) == 1:
            letters[tuple(start)].add(last)
        worded |= {reading.stem for reading in found[:-1] if not (reading.weak and len(last) == 1)}

    def names_maps(stem: Words) -> bool:
        ends = letters[stem]
        if {"a", "b"} <= ends or {"b", "c"} <= ends or not ends <= LETTERS | OTHER_LETTERS:
            return False
        return "n" in ends or stem in worded or ("d" in ends and len(ends) > 1 and ends <= LETTERS)

    return {
        name: tuple(
            reading
            for reading in found
            if not (reading.weak and len(found[-1].stem[-1]) == 1) or names_maps(reading.stem)
        )
        for name, found in options.items()
    }


def adopt_colours(by_stem: dict[Words, list[MapFile]]) -> None:
    """Give each set without a colour map the one image whose name starts with the set's stem and names no map.

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


def adopt_unknown(by_stem: dict[Words, list[MapFile]]) -> None:
    """Give sets, as files of an unknown kind, the images whose names start with the set's stem and name no map.

    Examples are wall_edge2.png beside wall_normal.png and, where maps stand in front, edge2_wall.png beside
    normal_wall.png. A number alone makes another material (wall_2.png).
    """
    known = {stem: files for stem, files in by_stem.items() if any(f.reading.kind in LEARNT_KINDS for f in files)}
    for stem in [stem for stem, files in by_stem.items() if {file.reading.kind for file in files} == {None}]:
        lengths = range(len(stem) - 1, -1, -1)
        homes = [stem[:k] for k in lengths if stem[:k] in known and not all(word.isdigit() for word in stem[k:])]
        homes += [end for k in lengths if k and (end := stem[-k:]) in known and ends_with_stem(end, known[end])]
        if homes:
            unknown = [replace(file, reading=replace(file.reading, kind=UNKNOWN)) for file in by_stem.pop(stem)]
            by_stem[homes[0]] += unknown


def ends_with_stem(stem: Words, files: Iterable[MapFile]) -> bool:
    """Return whether the name of one of a set's maps ends with its stem."""
    named = [file for file in files if file.reading.kind in LEARNT_KINDS]
    return any(interpret_name(PurePosixPath(file.name).stem)[-1].stem[-len(stem) :] == stem for file in named)
