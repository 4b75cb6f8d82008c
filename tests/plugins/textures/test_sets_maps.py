"""Images of maps, conventions of normal maps, heights and seams."""

from __future__ import annotations

import zlib
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from ganassets.api.data.images import FORMATS
from ganassets.api.errors import InputError
from ganassets_textures.sets.heights import (
    integrate,
    is_directx_slopes,
    scale_height,
    slopes_of_height,
    slopes_of_normals,
    tiles,
)
from ganassets_textures.sets.map_images import read_image_size, read_map_image
from support.material_files import SIZE, colours, grey, hills, normals, save, to_full_range, to_unit_range


def read(path: Path, size: tuple[int, int] = (SIZE, SIZE)):
    with path.open("rb") as stream:
        return read_map_image(stream, path.suffix, size)


def slopes_of(pixels: np.ndarray) -> np.ndarray:
    return slopes_of_normals(to_unit_range(pixels.transpose(2, 0, 1)))


@pytest.mark.parametrize("suffix", ["png", "bmp", "tga", "tif", "webp", "jpg"])
def test_formats(tmp_path: Path, suffix: str) -> None:
    options = {"webp": {"lossless": True}, "jpg": {"quality": 98}}.get(suffix, {})
    path = save(tmp_path / f"a.{suffix}", colours(), **options)
    picture = read(path)
    assert np.abs(picture.colour - colours().transpose(2, 0, 1) / 255).mean() < (0.01 if suffix == "jpg" else 1e-6)
    assert picture.alpha is None and not picture.is_grey


def test_modes(tmp_path: Path) -> None:
    image = Image.fromarray(colours())
    whole = np.asarray(image, np.float32).transpose(2, 0, 1) / 255
    alpha = Image.fromarray(grey(np.arange(SIZE)))
    image.quantize(256).save(tmp_path / "palette.png")
    image.convert("CMYK").save(tmp_path / "cmyk.tif")
    Image.merge("RGBA", (*image.split(), alpha)).save(tmp_path / "rgba.png")
    image.convert("RGBA").save(tmp_path / "opaque.png")
    Image.merge("LA", (image.convert("L"), alpha)).save(tmp_path / "la.png")
    image.convert("1").save(tmp_path / "one.png")
    for name in ("palette.png", "cmyk.tif", "rgba.png", "opaque.png"):
        assert np.abs(read(tmp_path / name).colour - whole).mean() < 0.02, name
    assert read(tmp_path / "opaque.png").alpha is None
    for name in ("rgba.png", "la.png"):
        read_alpha = read(tmp_path / name).channel("A")
        assert read_alpha is not None and np.abs(read_alpha - np.asarray(alpha) / 255).max() < 1e-6
    assert len(read(tmp_path / "la.png").colour) == 1
    assert set(np.unique(read(tmp_path / "one.png").colour)) == {0, 1}


def test_deep_greys_keep_their_steps(tmp_path: Path) -> None:
    height = to_full_range(hills(), np.uint16)
    save(tmp_path / "a.png", height)
    save(tmp_path / "b.tif", height)
    save(tmp_path / "c.tif", (height / 65535).astype(np.float32))
    save(tmp_path / "metres.tif", (height / 6553.5 - 3).astype(np.float32))
    for name in ("a.png", "b.tif", "c.tif", "metres.tif"):
        np.testing.assert_allclose(read(tmp_path / name).colour[0], height / 65535, atol=1e-5, err_msg=name)


def test_shrinking_takes_area_means_growing_is_smooth(tmp_path: Path) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (96, 144), dtype=np.uint8)
    path = save(tmp_path / "a.png", pixels)
    means = pixels.reshape(32, 3, 48, 3).mean((1, 3)) / 255
    np.testing.assert_allclose(read(path, (32, 48)).colour[0], means, atol=1e-5)
    assert np.abs(np.diff(read(path, (192, 288)).colour[0])).max() < np.abs(np.diff(pixels / 255.0)).max() * 0.6


@pytest.mark.parametrize(
    ("content", "suffix", "reason"),
    [
        (b"", ".png", "not a picture"),
        (b"albedo: brown\n" * 20, ".png", "not a picture"),
        (b"albedo: brown\n" * 20, ".tga", "not a picture|damaged"),
        (b"\x89PNG\r\n\x1a\n" + b"\0" * 40, ".png", "not a picture|damaged"),
    ],
)
def test_no_pictures(content: bytes, suffix: str, reason: str) -> None:
    with pytest.raises(InputError, match=reason):
        read_map_image(BytesIO(content), suffix, (64, 64))


def test_bombs_are_not_decoded() -> None:
    for size in ((9500, 9500), (20000, 20000)):
        stream = BytesIO()
        # The header alone: decoding finds that the file is truncated.
        Image.new("L", (8, 8)).save(stream, "PNG")
        content = bytearray(stream.getvalue())
        content[16:24] = size[0].to_bytes(4, "big") + size[1].to_bytes(4, "big")
        content[29:33] = zlib.crc32(content[12:29]).to_bytes(4, "big")
        with pytest.raises(InputError, match="89 million"):
            read_image_size(BytesIO(bytes(content)), ".png")


def reading_error(content: bytes) -> str | None:
    """Why an image can't be read, or None."""
    try:
        read_map_image(BytesIO(content), ".x", (SIZE, SIZE))
    except InputError as error:
        return str(error)
    return None


@pytest.mark.parametrize("form", FORMATS)
def test_truncated_and_damaged_pictures_are_input_errors(form: str) -> None:
    stream = BytesIO()
    Image.fromarray(colours()).save(stream, form)
    content, rng = stream.getvalue(), np.random.default_rng(0)
    assert reading_error(content[: len(content) // 2])
    for _ in range(30):
        damaged = np.frombuffer(content, np.uint8).copy()
        damaged[rng.integers(0, len(damaged), 8)] = rng.integers(0, 256, 8)
        assert reading_error(damaged.tobytes()) != ""


def test_other_shape_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="another shape"):
        read(save(tmp_path / "a.png", colours((64, 128))), (64, 64))


def test_looks_of_normals(tmp_path: Path) -> None:
    assert read(save(tmp_path / "n.png", normals(hills()))).looks_like_normals()
    assert not read(save(tmp_path / "c.png", colours())).looks_like_normals()
    assert not read(save(tmp_path / "g.png", grey(128))).looks_like_normals()


def test_slopes_of_a_normal_map_are_those_of_its_surface() -> None:
    assert np.abs(slopes_of(normals(hills())) - slopes_of_height(hills()))[:, 1:-1, 1:-1].max() < 0.01


def test_integration_returns_the_surface() -> None:
    tiling, open_ended = hills().astype(np.float32), hills(tiling=False).astype(np.float32)
    np.testing.assert_allclose(integrate(slopes_of(normals(hills())), wraps=True), tiling, atol=0.15)
    level = slopes_of_height(open_ended)
    row, column = np.mgrid[:SIZE, :SIZE]
    tilt = level[0].mean() * column + level[1].mean() * row
    expected = open_ended - tilt + tilt.mean()
    assert np.corrcoef(integrate(level, wraps=False).ravel(), expected.ravel())[0, 1] > 0.995
    assert abs(integrate(level, wraps=False).mean()) < 1e-4


@settings(deadline=None, max_examples=25)
@given(st.integers(0, 2**32 - 1), st.booleans(), st.floats(0.05, 2), st.booleans())
def test_convention_is_found_with_and_without_heights(seed: int, directx: bool, depth: float, inverted: bool) -> None:
    rng = np.random.default_rng(seed)
    waves = np.fft.fftfreq(SIZE)[:, None] ** 2 + np.fft.fftfreq(SIZE)[None] ** 2
    rough = np.fft.ifft2(np.fft.fft2(rng.normal(size=(SIZE, SIZE))) * np.exp(-waves * 400)).real
    height = rough / rough.std() * 2 * depth
    slopes = slopes_of(normals(height, directx))
    heights = to_unit_range(to_full_range(-height if inverted else height))
    assert is_directx_slopes(slopes, None) == directx
    assert is_directx_slopes(slopes, heights) == directx
    right_way = slopes * np.array([1, -1 if directx else 1])[:, None, None].astype(np.float32)
    scaled = scale_height(heights, right_way)
    assert np.abs(scaled - height + height.mean()).max() < 0.1 * np.ptp(height)


def test_flat_maps_have_no_convention() -> None:
    flat = np.zeros((2, 64, 64), np.float32)
    assert not is_directx_slopes(flat, None)
    assert not integrate(flat, True).any()
    assert not scale_height(np.full((64, 64), 0.5, np.float32), None).any()


def test_usual_slope_where_there_is_no_scale() -> None:
    scaled = scale_height(to_unit_range(to_full_range(hills())), None)
    assert np.sqrt((slopes_of_height(scaled) ** 2).sum(0).mean()) == pytest.approx(0.25, rel=1e-4)


def test_seams() -> None:
    assert tiles(colours()) and tiles(hills()) and tiles(np.zeros((64, 64)))
    row, column = np.mgrid[:64, :64]
    for ramp in (row, column):
        assert not tiles(ramp) and not tiles(np.repeat(ramp[..., None], 3, 2))
