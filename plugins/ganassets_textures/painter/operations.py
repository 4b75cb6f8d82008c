"""Operations on maps that wrap at their borders, and colours."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.floating]  # float32 throughout; plain numbers keep it so
Value = float | FloatArray
ROOT2 = 2**0.5


def roll(values: FloatArray, down: int, right: int) -> FloatArray:
    """Values moved by whole texels."""
    return np.roll(values, (down, right), (0, 1))


def upsample(values: FloatArray, axis: int) -> FloatArray:
    """Twice as many values along an axis, by the mask of quadratic B-splines (Chaikin 1974)."""
    near, quarter = values * 0.75, values * 0.25
    before, after = near + np.roll(quarter, 1, axis), near + np.roll(quarter, -1, axis)
    shape = list(values.shape)
    shape[axis] *= 2
    return np.stack([before, after], axis + 1).reshape(shape)


def slopes(values: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Change by texel to the right and downwards, by central differences."""
    half = 0.5
    return (roll(values, 0, -1) - roll(values, 0, 1)) * half, (roll(values, -1, 0) - roll(values, 1, 0)) * half


def blur(values: FloatArray) -> FloatArray:
    """Values averaged over 3 x 3 texels by the binomial weights."""
    rows = values * 0.5 + (roll(values, 1, 0) + roll(values, -1, 0)) * 0.25
    return rows * 0.5 + (roll(rows, 0, 1) + roll(rows, 0, -1)) * 0.25


def contours(values: FloatArray, width: Value) -> FloatArray:
    """1 on the zero contour of the values, falling to 0 at that many texels beside it."""
    dx, dy = slopes(values)
    away = np.abs(values) / (np.hypot(dx, dy) + 0.01)
    return smoothstep(width, 0.0, away)


def streaks(values: FloatArray, down: int, right: int, doublings: int) -> FloatArray:
    """Sum of 2**doublings values along a direction, by its root: keeps the variance of white noise."""
    for k in range(doublings):
        values = (values + roll(values, down << k, right << k)) / ROOT2
    return values


def strokes(seeds: FloatArray, direction: tuple[float, float], doublings: int, taper: float) -> FloatArray:
    """Each seed drawn out along a direction for 2**doublings steps, losing `taper` a step; the highest one counts.

    Args:
        seeds: height of a stroke's start; those below 0 draw nothing that shows.
        direction: (down, right) of a step, texels.
        doublings: of the length.
        taper: what a step takes away.
    """
    for k in range(doublings):
        down, right = (round(part * 2**k) for part in direction)
        seeds = np.maximum(seeds, roll(seeds, down, right) - (taper * 2**k))
    return seeds


def smoothstep(low: Value, high: Value, values: Value) -> FloatArray:
    """Smooth step: 0 at low, 1 at high, either way round."""
    t = np.clip((values - np.asarray(low, np.float32)) / np.asarray(high - low, np.float32), 0, 1)
    return t * t * (3 - 2 * t)


def mix(a: Value, b: Value, cover: Value) -> FloatArray:
    """A where the cover is 0, b where it is 1."""
    return np.asarray(a + (b - a) * cover, np.float32)


def between(z: float, low: float, high: float) -> float:
    """A standard normal number to one between two bounds, evenly spread."""
    return low + (high - low) * float(0.5 + 0.5 * np.tanh(0.8 * z))


def hsl(hue: float, saturation: float, lightness: float) -> FloatArray:
    """(3, 1, 1) sRGB of a hue (turns), saturation and lightness; the last two are clipped to [0, 1].

    The formula is that of CSS Color Module Level 4, section 7.1.
    """
    saturation, lightness = min(max(saturation, 0.0), 1.0), min(max(lightness, 0.0), 1.0)
    k = (np.array([0.0, 8.0, 4.0]) + 12 * hue) % 12
    bend = np.clip(np.minimum(k - 3, 9 - k), -1, 1)
    return (lightness - saturation * min(lightness, 1 - lightness) * bend).astype(np.float32).reshape(3, 1, 1)


def dome(distance: FloatArray, radius: Value) -> FloatArray:
    """Rounded profile from an edge: 0 at distance 0, 1 from the radius on."""
    t = np.clip(distance / np.asarray(radius, np.float32), 0, 1)
    return np.sqrt(t * (2 - t))
