"""The spatial noise map that a material starts from: white, periodic and cellular noise. numpy only.

All of it wraps at the map's borders, so whatever is computed from it by wrapping convolutions tiles. White noise gives
grain and stains at every scale (networks average it to coarser levels). Periodic noise is a lattice of rows and
columns, each row shifted by the stagger: bricks, tiles, planks, threads. Cellular noise (Worley 1996, "A Cellular
Texture Basis Function") is a lattice of jittered points: cobbles, pebbles, grain of leather. The lattices' sizes are
rounded so that whole units fit the map.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ganassets.latents import normals, uniforms

FloatArray = NDArray[np.float32]

CHANNELS = (
    "white 0", "white 1",
    "lattice cos x", "lattice sin x", "lattice cos y", "lattice sin y", "lattice value 0", "lattice value 1",
    "cell edge", "cell distance", "cell value 0", "cell value 1",
)  # fmt: skip
WHITE = slice(0, 2)
STRUCTURE = slice(2, len(CHANNELS))
# Streams of a seed's random numbers; see ganassets.latents.
WHITE_STREAM, LATTICE_STREAM, CELL_STREAM = 16, 17, 18
JITTER = 0.8
UNIT_SPREAD = 3.0**0.5  # of uniform numbers in [-1, 1], to unit variance


@dataclass(frozen=True)
class Pattern:
    """Size of the pattern's units.

    Attributes:
        scale: texels that a unit is high.
        aspect: its width by its height.
        stagger: 0 stands every row below the last, 0.5 shifts each second one by half a unit, 1 all at random.
    """

    scale: float
    aspect: float
    stagger: float


def noise_map(seed: int, pattern: Pattern, size: tuple[int, int]) -> FloatArray:
    """(12, h, w) float32 noise of a seed, channels as in CHANNELS, each of about zero mean and unit variance.

    Args:
        seed: of the white noise and of what units hold.
        pattern: of lattice and cells.
        size: (h, w) texels.
    """
    out = np.empty((len(CHANNELS), *size), np.float32)
    out[WHITE] = normals(seed, 2 * size[0] * size[1], WHITE_STREAM).reshape(2, *size)
    out[2:8] = lattice(seed, pattern, size)
    out[8:12] = cells(seed, pattern, size)
    return out


def fitted(length: int, unit: float) -> int:
    """How many units of about that length fit, at least one."""
    return max(1, round(length / unit))


def signed_uniforms(seed: int, shape: tuple[int, ...], stream: int) -> FloatArray:
    """Uniform numbers in [-1, 1]."""
    return (2 * uniforms(seed, int(np.prod(shape)), stream) - 1).astype(np.float32).reshape(shape)


def row_shifts(rows: int, stagger: float, random: FloatArray) -> FloatArray:
    """(rows,) shift of each row in units; `random` (rows,) in [-1, 1]."""
    alternate = np.arange(rows) % 2 * np.float32(min(stagger, 0.5))
    return (alternate + max(2 * stagger - 1, 0.0) * random / 2).astype(np.float32)


def lattice_counts(pattern: Pattern, size: tuple[int, int]) -> tuple[int, int]:
    """Rows and columns of units that fit the map; rows are even where every second one is shifted."""
    rows, columns = fitted(size[0], pattern.scale), fitted(size[1], pattern.scale * pattern.aspect)
    if pattern.stagger > 0 and rows % 2:
        rows = max(2, 2 * round(size[0] / pattern.scale / 2))
    return rows, columns


def lattice(seed: int, pattern: Pattern, size: tuple[int, int]) -> FloatArray:
    """(6, h, w): cosine and sine of the place within a unit along x and y (cosine highest at the joint), two values."""
    rows, columns = lattice_counts(pattern, size)
    shifts = row_shifts(rows, pattern.stagger, signed_uniforms(seed, (rows,), LATTICE_STREAM))
    values = signed_uniforms(seed, (3, rows, columns), LATTICE_STREAM)[1:] * UNIT_SPREAD
    y = ((np.arange(size[0], dtype=np.float32) + 0.5) * (rows / size[0]))[:, None]
    row = np.minimum(y.astype(np.int64), rows - 1)
    x = ((np.arange(size[1], dtype=np.float32) + 0.5) * (columns / size[1]))[None] + shifts[row]
    column = np.floor(x).astype(np.int64) % columns
    turn = np.float32(2 * np.pi)
    waves = np.sqrt(np.float32(2)) * np.stack(
        [np.cos(turn * x), np.sin(turn * x), *(np.broadcast_to(f(turn * y), size) for f in (np.cos, np.sin))]
    )
    return np.concatenate([waves, values[:, row, column]])


def cells(seed: int, pattern: Pattern, size: tuple[int, int]) -> FloatArray:
    """(4, h, w): difference of the distances to the second and the first nearest point (0 on an edge), distance to the
    nearest, two values of its cell; distances in units, shifted and scaled to about zero mean and unit variance."""
    rows, columns = fitted(size[0], pattern.scale), fitted(size[1], pattern.scale)
    random = signed_uniforms(seed, (4, rows, columns), CELL_STREAM)
    y = (np.arange(size[0], dtype=np.float32) + 0.5) * (rows / size[0])
    x = (np.arange(size[1], dtype=np.float32) + 0.5) * (columns / size[1])
    row, column = y.astype(np.int64), x.astype(np.int64)
    first = np.full(size, 99.0, np.float32)
    second, nearest = first.copy(), np.zeros(size, np.int64)
    for dy in (-1, 0, 1):
        for dx in (-1, 0, 1):
            cell = ((row + dy) % rows)[:, None] * columns + ((column + dx) % columns)[None]
            offset_y = (row + dy + 0.5 - y)[:, None] + JITTER / 2 * random[0].ravel()[cell]
            offset_x = (column + dx + 0.5 - x)[None] + JITTER / 2 * random[1].ravel()[cell]
            distance = offset_y * offset_y + offset_x * offset_x
            closer = distance < first
            second = np.where(closer, first, np.minimum(second, distance))
            np.copyto(nearest, cell, where=closer)
            np.minimum(first, distance, out=first)
    first, second = np.sqrt(first), np.sqrt(second)
    values = random[2:].reshape(2, -1)[:, nearest] * UNIT_SPREAD
    return np.stack([(second - first - 0.38) / 0.25, (first - 0.4) / 0.17, *values]).astype(np.float32)
