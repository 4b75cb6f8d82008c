"""Samples of real material sets."""

from __future__ import annotations

import colorsys
from typing import Any

import numpy as np
import pytest

from ganassets_textures.materials import CLASSES, COLUMNS
from ganassets_textures.real_samples import (
    FULL_RELIEF_SLOPE,
    crop_set,
    enlarge_map,
    estimate_conditions,
    flip_maps,
    make_real_samples,
    reduce_maps,
    to_float_maps,
)
from ganassets_textures.sets import MaterialSet
from support.material_files import colours, grey, hills

SIZE = 32


def material_set(size: int = 96, tiling: bool = True, **changes: Any) -> MaterialSet:
    facts: dict[str, Any] = {
        "name": "wall",
        "material": "brick",
        "albedo": colours((size, size), tiling=tiling),
        "height": hills(size, tiling).astype(np.float32),
        "roughness": grey(200, size),
        "metallic": grey(0, size),
        "tiles": tiling,
    }
    return MaterialSet(**{**facts, **changes})


def steepness(height: np.ndarray) -> float:
    """Root mean square of the difference between neighbours."""
    return float(np.sqrt(np.mean(np.diff(height, axis=-1) ** 2) + np.mean(np.diff(height, axis=-2) ** 2)))


def test_maps_of_a_set():
    maps = to_float_maps(material_set())
    assert {name: a.shape for name, a in maps.items()} == {
        "albedo": (3, 96, 96), "height": (1, 96, 96), "roughness": (1, 96, 96), "metallic": (1, 96, 96)
    }  # fmt: skip
    assert all(a.dtype == np.float32 for a in maps.values())
    assert maps["roughness"].max() == pytest.approx(200 / 255) and maps["albedo"].max() <= 1
    assert to_float_maps(material_set(height=None, roughness=None, metallic=None)).keys() == {"albedo"}


def test_reducing_averages_and_keeps_slopes():
    maps = to_float_maps(material_set())
    assert reduce_maps(maps, 1) is maps
    smaller = reduce_maps(maps, 3)
    assert smaller["albedo"].shape == (3, 32, 32)
    np.testing.assert_allclose(smaller["albedo"][:, 4, 5], maps["albedo"][:, 12:15, 15:18].mean((1, 2)), rtol=1e-5)
    # A slope in texels per texel is the same for larger texels.
    ramp = {"height": (0.25 * np.arange(24, dtype=np.float32))[None, None].repeat(24, 1)}
    np.testing.assert_allclose(np.diff(reduce_maps(ramp, 3)["height"], axis=2), 0.25, atol=1e-5)
    assert steepness(smaller["height"]) == pytest.approx(steepness(maps["height"]), rel=0.1)


def test_reducing_cuts_the_remainder():
    assert reduce_maps({"albedo": np.zeros((3, 65, 70), np.float32)}, 2)["albedo"].shape == (3, 32, 35)


@pytest.mark.parametrize(("shape", "larger"), [((20, 20), (32, 32)), ((20, 31), (32, 50)), ((31, 20), (50, 32))])
def test_enlarging_keeps_slopes(shape, larger):
    ramp = (0.25 * np.arange(shape[1], dtype=np.float32))[None, None].repeat(shape[0], 1)
    made = enlarge_map("height", ramp, 32)
    assert made.shape == (1, *larger) and made.dtype == np.float32
    np.testing.assert_allclose(np.diff(made, axis=2)[..., 3:-3], 0.25, atol=0.01)
    colour = enlarge_map("albedo", np.full((3, *shape), 0.3, np.float32), 32)
    np.testing.assert_allclose(colour, 0.3, rtol=1e-5)


def test_large_maps_are_not_enlarged():
    values = np.zeros((1, 32, 40), np.float32)
    assert enlarge_map("height", values, 32) is values


def test_flipping_turns_all_maps_the_same_way():
    place = np.arange(12, dtype=np.float32).reshape(1, 3, 4)
    seen = set()
    for seed in range(40):
        made = flip_maps({"height": place, "albedo": np.repeat(place, 3, 0) + 100}, np.random.default_rng(seed))
        np.testing.assert_array_equal(made["albedo"][0] - 100, made["height"][0])
        seen.add(made["height"].tobytes())
    expected = [place[:, ::a, ::b] for a in (1, -1) for b in (1, -1)]
    assert seen == {view.tobytes() for view in expected}


def parts(source: MaterialSet, count: int = 60, size: int = SIZE) -> list[tuple[dict[str, np.ndarray], bool]]:
    rng = np.random.default_rng(0)
    return [crop_set(source, size, rng) for _ in range(count)]


def seam(height: np.ndarray) -> float:
    """Step across the border by the steps inside."""
    within = np.abs(np.diff(height, axis=-1)).mean() + np.abs(np.diff(height, axis=-2)).mean()
    across = np.abs(height[..., 0] - height[..., -1]).mean() + np.abs(height[:, 0] - height[:, -1]).mean()
    return float(across / within)


def test_a_set_that_tiles_gives_whole_tiles_and_crops():
    made = parts(material_set())
    share = np.mean([tiles for _, tiles in made])
    assert 0.2 < share < 0.6
    whole = [maps["height"] for maps, tiles in made if tiles]
    crops = [maps["height"] for maps, tiles in made if not tiles]
    assert max(map(seam, whole)) < 2 < np.mean(list(map(seam, crops)))
    assert all(a.shape == (1, SIZE, SIZE) for a in whole + crops)
    assert len({a.tobytes() for a in crops}) > len(crops) / 2


@pytest.mark.parametrize(
    "source",
    [
        material_set(tiling=False),
        material_set(80),  # no multiple of the sample
        material_set(albedo=colours((96, 128)), height=None, roughness=None, metallic=None),
    ],
)
def test_sets_that_do_not_tile_give_crops_alone(source):
    assert not any(tiles for _, tiles in parts(source, 30))


@pytest.mark.parametrize("size", [64, 72, 160])
def test_sets_of_any_size_fill_a_sample_with_their_slopes(size):
    source = material_set(size, tiling=False)
    assert source.height is not None
    for maps, _ in parts(source, 10, 64) + parts(source, 10, 128):
        assert len({a.shape[1:] for a in maps.values()}) == 1
        assert maps["height"].shape[1] in (64, 128)
    steep = [steepness(maps["height"]) for maps, _ in parts(source, 60, 64)]
    assert np.mean(steep) == pytest.approx(steepness(source.height), rel=0.3)


def row_of(source: MaterialSet, maps: dict[str, np.ndarray]) -> dict[str, float]:
    return dict(zip(COLUMNS, estimate_conditions(source, maps, np.random.default_rng(0)), strict=True))


def test_conditions_are_measured():
    source = material_set()
    maps = to_float_maps(source)
    row = row_of(source, maps)
    hue, lightness, saturation = colorsys.rgb_to_hls(*source.albedo.mean((0, 1)) / 255)
    assert [row[n] for n in ("hue", "lightness", "saturation")] == pytest.approx([hue, lightness, saturation], abs=1e-4)
    assert row["roughness"] == pytest.approx(200 / 255)
    assert source.height is not None
    assert row["relief"] == pytest.approx(min(steepness(source.height) / FULL_RELIEF_SLOPE, 1), rel=1e-4)
    assert row["material:brick"] == row["look:photo"] == 1 and row["look:painted"] == 0
    steep = row_of(source, maps | {"height": maps["height"] * 99})
    flat = row_of(source, maps | {"height": maps["height"] * 0})
    assert (flat["relief"], steep["relief"]) == (0, 1)


def test_unmeasured_conditions_are_drawn():
    row = row_of(material_set(material=None), {"albedo": np.full((3, 4, 4), 0.5, np.float32)})
    assert 0 <= row["roughness"] <= 1 and 0 <= row["relief"] <= 1 and row["scale"] >= 16
    assert [row[f"material:{name}"] for name in CLASSES] == pytest.approx([1 / len(CLASSES)] * len(CLASSES))


def test_samples():
    sets = [material_set(), material_set(material=None, height=None, metallic=None, tiling=False)]
    made = [make_real_samples(sets, 33, SIZE, np.random.default_rng(5), lambda done: None) for _ in range(2)]
    for name, values in made[0].items():
        np.testing.assert_array_equal(values, made[1][name])
    samples = made[0]
    assert samples["masks"][::2].tolist() == [[1, 1, 1, 0]] * 17
    assert samples["masks"][1::2].tolist() == [[0, 1, 0, 0]] * 16
    assert not samples["tiles"][1::2].any() and samples["tiles"][::2].any()
    assert np.isnan(samples["latents"]).all()
    assert len(np.unique(samples["noise_seeds"])) == 33
    assert (samples["roughness"] == 200).all() and not samples["height"][1::2].any()
    assert samples["albedo"].dtype == np.uint8 and samples["height"].dtype == np.float16
    assert np.abs(samples["height"][::2]).max() > 0.5
