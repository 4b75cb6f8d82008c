"""Small material sets as files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

SIZE = 96


def hills(size: int = SIZE, tiling: bool = True) -> np.ndarray:
    """(size, size) float64 heights in texels, slopes of about 0.3 in both directions and no symmetry."""
    row, column = np.mgrid[:size, :size] * (2 * np.pi / size)
    height = np.sin(3 * column + 0.5) + 0.8 * np.sin(2 * row) + 0.6 * np.cos(2 * column + 3 * row) + 0.3 * np.cos(row)
    ramp = 0 if tiling else 3 * np.sin(row / 2 - 0.3) * np.cos(column / 2 + 0.4)
    height = (height + ramp) * size / 48
    return height - height.mean()


def normals(height: np.ndarray, directx: bool = False) -> np.ndarray:
    """(h, w, 3) uint8 normal map of heights that repeat."""
    right = (np.roll(height, -1, 1) - np.roll(height, 1, 1)) / 2
    down = (np.roll(height, -1, 0) - np.roll(height, 1, 0)) / 2
    vectors = np.stack([-right, -down if directx else down, np.ones_like(height)], -1)
    vectors /= np.linalg.norm(vectors, axis=-1, keepdims=True)
    return np.rint((vectors + 1) * 127.5).astype(np.uint8)


def colours(size: tuple[int, int] = (SIZE, SIZE), seed: int = 0, tiling: bool = True) -> np.ndarray:
    """(h, w, 3) uint8 noise around a brown, brighter towards the right and the bottom if it doesn't tile."""
    noise = np.random.default_rng(seed).normal(0, 3, (*size, 1))
    ramp = 0 if tiling else np.linspace(-40, 40, size[0])[:, None, None] + np.linspace(-40, 40, size[1])[None, :, None]
    return np.clip(np.array([150, 100, 60]) + noise + ramp, 0, 255).astype(np.uint8)


def grey(value: int | np.ndarray, size: int = SIZE) -> np.ndarray:
    """(size, size) uint8."""
    return np.broadcast_to(np.asarray(value, np.uint8), (size, size)).copy()


def stretched(height: np.ndarray, dtype: type = np.uint8) -> np.ndarray:
    """Heights over the whole range of an integer type."""
    unit = (height - height.min()) / np.ptp(height)
    return np.rint(unit * np.iinfo(dtype).max).astype(dtype)


def save(path: Path, pixels: np.ndarray, **options: Any) -> Path:
    """Write a picture, in the format that its suffix says, making folders."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path, **options)
    return path


def unit(pixels: np.ndarray) -> np.ndarray:
    """float32 in [0, 1] of uint8."""
    return np.asarray(pixels / 255, np.float32)
