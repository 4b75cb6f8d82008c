"""The noise map: it wraps, has unit variance and never changes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ganassets_textures.materials import COLUMNS
from ganassets_textures.spatial_noise import (
    CHANNELS,
    JITTER,
    STRUCTURE,
    UNIT_SPREAD,
    WHITE,
    Pattern,
    cells,
    count_units,
    draw_signed,
    lattice,
    lattice_counts,
    nearest_points,
    noise_digest,
    pattern_noise,
    pattern_of,
    rounded_scale,
)
from ganassets_textures.structure_noise import BORDER_LIMIT

SEEDS = st.integers(0, 2**62)
PATTERNS = st.builds(Pattern, st.floats(16, 96), st.floats(0.5, 8), st.sampled_from([0.0, 0.3, 0.5, 0.8, 1.0]))
ROOT2 = np.sqrt(2)
SIZES = st.tuples(st.integers(4, 20), st.integers(4, 20)).map(lambda s: (4 * s[0], 4 * s[1]))
WAVES = [i for i, name in enumerate(CHANNELS) if " cos " in name or " sin " in name]
UPRIGHT = [CHANNELS.index(name) for name in ("joint cos x", "joint sin x")]


def test_channels_are_named():
    assert len(set(CHANNELS)) == len(CHANNELS)
    assert [name.split()[0] for name in CHANNELS[WHITE]] == ["white"] * 4
    assert not any("white" in name for name in CHANNELS[STRUCTURE])
    assert CHANNELS[WHITE] + CHANNELS[STRUCTURE] == CHANNELS


def test_pattern_of_reads_by_name():
    row = np.arange(len(COLUMNS), dtype=np.float32)
    index = [COLUMNS.index(name) for name in ("scale", "aspect", "stagger")]
    assert pattern_of(row) == Pattern(*index)


@settings(max_examples=20)
@given(SEEDS, PATTERNS, SIZES)
def test_same_seed_same_map(seed, pattern, size):
    made = pattern_noise(seed, pattern, size)
    assert made.shape == (len(CHANNELS), *size) and made.dtype == np.float32 and np.isfinite(made).all()
    np.testing.assert_array_equal(made, pattern_noise(seed, pattern, size))
    other = pattern_noise(seed + 1, pattern, size)
    for name, a, b in zip(CHANNELS, made, other, strict=True):
        if name.split()[0] in ("white", "cell", "slow", "streak", "strand") or "value" in name:
            assert not np.array_equal(a, b), name


def test_noise_is_pinned():
    """Models are trained with this noise; a change means to train them again."""
    assert noise_digest() == "cf5fdd08638edff2ba6f205fe1cbd225ffdb13feb0804961324ffd97546c6992"


def test_digest_ignores_last_bits():
    """No value is so close to a rounding border that another platform could round it differently."""
    sample = pattern_noise(52, Pattern(21.0, 2.3, 0.8), (32, 48)).astype(np.float64) * 64
    to_border = 0.5 - np.abs(sample - np.round(sample))
    assert to_border[WAVES].min() > 1e-3  # float32, and not exactly rounded
    assert (to_border / np.maximum(np.abs(sample), 1)).min() > 1e-6  # the rest, whose operations are exactly rounded


@settings(max_examples=12)
@given(SEEDS, st.floats(16, 24), st.floats(0.5, 2), st.sampled_from([0.0, 0.5, 1.0]))
def test_every_channel_has_about_unit_variance(seed, scale, aspect, stagger):
    made = pattern_noise(seed, Pattern(scale, aspect, stagger), (256, 256))
    for i, (name, channel) in enumerate(zip(CHANNELS, made, strict=True)):
        if name.split()[0] in ("slow", "scratch") or "border" in name:  # few features in a map, or a cut distance
            continue
        assert 0.7 < channel.std() < 1.45, name
        # Wide units have most of their texels far from upright joints.
        assert abs(channel.mean()) < (0.8 if i in UPRIGHT else 0.65), name
    assert made[WHITE].mean((1, 2)) == pytest.approx(0, abs=0.03)
    assert made[WHITE].std((1, 2)) == pytest.approx(1, abs=0.02)
    level = [i for i in WAVES if i not in UPRIGHT]
    assert made[level].std((1, 2)) == pytest.approx(1, abs=0.01)
    assert made[level].mean((1, 2)) == pytest.approx(0, abs=0.01)


@given(st.integers(1, 8192), st.floats(0.5, 800))
def test_whole_units_fit(length, unit):
    count = count_units(length, unit)
    assert count >= 1
    assert count == 1 or abs(length / count - unit) <= unit / 2 + 1e-6


@given(PATTERNS, SIZES)
def test_shifted_rows_come_in_pairs(pattern, size):
    rows, columns = lattice_counts(pattern, size)
    assert pattern.stagger == 0 or rows % 2 == 0
    assert abs(rows - size[0] / pattern.scale) <= 1.5 or rows == 2
    assert columns == count_units(size[1], pattern.scale * pattern.aspect)


def test_a_running_bond():
    """Four rows of two units 8 texels high and 16 wide, each second row shifted by half a unit."""
    joints, values, turns, _ = lattice(3, Pattern(8.0, 2.0, 0.5), (32, 32))
    for line in range(32):
        along = (np.arange(32) + 0.5) / 16 + line // 8 % 2 / 2  # in units
        from_joint = np.abs(along - np.round(along)) * 2  # in heights of a unit
        np.testing.assert_allclose(joints[0, line], ROOT2 * np.cos(2 * np.pi * np.minimum(from_joint, 0.5)), atol=1e-5)
        np.testing.assert_allclose(turns[0, line], ROOT2 * np.cos(2 * np.pi * along), atol=1e-5)
        np.testing.assert_allclose(turns[1, line], ROOT2 * np.sin(2 * np.pi * along), atol=1e-5)
        across = (line + 0.5) / 8
        np.testing.assert_allclose(joints[2, line], ROOT2 * np.cos(2 * np.pi * across), atol=1e-5)
        np.testing.assert_allclose(joints[3, line], ROOT2 * np.sin(2 * np.pi * across), atol=1e-5)
    assert (joints[1, 0, :4] > 0).all() and (joints[1, 0, 12:16] < 0).all(), "the side of the joint"
    assert len(np.unique(values[0])) == len(np.unique(values[1])) == 8
    # Not shifted: a unit ends at the border. Shifted: the unit on the border is one.
    assert (values[:, 0, 0] == values[:, 0, 15]).all() and (values[:, 0, 0] != values[:, 0, 16]).all()
    assert (values[:, 8, 0] == values[:, 8, 31]).all() and (values[:, 8, 7] != values[:, 8, 8]).all()
    assert (values[:, 8, 8] == values[:, 8, 23]).all() and (values[:, 7, 0] != values[:, 8, 0]).all()


@settings(max_examples=40)
@given(SEEDS, PATTERNS, SIZES)
def test_the_lattice_continues_across_the_borders(seed, pattern, size):
    joints, values, turns, _ = lattice(seed, pattern, size)
    rows, columns = lattice_counts(pattern, size)
    for waves, axis, turn in (
        (turns, 2, columns / size[1]),
        (joints[:2], 2, max(columns / size[1], rows / size[0])),
        (joints[2:], 1, rows / size[0]),
    ):
        change = np.roll(waves, -1, axis) - waves  # also from the last texel to the first
        assert np.abs(change).max() <= ROOT2 * 2 * np.pi * turn + 1e-4
    # Along a row of units a value changes where a unit ends, at the border as within.
    ends = (np.roll(values, -1, 2) != values).all(0)
    assert (ends.sum(1) == (columns if columns > 1 else 0)).all()


@given(PATTERNS, SIZES)
def test_rounded_scale_is_that_of_the_map(pattern, size):
    scale = rounded_scale(pattern, size)
    rows = lattice_counts(pattern, size)[0]
    assert scale * rows == pytest.approx(size[0])
    assert lattice_counts(replace(pattern, scale=scale), size)[0] == rows, "fitting it again changes nothing"


def distances(random: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Return (points, h, w) distances in units to all points of a lattice of cells on the torus."""
    rows, columns = random.shape[1:]
    at = np.indices((rows, columns)) + 0.5 + JITTER / 2 * random
    y, x = ((np.arange(side) + 0.5) * count / side for side, count in zip(size, (rows, columns), strict=True))

    def around(places: np.ndarray, points: np.ndarray, count: int) -> np.ndarray:
        apart = np.abs(places - points[:, None]) % count
        return np.minimum(apart, count - apart)

    dy, dx = around(y, at[0].ravel(), rows), around(x, at[1].ravel(), columns)
    return np.sqrt(dy[:, :, None] ** 2 + dx[:, None, :] ** 2)


@settings(max_examples=40)
@given(SEEDS, st.floats(8, 30), SIZES)
def test_cells_are_those_of_the_nearest_point(seed, scale, size):
    rows, columns = count_units(size[0], scale), count_units(size[1], scale)
    random = draw_signed(seed, (4, rows, columns), 18)
    exact = np.sort(distances(random[:2], size), 0)
    x, y = (
        (np.arange(side, dtype=np.float32) + 0.5) * np.float32(count / side)
        for side, count in ((size[1], columns), (size[0], rows))
    )
    first, second, nearest = nearest_points(random[:2], x, y)
    assert (first <= second).all()
    # Looking into the neighbouring cells alone misses a nearer point hardly ever.
    assert (np.abs(first - exact[0]) < 1e-4).mean() > 0.999
    if min(rows, columns) > 2:  # else the second may be the same point from its other side
        assert (np.abs(second - exact[1]) < 1e-4).mean() > 0.98
    made = cells(seed, Pattern(scale, 3.0, 1.0), size)
    np.testing.assert_allclose(made[0], (second - first - 0.38) / 0.25, atol=1e-5)
    np.testing.assert_allclose(made[1], (first - 0.4) / 0.17, atol=1e-5)
    for k in (2, 3):
        np.testing.assert_allclose(made[k], random[k].ravel()[nearest] * UNIT_SPREAD, atol=1e-6)
    owner = distances(random[:2], size).argmin(0)
    assert (owner == nearest).mean() > 0.999


@settings(max_examples=30)
@given(SEEDS, st.floats(6, 30), SIZES)
def test_cells_continue_across_the_borders(seed, scale, size):
    made = cells(seed, Pattern(scale, 1.0, 0.0), size)
    for axis, side in ((0, size[0]), (1, size[1])):
        step = count_units(side, scale) / side  # no distance changes by more than the way
        change = np.abs(np.roll(made[1], -1, axis) - made[1])
        border = change.take(-1, axis)
        assert border.max() <= step / 0.17 + 1e-3


def test_white_noise_is_white():
    made = pattern_noise(1, Pattern(32.0, 1.0, 0.0), (128, 128))[WHITE]
    for axis in (1, 2):
        for shift in (1, 2, 7):
            assert abs((made * np.roll(made, shift, axis)).mean()) < 0.03
    assert abs((made[0] * made[1]).mean()) < 0.05


def test_borders_are_distances_in_texels():
    """Four rows of two units 8 texels high and 16 wide."""
    borders = lattice(3, Pattern(8.0, 2.0, 0.0), (32, 32))[3]
    place = np.arange(32) + 0.5
    for border, length in zip((borders[0, 0], borders[1, :, 0]), (16, 8), strict=True):
        from_joint = np.abs(place - np.round(place / length) * length)
        np.testing.assert_allclose(border * 3 + BORDER_LIMIT / 2, np.minimum(from_joint, BORDER_LIMIT), atol=1e-5)


def test_unit_values_do_not_depend_on_the_shifts():
    """Check that values of units don't depend on the random shifts of rows."""
    made = [lattice(seed, Pattern(16.0, 1.0, 1.0), (64, 16)) for seed in range(200)]
    shifts = np.array([np.arctan2(turns[1, 8, 0], turns[0, 8, 0]) for _, _, turns, _ in made])
    first = np.array([values[:, 8, 0] for _, values, _, _ in made])
    assert shifts.std() > 1
    for value in first.T:
        assert abs(np.corrcoef(shifts, value)[0, 1]) < 0.3
