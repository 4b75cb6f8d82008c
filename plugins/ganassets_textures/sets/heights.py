"""Heights from height maps and normal maps, with numpy alone.

Slopes are (2, h, w) and have no unit: the rise of the surface from texel to texel, to the right and down the rows.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float32]

# Root mean square slope that a height map without a normal map is scaled to. Among 76 sets with normal maps half lie
# between 0.07 (plaster, polished metal) and 0.4 (cobbles, rock), with a median of 0.22.
USUAL_SLOPE = 0.25
MAX_HEIGHT = 16.0  # texels
MAX_SLOPE = 8.0
MIN_CORRELATION = 0.1  # weaker correlations are not significant


def slopes_of_normals(colour: FloatArray) -> FloatArray:
    """Return the (2, h, w) slopes of a normal map (3, h, w) in [0, 1] whose green points up (OpenGL)."""
    x, y, z = 2 * colour - 1
    return np.clip(np.stack([-x, y]) / np.maximum(z, 1e-3), -MAX_SLOPE, MAX_SLOPE)


def slopes_of_height(height: FloatArray) -> FloatArray:
    """Return the (2, h, w) slopes of (h, w) heights in texels, by central differences."""
    down, right = np.gradient(height)
    return np.stack([right, down])


def correlation(a: FloatArray, b: FloatArray) -> float:
    """Return the correlation of two arrays of one shape; 0 where one of them is constant."""
    a, b = a - a.mean(), b - b.mean()
    norm = float(np.sqrt((a * a).sum(dtype=np.float64) * (b * b).sum(dtype=np.float64)))
    return float((a * b).sum(dtype=np.float64)) / norm if norm > 0 else 0.0


def is_directx_slopes(slopes: FloatArray, height: FloatArray | None) -> bool:
    """Return whether slopes that were read as OpenGL come from a DirectX map.

    With a height map: the map is DirectX if the height's slopes down the rows oppose the normal map's and those to the
    right don't. (If both oppose, the height map holds depths.) Without one: slopes of a surface have no curl, so the
    change down the rows of the slope to the right equals the change to the right of the slope down the rows; a DirectX
    map has the opposite sign.

    Args:
        slopes: (2, h, w).
        height: (h, w) height map, or None.
    """
    if height is not None:
        right, down = (correlation(*pair) for pair in zip(slopes, slopes_of_height(height), strict=True))
        if abs(down) > MIN_CORRELATION:
            return down * (right if abs(right) > MIN_CORRELATION else 1) < 0
    return correlation(np.gradient(slopes[0], axis=0), np.gradient(slopes[1], axis=1)) < -MIN_CORRELATION


def integrate(slopes: FloatArray, wraps: bool) -> FloatArray:
    """Integrate slopes to heights by least squares.

    A material lies level, so the mean slopes are removed first.
    Source: Frankot and Chellappa, "A Method for Enforcing Integrability in Shape from Shading Algorithms" (1988).

    Args:
        slopes: (2, h, w).
        wraps: Whether the surface repeats; otherwise it is mirrored at its borders, which makes it repeat.

    Returns:
        (h, w) heights in texels, zero mean.
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
    """Extend a component of a slope field to a mirrored surface.

    Args:
        array: (h, w) values.
        sign_x: Factor of the values mirrored along x.
        sign_y: Factor of the values mirrored along y.

    Returns:
        (2 h, 2 w).
    """
    wide = np.concatenate([array, sign_x * array[:, ::-1]], axis=1)
    return np.concatenate([wide, sign_y * wide[::-1]])


def is_same_surface(height: FloatArray, slopes: FloatArray) -> bool:
    """Return whether a height map (h, w) and the slopes (2, h, w) of a normal map show the same surface."""
    return abs(correlation(slopes_of_height(height), slopes)) > MIN_CORRELATION


def scale_height(height: FloatArray, slopes: FloatArray | None) -> FloatArray:
    """Scale a height map to texels.

    Height maps have no scale of their own. The normal map gives it, by least squares between its slopes and the
    height's, which also turns depths into heights. Without a normal map the slopes get a usual strength.

    Args:
        height: (h, w) in [0, 1].
        slopes: (2, h, w) of the normal map of the same surface, or None.

    Returns:
        (h, w) texels, zero mean.
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
    """Return whether (h, w, ...) repeats without a seam.

    Neighbours across the border differ less than twice as much as neighbours inside do on average, in both directions.
    """
    values = np.asarray(array, np.float32)
    for axis in (0, 1):
        across = np.abs(values.take(0, axis) - values.take(-1, axis)).mean()
        if across > 2 * np.abs(np.diff(values, axis=axis)).mean():
            return False
    return True
