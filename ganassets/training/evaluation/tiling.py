"""Measures of maps that should repeat without a seam, at any size. numpy only."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float32]

EVEN = 1e-6  # mean difference between neighbours below which a map is constant


def seam_ratio(maps: FloatArray, stride: int = 1) -> NDArray[np.float64]:
    """How much more a map changes across its border than at lines like it; 1 is no seam.

    The mean absolute difference across the wrapping border, of both axes, over the mean absolute difference across
    all lines between texels that are a multiple of the stride from the border, the border among them. A generator's
    coarse cells may show at all of these lines; that is no seam.

    Where a pattern has a joint at the border, as units that fit the map whole have, the ratio tells of the joint. Its
    mean is exactly 1 over maps that were moved by a random amount along both axes before something could leave a seam
    in them: of a generator, its noise map.

    Args:
        maps: (n, channels, h, w).
        stride: divides h and w; 1 compares with all lines.

    Returns:
        (n,), NaN for a map that is constant.
    """
    exact = maps.astype(np.float64)
    border, lines = np.zeros(len(maps)), np.zeros(len(maps))
    for axis in (2, 3):
        change = np.abs(exact - np.roll(exact, 1, axis))
        border += change.take(0, axis).mean((1, 2))
        lines += change.take(range(0, exact.shape[axis], stride), axis).mean((1, 2, 3))
    return np.divide(border, lines, out=np.full(len(maps), np.nan), where=lines > EVEN)


def normal_agreement(height: FloatArray, normal: FloatArray, texel_size: float) -> float:
    """Largest difference between a normal map and the normals of its height, by component.

    Args:
        height: (h, w) metres, wrapping.
        normal: (h, w, 3) unit vectors: right, up (against the rows), out of the surface.
        texel_size: metres that a texel is wide.
    """
    texels = height.astype(np.float64) / texel_size
    right, down = ((np.roll(texels, -1, axis) - np.roll(texels, 1, axis)) / 2 for axis in (1, 0))
    expected = np.stack([-right, down, np.ones_like(right)], -1)
    expected /= np.linalg.norm(expected, axis=-1, keepdims=True)
    return float(np.abs(normal - expected).max())


def equivariance(
    run: Callable[[FloatArray], Mapping[str, FloatArray]], noise: FloatArray, shift: Sequence[int]
) -> float:
    """Largest difference between the outputs of moved noise maps and the outputs moved as far.

    Args:
        run: noise maps (n, channels, h, w) -> outputs (n, channels, h, w) by name.
        noise: what to run.
        shift: rows and columns to move, multiples of the generator's stride.
    """
    still, moved = run(noise), run(np.roll(noise, shift, (2, 3)))
    return largest_difference({name: np.roll(values, shift, (2, 3)) for name, values in still.items()}, moved)


def largest_difference(a: Mapping[str, FloatArray], b: Mapping[str, FloatArray]) -> float:
    """Largest absolute difference between arrays of the same names and shapes."""
    return max(float(np.abs(values - b[name]).max()) for name, values in a.items())
