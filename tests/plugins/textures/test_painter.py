"""Painted materials: tiling, ranges and the effect of sliders."""

from __future__ import annotations

import numpy as np
import pytest

from ganassets_textures.materials import CLASSES, CONDITIONS
from ganassets_textures.painter import PAINTERS, Z_DIM, PaintedMaps, draw_sliders, paint_material
from ganassets_textures.spatial_noise import Pattern, pattern_noise

METALS = ("brushed-metal", "painted-metal", "rusted-metal")
SIZE = (64, 64)
PLAIN = {"hue": 0.1, "saturation": 0.3, "lightness": 0.5, "roughness": 0.6, "relief": 0.6, "wear": 0.2}
SHAPE = {"scale": 32.0, "aspect": 2.0, "stagger": 0.5}


def noise(seed: int, size: tuple[int, int] = SIZE, **shape: float) -> np.ndarray:
    return pattern_noise(seed, Pattern(**(SHAPE | shape)), size)


def latent(seed: int) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal(Z_DIM).astype(np.float32)


def paint_sample(material: str, seed: int = 3, **sliders: float) -> PaintedMaps:
    return paint_material(material, PLAIN | SHAPE | sliders, latent(seed), noise(seed))


def planes(maps: PaintedMaps) -> np.ndarray:
    """Stack all maps to (6, h, w)."""
    return np.concatenate([maps.albedo, maps.height[None], maps.roughness[None], maps.metallic[None]])


def test_every_class_of_materials_has_a_painter():
    assert tuple(PAINTERS) == CLASSES


@pytest.mark.parametrize("material", CLASSES)
@pytest.mark.parametrize("size", [(64, 64), (128, 64)])
def test_maps_are_finite_and_in_range(material: str, size: tuple[int, int]):
    rng = np.random.default_rng(5)
    for seed in range(3):
        sliders = draw_sliders(material, rng)
        shape = {name: sliders[name] for name in SHAPE}
        maps = paint_material(material, sliders, latent(seed), noise(seed, size, **shape))
        assert maps.albedo.shape == (3, *size)
        assert maps.height.shape == maps.roughness.shape == maps.metallic.shape == size
        values = planes(maps)
        assert values.dtype == np.float32
        assert np.isfinite(values).all()
        assert values[[0, 1, 2, 4, 5]].min() >= 0
        assert values[[0, 1, 2, 4, 5]].max() <= 1
        assert np.abs(maps.height).max() <= 16
        assert abs(maps.height.mean()) < 0.15 * sliders["scale"]
        assert maps.albedo.std((1, 2)).max() > 0.003


@pytest.mark.parametrize("material", CLASSES)
def test_same_arguments_give_the_same_maps(material: str):
    z, map_ = latent(1), noise(1)
    before = map_.copy()
    first = paint_material(material, PLAIN | SHAPE, z, map_)
    assert np.array_equal(map_, before)
    assert np.array_equal(planes(first), planes(paint_material(material, PLAIN | SHAPE, z, map_)))


@pytest.mark.parametrize("material", CLASSES)
@pytest.mark.parametrize("shift", [(16, 0), (0, 16)])
def test_rolled_noise_gives_rolled_maps(material: str, shift: tuple[int, int]):
    z, map_ = latent(2), noise(2)
    moved = paint_material(material, PLAIN | SHAPE, z, np.roll(map_, shift, (1, 2)))
    expected = np.roll(planes(paint_material(material, PLAIN | SHAPE, z, map_)), shift, (1, 2))
    np.testing.assert_allclose(planes(moved), expected, atol=1e-4)


@pytest.mark.parametrize("material", CLASSES)
def test_a_texel_depends_on_near_noise_only(material: str):
    size = (128, 128)
    z, near = latent(2), noise(2, size)
    other = near.copy()
    other[:, 56:72, 56:72] = noise(7, size)[:, 56:72, 56:72]
    changed = planes(paint_material(material, PLAIN | SHAPE, z, near)) != planes(
        paint_material(material, PLAIN | SHAPE, z, other)
    )
    assert changed.any()
    rows, columns = np.nonzero(changed.any(0))
    assert min(rows.min(), columns.min()) >= 56 - 48
    assert max(rows.max(), columns.max()) < 72 + 48


@pytest.mark.parametrize("material", CLASSES)
def test_no_seam_at_the_border(material: str):
    # Every 32 texels is a joint of the lattice and of all coarser grids, so only the border makes these lines differ.
    shape = {"scale": 32.0, "aspect": 1.0, "stagger": 0.0}
    steps = np.zeros((2, 4))
    for seed in range(6):
        maps = paint_material(material, PLAIN | shape, latent(seed), noise(seed, (128, 128), **shape))
        for axis in (0, 1):
            change = np.abs(planes(maps) - np.roll(planes(maps), 1, axis + 1)).sum(0).mean(1 - axis)
            steps[axis] += change[::32] + np.roll(change, 1)[::32] + np.roll(change, -1)[::32]
    ratio = steps[:, 0] / steps[:, 1:].mean(1)
    assert (ratio > 0.8).all()
    assert (ratio < 1.25).all()


@pytest.mark.parametrize("material", CLASSES)
def test_no_relief_is_flat(material: str):
    assert not paint_sample(material, relief=0.0).height.any()
    low, high = paint_sample(material, relief=0.2).height, paint_sample(material, relief=0.4).height
    np.testing.assert_allclose(high, 2 * low, rtol=1e-4, atol=1e-5)


def means(material: str, **sliders: float) -> np.ndarray:
    """Return the (6,) mean of each plane over some seeds."""
    return np.mean([planes(paint_sample(material, seed, **sliders)).mean((1, 2)) for seed in range(6)], 0)


@pytest.mark.parametrize("material", CLASSES)
def test_sliders_move_the_means_their_way(material: str):
    dark, light = (means(material, lightness=value, wear=0.0)[:3].mean() for value in (0.3, 0.7))
    assert light - dark > 0.2
    smooth, rough = (means(material, roughness=value, wear=0.0)[4] for value in (0.3, 0.8))
    assert rough - smooth > 0.3
    red, green, blue = (means(material, hue=hue, saturation=0.6, wear=0.0)[:3] for hue in (0.0, 1 / 3, 2 / 3))
    assert (red.argmax(), green.argmax(), blue.argmax()) == (0, 1, 2)
    grey, vivid = (np.ptp(means(material, saturation=value, wear=0.0)[:3]) for value in (0.1, 0.7))
    assert vivid > 2 * grey


@pytest.mark.parametrize("material", CLASSES)
def test_wear_changes_the_material(material: str):
    new, worn = planes(paint_sample(material, wear=0.0)), planes(paint_sample(material, wear=1.0))
    assert np.abs(worn - new).mean() > 0.01


@pytest.mark.parametrize("material", CLASSES)
def test_small_changes_of_sliders_and_latent_make_small_changes(material: str):
    z, map_ = latent(4), noise(4)
    start = planes(paint_material(material, PLAIN | SHAPE, z, map_))
    names = [*PLAIN, *SHAPE]
    moved = [
        paint_material(material, PLAIN | SHAPE | {name: (PLAIN | SHAPE)[name] * 1.0005}, z, map_) for name in names
    ]
    moved += [
        paint_material(material, PLAIN | SHAPE, z + 0.0005 * np.eye(Z_DIM, dtype=np.float32)[i], map_)
        for i in range(Z_DIM)
    ]
    for maps in moved:
        assert np.abs(planes(maps) - start).mean() < 0.004


@pytest.mark.parametrize("material", CLASSES)
def test_only_metals_are_metallic(material: str):
    metallic = max(paint_sample(material, seed, wear=0.6).metallic.mean() for seed in range(6))
    assert (metallic > 0.02) == (material in METALS)


@pytest.mark.parametrize("material", CLASSES)
def test_drawn_sliders_are_within_the_conditions(material: str):
    rng = np.random.default_rng(0)
    bounds = {c.name: (c.low, c.high) for c in CONDITIONS if not c.choices}
    for _ in range(50):
        sliders = draw_sliders(material, rng)
        assert set(sliders) == set(bounds)
        for name, value in sliders.items():
            assert bounds[name][0] <= value <= bounds[name][1]
