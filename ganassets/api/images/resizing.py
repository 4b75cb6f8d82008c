"""Resize images and the maps of materials."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ..assets import TextureSet

LANCZOS_REACH = 3  # pixels of the coarser of the two images

FloatArray = NDArray[np.floating[Any]]


def scale_to_longest(sides: tuple[int, int], longest: int) -> tuple[int, int]:
    """Scale two sides so that the longer one is `longest`; neither becomes shorter than 1."""
    scale = longest / max(sides)
    return max(1, round(sides[0] * scale)), max(1, round(sides[1] * scale))


def resize_image(pixels: NDArray[np.uint8], longest: int) -> NDArray[np.uint8]:
    """Resize an image.

    Args:
        pixels: (h, w) or (h, w, 3) uint8.
        longest: Longer side of the result in pixels, or 0 to keep the size.

    >>> resize_image(np.zeros((100, 200, 3), np.uint8), longest=50).shape
    (25, 50, 3)
    """
    height, width = pixels.shape[:2]
    if not longest or longest == max(height, width):
        return pixels
    image = Image.fromarray(pixels)
    return np.asarray(image.resize(scale_to_longest((width, height), longest), Image.Resampling.LANCZOS))


def resize_textures(asset: TextureSet, longest: int) -> TextureSet:
    """Resize all maps of a material; a material that tiles still tiles afterwards.

    Args:
        asset: The material.
        longest: Longer side of the result in texels, or 0 to keep the size.

    >>> from ganassets.api.assets import TextureSet
    >>> flat, grey = np.zeros((4, 8), np.float32), np.full((4, 8, 3), 0.5, np.float32)
    >>> up = np.full((4, 8, 3), [0, 0, 1], np.float32)
    >>> wall = TextureSet("wall", grey, flat, up, flat + 1, flat, flat + 1, texel_size=0.25)
    >>> small = resize_textures(wall, longest=4)
    >>> small.albedo.shape, small.texel_size, small.size == wall.size
    ((2, 4, 3), 0.5, True)
    """
    h, w = asset.height.shape
    if not longest or longest == max(h, w):
        return asset
    columns, rows = scale_to_longest((w, h), longest)

    def resize(values: FloatArray) -> NDArray[np.float32]:
        return _resize_channel(values, (rows, columns), asset.tiles)

    def resize_channels(values: FloatArray) -> NDArray[np.float32]:
        return np.stack([resize(np.ascontiguousarray(channel)) for channel in np.moveaxis(values, -1, 0)], -1)

    normal = resize_channels(asset.normal)
    return replace(
        asset,
        albedo=resize_channels(asset.albedo).clip(0, 1),
        height=resize(asset.height),
        normal=normal / np.maximum(np.linalg.norm(normal, axis=-1, keepdims=True), np.float32(1e-6)),
        texel_size=asset.texel_size * w / columns,
        **{name: resize(getattr(asset, name)).clip(0, 1) for name in ("roughness", "metallic", "occlusion")},
    )


def _resize_channel(values: FloatArray, shape: tuple[int, int], tiles: bool) -> NDArray[np.float32]:
    """Resize (h, w) values to (rows, columns); beyond the border lies the opposite side if they tile."""
    h, w = values.shape
    margins = [int(np.ceil(LANCZOS_REACH * max(1, old / new))) for old, new in zip((h, w), shape, strict=True)]
    padded = np.pad(values, [(margin, margin) for margin in margins], mode="wrap" if tiles else "edge")
    box = (margins[1], margins[0], margins[1] + w, margins[0] + h)
    return np.asarray(Image.fromarray(padded).resize((shape[1], shape[0]), Image.Resampling.LANCZOS, box))
