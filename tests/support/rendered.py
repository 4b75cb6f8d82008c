"""Measures of rendered pictures that repeat a tile of 128 pixels, lit from the upper left."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from ganassets.api.assets import TextureSet
from ganassets.api.shading import srgb_to_linear

TILE = 128
# Direction to the light: right, up, towards the camera.
LIGHT = np.array([-1.0, 1.2, 1.2])


def linear_picture(path: Path) -> np.ndarray:
    """Read a picture as (h, w, 3) linear light."""
    return srgb_to_linear(np.asarray(Image.open(path).convert("RGB")) / 255.0)


def seam(picture: np.ndarray, axis: int) -> float:
    """Return the largest mean step across a border between tiles along an axis, by the median step elsewhere."""
    steps = abs(np.diff(np.moveaxis(picture, axis, 0).mean(-1), axis=0)).mean(1)
    borders = np.arange(TILE - 1, len(steps), TILE)
    return float(steps[borders].max() / np.median(np.delete(steps, borders)))


def likeness(picture: np.ndarray, material: TextureSet, green: int = 1) -> float:
    """Correlate one tile with Lambert's law for the same light; green -1 flips the normals' green channel."""
    facing = np.maximum(material.normal * [1, green, 1] @ (LIGHT / np.linalg.norm(LIGHT)), 0)
    expected = srgb_to_linear(material.albedo) * facing[..., None]
    tile = picture[TILE : 2 * TILE, TILE : 2 * TILE]
    return float(np.corrcoef(tile.mean(-1).ravel(), expected.mean(-1).ravel())[0, 1])


def repeats(picture: np.ndarray, shift: int, axis: int) -> float:
    """Correlate the picture with itself after a cyclic shift."""
    return float(np.corrcoef(np.roll(picture, shift, axis).ravel(), picture.ravel())[0, 1])
