"""Measure whether maps repeat without a seam, at any size, with numpy only."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float32]

# Mean difference between neighbours below which a map counts as constant.
EVEN = 1e-6


def seam_ratio(maps: FloatArray, stride: int = 1) -> NDArray[np.float64]:
    """Compare how much a map changes across its border with how much it changes across similar lines.

    The ratio is the mean absolute difference across the wrapping border, over the mean absolute difference across all
    lines whose distance from the border is a multiple of the stride, the border included. A generator's coarse cells
    may show at all of these lines; that is no seam.

    A pattern may have a joint at the border, as bricks that fit the map exactly do; the ratio then includes the joint.
    The mean over maps that were shifted randomly along both axes before a seam could arise is exactly 1. For a
    generator, shift its noise map.

    Args:
        maps: (n, channels, h, w).
        stride: Divisor of h and w; 1 compares with all lines.

    Returns:
        (n,) ratios, 1 without a seam; NaN for a constant map.
    """
    exact = maps.astype(np.float64)
    border, lines = np.zeros(len(maps)), np.zeros(len(maps))
    for axis in (2, 3):
        change = np.abs(exact - np.roll(exact, 1, axis))
        border += change.take(0, axis).mean((1, 2))
        lines += change.take(range(0, exact.shape[axis], stride), axis).mean((1, 2, 3))
    return np.divide(border, lines, out=np.full(len(maps), np.nan), where=lines > EVEN)


def normal_agreement(height: FloatArray, normal: FloatArray, texel_size: float) -> float:
    """Return the largest difference between a normal map and the normals of its height map, over all components.

    Args:
        height: (h, w) metres, wrapping.
        normal: (h, w, 3) unit vectors: right, up (against the rows), out of the surface.
        texel_size: Width of a texel in metres.
    """
    texels = height.astype(np.float64) / texel_size
    right, down = ((np.roll(texels, -1, axis) - np.roll(texels, 1, axis)) / 2 for axis in (1, 0))
    expected = np.stack([-right, down, np.ones_like(right)], -1)
    expected /= np.linalg.norm(expected, axis=-1, keepdims=True)
    return float(np.abs(normal - expected).max())


def equivariance(
    run: Callable[[FloatArray], Mapping[str, FloatArray]], noise: FloatArray, shift: Sequence[int]
) -> float:
    """Return the largest difference between the outputs of shifted noise maps and the shifted outputs.

    Args:
        run: Maps noise (n, channels, h, w) to outputs (n, channels, h, w) by name.
        noise: Noise maps.
        shift: Rows and columns to shift by, multiples of the generator's stride.
    """
    still, moved = run(noise), run(np.roll(noise, shift, (2, 3)))
    return largest_difference({name: np.roll(values, shift, (2, 3)) for name, values in still.items()}, moved)


def largest_difference(a: Mapping[str, FloatArray], b: Mapping[str, FloatArray]) -> float:
    """Return the largest absolute difference between arrays of the same names and shapes."""
    return max(float(np.abs(values - b[name]).max()) for name, values in a.items())
