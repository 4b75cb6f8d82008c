"""Measures of clips against clips whose values are known, and of sets against themselves."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ganassets.api.assets import MotionClip
from ganassets.api.errors import InputError
from ganassets.api.motion.editing import crop_clip, place_at_origin, remove_travel, rest_clip
from ganassets.api.motion.feet import hold_feet
from ganassets.api.motion.measures import (
    FEATURES,
    bone_length_error,
    coverage,
    feature_projection,
    jerk,
    loop_gap,
    loop_seam,
    motion_features,
    nearest_rows,
    penetration,
    skating,
)
from ganassets.api.motion.rotations import from_axis_angle, multiply, rotate
from ganassets.api.motion.skeletons import HUMANOID, HUMANOID_FINGERS
from support.motion_clips import random_clip, walk_clip

UP = np.array([0.0, 1, 0])
PINNED = [1.2617681, -1.04220366, 0.63030362, 0.74072975]
quick = settings(max_examples=10, deadline=None)


def moved(path: np.ndarray, fps: float = 30.0, loop: bool = False) -> MotionClip:
    """The T-pose, its root moved along a path (f, 3) in metres."""
    rest = rest_clip(HUMANOID, fps)
    translation = (rest.translation + path).astype(np.float32)
    return replace(rest, translation=translation, rotations=np.repeat(rest.rotations, len(path), 0), loop=loop)


def straight(frames: int, metres_a_second: float, fps: float = 30.0) -> np.ndarray:
    """Return (f, 3) positions along +Z."""
    return np.arange(frames)[:, None] / fps * [0, 0, metres_a_second]


@pytest.mark.parametrize("fps", [30.0, 60.0])
def test_skating_is_the_share_of_sliding_frames(fps: float) -> None:
    assert skating(moved(straight(61, 0.7, fps), fps)) == 0
    assert skating(moved(straight(61, 0.8, fps), fps)) == 1
    half = np.concatenate([straight(31, 0.0), straight(31, 1.0)[1:]])
    assert skating(moved(half)) == pytest.approx(0.5)
    assert skating(moved(straight(61, 3.0) + 0.06 * UP)) == 0


def test_a_walk_in_place_skates_and_a_held_one_hardly() -> None:
    held = hold_feet(walk_clip())
    assert skating(held) < 0.2 < 0.6 < skating(remove_travel(held))


def test_one_frame_has_no_errors() -> None:
    clip = rest_clip(HUMANOID)
    assert skating(clip) == jerk(clip) == 0 and loop_gap(clip) == (0, 0)
    assert penetration(clip) == pytest.approx(0, abs=1e-6)


def test_loops_have_no_gap_and_parts_of_them_do() -> None:
    clip = walk_clip()
    pose, _ = loop_gap(clip)
    assert pose < 1e-6
    pose, velocity = loop_gap(crop_clip(clip, 0, 40))
    assert pose > 0.1 and velocity > 0.01


def test_gaps_are_in_radians_metres_and_frames() -> None:
    clip = moved(np.zeros((5, 3)))
    rotations = clip.rotations.copy()
    rotations[-1, 3] = from_axis_angle((1, 0, 0), 0.2)
    assert loop_gap(replace(clip, rotations=rotations)) == pytest.approx((0.2, 0.2), abs=1e-6)
    path = np.zeros((5, 3))
    path[-1] = [0.4, 0.3, 0]
    assert loop_gap(moved(path)) == pytest.approx((0.3, 0.5), abs=1e-6)


@pytest.mark.parametrize("fps", [30.0, 120.0])
def test_jerk_of_a_cubic_is_its_third_derivative(fps: float) -> None:
    times = np.arange(40)[:, None] / fps
    assert jerk(moved(times**3 * [0.5, 0, 0], fps)) == pytest.approx(3, rel=0.05)
    assert jerk(moved(times**2 * [0.5, 0, 0], fps)) == pytest.approx(0, abs=0.5)


def test_seam_is_the_change_there_by_that_elsewhere() -> None:
    even = np.arange(31)[:, None] * [0.01, 0, 0]
    even[:, 1] = np.tile([0, 0.01], 16)[:31]
    assert loop_seam(moved(even, loop=True)) == pytest.approx(1, abs=0.1), "every step changes as much"
    path = np.cumsum(np.linspace(0, 0.03, 31))[:, None] * [1, 0, 0]
    assert loop_seam(moved(path, loop=True)) > 10, "its speed increases to the end and restarts"


def test_jerk_of_a_loop_sees_the_seam() -> None:
    path = np.abs(np.linspace(-1, 1, 31))[:, None] * [0, 0.3, 0]  # its kinks: at the seam and in the middle
    assert jerk(moved(path, loop=True)) > 1.5 * jerk(moved(path))


@quick
@given(st.integers(0, 2**32 - 1))
def test_bones_of_clips_have_the_skeletons_lengths(seed: int) -> None:
    assert bone_length_error(random_clip(np.random.default_rng(seed), 5, HUMANOID_FINGERS)) < 1e-5


def test_penetration_is_the_deepest() -> None:
    path = np.zeros((5, 3))
    path[2, 1] = -0.07
    path[3, 1] = 0.4
    assert penetration(moved(path)) == pytest.approx(0.07, abs=1e-6)
    assert penetration(moved(path + UP)) == 0


def test_features_do_not_depend_on_place_and_heading() -> None:
    clip = random_clip(np.random.default_rng(2), 70)
    turn = from_axis_angle((0, 1, 0), 1.1).astype(np.float32)
    rotations = clip.rotations.copy()
    rotations[:, 0] = multiply(turn, rotations[:, 0])
    away = replace(
        clip, translation=rotate(turn, clip.translation) + np.array([4, 0, -2], np.float32), rotations=rotations
    )
    np.testing.assert_allclose(motion_features([away]), motion_features([clip]), atol=1e-4)
    np.testing.assert_allclose(motion_features([place_at_origin(clip)]), motion_features([clip]), atol=1e-4)


def test_features_know_speed_and_height() -> None:
    stands, walks, flies = (
        motion_features([moved(path)]) for path in (straight(40, 0), straight(40, 1), straight(40, 0) + UP)
    )
    assert np.linalg.norm(stands - walks) > 0.1
    assert np.linalg.norm(stands - flies) > 0.5


def test_features_have_a_row_for_each_window() -> None:
    rng = np.random.default_rng(3)
    counts = [len(motion_features([random_clip(rng, frames)])) for frames in (1, 20, 32, 47, 48, 100)]
    assert counts == [1, 1, 1, 1, 2, 5]
    assert motion_features([walk_clip(), walk_clip(31)]).shape == (4 + 2, FEATURES)
    fingers = random_clip(rng, 40, HUMANOID_FINGERS)
    assert motion_features([fingers]).shape == (1, FEATURES)
    with pytest.raises(InputError, match="no clips"):
        motion_features([])


def test_windows_of_a_loop_continue_across_its_seam() -> None:
    once = walk_clip(31)
    twice = replace(
        once,
        translation=np.concatenate([once.translation, once.translation[1:] + once.translation[-1] * [0, 0, 1]]).astype(
            np.float32
        ),
        rotations=np.concatenate([once.rotations, once.rotations[1:]]),
        contacts=None,
    )
    np.testing.assert_allclose(motion_features([twice])[:2], motion_features([once]), atol=1e-5)


def test_the_projection_is_pinned() -> None:
    found = feature_projection()[0, :4] * np.sqrt(FEATURES * 32 * 22)
    np.testing.assert_allclose(found, PINNED, rtol=1e-6)


def test_features_of_others_are_apart_and_of_the_same_together() -> None:
    rng = np.random.default_rng(4)
    random = motion_features([random_clip(rng, 61) for _ in range(20)])
    walks = motion_features([walk_clip(speed=speed) for speed in np.linspace(0.8, 1.4, 10)])
    distances, rows = nearest_rows(walks, walks[::-1])
    assert distances.max() < 1e-6
    np.testing.assert_array_equal(rows, np.arange(len(walks))[::-1])
    assert coverage(walks, walks) == 1
    assert coverage(walks, random) < 0.1
    assert nearest_rows(walks, random)[0].min() > distances.max()


def test_coverage_is_the_share_of_real_rows_with_a_made_neighbour() -> None:
    real = np.concatenate([np.arange(10.0), 100 + np.arange(10.0)])[:, None]
    assert coverage(real, np.arange(10.0)[:, None] + 0.1, 1) == 0.5
    with pytest.raises(InputError, match="more than 20"):
        coverage(real, real, 20)


def test_distances_of_many_rows_are_made_in_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(6)
    real, made = rng.normal(size=(30, 5)), rng.normal(size=(41, 5))
    whole = nearest_rows(real, made), coverage(real, made)
    monkeypatch.setattr("ganassets.api.motion.measures.BLOCK", 7)
    parts = nearest_rows(real, made), coverage(real, made)
    np.testing.assert_allclose(parts[0][0], whole[0][0])
    np.testing.assert_array_equal(parts[0][1], whole[0][1])
    assert parts[1] == whole[1]
    expected = np.linalg.norm(made[:, None] - real, axis=-1)
    np.testing.assert_allclose(whole[0][0], expected.min(1))
