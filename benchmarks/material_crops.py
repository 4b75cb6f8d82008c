"""Cut random parts out of the albedo of material sets."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import zoom

from ganassets_textures.sets import MaterialSet

FloatArray = NDArray[np.float32]

# Share of the parts of a tiling set that show all of it, if its size is a multiple of a part's.
WHOLE_SHARE = 0.4


def crop_albedo(source: MaterialSet, size: int, rng: np.random.Generator) -> FloatArray:
    """Cut a random part out of a set's albedo, reduced and mirrored at random.

    Args:
        source: Material set.
        size: Texels along a side of the part.
        rng: Random state.

    Returns:
        (3, size, size) sRGB in [0, 1].
    """
    albedo = source.albedo.transpose(2, 0, 1) * np.float32(1 / 255)
    rows, columns = albedo.shape[1:]
    shorter = min(rows, columns)
    if source.tiles and rows == columns and shorter % size == 0 and rng.random() < WHOLE_SHARE:
        return mirror(reduce_map(albedo, shorter // size), rng)
    factor = int(rng.integers(1, max(shorter // size, 1) + 1)) if shorter >= 2 * size else 1
    albedo = enlarge_map(reduce_map(albedo, min(factor, 2)), size)
    rows, columns = albedo.shape[1:]
    top, left = int(rng.integers(0, rows - size + 1)), int(rng.integers(0, columns - size + 1))
    return mirror(albedo[:, top : top + size, left : left + size], rng)


def reduce_map(values: FloatArray, factor: int) -> FloatArray:
    """Average (channels, h, w) over factor x factor texels."""
    if factor == 1:
        return values
    channels, rows, columns = values.shape
    rows, columns = rows // factor, columns // factor
    blocks = values[:, : rows * factor, : columns * factor].reshape(channels, rows, factor, columns, factor)
    return blocks.mean((2, 4), dtype=np.float32)


def enlarge_map(values: FloatArray, size: int) -> FloatArray:
    """Enlarge (channels, h, w) linearly until its shorter side is the size."""
    factor = size / min(values.shape[1:])
    if factor <= 1:
        return values
    return np.asarray(zoom(values, (1, factor, factor), order=1, mode="nearest", grid_mode=True), np.float32)


def mirror(values: FloatArray, rng: np.random.Generator) -> FloatArray:
    """Mirror (channels, h, w) along each axis at random."""
    steps = rng.choice([1, -1], 2)
    return values[:, :: steps[0], :: steps[1]]
