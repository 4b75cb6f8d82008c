"""Heights from height maps and normal maps. numpy only.

Slopes are (2, h, w): how much the surface rises from texel to texel, to the right and down the rows, without unit.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float32]

# Root mean square of the slopes of a height map that comes without a normal map, so without scale. Among 76 sets with
# normal maps half lie between 0.07 (plaster, polished metal) and 0.4 (cobbles, rock), the median at 0.22.
USUAL_SLOPE = 0.25
HIGHEST = 16.0  # texels
STEEPEST = 8.0
CLEAR = 0.1  # correlations below tell nothing


def slopes_of_normals(colour: FloatArray) -> FloatArray:
    """(2, h, w) slopes of a normal map (3, h, w) in [0, 1] whose green points up (OpenGL)."""
    x, y, z = 2 * colour - 1
    return np.clip(np.stack([-x, y]) / np.maximum(z, 1e-3), -STEEPEST, STEEPEST)


def slopes_of_height(height: FloatArray) -> FloatArray:
    """(2, h, w) slopes of (h, w) heights in texels, by central differences."""
    down, right = np.gradient(height)
    return np.stack([right, down])


def correlation(a: FloatArray, b: FloatArray) -> float:
    """Of two arrays of the same shape; 0 where one of them is constant."""
    a, b = a - a.mean(), b - b.mean()
    norm = float(np.sqrt((a * a).sum(dtype=np.float64) * (b * b).sum(dtype=np.float64)))
    return float((a * b).sum(dtype=np.float64)) / norm if norm > 0 else 0.0


def is_directx_slopes(slopes: FloatArray, height: FloatArray | None) -> bool:
    """Whether slopes that were read as OpenGL come from a DirectX map.

    A height map says so where its slopes down the rows go against the normal map's, and those to the right don't (both
    against: it holds depths). Without one the field tells: only the right sign makes it the gradient of a surface,
    whose slope to the right changes down the rows as its slope down the rows changes to the right (no curl).
    """
    if height is not None:
        right, down = (correlation(*pair) for pair in zip(slopes, slopes_of_height(height), strict=True))
        if abs(down) > CLEAR:
            return down * (right if abs(right) > CLEAR else 1) < 0
    return correlation(np.gradient(slopes[0], axis=0), np.gradient(slopes[1], axis=1)) < -CLEAR


def integrate(slopes: FloatArray, wraps: bool) -> FloatArray:
    """(h, w) heights in texels, zero mean, whose slopes are nearest to the given ones in the sense of least squares.

    Source: Frankot and Chellappa, "A Method for Enforcing Integrability in Shape from Shading Algorithms" (1988).
    A material lies level, so the mean slopes are taken out first.

    Args:
        slopes: (2, h, w).
        wraps: whether the surface repeats; else it is mirrored at its borders, which makes it repeat.
    """
    h, w = slopes.shape[1:]
    right, down = slopes - slopes.mean((1, 2), keepdims=True)
    if not wraps:
        right, down = mirror_field(right, -1, 1), mirror_field(down, 1, -1)
    turn_x = 2 * np.pi * np.fft.rfftfreq(right.shape[1])[None]
    turn_y = 2 * np.pi * np.fft.fftfreq(right.shape[0])[:, None]
    power = turn_x**2 + turn_y**2
    power[0, 0] = 1
    spectrum = -1j * (turn_x * np.fft.rfft2(right) + turn_y * np.fft.rfft2(down)) / power
    spectrum[0, 0] = 0
    height = np.fft.irfft2(spectrum, s=right.shape)[:h, :w]
    return (height - height.mean()).astype(np.float32)


def mirror_field(array: FloatArray, sign_x: int, sign_y: int) -> FloatArray:
    """(2 h, 2 w): an (h, w) array and its mirror images, times a sign where it is mirrored along that axis."""
    wide = np.concatenate([array, sign_x * array[:, ::-1]], axis=1)
    return np.concatenate([wide, sign_y * wide[::-1]])


def is_same_surface(height: FloatArray, slopes: FloatArray) -> bool:
    """Whether a height map (h, w) shows the surface that the slopes (2, h, w) of a normal map do."""
    return abs(correlation(slopes_of_height(height), slopes)) > CLEAR


def scale_height(height: FloatArray, slopes: FloatArray | None) -> FloatArray:
    """A height map in texels, zero mean.

    Height maps have no scale of their own. The normal map gives it: least squares between its slopes and the height's
    (which turns depths around as well). Without one the slopes are made the usual ones.

    Args:
        height: (h, w) in [0, 1].
        slopes: (2, h, w) of the normal map that belongs to it, or None.
    """
    height = height - height.mean()
    own = slopes_of_height(height)
    power = float((own * own).sum(dtype=np.float64))
    if power == 0:
        return height
    if slopes is None:
        return height * np.float32(USUAL_SLOPE / np.sqrt(power / height.size))
    return height * np.float32((own * slopes).sum(dtype=np.float64) / power)


def tiles(array: NDArray) -> bool:
    """Whether (h, w, ...) repeats without a seam: across the border neighbours differ less than twice as much as
    neighbours inside do on the average, in both directions.
    """
    values = np.asarray(array, np.float32)
    for axis in (0, 1):
        across = np.abs(values.take(0, axis) - values.take(-1, axis)).mean()
        if across > 2 * np.abs(np.diff(values, axis=axis)).mean():
            return False
    return True
