"""Lay out cells of exemplars anew: the structure map that a material of the user's own starts from. numpy only.

An exemplar is a grid of cells. A layout names for each cell of a new material the exemplar's cell that it starts from.
Layouts are quilted (Efros and Freeman 2001, "Image Quilting for Texture Synthesis and Transfer") on a torus, so they
tile: patches are chosen by how well they continue what lies there, and cut where they differ least. Errors are sums of
whole numbers, which are exact, so a seed gives the same layout on every machine.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ganassets.api.latents import uniforms

FloatArray = NDArray[np.float32]
IntArray = NDArray[np.int64]

# Cells along a patch, as a share of the exemplar's shorter side: of the smallest and the largest pieces; and least.
PATCH_SHARES, LEAST_PATCH = (0.25, 0.75), 8
# Overlap of neighbouring patches, as a share of a patch.
OVERLAP_SHARE = 2 / 5
# A patch is drawn from those whose error in the overlap is at most a tenth above the smallest.
TOLERANCE = 10
# A patch continues its neighbours elsewhere in the exemplar than they do themselves, by more than this many cells;
# otherwise the whole layout would be one copy of the exemplar.
LEAST_JUMP = 3
# Largest patch of an exemplar that doesn't tile, as a share of its side: larger ones leave too few places.
LARGEST_SHARE = 2 / 3
# Streams of a seed's random numbers; see ganassets.api.latents.
LAYOUT_STREAM = 20


@dataclass(frozen=True, eq=False)
class Guide:
    """What an exemplar's cells look like, in whole numbers.

    Attributes:
        cells: (rows, columns, k) int64.
        tiles: Whether the exemplar wraps in both directions.
    """

    cells: IntArray
    tiles: bool

    def patch(self, pieces: float) -> int:
        """Return the cells along a patch for a size of the pieces between 0 and 1."""
        rows, columns = self.cells.shape[:2]
        share = PATCH_SHARES[0] + (PATCH_SHARES[1] - PATCH_SHARES[0]) * min(max(pieces, 0.0), 1.0)
        side = max(int(min(rows, columns) * share), LEAST_PATCH)
        return min(
            side, *((rows, columns) if self.tiles else (max(int(n * LARGEST_SHARE), 1) for n in (rows, columns)))
        )


class Quilt:
    """A layout in the making.

    Args:
        guide: Exemplar.
        size: Rows and columns of the layout.
        seed: Seed of the choices.
        pieces: Size of the pieces, 0 to 1.

    Attributes:
        places: (rows, columns) index of the exemplar's cell, -1 where nothing lies yet.
    """

    def __init__(self, guide: Guide, size: tuple[int, int], seed: int, pieces: float) -> None:
        self.guide, self.size = guide, size
        self.side = min(guide.patch(pieces), *size)
        self.overlap = max(int(self.side * OVERLAP_SHARE), 1)
        self.places = np.full(size, -1, np.int64)
        self.cells = np.zeros((*size, guide.cells.shape[2]), np.int64)
        transform = np.fft.rfft2
        self.transformed = transform(guide.cells, axes=(0, 1))
        self.squares = transform((guide.cells**2).sum(2))
        step = max(self.side - self.overlap, 1)
        self.starts = [patch_starts(length, step) for length in size]
        self.numbers = iter(uniforms(seed, len(self.starts[0]) * len(self.starts[1]), LAYOUT_STREAM))

    def lay(self) -> IntArray:
        """Lay all patches, row by row; returns (rows, columns) indices of the exemplar's cells."""
        for top in self.starts[0]:
            for left in self.starts[1]:
                self.lay_patch(top, left)
        return self.places

    def lay_patch(self, top: int, left: int) -> None:
        """Choose and lay the patch at a place."""
        side = np.arange(self.side)
        window = np.ix_((top + side) % self.size[0], (left + side) % self.size[1])
        laid, old = self.places[window] >= 0, self.cells[window]
        row, column = self.choose(self.places[window], laid, old)
        rows, columns = self.guide.cells.shape[:2]
        y, x = (row + side) % rows, (column + side) % columns
        new = self.guide.cells[np.ix_(y, x)]
        keep = cut_sides(((new - old) ** 2).sum(2) * laid, laid, self.overlap)
        self.places[window] = np.where(keep, y[:, None] * columns + x, self.places[window])
        self.cells[window] = np.where(keep[..., None], new, old)

    def choose(self, places: IntArray, laid: NDArray[np.bool_], old: IntArray) -> tuple[int, int]:
        """Choose the row and column of the exemplar's patch that continues what is laid."""
        rows, columns = self.guide.cells.shape[:2]
        error = self.errors(laid, old)
        self.bound(error, self.side)
        possible = np.isfinite(error).any()
        jumping = error.copy()
        for row, column in continued_offsets(places, laid, (rows, columns)):
            near = np.arange(-LEAST_JUMP, LEAST_JUMP + 1)
            jumping[np.ix_((row + near) % rows, (column + near) % columns)] = np.inf
        if possible and np.isfinite(jumping).any():
            error = jumping
        least = error.min()
        among = np.flatnonzero(error <= least + least // TOLERANCE)
        return divmod(int(among[int(next(self.numbers) * len(among))]), columns)

    def bound(self, error: NDArray[np.float64], side: int) -> None:
        """Exclude places at which a patch would leave an exemplar that doesn't tile."""
        if not self.guide.tiles:
            rows, columns = error.shape
            error[rows - side + 1 :] = error[:, columns - side + 1 :] = np.inf

    def errors(self, laid: NDArray[np.bool_], old: IntArray) -> NDArray[np.float64]:
        """Return the (rows, columns) sum of squared differences from what is laid, of the patch at each place."""
        shape, side = self.guide.cells.shape[:2], len(laid)
        target = np.zeros((*shape, old.shape[2]))
        target[:side, :side] = old * laid[..., None]
        weight = np.zeros(shape)
        weight[:side, :side] = laid
        products = (self.transformed * np.conj(np.fft.rfft2(target, axes=(0, 1)))).sum(2)
        squares = self.squares * np.conj(np.fft.rfft2(weight))
        error = np.fft.irfft2(squares - 2 * products, s=shape) + float((old**2 * laid[..., None]).sum())
        return np.maximum(np.rint(error), 0)


def quilt(guide: Guide, size: tuple[int, int], seed: int, pieces: float = 0.5) -> IntArray:
    """Quilt a layout of (rows, columns) cells from pieces of a size from 0 to 1; returns the exemplar's cells."""
    return Quilt(guide, size, seed, pieces).lay()


def cut_sides(difference: IntArray, laid: NDArray[np.bool_], overlap: int) -> NDArray[np.bool_]:
    """Return which cells of a patch are laid: those beyond the cuts along its sides, and those still empty."""
    keep = np.ones(laid.shape, np.bool_)
    # Each side in turn is brought to the left.
    for turns in range(4):
        strip = np.rot90(difference, turns)[:, :overlap]
        if np.rot90(laid, turns)[:, :overlap].mean() > 0.5:
            np.rot90(keep, turns)[:, :overlap] &= beyond_cut(strip)
    return keep | ~laid


def patch_starts(length: int, step: int) -> list[int]:
    """Return the starts of patches along an axis that wraps, evenly spaced, at most a step apart."""
    count = -(-length // step)
    return [i * length // count for i in range(count)]


def continued_offsets(places: IntArray, laid: NDArray[np.bool_], shape: tuple[int, int]) -> list[tuple[int, int]]:
    """Return the places of the patch at which it would only continue its neighbours' own patches."""
    rows, columns = shape
    side = np.arange(len(places))
    row = (places // columns - side[:, None]) % rows
    column = (places % columns - side) % columns
    return [divmod(int(k), columns) for k in np.unique((row * columns + column)[laid])]


def beyond_cut(difference: IntArray) -> NDArray[np.bool_]:
    """Return the (h, w) mask of cells on and right of the vertical path along which the difference is smallest."""
    cost = difference.astype(np.float64)
    for row in range(1, len(cost)):
        above = np.pad(cost[row - 1], 1, constant_values=np.inf)
        cost[row] += np.minimum(np.minimum(above[:-2], above[1:-1]), above[2:])
    cut = np.zeros(len(cost), np.int64)
    cut[-1] = cost[-1].argmin()
    for row in range(len(cost) - 2, -1, -1):
        first = max(cut[row + 1] - 1, 0)
        cut[row] = first + cost[row, first : cut[row + 1] + 2].argmin()
    return np.arange(cost.shape[1]) >= cut[:, None]


def seam_edges(places: IntArray, shape: tuple[int, int]) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Find where neighbours of a layout aren't neighbours in the exemplar.

    Args:
        places: (h, w) indices of the exemplar's cells.
        shape: Rows and columns of the exemplar.

    Returns:
        (h, w) whether there is a seam between each cell and the one to its right, and the one below it.
    """
    rows, columns = shape
    row, column = places // columns, places % columns
    right = (np.roll(row, -1, 1) != row) | (np.roll(column, -1, 1) != (column + 1) % columns)
    down = (np.roll(column, -1, 0) != column) | (np.roll(row, -1, 0) != (row + 1) % rows)
    return right, down


def seam_mask(right: NDArray[np.bool_], down: NDArray[np.bool_]) -> FloatArray:
    """Return 1 in the (h, w) cells on both sides of a seam, else 0."""
    touched = right | np.roll(right, 1, 1) | down | np.roll(down, 1, 0)
    return touched.astype(np.float32)


def even_out(levels: FloatArray, right: NDArray[np.bool_], down: NDArray[np.bool_], most: FloatArray) -> FloatArray:
    """Find smooth offsets that close small steps of brightness and height at seams.

    The offsets' gradient is as near as possible to the negative of each step at the seams and to zero elsewhere, in
    the sense of least squares on the torus (Perez et al. 2003, "Poisson Image Editing"). Steps far above `most` are
    edges of the material, which stay.

    Args:
        levels: (h, w, k) mean of each map in each cell.
        right: Seams to the right of each cell; see seam_edges.
        down: Seams below each cell.
        most: (k,) size of steps that are closed.

    Returns:
        (h, w, k) offsets of zero mean.
    """

    def wanted(axis: int, seams: NDArray[np.bool_]) -> NDArray[np.float64]:
        step = (np.roll(levels, -1, axis) - levels).astype(np.float64)
        return -step * np.exp(-((step / most) ** 2)) * seams[..., None]

    across, along = wanted(1, right), wanted(0, down)
    divergence = across - np.roll(across, 1, 1) + along - np.roll(along, 1, 0)
    rows, columns = levels.shape[:2]
    fy, fx = np.fft.fftfreq(rows)[:, None], np.fft.rfftfreq(columns)
    laplacian = 2 * np.cos(2 * np.pi * fy) + 2 * np.cos(2 * np.pi * fx) - 4
    laplacian[0, 0] = 1
    spectrum = np.fft.rfft2(divergence, axes=(0, 1)) / laplacian[..., None]
    spectrum[0, 0] = 0
    return np.fft.irfft2(spectrum, s=(rows, columns), axes=(0, 1)).astype(np.float32)
