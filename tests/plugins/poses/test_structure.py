"""The noise map: loops wrap, single actions stand still before and after, and its numbers never change."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ganassets_poses.actions import COLUMNS, condition_column
from ganassets_poses.structure import (
    CHANNELS,
    FPS,
    MARGIN,
    STRIDE,
    WHITE,
    count_repetitions,
    loop_structure,
    motion_noise,
    noise_digest,
    single_structure,
)

SEEDS = st.integers(0, 2**62)
TEMPI = st.floats(0.15, 3.5)
SIZES = st.integers(1, 60).map(lambda n: n * STRIDE)
COSINE, SINE, PROGRESS = (CHANNELS.index(name) for name in ("cosine", "sine", "progress"))


def row(loop: bool, tempo: float) -> np.ndarray:
    """Conditions of a motion."""
    made = np.zeros(len(COLUMNS), np.float32)
    made[condition_column("loop")], made[condition_column("tempo")] = loop, tempo
    return made


def phase(noise: np.ndarray) -> np.ndarray:
    """Return (f,) turns in [0, 1)."""
    return np.angle(noise[COSINE] + 1j * noise[SINE]) / (2 * np.pi) % 1


@given(SEEDS, st.booleans(), TEMPI, SIZES)
def test_same_seed_same_map(seed, loop, tempo, frames):
    frames += 0 if loop else 2 * MARGIN
    made = motion_noise(seed, row(loop, tempo), (frames,))
    assert made.shape == (len(CHANNELS), frames) and made.dtype == np.float32 and np.isfinite(made).all()
    np.testing.assert_array_equal(made, motion_noise(seed, row(loop, tempo), (frames,)))
    assert not np.array_equal(made[:WHITE], motion_noise(seed + 1, row(loop, tempo), (frames,))[:WHITE])
    np.testing.assert_allclose(np.hypot(made[COSINE], made[SINE]), 1, atol=1e-5)


def test_its_numbers_are_pinned():
    """Models depend on this noise; a change of it requires training them again."""
    assert noise_digest() == "cfbb22bf26f8a55959cc6b24282defb51c17f2573963a4b5ffa7033b3c43584c"


def test_last_bits_do_not_matter_to_the_digest():
    """No value is so near to a rounding boundary that another platform's cosine could cross it."""
    sample = np.concatenate(
        [motion_noise(7, row(loop, 1.3)[: condition_column("tempo") + 1], (64,)) for loop in (False, True)]
    )
    scaled = sample.astype(np.float64) * 64
    assert (0.5 - np.abs(scaled - np.rint(scaled))).min() > 1e-4


@given(SEEDS, TEMPI, SIZES)
def test_loops_hold_whole_repetitions_and_continue_across_the_seam(seed, tempo, frames):
    made = motion_noise(seed, row(True, tempo), (frames,))
    count = count_repetitions(row(True, tempo), frames)
    assert count >= 1 and (count == 1 or abs(count - tempo * frames / FPS) <= 0.5 + 1e-4)
    turns = phase(made)
    steps = (np.roll(turns, -1) - turns + 0.5) % 1 - 0.5  # also from the last frame to the first
    expected = (count / frames + 0.5) % 1 - 0.5
    np.testing.assert_allclose((steps - expected + 0.5) % 1 - 0.5, 0, atol=1e-5)
    assert not made[PROGRESS].any()


def test_loops_begin_anywhere():
    starts = [phase(motion_noise(seed, row(True, 1.0), (64,)))[0] for seed in range(300)]
    assert np.histogram(starts, 6, (0, 1))[0].min() > 25


@given(SEEDS, TEMPI, SIZES)
def test_what_happens_once_stands_still_before_and_after(seed, tempo, frames):
    made = motion_noise(seed, row(False, tempo), (frames + 2 * MARGIN,))
    inside = made[:, MARGIN:-MARGIN]
    for channel in (COSINE, SINE, PROGRESS):
        assert np.ptp(made[channel, : MARGIN + 1]) == 0
        assert np.ptp(made[channel, -MARGIN:]) == 0
    np.testing.assert_allclose(inside[PROGRESS], np.linspace(-1, 1, frames, endpoint=False), atol=1e-5)
    np.testing.assert_allclose(made[PROGRESS, [0, -1]], [-1, 1], atol=1e-6)
    np.testing.assert_allclose(phase(inside), np.arange(frames) / frames, atol=1e-5)


def test_white_noise_is_white():
    made = np.concatenate([motion_noise(seed, row(True, 1.0), (512,))[:WHITE] for seed in range(8)])
    assert made.mean() == pytest.approx(0, abs=0.02) and made.std() == pytest.approx(1, abs=0.02)
    for shift in (1, 2, 7):
        assert abs((made * np.roll(made, shift, 1)).mean()) < 0.03
    assert abs((made[0] * made[1]).mean()) < 0.15


@given(st.floats(-3, 4))
def test_phases_and_shares_of_a_moment(turn):
    cosine, sine, progress = loop_structure(np.array([turn]))[:, 0]
    assert (cosine, sine) == pytest.approx((np.cos(2 * np.pi * turn), np.sin(2 * np.pi * turn)), abs=1e-5)
    assert progress == 0
    held = min(max(turn, 0), 1)
    assert single_structure(np.array([turn]))[2, 0] == pytest.approx(2 * held - 1, abs=1e-6)
    np.testing.assert_allclose(single_structure(np.array([turn]))[:2], loop_structure(np.array([held]))[:2], atol=1e-6)
