"""Single pictures are read back with pypng and Pillow and compared."""

from __future__ import annotations

import io
import json

import numpy as np
import png
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from ganassets.api.assets import Picture
from ganassets.api.errors import InputError
from ganassets.api.provenance import Provenance
from ganassets.api.registry_checks import exporter_problems
from ganassets_images import PNG

ORIGIN = Provenance("portraits 0.1.0", "a" * 64, 7, 0.85, {"label:elf": 1.0}, "CC0-1.0", "ganassets 0.1.0")


def picture(height: int, width: int, channels: int, seed: int = 0) -> Picture:
    """Make a picture of random pixels."""
    pixels = np.random.default_rng(seed).integers(0, 256, (height, width, channels), np.uint8)
    return Picture("portraits-00000007", pixels, ORIGIN)


def test_it_keeps_the_rules_of_exporters() -> None:
    assert exporter_problems(PNG) == []


@given(st.integers(1, 20), st.integers(1, 20), st.sampled_from([3, 4]), st.integers(0, 9))
def test_every_pixel_comes_back(height: int, width: int, channels: int, seed: int) -> None:
    asset = picture(height, width, channels, seed)
    (content,) = PNG.export(asset, {"format": "png"}).values()
    w, h, rows, info = png.Reader(bytes=content).read()
    assert (w, h, info["planes"], info["bitdepth"]) == (width, height, channels, 8)
    np.testing.assert_array_equal(np.array([list(row) for row in rows]).reshape(asset.pixels.shape), asset.pixels)
    (content,) = PNG.export(asset, {"format": "webp"}).values()
    with Image.open(io.BytesIO(content)) as image:
        np.testing.assert_array_equal(np.asarray(image.convert("RGBA"))[..., :channels], asset.pixels)


def test_files_are_named_and_say_where_they_come_from() -> None:
    asset = picture(8, 6, 4)
    files = PNG.export(asset, {"format": "png"}) | PNG.export(asset, {"format": "webp"})
    assert list(files) == ["portraits-00000007.png", "portraits-00000007.webp"]
    with Image.open(io.BytesIO(files["portraits-00000007.png"])) as image:
        text = image.info
        assert "srgb" in text and text["Copyright"] == "CC0-1.0" and text["Seed"] == "7"
        assert json.loads(text["Sliders"]) == {"label:elf": 1.0}
    with Image.open(io.BytesIO(files["portraits-00000007.webp"])) as image:
        exif = image.getexif()
        assert json.loads(exif[270])["Model"] == "a" * 64 and exif[33432] == "CC0-1.0"


def test_webp_has_a_largest_size() -> None:
    asset = Picture("long", np.zeros((1, 20_000, 3), np.uint8))
    with pytest.raises(InputError, match="16383"):
        PNG.export(asset, {"format": "webp"})
    assert PNG.export(asset, {"format": "png"})["long.png"].startswith(b"\x89PNG")


@pytest.mark.parametrize("shape", [(4, 4), (4, 4, 1), (4, 4, 5), (0, 4, 3), (4, 0, 4)])
def test_pictures_are_checked(shape: tuple[int, ...]) -> None:
    with pytest.raises(InputError, match="pixels"):
        Picture("bad", np.zeros(shape, np.uint8))


def test_pixels_are_bytes() -> None:
    with pytest.raises(InputError, match="uint8"):
        Picture("bad", np.zeros((4, 4, 3), np.float32))  # pyright: ignore[reportArgumentType]


def test_a_picture_is_never_reduced() -> None:
    asset = picture(8, 6, 3)
    assert asset.kind == "picture" and asset.reduced(4) is asset
