"""Decoding a model's outputs to texture sets."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ganassets.api.provenance import Provenance
from ganassets_textures.decode import decode_materials, occlusion, slope_normals, texel_size, wrapped_slopes
from ganassets_textures.materials import CLASSES, COLUMNS, MATERIAL_CLASSES
from support.exemplars import bricks, condition_row, model_arrays, stripes

SIZE = 64
PAINTED: Any = SimpleNamespace(arrays={})  # manifest of a model that carries no exemplars
TEXEL = MATERIAL_CLASSES["brick"].unit_height / 48


def sliders(scale: float = 48.0, **shares: float) -> dict[str, float]:
    """A model's conditions by column: shares of materials, brick alone where none is named."""
    values = dict.fromkeys(COLUMNS, 0.0) | {"scale": scale}
    return values | {f"material:{name.replace('_', '-')}": share for name, share in (shares or {"brick": 1.0}).items()}


def outputs(height: np.ndarray, n: int = 1) -> dict[str, np.ndarray]:
    """Outputs of a model: random maps and a height in metres."""
    rng, size = np.random.default_rng(0), height.shape
    planes = {
        name: rng.random((n, c, *size), np.float32) for name, c in (("albedo", 3), ("roughness", 1), ("metallic", 1))
    }
    return planes | {"height": np.tile(height.astype(np.float32), (n, 1, 1, 1))}


def waves(rows: int, columns: int, height: float = 1.5) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Height in texels of waves over a square, and its slopes to the right and down the rows."""
    down, right = np.mgrid[:SIZE, :SIZE] * (2 * np.pi / SIZE)
    phase = rows * down + columns * right
    slope = height * 2 * np.pi / SIZE * np.cos(phase)
    return height * np.sin(phase), columns * slope, rows * slope


def test_maps_are_decoded():
    arrays = outputs(waves(1, 2)[0] * TEXEL, 2)
    provenances = [Provenance(seed=seed, sliders=sliders()) for seed in (3, 4)]
    made = decode_materials(arrays, PAINTED, ["a", "b"], provenances, {})
    assert [asset.name for asset in made] == ["a", "b"]
    for i, asset in enumerate(made):
        assert asset.tiles and asset.provenance is provenances[i]
        assert asset.texel_size == pytest.approx(TEXEL)
        np.testing.assert_array_equal(asset.albedo[5, 9], arrays["albedo"][i, :, 5, 9])
        for name in ("height", "roughness", "metallic"):
            np.testing.assert_array_equal(getattr(asset, name), arrays[name][i, 0])
        for name in ("albedo", "height", "normal", "roughness", "metallic", "occlusion"):
            assert getattr(asset, name).flags.c_contiguous, name
    assert not np.array_equal(made[0].albedo, made[1].albedo)


@pytest.mark.parametrize(("rows", "columns"), [(0, 1), (1, 0), (2, 3), (-1, 2)])
def test_normals_are_those_of_the_surface(rows, columns):
    height, right, down = waves(rows, columns)
    (asset,) = decode_materials(outputs(height * TEXEL), PAINTED, ["a"], [Provenance(sliders=sliders())], {})
    np.testing.assert_allclose(np.linalg.norm(asset.normal, axis=-1), 1, atol=1e-6)
    expected = np.stack([-right, down, np.ones_like(right)], -1)  # +Y is up, against the rows
    expected /= np.linalg.norm(expected, axis=-1, keepdims=True)
    np.testing.assert_allclose(asset.normal, expected, atol=0.01)


def test_a_slope_that_rises_down_the_rows_faces_up():
    height = np.minimum(np.arange(SIZE), 40)[:, None].repeat(SIZE, 1).astype(np.float32)
    normal = slope_normals(wrapped_slopes(height))[20, 20]
    np.testing.assert_allclose(normal, np.array([0, 1, 1]) / np.sqrt(2), atol=1e-6)


def test_slopes_wrap():
    height = np.random.default_rng(0).normal(size=(6, 9)).astype(np.float32)
    for slope, moved in zip(wrapped_slopes(height), wrapped_slopes(np.roll(height, (2, 4), (0, 1))), strict=True):
        np.testing.assert_array_equal(np.roll(slope, (2, 4), (0, 1)), moved)


def test_a_flat_surface_is_not_occluded():
    np.testing.assert_array_equal(occlusion(np.full((8, 12), 3.0, np.float32)), 1)


def test_a_bump_sees_the_sky_and_a_pit_does_not():
    row, column = np.mgrid[:SIZE, :SIZE] - SIZE / 2
    bump = (10 * np.exp(-(row**2 + column**2) / 40)).astype(np.float32)
    top = (SIZE // 2, SIZE // 2)
    assert occlusion(bump)[top] == 1
    assert occlusion(bump)[SIZE // 2, SIZE // 2 + 6] < 0.95, "on its side"
    shallow, deep = occlusion(-bump / 4)[top], occlusion(-bump)[top]
    assert deep < 0.6 < shallow < 1
    assert occlusion(-bump)[0, 0] == 1


def test_occlusion_beside_a_wall():
    """A wall as high as its distance leaves half of the light from its direction."""
    height = np.zeros((SIZE, SIZE), np.float32)
    height[:, 20] = 4
    alone = occlusion(height)[30, 16]
    assert alone == pytest.approx((5 + 1 / 2 + 2 / (1 + 1 / 2)) / 8, abs=1e-5)


@given(st.integers(0, 2**32), st.tuples(st.integers(0, 9), st.integers(0, 9)))
def test_occlusion_is_a_share_and_wraps(seed, shift):
    height = np.random.default_rng(seed).normal(0, 2, (9, 10)).astype(np.float32)
    made = occlusion(height)
    assert made.min() > 0 and made.max() <= 1
    np.testing.assert_array_equal(occlusion(np.roll(height, shift, (0, 1))), np.roll(made, shift, (0, 1)))


def test_occlusion_depends_on_slopes_and_not_on_metres():
    """The same surface at another scale."""
    height = waves(2, 3)[0]
    made = [
        decode_materials(
            outputs(height * MATERIAL_CLASSES["brick"].unit_height / scale),
            PAINTED,
            ["a"],
            [Provenance(sliders=sliders(scale))],
            {},
        )[0]
        for scale in (16.0, 96.0)
    ]
    assert made[0].texel_size == pytest.approx(6 * made[1].texel_size)
    np.testing.assert_allclose(made[0].occlusion, made[1].occlusion, atol=1e-5)
    np.testing.assert_allclose(made[0].normal, made[1].normal, atol=1e-5)


def test_texels_of_exemplars():
    """Shares of a model's own materials mix the logarithms of their texels."""
    sets = bricks(), stripes()
    manifest: Any = SimpleNamespace(arrays=model_arrays(*sets))
    sizes = manifest.arrays["texel_size"]
    for shares, expected in (((1, 0), sizes[0]), ((0, 1), sizes[1]), ((1, 1), np.sqrt(sizes.prod()))):
        values = dict(enumerate(condition_row(*shares).tolist()))
        provenance = Provenance(sliders={str(k): value for k, value in values.items()})
        (asset,) = decode_materials(outputs(waves(2, 3)[0]), manifest, ["a"], [provenance], {})
        assert asset.texel_size == pytest.approx(expected, rel=1e-5)


def test_texels_of_a_material_and_of_a_mix():
    for name in CLASSES:
        assert texel_size(sliders(32.0, **{name: 1.0})) == pytest.approx(MATERIAL_CLASSES[name].unit_height / 32)
    mixed = texel_size(sliders(32.0, brick=0.5, fabric=0.5))
    assert mixed == pytest.approx(
        np.sqrt(MATERIAL_CLASSES["brick"].unit_height * MATERIAL_CLASSES["fabric"].unit_height) / 32
    )


def test_texel_size_matches_the_model_file():
    torch = pytest.importorskip("torch")
    from support.textures_domain import make_domain

    rng = np.random.default_rng(0)
    rows = rng.random((20, len(COLUMNS)), np.float32)
    rows[:, : len(CLASSES)] /= rows[:, : len(CLASSES)].sum(1, keepdims=True)
    rows[:, COLUMNS.index("scale")] = rng.uniform(16, 96, 20)
    expected = make_domain().texel_size(torch.from_numpy(rows)).flatten().tolist()
    found = [texel_size({name: float(v) for name, v in zip(COLUMNS, row, strict=True)}) for row in rows]
    assert found == pytest.approx(expected, rel=1e-5)
