"""The spatial noise map that a material starts from: white, periodic and cellular noise. numpy only.

The map wraps at its borders, so wrapping convolutions compute tiling maps from it. White noise gives grain and
stains at every scale (networks average it to coarser levels). Periodic noise is a lattice of rows and columns, each
row shifted by the stagger: bricks, tiles, planks, threads. Cellular noise (Worley 1996, "A Cellular Texture Basis
Function") is a lattice of jittered points: cobbles, pebbles, grain of leather. The lattices' sizes are rounded so that
whole units fit the map. For the rest see structure_noise.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from ganassets.api.latents import standard_normals

from .exemplars.noise import exemplar_noise
from .materials import COLUMNS
from .structure_noise import (
    block_noise,
    count_units,
    draw_signed,
    encode_border,
    scratch_noise,
    slow_noise,
    strand_noise,
    streak_noise,
)

FloatArray = NDArray[np.float32]

CHANNELS = (
    "white 0", "white 1", "white 2", "white 3",
    "joint cos x", "joint sin x", "joint cos y", "joint sin y", "unit value 0", "unit value 1",
    "cell edge", "cell distance", "cell value 0", "cell value 1", "unit cos x", "unit sin x",
    "joint border x", "joint border y", "cell border", "block border", "block edge", "block value 0", "block value 1",
    "slow 0", "slow 1", "streak x", "broad streak x", "streak y", "broad streak y", "strand height", "strand value",
    "scratch",
)  # fmt: skip
WHITE = slice(0, 4)
STRUCTURE = slice(WHITE.stop, len(CHANNELS))
# Streams of a seed's random numbers; see ganassets.api.latents.
WHITE_STREAM, LATTICE_STREAM, CELL_STREAM = 16, 17, 18
JITTER = 0.8
BAND = 32  # rows computed at a time, so that they fit the processor's cache
UNIT_SPREAD = 3.0**0.5  # factor from uniform numbers in [-1, 1] to unit variance


@dataclass(frozen=True)
class Pattern:
    """Size of the pattern's units.

    Attributes:
        scale: Texels that a unit is high.
        aspect: Width of a unit by its height.
        stagger: Shift of the rows: 0 for columns, 0.5 for half a unit in every second row, 1 for random shifts.
    """

    scale: float
    aspect: float
    stagger: float


def pattern_of(row: NDArray[np.float32]) -> Pattern:
    """Return the pattern of a (c,) row of physical conditions."""
    return Pattern(*(float(row[COLUMNS.index(name)]) for name in ("scale", "aspect", "stagger")))


@lru_cache(1)
def noise_digest() -> str:
    """Return a SHA-256 that changes when the noise maps do; a model fits only the noise that it was trained with."""
    sample = pattern_noise(52, Pattern(21.0, 2.3, 0.8), (32, 48))
    return hashlib.sha256(np.round(sample * 64).astype("<i2").tobytes()).hexdigest()


def static_digests() -> dict[str, str]:
    """Return the digests that models depend on, by name."""
    return {"noise": noise_digest()}


def material_noise(
    seed: int, row: NDArray[np.float32], size: tuple[int, ...], arrays: Mapping[str, NDArray] | None = None
) -> FloatArray:
    """Return the noise map of a seed under physical conditions (c,).

    Returns:
        (channels, h, w) float32; see exemplar_noise for a model that carries exemplars, else pattern_noise.
    """
    if arrays:
        return exemplar_noise(seed, row, size, arrays)
    height, width = size
    return pattern_noise(seed, pattern_of(row), (height, width))


def pattern_noise(seed: int, pattern: Pattern, size: tuple[int, int]) -> FloatArray:
    """Make the noise map of a seed.

    Args:
        seed: Seed of the white noise and of the values of units and cells.
        pattern: Pattern of the lattice and of the cells.
        size: (h, w) texels.

    Returns:
        (32, h, w) float32, channels as in CHANNELS, each of about zero mean and unit variance.
    """
    out = np.empty((len(CHANNELS), *size), np.float32)
    out[WHITE] = standard_normals(seed, WHITE.stop * size[0] * size[1], WHITE_STREAM).reshape(WHITE.stop, *size)
    out[4:8], out[8:10], out[14:16], out[16:18] = lattice(seed, pattern, size)
    out[10:14] = cells(seed, pattern, size)
    out[18] = cell_border(out[10], pattern, size)
    out[19:23] = block_noise(seed, rounded_scale(pattern, size), size)
    out[23:25] = slow_noise(seed, size)
    out[25:29] = streak_noise(seed, size)
    out[29:31] = strand_noise(seed, size)
    out[31] = scratch_noise(seed, size)
    return out


def cell_border(edge: FloatArray, pattern: Pattern, size: tuple[int, int]) -> FloatArray:
    """Return the distance to the border of a cell in texels from the channel "cell edge"; see encode_border."""
    unit = size[0] / count_units(size[0], pattern.scale)
    return encode_border((edge * np.float32(0.25) + np.float32(0.38)) * np.float32(unit / 2))


def rounded_scale(pattern: Pattern, size: tuple[int, int]) -> float:
    """Return the height in texels of the pattern's units in a map, after rounding to whole units."""
    return size[0] / lattice_counts(pattern, size)[0]


def row_shifts(rows: int, stagger: float, random: FloatArray) -> FloatArray:
    """Return the (rows,) shift of each row in units.

    Args:
        rows: Number of rows.
        stagger: Stagger as in Pattern.
        random: (rows,) in [-1, 1].
    """
    alternate = np.arange(rows) % 2 * np.float32(min(stagger, 0.5))
    return (alternate + max(2 * stagger - 1, 0.0) * random / 2).astype(np.float32)


def lattice_counts(pattern: Pattern, size: tuple[int, int]) -> tuple[int, int]:
    """Return the rows and columns of units that fit the map; rows are even where every second one is shifted."""
    rows, columns = count_units(size[0], pattern.scale), count_units(size[1], pattern.scale * pattern.aspect)
    if pattern.stagger > 0 and rows % 2:
        rows = max(2, 2 * round(size[0] / pattern.scale / 2))
    return rows, columns


def lattice(
    seed: int, pattern: Pattern, size: tuple[int, int]
) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    """Make the lattice's joints, values, places and borders.

    Returns:
        Joints (4, h, w): cosine and sine of the distance to the upright joints, then to the level ones, highest in the
        joint; both in heights of a unit, so that all joints look the same however wide units are. Values (2, h, w),
        constant within a unit. Places (2, h, w): cosine and sine of the place along a unit. Borders (2, h, w): distance
        to the nearest upright joint, then to the nearest level one; see encode_border.
    """
    rows, columns = lattice_counts(pattern, size)
    random = draw_signed(seed, (3, rows, columns), LATTICE_STREAM)
    shifts = row_shifts(rows, pattern.stagger, random[0, :, 0])
    y = ((np.arange(size[0], dtype=np.float32) + 0.5) * np.float32(rows / size[0]))[:, None]
    row = np.minimum(y.astype(np.intp), rows - 1)
    x = ((np.arange(size[1], dtype=np.float32) + 0.5) * np.float32(columns / size[1]))[None] + shifts[row]
    column = np.floor(x)
    x -= column
    values = random[1:, row, column.astype(np.intp) % columns] * np.float32(UNIT_SPREAD)
    widest = np.float32(max(size[1] / columns / (size[0] / rows), 1.0))
    joint = np.minimum(x * widest, 0.5) + 0.5 - np.minimum((1 - x) * widest, 0.5)
    level = (np.broadcast_to(part, size) for part in unit_waves(y))
    texels = np.float32(size[0] / rows)
    part = y - np.floor(y)
    upright = encode_border(np.minimum(x, 1 - x) * np.float32(size[1] / columns))
    borders = np.stack([upright, np.broadcast_to(encode_border(np.minimum(part, 1 - part) * texels), size)])
    return np.stack([*unit_waves(joint), *level]), values, np.stack(unit_waves(x)), borders


def unit_waves(place: NDArray[np.floating]) -> tuple[FloatArray, FloatArray]:
    """Return cosine and sine, of unit variance over a turn, of a place in turns."""
    turn = place * np.float32(2 * np.pi)
    root2 = np.float32(2**0.5)
    return np.cos(turn) * root2, np.sin(turn) * root2


def cells(seed: int, pattern: Pattern, size: tuple[int, int]) -> FloatArray:
    """Make the cellular noise.

    Returns:
        (4, h, w): difference of the distances to the second and the first nearest point (0 on an edge), distance to the
        nearest, two values of its cell. Distances are in units, shifted and scaled to about zero mean and unit
        variance.
    """
    rows, columns = count_units(size[0], pattern.scale), count_units(size[1], pattern.scale)
    random = draw_signed(seed, (4, rows, columns), CELL_STREAM)
    x = (np.arange(size[1], dtype=np.float32) + 0.5) * np.float32(columns / size[1])
    y = (np.arange(size[0], dtype=np.float32) + 0.5) * np.float32(rows / size[0])
    out = np.empty((4, *size), np.float32)
    for start in range(0, size[0], BAND):
        band = slice(start, start + BAND)
        first, second, nearest = nearest_points(random[:2], x, y[band])
        out[0, band], out[1, band] = (second - first - 0.38) / 0.25, (first - 0.4) / 0.17
        for k in (2, 3):
            np.multiply(random[k].ravel()[nearest], UNIT_SPREAD, out=out[k, band])
    return out


def nearest_points(
    offsets: FloatArray, x: FloatArray, y: FloatArray
) -> tuple[FloatArray, FloatArray, NDArray[np.intp]]:
    """Find the two nearest points, and the cell of the nearest, at all (y, x).

    Args:
        offsets: (2, rows, columns) in [-1, 1], how far each cell's point is from its centre, along y and x.
        x: (w,) places in cells.
        y: (h,) places in cells.

    Returns:
        (h, w) distance to the nearest point, distance to the second, and index of the nearest's cell along the rows.
    """
    rows, columns = offsets.shape[1:]
    row, column = y.astype(np.intp), x.astype(np.intp)
    first = np.full((len(y), len(x)), np.inf, np.float32)
    second, nearest = first.copy(), np.zeros(first.shape, np.intp)
    for dy in (-1, 0, 1):
        at_row = (row + dy) % rows
        for dx in (-1, 0, 1):
            at_column = (column + dx) % columns
            place_y = offsets[0][at_row].take(at_column, 1) * np.float32(JITTER / 2)
            place_y += (row + np.float32(dy + 0.5) - y).astype(np.float32)[:, None]
            place_x = offsets[1][at_row].take(at_column, 1) * np.float32(JITTER / 2)
            place_x += (column + np.float32(dx + 0.5) - x).astype(np.float32)
            place_y *= place_y
            place_x *= place_x
            place_y += place_x
            closer = place_y < first
            np.minimum(second, np.maximum(place_y, first), out=second)
            np.minimum(first, place_y, out=first)
            np.copyto(nearest, at_row[:, None] * columns + at_column, where=closer)
    return np.sqrt(first), np.sqrt(second), nearest
