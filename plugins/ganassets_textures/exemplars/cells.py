"""Cells of exemplars: their principal components, and the channels of the noise map that names them. numpy only."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float32]

# Texels along a side of a cell.
CELL = 4
# Maps in a cell: albedo, height, roughness, metallic.
MAP_CHANNELS = 6
VALUES = MAP_CHANNELS * CELL * CELL
# Texels of height by unit of the principal components: so a slope weighs about as much as a colour.
HEIGHT_UNIT = 2.0

# Channels of the noise map: white noise; two cells' indices, and the share of the second; offsets of the maps.
WHITE, PLACE, OTHER, BLEND, OFFSETS = slice(0, 1), slice(1, 2), slice(2, 3), slice(3, 4), slice(4, 4 + MAP_CHANNELS)
NOISE_CHANNELS = 4 + MAP_CHANNELS
# Texels that are made and cropped around a training sample.
MARGIN = 16
# Components are stored as whole numbers up to this; the first ones by two numbers.
LARGEST_CODE, FINE_COMPONENTS = 127, 8


@dataclass(frozen=True, eq=False)
class CellBasis:
    """Principal components of cells.

    Attributes:
        mean: (96,) mean cell: 6 maps of 4 x 4 texels, map by map, row by row.
        components: (96, k) orthonormal.
    """

    mean: FloatArray
    components: FloatArray


def split_cells(maps: FloatArray) -> FloatArray:
    """Cut (6, h, w) maps into (h / 4, w / 4, 96) cells."""
    channels, height, width = maps.shape
    parts = maps.reshape(channels, height // CELL, CELL, width // CELL, CELL)
    return parts.transpose(1, 3, 0, 2, 4).reshape(height // CELL, width // CELL, channels * CELL * CELL)


def join_cells(cells: FloatArray) -> FloatArray:
    """Put (rows, columns, 96) cells together; the inverse of split_cells."""
    rows, columns = cells.shape[:2]
    parts = cells.reshape(rows, columns, MAP_CHANNELS, CELL, CELL)
    return parts.transpose(2, 0, 3, 1, 4).reshape(MAP_CHANNELS, rows * CELL, columns * CELL)


def fit_basis(cells: FloatArray, count: int) -> CellBasis:
    """Fit principal components to (n, 96) cells."""
    mean = cells.mean(0)
    centred = (cells - mean).astype(np.float64)
    values, vectors = np.linalg.eigh(centred.T @ centred / len(cells))
    order = np.argsort(values)[::-1][:count]
    return CellBasis(mean, vectors[:, order].astype(np.float32))


@dataclass(frozen=True, eq=False)
class Codes:
    """Cells as whole numbers.

    A cell is about mean + steps @ codes. The first components have a second number each, for what rounding left of the
    first: they are so large that steps of brightness and height would show.

    Attributes:
        mean: (96,) mean cell.
        steps: (96, k) what one step of each number adds to a cell.
        codes: (n, k) whole numbers from -127 to 127.
    """

    mean: FloatArray
    steps: FloatArray
    codes: FloatArray


def encode_cells(cells: FloatArray, basis: CellBasis) -> Codes:
    """Encode (n, 96) cells by a basis."""
    values = (cells - basis.mean) @ basis.components
    steps = np.maximum(np.abs(values).max(0) / LARGEST_CODE, 1e-6)
    coarse = np.rint(values / steps)
    rest = (values - coarse * steps)[:, :FINE_COMPONENTS]
    fine_steps = steps[:FINE_COMPONENTS] / (2 * LARGEST_CODE)
    fine = np.clip(np.rint(rest / fine_steps), -LARGEST_CODE, LARGEST_CODE)
    components = np.concatenate([basis.components * steps, basis.components[:, :FINE_COMPONENTS] * fine_steps], 1)
    return Codes(basis.mean, components.astype(np.float32), np.concatenate([coarse, fine], 1).astype(np.float32))


def level_matrix(codes: Codes, count: int) -> tuple[FloatArray, FloatArray]:
    """Return how the mean of each map in a cell follows from its first codes: (count, 6) factors and (6,) offsets."""
    means = codes.steps.reshape(MAP_CHANNELS, CELL * CELL, -1).mean(1)
    return np.ascontiguousarray(means[:, :count].T), codes.mean.reshape(MAP_CHANNELS, -1).mean(1)
