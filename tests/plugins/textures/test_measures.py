"""Measures of materials without a reference."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from ganassets.api.assets import TextureSet
from ganassets_textures.decode import slope_normals, wrapped_slopes
from ganassets_textures.measures import batch_maps, material_measures
from support.texture_sets import plain


def rough(seed: int = 0, size: int = 64) -> TextureSet:
    """White noise, whose border is like any other line, with the normals of its height."""
    rng = np.random.default_rng(seed)
    height = rng.uniform(0, 0.01, (size, size)).astype(np.float32)
    albedo = rng.uniform(0, 1, (size, size, 3)).astype(np.float32)
    normal = slope_normals(wrapped_slopes(height / np.float32(0.01)))
    return replace(plain((size, size)), albedo=albedo, height=height, normal=normal)


def test_a_material_that_tiles():
    found = material_measures([rough(seed) for seed in range(8)])
    assert found.keys() == {"seam albedo", "seam height", "seam normal", "normal error"}, "the rest is constant"
    for name in ("seam albedo", "seam height", "seam normal"):
        assert found[name] == pytest.approx(1, abs=0.1)
    assert found["normal error"] < 1e-5


def test_a_seam_shows():
    ramp = np.linspace(0, 1, 64, dtype=np.float32)
    asset = replace(rough(), albedo=np.broadcast_to(ramp[:, None, None], (64, 64, 3)).copy())
    assert material_measures([asset])["seam albedo"] > 10


def test_normals_of_another_height_show():
    asset = replace(rough(0), normal=rough(1).normal)
    assert material_measures([rough(2), asset])["normal error"] > 0.1, "one of them is enough"


def test_maps_have_channels_first():
    shapes = {name: array.shape for name, array in batch_maps(plain((4, 6))).items()}
    assert shapes.pop("albedo") == shapes.pop("normal") == (1, 3, 4, 6)
    assert set(shapes) == {"height", "roughness", "metallic", "occlusion"} and set(shapes.values()) == {(1, 1, 4, 6)}
