"""Encode pixels as PNG, WebP and JPEG files.

PNG follows the PNG specification, third edition. Pillow compresses fast, but writes 16 bits for grey images only;
therefore this module can also filter and compress the rows itself.
"""

from __future__ import annotations

import io
import json
import struct
import zlib
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ..errors import InputError

SIGNATURE = b"\x89PNG\r\n\x1a\n"
HEADER_END = 33  # bytes of the signature and the header chunk
COLOUR_TYPES = {1: 0, 3: 2, 4: 6}  # PNG color type by number of channels: grey, RGB, RGBA
LARGEST_NUMBER = 2**31 - 1  # largest integer in a PNG file
PERCEPTUAL, METRE = 0, 1
OWN_LEVEL = 6  # zlib level with the filters of this module
WEBP_LONGEST = 16383  # pixels of a side; the format's limit
# Numbers of EXIF's fields.
DESCRIPTION, SOFTWARE, COPYRIGHT = 270, 305, 33432

JPEG_QUALITY = 92  # Pillow allows 1 to 95

ByteArray = NDArray[np.uint8]
PixelArray = NDArray[np.uint8] | NDArray[np.uint16]


def quantize(values: NDArray[np.floating[Any]], bits: int = 8) -> NDArray[Any]:
    """Round values in [0, 1] to whole numbers.

    Args:
        values: Array of any shape.
        bits: 8 or 16.

    Returns:
        uint8 in 0..255 or uint16 in 0..65535, of the same shape. A flat normal becomes (128, 128, 255).

    >>> quantize(np.array([0.0, 0.5, 1.0])).tolist()
    [0, 128, 255]
    >>> quantize(np.array([0.0, 0.5, 1.0]), bits=16).dtype
    dtype('uint16')
    """
    largest = 2**bits - 1
    return np.rint(values * np.float32(largest)).astype(np.min_scalar_type(largest))


def encode_png(
    pixels: PixelArray,
    *,
    srgb: bool = False,
    text: Mapping[str, str] | None = None,
    pixels_per_metre: float = 0,
    compress_level: int | None = None,
    latin_text: bool = True,
) -> bytes:
    """Encode an image as PNG.

    Args:
        pixels: (h, w) or (h, w, 1) grey, (h, w, 3) RGB or (h, w, 4) RGBA; uint8 or uint16.
        srgb: Whether the file says that it is sRGB; files of data say nothing.
        text: Text of the file by keyword (Latin-1, up to 79 letters).
        pixels_per_metre: Density of the image, or 0 if it has none.
        compress_level: Zlib level 0 to 9 at which Pillow compresses 8-bit images and grey ones of 16 bits; None for
            the filters of this module, which serve every image but are slower.
        latin_text: Whether text that fits is stored as Latin-1 (tEXt); all other text is UTF-8 (iTXt).

    Raises:
        InputError: The image has no pixels.

    >>> png = encode_png(np.zeros((2, 4), np.uint16), text={"Seed": "7"})
    >>> image = Image.open(io.BytesIO(png))
    >>> image.size, image.info["Seed"]
    ((4, 2), '7')
    """
    pixels = pixels[..., None] if pixels.ndim == 2 else pixels
    height, width, channels = pixels.shape
    if not height or not width:
        raise InputError("An image without pixels can't be written as PNG.")
    chunks = [_chunk(b"sRGB", bytes([PERCEPTUAL]))] if srgb else []
    if pixels_per_metre:
        density = round(min(max(pixels_per_metre, 1), LARGEST_NUMBER))
        chunks.append(_chunk(b"pHYs", struct.pack(">IIB", density, density, METRE)))
    chunks += [_text_chunk(keyword, value, latin_text) for keyword, value in (text or {}).items()]
    if compress_level is None:
        header = struct.pack(">IIBBBBB", width, height, 8 * pixels.itemsize, COLOUR_TYPES[channels], 0, 0, 0)
        start, end = SIGNATURE + _chunk(b"IHDR", header), _own_data(pixels)
    else:
        file = _save(pixels[..., 0] if channels == 1 else pixels, "PNG", compress_level=compress_level)
        start, end = file[:HEADER_END], file[HEADER_END:]
    return b"".join([start, *chunks, end])


def encode_webp(pixels: ByteArray, text: Mapping[str, str]) -> bytes:
    """Encode an image as lossless WebP.

    Args:
        pixels: (h, w, 3) RGB or (h, w, 4) RGBA. Colours of transparent pixels are kept.
        text: Text by keyword as `Provenance.keywords` returns it.

    Raises:
        InputError: The image is larger than WebP allows.

    >>> from ganassets.api.provenance import Provenance
    >>> webp = encode_webp(np.zeros((2, 4, 4), np.uint8), Provenance(seed=7).keywords("icon"))
    >>> Image.open(io.BytesIO(webp)).size
    (4, 2)
    """
    if max(pixels.shape[:2]) > WEBP_LONGEST:
        raise InputError(f"WebP holds at most {WEBP_LONGEST} pixels a side; choose --option format=png.")
    return _save(pixels, "WEBP", lossless=True, exact=True, exif=make_exif(text))


def encode_jpeg(pixels: ByteArray) -> bytes:
    """Encode an (h, w, 3) RGB image as JPEG with its colours at full resolution.

    >>> jpeg = encode_jpeg(np.zeros((2, 4, 3), np.uint8))
    >>> Image.open(io.BytesIO(jpeg)).size
    (4, 2)
    """
    return _save(pixels, "JPEG", quality=JPEG_QUALITY, subsampling=0)  # reds bleed with the usual halved chroma


def make_exif(text: Mapping[str, str]) -> Image.Exif:
    """Make EXIF data that hold an asset's text.

    Args:
        text: Text by keyword as `Provenance.keywords` returns it: all of it is stored as JSON in the description,
            software and copyright in their own fields too.

    >>> from ganassets.api.provenance import Provenance
    >>> exif = make_exif(Provenance(licence="CC0-1.0").keywords("icon"))
    >>> exif[0x8298]  # Copyright
    'CC0-1.0'
    """
    exif = Image.Exif()
    exif[DESCRIPTION] = json.dumps(dict(text))
    exif[SOFTWARE], exif[COPYRIGHT] = text["Software"], text["Copyright"]
    return exif


def filter_rows(rows: ByteArray, step: int) -> ByteArray:
    """Filter an image's rows for compression.

    Each row gets the filter (none, sub, up or Paeth) whose bytes, read as signed numbers, have the smallest sum of
    absolute values (PNG specification, section 12.7).

    Args:
        rows: (h, n) bytes of the image.
        step: bytes of a pixel.

    Returns:
        (h, 1 + n) bytes: the number of the filter, then the filtered row.
    """
    left, above, corner = np.zeros_like(rows), np.zeros_like(rows), np.zeros_like(rows)
    left[:, step:], above[1:] = rows[:, :-step], rows[:-1]
    corner[1:, step:] = rows[:-1, :-step]
    filtered = np.concatenate([np.zeros((len(rows), 1), np.uint8), rows], 1)
    smallest = _row_costs(rows)
    for number, prediction in ((1, left), (2, above), (4, _paeth(left, above, corner))):
        difference = rows - prediction
        cost = _row_costs(difference)
        better = cost < smallest
        filtered[better, 0], filtered[better, 1:] = number, difference[better]
        smallest = np.minimum(smallest, cost)
    return filtered


def _row_costs(rows: ByteArray) -> NDArray[np.int64]:
    """Sum the absolute values of each row's bytes, read as signed numbers; (h,)."""
    return np.minimum(rows, -rows).sum(1, dtype=np.int64)


def _paeth(left: ByteArray, above: ByteArray, corner: ByteArray) -> ByteArray:
    """Choose the neighbour nearest to left + above - corner; where two are equally near, the first of them."""
    a, b, c = (values.astype(np.int16) for values in (left, above, corner))
    to_left, to_above, to_corner = abs(b - c), abs(a - c), abs(a + b - 2 * c)
    nearer = np.where(to_above <= to_corner, above, corner)
    return np.where((to_left <= to_above) & (to_left <= to_corner), left, nearer)


def _own_data(pixels: PixelArray) -> bytes:
    """Encode the chunks with an image's pixels and the end of the file."""
    height, _, channels = pixels.shape
    rows = pixels.astype(pixels.dtype.newbyteorder(">")).reshape(height, -1).view(np.uint8)
    data = zlib.compress(filter_rows(rows, channels * pixels.itemsize).tobytes(), OWN_LEVEL)
    return _chunk(b"IDAT", data) + _chunk(b"IEND", b"")


def _chunk(kind: bytes, data: bytes) -> bytes:
    """Encode a chunk: length, kind, data and checksum."""
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def _text_chunk(keyword: str, text: str, latin: bool) -> bytes:
    """Encode text as tEXt if Latin-1 is allowed and enough, else as iTXt without compression and language.

    Neither can hold zero characters; they become spaces.
    """
    key, text = keyword.encode("latin-1"), text.replace("\0", " ")
    if latin and all(ord(letter) < 256 for letter in text):
        return _chunk(b"tEXt", key + b"\0" + text.encode("latin-1"))
    return _chunk(b"iTXt", key + b"\0\0\0\0\0" + text.encode("utf-8", "replace"))


def _save(pixels: PixelArray, format: str, **options: Any) -> bytes:
    """Encode an image with Pillow."""
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, format, **options)
    return file.getvalue()
