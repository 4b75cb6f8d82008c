"""Open image files of any kind within limits, and convert them as a viewer does: upright, 8 bits, sRGB."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Generator
from contextlib import contextmanager
from functools import lru_cache
from io import BytesIO
from typing import Any, BinaryIO, cast

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageChops, ImageCms, features

from ..errors import InputError, one_line
from ..sheets import SHEET
from .records import PREVIEW, TOO_LARGE, LeftOutError

FloatArray = NDArray[np.float32]

LARGEST = 89_000_000  # limit of pixels; that of Pillow against decompression bombs
# Formats that not every build of Pillow can decode, with their features and suffixes.
OPTIONAL = {
    "AVIF": ("avif", frozenset({".avif"})),
    "JPEG2000": ("jpg_2000", frozenset({".jp2", ".j2k", ".jpx"})),
}
PRESENT = [name for name, (feature, _) in OPTIONAL.items() if features.check(feature)]
SUFFIXES = frozenset({
    ".png", ".apng", ".jpg", ".jpeg", ".jfif", ".jpe", ".jpg_large", ".jpg-large", ".mpo", ".tga", ".bmp", ".dib",
    ".tif", ".tiff", ".webp", ".gif", ".ppm", ".pgm", ".pbm", ".pnm", ".dds", ".ico",
}).union(*(OPTIONAL[name][1] for name in PRESENT))  # fmt: skip
# Suffixes of images that are not read.
UNREAD_SUFFIXES = frozenset({
    ".exr", ".hdr", ".psd", ".ktx", ".ktx2", ".heic", ".heif", ".jxl", ".svg", ".qoi", ".xcf", ".kra", ".clip", ".webm",
}).union(*(suffixes for _, suffixes in OPTIONAL.values())) - SUFFIXES  # fmt: skip
FORMATS = ("PNG", "JPEG", "BMP", "TIFF", "WEBP", "GIF", "PPM", "DDS", "ICO", *PRESENT)
# First bytes of images that are recognised without a suffix.
SIGNATURES = (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"GIF8")
TIFF_WIDTH, TIFF_HEIGHT, TIFF_PHOTOMETRIC, WHITE_IS_ZERO = 256, 257, 262, 0
SAME_COLOUR = 2  # largest change, of 255, with which a colour profile is ignored
# The range of a deep image lies between these percentiles if the full range is more than FAR times as wide.
RANGE_PERCENT = (0.1, 99.9)
FAR = 2.0
SAMPLED = 1_000_000  # number of pixels from which the range is measured
DEEP_FULL = 65535.0
EXIF_ORIENTATION = 274
EXIF_KEYS = frozenset({"exif", "Raw profile type exif", "XML:com.adobe.xmp", "xmp"})  # keys of a PNG with EXIF
# Transposition that makes a picture upright, by its EXIF orientation.
TRANSPOSED = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
SIDEWAYS = frozenset({5, 6, 7, 8})  # orientations that swap width and height


@contextmanager
def opened_image(stream: BinaryIO, suffix: str) -> Generator[Image.Image]:
    """Open an image without decoding it; of an animation, the first frame.

    Errors here and in the `with` block become InputErrors.

    Args:
        stream: Content of the file.
        suffix: Suffix of its name, in lower case.

    >>> png = BytesIO()
    >>> Image.new("RGB", (4, 2)).save(png, "PNG")
    >>> with opened_image(png, ".png") as image:
    ...     image.size
    (4, 2)
    """
    # Almost any content passes for a TGA, so its decoder is used for files of that name only.
    formats = (*FORMATS, "TGA") if suffix == ".tga" else FORMATS
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # odd metadata
            with Image.open(stream, formats=formats) as image:
                if image.width * image.height > LARGEST:
                    raise Image.DecompressionBombError
                if SHEET in image.info:
                    raise LeftOutError("a contact sheet or snapshot that ganassets drew", PREVIEW)
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
    except Exception as error:  # decoders raise many kinds of errors for damaged files
        raise InputError(f"damaged or truncated picture ({one_line(error)})") from None


def tga_alpha_bits(stream: BinaryIO) -> int:
    """Return the number of alpha bits per pixel in a TGA's header."""
    position = stream.tell()
    stream.seek(17)
    bits = stream.read(1)[0] & 15
    stream.seek(position)
    return bits


def corrected(image: Image.Image) -> Image.Image:
    """Return an image with corrections where Pillow deviates from the file format: alpha and polarity.

    >>> corrected(Image.new("La", (4, 2))).mode
    'LA'
    """
    if image.format == "TGA" and image.mode == "RGBA":
        return with_tga_alpha(image)
    if image.mode == "La":
        return image.convert("LA")
    if image.format == "TIFF" and is_deep(image.mode):
        tags = getattr(image, "tag_v2", {})
        return inverted(image) if tags.get(TIFF_PHOTOMETRIC) == WHITE_IS_ZERO else image
    return image


def with_tga_alpha(image: Image.Image) -> Image.Image:
    """Return a TGA with the alpha of its header: opaque without alpha bits; a single bit is 1 where opaque."""
    bits = image.info["alpha bits"]
    alpha = image.getchannel("A")
    if bits == 0:
        alpha = Image.new("L", image.size, 255)
    elif bits == 1:
        alpha = ImageChops.invert(alpha)
    result = image.copy()
    result.putalpha(alpha)
    return result


def inverted(image: Image.Image) -> Image.Image:
    """Return the inverse of a 16-bit image; other deep images, which have no fixed range, are returned unchanged."""
    if not image.mode.startswith("I;16"):
        return image
    return Image.fromarray(np.uint16(DEEP_FULL) - np.asarray(image, np.uint16))


def scale_transparency(image: Image.Image) -> None:
    """Scale the transparent colour of a PNG to the 8 bits of its decoded pixels."""
    tile = getattr(image, "tile", None)  # empty once it is decoded
    depth, value = str(tile[0][3]) if tile else "", image.info["transparency"]
    if depth in ("L;2", "L;4") and isinstance(value, int):
        image.info["transparency"] = value * (85 if depth == "L;2" else 17)
    elif depth.startswith("RGB;16") and isinstance(value, tuple):
        image.info["transparency"] = tuple(level >> 8 for level in cast("tuple[int, ...]", value))


def deep_range(values: FloatArray, mode: str) -> tuple[FloatArray, str]:
    """Scale the values of a 16-bit, 32-bit or floating-point image to [0, 1].

    Values of unknown range are stretched to it; single values far outside the others are clipped.

    Args:
        values: float32 pixels.
        mode: Mode of the image in Pillow.

    Returns:
        The values, and a note if they were stretched or clipped.

    Raises:
        InputError: Some numbers are not finite.

    >>> values, note = deep_range(np.array([[0, 65535]], np.float32), "I;16")
    >>> values.tolist(), note
    ([[0.0, 1.0]], '')
    >>> deep_range(np.array([[-2, 0, 2]], np.float32), "F")[0].tolist()
    [[0.0, 0.5, 1.0]]
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
    """Whether a mode of Pillow has more than 8 bits per channel.

    >>> is_deep("I;16"), is_deep("RGB")
    (True, False)
    """
    return mode.startswith("I") or mode == "F"


def visible_image(image: Image.Image) -> tuple[Image.Image, str]:
    """Return an image as a viewer shows it: upright, 8-bit sRGB.

    Returns:
        RGB, or RGBA if the image has transparency; and a note about decisions, or "".

    Raises:
        InputError: Some numbers are not finite.

    >>> image, note = visible_image(Image.fromarray(np.array([[0, 65535]], np.uint16)))
    >>> image.mode, [image.getpixel((x, 0)) for x in range(2)], note
    ('RGB', [(0, 0, 0), (255, 255, 255)], '')
    """
    picture, note = to_8_bits(image)
    return apply_orientation(picture, orientation(image)), note  # read last: EXIF may follow a PNG's pixels


def to_8_bits(image: Image.Image) -> tuple[Image.Image, str]:
    """Return an image of any mode as 8-bit sRGB, not turned; see visible_image."""
    image = corrected(image)
    if is_deep(image.mode):
        numbers = np.asarray(image, np.float32)
        values, note = deep_range(numbers, image.mode)
        picture = Image.fromarray(np.rint(values * 255).astype(np.uint8)).convert("RGB")
        if isinstance(hidden := image.info.get("transparency"), int):
            picture.putalpha(Image.fromarray(np.where(numbers == hidden, 0, 255).astype(np.uint8)))
        return picture, note
    transparent = "transparency" in image.info or image.mode in ("LA", "PA", "RGBA", "La", "RGBa")
    picture = image if image.mode in PROFILED else image.convert("RGBA" if transparent else "RGB")
    picture, note = convert_to_srgb(picture, image.info.get("icc_profile"))
    return picture.convert("RGBA" if transparent else "RGB"), note  # a copy, decoded while the file is open


# Modes whose pixel values a colour profile describes.
PROFILED = ("L", "LA", "RGB", "RGBA", "CMYK")
ICC_SPACE = slice(16, 20)  # bytes of a profile that name its colour space


def convert_to_srgb(image: Image.Image, profile: bytes | None) -> tuple[Image.Image, str]:
    """Convert the colours of an 8-bit image to sRGB by its colour profile.

    Args:
        image: Image of a mode of PROFILED.
        profile: ICC profile, or None.

    Returns:
        The same image without a profile or with that of sRGB; else one of mode RGB, or RGBA for LA and RGBA. And a note
        if the profile can't be used, or "".

    >>> image, note = convert_to_srgb(Image.new("RGB", (4, 2), "red"), None)
    >>> image.getpixel((0, 0)), note
    ((255, 0, 0), '')
    """
    if not profile or image.mode not in PROFILED:
        return image, ""
    is_grey = (
        image.mode in ("L", "LA") and profile[ICC_SPACE] != b"RGB "
    )  # editors also add RGB profiles to grey images
    opaque = image.mode in ("RGB", "CMYK")
    colours = image if opaque else image.getchannel(0) if is_grey else image.convert("RGB")
    try:
        transform = srgb_transform(profile, colours.mode)
        converted = ImageCms.applyTransform(colours, transform) if transform else None
    except Exception as error:  # the library raises many kinds of errors for damaged profiles
        return image, f"its colour profile can't be used ({one_line(error)})"
    if converted is None:
        return image, ""
    if image.mode in ("LA", "RGBA"):
        converted.putalpha(image.getchannel("A"))
    elif "transparency" in image.info:
        converted.putalpha(image.convert("RGBA").getchannel("A"))
    return converted, ""


@lru_cache(64)
def srgb_transform(profile: bytes, mode: str) -> ImageCms.ImageCmsTransform | None:
    """Return the transform of a profile's colours to sRGB; None if it changes no colour visibly."""
    source = ImageCms.ImageCmsProfile(BytesIO(profile))
    create_profile = cast("Callable[[str], Any]", getattr(ImageCms, "createProfile"))  # noqa: B009 - Pillow has no type
    transform = ImageCms.buildTransform(source, create_profile("sRGB"), mode, "RGB")
    if mode == "CMYK":
        return transform
    levels = np.arange(0, 256, 15, dtype=np.uint8)
    probe = np.stack(np.meshgrid(levels, levels, levels), -1).reshape(1, -1, 3) if mode == "RGB" else levels[None]
    found = np.asarray(ImageCms.applyTransform(Image.fromarray(probe), transform), int)
    return None if np.abs(found - probe.reshape(*found.shape[:2], -1)).max() <= SAME_COLOUR else transform


def orientation(image: Image.Image) -> int:
    """Return the EXIF orientation of the pixels that Pillow decodes, 1 (upright) to 8; 1 if it is missing or invalid.

    Nothing is decoded: EXIF behind the pixels of a PNG that isn't decoded yet is ignored.

    >>> photo = Image.new("RGB", (4, 2))
    >>> photo.getexif()[0x0112] = 6  # the camera was turned by 90 degrees
    >>> orientation(photo)
    6
    """
    if image.format == "TIFF":  # Pillow turns these itself
        return 1
    # Pillow would decode a PNG without EXIF in front of its pixels, to search behind them.
    if image.format == "PNG" and EXIF_KEYS.isdisjoint(image.info):
        return 1
    try:
        found = Image.Image.getexif(image).get(EXIF_ORIENTATION, 1)
    except Exception:  # damaged metadata; the picture itself may be intact
        return 1
    return found if found in TRANSPOSED else 1


def upright_size(image: Image.Image) -> tuple[int, int]:
    """Return the (width, height) of an image when it is upright, without decoding it.

    >>> photo = Image.new("RGB", (4, 2))
    >>> photo.getexif()[0x0112] = 6  # the camera was turned by 90 degrees
    >>> upright_size(photo)
    (2, 4)
    """
    if tags := getattr(image, "tag_v2", None):  # a TIFF, whose size is already upright in some versions of Pillow
        width, height = tags[TIFF_WIDTH], tags[TIFF_HEIGHT]
        return (height, width) if tags.get(EXIF_ORIENTATION) in SIDEWAYS else (width, height)
    return (image.height, image.width) if orientation(image) in SIDEWAYS else image.size


def apply_orientation(image: Image.Image, turned: int) -> Image.Image:
    """Return an image turned upright from an EXIF orientation.

    >>> apply_orientation(Image.new("RGB", (4, 2)), 6).size
    (2, 4)
    """
    return image.transpose(TRANSPOSED[turned]) if turned in TRANSPOSED else image
