"""Image files opened within bounds, whatever they hold, and brought to 8 bits."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ..errors import InputError, one_line

FloatArray = NDArray[np.float32]

LARGEST = 89_000_000  # pixels; Pillow's own limit against decompression bombs
SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".tga", ".bmp", ".tif", ".tiff", ".webp"})
UNREAD_SUFFIXES = frozenset(
    {
        ".exr",
        ".hdr",
        ".dds",
        ".psd",
        ".ktx",
        ".ktx2",
        ".jp2",
        ".avif",
        ".heic",
        ".heif",
        ".jxl",
        ".svg",
    }
)
FORMATS = ("PNG", "JPEG", "BMP", "TIFF", "WEBP", "GIF")
DEEP_FULL = 65535.0
EXIF_ORIENTATION = 274
# What brings a picture upright, by its EXIF orientation.
TRANSPOSED = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
LYING = frozenset({5, 6, 7, 8})  # orientations that swap width and height


@contextmanager
def opened_image(stream: BinaryIO, suffix: str) -> Iterator[Image.Image]:
    """An image, not decoded yet; of an animation the first frame. What goes wrong here and while it is used becomes an
    InputError.

    Args:
        stream: of the file.
        suffix: of its name, lower case.
    """
    # Anything passes for a TGA, so its decoder sees files of that name only.
    formats = (*FORMATS, "TGA") if suffix == ".tga" else FORMATS
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # odd metadata
            with Image.open(stream, formats=formats) as image:
                if image.width * image.height > LARGEST:
                    raise Image.DecompressionBombError
                yield image
    except InputError:
        raise
    except Image.DecompressionBombError:
        raise InputError(f"more than {LARGEST // 1_000_000} million pixels; make it smaller") from None
    except Image.UnidentifiedImageError:
        raise InputError("not a picture that can be read; make it PNG or JPEG") from None
    except Exception as error:  # decoders raise whatever a damaged file makes them meet
        raise InputError(f"damaged or truncated picture ({one_line(error)})") from None


def deep_range(values: FloatArray, mode: str) -> FloatArray:
    """Values of a 16-bit, 32-bit or floating-point image in [0, 1]; those of no known range are stretched to it.

    Args:
        values: of the image.
        mode: Pillow's.

    Raises:
        InputError: there are numbers that are not finite.
    """
    low, high = float(values.min()), float(values.max())
    if not np.isfinite([low, high]).all():
        raise InputError("numbers that are not finite")
    if mode.startswith("I") and low >= 0 and high <= DEEP_FULL:
        return np.asarray(values / DEEP_FULL, np.float32)
    if low >= 0 and high <= 1:
        return values
    return np.asarray((values - low) / max(high - low, 1e-12), np.float32)


def is_deep(mode: str) -> bool:
    """Whether a mode of Pillow has more than 8 bits a channel."""
    return mode.startswith("I") or mode == "F"


def plain_image(image: Image.Image) -> Image.Image:
    """8-bit RGB of an image in any mode, or RGBA where it has transparency; InputError for numbers not finite."""
    if is_deep(image.mode):
        values = deep_range(np.asarray(image, np.float32), image.mode)
        return Image.fromarray(np.rint(values * 255).astype(np.uint8)).convert("RGB")
    transparent = "transparency" in image.info or image.mode in ("LA", "PA", "RGBA", "La", "RGBa")
    return image.convert("RGBA" if transparent else "RGB")


def orientation(image: Image.Image) -> int:
    """EXIF orientation, 1 (upright) to 8; 1 where it isn't said or makes no sense."""
    try:
        found = image.getexif().get(EXIF_ORIENTATION, 1)
    except Exception:  # of damaged metadata; the picture itself may be whole
        return 1
    return found if found in TRANSPOSED else 1


def upright_size(image: Image.Image) -> tuple[int, int]:
    """(width, height) of an image once it is upright, without decoding it."""
    return (image.height, image.width) if orientation(image) in LYING else image.size


def upright(image: Image.Image, turned: int) -> Image.Image:
    """An image of an EXIF orientation, turned as it is meant to be seen."""
    return image.transpose(TRANSPOSED[turned]) if turned in TRANSPOSED else image
