"""Seed to latent: the numbers are a promise, so they are written down here."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ganassets.api.errors import InputError
from ganassets.api.latents import (
    CONDITION_STREAM,
    LATENT_STREAM,
    MAX_SEED,
    NOISE_STREAM,
    condition_row,
    latent,
    latents,
    normal_noise_map,
    raw_words,
    rows_with,
    standard_normals,
    uniforms,
)

NAN = float("nan")
SEEDS = st.integers(0, MAX_SEED)
PINNED_WORDS = {
    0: [213000021201967259, 4455796210202625458],
    1: [5599841837815857887, 15655913098571550255],
    2**40: [15877109264402888759, 1822247419761842992],
    MAX_SEED: [17078119557474009138, 3349379938193924205],
}
PINNED = {
    0: [0.00808869582, 0.152192131, -0.446809739, -0.191403806],
    1: [0.494387746, -0.692207396, 0.571593821, 0.113161184],
    2**40: [1.61517906, 1.1547488, 0.542737126, -0.871731341],
    MAX_SEED: [0.950719833, 2.07323289, -1.38467395, 0.118062429],
}


def philox_words(seed: int, stream: int, blocks: int) -> list[int]:
    """Philox 4x64, 10 rounds, in Python's integers.

    Source: Salmon, Moraes, Dror and Shaw (2011), "Parallel random numbers: as easy as 1, 2, 3". The counter is raised
    before each block, as in numpy's generator.
    """
    mask = 2**64 - 1
    words = []
    for block in range(1, blocks + 1):
        counter, key = [block, 0, 0, 0], [seed, stream]
        for _ in range(10):
            a, b = 0xD2E7470EE14C6C93 * counter[0], 0xCA5A826395121157 * counter[2]
            counter = [(b >> 64) ^ counter[1] ^ key[0], b & mask, (a >> 64) ^ counter[3] ^ key[1], a & mask]
            key = [(key[0] + 0x9E3779B97F4A7C15) & mask, (key[1] + 0xBB67AE8584CAA73B) & mask]
        words += counter
    return words


@given(SEEDS, st.sampled_from([LATENT_STREAM, CONDITION_STREAM, NOISE_STREAM]))
def test_the_raw_stream_is_philox(seed, stream):
    assert raw_words(seed, 12, stream).tolist() == philox_words(seed, stream, 3)


@pytest.mark.parametrize("seed", PINNED_WORDS)
def test_pinned_words(seed):
    assert raw_words(seed, 2, LATENT_STREAM).tolist() == PINNED_WORDS[seed]


@pytest.mark.parametrize("seed", PINNED)
def test_pinned_latents(seed):
    np.testing.assert_allclose(latent(seed, 4), PINNED[seed], rtol=2e-7, atol=0)


@given(SEEDS)
def test_the_transform_is_box_and_mullers(seed):
    words = philox_words(seed, LATENT_STREAM, 1)
    u, v = (word >> 11 for word in words[:2])
    radius = math.sqrt(-2 * math.log1p(-u * 2.0**-53))
    expected = [radius * f(2 * math.pi * v * 2.0**-53) for f in (math.cos, math.sin)]
    np.testing.assert_allclose(latent(seed, 2), expected, rtol=1e-6, atol=1e-12)


@given(SEEDS, st.integers(0, 70), st.integers(0, 70))
def test_a_shorter_latent_is_a_prefix(seed, a, b):
    short, long = sorted((a, b))
    np.testing.assert_array_equal(latent(seed, long)[:short], latent(seed, short))


@given(SEEDS, st.integers(0, 2**64 - 1), st.integers(0, 70), st.integers(0, 70))
def test_fewer_normals_are_a_prefix_in_every_stream(seed, stream, a, b):
    short, long = sorted((a, b))
    np.testing.assert_array_equal(standard_normals(seed, long, stream)[:short], standard_normals(seed, short, stream))


PINNED_NOISE = {
    0: [-1.70515108, 0.679076135, -0.644886613, -0.544675529, -1.05762064, -1.51911104],
    2**40: [-1.94776881, -0.277899772, 0.597297192, -1.70197082, 1.75237548, -1.14170611],
    MAX_SEED: [-0.81699568, -1.74934602, -0.3176682, 0.391140312, 0.0963297859, -0.540865481],
}


@pytest.mark.parametrize("seed", PINNED_NOISE)
def test_pinned_noise_maps(seed):
    found = normal_noise_map(seed, 2, (1, 3))
    assert found.shape == (2, 1, 3) and found.dtype == np.float32
    np.testing.assert_allclose(found.ravel(), PINNED_NOISE[seed], rtol=2e-7, atol=0)


@pytest.mark.parametrize("size", [(5,), (4, 6)])
def test_noise_maps_are_normals_in_order(size):
    made = normal_noise_map(9, 3, size)
    assert made.shape == (3, *size)
    np.testing.assert_array_equal(made.ravel(), standard_normals(9, made.size, NOISE_STREAM))


@given(st.lists(SEEDS, max_size=9), st.integers(1, 9))
def test_a_batch_changes_nothing(seeds, z_dim):
    batch = latents(seeds, z_dim)
    assert batch.shape == (len(seeds), z_dim)
    assert batch.dtype == np.float32
    for row, seed in zip(batch, seeds, strict=True):
        np.testing.assert_array_equal(row, latent(seed, z_dim))


def test_they_are_standard_normals():
    z = latents(range(4000), 16).astype(np.float64)
    assert abs(z.mean()) < 4 / math.sqrt(z.size)
    assert abs(z.var() - 1) < 4 * math.sqrt(2 / z.size)
    assert abs((z**4).mean() - 3) < 4 * math.sqrt(96 / z.size)
    correlation = np.corrcoef(z.T) - np.eye(16)
    assert abs(correlation).max() < 5 / math.sqrt(len(z))
    neighbours = np.corrcoef(z[:-1].ravel(), z[1:].ravel())[0, 1]
    assert abs(neighbours) < 4 / math.sqrt(z.size)


def test_the_largest_numbers_are_finite(monkeypatch):
    monkeypatch.setattr("ganassets.api.latents.raw_words", lambda *_: np.array([2**64 - 1, 0, 0, 0], np.uint64))
    z = latent(0, 4)
    assert np.isfinite(z).all()
    assert 8 < z[0] < 9  # the largest value that 53 bits can give
    np.testing.assert_array_equal(z[2:], 0)


@pytest.mark.parametrize("seed", [-1, MAX_SEED + 1, 2**64])
def test_seeds_outside(seed):
    with pytest.raises(InputError, match="is outside 0"):
        latent(seed, 4)


def test_uniforms_lie_below_one():
    u = uniforms(3, 10_000, LATENT_STREAM)
    assert u.min() >= 0
    assert u.max() < 1


ROWS = np.stack([np.linspace(0, 100, 50), np.linspace(0, 100, 50) / 100], 1).astype(np.float32)


@given(SEEDS, st.floats(0, 100, width=32))
def test_chosen_values_are_kept_and_the_rest_follows_them(seed, age):
    row = condition_row(seed, ROWS, np.array([age, np.nan], np.float32))
    assert row[0] == np.float32(age)
    assert ROWS[:, 1].min() <= row[1] <= ROWS[:, 1].max()


def test_what_was_not_asked_follows_what_was():
    young = [condition_row(s, ROWS, np.array([5, np.nan], np.float32))[1] for s in range(200)]
    old = [condition_row(s, ROWS, np.array([95, np.nan], np.float32))[1] for s in range(200)]
    assert np.mean(young) < 0.2
    assert np.mean(old) > 0.8


def test_moving_one_slider_leaves_independent_ones_alone():
    table = np.array([[age, weight] for age in range(0, 100, 5) for weight in (0.1, 0.5, 0.9)], np.float32)
    moved = [condition_row(3, table, np.array([age, np.nan], np.float32))[1] for age in (0, 40, 95)]
    assert np.ptp(moved) < 1e-4


def test_without_chosen_values_a_row_of_the_data_is_returned():
    nothing = np.full(2, np.nan, np.float32)
    rows = [condition_row(seed, ROWS, nothing) for seed in range(100)]
    assert all((row == ROWS).all(1).any() for row in rows)
    assert len({row[0] for row in rows}) > 25
    again = condition_row(7, ROWS, nothing)
    np.testing.assert_array_equal(again, rows[7])


# Two choices (a or b), and a slider that says which row it is.
CHOICES = np.array([[1, 0, 0.2], [0, 1, 0.4], [1, 0, 0.6], [0, 1, 0.8]], np.float32)


@pytest.mark.parametrize(
    ("chosen", "kept"),
    [
        ([1, 0, NAN], [0.2, 0.6]),
        ([0, 1, NAN], [0.4, 0.8]),
        ([0, 1, 0.2], [0.4, 0.8]),  # a slider's value chooses no rows
        ([NAN, NAN, 0.2], [0.2, 0.4, 0.6, 0.8]),
        ([NAN, NAN, NAN], [0.2, 0.4, 0.6, 0.8]),
        ([0.5, 0.5, NAN], [0.2, 0.4, 0.6, 0.8]),  # a mix is as far from the one as from the other
    ],
)
def test_rows_with_the_chosen_categories(chosen, kept):
    found = rows_with(CHOICES, np.array(chosen, np.float32))
    np.testing.assert_allclose(found[:, 2], kept)


def test_a_mix_takes_rows_of_its_categories():
    rows = np.column_stack([np.tile(np.eye(3), (2, 1)), np.arange(6)]).astype(np.float32)
    found = rows_with(rows, np.array([0.7, 0, 0.3, np.nan], np.float32))
    assert found[:, 3].tolist() == [0, 2, 3, 5]


def test_a_choice_that_no_row_holds_leaves_the_others_alone():
    """The last two columns: a look that the data never have, beside the one that they all have."""
    rows = np.column_stack([CHOICES, np.ones(4), np.zeros(4)]).astype(np.float32)
    found = rows_with(rows, np.array([0, 1, NAN, 0, 1], np.float32))
    np.testing.assert_allclose(found[:, 2], [0.4, 0.8])


def test_shares_are_no_choices():
    rows = np.array([[0.5, 0.5], [1, 0], [0, 1]], np.float32)
    assert len(rows_with(rows, np.array([1, 0], np.float32))) == 3


@given(SEEDS)
def test_conditions_come_from_a_row_with_the_wished_choice(seed):
    row = condition_row(seed, CHOICES, np.array([0, 1, NAN], np.float32))
    assert row[:2].tolist() == [0, 1]
    assert row[2] in CHOICES[1::2, 2]


def test_streams_have_nothing_to_do_with_each_other():
    """Those of the core and those that the textures use."""
    made = np.stack(
        [standard_normals(5, 20_000, stream) for stream in (LATENT_STREAM, CONDITION_STREAM, NOISE_STREAM, 16, 17)]
    )
    assert abs(np.corrcoef(made) - np.eye(len(made))).max() < 5 / math.sqrt(20_000)
    next_seed = standard_normals(6, 20_000, LATENT_STREAM)
    assert abs(np.corrcoef(made[0], next_seed)[0, 1]) < 5 / math.sqrt(20_000)
