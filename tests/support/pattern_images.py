"""Grey and coloured patterns whose structure is known: stripes, checkers, walls and noise."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float32]


def stripes(count: int, size: int, period: int, seed: int = 0) -> FloatArray:
    """Make (count, size, size) horizontal stripes in [0, 1] at random places."""
    rng = np.random.default_rng(seed)
    rows = (np.arange(size) + rng.integers(0, period, (count, 1))) % period
    return np.repeat((rows < period // 4).astype(np.float32)[..., None], size, 2)


def checkers(count: int, size: int, period: int, seed: int = 0) -> FloatArray:
    """Make (count, size, size) checkers in [0, 1] at random places."""
    across = stripes(count, size, period, seed)
    down = stripes(count, size, period, seed + 1).transpose(0, 2, 1)
    return (across + down) % 2


def walls(count: int, size: int, course: int = 12, brick: int = 24, seed: int = 0) -> FloatArray:
    """Make (count, size, size) walls in [0, 1] at random places: bricks of random shades, and light joints."""
    rng = np.random.default_rng(seed)
    made = []
    for _ in range(count):
        y = np.arange(size)[:, None] + rng.integers(0, 2 * course)
        x = np.arange(size)[None] + rng.integers(0, brick) + y // course % 2 * (brick // 2)
        shades = 0.3 + 0.15 * rng.random((size // course + 4, size // brick + 4))
        bricks = shades[(y // course) % len(shades), (x // brick) % shades.shape[1]]
        joints = (y % course < 2) | (x % brick < 2)
        made.append(np.where(joints, 0.9, bricks))
    return np.stack(made).astype(np.float32)


def clouds(count: int, size: int, steepness: float = 1.0, seed: int = 0) -> FloatArray:
    """Make (count, size, size) noise in [0, 1]; its amplitude falls with the frequency to the power of steepness."""
    rng = np.random.default_rng(seed)
    frequency = np.hypot(np.fft.fftfreq(size)[:, None], np.fft.rfftfreq(size)[None])
    frequency[0, 0] = np.inf
    spectrum = np.fft.rfft2(rng.normal(size=(count, size, size))) * frequency**-steepness
    noise = np.fft.irfft2(spectrum, (size, size))
    return (0.5 + 0.15 * noise / noise.std((1, 2), keepdims=True)).clip(0, 1).astype(np.float32)


def tint(planes: FloatArray, dark: tuple[float, float, float], light: tuple[float, float, float]) -> FloatArray:
    """Colour (n, h, w) planes: (n, 3, h, w) from dark at 0 to light at 1."""
    low, high = (np.array(colour, np.float32)[None, :, None, None] for colour in (dark, light))
    return np.asarray(low + (high - low) * planes[:, None], np.float32)
