"""Image files opened within bounds, whatever they hold, and brought to what a viewer shows: upright, 8 bits, sRGB."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from io import BytesIO
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageChops, ImageCms, features

from ..errors import InputError, one_line
from ..sheets import SHEET
from .records import PREVIEW, TOO_LARGE, LeftOutError

FloatArray = NDArray[np.float32]

LARGEST = 89_000_000  # pixels; Pillow's own limit against decompression bombs
# Formats whose decoders come with this Pillow only sometimes, with their names' endings.
OPTIONAL = {
    "AVIF": ("avif", frozenset({".avif"})),
    "JPEG2000": ("jpg_2000", frozenset({".jp2", ".j2k", ".jpx"})),
}
PRESENT = [name for name, (feature, _) in OPTIONAL.items() if features.check(feature)]
SUFFIXES = frozenset({
    ".png", ".apng", ".jpg", ".jpeg", ".jfif", ".jpe", ".jpg_large", ".jpg-large", ".mpo", ".tga", ".bmp", ".dib",
    ".tif", ".tiff", ".webp", ".gif", ".ppm", ".pgm", ".pbm", ".pnm", ".dds", ".ico",
}).union(*(OPTIONAL[name][1] for name in PRESENT))  # fmt: skip
# Pictures that are not read.
UNREAD_SUFFIXES = frozenset({
    ".exr", ".hdr", ".psd", ".ktx", ".ktx2", ".heic", ".heif", ".jxl", ".svg", ".qoi", ".xcf", ".kra", ".clip", ".webm",
}).union(*(suffixes for _, suffixes in OPTIONAL.values())) - SUFFIXES  # fmt: skip
FORMATS = ("PNG", "JPEG", "BMP", "TIFF", "WEBP", "GIF", "PPM", "DDS", "ICO", *PRESENT)
# How files begin that need no ending to be known as pictures.
SIGNATURES = (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"GIF8")
TIFF_WIDTH, TIFF_HEIGHT, TIFF_PHOTOMETRIC, WHITE_IS_ZERO = 256, 257, 262, 0
SAME_COLOUR = 2  # of 255, by which a colour profile must move some colour to be applied
RANGE_PERCENT = (0.1, 99.9)  # of a deep image's pixels: what lies far beyond these is no part of its range
FAR = 2.0  # times the range between them
SAMPLED = 1_000_000  # pixels that the range is measured on
DEEP_FULL = 65535.0
EXIF_ORIENTATION = 274
EXIF_KEYS = frozenset({"exif", "Raw profile type exif", "XML:com.adobe.xmp", "xmp"})  # where PNGs say theirs
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
    """Open an image without decoding it, at the first frame of an animation.

    Errors here and while the image is used become an InputError.

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
                if SHEET in image.info:
                    raise LeftOutError("a sheet or snapshot that ganassets drew", PREVIEW)
                if image.format == "TGA":
                    image.info["alpha bits"] = tga_alpha_bits(stream)
                elif image.format == "PNG" and "transparency" in image.info:
                    scale_transparency(image)
                yield image
    except InputError:
        raise
    except Image.DecompressionBombError:
        text = f"more than {LARGEST // 1_000_000} million pixels; make it smaller"
        raise LeftOutError(text, TOO_LARGE) from None
    except Image.UnidentifiedImageError:
        raise InputError("not a picture that can be read; make it PNG or JPEG") from None
    except Exception as error:  # decoders raise whatever a damaged file makes them meet
        raise InputError(f"damaged or truncated picture ({one_line(error)})") from None


def tga_alpha_bits(stream: BinaryIO) -> int:
    """Bits of a TGA's pixels that its header calls alpha."""
    place = stream.tell()
    stream.seek(17)
    bits = stream.read(1)[0] & 15
    stream.seek(place)
    return bits


def corrected(image: Image.Image) -> Image.Image:
    """An image where what Pillow reads otherwise than its format has it is put right: alpha and polarity."""
    if image.format == "TGA" and image.mode == "RGBA":
        return with_tga_alpha(image)
    if image.mode == "La":
        return image.convert("LA")
    if image.format == "TIFF" and is_deep(image.mode):
        tags = getattr(image, "tag_v2", {})
        return inverted(image) if tags.get(TIFF_PHOTOMETRIC) == WHITE_IS_ZERO else image
    return image


def with_tga_alpha(image: Image.Image) -> Image.Image:
    """A TGA that is opaque where its header knows no alpha. The one bit of 16-bit pixels is 1 where they are opaque."""
    bits = image.info["alpha bits"]
    alpha = image.getchannel("A")
    if bits == 0:
        alpha = Image.new("L", image.size, 255)
    elif bits == 1:
        alpha = ImageChops.invert(alpha)
    made = image.copy()
    made.putalpha(alpha)
    return made


def inverted(image: Image.Image) -> Image.Image:
    """A 16-bit image, white where it was black; other deep ones, of no fixed range, stay as they are."""
    if not image.mode.startswith("I;16"):
        return image
    return Image.fromarray(np.uint16(DEEP_FULL) - np.asarray(image, np.uint16))


def scale_transparency(image: Image.Image) -> None:
    """Bring the colour of a PNG that stands for transparency to the 8 bits that its pixels are read with."""
    tile = getattr(image, "tile", None)  # empty once it is decoded
    depth, value = str(tile[0][3]) if tile else "", image.info["transparency"]
    if depth in ("L;2", "L;4") and isinstance(value, int):
        image.info["transparency"] = value * (85 if depth == "L;2" else 17)
    elif depth.startswith("RGB;16") and isinstance(value, tuple):
        image.info["transparency"] = tuple(level >> 8 for level in value)


def deep_range(values: FloatArray, mode: str) -> tuple[FloatArray, str]:
    """Values of a 16-bit, 32-bit or floating-point image in [0, 1]; those of no known range are stretched to it.

    Single values far outside of all others don't count: they are cut off.

    Args:
        values: of the image.
        mode: Pillow's.

    Returns:
        The values, and a note where they were stretched or cut.

    Raises:
        InputError: there are numbers that are not finite.
    """
    low, high = float(values.min()), float(values.max())
    if not np.isfinite([low, high]).all():
        raise InputError("numbers that are not finite")
    if mode.startswith("I") and low >= 0 and high <= DEEP_FULL:
        return np.asarray(values / DEEP_FULL, np.float32), ""
    if low >= 0 and high <= 1:
        return values, ""
    sample = values.ravel()[:: max(values.size // SAMPLED, 1)]
    inner_low, inner_high = (float(value) for value in np.percentile(sample, RANGE_PERCENT))
    if high - low > FAR * (inner_high - inner_low) > 0:
        low, high, cut = inner_low, inner_high, f"; values outside of it ({low:.4g} to {high:.4g}) are cut off"
        if low >= 0 and high <= 1:
            return np.clip(values, 0, 1), f"its range is 0 to 1{cut}"
    else:
        cut = ""
    stretched = (values - low) / max(high - low, 1e-12)
    return np.asarray(np.clip(stretched, 0, 1), np.float32), f"its range is {low:.4g} to {high:.4g}{cut}"


def is_deep(mode: str) -> bool:
    """Whether a mode of Pillow has more than 8 bits a channel."""
    return mode.startswith("I") or mode == "F"


def visible_image(image: Image.Image) -> tuple[Image.Image, str]:
    """What a viewer shows of an image: upright, 8-bit sRGB; and a note where that takes a decision.

    Returns:
        RGB, or RGBA where it has transparency.

    Raises:
        InputError: it holds numbers that are not finite.
    """
    picture, note = plain_image(image)
    return upright(picture, orientation(image)), note  # EXIF may stand behind a PNG's pixels


def plain_image(image: Image.Image) -> tuple[Image.Image, str]:
    """8-bit sRGB of an image in any mode, RGB or RGBA, and a note; InputError for numbers not finite."""
    image = corrected(image)
    if is_deep(image.mode):
        numbers = np.asarray(image, np.float32)
        values, note = deep_range(numbers, image.mode)
        made = Image.fromarray(np.rint(values * 255).astype(np.uint8)).convert("RGB")
        if isinstance(hidden := image.info.get("transparency"), int):
            made.putalpha(Image.fromarray(np.where(numbers == hidden, 0, 255).astype(np.uint8)))
        return made, note
    transparent = "transparency" in image.info or image.mode in ("LA", "PA", "RGBA", "La", "RGBa")
    plain = image if image.mode in PROFILED else image.convert("RGBA" if transparent else "RGB")
    plain, note = to_srgb(plain, image.info.get("icc_profile"))
    return plain.convert("RGBA" if transparent else "RGB"), note  # a copy, decoded while the file is open


# Modes in which a picture's colours are those that its colour profile speaks of.
PROFILED = ("L", "LA", "RGB", "RGBA", "CMYK")
ICC_SPACE = slice(16, 20)  # of a profile, which names the colours that it is of


def to_srgb(image: Image.Image, profile: bytes | None) -> tuple[Image.Image, str]:
    """An 8-bit image's colours in sRGB, by its colour profile; and a note where that can't be used.

    Args:
        image: of a mode of PROFILED.
        profile: ICC profile, or None.

    Returns:
        The image as it was where there is no profile or it is sRGB; else of mode RGB, or RGBA for LA and RGBA.
    """
    if not profile or image.mode not in PROFILED:
        return image, ""
    is_grey = image.mode in ("L", "LA") and profile[ICC_SPACE] != b"RGB "  # editors give RGB's profiles to grey as well
    plain = image.mode in ("RGB", "CMYK")
    colours = image if plain else image.getchannel(0) if is_grey else image.convert("RGB")
    try:
        transform = srgb_transform(profile, colours.mode)
        made = ImageCms.applyTransform(colours, transform) if transform else None
    except Exception as error:  # whatever a damaged profile makes the library meet
        return image, f"its colour profile can't be used ({one_line(error)})"
    if made is None:
        return image, ""
    if image.mode in ("LA", "RGBA"):
        made.putalpha(image.getchannel("A"))
    elif "transparency" in image.info:
        made.putalpha(image.convert("RGBA").getchannel("A"))
    return made, ""


@lru_cache(64)
def srgb_transform(profile: bytes, mode: str) -> ImageCms.ImageCmsTransform | None:
    """What brings an image's colours to sRGB; None where it would change none that one can see."""
    source = ImageCms.ImageCmsProfile(BytesIO(profile))
    transform = ImageCms.buildTransform(source, ImageCms.createProfile("sRGB"), mode, "RGB")
    if mode == "CMYK":
        return transform
    levels = np.arange(0, 256, 15, dtype=np.uint8)
    probe = np.stack(np.meshgrid(levels, levels, levels), -1).reshape(1, -1, 3) if mode == "RGB" else levels[None]
    found = np.asarray(ImageCms.applyTransform(Image.fromarray(probe), transform), int)
    return None if np.abs(found - probe.reshape(*found.shape[:2], -1)).max() <= SAME_COLOUR else transform


def orientation(image: Image.Image) -> int:
    """EXIF orientation of the pixels as Pillow decodes them, 1 (upright) to 8; 1 where it isn't said or makes no sense.

    Nothing is decoded: of a PNG that isn't yet, EXIF behind its pixels doesn't count.
    """
    if image.format == "TIFF":  # Pillow turns these itself
        return 1
    # Pillow decodes a PNG that has no EXIF in front of its pixels, to look behind them.
    if image.format == "PNG" and EXIF_KEYS.isdisjoint(image.info):
        return 1
    try:
        found = Image.Image.getexif(image).get(EXIF_ORIENTATION, 1)
    except Exception:  # of damaged metadata; the picture itself may be whole
        return 1
    return found if found in TRANSPOSED else 1


def upright_size(image: Image.Image) -> tuple[int, int]:
    """(width, height) of an image once it is upright, without decoding it."""
    if tags := getattr(image, "tag_v2", None):  # of a TIFF, whose size is upright in some versions of Pillow
        width, height = tags[TIFF_WIDTH], tags[TIFF_HEIGHT]
        return (height, width) if tags.get(EXIF_ORIENTATION) in LYING else (width, height)
    return (image.height, image.width) if orientation(image) in LYING else image.size


def upright(image: Image.Image, turned: int) -> Image.Image:
    """An image of an EXIF orientation, turned as it is meant to be seen."""
    return image.transpose(TRANSPOSED[turned]) if turned in TRANSPOSED else image
