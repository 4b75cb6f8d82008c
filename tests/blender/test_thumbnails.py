"""Thumbnails: a transparent background, an opaque asset, and the same image for the same asset."""

from __future__ import annotations

import numpy as np
import pytest

from ganassets.api.assets import Asset, Picture
from ganassets.api.motion.editing import rest_clip
from ganassets.api.motion.skeletons import HUMANOID
from ganassets_blender.thumbnails import choose_frames, draw_thumbnail
from support.heads import make_head
from support.motion_clips import walk_clip
from support.texture_sets import make_bricks, plain

ASSETS = [make_bricks(), make_head(3), walk_clip(), rest_clip(HUMANOID)]


@pytest.mark.parametrize("asset", ASSETS, ids=["material", "head", "clip", "pose"])
@pytest.mark.parametrize("side", [32, 129])
def test_the_asset_alone_is_opaque(asset: Asset, side: int) -> None:
    picture = draw_thumbnail(asset, side)
    assert picture.shape == (side, side, 4) and picture.dtype == np.uint8
    alpha = picture[..., 3]
    assert not alpha[[0, 0, -1, -1], [0, -1, 0, -1]].any(), "corners"
    assert 0.05 < (alpha == 255).mean() < 0.85
    rows, columns = (np.flatnonzero(alpha.any(axis)) for axis in (1, 0))
    assert max(np.ptp(rows), np.ptp(columns)) > 0.85 * side, "it fills the picture"
    assert np.array_equal(picture, draw_thumbnail(asset, side))


def test_an_edge_has_the_things_own_colour() -> None:
    red = draw_thumbnail(plain(colour=(0.9, 0.1, 0.1)), 64)
    edge = red[(red[..., 3] > 20) & (red[..., 3] < 230)]
    assert len(edge) > 20 and (edge[:, 0] > 1.5 * edge[:, 2].astype(float)).all()


def test_a_moving_clip_shows_more_than_one_pose() -> None:
    walk, still = walk_clip(), rest_clip(HUMANOID)
    assert len(choose_frames(still)) == 1 and len(choose_frames(walk)) == 3
    alpha = draw_thumbnail(walk, 128)[..., 3]
    assert ((alpha > 80) & (alpha < 140)).mean() > 0.03  # the faint ones


def test_a_picture_is_its_own() -> None:
    picture = Picture("portrait", np.full((40, 80, 3), (10, 200, 30), np.uint8))
    found = draw_thumbnail(picture, 32)
    assert not found[0, :, 3].any() and (found[16] == (10, 200, 30, 255)).all()
