"""Pictures of rare kinds, put together by hand, whose pixels are known."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Mapping
from io import BytesIO

import numpy as np
import pytest
from PIL import Image, ImageCms

from ganassets.api.data.images import deep_range, opened_image, visible_image
from ganassets.api.data.records import PREVIEW, LeftOutError
from ganassets.api.sheets import SHEET, encode_sheet

Pixel = tuple[int, int, int, int]


def chunk(kind: bytes, data: bytes) -> bytes:
    """A part of a PNG."""
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(depth: int, colour: int, row: bytes, width: int, *parts: bytes) -> bytes:
    """A PNG of one row."""
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, 1, depth, colour, 0, 0, 0))
    return (
        b"\x89PNG\r\n\x1a\n" + head + b"".join(parts) + chunk(b"IDAT", zlib.compress(b"\0" + row)) + chunk(b"IEND", b"")
    )


def hidden(*levels: int) -> bytes:
    """The part of a PNG that names the colour which is transparent."""
    return chunk(b"tRNS", struct.pack(f">{len(levels)}H", *levels))


def tiff(width: int, bits: list[int], photometric: int, data: bytes, alpha: int | None = None) -> bytes:
    """A TIFF of one row; alpha is the meaning of the last channel: 0 none, 1 multiplied in, 2 not multiplied."""
    tags: dict[int, list[int]] = {
        256: [width], 257: [1], 258: bits, 259: [1], 262: [photometric], 273: [0], 277: [len(bits)], 278: [1],
        279: [len(data)],
    }  # fmt: skip
    tags |= {338: [alpha]} if alpha is not None else {}
    return laid_out(tags, data)


def laid_out(tags: Mapping[int, list[int]], data: bytes) -> bytes:
    """A TIFF with short tags, their longer values and the pixels behind them."""
    start = 8 + 2 + 12 * len(tags) + 4
    values = b"".join(struct.pack(f"<{len(v)}H", *v) for v in tags.values() if len(v) > 2)
    entries, place = b"", start
    for tag in sorted(tags):
        found = [start + len(values)] if tag == 273 else tags[tag]
        entries += struct.pack("<HHI", tag, 3, len(found))
        if len(found) > 2:
            entries += struct.pack("<I", place)
            place += 2 * len(found)
        else:
            entries += struct.pack(f"<{len(found)}H", *found).ljust(4, b"\0")
    return b"II*\0" + struct.pack("<IH", 8, len(tags)) + entries + bytes(4) + values + data


def tga(depth: int, descriptor: int, data: bytes) -> bytes:
    """A TGA of two rows of one pixel."""
    return struct.pack("<BBBHHBHHHHBB", 0, 0, 2, 0, 0, 0, 0, 0, 1, 2, depth, descriptor) + data


def bmp(alpha: int, data: bytes) -> bytes:
    """A BMP of one row with masks for its channels."""
    head = struct.pack("<IiiHHIIiiII4I", 108, 2, 1, 1, 32, 3, len(data), 0, 0, 0, 0, 0xFF0000, 0xFF00, 0xFF, alpha)
    head += bytes(108 - len(head))
    return b"BM" + struct.pack("<IHHI", 14 + len(head) + len(data), 0, 0, 14 + len(head)) + head + data


def seen(content: bytes, suffix: str = ".png") -> list[Pixel]:
    """Pixels that a viewer shows, in the order of reading."""
    with opened_image(BytesIO(content), suffix) as image:
        picture = visible_image(image)[0].convert("RGBA")
    return [(r, g, b, a) for r, g, b, a in np.asarray(picture).reshape(-1, 4).tolist()]


def greys(*levels: int, clear: tuple[int, ...] = ()) -> list[Pixel]:
    """Grey pixels, those of numbers in clear transparent."""
    return [(level, level, level, 0 if i in clear else 255) for i, level in enumerate(levels)]


DEEP = struct.pack(">6H", 0x1012, 0x2034, 0x3056, 0x4012, 0x5034, 0x6056)
CASES: dict[str, tuple[bytes, str, list[Pixel]]] = {
    "1 bit": (png(1, 0, b"\x40", 2, hidden(0)), ".png", greys(0, 255, clear=(0,))),
    "2 bits": (png(2, 0, b"\x1b", 4), ".png", greys(0, 85, 170, 255)),
    "2 bits, one hidden": (png(2, 0, b"\x1b", 4, hidden(1)), ".png", greys(0, 85, 170, 255, clear=(1,))),
    "4 bits, one hidden": (png(4, 0, b"\x0f\x5a", 4, hidden(5)), ".png", greys(0, 255, 85, 170, clear=(2,))),
    "8 bits, one hidden": (png(8, 0, b"\x00\x40", 2, hidden(64)), ".png", greys(0, 64, clear=(1,))),
    "16 bits, one hidden": (
        png(16, 0, struct.pack(">3H", 0, 0x4010, 65535), 3, hidden(0x4010)), ".png", greys(0, 64, 255, clear=(1,)),
    ),
    "16 bits of colour, one hidden": (
        png(16, 2, DEEP, 2, hidden(0x1012, 0x2034, 0x3056)), ".png", [(16, 32, 48, 0), (64, 80, 96, 255)],
    ),
    "palette with alpha": (
        png(2, 3, b"\x18", 3, chunk(b"PLTE", bytes(range(9))), chunk(b"tRNS", bytes([255, 0, 128]))), ".png",
        [(0, 1, 2, 255), (3, 4, 5, 0), (6, 7, 8, 128)],
    ),
    "16 bits of grey and alpha": (
        png(16, 4, struct.pack(">4H", 65535, 65535, 32896, 32896), 2), ".png",
        [(255, 255, 255, 255), (128, 128, 128, 128)],
    ),
    "white is nought": (tiff(2, [8], 0, bytes([0, 64])), ".tif", greys(255, 191)),
    "white is nought, 16 bits": (tiff(2, [16], 0, struct.pack("<2H", 0, 257 * 64)), ".tif", greys(255, 191)),
    "black is nought, 16 bits": (tiff(2, [16], 1, struct.pack("<2H", 0, 257 * 64)), ".tif", greys(0, 64)),
    "alpha multiplied in": (
        tiff(2, [8] * 4, 2, bytes([100, 50, 25, 128, 200, 100, 50, 255]), 1), ".tif",
        [(199, 99, 49, 128), (200, 100, 50, 255)],
    ),
    "alpha not multiplied": (
        tiff(2, [8] * 4, 2, bytes([100, 50, 25, 128, 200, 100, 50, 255]), 2), ".tif",
        [(100, 50, 25, 128), (200, 100, 50, 255)],
    ),
    "a channel that is no alpha": (
        tiff(2, [8] * 4, 2, bytes([100, 50, 25, 128, 200, 100, 50, 0]), 0), ".tif",
        [(100, 50, 25, 255), (200, 100, 50, 255)],
    ),
    "TGA from the bottom": (tga(24, 0, bytes([30, 20, 10, 3, 2, 1])), ".tga", [(1, 2, 3, 255), (10, 20, 30, 255)]),
    "TGA without alpha": (
        tga(32, 0x20, bytes([30, 20, 10, 0, 3, 2, 1, 0])), ".tga", [(10, 20, 30, 255), (1, 2, 3, 255)],
    ),
    "TGA with alpha": (
        tga(32, 0x28, bytes([30, 20, 10, 7, 3, 2, 1, 255])), ".tga", [(10, 20, 30, 7), (1, 2, 3, 255)],
    ),
    "TGA of 15 bits": (
        tga(16, 0x20, struct.pack("<2H", 0x7C00, 0x83E0)), ".tga", [(255, 0, 0, 255), (0, 255, 0, 255)],
    ),
    "TGA of 16 bits": (
        tga(16, 0x21, struct.pack("<2H", 0x7C00, 0x83E0)), ".tga", [(255, 0, 0, 0), (0, 255, 0, 255)],
    ),
    "BMP with alpha": (
        bmp(0xFF000000, bytes([30, 20, 10, 128, 60, 50, 40, 255])), ".bmp", [(10, 20, 30, 128), (40, 50, 60, 255)],
    ),
    "BMP without": (bmp(0, bytes([30, 20, 10, 0, 60, 50, 40, 0])), ".bmp", [(10, 20, 30, 255), (40, 50, 60, 255)]),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_rare_kinds_keep_polarity_and_transparency(case: str) -> None:
    content, suffix, expected = CASES[case]
    assert seen(content, suffix) == expected


def test_cmyk_of_adobe_is_not_inverted() -> None:
    content = BytesIO()
    Image.new("CMYK", (16, 16), (0, 255, 255, 0)).save(content, "JPEG", quality=95)
    red, green, blue, _ = seen(content.getvalue(), ".jpg")[0]
    assert red > 240 and green < 15 and blue < 15


def matrix_profile(*primaries: tuple[float, float, float], gamma: float) -> bytes:
    """An ICC profile (version 2) of a screen: its primaries in XYZ, adapted to D50, none for grey, and a gamma."""

    def xyz(values: tuple[float, ...]) -> bytes:
        return b"XYZ \0\0\0\0" + struct.pack(">3i", *(round(value * 65536) for value in values))

    curve = (b"curv\0\0\0\0" + struct.pack(">IH", 1, round(gamma * 256))).ljust(16, b"\0")
    text = b"desc\0\0\0\0" + struct.pack(">I", 2) + b"x\0" + bytes(78)
    tags = {b"desc": text, b"cprt": b"text\0\0\0\0CC0\0", b"wtpt": xyz((0.9642, 1, 0.8249))}
    names = (b"r", b"g", b"b") if primaries else (b"k",)
    tags |= {name + b"XYZ": xyz(values) for name, values in zip(names, primaries, strict=False)}
    tags |= {name + b"TRC": curve for name in names}
    table, data = struct.pack(">I", len(tags)), b""
    for name, content in tags.items():
        table += name + struct.pack(">II", 128 + 4 + 12 * len(tags) + len(data), len(content))
        data += content.ljust(-(-len(content) // 4) * 4, b"\0")
    head = (
        struct.pack(">I4xI", 132 + 12 * len(tags) + len(data), 0x02100000)
        + b"mntr"
        + (b"RGB " if primaries else b"GRAY")
        + b"XYZ "
    )
    head += struct.pack(">6H", 2026, 1, 1, 0, 0, 0) + b"acsp" + bytes(28)
    head += struct.pack(">3i", *(round(value * 65536) for value in (0.9642, 1, 0.8249)))
    return head.ljust(128, b"\0") + table + data


WIDE = matrix_profile((0.60974, 0.31111, 0.01947), (0.20528, 0.62567, 0.06087), (0.14919, 0.06322, 0.74457), gamma=2.2)


def profiled(profile: bytes, colour: int | tuple[int, ...] = (117, 199, 75), mode: str = "RGB") -> bytes:
    """A PNG of one colour with a colour profile."""
    content = BytesIO()
    Image.new(mode, (8, 8), colour).save(content, "PNG", icc_profile=profile)
    return content.getvalue()


def test_colour_profiles_are_brought_to_srgb() -> None:
    """Check that (117, 199, 75) in Adobe RGB becomes (40, 200, 60) in sRGB."""
    for mode, colour, alpha in (("RGB", (117, 199, 75), 255), ("RGBA", (117, 199, 75, 9), 9)):
        pixel = seen(profiled(WIDE, colour, mode))[0]
        assert np.abs(np.subtract(pixel, (40, 200, 60, alpha))).max() <= 2


def test_srgb_profiles_change_nothing() -> None:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    assert seen(profiled(profile))[0] == (117, 199, 75, 255)


@pytest.mark.parametrize("profile", [b"no profile", WIDE[:200], WIDE[:-40]])
def test_damaged_profiles_are_reported_and_not_used(profile: bytes) -> None:
    with opened_image(BytesIO(profiled(profile)), ".png") as image:
        picture, note = visible_image(image)
    assert picture.getpixel((0, 0)) == (117, 199, 75) and "its colour profile can't be used" in note


@pytest.mark.parametrize(("mode", "colour", "alpha"), [("L", 90, 255), ("LA", (90, 9), 9)])
@pytest.mark.parametrize(
    ("profile", "expected"),
    [
        (ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes(), 90),
        (matrix_profile((0.436, 0.222, 0.014), (0.385, 0.717, 0.097), (0.143, 0.061, 0.714), gamma=1), 160),
        (matrix_profile(gamma=1), 160),
    ],
    ids=["sRGB", "RGB of gamma 1", "grey of gamma 1"],
)
def test_grey_is_brought_to_srgb(
    mode: str, colour: int | tuple[int, ...], alpha: int, profile: bytes, expected: int
) -> None:
    """90 of 255 in linear light is 160 in sRGB."""
    with opened_image(BytesIO(profiled(profile, colour, mode)), ".png") as image:
        picture, note = visible_image(image)
    assert note == ""
    pixel = np.asarray(picture.convert("RGBA"), int)[0, 0]
    assert np.abs(pixel - (expected, expected, expected, alpha)).max() <= 1


@pytest.mark.parametrize(("profile", "mode", "form"), [(matrix_profile(gamma=1), "RGB", "PNG"), (WIDE, "CMYK", "TIFF")])
def test_a_profile_of_another_kind_is_not_used(profile: bytes, mode: str, form: str) -> None:
    content = BytesIO()
    Image.new(mode, (8, 8)).save(content, form, icc_profile=profile)
    with opened_image(content, "") as image:
        picture, note = visible_image(image)
    assert picture.getpixel((0, 0)) == ((0, 0, 0) if mode == "RGB" else (255, 255, 255)) and "colour profile" in note


@pytest.mark.parametrize("outlier", [65504.0, -9999.0])
def test_single_outliers_don_t_squeeze_the_range(outlier: float) -> None:
    heights = np.linspace(3, 9, 10_000, dtype=np.float32).reshape(100, 100)
    expected = (heights - heights.min()) / np.ptp(heights)
    plain, note = deep_range(heights, "F")
    np.testing.assert_allclose(plain, expected, atol=1e-6)
    assert note == "its range is 3 to 9"
    spoilt = heights.copy()
    spoilt[50, 50] = outlier
    found, note = deep_range(spoilt, "F")
    assert np.abs(found - expected)[spoilt == heights].max() < 0.002 and "cut off" in note
    shares = np.where(spoilt == heights, expected, outlier).astype(np.float32)
    np.testing.assert_allclose(deep_range(shares, "F")[0][spoilt == heights], expected[spoilt == heights], atol=2e-3)


def test_pictures_that_the_program_drew_are_recognised_by_their_note() -> None:
    content = encode_sheet(Image.new("RGB", (8, 8)))
    assert Image.open(BytesIO(content)).info[SHEET] == "contact sheet"
    with pytest.raises(LeftOutError, match="ganassets drew") as caught, opened_image(BytesIO(content), ".png"):
        pass
    assert caught.value.category == PREVIEW
