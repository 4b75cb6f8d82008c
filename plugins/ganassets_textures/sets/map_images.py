"""Pictures as arrays, within bounds whatever the file holds."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ganassets.api.data.images import (
    corrected,
    deep_range,
    is_deep,
    opened_image,
    orientation,
    to_srgb,
    upright,
    upright_size,
)
from ganassets.api.errors import InputError

FloatArray = NDArray[np.float32]
Size = tuple[int, int]

GREY_SPREAD = 0.012  # mean difference between channels that JPEG makes of grey
SHAPE_TOLERANCE = 0.03


@dataclass(frozen=True, eq=False)
class MapImage:
    """A picture's channels.

    Attributes:
        colour: (3, h, w) float32 in [0, 1], or (1, h, w) of a grey picture.
        alpha: (h, w) float32 in [0, 1], None where all is opaque.
        note: what the user should know of how it was read, or "".
    """

    colour: FloatArray
    alpha: FloatArray | None
    note: str = ""

    @property
    def is_grey(self) -> bool:
        """Whether the channels are alike but for compression."""
        return float(np.abs(np.diff(self.colour, axis=0)).mean()) < GREY_SPREAD if len(self.colour) > 1 else True

    def channel(self, name: str) -> FloatArray | None:
        """(h, w) of "R", "G", "B", "A" (None if opaque) or "L", the mean of the colours."""
        if name == "A":
            return self.alpha
        return self.colour.mean(0) if name == "L" else self.colour["RGB".index(name) % len(self.colour)]

    def looks_like_normals(self) -> bool:
        """Whether the colours are unit vectors that point out of a surface on the whole."""
        if len(self.colour) < 3:
            return False
        red, green, blue = self.colour.mean((1, 2))
        if abs(red - 0.5) >= 0.1 or abs(green - 0.5) >= 0.1 or blue <= 0.6:
            return False
        length = np.sqrt(((2 * self.colour - 1) ** 2).sum(0))
        return bool(np.abs(length - 1).mean() < 0.2)


def read_image_size(stream: BinaryIO, suffix: str) -> Size:
    """(h, w) of a picture without decoding it; InputError says what is wrong with the file."""
    with opened_image(stream, suffix) as image:
        width, height = upright_size(image)
        return height, width


def read_map_image(stream: BinaryIO, suffix: str, size: Size, is_colour: bool = False) -> MapImage:
    """An upright picture brought to a size: the mean over each texel's area where it shrinks, linear where it grows.

    Args:
        stream: of the file.
        suffix: of its name, lower case.
        size: (h, w) wanted.
        is_colour: whether it shows colours, which its colour profile then brings to sRGB, or numbers.

    Raises:
        InputError: damaged, too large, of another shape than the size, or not finite; says which.
    """
    with opened_image(stream, suffix) as image:
        width, height = upright_size(image)
        if abs(height * size[1] / (width * size[0]) - 1) > SHAPE_TOLERANCE:
            raise InputError(f"{width} x {height} pixels, another shape than the colour map")
        turned = orientation(image)
        # JPEG alone can be decoded smaller, in a fraction of time and memory; the last halving stays an area mean.
        image.draft(None, (2 * max(size), 2 * max(size)) if turned != 1 else (2 * size[1], 2 * size[0]))
        profile = image.info.get("icc_profile") if is_colour else None
        decoded = corrected(image)
        coloured, note = to_srgb(decoded if decoded.mode == "CMYK" else convert_mode(decoded), profile)
        parts = [resize_band(upright(band, turned), size) for band in split_channels(convert_mode(coloured))]
    bands = [band for band, _ in parts]
    has_alpha = len(bands) in (2, 4)
    alpha = bands.pop() if has_alpha else None
    note = next((text for _, text in parts if text), note)
    return MapImage(np.stack(bands), None if alpha is None or alpha.min() == 1 else alpha, note)


def convert_mode(image: Image.Image) -> Image.Image:
    """An image in one of the modes that have channels as they are: deep, grey or colour, with alpha or without."""
    if is_deep(image.mode) or image.mode in ("L", "LA", "RGB", "RGBA"):
        plain = image
    elif image.mode == "1":
        plain = image.convert("L")
    else:
        plain = image.convert("RGBA" if image.mode == "PA" or "transparency" in image.info else "RGB")
    plain.load()
    return plain


def split_channels(image: Image.Image) -> Iterator[Image.Image]:
    """One image after the other for each channel: 1 (grey), 2 (with alpha), 3 (colour) or 4."""
    bands = image.getbands()
    yield from ((image.getchannel(i) for i in range(len(bands))) if len(bands) > 1 else [image])


def resize_band(band: Image.Image, size: Size) -> tuple[FloatArray, str]:
    """(h, w) float32 in [0, 1] of a one-channel image and a note about its range; InputError if it holds numbers that
    are not finite.
    """
    if is_deep(band.mode):
        values, note = deep_range(np.asarray(band, np.float32), band.mode)
        floats = Image.fromarray(values)
    else:
        floats, note = band.convert("F"), ""
    shrinks = size[0] <= band.height and size[1] <= band.width
    method = Image.Resampling.BOX if shrinks else Image.Resampling.BILINEAR
    values = np.asarray(floats.resize((size[1], size[0]), method), np.float32)
    return np.clip(values if is_deep(band.mode) else values / np.float32(255), 0, 1), note


def block_means(array: FloatArray, factor: int) -> FloatArray:
    """(..., h, w) means over blocks of factor x factor texels of (..., factor h, factor w)."""
    *rest, h, w = array.shape
    return array.reshape(*rest, h // factor, factor, w // factor, factor).mean((-3, -1), dtype=np.float32)
