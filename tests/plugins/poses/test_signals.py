"""Conversion of clips to the networks' signals, and back."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ganassets.api.assets import MotionClip
from ganassets.api.motion.editing import crop_clip, mirror_clip
from ganassets.api.motion.kinematics import positions
from ganassets.api.motion.measures import loop_gap
from ganassets.api.motion.rotations import conjugate, degrees_between, from_axis_angle, multiply, rotate, to_matrix
from ganassets_poses.signals import (
    JOINTS,
    Signals,
    clip_from_signals,
    orthonormalise,
    signals_from_clip,
    smooth_headings,
    smooth_signals,
    stretch_loop,
    unstack_signals,
)
from support.motion_clips import random_clip, walk_clip
from support.poses_data import steady_walk, turning

UP = (0, 1, 0)
SEEDS = st.integers(0, 2**32)


def swung(frames: int, most: float) -> np.ndarray:
    """Return (f,) angles of a closed loop."""
    return most * np.sin(2 * np.pi * np.arange(frames) / (frames - 1))


ONCE = {
    "walk": walk_clip(50, loop=False),
    "turning walk": turning(walk_clip(61, loop=False), np.linspace(0, 4, 61)),
    "anything": random_clip(np.random.default_rng(1), 40),
    "two frames": random_clip(np.random.default_rng(2), 2),
}
LOOPS = {
    "walk": walk_clip(31),
    "walk of 60 a second": walk_clip(121, fps=60.0),
    "turning walk": turning(walk_clip(61), swung(61, 0.8)),
}


def aligned(made: MotionClip, clip: MotionClip) -> MotionClip:
    """Turn `made` about the vertical axis and move it, so that its hips begin where those of `clip` do."""
    turn = multiply(clip.rotations[0, 0].astype(np.float64), conjugate(made.rotations[0, 0].astype(np.float64)))
    assert np.abs(turn[[0, 2]]).max() < 1e-3
    rotations = made.rotations.copy()
    rotations[:, 0] = multiply(turn, made.rotations[:, 0].astype(np.float64))
    place = rotate(turn, made.translation.astype(np.float64))
    place += (clip.translation[0] - place[0]) * [1, 0, 1]
    return replace(made, translation=place.astype(np.float32), rotations=rotations)


def assert_same_motion(made: MotionClip, clip: MotionClip) -> None:
    """Assert that clips agree within 0.05 degrees and 1 mm after aligning their starts."""
    assert len(made) == len(clip) and made.fps == clip.fps and made.loop == clip.loop
    made = aligned(made, clip)
    assert degrees_between(made.rotations, clip.rotations).max() < 0.05
    assert np.abs(positions(made) - positions(clip)).max() < 1e-3


@pytest.mark.parametrize("name", LOOPS)
def test_a_loop_comes_back(name):
    clip = LOOPS[name]
    signals = signals_from_clip(clip)
    assert len(signals) == len(clip) - 1
    made = clip_from_signals(signals, "there and back", clip.fps, True)
    assert made.name == "there and back"
    assert_same_motion(made, clip)
    assert made.contacts is not None and clip.contacts is not None
    np.testing.assert_array_equal(made.contacts[:-1], clip.contacts[:-1])
    np.testing.assert_array_equal(made.contacts[-1], made.contacts[0])


@pytest.mark.parametrize("name", ONCE)
def test_what_happens_once_comes_back_but_for_its_last_frame(name):
    clip = ONCE[name]
    signals = signals_from_clip(clip)
    assert len(signals) == len(clip) - 1
    made = clip_from_signals(signals, clip.name, clip.fps, False)
    assert_same_motion(made, crop_clip(clip, 0, len(clip) - 1))


@settings(max_examples=20)
@given(SEEDS, st.floats(-np.pi, np.pi), st.booleans())
def test_it_does_not_matter_where_it_is_and_which_way_it_faces(seed, angle, loop):
    rng = np.random.default_rng(seed)
    clip = turning(walk_clip(31, loop=loop), swung(31, rng.uniform(-1, 1)))
    turn = from_axis_angle(UP, angle)
    rotations = clip.rotations.copy()
    rotations[:, 0] = multiply(turn, clip.rotations[:, 0].astype(np.float64))
    moved = rotate(turn, clip.translation.astype(np.float64)) + rng.normal(0, 9, 3) * [1, 0, 1]
    moved = replace(clip, translation=moved.astype(np.float32), rotations=rotations)
    np.testing.assert_allclose(signals_from_clip(moved).stack(), signals_from_clip(clip).stack(), atol=1e-3)


def test_root_says_where_it_goes():
    signals = signals_from_clip(walk_clip(61, speed=1.3))
    assert signals.root[0].mean() == pytest.approx(1.3, abs=0.01)
    assert signals.root[1:3].mean(1) == pytest.approx([0, 0], abs=0.01)
    np.testing.assert_allclose(signals.root[3], walk_clip(61).translation[:-1, 1])
    left = signals_from_clip(turning(walk_clip(61, loop=False), np.linspace(0, 2, 61))).root[2]
    assert left.mean() == pytest.approx(2 / 2, rel=0.1), "radians a second to the left"


@settings(max_examples=20)
@given(SEEDS)
def test_mirrored_twice_is_the_same(seed):
    signals = signals_from_clip(random_clip(np.random.default_rng(seed), 12))
    np.testing.assert_array_equal(signals.mirror().mirror().stack(), signals.stack())
    assert not np.array_equal(signals.mirror().rotations, signals.rotations)


@pytest.mark.parametrize("clip", [*ONCE.values(), *LOOPS.values()], ids=[*ONCE, *(f"loop: {n}" for n in LOOPS)])
def test_mirrored_signals_are_those_of_the_mirrored_clip(clip):
    np.testing.assert_allclose(
        signals_from_clip(mirror_clip(clip)).stack(), signals_from_clip(clip).mirror().stack(), atol=1e-4
    )


@settings(max_examples=20)
@given(SEEDS, st.integers(2, 40), st.floats(10, 60))
def test_loops_close_for_any_network_output(seed, frames, fps):
    """Pose, heading and height close; the step over the seam is that of the last frame."""
    rng = np.random.default_rng(seed)
    signals = unstack_signals(rng.normal(size=(4 + 6 * JOINTS + 4, frames)))
    clip = clip_from_signals(signals, "loop", fps, True)
    assert len(clip) == frames + 1 and clip.loop
    assert loop_gap(clip)[0] < 1e-4
    back = conjugate(
        from_axis_angle(UP, np.concatenate([[0], np.cumsum(signals.root[2] - signals.root[2].mean())])[:-1] / fps)
    )
    steps = rotate(back, np.diff(clip.translation.astype(np.float64), axis=0) * [1, 0, 1]) * fps
    np.testing.assert_allclose(steps[:, 2], signals.root[0], atol=1e-3)
    np.testing.assert_allclose(steps[:, 0], signals.root[1], atol=1e-3)


def test_a_walk_loops_smoothly():
    clip = LOOPS["turning walk"]
    made = clip_from_signals(signals_from_clip(clip), "loop", clip.fps, True)
    assert loop_gap(made)[0] < 1e-5
    assert loop_gap(made)[1] == pytest.approx(loop_gap(clip)[1], abs=1e-3), "no jolt that the clip hasn't"


def level(turns: np.ndarray) -> np.ndarray:
    """Return the headings in degrees of hips with these rotations, at 30 frames per second."""
    return np.degrees(smooth_headings(turns, 30.0, wraps=False))


def test_headings_of_turning_hips():
    angles = np.linspace(0, 3 * np.pi, 91)
    found = np.radians(level(from_axis_angle(UP, angles)))
    np.testing.assert_allclose(found[15:-15], angles[15:-15], atol=1e-3)
    assert np.abs(np.diff(found)).max() < 0.2, "without jumps"


@pytest.mark.parametrize("facing", [0.0, 1.0, -3.0])
def test_headings_do_not_mind_rolling_over(facing):
    """Forwards and backwards all the way round, bending, lying down."""
    for pitch in (np.linspace(0, 2 * np.pi, 40), -np.linspace(0, 2 * np.pi, 40), np.full(40, 1.6)):
        turns = multiply(from_axis_angle(UP, np.full(40, facing)), from_axis_angle((1, 0, 0), pitch))
        np.testing.assert_allclose((level(turns) - np.degrees(facing) + 180) % 360 - 180, 0, atol=1e-6)


def test_headings_hold_where_the_hips_stand_upright():
    """The heading is undefined for some frames in the middle."""
    roll = np.zeros(60)
    roll[25:35] = np.pi / 2
    np.testing.assert_allclose(level(from_axis_angle((0, 0, 1), roll)), 0, atol=1e-6)


def test_headings_of_loops_wrap():
    angles = 0.7 * np.sin(2 * np.pi * np.arange(30) / 30)
    turns = from_axis_angle(UP, angles)
    found = smooth_headings(turns, 30.0, wraps=True)
    np.testing.assert_allclose(np.roll(found, 7), smooth_headings(np.roll(turns, 7, 0), 30.0, wraps=True), atol=1e-9)


@settings(max_examples=20)
@given(SEEDS)
def test_rotations_are_made_orthonormal(seed):
    raw = np.random.default_rng(seed).normal(size=(6 * JOINTS, 5)).astype(np.float32)
    made = orthonormalise(raw)
    columns = np.moveaxis(made.reshape(JOINTS, 2, 3, 5), -1, 0)
    np.testing.assert_allclose(np.linalg.norm(columns, axis=-1), 1, atol=1e-5)
    np.testing.assert_allclose((columns[:, :, 0] * columns[:, :, 1]).sum(-1), 0, atol=1e-5)
    np.testing.assert_allclose(orthonormalise(made), made, atol=1e-5)


def test_parts_and_stacks():
    clip = walk_clip(31)
    signals = signals_from_clip(clip)
    again = unstack_signals(signals.stack())
    assert isinstance(again, Signals)
    np.testing.assert_allclose(again.stack(), signals.stack(), atol=1e-5)
    part = signals.slice(3, 9)
    assert len(part) == 6
    np.testing.assert_array_equal(part.stack(), signals.stack()[:, 3:9])
    first = to_matrix(clip.rotations[4, 7].astype(np.float64))[:, :2].T.ravel()
    np.testing.assert_allclose(signals.rotations[6 * 7 : 6 * 8, 4], first, atol=1e-5)


@pytest.mark.parametrize("frames", [56, 60, 71, 90])
def test_a_stretched_loop_has_no_seam_and_keeps_its_steps(frames):
    signals = signals_from_clip(steady_walk(65))
    made = stretch_loop(signals, frames)
    assert len(made) == frames
    travel = [one.root[0].sum() for one in (signals, made)]
    assert travel[1] == pytest.approx(travel[0], rel=1e-3), "metres from frame to frame add up to the same stride"
    rolled = Signals(*(np.roll(part, 32, 1) for part in (signals.root, signals.rotations, signals.contacts)))
    if frames % 2 == 0:  # half a loop is a whole number of frames
        moved = np.roll(stretch_loop(rolled, frames).rotations, -frames // 2, 1)
        np.testing.assert_allclose(moved, made.rotations, atol=1e-4)
    assert stretch_loop(signals, len(signals)) is signals


@pytest.mark.parametrize("wraps", [True, False])
def test_smoothing_halves_what_trembles_and_leaves_motion(wraps):
    signals = signals_from_clip(steady_walk(65))
    trembling = replace(signals, root=signals.root + 0.1 * (-1.0) ** np.arange(len(signals), dtype=np.float32))
    off = smooth_signals(trembling, wraps).root - smooth_signals(signals, wraps).root
    inner = slice(None) if wraps else slice(1, -1)
    np.testing.assert_allclose(np.abs(off[:, inner]), 0.05, atol=1e-5)
    change = smooth_signals(signals, wraps).rotations - signals.rotations
    assert np.abs(change[:, inner]).max() < 0.1 < np.ptp(signals.rotations)
    if wraps:
        rolled = Signals(*(np.roll(part, 9, 1) for part in (signals.root, signals.rotations, signals.contacts)))
        np.testing.assert_allclose(
            np.roll(smooth_signals(rolled, True).rotations, -9, 1), smooth_signals(signals, True).rotations, atol=1e-5
        )
