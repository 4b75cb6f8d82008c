"""A material set, and reading it from the files of one group."""

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
from .heights import MAX_HEIGHT, integrate, is_directx_slopes, is_same_surface, scale_height, slopes_of_normals, tiles
from .map_images import FloatArray, MapImage, Size, block_means, read_image_size, read_map_image
from .names import guess_material

MIN_TEXELS = 64  # texels of the shorter side
# Images are read at up to this many texels a side and then reduced: the mean of slopes isn't the slope of mean normals.
MAX_READ_TEXELS = 2048

# Maps in a kind of image: map, channel, whether it is inverted (gloss is the inverse of roughness). The order of kinds
# is the order of preference. A roughness map in colours is glTF's packed one, which has roughness in green.
MAPS_OF_KIND: dict[str | None, tuple[tuple[str, str, bool], ...]] = {
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
PREFERENCE = {kind: rank for rank, kind in enumerate(MAPS_OF_KIND)}
# Kinds whose images may be unusable, and why.
IGNORED = {"specular": "in colours", "mask": "no smoothness in its alpha"}
# Titles of maps in records, where they differ from the map's key.
MAP_TITLES = {"normal": "normal map", "height": "height map"}
NO_COLOUR = "map of a set without a colour map"
UNKNOWN_MAP = "map with an unknown name"
NORMALS = "normal map named as a colour map"
NOT_NEEDED = "map that its set already has"
NOT_LEARNT = "map that is not learnt"
CONVENTION_PREFERENCE = ("GL", None, "DX")


@dataclass(frozen=True, eq=False)
class MaterialSet:
    """Maps of one material, all of one size.

    Attributes:
        name: Folder and stem of its files.
        material: One of materials.CLASSES, or None where names of files and folders have no word for a material.
        albedo: (h, w, 3) uint8 sRGB.
        height: (h, w) float32 texels, zero mean before clipping to [-16, 16], or None.
        roughness: (h, w) uint8, 255 is rough, or None.
        metallic: (h, w) uint8, 255 is metal; 0 where the class of material is no metal; None if unknown.
        tiles: Whether albedo and height repeat without a seam in both directions.
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
    """Result of reading a group of files.

    Attributes:
        material_set: The set, or None where the group has no usable colour map.
        line: Description of the set for the user, or "".
        records: Records of the group's files.
    """

    material_set: MaterialSet | None
    line: str
    records: tuple[FileRecord, ...]


@dataclass
class LoadedMaps:
    """Maps of a set that were read so far.

    Attributes:
        size: (h, w) texels of the finished set.
        factor: Factor by which images are read at a finer size.
        planes: By map, float32: "albedo" (3, h, w) in [0, 1], "normal" (2, h, w) slopes read as OpenGL, others (h, w)
            in [0, 1].
        notes: By map, how it was derived where it is not read directly; also images that were ignored.
        convention: "GL" or "DX" of the normal map, if its name has one.
        remarks: By file, a note for the user about how it was read.
    """

    size: Size
    factor: int
    planes: dict[str, FloatArray] = field(default_factory=dict)
    notes: dict[str, str] = field(default_factory=dict)
    convention: str | None = None
    remarks: dict[str, str] = field(default_factory=dict)


def read_group(container: Container, group: FileGroup, root: str, open_file: Opener, longest: int) -> GroupResult:
    """Read one set.

    Args:
        container: Folder or zip of the group.
        group: The set's files.
        root: Name of the folder or zip that the user gave; it may name the material as well.
        open_file: Opens a file of the container by its name.
        longest: Most texels of the longer side.
    """
    maps: LoadedMaps | None = None
    records: list[FileRecord] = []
    used: list[tuple[MapFile, str]] = []
    for file in sort_by_preference(group.files, open_file):
        try:
            before = frozenset(maps.planes) if maps else frozenset()
            maps = read_file_of_set(file, open_file, longest, maps)
            used.append((file, " and ".join(MAP_TITLES.get(name, name) for name in maps.planes if name not in before)))
        except InputError as error:
            records.append(left_out(container.full_name(file.name), error))
    place = container.label.removesuffix(".zip")
    name = "/".join(part for part in (place, group.name) if part) or root
    if maps is None:
        return GroupResult(None, "", tuple(records))
    folders = [root, *place.split("/"), *group.folder.split("/")]
    material_set, line = build_set(name, guess_material([group.title, *reversed(folders)]), maps)
    facts = {"set": name, "size": f"{maps.size[1]} x {maps.size[0]}", "material": material_set.material or "unknown"}
    records += [
        FileRecord(
            container.full_name(file.name),
            use,
            facts=facts | {"map": file.reading.kind or "albedo"},
            reason="; ".join([file.reading.reason, *filter(None, [maps.remarks.get(file.name)])]),
        )
        for file, use in used
    ]
    return GroupResult(material_set, line, tuple(records))


def read_file_of_set(file: MapFile, open_file: Opener, longest: int, maps: LoadedMaps | None) -> LoadedMaps:
    """Read one more file of a set.

    Args:
        file: File of the set; colour maps come first.
        open_file: Opens it by its name.
        longest: Most texels of the longer side.
        maps: Maps read so far, None before the colour map.

    Returns:
        The maps, with those that the file holds.

    Raises:
        InputError: The file is not used; the message is the reason.
    """
    if file.reading.kind in COLOUR_KINDS:
        if maps:
            raise LeftOutError("the set already has a colour map", NOT_NEEDED)
        return read_colour(file, open_file, longest)
    if file.reading.kind == UNKNOWN:
        raise LeftOutError("its name starts with a set's name but then names no known map", UNKNOWN_MAP)
    if maps is None:
        raise LeftOutError("no colour map belongs to it", NO_COLOUR)
    if not is_needed(file.reading.kind, maps):
        raise LeftOutError("the set already has its maps", NOT_NEEDED)
    add_file(file, open_file, maps)
    return maps


def sort_by_preference(files: Sequence[MapFile], open_file: Opener) -> Iterator[MapFile]:
    """Yield the files of a set: colour maps first, better sources of a map before worse, larger before smaller."""

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
    """Return the lower-case suffix of a file's name."""
    return PurePosixPath(file.name).suffix.lower()


def read_size(file: MapFile, open_file: Opener) -> Size:
    """Read the (h, w) of an image."""
    with open_file(file.name) as stream:
        return read_image_size(stream, suffix_of(file))


def read_set_image(file: MapFile, open_file: Opener, maps: LoadedMaps) -> MapImage:
    """Read an image of a set at the oversampled size."""
    with open_file(file.name) as stream:
        picture = read_map_image(stream, suffix_of(file), oversampled_size(maps), file.reading.kind in COLOUR_KINDS)
    maps.remarks[file.name] = picture.note
    return picture


def read_colour(file: MapFile, open_file: Opener, longest: int) -> LoadedMaps:
    """Read the colour map, which decides the set's size.

    Raises:
        InputError: It is damaged, too small, or a normal map.
    """
    h, w = read_size(file, open_file)
    shrink = max(1.0, max(h, w) / longest)
    size = round(h / shrink), round(w / shrink)
    if min(size) < MIN_TEXELS:
        reduced = f", {size[1]} x {size[0]} when reduced" if shrink > 1 else ""
        raise LeftOutError(f"only {w} x {h} pixels{reduced}; {MIN_TEXELS} a side are needed", TOO_SMALL)
    maps = LoadedMaps(size, max(1, min(round(shrink), MAX_READ_TEXELS // max(size))))
    picture = read_set_image(file, open_file, maps)
    if picture.looks_like_normals():
        raise LeftOutError("its pixels look like a normal map, but its name says colours", NORMALS)
    add_planes(file.reading.kind, picture, maps)
    return maps


def oversampled_size(maps: LoadedMaps) -> Size:
    """Return the (h, w) at which images are read."""
    return maps.size[0] * maps.factor, maps.size[1] * maps.factor


def is_needed(kind: str | None, maps: LoadedMaps) -> bool:
    """Return whether an image of a kind may hold a map that is still missing; "bump" may mean heights or normals."""
    offered = {name for name, _, _ in MAPS_OF_KIND[kind]} | ({"normal"} if kind == "height" else set())
    return not offered <= maps.planes.keys()


def add_file(file: MapFile, open_file: Opener, maps: LoadedMaps) -> None:
    """Read an image and add its maps that are missing.

    Raises:
        InputError: It is damaged, of no use, or contradicts its name.
    """
    picture = read_set_image(file, open_file, maps)
    kind = check_kind(file.reading.kind, picture)
    if kind is None:
        why = IGNORED[str(file.reading.kind)]
        maps.notes[f"{file.reading.kind} ignored"] = why
        raise LeftOutError(f"{file.reading.kind} is ignored: {why}", NOT_LEARNT)
    if kind.startswith("normal") and "normal" not in maps.planes:
        maps.convention = file.reading.convention
    add_planes(kind, picture, maps)


def check_kind(kind: str | None, picture: MapImage) -> str | None:
    """Check the kind that a name gives an image against the image's content.

    Returns:
        The kind, or None if the image can't be used.

    Raises:
        InputError: The content contradicts the name.
    """
    if kind in ("normal", "height"):
        if picture.looks_like_normals():
            return "normal"
        if picture.is_grey:
            return "height"
        raise InputError("its pixels look like neither a normal map nor grey heights")
    if kind == "normal and roughness" and not picture.looks_like_normals():
        raise InputError("its pixels don't look like a normal map")
    if kind == "orm" and picture.is_grey:
        return "roughness"
    if (kind == "specular" and not picture.is_grey) or (kind == "mask" and picture.alpha is None):
        return None
    return kind


def add_planes(kind: str | None, picture: MapImage, maps: LoadedMaps) -> None:
    """Add the maps of an image that are missing, reduced to the set's size."""
    for name, channel, inverted in MAPS_OF_KIND[kind]:
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
    """Build the set of the maps that were read.

    Args:
        name: Name of the set.
        material: Class of the material, or None.
        maps: Maps of the set, with an albedo.

    Returns:
        The set, and a line that describes it.
    """
    planes, notes = maps.planes, maps.notes
    albedo = np.ascontiguousarray(quantize_plane(planes["albedo"]).transpose(1, 2, 0))
    repeats = tiles(albedo)
    height, slopes = planes.get("height"), planes.get("normal")
    if slopes is not None and is_directx(maps):
        slopes = slopes * np.array([1, -1], np.float32)[:, None, None]
        notes["normal"] = "DirectX"
    if slopes is not None and (height is None or not is_same_surface(height, slopes)):
        height = integrate(slopes, repeats)  # tiles where the albedo does
        notes["height"] = "from normal"
    elif height is not None:
        height = scale_height(height, slopes)
        repeats = repeats and tiles(height)
    if height is not None:
        height = np.clip(height, -MAX_HEIGHT, MAX_HEIGHT)
    metallic = quantize_plane(planes["metallic"]) if "metallic" in planes else None
    if metallic is None and material and "metal" not in material:
        metallic = np.zeros(maps.size, np.uint8)
    roughness = quantize_plane(planes["roughness"]) if "roughness" in planes else None
    material_set = MaterialSet(name, material, albedo, height, roughness, metallic, repeats)
    return material_set, describe_set(material_set, maps)


def is_directx(maps: LoadedMaps) -> bool:
    """Return whether the normal map's green points down, by its name or else by the maps."""
    if maps.convention:
        return maps.convention == "DX"
    return is_directx_slopes(maps.planes["normal"], maps.planes.get("height"))


def quantize_plane(plane: FloatArray) -> NDArray[np.uint8]:
    """Convert [0, 1] to uint8."""
    return np.rint(np.clip(plane, 0, 1) * 255).astype(np.uint8)


def describe_set(material_set: MaterialSet, maps: LoadedMaps) -> str:
    """Describe a set in a line: name, maps, size, class, and whether it tiles."""
    names = list(dict.fromkeys([*maps.planes, *maps.notes]))
    parts = [f"{name} ({maps.notes[name]})" if name in maps.notes else name for name in names]
    h, w = maps.size
    tiling = "tiles" if material_set.tiles else "doesn't tile"
    return (
        f"{material_set.name}: {', '.join(parts)}; {w} x {h}; {material_set.material or 'unknown material'}; {tiling}"
    )
