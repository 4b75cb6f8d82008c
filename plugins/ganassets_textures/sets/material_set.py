"""From the files of one set to its maps."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import PurePosixPath

import numpy as np
from numpy.typing import NDArray

from ganassets.api.data.records import TOO_SMALL, FileRecord, LeftOutError, left_out
from ganassets.api.data.sources import Container, Opener
from ganassets.api.errors import InputError

from .groups import COLOUR_KINDS, UNKNOWN, FileGroup, MapFile
from .heights import HIGHEST, integrate, is_directx_slopes, is_same_surface, scale_height, slopes_of_normals, tiles
from .map_images import FloatArray, MapImage, Size, block_means, read_image_size, read_map_image
from .names import guess_material

SMALLEST = 64  # texels of the shorter side
# Maps are read finer than wanted, up to this many texels a side: the mean of slopes isn't the slope of mean normals.
WORKING = 2048

# The maps that a kind of picture holds: map, channel, whether it is turned around (a glossy surface isn't rough).
# The order is that of preference. A roughness map in colours is glTF's packed one, which has roughness in green.
CONTENTS: dict[str | None, tuple[tuple[str, str, bool], ...]] = {
    "albedo": (("albedo", "RGB", False),),
    "albedo and height": (("albedo", "RGB", False), ("height", "A", False)),
    None: (("albedo", "RGB", False),),
    "normal": (("normal", "RGB", False),),
    "normal and roughness": (("normal", "RGB", False), ("roughness", "A", False)),
    "height": (("height", "L", False),),
    "roughness": (("roughness", "G", False),),
    "metallic": (("metallic", "L", False),),
    "orm": (("roughness", "G", False), ("metallic", "B", False)),
    "rma": (("roughness", "R", False), ("metallic", "G", False)),
    "mra": (("metallic", "R", False), ("roughness", "G", False)),
    "mer": (("metallic", "R", False), ("roughness", "B", False)),
    "mask": (("metallic", "R", False), ("roughness", "A", True)),
    "gloss": (("roughness", "L", True),),
    "specular": (("roughness", "L", True),),
    UNKNOWN: (),
}
PREFERENCE = {kind: rank for rank, kind in enumerate(CONTENTS)}
# Kinds whose pictures may turn out to be of no use, and why.
IGNORED = {"specular": "in colours", "mask": "no smoothness in its alpha"}
# Words for what a map's file became, where the map's name alone doesn't say it.
USES = {"normal": "normal map", "height": "height map"}
NO_COLOUR = "map of a set without a colour map"
UNKNOWN_MAP = "map of an unknown name"
NORMALS = "normal map without a name that says so"
NOT_NEEDED = "map that its set has already"
NOT_LEARNT = "map that is not learnt"
CONVENTION_PREFERENCE = ("GL", None, "DX")


@dataclass(frozen=True, eq=False)
class MaterialSet:
    """Maps of one material, all of one size.

    Attributes:
        name: folder and stem of its files.
        material: one of materials.CLASSES, or None if its name and folders don't say.
        albedo: (h, w, 3) uint8 sRGB.
        height: (h, w) float32 texels, zero mean but for clipping to -16..16, or None.
        roughness: (h, w) uint8, 255 is rough, or None.
        metallic: (h, w) uint8, 255 is metal; 0 where the class of material says so; None if unknown.
        tiles: whether albedo and height repeat without a seam in both directions.
    """

    name: str
    material: str | None
    albedo: NDArray[np.uint8]
    height: NDArray[np.float32] | None
    roughness: NDArray[np.uint8] | None
    metallic: NDArray[np.uint8] | None
    tiles: bool


@dataclass(frozen=True)
class GroupResult:
    """What became of a group: a set and a line about it, or None and ""; and records of its files."""

    made: MaterialSet | None
    line: str
    records: tuple[FileRecord, ...]


@dataclass
class LoadedMaps:
    """What was read of a set so far.

    Attributes:
        size: (h, w) texels of the finished set.
        factor: how many times finer pictures are read.
        planes: by map, float32: "albedo" (3, h, w) in [0, 1], "normal" (2, h, w) slopes as if it were OpenGL, others
            (h, w) in [0, 1].
        notes: by map, how it came about where that isn't plain; and pictures that were ignored.
        convention: of the normal map, "GL" or "DX", if its name says.
        remarks: by file, what the user should know of how it was read.
    """

    size: Size
    factor: int
    planes: dict[str, FloatArray] = field(default_factory=dict)
    notes: dict[str, str] = field(default_factory=dict)
    convention: str | None = None
    remarks: dict[str, str] = field(default_factory=dict)


def read_group(container: Container, group: FileGroup, root: str, open_file: Opener, longest: int) -> GroupResult:
    """One set.

    Args:
        container: holds the group.
        group: the set's files.
        root: name of what the user gave; may tell the material as well.
        open_file: opens a file of the container by its name.
        longest: most texels of the longer side.
    """
    maps: LoadedMaps | None = None
    records: list[FileRecord] = []
    used: list[tuple[MapFile, str]] = []
    for file in sort_by_preference(group.files, open_file):
        try:
            before = frozenset(maps.planes) if maps else frozenset()
            maps = read_file_of_set(file, open_file, longest, maps)
            used.append((file, " and ".join(USES.get(name, name) for name in maps.planes if name not in before)))
        except InputError as error:
            records.append(left_out(container.full_name(file.name), error))
    place = container.label.removesuffix(".zip")
    name = "/".join(part for part in (place, group.name) if part) or root
    if maps is None:
        return GroupResult(None, "", tuple(records))
    folders = [root, *place.split("/"), *group.folder.split("/")]
    made, line = build_set(name, guess_material([group.title, *reversed(folders)]), maps)
    facts = {"set": name, "size": f"{maps.size[1]} x {maps.size[0]}", "material": made.material or "unknown"}
    records += [
        FileRecord(
            container.full_name(file.name),
            use,
            facts=facts | {"map": file.reading.kind or "albedo"},
            reason="; ".join([file.reading.reason, *filter(None, [maps.remarks.get(file.name)])]),
        )
        for file, use in used
    ]
    return GroupResult(made, line, tuple(records))


def read_file_of_set(file: MapFile, open_file: Opener, longest: int, maps: LoadedMaps | None) -> LoadedMaps:
    """The maps of a set with those that one more of its files holds.

    Args:
        file: of the set; colour maps come first.
        open_file: opens it by its name.
        longest: most texels of the longer side.
        maps: found so far, None before the colour map.

    Raises:
        InputError: the file is not used; says why.
    """
    if file.reading.kind in COLOUR_KINDS:
        if maps:
            raise LeftOutError("the set has a colour map already", NOT_NEEDED)
        return read_colour(file, open_file, longest)
    if file.reading.kind == UNKNOWN:
        raise LeftOutError("its name goes on where a set's ends, but names no map that is known", UNKNOWN_MAP)
    if maps is None:
        raise LeftOutError("no colour map belongs to it", NO_COLOUR)
    if not is_needed(file.reading.kind, maps):
        raise LeftOutError("the set has what it holds already", NOT_NEEDED)
    add_file(file, open_file, maps)
    return maps


def sort_by_preference(files: Sequence[MapFile], open_file: Opener) -> Iterator[MapFile]:
    """Files of a set, colour maps first, better sources of a map before worse, larger before smaller pictures."""

    def rank(file: MapFile) -> tuple[int, int]:
        reading = file.reading
        return PREFERENCE[reading.kind], CONVENTION_PREFERENCE.index(reading.convention)

    def pixels(file: MapFile) -> int:
        try:
            h, w = read_size(file, open_file)
        except InputError:  # reported when it is read
            return 0
        return h * w

    for _, equals in groupby(sorted(files, key=rank), key=rank):
        found = list(equals)
        yield from sorted(found, key=pixels, reverse=True) if len(found) > 1 else found


def suffix_of(file: MapFile) -> str:
    """Lower-case suffix of a file's name."""
    return PurePosixPath(file.name).suffix.lower()


def read_size(file: MapFile, open_file: Opener) -> Size:
    """(h, w) of a picture."""
    with open_file(file.name) as stream:
        return read_image_size(stream, suffix_of(file))


def read_image(file: MapFile, open_file: Opener, maps: LoadedMaps) -> MapImage:
    """A picture of a set at the size at which its pictures are read."""
    with open_file(file.name) as stream:
        picture = read_map_image(stream, suffix_of(file), fine_size(maps), file.reading.kind in COLOUR_KINDS)
    maps.remarks[file.name] = picture.note
    return picture


def read_colour(file: MapFile, open_file: Opener, longest: int) -> LoadedMaps:
    """The colour map, which decides on the set's size.

    Raises:
        InputError: it is damaged, too small, or a normal map.
    """
    h, w = read_size(file, open_file)
    shrink = max(1.0, max(h, w) / longest)
    size = round(h / shrink), round(w / shrink)
    if min(size) < SMALLEST:
        reduced = f", {size[1]} x {size[0]} when reduced" if shrink > 1 else ""
        raise LeftOutError(f"only {w} x {h} pixels{reduced}; {SMALLEST} a side are needed", TOO_SMALL)
    maps = LoadedMaps(size, max(1, min(round(shrink), WORKING // max(size))))
    picture = read_image(file, open_file, maps)
    if picture.looks_like_normals():
        raise LeftOutError("a normal map by its looks, and no colours as its name lets expect", NORMALS)
    add_planes(file.reading.kind, picture, maps)
    return maps


def fine_size(maps: LoadedMaps) -> Size:
    """(h, w) at which pictures are read."""
    return maps.size[0] * maps.factor, maps.size[1] * maps.factor


def is_needed(kind: str | None, maps: LoadedMaps) -> bool:
    """Whether a picture of that kind may hold a map that is still missing; "bump" may mean heights or normals."""
    offered = {name for name, _, _ in CONTENTS[kind]} | ({"normal"} if kind == "height" else set())
    return not offered <= maps.planes.keys()


def add_file(file: MapFile, open_file: Opener, maps: LoadedMaps) -> None:
    """Read a picture and add the maps that it holds and that are missing.

    Raises:
        InputError: it is damaged, of no use, or not what its name says.
    """
    picture = read_image(file, open_file, maps)
    kind = check_kind(file.reading.kind, picture)
    if kind is None:
        why = IGNORED[str(file.reading.kind)]
        maps.notes[f"{file.reading.kind} ignored"] = why
        raise LeftOutError(f"{file.reading.kind} is ignored: {why}", NOT_LEARNT)
    if kind.startswith("normal") and "normal" not in maps.planes:
        maps.convention = file.reading.convention
    add_planes(kind, picture, maps)


def check_kind(kind: str | None, picture: MapImage) -> str | None:
    """What a picture is, by its name and by its looks; None if it is nothing that can be used.

    Raises:
        InputError: the looks contradict the name.
    """
    if kind in ("normal", "height"):
        if picture.looks_like_normals():
            return "normal"
        if picture.is_grey:
            return "height"
        raise InputError("neither a normal map nor grey heights by its looks")
    if kind == "normal and roughness" and not picture.looks_like_normals():
        raise InputError("not a normal map by its looks")
    if kind == "orm" and picture.is_grey:
        return "roughness"
    if (kind == "specular" and not picture.is_grey) or (kind == "mask" and picture.alpha is None):
        return None
    return kind


def add_planes(kind: str | None, picture: MapImage, maps: LoadedMaps) -> None:
    """Add those maps of a picture that are missing, reduced to the set's size."""
    for name, channel, inverted in CONTENTS[kind]:
        if name in maps.planes:
            continue
        if name == "normal":
            maps.planes[name] = block_means(slopes_of_normals(picture.colour), maps.factor)
        elif name == "albedo":
            plane = np.broadcast_to(picture.colour, (3, *picture.colour.shape[1:]))
            maps.planes[name] = block_means(plane, maps.factor)
        elif (plane := picture.channel(channel)) is not None:
            maps.planes[name] = block_means(1 - plane if inverted else plane, maps.factor)
        else:
            continue
        if kind not in (None, name):
            maps.notes[name] = f"from {kind}"


def build_set(name: str, material: str | None, maps: LoadedMaps) -> tuple[MaterialSet, str]:
    """The set that the maps make, and a line that tells what it is made of."""
    planes, notes = maps.planes, maps.notes
    albedo = np.ascontiguousarray(to_bytes(planes["albedo"]).transpose(1, 2, 0))
    repeats = tiles(albedo)
    height, slopes = planes.get("height"), planes.get("normal")
    if slopes is not None and is_directx(maps):
        slopes = slopes * np.array([1, -1], np.float32)[:, None, None]
        notes["normal"] = "DirectX"
    if slopes is not None and (height is None or not is_same_surface(height, slopes)):
        height = integrate(slopes, repeats)  # tiles by construction where the albedo does
        notes["height"] = "from normal"
    elif height is not None:
        height = scale_height(height, slopes)
        repeats = repeats and tiles(height)
    if height is not None:
        height = np.clip(height, -HIGHEST, HIGHEST)
    metallic = to_bytes(planes["metallic"]) if "metallic" in planes else None
    if metallic is None and material and "metal" not in material:
        metallic = np.zeros(maps.size, np.uint8)
    roughness = to_bytes(planes["roughness"]) if "roughness" in planes else None
    made = MaterialSet(name, material, albedo, height, roughness, metallic, repeats)
    return made, describe_set(made, maps)


def is_directx(maps: LoadedMaps) -> bool:
    """Whether the normal map's green points down, by its name or by what the maps say."""
    if maps.convention:
        return maps.convention == "DX"
    return is_directx_slopes(maps.planes["normal"], maps.planes.get("height"))


def to_bytes(plane: FloatArray) -> NDArray[np.uint8]:
    """uint8 of [0, 1]."""
    return np.rint(np.clip(plane, 0, 1) * 255).astype(np.uint8)


def describe_set(made: MaterialSet, maps: LoadedMaps) -> str:
    """A line about a set: its name, maps, size, class, and whether it tiles."""
    names = list(dict.fromkeys([*maps.planes, *maps.notes]))
    parts = [f"{name} ({maps.notes[name]})" if name in maps.notes else name for name in names]
    h, w = maps.size
    tiling = "tiles" if made.tiles else "doesn't tile"
    return f"{made.name}: {', '.join(parts)}; {w} x {h}; {made.material or 'unknown material'}; {tiling}"
