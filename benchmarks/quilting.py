"""Quilt a texture from patches of an example, the usual method before networks.

Source: Efros and Freeman 2001, "Image Quilting for Texture Synthesis and Transfer".
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.signal import fftconvolve

FloatArray = NDArray[np.float32]

# A patch is drawn from those whose error in the overlap is at most this share above the smallest.
TOLERANCE = 0.1


def quilted(example: FloatArray, size: int, rng: np.random.Generator, patch: int = 32, overlap: int = 8) -> FloatArray:
    """Quilt a (size, size, channels) texture from an (h, w, channels) example that is at least a patch large.

    Patches are laid in rows, each chosen among those that fit what lies there already, and cut where they differ least.
    """
    step = patch - overlap
    count = -(-(size - overlap) // step)
    out = np.zeros((count * step + overlap, count * step + overlap, example.shape[2]), np.float32)
    for y in range(0, count * step, step):
        for x in range(0, count * step, step):
            place = out[y : y + patch, x : x + patch]
            laid = np.zeros((patch, patch), np.bool_)
            laid[:overlap] |= y > 0
            laid[:, :overlap] |= x > 0
            found = fitting_patch(example, place, laid, rng)
            difference = ((found - place) ** 2).sum(2)
            new = np.ones((patch, patch), np.bool_)
            if x:
                new[:, :overlap] &= beyond_cut(difference[:, :overlap])
            if y:
                new[:overlap] &= beyond_cut(difference[:overlap].T).T
            place[new] = found[new]
    return out[:size, :size]


def fitting_patch(
    example: FloatArray, place: FloatArray, laid: NDArray[np.bool_], rng: np.random.Generator
) -> FloatArray:
    """A patch of the example that is close to the place where that is laid already."""
    weights = laid[::-1, ::-1, None].astype(np.float32)
    # The sum of squared differences at every position of the patch, up to a constant.
    squares = fftconvolve((example**2).sum(2, keepdims=True), weights, "valid", axes=(0, 1))
    products = fftconvolve(example, place[::-1, ::-1] * weights, "valid", axes=(0, 1)).sum(2, keepdims=True)
    error = np.maximum(squares - 2 * products + (place[laid] ** 2).sum(), 0)[..., 0]
    rows, columns = np.nonzero(error <= (1 + TOLERANCE) * error.min() + 1e-6)
    pick = int(rng.integers(len(rows)))
    top, left = rows[pick], columns[pick]
    return example[top : top + len(place), left : left + place.shape[1]]


def beyond_cut(difference: FloatArray) -> NDArray[np.bool_]:
    """Mask (h, w) texels on and right of the vertical path along which the (h, w) difference is smallest."""
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
