"""Images of maps as arrays of bounded size."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ganassets.api.data.images import (
    apply_orientation,
    convert_to_srgb,
    corrected,
    deep_range,
    is_deep,
    opened_image,
    orientation,
    upright_size,
)
from ganassets.api.errors import InputError

FloatArray = NDArray[np.float32]
Size = tuple[int, int]

# Mean difference between the channels of a grey image after JPEG compression.
GREY_SPREAD = 0.012
# Relative difference in aspect between an image and the set's size.
SHAPE_TOLERANCE = 0.03


@dataclass(frozen=True, eq=False)
class MapImage:
    """Channels of an image.

    Attributes:
        colour: (3, h, w) float32 in [0, 1], or (1, h, w) of a grey image.
        alpha: (h, w) float32 in [0, 1], None where all is opaque.
        note: Note for the user about how it was read, or "".
    """

    colour: FloatArray
    alpha: FloatArray | None
    note: str = ""

    @property
    def is_grey(self) -> bool:
        """Whether the channels are equal but for compression."""
        return float(np.abs(np.diff(self.colour, axis=0)).mean()) < GREY_SPREAD if len(self.colour) > 1 else True

    def channel(self, name: str) -> FloatArray | None:
        """Return (h, w) of "R", "G", "B", "A" (None if opaque) or "L", the mean of the colours."""
        if name == "A":
            return self.alpha
        return self.colour.mean(0) if name == "L" else self.colour["RGB".index(name) % len(self.colour)]

    def looks_like_normals(self) -> bool:
        """Return whether the colours are unit vectors that mostly point out of a surface."""
        if len(self.colour) < 3:
            return False
        red, green, blue = self.colour.mean((1, 2))
        if abs(red - 0.5) >= 0.1 or abs(green - 0.5) >= 0.1 or blue <= 0.6:
            return False
        length = np.sqrt(((2 * self.colour - 1) ** 2).sum(0))
        return bool(np.abs(length - 1).mean() < 0.2)


def read_image_size(stream: BinaryIO, suffix: str) -> Size:
    """Read the (h, w) of an image without decoding it.

    Args:
        stream: Stream of the file.
        suffix: Suffix of its name, lower case.

    Raises:
        InputError: The file can't be read as an image.
    """
    with opened_image(stream, suffix) as image:
        width, height = upright_size(image)
        return height, width


def read_map_image(stream: BinaryIO, suffix: str, size: Size, is_colour: bool = False) -> MapImage:
    """Read an upright image at a size: the mean over each texel's area where it shrinks, linear where it grows.

    Args:
        stream: Stream of the file.
        suffix: Suffix of its name, lower case.
        size: (h, w) of the result.
        is_colour: Whether it shows colours, which are converted to sRGB by its colour profile, and not numbers.

    Raises:
        InputError: It is damaged, too large, of another shape than the size, or not finite.
    """
    with opened_image(stream, suffix) as image:
        width, height = upright_size(image)
        if abs(height * size[1] / (width * size[0]) - 1) > SHAPE_TOLERANCE:
            raise InputError(f"{width} x {height} pixels, another shape than the colour map")
        turned = orientation(image)
        # JPEG can be decoded smaller, which saves time and memory. The last halving is done by area means.
        image.draft(None, (2 * max(size), 2 * max(size)) if turned != 1 else (2 * size[1], 2 * size[0]))
        profile = image.info.get("icc_profile") if is_colour else None
        decoded = corrected(image)
        coloured, note = convert_to_srgb(decoded if decoded.mode == "CMYK" else convert_mode(decoded), profile)
        parts = [resize_band(apply_orientation(band, turned), size) for band in split_channels(convert_mode(coloured))]
    bands = [band for band, _ in parts]
    has_alpha = len(bands) in (2, 4)
    alpha = bands.pop() if has_alpha else None
    note = next((text for _, text in parts if text), note)
    return MapImage(np.stack(bands), None if alpha is None or alpha.min() == 1 else alpha, note)


def convert_mode(image: Image.Image) -> Image.Image:
    """Convert an image to a mode with plain channels: deep, grey or colour, with alpha or without."""
    if is_deep(image.mode) or image.mode in ("L", "LA", "RGB", "RGBA"):
        converted = image
    elif image.mode == "1":
        converted = image.convert("L")
    else:
        converted = image.convert("RGBA" if image.mode == "PA" or "transparency" in image.info else "RGB")
    converted.load()
    return converted


def split_channels(image: Image.Image) -> Iterator[Image.Image]:
    """Yield an image for each channel: 1 (grey), 2 (with alpha), 3 (colour) or 4."""
    bands = image.getbands()
    yield from ((image.getchannel(i) for i in range(len(bands))) if len(bands) > 1 else [image])


def resize_band(band: Image.Image, size: Size) -> tuple[FloatArray, str]:
    """Resize a one-channel image.

    Args:
        band: Image.
        size: (h, w) of the result.

    Returns:
        (h, w) float32 in [0, 1], and a note about its range.

    Raises:
        InputError: It holds numbers that are not finite.
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
    """Average (..., factor * h, factor * w) over blocks of factor x factor texels."""
    *rest, h, w = array.shape
    return array.reshape(*rest, h // factor, factor, w // factor, factor).mean((-3, -1), dtype=np.float32)
