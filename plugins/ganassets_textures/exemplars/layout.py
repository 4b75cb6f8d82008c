"""Lay out cells of exemplars anew: the structure map that a material of the user's own starts from. numpy only.

An exemplar is a grid of cells. A layout names for each cell of a new material the exemplar's cell that it starts from.
Layouts are quilted (Efros and Freeman 2001, "Image Quilting for Texture Synthesis and Transfer") on a torus, so they
tile: patches are chosen by how well they continue what lies there, and cut where they differ least. Errors are sums of
whole numbers, which are exact, so a seed gives the same layout on every machine.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ganassets.api.latents import uniforms

from .cells import CELL

FloatArray = NDArray[np.float32]
IntArray = NDArray[np.int64]

# Cells along a patch, as a share of the exemplar's shorter side: of the smallest and the largest pieces; and least.
PATCH_SHARES, LEAST_PATCH = (0.25, 0.75), 8
# Overlap of neighbouring patches, as a share of a patch.
OVERLAP_SHARE = 2 / 5
# A patch is drawn from those whose error in the overlap is at most a tenth above the smallest.
TOLERANCE = 10
# Weight of the use of an exemplar's cells, in median errors. Without it plain parts are laid most often, because they
# fit everywhere.
OVERUSE = 0.1
# A patch continues its neighbours elsewhere in the exemplar than they do themselves, by more than this many cells;
# otherwise the whole layout would be one copy of the exemplar.
LEAST_JUMP = 3
# Largest patch, as a share of the layout, and of an exemplar that doesn't tile: larger ones leave too few places.
LARGEST_SHARE = 2 / 3
# Steepness of soft edges, and the places of a cell's texels between its centre and its neighbours' centres.
EDGE = 1.8
PLACES = tuple((k + 0.5) / CELL - 0.5 for k in range(CELL))
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


@dataclass(frozen=True, eq=False)
class Layout:
    """Cells laid on a torus: two at each place, blended texel by texel.

    Attributes:
        first: (rows, columns) index of a cell.
        second: (rows, columns) index of another cell.
        blend: (4 rows, 4 columns) share of the second, in [0, 1].
    """

    first: IntArray
    second: IntArray
    blend: FloatArray

    @property
    def upper(self) -> IntArray:
        """The (rows, columns) cell of the larger share."""
        return np.where(cell_means(self.blend) > 0.5, self.second, self.first)

    def shift(self, amount: int) -> Layout:
        """Return the layout with an amount added to all indices."""
        return Layout(self.first + amount, self.second + amount, self.blend)


def cover(below: Layout, above: Layout, share: FloatArray) -> Layout:
    """Lay a layout over another one.

    Two cells are kept at each place: in a transition, the upper one of each layout.

    Args:
        below: Layout below.
        above: Layout above.
        share: (4 rows, 4 columns) share of the layout above.
    """
    least, most = (f(share) for f in (cell_minima, cell_maxima))
    bare, hidden = most <= 0, least >= 1
    change = ~bare & ~hidden
    first = np.where(change, below.upper, np.where(bare, below.first, above.first))
    second = np.where(change, above.upper, np.where(bare, below.second, above.second))
    blend = np.where(spread(bare), below.blend, np.where(spread(hidden), above.blend, share))
    return Layout(first, second, blend.astype(np.float32))


def soften(mask: NDArray[np.bool_]) -> FloatArray:
    """Return the share at each texel of a (rows, columns) mask with soft edges, which wraps: (4 rows, 4 columns)."""
    values = mask.astype(np.float32)
    for axis in (0, 1):
        values = (np.roll(values, 1, axis) + 2 * values + np.roll(values, -1, axis)) / 4
    return np.clip((interpolate(values) - 0.5) * EDGE + 0.5, 0, 1).astype(np.float32)


def interpolate(values: NDArray[Any]) -> NDArray[Any]:
    """Interpolate (rows, columns) values of cells linearly at their texels, wrapping: (4 rows, 4 columns)."""
    for axis in (0, 1):
        before, after = np.roll(values, 1, axis), np.roll(values, -1, axis)
        parts = [values + (before - values) * (-t) if t < 0 else values + (after - values) * t for t in PLACES]
        values = np.stack(parts, axis + 1).reshape([n * (CELL if i == axis else 1) for i, n in enumerate(values.shape)])
    return values


def spread(cells: NDArray[Any]) -> NDArray[Any]:
    """Repeat (..., rows, columns) values of cells for each of their texels."""
    return cells.repeat(CELL, -2).repeat(CELL, -1)


def spread_indices(cells: IntArray) -> IntArray:
    """Return the indices of the texels of (n,) cells along an axis."""
    return (cells[:, None] * CELL + np.arange(CELL)).ravel()


def cell_means(texels: FloatArray) -> FloatArray:
    """Return the (rows, columns) mean of (4 rows, 4 columns) texels in each cell."""
    return _by_cell(texels).mean((1, 3))


def cell_minima(texels: FloatArray) -> FloatArray:
    """Return the smallest of the texels in each cell."""
    return _by_cell(texels).min((1, 3))


def cell_maxima(texels: FloatArray) -> FloatArray:
    """Return the largest of the texels in each cell."""
    return _by_cell(texels).max((1, 3))


def _by_cell(texels: FloatArray) -> FloatArray:
    height, width = texels.shape
    return texels.reshape(height // CELL, CELL, width // CELL, CELL)


class Quilt:
    """A layout in the making.

    Args:
        guide: Exemplar.
        size: Rows and columns of the layout.
        seed: Seed of the choices.
        pieces: Size of the pieces, 0 to 1.

    Attributes:
        layout: Cells laid so far.
        places: (rows, columns) upper cell, -1 where nothing lies yet.
    """

    def __init__(self, guide: Guide, size: tuple[int, int], seed: int, pieces: float) -> None:
        self.guide, self.size = guide, size
        self.side = min(guide.patch(pieces), *(max(int(length * LARGEST_SHARE), 1) for length in size))
        self.overlap = max(int(self.side * OVERLAP_SHARE), 1)
        blend = np.zeros([CELL * n for n in size], np.float32)
        self.layout = Layout(np.zeros(size, np.int64), np.zeros(size, np.int64), blend)
        self.places = np.full(size, -1, np.int64)
        self.used = np.zeros(guide.cells.shape[:2])
        self.cells = np.zeros((*size, guide.cells.shape[2]), np.int64)
        transform = np.fft.rfft2
        self.transformed = transform(guide.cells, axes=(0, 1))
        self.squares = transform((guide.cells**2).sum(2))
        step = max(self.side - self.overlap, 1)
        self.starts = [patch_starts(length, step) for length in size]
        self.numbers = iter(uniforms(seed, len(self.starts[0]) * len(self.starts[1]), LAYOUT_STREAM))

    def lay(self) -> Layout:
        """Lay all patches, row by row."""
        for top in self.starts[0]:
            for left in self.starts[1]:
                self.lay_patch(top, left)
        return self.layout

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
        self.used[np.ix_(y, x)] += keep
        self.blend_patch(window, y[:, None] * columns + x, keep, laid)
        self.places[window] = np.where(keep, y[:, None] * columns + x, self.places[window])
        self.cells[window] = np.where(keep[..., None], new, old)

    def blend_patch(
        self, window: tuple[IntArray, ...], patch: IntArray, keep: NDArray[np.bool_], laid: NDArray[np.bool_]
    ) -> None:
        """Lay a patch over the layout with soft edges, hard ones where nothing lay before.

        Args:
            window: Rows and columns of the patch.
            patch: (side, side) indices of its cells.
            keep: Cells that belong to the patch.
            laid: Cells that were laid before.
        """
        soft = soften(np.pad(keep, 1))[CELL:-CELL, CELL:-CELL]
        share = np.where(spread(laid), soft, 1).astype(np.float32)
        texels = np.ix_(*(spread_indices(index.ravel()) for index in window))
        layout = self.layout
        below = Layout(layout.first[window], layout.second[window], layout.blend[texels])
        covered = cover(below, Layout(patch, patch, np.zeros_like(share)), share)
        layout.first[window], layout.second[window] = covered.first, covered.second
        layout.blend[texels] = covered.blend

    def choose(self, places: IntArray, laid: NDArray[np.bool_], old: IntArray) -> tuple[int, int]:
        """Choose the row and column of the exemplar's patch that continues what is laid."""
        rows, columns = self.guide.cells.shape[:2]
        error = self.errors(laid, old)
        error += np.rint(OVERUSE * np.median(error) * self.mean_use())
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

    def mean_use(self) -> NDArray[np.float64]:
        """Return how often the exemplar's cells are laid already, on average over the patch at each place."""
        shape = self.used.shape
        patch = np.zeros(shape)
        patch[: self.side, : self.side] = 1
        total = np.fft.irfft2(np.fft.rfft2(self.used) * np.conj(np.fft.rfft2(patch)), s=shape)
        return np.rint(total) / self.side**2

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


def quilt(guide: Guide, size: tuple[int, int], seed: int, pieces: float = 0.5) -> Layout:
    """Quilt a layout of (rows, columns) cells from pieces of a size from 0 to 1."""
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
    bordered = np.full((len(difference), difference.shape[1] + 2), np.inf)
    cost = bordered[:, 1:-1]
    cost[:] = difference
    for row in range(1, len(cost)):
        above = bordered[row - 1]
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
