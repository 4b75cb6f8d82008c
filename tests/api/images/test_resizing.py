"""Images and materials are resized."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ganassets.api.assets import TextureSet
from ganassets.api.images.resizing import resize_image, resize_textures, scale_to_longest
from support.texture_sets import make_bricks, random_texture_sets


@given(random_texture_sets(), st.integers(1, 24))
def test_resampling_keeps_the_physical_size(asset: TextureSet, longest: int) -> None:
    result = resize_textures(asset, longest)
    assert max(result.height.shape) == longest and min(result.height.shape) >= 1
    assert result.size[0] == pytest.approx(asset.size[0])
    assert np.allclose(np.linalg.norm(result.normal, axis=-1), 1, atol=1e-4)
    assert resize_textures(asset, 0) is asset


@pytest.mark.parametrize("longest", [16, 32, 96])
def test_resampling_keeps_tiling(longest: int) -> None:
    bricks, names = make_bricks(64), ("albedo", "height", "normal", "roughness", "occlusion")
    rolled = replace(bricks, **{name: np.roll(getattr(bricks, name), (32, 32), (0, 1)) for name in names})
    there, here = resize_textures(rolled, longest), resize_textures(bricks, longest)
    for name in names:
        moved = np.roll(getattr(here, name), (longest // 2, longest // 2), (0, 1))
        assert np.allclose(getattr(there, name), moved, atol=1e-5), name


@pytest.mark.parametrize(("sides", "longest", "scaled"), [((30, 20), 15, (15, 10)), ((1, 900), 3, (1, 3))])
def test_sides_keep_their_ratio(sides: tuple[int, int], longest: int, scaled: tuple[int, int]) -> None:
    assert scale_to_longest(sides, longest) == scaled


@pytest.mark.parametrize("shape", [(20, 30), (20, 30, 3)])
def test_images_are_resized(shape: tuple[int, ...]) -> None:
    pixels = np.full(shape, 77, np.uint8)
    assert resize_image(pixels, 0) is pixels and resize_image(pixels, 30) is pixels
    assert np.array_equal(resize_image(pixels, 15), np.full((10, 15, *shape[2:]), 77, np.uint8))
