"""Images are encoded, and read back with pypng and Pillow."""

from __future__ import annotations

import io
import json
import zlib
from typing import Any

import numpy as np
import png
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from ganassets.api.errors import InputError
from ganassets.api.images.encoding import encode_jpeg, encode_png, encode_webp, filter_rows, quantize
from support.png_files import read_png, read_text

TEXT = {"Software": "ganassets 0.1.0", "Copyright": "© 素材", "Seed": "7"}


def random_pixels(*shape: int) -> np.ndarray:
    """Make random uint8 pixels."""
    return np.random.default_rng(0).integers(0, 256, shape, np.uint8)


@given(
    st.sampled_from([1, 3, 4]), st.sampled_from([np.uint8, np.uint16]), st.integers(1, 9), st.integers(1, 9),
    st.integers(0, 2**32 - 1), st.sampled_from(["noise", "ramp", "flat", "copies"]),
)  # fmt: skip
def test_png_of_any_pixels(channels: int, dtype: type, h: int, w: int, seed: int, kind: str) -> None:
    rng = np.random.default_rng(seed)
    most = np.iinfo(dtype).max
    pixels: Any = rng.integers(0, most, (h, w, channels), dtype, endpoint=True)
    if kind == "ramp":
        pixels = (pixels[:1, :1] + np.arange(h)[:, None, None] * 3 + np.arange(w)[None, :, None] * 2).astype(dtype)
    if kind == "flat":
        pixels[:] = pixels[0, 0]
    if kind == "copies":
        pixels[:] = pixels[0]
    assert np.array_equal(read_png(encode_png(pixels)), pixels)


def test_every_filter_is_used_and_helps() -> None:
    rng = np.random.default_rng(0)
    y, x = np.mgrid[:40, :40]
    pixels = np.zeros((40, 40, 1), np.uint8)
    pixels[4:12, ..., 0] = (x * 5)[4:12]
    pixels[12:24, ..., 0] = rng.integers(0, 255, 40)
    pixels[24:, ..., 0] = (y * 7 + x * x)[24:] % 251
    rows = filter_rows(pixels.reshape(40, -1), 1)
    assert set(rows[:, 0].tolist()) == {0, 1, 2, 4}
    assert len(zlib.compress(rows.tobytes())) < 0.7 * len(zlib.compress(pixels.tobytes()))


def test_a_picture_without_pixels_is_refused() -> None:
    with pytest.raises(InputError, match="without pixels"):
        encode_png(np.zeros((3, 0, 1), np.uint8))


@pytest.mark.parametrize("level", [None, 1, 6])
@pytest.mark.parametrize("shape", [(5, 7), (5, 7, 1), (5, 7, 3), (5, 7, 4)])
def test_png_at_any_compression(shape: tuple[int, ...], level: int | None) -> None:
    pixels = random_pixels(*shape)
    content = encode_png(pixels, srgb=True, text=TEXT, pixels_per_metre=200, compress_level=level)
    assert np.array_equal(read_png(content), pixels.reshape(5, 7, -1))
    assert read_text(content) == TEXT
    kinds = [kind for kind, _ in png.Reader(bytes=content).chunks()]
    assert kinds[:3] == [b"IHDR", b"sRGB", b"pHYs"] and kinds[-1] == b"IEND"


@pytest.mark.parametrize("level", [None, 6])
def test_grey_png_with_16_bits(level: int | None) -> None:
    pixels = np.arange(35, dtype=np.uint16).reshape(5, 7) * 1871
    assert np.array_equal(read_png(encode_png(pixels, compress_level=level))[..., 0], pixels)


def test_text_is_latin_where_that_is_allowed_and_enough() -> None:
    def kinds(**options: Any) -> list[bytes]:
        content = encode_png(random_pixels(2, 2), text=TEXT, **options)
        assert read_text(content) == TEXT
        return [kind for kind, _ in png.Reader(bytes=content).chunks() if kind.endswith(b"Xt")]

    assert kinds() == [b"tEXt", b"iTXt", b"tEXt"]
    assert kinds(latin_text=False) == [b"iTXt"] * 3


def test_webp_and_jpeg() -> None:
    pixels = random_pixels(16, 16, 3)
    with Image.open(io.BytesIO(encode_webp(pixels, TEXT))) as image:
        assert np.array_equal(np.asarray(image), pixels)
        assert json.loads(image.getexif()[270]) == TEXT
    grey = np.full((16, 16, 3), 90, np.uint8)
    with Image.open(io.BytesIO(encode_jpeg(grey))) as image:
        assert image.format == "JPEG" and abs(np.asarray(image).astype(int) - 90).max() <= 1


@given(st.lists(st.floats(0, 1), min_size=1), st.sampled_from([8, 16]))
def test_values_become_the_nearest_numbers(values: list[float], bits: int) -> None:
    numbers = quantize(np.array(values), bits)
    assert numbers.dtype == {8: np.uint8, 16: np.uint16}[bits]
    assert abs(numbers / (2**bits - 1) - values).max() <= 0.5 / (2**bits - 1) + 1e-9
