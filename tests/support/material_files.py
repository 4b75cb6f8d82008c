"""Small material sets as files, for tests."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

SIZE = 96


def hills(size: int = SIZE, tiling: bool = True) -> np.ndarray:
    """Return (size, size) float64 heights in texels, with slopes of about 0.3 in both directions and no symmetry."""
    row, column = np.mgrid[:size, :size] * (2 * np.pi / size)
    height = np.sin(3 * column + 0.5) + 0.8 * np.sin(2 * row) + 0.6 * np.cos(2 * column + 3 * row) + 0.3 * np.cos(row)
    ramp = 0 if tiling else 3 * np.sin(row / 2 - 0.3) * np.cos(column / 2 + 0.4)
    height = (height + ramp) * size / 48
    return height - height.mean()


def normals(height: np.ndarray, directx: bool = False) -> np.ndarray:
    """Return the (h, w, 3) uint8 normal map of heights that repeat."""
    right = (np.roll(height, -1, 1) - np.roll(height, 1, 1)) / 2
    down = (np.roll(height, -1, 0) - np.roll(height, 1, 0)) / 2
    vectors = np.stack([-right, -down if directx else down, np.ones_like(height)], -1)
    vectors /= np.linalg.norm(vectors, axis=-1, keepdims=True)
    return np.rint((vectors + 1) * 127.5).astype(np.uint8)


def colours(size: tuple[int, int] = (SIZE, SIZE), seed: int = 0, tiling: bool = True) -> np.ndarray:
    """Return (h, w, 3) uint8 noise around a brown, brighter towards right and bottom if it doesn't tile."""
    noise = np.random.default_rng(seed).normal(0, 3, (*size, 1))
    ramp = 0 if tiling else np.linspace(-40, 40, size[0])[:, None, None] + np.linspace(-40, 40, size[1])[None, :, None]
    return np.clip(np.array([150, 100, 60]) + noise + ramp, 0, 255).astype(np.uint8)


def grey(value: int | np.ndarray, size: int = SIZE) -> np.ndarray:
    """Return a (size, size) uint8 map of a value."""
    return np.broadcast_to(np.asarray(value, np.uint8), (size, size)).copy()


def to_full_range(height: np.ndarray, dtype: type = np.uint8) -> np.ndarray:
    """Scale heights to the full range of an integer type."""
    shares = (height - height.min()) / np.ptp(height)
    return np.rint(shares * np.iinfo(dtype).max).astype(dtype)


def save(path: Path, pixels: np.ndarray, **options: Any) -> Path:
    """Write an image in the format of its suffix, and create its folder."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path, **options)
    return path


def to_unit_range(pixels: np.ndarray) -> np.ndarray:
    """Convert uint8 to float32 in [0, 1]."""
    return np.asarray(pixels / 255, np.float32)
