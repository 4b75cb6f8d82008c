"""Real skins: read textures in MakeHuman's body layout, resample them to the head's layout and blend new ones."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path, PurePosixPath
from typing import BinaryIO

import numpy as np
from PIL import Image

from ganassets.api.data.images import SUFFIXES, opened_image, visible_image
from ganassets.api.data.records import TOO_SMALL, FileRecord, LeftOutError, explain_left_out, left_out
from ganassets.api.data.sources import list_containers, open_container, open_file, unread_records
from ganassets.api.errors import InputError

from .basis import load_basis
from .painter.attributes import AGE, EUROPEAN, SEX, TONE
from .painter.canvas import Canvas, make_canvas
from .painter.features import hair_colours, paint_brows
from .painter.geometry import region, smoothstep
from .painter.iris import iris_colours, write_iris_patch
from .painter.skin import BLOOD, skin_tones, speckles
from .texels import texel_map

EXPECTED = "a folder or a zip of skin textures in MakeHuman's body layout"
# Shorter side of a texture: in smaller ones the face has too few texels.
MIN_TEXELS = 256
# Ages in years and sexes by the words in file names that mean them.
AGE_WORDS = {
    "young": 24.0,
    "middle": 47.0,
    "middleage": 47.0,
    "middleaged": 47.0,
    "old": 72.0,
    "child": 10.0,
    "teen": 16.0,
}
SEX_WORDS = {"male": 1.0, "man": 1.0, "female": 0.0, "woman": 0.0}
# Standard deviations by which skins are matched to people: tone, age in years, sex.
MATCH_SPREAD = (0.16, 16.0, 0.45)
MAX_BLENDED = 3
# Absorbance of a unit of tone on light skin per sRGB channel, in natural logarithms.
MELANIN = (0.5, 0.85, 1.15)
FIELDS = ("wide tone", "patch blood", "freckles", "brow strands")
CHUNK = 16
# Least ratios red/green and green/blue of human skin; body paint and fantasy skins lie below.
HUMAN_RATIOS = (1.17, 0.98)


@dataclass(frozen=True)
class Skins:
    """Skin textures in the head's layout, and what was measured on them.

    Attributes:
        names: (k) file names.
        albedo: (k, 3, size, size) float32 sRGB in [0, 255], in the head's texture layout.
        colour: (k, 3) float64 sRGB in [0, 255], the median of cheeks and forehead.
        tone: (k,) float64 skin tone of that colour, 0 lightest, 1 darkest.
        human: (k,) bool, whether melanin can make the colour; others (green, blue) are neither blended nor shifted.
        age, sex: (k,) float64 from the file names, nan where a name has no such word.
        bare_brows: (k,) bool, whether no brows are painted on (MakeHuman's brows are meshes).
        records: Records of all files.
    """

    names: tuple[str, ...]
    albedo: np.ndarray
    colour: np.ndarray
    tone: np.ndarray
    human: np.ndarray
    age: np.ndarray
    sex: np.ndarray
    bare_brows: np.ndarray
    records: tuple[FileRecord, ...]


def load_skins(folder: Path, size: int) -> Skins:
    """Read all skin textures in a folder (with its subfolders) or a zip.

    Args:
        folder: Folder or zip of images of any size and mode in MakeHuman's body texture layout.
        size: Texels along a side of the result.

    Raises:
        InputError: The folder doesn't exist or holds no usable texture.
    """
    containers, records = list_containers(folder, EXPECTED)
    names, stack, used = [], [], []
    for container in containers:
        with open_container(container) as open_file:
            for name in container.names:
                suffix, full = PurePosixPath(name).suffix.lower(), container.full_name(name)
                if suffix not in SUFFIXES:
                    continue
                try:
                    with open_file(name) as stream:
                        image, note = decode_texture(stream, suffix)
                    stack.append(to_head_layout(image, size))
                except InputError as error:
                    records.append(left_out(full, error))
                    continue
                names.append(full)
                used.append(FileRecord(full, "skin", facts={"size": f"{image.width} x {image.height}"}, reason=note))
    records += unread_records(containers, {record.file for record in (*used, *records)})
    if not stack:
        why = explain_left_out(records)
        advice = "put PNG or JPEG files of 256 px or more there"
        raise InputError(f"{folder} holds no usable skin texture{why and f' ({why})'}; {advice}.")
    albedo = np.stack(stack)
    canvas = make_canvas(size)
    colour = measure_colour(canvas, albedo)
    human = np.all(colour[:, :2] >= np.array(HUMAN_RATIOS) * colour[:, 1:], axis=1)
    return Skins(
        names=tuple(names), albedo=albedo, colour=colour, tone=estimate_tones(colour), human=human,
        age=parse_hints(names, AGE_WORDS), sex=parse_hints(names, SEX_WORDS),
        bare_brows=measure_bare_brows(canvas, albedo), records=(*used, *records),
    )  # fmt: skip


def read_texture(path: Path) -> Image.Image:
    """Read an image file as 8-bit RGB without transparency.

    Raises:
        InputError: The file can't be read as a skin texture.
    """
    with open_file(path) as stream:
        return decode_texture(stream, path.suffix.lower())[0]


def decode_texture(stream: BinaryIO, suffix: str) -> tuple[Image.Image, str]:
    """Decode a skin texture.

    Args:
        stream: Stream of the image file.
        suffix: Suffix of its name, lower case.

    Returns:
        The image as 8-bit RGB without transparency, and a note for the user, "" if there is none.

    Raises:
        InputError: The image is damaged or too small.
    """
    with opened_image(stream, suffix) as image:
        if min(image.size) < MIN_TEXELS:
            raise LeftOutError(f"only {image.width} x {image.height} pixels, {MIN_TEXELS} are needed", TOO_SMALL)
        picture, note = visible_image(image)
        return picture.convert("RGB"), note


def to_head_layout(image: Image.Image, size: int) -> np.ndarray:
    """Resample a texture from MakeHuman's body layout to the head's layout.

    Args:
        image: RGB image.
        size: Texels along a side of the result.

    Returns:
        (3, size, size) float32 sRGB in [0, 255], each texel the mean over its area.
    """
    from scipy.ndimage import map_coordinates

    fine = max(size * 2, 512) // size
    limit = 2 * fine * size
    if max(image.size) > limit:
        scale = limit / max(image.size)
        image = image.resize((round(image.width * scale), round(image.height * scale)), Image.Resampling.BOX)
    u, v = np.moveaxis(source_coordinates(fine * size), -1, 0)
    rows, columns = (1 - v) * image.height - 0.5, u * image.width - 0.5
    pixels = np.asarray(image, np.float32)
    channels = [map_coordinates(pixels[..., c], [rows, columns], order=1, mode="nearest") for c in range(3)]
    return np.stack(channels).reshape(3, size, fine, size, fine).mean((2, 4), dtype=np.float32)


@lru_cache(1)
def source_coordinates(size: int) -> np.ndarray:
    """Return (size, size, 2) body texture coordinates, origin lower left, of the texels of the head's layout."""
    return texel_map(size).interpolate_uv(load_basis().source_uvs)


def measure_colour(canvas: Canvas, albedo: np.ndarray) -> np.ndarray:
    """Return the (k, 3) median sRGB of cheeks and forehead of (k, 3, size, size) albedo."""
    where = canvas.layer("cheek") + canvas.layer("forehead") > 0.6
    return np.median(albedo.reshape(len(albedo), 3, -1)[:, :, where], 2).astype(np.float64)


def estimate_tones(colour: np.ndarray) -> np.ndarray:
    """Return the (k,) tones in [0, 1] whose painted skin has the same green as (k, 3) colours."""
    tones = np.linspace(0, 1, 256)
    return np.interp(-colour[:, 1], -tone_colours(tones)[:, 1], tones)


def tone_colours(tone: np.ndarray) -> np.ndarray:
    """Return the (k, 3) sRGB of painted skin of (k,) tones."""
    table = skin_tones()
    return table[np.rint((np.asarray(tone) + 0.1) / 1.3 * (len(table) - 1)).astype(int)].astype(np.float64)


def measure_bare_brows(canvas: Canvas, albedo: np.ndarray) -> np.ndarray:
    """Return (k,) bool: whether the middle of the brows is about as bright as the forehead."""
    mirrored = np.column_stack([canvas.side, canvas.points[:, 1:]])
    brow = region(mirrored, (0.028, 0.167, 0.14), (0.006, 0.0015, 0.02)) > 0.5
    forehead = canvas.layer("forehead") > 0.8
    grey = albedo.mean(1).reshape(len(albedo), -1)
    return np.median(grey[:, brow], 1) > 0.7 * np.median(grey[:, forehead], 1)


def parse_hints(names: Sequence[str], words: dict[str, float]) -> np.ndarray:
    """Look words up in file names.

    Args:
        names: k file names.
        words: Values by lower-case word.

    Returns:
        (k,) float64 value of the last known word in each name, nan where there is none.
    """
    found = [[words[word] for word in re.findall("[a-z]+", name.lower()) if word in words] for name in names]
    return np.array([values[-1] if values else np.nan for values in found])


def blend_skins(skins: Skins, attributes: np.ndarray, n: int, size: int, rng: np.random.Generator) -> np.ndarray:
    """Blend new skins: up to three that suit the person, in soft patches, shifted to the person's skin tone.

    Args:
        skins: Textures to blend.
        attributes: (n, 7) people, as for painter.paint_skins.
        n: Number of new skins.
        size: Texels along a side, as the skins were read with.
        rng: Random state.

    Returns:
        (n, 3, size, size) uint8 sRGB, with brows where the textures have none and the iris colour in its patch.
    """
    canvas = make_canvas(size)
    attributes = np.asarray(attributes, np.float32)
    out = np.empty((n, 3, size, size), np.uint8)
    for start in range(0, n, CHUNK):
        part = attributes[start : start + CHUNK]
        fields = canvas.draw_noise(len(part), rng, FIELDS)
        for i, person in enumerate(part):
            field = {name: rows[i] for name, rows in fields.items()}
            mixed = blend_person(skins, canvas, person, field, rng)
            out[start + i] = np.rint(np.clip(mixed, 0, 255)).reshape(3, size, size)
        write_iris_patch(out[start : start + CHUNK], iris_colours(part, rng))
    return out


def blend_person(
    skins: Skins, canvas: Canvas, person: np.ndarray, field: Mapping[str, np.ndarray], rng: np.random.Generator
) -> np.ndarray:
    """Blend one new skin for a (7,) person: (3, t) float32 sRGB, about [0, 255]."""
    odds = match_probabilities(skins, person)
    first = int(rng.choice(len(odds), p=odds))
    others = np.where(skins.human, odds, 0) if skins.human[first] else np.zeros(len(odds))
    others[first] = 0
    count = min(int(rng.integers(0, MAX_BLENDED)), np.count_nonzero(others > 1e-6))
    picks = [first, *(rng.choice(len(odds), count, replace=False, p=others / others.sum()) if count else ())]
    base = skins.colour[first] / tone_colours(skins.tone[first]) * tone_colours(person[TONE])
    albedo = shift_colour(skins, first, base, rng)
    for other in picks[1:]:
        wide = rng.standard_normal(len(canvas.banks["wide"]), np.float32) @ canvas.banks["wide"]
        # The patches are symmetric, so the two eyes match; painted hair is not blended.
        share = smoothstep(mirror_texels(wide, canvas.size) + wide, -1.2 + rng.normal(0, 0.4), 1.2)
        albedo += share * (1 - canvas.masks["scalp"]) * (shift_colour(skins, other, base, rng) - albedo)
    # A little of the painter's variety: redness and freckles.
    blood = rng.normal(0, 0.05) + rng.uniform(0, 0.06) * field["patch blood"]
    blood += rng.normal(0, 0.12) * (canvas.layer("cheek") + canvas.layer("nose"))
    freckled = max(rng.normal(-0.4, 0.5), 0) * (1 - person[TONE]) ** 3 * (0.2 + person[EUROPEAN])
    tone = 0.012 * field["wide tone"] + 0.15 * freckled * canvas.masks["freckles"] * speckles(field["freckles"], 0.9)
    albedo *= np.exp(-np.outer(BLOOD, blood) - np.outer(MELANIN, tone)).astype(np.float32)
    hair = hair_colours(person, rng)
    if rng.random() < skins.bare_brows[picks].mean():
        paint_brows(canvas, albedo, person, hair, field, rng)
    return albedo


def match_probabilities(skins: Skins, person: np.ndarray) -> np.ndarray:
    """Return (k,) probabilities of the skins for a (7,) person; an unknown age or sex is one deviation off."""
    apart = [(skins.tone - person[TONE]), (skins.age - person[AGE]), (skins.sex - person[SEX])]
    squared = np.sum(np.nan_to_num(np.divide(apart, np.array(MATCH_SPREAD)[:, None]), nan=1.0) ** 2, axis=0)
    odds = np.exp(-0.5 * (squared - squared.min()))
    return odds / odds.sum()


def shift_colour(skins: Skins, index: int, base: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return one skin, mirrored at random: (3, t) float32 sRGB; a human one is shifted from its own colour to base."""
    albedo = skins.albedo[index].reshape(3, -1)
    if skins.human[index]:
        albedo = albedo * (base / skins.colour[index]).astype(np.float32)[:, None]
    return mirror_texels(albedo, skins.albedo.shape[-1]).copy() if rng.random() < 0.5 else albedo.copy()


def mirror_texels(values: np.ndarray, size: int) -> np.ndarray:
    """Mirror (..., t) texels left to right; the head's layout is symmetric."""
    return values.reshape(*values.shape[:-1], size, size)[..., ::-1].reshape(values.shape)
