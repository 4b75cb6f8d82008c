"""Cropping, padding and resizing of pictures."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from ganassets.api.data.pictures import (
    POLICIES,
    read_pictures,
)
from ganassets.api.errors import InputError
from support.picture_files import SIZE, make_noise, save_pictures, unused_files


def crossed(width: int, height: int) -> Image.Image:
    """Draw a different colour on each of the four sides, and grey in the middle."""
    image = make_noise(width, height).point([110 + value // 16 for value in range(256)] * 3)
    side = max(min(width, height) // 8, 1)
    for box, colour in (
        ((0, 0, width, side), (255, 0, 0)), ((0, height - side, width, height), (0, 255, 0)),
        ((0, 0, side, height), (0, 0, 255)), ((width - side, 0, width, height), (255, 255, 0)),
    ):  # fmt: skip
        image.paste(colour, box)
    return image


def sides_seen(picture: np.ndarray) -> set[str]:
    """Return the sides of the test image that a (3, size, size) picture shows."""
    colours = {"top": (255, 0, 0), "bottom": (0, 255, 0), "left": (0, 0, 255), "right": (255, 255, 0)}
    near = {k: np.abs(picture.astype(int) - np.array(c)[:, None, None]).max(0) < 60 for k, c in colours.items()}
    return {name for name, mask in near.items() if mask.any()}


@pytest.mark.parametrize(
    ("crop", "sizes", "aspect", "seen"),
    [
        ("auto", [(48, 64)] * 3, 0.75, ("left", "right", "top", "bottom")),
        ("auto", [(48, 64), (64, 48), (64, 64)], 1.0, ("left", "right")),
        ("centre", [(48, 64)] * 3, 1.0, ("left", "right")),
        ("stretch", [(48, 64), (64, 48), (60, 80)], 0.75, ("left", "right", "top", "bottom")),
        ("pad", [(48, 64)] * 3, 1.0, ("left", "right", "top", "bottom")),
    ],
)
def test_crops(tmp_path: Path, crop: str, sizes: list[tuple[int, int]], aspect: float, seen: tuple[str, ...]) -> None:
    for i, (width, height) in enumerate(sizes):
        image = crossed(width, height)
        image.putpixel((width // 2, height // 2), (i, 0, 0))  # no two are the same
        image.save(tmp_path / f"{i}.png")
    found = read_pictures(tmp_path, 32, crop)
    assert found.aspect == pytest.approx(aspect, abs=1e-4)
    assert sides_seen(found.pixels[0]) == set(seen)


def test_outliers_are_cut_to_the_common_shape(tmp_path: Path) -> None:
    save_pictures(tmp_path, 30, size=(48, 64))
    crossed(64, 64).save(tmp_path / "z.png")
    found = read_pictures(tmp_path, 32)
    assert found.aspect == pytest.approx(0.75, abs=1e-4)
    assert sides_seen(found.pixels[-1]) == {"top", "bottom"}


def test_padding_is_clear_or_the_colour_of_the_edge(tmp_path: Path) -> None:
    image = Image.new("RGB", (64, 32), (200, 40, 90))
    image.paste((0, 0, 0), (20, 10, 40, 20))
    image.save(tmp_path / "a.png")
    found = read_pictures(tmp_path, 32, "pad").pixels[0]
    assert np.abs(found[:, 0, 5].astype(int) - (200, 40, 90)).max() <= 1
    image.putalpha(200)
    image.save(tmp_path / "a.png")
    found = read_pictures(tmp_path, 32, "pad").pixels[0]
    assert found[3, 0, 5] == 0 and found[3, 16, 1] == 200


def test_an_unknown_crop(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="--crop is one of auto, centre, stretch, pad"):
        read_pictures(tmp_path, SIZE, "round")


def test_pixel_art_stays_sharp_and_photographs_don_t(tmp_path: Path) -> None:
    make_noise(20, 20).save(tmp_path / "photo.png")
    make_noise(8, 8).save(tmp_path / "sprite.png")
    found = dict(zip(*(lambda p: (p.names, p.pixels))(read_pictures(tmp_path, 40)), strict=True))
    sprite = np.asarray(make_noise(8, 8)).transpose(2, 0, 1)
    assert (found["sprite.png"] == sprite.repeat(5, 1).repeat(5, 2)).all()
    photo = np.asarray(make_noise(20, 20)).transpose(2, 0, 1)
    assert (found["photo.png"] != photo.repeat(2, 1).repeat(2, 2)).mean() > 0.5


def test_shrinking_takes_means(tmp_path: Path) -> None:
    make_noise(64, 64).save(tmp_path / "a.png")
    means = np.asarray(make_noise(64, 64)).reshape(SIZE, 4, SIZE, 4, 3).mean((1, 3)).transpose(2, 0, 1)
    assert np.abs(read_pictures(tmp_path, SIZE).pixels[0] - means).max() <= 1


@settings(max_examples=60)
@given(
    st.integers(4, 70), st.integers(4, 70), st.sampled_from(["L", "LA", "P", "RGB", "RGBA", "CMYK"]),
    st.sampled_from(POLICIES), st.sampled_from([4, 7, 16, 33]), st.integers(0, 3),
)  # fmt: skip
def test_any_size_mode_and_shape(width: int, height: int, mode: str, crop: str, size: int, seed: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        make_noise(width, height, seed, 4).convert(mode).save(Path(folder) / "a.tif")
        make_noise(height, width, seed + 9).save(Path(folder) / "b.png")
        found = read_pictures(Path(folder), size, crop)
    assert found.pixels.shape[0] + len(unused_files(found)) == 2 and found.pixels.shape[2:] == (size, size)
    assert found.pixels.shape[1] in (3, 4)
    assert 0.25 <= found.aspect <= 4
