"""The contact sheet of materials."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from ganassets.api.assets import TextureSet
from ganassets.api.errors import InputError
from ganassets.api.provenance import Provenance
from ganassets.api.shading import shade_plane
from ganassets_textures import preview
from support.texture_sets import make_bricks, plain

CELL = 64


def strip_of(cell: int) -> int:
    """Height of the captions' strip."""
    sheet = preview.contact_sheet([plain()], cell)
    return sheet.height - cell


@pytest.mark.parametrize(("count", "columns", "rows"), [(1, 1, 1), (3, 3, 1), (8, 8, 1), (9, 8, 2), (65, 8, 8)])
def test_eight_materials_a_row_and_64_at_most(count, columns, rows):
    sheet = preview.contact_sheet([plain()] * count, CELL)
    assert sheet.mode == "RGB"
    assert sheet.size == (columns * CELL, rows * (CELL + strip_of(CELL)))


def test_an_empty_list_of_materials_is_reported():
    with pytest.raises(InputError, match="at least one"):
        preview.contact_sheet([])


def test_what_comes_after_the_64th_is_not_shown():
    some = [plain()] * 64
    sheets = [np.asarray(preview.contact_sheet([*some, last], CELL)) for last in (plain(), make_bricks(16))]
    assert np.array_equal(sheets[0], sheets[1])
    changed = np.asarray(preview.contact_sheet([*some[:63], make_bricks(16)], CELL))
    where = np.nonzero((changed != sheets[0]).any(-1))
    assert where[0].min() >= changed.shape[0] - CELL - strip_of(CELL) and where[1].min() >= 7 * CELL


def pixels(asset: TextureSet) -> np.ndarray:
    return np.asarray(preview.picture(asset, CELL)).astype(int)


def test_a_tile_is_shown_two_by_two_and_a_crop_once():
    bricks = make_bricks(64)
    for asset, repeat in ((bricks, 2), (bricks.cropped((64, 64)), 1)):
        expected = shade_plane(asset, CELL, repeat)
        np.testing.assert_array_equal(pixels(asset)[: CELL // 2], expected[: CELL // 2])
    tiled = pixels(bricks)[: CELL // 2]
    assert np.abs(tiled[:, : CELL // 2] - tiled[:, CELL // 2 :]).mean() < 12


def test_a_sphere_lies_in_the_lower_right_corner():
    different = (pixels(make_bricks(64)) != shade_plane(make_bricks(64), CELL, 2)).any(-1)
    rows, columns = np.nonzero(different)
    side = round(preview.SPHERE * CELL)
    for places in (rows, columns):
        assert places.min() >= CELL - side - CELL // 20 - 1 and places.max() < CELL - 1
        assert np.ptp(places) > 0.7 * side
    corner = different[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]
    assert not corner[0, 0] and not corner[-1, -1], "round"


@pytest.mark.parametrize("size", [(24, 64), (64, 24)])
def test_of_a_crop_that_is_no_square_a_square_is_shown(size):
    """Repeated, it would show seams that it is not meant to hide."""
    bricks = make_bricks(64)
    plane, square = (pixels(bricks.cropped(s))[: CELL // 2] for s in (size, (24, 24)))
    assert np.abs(plane - square).max() <= 1


def test_captions():
    sliders = {"material:brick": 0.6, "material:tile": 0.4, "hue": 0.9}
    provenance = Provenance(seed=7, sliders=sliders)
    assert preview.caption(replace(plain(), provenance=provenance)) == "7 brick"
    assert preview.caption(replace(plain(), provenance=replace(provenance, morph=(12, 0.5)))) == "7 > 12 brick"
    assert preview.caption(plain()) == "0"


def test_captions_are_drawn_below_their_material():
    assets = [replace(plain(), provenance=Provenance(seed=seed)) for seed in (1, 88888)]
    sheet = np.asarray(preview.contact_sheet(assets, CELL)).astype(int)
    dark = (np.abs(sheet[CELL:] - preview.PAPER).max(-1) > 60).sum(0)
    assert 0 < dark[:CELL].sum() < dark[CELL:].sum()
