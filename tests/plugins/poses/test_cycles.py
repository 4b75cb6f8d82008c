"""Repetitions and single actions in recorded motion."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ganassets.api.motion.feet import find_contacts, put_on_ground
from ganassets_poses.cycles import (
    PEAK_SIGMA,
    PHASES,
    SHORTEST_ONCE,
    align_cycles,
    centre_action,
    close_loop,
    find_repetitions,
    find_shortest_period,
    find_single_actions,
    joint_activity,
    local_positions,
    pose_distance,
    sample_signals,
)
from ganassets_poses.signals import REST_HEIGHT, Signals, signals_from_clip
from support.motion_clips import random_clip, walk_clip
from support.poses_data import BY_NAME, jump_clip, one_after_another, still_clip

WALK = BY_NAME["walk"]
PERIOD = 30  # frames of a stride of walk_clip(..., loop=False)


def standing(frames: int) -> Signals:
    """Return signals or a clip of a figure that doesn't move."""
    return signals_from_clip(still_clip(frames))


def jumping(clip=None) -> Signals:
    """A jump on the ground, with contacts."""
    clip = put_on_ground(clip or jump_clip())
    return signals_from_clip(replace(clip, contacts=find_contacts(clip)))


def test_places_are_those_of_the_figure_where_it_stands_and_faces():
    places = local_positions(standing(3))
    assert places.shape == (2, 22, 3)
    np.testing.assert_allclose(places[:, 0], [[0, REST_HEIGHT, 0]] * 2, atol=1e-6)
    assert places[..., 1].min() == pytest.approx(0.02, abs=0.01) and places[..., 1].max() == pytest.approx(
        1.53, abs=0.1
    )
    np.testing.assert_array_equal(pose_distance(places[0], places[0] + [3, 0, 4]), 5)


def test_repetitions_of_a_walk_are_its_strides():
    places = local_positions(signals_from_clip(walk_clip(6 * PERIOD + 1, loop=False)))
    found = find_repetitions(places, WALK)
    assert len(found) >= 4
    assert {stop - start for start, stop in found} <= {PERIOD - 1, PERIOD, PERIOD + 1}
    for start, stop in found:
        assert pose_distance(places[start], places[stop]) < 0.03


def test_nothing_repeats_where_nothing_moves():
    still = local_positions(standing(120))
    noisy = still + np.random.default_rng(0).normal(0, 1e-3, still.shape).astype(np.float32)
    for action in (WALK, BY_NAME["dance"], BY_NAME["idle"]):
        assert find_repetitions(still, action) == []
        assert find_repetitions(noisy, action) == []


def test_nothing_repeats_in_too_few_frames():
    assert find_repetitions(local_positions(standing(12)), WALK) == []


@pytest.mark.parametrize("strides", [1, 2, 4])
def test_the_shortest_period_of_a_loop(strides):
    places = local_positions(signals_from_clip(walk_clip(strides * PERIOD + 1)))
    assert find_shortest_period(places, WALK) == PERIOD


def test_a_loop_without_shorter_repetitions_is_its_own_period():
    places = local_positions(signals_from_clip(random_clip(np.random.default_rng(0), 101)))
    assert find_shortest_period(places, WALK) == len(places)


@settings(max_examples=20)
@given(st.integers(0, 2**32), st.integers(0, 9))
def test_closed_takes_an_even_drift_off(seed, start):
    signals = signals_from_clip(walk_clip(4 * PERIOD + 1))
    drift = np.random.default_rng(seed).normal(0, 0.002, (4, 1)) * np.arange(len(signals))
    drifting = replace(signals, root=(signals.root + drift).astype(np.float32))
    made = close_loop(drifting, start, start + PERIOD)
    assert len(made) == PERIOD
    expected = signals.root[:, start : start + PERIOD] + drift[:, [start]]
    np.testing.assert_allclose(made.root, expected, atol=2e-3)


@settings(max_examples=20)
@given(st.integers(0, 2**32))
def test_closed_closes_anything(seed):
    """The step over the seam is no longer than those before it, even where the ends differ."""
    signals = signals_from_clip(random_clip(np.random.default_rng(seed), 60))
    made = close_loop(signals, 5, 45)
    values, whole = made.stack(), signals.stack()
    seam = values[:, 0] - values[:, -1]
    after_cut = whole[:, 45] - whole[:, 44]  # the step after the cut
    drift = (whole[:, 45] - whole[:, 5]) / 40
    np.testing.assert_allclose(seam[:4], (after_cut - drift)[:4], atol=1e-3)
    assert np.linalg.norm(seam[4:-4]) < 0.6 * np.linalg.norm(whole[4:-4, 45] - whole[4:-4, 5]) + 1.0
    assert values[-4:].min() >= 0 and values[-4:].max() <= 1


def test_a_whole_loop_is_closed_already():
    signals = signals_from_clip(walk_clip(PERIOD + 1))
    np.testing.assert_allclose(close_loop(signals, 0, PERIOD).stack(), signals.stack(), atol=1e-5)


def test_a_short_take_is_one_action():
    signals = jumping()
    assert find_single_actions(local_positions(signals), signals.contacts) == [(0, len(signals))]


def test_a_long_take_is_cut_where_it_rests():
    clip = one_after_another(jump_clip(40, 24, 30), jump_clip(30, 24, 40))
    signals = jumping(clip)
    spans = find_single_actions(local_positions(signals), signals.contacts)
    assert len(spans) == 2
    for (start, stop), peak in zip(spans, (52, 136), strict=True):
        assert start < peak - 10 and peak + 10 < stop
        assert stop - start < 120


def test_what_begins_in_the_air_is_no_action():
    signals = jumping()
    flying = signals.slice(22, len(signals))
    assert find_single_actions(local_positions(flying), flying.contacts) == []
    assert (
        find_single_actions(local_positions(signals)[: SHORTEST_ONCE - 1], signals.contacts[:, : SHORTEST_ONCE - 1])
        == []
    )


@pytest.mark.parametrize(("before", "after"), [(15, 15), (30, 8), (8, 40)])
def test_the_liveliest_moment_comes_into_the_middle(before, after):
    signals = jumping(jump_clip(before, 24, after))
    made = centre_action(signals, local_positions(signals))
    assert len(made) % 2 == 1
    activity = joint_activity(local_positions(made), PEAK_SIGMA)
    assert abs(int(activity.argmax()) - len(made) // 2) <= 2
    assert made.root[3].max() == pytest.approx(signals.root[3].max(), abs=1e-3), "the whole picture is covered"
    assert len(made) <= 2 * len(signals)


def test_sides_that_are_added_stand_still():
    signals = signals_from_clip(walk_clip(61, loop=False))
    speeds = np.zeros(len(signals), np.float32)
    speeds[10:] = 0.05
    speeds[50] = 0.1  # as if it moved most at that moment
    lively = np.zeros((len(signals), 22, 3), np.float32)
    lively[..., 0] = np.cumsum(speeds)[:, None]
    made = centre_action(signals, lively)
    moving = np.abs(made.root[:3]).sum(0) > 0
    assert 0 < moving.sum() < len(made)
    # The frames at both ends of the motion are repeated.
    inside = np.flatnonzero(moving)
    for held, end in ((made.stack()[4:, : inside[0]], inside[0]), (made.stack()[4:, inside[-1] + 1 :], inside[-1])):
        np.testing.assert_allclose(held, made.stack()[4:, [end]].repeat(held.shape[1], 1), atol=1e-6)


def test_activity_is_how_fast_joints_move():
    places = np.zeros((50, 22, 3), np.float32)
    places[..., 0] = np.arange(50)[:, None] * 0.1
    np.testing.assert_allclose(joint_activity(places, 3), 3.0, rtol=1e-5)
    places[25:] += 100
    assert joint_activity(places, 3).argmax() in (24, 25)


def test_sampled_frames():
    signals = signals_from_clip(walk_clip(31))
    whole = np.array([0.0, 3, 29])
    np.testing.assert_allclose(sample_signals(signals, whole, True).stack(), signals.stack()[:, [0, 3, 29]], atol=1e-5)
    half = sample_signals(signals, np.array([29.5]), True)
    np.testing.assert_allclose(half.root[:, 0], (signals.root[:, 29] + signals.root[:, 0]) / 2, atol=1e-5)
    beyond = np.array([-7.0, 29.5, 80.0])
    np.testing.assert_allclose(
        sample_signals(signals, beyond, False).stack(), signals.stack()[:, [0, 29, 29]], atol=1e-5
    )
    around = sample_signals(signals, np.array([4.25, 34.25, -25.75]), True).stack()
    np.testing.assert_allclose(around, around[:, [0, 0, 0]], atol=1e-4)


@settings(max_examples=15)
@given(st.lists(st.integers(0, PHASES - 1), min_size=2, max_size=6))
def test_known_shifts_are_found(shifts):
    signals = signals_from_clip(walk_clip(PERIOD + 1))
    cycle = local_positions(sample_signals(signals, np.arange(PHASES) * len(signals) / PHASES, True))
    cycles = [np.roll(cycle, -shift, 0) for shift in shifts]
    starts, mean = align_cycles(cycles)
    assert ((starts >= 0) & (starts < 1)).all()
    together = [np.roll(c, -round(start * PHASES), 0) for c, start in zip(cycles, starts, strict=True)]
    for one in together:
        np.testing.assert_allclose(one, together[0], atol=1e-5)
        np.testing.assert_allclose(one, mean, atol=1e-5)


def test_cycles_are_laid_over_a_template():
    signals = signals_from_clip(walk_clip(PERIOD + 1))
    cycle = local_positions(sample_signals(signals, np.arange(PHASES) * len(signals) / PHASES, True))
    starts, _ = align_cycles([np.roll(cycle, 10, 0), np.roll(cycle, 13, 0)], np.roll(cycle, 5, 0))
    np.testing.assert_allclose(starts * PHASES, [5, 8])
