"""The noise map of a material from exemplars: white noise, a layout of cells, its seams and offsets. numpy only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ganassets.api.errors import InputError
from ganassets.api.latents import standard_normals

from .cells import BLEND, CELL, MAP_CHANNELS, NOISE_CHANNELS, OFFSETS, OTHER, PLACE, WHITE
from .layout import Guide, Layout, cover, even_out, interpolate, quilt, seam_edges, spread
from .sliders import PIECES, slider_value

FloatArray = NDArray[np.float32]
IntArray = NDArray[np.int64]

# Components that layouts are quilted by, and whole steps by unit of a component.
GUIDE_COMPONENTS = 8
GUIDE_STEPS = 300.0
# Steps at seams that are evened out: colours, units of height, roughness, metallic.
MOST_STEP = np.array([0.08, 0.08, 0.08, 0.5, 0.1, 0.1], np.float32)
# Materials of a smaller share are left out of a mixture.
LEAST_SHARE = 0.02
# Size of a mixture's patches, as a share of the map, and how far low places of the first material go to the next ones.
PATCHES, JOINTS = 0.12, 0.5
# Texels over which a mixture's patches end.
EDGE_TEXELS = 3.0
# Raggedness of the edges of a mixture's patches, and their steepness.
RAGGED, SHARPEN = 0.2, 2.0
# Streams of a seed's random numbers; see ganassets.api.latents.
WHITE_STREAM, MIXTURE_STREAM, EDGE_STREAM = 16, 21, 22
# Added to the seed for each further material of a mixture.
SEED_STEP = 0x9E3779B97F4A7C15


class Exemplars:
    """The exemplars that a model file carries.

    Args:
        arrays: Arrays of the file; see exemplar_arrays.

    Raises:
        InputError: The arrays don't belong together.
    """

    def __init__(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        if not fit_together(arrays):
            raise InputError("the model file carries damaged exemplars; copy or export it again.")
        self.arrays = arrays
        self.table: IntArray = arrays["exemplars"].astype(np.int64)  # first cell, rows, columns, tiles

    def __len__(self) -> int:
        return len(self.table)

    def shape(self, index: int) -> tuple[int, int]:
        """Return the rows and columns of an exemplar."""
        return int(self.table[index, 1]), int(self.table[index, 2])

    def guide(self, index: int) -> Guide:
        """Return what an exemplar's cells look like, in whole numbers."""
        rows, columns = self.shape(index)
        steps = np.rint(self.arrays["guide_scale"] * GUIDE_STEPS * self.codes(index))
        return Guide(steps.astype(np.int64).reshape(rows, columns, -1), bool(self.table[index, 3]))

    def codes(self, index: int) -> FloatArray:
        """Return the (n, 8) first components of an exemplar's cells, in whole steps."""
        first, (rows, columns) = int(self.table[index, 0]), self.shape(index)
        return self.arrays["guide"][first : first + rows * columns].astype(np.float32)

    def levels(self, index: int) -> FloatArray:
        """Return the (n, 6) mean of each map in an exemplar's cells."""
        return self.codes(index) @ self.arrays["level_factors"] + self.arrays["level_mean"]

    def texel_size(self, row: FloatArray) -> float:
        """Return the width of a texel in metres under physical conditions (c,)."""
        shares = row[: len(self)]
        return float(np.exp((shares * np.log(self.arrays["texel_size"])).sum() / max(shares.sum(), 1e-6)))


@dataclass(frozen=True, eq=False)
class Structure:
    """What a noise map says of the structure of a material.

    Attributes:
        layout: Cells, by their indices among those of all exemplars.
        offsets: (rows, columns, 6) offsets of the maps.
    """

    layout: Layout
    offsets: FloatArray

    def channels(self) -> FloatArray:
        """Return the (9, h, w) channels of the noise map after the white noise."""
        out = np.empty((NOISE_CHANNELS - 1, *self.layout.blend.shape), np.float32)
        for channel, values in ((PLACE, self.layout.first), (OTHER, self.layout.second)):
            out[channel.start - 1] = spread(values.astype(np.float32))
        out[BLEND.start - 1] = self.layout.blend
        out[OFFSETS.start - 1 :] = spread(self.offsets.transpose(2, 0, 1))
        return out


def fit_together(arrays: Mapping[str, NDArray[Any]]) -> bool:
    """Return whether arrays of a model file have the shapes and the range of exemplar_arrays."""
    shapes = {name: array.shape for name, array in arrays.items()}
    m, n = ((shapes.get(name) or (0,))[0] for name in ("exemplars", "guide"))
    expected = {
        "guide": (n, GUIDE_COMPONENTS),
        "guide_scale": (GUIDE_COMPONENTS,),
        "level_factors": (GUIDE_COMPONENTS, MAP_CHANNELS),
        "level_mean": (MAP_CHANNELS,),
        "exemplars": (m, 4),
        "texel_size": (m,),
    }
    if not m or any(shapes.get(name) != shape for name, shape in expected.items()):
        return False
    first, rows, columns = arrays["exemplars"].T[:3].astype(np.float64)
    inside = (first >= 0) & (rows >= 1) & (columns >= 1) & (first + rows * columns <= n)
    return bool(inside.all() and (arrays["texel_size"] > 0).all())


def exemplar_noise(seed: int, row: FloatArray, size: tuple[int, ...], arrays: Mapping[str, NDArray[Any]]) -> FloatArray:
    """Make the noise map of a seed.

    Args:
        seed: Seed of the layout and of the white noise.
        row: (c,) physical conditions: the materials' shares, then the sliders.
        size: (h, w) texels, multiples of a cell.
        arrays: Arrays of the model file.

    Returns:
        (10, h, w) float32, channels as in ganassets_textures.exemplars.cells.
    """
    exemplars = Exemplars(arrays)
    structure = mixed_structure(exemplars, row, (size[0] // CELL, size[1] // CELL), seed)
    out = np.empty((NOISE_CHANNELS, *size), np.float32)
    out[WHITE] = standard_normals(seed, size[0] * size[1], WHITE_STREAM).reshape(size)
    out[WHITE.stop :] = structure.channels()
    return out


def mixed_structure(exemplars: Exemplars, row: FloatArray, size: tuple[int, int], seed: int) -> Structure:
    """Return the structure of one material, or of a mixture of several that share the surface."""
    shares = np.maximum(row[: len(exemplars)], 0)
    chosen = np.flatnonzero(shares > LEAST_SHARE * max(shares.max(initial=0), 1e-9))
    chosen = chosen[np.argsort(-shares[chosen], kind="stable")] if len(chosen) else np.array([0])
    pieces = slider_value(row[len(exemplars) :].tolist(), PIECES)
    parts = [
        layout_structure(exemplars, int(index), size, (seed + k * SEED_STEP) % 2**63, pieces)
        for k, index in enumerate(chosen)
    ]
    mixed = parts[0]
    rank = surface_rank(exemplars, int(chosen[0]), mixed.layout, seed) if len(parts) > 1 else np.zeros(size)
    bounds = np.cumsum(shares[chosen]) / max(float(shares[chosen].sum()), 1e-9)
    for part, bound in zip(parts[1:], bounds, strict=False):
        share = ragged_edges(share_above(interpolate(rank), float(bound)), seed)
        offsets = np.where((rank >= bound)[..., None], part.offsets, mixed.offsets)
        mixed = Structure(cover(mixed.layout, part.layout, share), offsets)
    return mixed


def layout_structure(exemplars: Exemplars, index: int, size: tuple[int, int], seed: int, pieces: float) -> Structure:
    """Return the structure of one exemplar in a new layout."""
    layout = quilt(exemplars.guide(index), size, seed, pieces)
    upper = layout.upper
    seams = seam_edges(upper, exemplars.shape(index))
    offsets = even_out(exemplars.levels(index)[upper], *seams, MOST_STEP)
    return Structure(layout.shift(int(exemplars.table[index, 0])), offsets)


def surface_rank(exemplars: Exemplars, index: int, layout: Layout, seed: int) -> NDArray[np.float64]:
    """Rank the cells by how late another material takes them: (rows, columns) in [0, 1).

    Smooth noise decides, and low places of the first material (joints, hollows) are taken before its high ones.

    Args:
        exemplars: All exemplars.
        index: Index of the first material.
        layout: Its layout.
        seed: Seed of the noise.
    """
    height = exemplars.levels(index)[layout.upper - exemplars.table[index, 0], 3]
    size = height.shape
    noise = standard_normals(seed, size[0] * size[1], MIXTURE_STREAM).reshape(size)
    waves = np.hypot(np.fft.fftfreq(size[0])[:, None] * size[0], np.fft.rfftfreq(size[1]) * size[1])
    smooth = np.fft.irfft2(np.fft.rfft2(noise) * np.exp(-((waves * PATCHES) ** 2)), s=size)
    field = smooth / max(float(smooth.std()), 1e-9) + JOINTS * height / max(float(height.std()), 1e-3)
    # Whole numbers, so that another machine's last digit changes nothing.
    order = np.argsort(np.rint(-field * 2**20).ravel(), kind="stable")
    rank = np.empty(field.size)
    rank[order] = np.arange(field.size) / field.size
    return rank.reshape(size)


def share_above(rank: NDArray[np.float64], bound: float) -> FloatArray:
    """Return the share of each texel that lies above a bound of a (h, w) rank: soft over some texels at the edge."""
    slopes = [(np.roll(rank, -1, axis) - np.roll(rank, 1, axis)) / 2 for axis in (0, 1)]
    distance = (rank - bound) / np.maximum(np.hypot(*slopes), 1e-6)
    return np.clip(distance / EDGE_TEXELS + 0.5, 0, 1).astype(np.float32)


def ragged_edges(share: FloatArray, seed: int) -> FloatArray:
    """Make the soft edges of a (h, w) share ragged, texel by texel."""
    noise = standard_normals(seed, share.size, EDGE_STREAM).reshape(share.shape)
    edge = (share > 0) & (share < 1)
    return np.where(edge, np.clip((share - 0.5 + RAGGED * noise) * SHARPEN + 0.5, 0, 1), share).astype(np.float32)


def exemplar_arrays(
    codes: FloatArray,
    steps: FloatArray,
    factors: FloatArray,
    mean: FloatArray,
    exemplars: FloatArray,
    texel_size: FloatArray,
) -> dict[str, NDArray[Any]]:
    """Return the arrays that the model file carries.

    Args:
        codes: (n, 8) first components of all exemplars' cells, in whole steps.
        steps: (8,) size of a step of each.
        factors: (8, 6) and mean: (6,) how the mean of each map follows from the first codes; see level_matrix.
        mean: See factors.
        exemplars: (m, 4) first cell, rows, columns, and whether it tiles, of each exemplar.
        texel_size: (m,) width of a texel in metres.
    """
    assert factors.shape[1] == MAP_CHANNELS
    return {
        "guide": codes,
        "guide_scale": steps,
        "level_factors": factors,
        "level_mean": mean,
        "exemplars": exemplars,
        "texel_size": texel_size,
    }
