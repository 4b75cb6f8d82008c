"""PNG with 8 or 16 bits a channel (PNG specification, third edition). Pillow writes 16 bits in grey pictures only."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from ganassets.api.errors import InputError

SIGNATURE = b"\x89PNG\r\n\x1a\n"
COLOUR_TYPES = {1: 0, 3: 2, 4: 6}  # by channels: grey, RGB, RGBA
MOST = 2**31 - 1  # of any number
PERCEPTUAL, METRE = 0, 1
LEVEL = 6  # of compression

ByteArray = NDArray[np.uint8]


def encode_png(
    pixels: NDArray[np.uint8] | NDArray[np.uint16],
    srgb: bool,
    per_metre: float = 0,
    text: Mapping[str, str] | None = None,
) -> bytes:
    """A PNG file.

    Args:
        pixels: (h, w, c) with c 1 (grey), 3 (RGB) or 4 (RGBA).
        srgb: whether to say that it is sRGB; nothing is said of data.
        per_metre: pixels to a metre, or 0 for not known.
        text: by keyword (Latin-1, up to 79 letters).

    Raises:
        InputError: there are no pixels.
    """
    h, w, channels = pixels.shape
    if not h or not w:
        raise InputError("a picture without pixels can't be written as PNG.")
    header = struct.pack(">IIBBBBB", w, h, 8 * pixels.itemsize, COLOUR_TYPES[channels], 0, 0, 0)
    rows = pixels.astype(pixels.dtype.newbyteorder(">")).reshape(h, -1).view(np.uint8)
    chunks = [chunk(b"IHDR", header)]
    if srgb:
        chunks.append(chunk(b"sRGB", bytes([PERCEPTUAL])))
    if per_metre:
        density = round(min(max(per_metre, 1), MOST))
        chunks.append(chunk(b"pHYs", struct.pack(">IIB", density, density, METRE)))
    chunks += [text_chunk(keyword, value) for keyword, value in (text or {}).items()]
    chunks += [
        chunk(b"IDAT", zlib.compress(filtered(rows, channels * pixels.itemsize).tobytes(), LEVEL)),
        chunk(b"IEND", b""),
    ]
    return SIGNATURE + b"".join(chunks)


def chunk(kind: bytes, data: bytes) -> bytes:
    """Length, kind, data and checksum."""
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def text_chunk(keyword: str, text: str) -> bytes:
    """TEXt where Latin-1 is enough, else iTXt; zero characters, which neither can hold, become spaces."""
    text = text.replace("\0", " ")
    try:
        return chunk(b"tEXt", keyword.encode("latin-1") + b"\0" + text.encode("latin-1"))
    except UnicodeEncodeError:
        # No compression, no language, no translated keyword.
        return chunk(b"iTXt", keyword.encode("latin-1") + b"\0\0\0\0\0" + text.encode("utf-8", "replace"))


def filtered(rows: ByteArray, step: int) -> ByteArray:
    """(h, 1 + n) rows with the filter's number before each: of none, sub, up and Paeth the one whose bytes, taken as
    signed, have the least sum of absolute values (section 12.7 of the specification).

    Args:
        rows: (h, n) bytes of the picture.
        step: bytes of a pixel.
    """
    left, above = np.zeros_like(rows), np.zeros_like(rows)
    left[:, step:], above[1:] = rows[:, :-step], rows[:-1]
    corner = np.zeros_like(rows)
    corner[1:, step:] = rows[:-1, :-step]
    out = np.concatenate([np.zeros((len(rows), 1), np.uint8), rows], 1)
    least = costs(rows)
    for number, guess in ((1, left), (2, above), (4, paeth(left, above, corner))):
        difference = rows - guess
        cost = costs(difference)
        better = cost < least
        out[better, 0], out[better, 1:] = number, difference[better]
        least = np.minimum(least, cost)
    return out


def costs(rows: ByteArray) -> NDArray[np.int64]:
    """(h,) sum of the absolute values of each row's signed bytes."""
    return np.minimum(rows, -rows).sum(1, dtype=np.int64)


def paeth(left: ByteArray, above: ByteArray, corner: ByteArray) -> ByteArray:
    """Whichever of the three is nearest to left + above - corner; the first of them when they are even."""
    a, b, c = (values.astype(np.int16) for values in (left, above, corner))
    to_left, to_above, to_corner = abs(b - c), abs(a - c), abs(a + b - 2 * c)
    nearer = np.where(to_above <= to_corner, above, corner)
    return np.where((to_left <= to_above) & (to_left <= to_corner), left, nearer)
