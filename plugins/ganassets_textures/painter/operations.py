"""Operations on maps that wrap at their borders, and colours."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.floating]  # float32 throughout; plain numbers keep it so
Value = float | FloatArray


def roll(values: FloatArray, down: int, right: int) -> FloatArray:
    """Shift values by whole texels."""
    return np.roll(values, (down, right), (0, 1))


def upsample(values: FloatArray, axis: int) -> FloatArray:
    """Double the values along an axis, by the mask of quadratic B-splines (Chaikin 1974)."""
    near, quarter = values * 0.75, values * 0.25
    before, after = near + np.roll(quarter, 1, axis), near + np.roll(quarter, -1, axis)
    shape = list(values.shape)
    shape[axis] *= 2
    return np.stack([before, after], axis + 1).reshape(shape)


def slopes(values: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return the change by texel to the right and downwards, by central differences."""
    half = 0.5
    return (roll(values, 0, -1) - roll(values, 0, 1)) * half, (roll(values, -1, 0) - roll(values, 1, 0)) * half


def blur(values: FloatArray) -> FloatArray:
    """Average values over 3 x 3 texels by the binomial weights."""
    rows = values * 0.5 + (roll(values, 1, 0) + roll(values, -1, 0)) * 0.25
    return rows * 0.5 + (roll(rows, 0, 1) + roll(rows, 0, -1)) * 0.25


def contours(values: FloatArray, width: Value) -> FloatArray:
    """Draw the zero contour of values: 1 on it, falling to 0 at a width in texels beside it."""
    dx, dy = slopes(values)
    away = np.abs(values) / (np.hypot(dx, dy) + 0.01)
    return smoothstep(width, 0.0, away)


def smoothstep(low: Value, high: Value, values: Value) -> FloatArray:
    """Return a smooth step: 0 at low, 1 at high; low may be the larger one."""
    t = np.clip((values - np.asarray(low, np.float32)) / np.asarray(high - low, np.float32), 0, 1)
    return t * t * (3 - 2 * t)


def mix(a: Value, b: Value, cover: Value) -> FloatArray:
    """Mix two values: a where the cover is 0, b where it is 1."""
    return np.asarray(a + (b - a) * cover, np.float32)


def between(z: float, low: float, high: float) -> float:
    """Map a standard normal number about evenly to a range."""
    return low + (high - low) * float(0.5 + 0.5 * np.tanh(0.8 * z))


def hsl(hue: float, saturation: float, lightness: float) -> FloatArray:
    """Return the (3, 1, 1) sRGB of a hue (turns), saturation and lightness; the last two are clipped to [0, 1].

    The formula is that of CSS Color Module Level 4, section 7.1.
    """
    saturation, lightness = min(max(saturation, 0.0), 1.0), min(max(lightness, 0.0), 1.0)
    k = (np.array([0.0, 8.0, 4.0]) + 12 * hue) % 12
    bend = np.clip(np.minimum(k - 3, 9 - k), -1, 1)
    return (lightness - saturation * min(lightness, 1 - lightness) * bend).astype(np.float32).reshape(3, 1, 1)


def dome(distance: FloatArray, radius: Value) -> FloatArray:
    """Return a rounded profile: 0 at distance 0 from an edge, 1 from the radius on."""
    t = np.clip(distance / np.asarray(radius, np.float32), 0, 1)
    return np.sqrt(t * (2 - t))
