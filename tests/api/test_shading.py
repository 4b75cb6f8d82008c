"""Pictures of lit materials: colours, directions, averaging and wrapping."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ganassets.api.assets import TextureSet
from ganassets.api.errors import InputError
from ganassets.api.shading import area_average, linear_to_srgb, rotate_z_to, shade_plane, shade_sphere, srgb_to_linear
from support.texture_sets import make_bricks, plain, random_texture_sets

MAPS = ("albedo", "height", "normal", "roughness", "metallic", "occlusion")
SHADERS = (shade_plane, shade_sphere)


def rolled(material: TextureSet, rows: int, columns: int) -> TextureSet:
    """The material with another texel in its corner."""
    return replace(material, **{name: np.roll(getattr(material, name), (rows, columns), (0, 1)) for name in MAPS})


@given(random_texture_sets(), st.integers(1, 40), st.sampled_from([0.3, 1, 2, 3.7]))
def test_every_material_gives_a_picture(material: TextureSet, size: int, repeat: float) -> None:
    for shade in SHADERS:
        picture = shade(material, size, repeat)
        assert picture.shape == (size, size, 3) and picture.dtype == np.uint8


@given(st.integers(1, 12), st.integers(1, 30), st.floats(0.5, 4), st.integers(0, 2**32 - 1))
def test_area_average_is_the_integral(n: int, count: int, repeat: float, seed: int) -> None:
    values = np.random.default_rng(seed).random((n, 3), np.float32)
    fine = 400  # samples within a part
    at = (np.arange(count * fine) + 0.5) * (n * repeat / (count * fine))
    expected = values[at.astype(int) % n].reshape(count, fine, 3).mean(1)
    # A sample near a border between two rows may fall on the wrong side of it.
    assert np.allclose(area_average(values, count, n * repeat), expected, atol=(n * repeat / count + 2) / fine)


@given(st.floats(-1, 1), st.floats(-1, 1), st.integers(0, 2**32 - 1))
def test_turning_is_a_rotation_from_the_axis_to_the_normal(a: float, b: float, seed: int) -> None:
    normal = np.array([a, b, 0.0])
    normal /= max(1.0, np.hypot(a, b))
    normal[2] = np.sqrt(max(0.0, 1 - normal @ normal))
    x, y, z = (np.full(3, value) for value in normal)
    assert np.allclose(rotate_z_to(np.array([[0.0, 0, 1]] * 3), x, y, z), normal, atol=1e-6)
    vectors = np.random.default_rng(seed).normal(size=(3, 3))
    assert np.allclose(rotate_z_to(vectors, x, y, z) @ rotate_z_to(vectors, x, y, z).T, vectors @ vectors.T)
    across = np.array([[-normal[1], normal[0], 0.0]] * 3)  # the axis of the smallest rotation stays
    assert np.allclose(rotate_z_to(across, x, y, z), across)


def test_srgb_there_and_back() -> None:
    values = np.linspace(0, 1, 257)
    assert np.allclose(linear_to_srgb(srgb_to_linear(values)), values)
    assert abs(srgb_to_linear(np.array(188 / 255)) - 0.5) < 0.005, "188 is half of white's light"


@pytest.mark.parametrize("colour", [(0.5, 0.5, 0.5), (0.7, 0.3, 0.2), (0.1, 0.2, 0.6)])
def test_a_flat_dull_surface_keeps_its_colour(colour: tuple[float, float, float]) -> None:
    picture = shade_plane(plain(colour=colour), 8)
    assert np.ptp(picture, axis=(0, 1)).max() == 0
    # A little of the sky is reflected for any colour.
    assert np.allclose(srgb_to_linear(picture[0, 0] / 255), srgb_to_linear(np.array(colour)), atol=0.03)


def test_metals_are_not_black() -> None:
    gold = plain(colour=(1.0, 0.86, 0.57), metallic=1, roughness=0.3)
    for shade in SHADERS:
        red, _, blue = shade(gold, 64)[16:48, 16:48].reshape(-1, 3).mean(0)
        assert red > 120 and red > 1.2 * blue


def test_light_comes_from_the_upper_left() -> None:
    ball = shade_sphere(plain(), 64).astype(int).sum(-1)
    assert ball[20, 20] > ball[20, 44] > ball[44, 44]
    tilted = {}
    for name, (right, up) in {"left": (-0.5, 0), "right": (0.5, 0), "up": (0, 0.5), "down": (0, -0.5)}.items():
        normal = np.broadcast_to(np.array([right, up, np.sqrt(0.75)], np.float32), (8, 8, 3))
        tilted[name] = shade_plane(replace(plain(), normal=normal), 8)[0, 0].sum(dtype=int)
    assert tilted["left"] > tilted["right"] and tilted["up"] > tilted["down"]


def test_roughness_widens_the_highlight() -> None:
    wide, narrow = (shade_sphere(plain(colour=(0.1, 0.1, 0.1), roughness=r), 128) for r in (0.6, 0.2))
    wide, narrow = (picture[20:64, 20:64, 1].astype(int) for picture in (wide, narrow))
    assert narrow.max() > wide.max() + 60
    assert (narrow > narrow.max() / 2).sum() < (wide > wide.max() / 2).sum() / 4


def test_occlusion_darkens_what_the_sky_lights() -> None:
    dark, open_ = (shade_plane(plain(occlusion=value), 4)[0, 0, 1] for value in (0.0, 1.0))
    assert 0.6 * open_ < dark < 0.9 * open_


def test_sphere_stands_before_an_even_grey() -> None:
    picture = shade_sphere(make_bricks(32), 100)
    y, x = np.mgrid[:100, :100] + 0.5
    distance = np.hypot(x - 50, y - 50)
    assert (picture[distance > 47] == picture[0, 0]).all() and np.ptp(picture[0, 0]) == 0
    edge = shade_sphere(plain(colour=(1, 1, 1)), 100)[..., 0].astype(int)
    assert len(np.unique(edge[:6, 50])) > 2, "antialiased"


def test_the_plane_is_periodic_and_follows_a_roll() -> None:
    bricks = make_bricks(64)
    picture = shade_plane(bricks, 128, repeat=2)
    assert np.ptp(picture) > 50
    for axis in (0, 1):
        assert abs(np.roll(picture, 64, axis).astype(int) - picture).max() <= 1
    moved = shade_plane(rolled(bricks, 16, 24), 128, repeat=2)
    assert abs(np.roll(picture, (16, 24), (0, 1)).astype(int) - moved).max() <= 1


def test_the_sphere_shows_the_middle_undistorted() -> None:
    size, repeat = 180, 2
    scale = np.pi * 0.46 * size / repeat  # pixels that a tile is wide there: 130, all but exactly
    albedo = np.random.default_rng(0).random((16, 16, 3), np.float32)
    patches = replace(plain((16, 16)), albedo=albedo)
    ball = shade_sphere(patches, size, repeat)[70:110, 70:110].mean(-1)
    drawn = shade_plane(patches, 400, repeat=400 / scale).mean(-1)
    # With two repeats the middle of the sphere is a tile's corner.
    corner = slice(round(scale) - 20, round(scale) + 20)
    middle = drawn[corner, corner]
    assert np.corrcoef(ball.ravel(), middle.ravel())[0, 1] > 0.97


def test_fine_stripes_average_to_grey() -> None:
    stripes = plain((64, 64))
    albedo = np.zeros((64, 64, 3), np.float32)
    albedo[:, ::2] = 1
    picture = shade_plane(replace(stripes, albedo=albedo), 30)
    # Half of the light, not half of the numbers.
    assert np.ptp(picture[..., 1]) <= 12 and abs(int(picture[0, 0, 1]) - 188) < 14


@pytest.mark.parametrize(("size", "repeat"), [(0, 2), (8, 0), (8, -1)])
def test_an_impossible_picture_is_refused(size: int, repeat: float) -> None:
    for shade in SHADERS:
        with pytest.raises(InputError, match="above 0"):
            shade(plain(), size, repeat)
