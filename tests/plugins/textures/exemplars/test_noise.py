"""The noise map of a material from exemplars: layouts, mixtures, and what a model file carries."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ganassets.api.errors import InputError
from ganassets_textures import SPEC
from ganassets_textures.exemplars.cells import BLEND, CELL, NOISE_CHANNELS, OFFSETS, OTHER, PLACE, WHITE
from ganassets_textures.exemplars.noise import exemplar_noise, layout_structure, mixed_structure
from support.exemplars import bricks, condition_row, make_exemplars_of, model_arrays, noise, stripes

SETS = bricks(), stripes(), noise(32, 48)
ARRAYS = model_arrays(*SETS)
EXEMPLARS = make_exemplars_of(*SETS)
FIRST = EXEMPLARS.table[:, 0]
CELLS = [s.albedo.shape[0] * s.albedo.shape[1] // CELL**2 for s in SETS]


def owners(places: np.ndarray) -> np.ndarray:
    """Return the exemplar of each cell."""
    return np.searchsorted(FIRST, places.astype(np.int64), side="right") - 1


@settings(max_examples=15, deadline=None)
@given(
    seed=st.integers(0, 2**63 - 1),
    rows=st.integers(4, 24),
    columns=st.integers(4, 24),
    shares=st.tuples(*[st.sampled_from([0.0, 0.3, 1.0])] * 3),
    pieces=st.floats(0, 1),
)
def test_every_map_names_cells_of_the_chosen_materials(seed, rows, columns, shares, pieces):
    row = condition_row(*shares, pieces=pieces)
    found = exemplar_noise(seed, row, (rows * CELL, columns * CELL), ARRAYS)
    assert found.shape == (NOISE_CHANNELS, rows * CELL, columns * CELL) and found.dtype == np.float32
    assert np.isfinite(found).all()
    coarse = np.concatenate([found[PLACE], found[OTHER], found[OFFSETS]])
    cells = coarse.reshape(len(coarse), rows, CELL, columns, CELL)
    assert (cells == cells[:, :, :1, :, :1]).all(), "cells and offsets are constant in a cell"
    chosen = set(np.flatnonzero(shares)) or {0}
    for places in (found[PLACE][0], found[OTHER][0]):
        assert places.min() >= 0 and places.max() < sum(CELLS) and np.array_equal(places, np.rint(places))
        assert set(np.unique(owners(places))) <= chosen
    assert found[BLEND].min() >= 0 and found[BLEND].max() <= 1
    assert np.array_equal(found, exemplar_noise(seed, row, (rows * CELL, columns * CELL), ARRAYS))


def test_seeds_differ():
    row = condition_row(1, 0, 0)
    maps = [exemplar_noise(seed, row, (64, 64), ARRAYS) for seed in (1, 2)]
    assert not np.array_equal(maps[0][PLACE], maps[1][PLACE]) and not np.array_equal(maps[0][WHITE], maps[1][WHITE])


def test_sliders_of_colour_keep_the_layout():
    plain = exemplar_noise(5, condition_row(1, 0, 0), (64, 64), ARRAYS)
    turned = exemplar_noise(5, condition_row(1, 0, 0, hue=0.3, relief=2.0), (64, 64), ARRAYS)
    assert np.array_equal(plain, turned)


@pytest.mark.parametrize("shares", [(0.5, 0.5, 0), (0.7, 0.3, 0), (2.0, 1.0, 1.0), (0.1, 0.1, 0.8)])
def test_shares_of_a_mixture_are_met(shares):
    structure = mixed_structure(EXEMPLARS, condition_row(*shares), (20, 30), 3)
    counts = np.bincount(owners(structure.layout.upper).ravel(), minlength=3)
    # Soft, ragged edges shift thin patches.
    np.testing.assert_allclose(counts, 600 * np.array(shares) / sum(shares), atol=54)


def test_tiny_shares_are_left_out():
    structure = mixed_structure(EXEMPLARS, condition_row(1, 0.01, -3), (16, 16), 3)
    assert set(np.unique(owners(structure.layout.first))) == {0}
    assert np.array_equal(structure.channels(), layout_structure(EXEMPLARS, 0, (16, 16), 3, 0.5).channels())


def test_borders_between_materials_are_blended():
    layout = mixed_structure(EXEMPLARS, condition_row(1, 1, 0), (24, 24), 9).layout
    owner = owners(layout.upper)
    border = np.asarray((np.roll(owner, -1, 1) != owner) | (np.roll(owner, -1, 0) != owner))
    both = np.asarray(owners(layout.first) != owners(layout.second))
    assert border.any() and both[border].mean() > 0.8, "both materials"
    blended = (layout.blend > 0) & (layout.blend < 1)
    assert np.asarray(blended.reshape(24, 4, 24, 4).any((1, 3)))[border].mean() > 0.8


def test_joints_go_first():
    """The second material of a mixture fills low places of the first before its high ones."""
    low, high = 0, 0
    for seed in range(6):
        first = layout_structure(EXEMPLARS, 0, (24, 24), seed, 0.5)
        mixed = mixed_structure(EXEMPLARS, condition_row(0.7, 0.3, 0), (24, 24), seed)
        height = EXEMPLARS.levels(0)[first.layout.upper, 3]
        taken = owners(mixed.layout.upper) == 1
        low += taken[height < np.quantile(height, 0.3)].mean()
        high += taken[height > np.quantile(height, 0.7)].mean()
    assert low > 1.2 * high


def test_offsets_have_no_mean():
    structure = layout_structure(EXEMPLARS, 1, (24, 24), 3, 0.3)
    assert np.abs(structure.offsets.mean((0, 1))).max() < 1e-5 and structure.offsets.any()


def test_exemplars_of_a_file():
    assert len(EXEMPLARS) == 3 and [EXEMPLARS.shape(i) for i in range(3)] == [(16, 16), (16, 16), (8, 12)]
    assert [EXEMPLARS.guide(i).tiles for i in range(3)] == [True, False, True]
    assert EXEMPLARS.guide(2).cells.shape == (8, 12, 8) and EXEMPLARS.guide(2).cells.dtype == np.int64
    albedo = SETS[0].albedo.reshape(16, 4, 16, 4, 3).mean((1, 3)).reshape(256, 3) / 255
    assert np.abs(EXEMPLARS.levels(0)[:, :3] - albedo).mean() < 0.04
    mixed = EXEMPLARS.texel_size(condition_row(1, 1, 0))
    assert mixed == pytest.approx(np.sqrt(np.prod(ARRAYS["texel_size"][:2])), rel=1e-5)


@pytest.mark.parametrize(
    "change",
    [
        {"guide": None},
        {"exemplars": None},
        {"exemplars": np.zeros((0, 4), np.int32)},
        {"exemplars": np.int32(3)},
        {"exemplars": np.array([[0, 16, 16, 1], [256, 16, 16, 0], [512, 8, 13, 1]], np.int32)},
        {"exemplars": np.array([[-1, 16, 16, 1], [256, 16, 16, 0], [512, 8, 12, 1]], np.int32)},
        {"exemplars": np.array([[0, 2**31 - 1, 2**31 - 1, 1]] * 3, np.int32)},
        {"exemplars": np.array([[0, 0, 16, 1]] * 3, np.int32)},
        {"texel_size": np.ones(2, np.float32)},
        {"texel_size": np.array([1, 0, 1], np.float32)},
        {"guide_scale": np.ones(3, np.float32)},
        {"level_factors": np.ones((8, 5), np.float32)},
    ],
)
def test_damaged_exemplars_are_one_sentence(change):
    arrays = {name: array for name, array in (ARRAYS | change).items() if array is not None}
    with pytest.raises(InputError, match="carries damaged exemplars"):
        exemplar_noise(1, condition_row(1, 0, 0), (32, 32), arrays)


def test_the_plugin_makes_them_for_models_that_carry_exemplars():
    assert SPEC.noise is not None
    row = condition_row(1, 0, 0)
    np.testing.assert_array_equal(SPEC.noise(3, row, (32, 32), ARRAYS), exemplar_noise(3, row, (32, 32), ARRAYS))
