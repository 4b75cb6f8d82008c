"""The larger and longer features of the noise map: they wrap, and they are as long as they should be."""

from __future__ import annotations

import numpy as np
import pytest

from ganassets_textures.structure_noise import (
    BORDER_LIMIT,
    STREAKS,
    average_along,
    average_gain,
    block_noise,
    draw_signed,
    encode_border,
    scratch_noise,
    slow_noise,
    smooth_noise,
    strand_noise,
    streak_noise,
)

SIZE = (96, 128)
MAKERS = {
    "block": lambda seed: block_noise(seed, 16.0, SIZE),
    "slow": lambda seed: slow_noise(seed, SIZE),
    "streak": lambda seed: streak_noise(seed, SIZE),
    "strand": lambda seed: strand_noise(seed, SIZE),
    "scratch": lambda seed: scratch_noise(seed, SIZE)[None],
}


@pytest.mark.parametrize("name", MAKERS)
def test_same_seed_same_noise(name: str):
    made = MAKERS[name](5)
    assert made.shape[1:] == SIZE and made.dtype == np.float32 and np.isfinite(made).all()
    np.testing.assert_array_equal(made, MAKERS[name](5))
    assert not np.array_equal(made, MAKERS[name](6))


@pytest.mark.parametrize("name", MAKERS)
def test_the_border_is_like_any_other_line(name: str):
    for axis in (1, 2):
        maps = map(MAKERS[name], range(24))
        change = np.mean([np.abs(np.roll(made, 1, axis) - made).mean((0, 3 - axis)) for made in maps], 0)
        spread = change.std() / change.mean()
        assert abs(change[0] / change.mean() - 1) < max(6 * spread, 0.1), "change across the border"


def test_borders_are_cut_off():
    np.testing.assert_allclose(encode_border(np.array([0.0, 4.0, BORDER_LIMIT, 99.0], np.float32)) * 3, [-4, 0, 4, 4])


def test_block_borders_are_where_values_change():
    border, _, first, second = block_noise(3, 16.0, SIZE)
    for axis in (0, 1):
        changes = (np.roll(first, 1, axis) != first) | (np.roll(second, 1, axis) != second)
        assert (border * 3 + BORDER_LIMIT / 2)[changes].max() < 2.5
    assert len(np.unique(first)) == 3 * 4, "as many blocks as fit twice the scale"


def test_smooth_noise_keeps_a_constant_and_the_mean():
    np.testing.assert_allclose(smooth_noise(np.full((3, 2), 0.7, np.float32), SIZE), 0.7, rtol=1e-5)
    random = draw_signed(1, (6, 8), 99)
    assert smooth_noise(random, SIZE).mean() == pytest.approx(random.mean(), abs=1e-3)


def test_slow_noise_is_slow():
    made = slow_noise(2, (512, 512))
    assert np.abs(np.diff(made, axis=1)).max() < 0.2
    assert 0.6 < made.std((1, 2)).mean() < 1.5


def test_averages_have_unit_variance():
    white = np.random.default_rng(0).standard_normal((64, 512)).astype(np.float32)
    for doublings in (0, 1, 3, 5):
        assert (average_along(white, 1, doublings) / average_gain(doublings)).std() == pytest.approx(1, abs=0.1)


def test_streaks_are_long_along_their_axis():
    made = streak_noise(1, (256, 256))
    for values, (right, down) in zip(made, STREAKS, strict=True):
        along, across = ((values * np.roll(values, 8, axis)).mean() for axis in ((1, 0) if right > down else (0, 1)))
        assert along > 0.5 > 0.2 > across


def test_strands_and_scratches_cover_what_they_should():
    height, value = strand_noise(1, (256, 256))
    covered = height > (0 - 0.8) * 1.4
    assert 0.5 < covered.mean() < 0.95
    assert not value[~covered].any()
    lines = scratch_noise(1, (256, 256))
    assert 0.01 < (lines > -1.5).mean() < 0.2
    assert lines.max() <= 1
