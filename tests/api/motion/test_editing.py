"""Editing of clips: lengths, inverses, and loops that stay loops."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import gaussian_filter1d

from ganassets.api.assets import MotionClip
from ganassets.api.errors import InputError
from ganassets.api.motion.editing import (
    blur_track,
    crop_clip,
    mirror_clip,
    opposite_joint,
    place_at_origin,
    remove_travel,
    resample_clip,
    rest_clip,
    sample_clip,
)
from ganassets.api.motion.kinematics import positions
from ganassets.api.motion.rotations import degrees_between, from_axis_angle, heading, multiply, rotate
from ganassets.api.motion.skeletons import HUMANOID, HUMANOID_FINGERS
from support.motion_clips import random_clip, walk_clip

SEEDS = st.integers(0, 2**32 - 1)
quick = settings(max_examples=10, deadline=None)
EDITS: dict[str, Callable[[MotionClip], MotionClip]] = {
    "resampled": lambda clip: resample_clip(clip, 24.0),
    "mirrored": mirror_clip,
    "placed": place_at_origin,
    "in place": remove_travel,
    "whole": lambda clip: crop_clip(clip, 0, len(clip)),
}


@pytest.mark.parametrize("edit", EDITS.values(), ids=EDITS)
def test_loops_stay_loops(edit: Callable[[MotionClip], MotionClip]) -> None:
    clip = edit(walk_clip())
    assert clip.loop
    assert degrees_between(clip.rotations[0], clip.rotations[-1]).max() < 0.01
    assert clip.translation[0, 1] == pytest.approx(clip.translation[-1, 1], abs=1e-5)


@pytest.mark.parametrize("edit", EDITS.values(), ids=EDITS)
@quick
@given(seed=SEEDS, frames=st.integers(1, 40))
def test_rotations_stay_unit_with_nearest_signs(
    edit: Callable[[MotionClip], MotionClip], seed: int, frames: int
) -> None:
    clip = edit(random_clip(np.random.default_rng(seed), frames))
    np.testing.assert_allclose(np.linalg.norm(clip.rotations, axis=-1), 1, atol=1e-5)
    assert ((clip.rotations[1:] * clip.rotations[:-1]).sum(-1) >= 0).all()
    assert clip.rotations.dtype == clip.translation.dtype == np.float32


@quick
@given(SEEDS)
def test_poses_at_the_frames_times_are_the_frames(seed: int) -> None:
    clip = random_clip(np.random.default_rng(seed), 20)
    again = sample_clip(clip, np.arange(20) / clip.fps)
    np.testing.assert_allclose(positions(again), positions(clip), atol=1e-5)


@quick
@given(SEEDS)
def test_twice_the_frames_a_second_and_back_is_the_clip(seed: int) -> None:
    clip = random_clip(np.random.default_rng(seed), 20)
    finer = resample_clip(clip, 60.0)
    assert len(finer) == 39 and finer.seconds == pytest.approx(clip.seconds)
    np.testing.assert_allclose(positions(resample_clip(finer, 30.0)), positions(clip), atol=1e-5)


def test_resampled_contacts_are_those_of_the_nearest_frames() -> None:
    clip = walk_clip()
    finer = resample_clip(clip, 90.0)
    assert clip.contacts is not None and finer.contacts is not None
    np.testing.assert_array_equal(finer.contacts[::3], clip.contacts)
    np.testing.assert_array_equal(finer.contacts[1::3], clip.contacts[:-1])


@pytest.mark.parametrize("value", [0.0, -1.0, float("nan"), float("inf")])
def test_impossible_frame_rates_are_refused(value: float) -> None:
    with pytest.raises(InputError, match="above 0"):
        resample_clip(walk_clip(), value)


def test_a_part_of_a_loop_is_none() -> None:
    clip = walk_clip()
    part = crop_clip(clip, 10, 20)
    assert len(part) == 10 and not part.loop
    assert clip.contacts is not None
    np.testing.assert_array_equal(part.contacts, clip.contacts[10:20])
    np.testing.assert_array_equal(part.translation, clip.translation[10:20])


@pytest.mark.parametrize(("start", "stop"), [(-1, 5), (5, 5), (0, 62)])
def test_frames_that_are_not_there_are_refused(start: int, stop: int) -> None:
    with pytest.raises(InputError, match="61"):
        crop_clip(walk_clip(), start, stop)


@quick
@given(SEEDS)
def test_the_mirror_image_is_that_of_every_joint(seed: int) -> None:
    clip = random_clip(np.random.default_rng(seed), 6, HUMANOID_FINGERS)
    swap = [clip.skeleton.index(opposite_joint(name)) for name in clip.skeleton.names]
    np.testing.assert_allclose(positions(mirror_clip(clip)), positions(clip)[:, swap] * [-1, 1, 1], atol=1e-5)


def test_mirrored_twice_is_the_clip() -> None:
    clip = walk_clip()
    again = mirror_clip(mirror_clip(clip))
    assert degrees_between(again.rotations, clip.rotations).max() < 1e-5
    np.testing.assert_array_equal(again.translation, clip.translation)
    other = mirror_clip(clip).contacts
    assert clip.contacts is not None and again.contacts is not None and other is not None
    np.testing.assert_array_equal(again.contacts, clip.contacts)
    assert not np.array_equal(other, clip.contacts)


@quick
@given(SEEDS, st.floats(-3, 3), st.floats(-5, 5))
def test_placed_undoes_any_place_and_heading(seed: int, angle: float, metres: float) -> None:
    clip = random_clip(np.random.default_rng(seed), 8)
    turn = from_axis_angle((0, 1, 0), angle).astype(np.float32)
    rotations = clip.rotations.copy()
    rotations[:, 0] = multiply(turn, rotations[:, 0])
    away = replace(
        clip, translation=rotate(turn, clip.translation) + np.array([metres, 0, 1], np.float32), rotations=rotations
    )
    found = place_at_origin(away)
    np.testing.assert_allclose(found.translation[0, [0, 2]], 0, atol=1e-6)
    assert heading(found.rotations[0, 0].astype(np.float64)) == pytest.approx(0, abs=1e-4)
    np.testing.assert_allclose(positions(found), positions(place_at_origin(clip)), atol=1e-4)


def test_a_loop_in_place_sways_but_goes_nowhere() -> None:
    clip = walk_clip()
    stays = remove_travel(clip)
    np.testing.assert_allclose(stays.translation[-1], stays.translation[0], atol=1e-5)
    np.testing.assert_array_equal(stays.translation[:, 1], clip.translation[:, 1])
    np.testing.assert_allclose(stays.translation[:, 0], clip.translation[:, 0], atol=1e-6)
    np.testing.assert_array_equal(stays.rotations, clip.rotations)


def test_a_clip_in_place_that_is_no_loop_stays_on_one_spot() -> None:
    clip = walk_clip(loop=False)
    stays = remove_travel(clip)
    np.testing.assert_array_equal(stays.translation[:, [0, 2]], 0)
    np.testing.assert_array_equal(stays.translation[:, 1], clip.translation[:, 1])


def test_the_rest_clip_is_the_rest_pose() -> None:
    clip = rest_clip(HUMANOID)
    assert len(clip) == 1 and clip.seconds == 0
    assert resample_clip(clip, 60).fps == 60
    np.testing.assert_allclose(positions(clip)[0, 0], HUMANOID.offsets[0])


@given(st.integers(1, 40), st.floats(0.3, 6), st.booleans())
def test_blurring_is_a_weighted_mean_along_time(frames, sigma, wraps):
    rng = np.random.default_rng(frames)
    track = rng.normal(size=(frames, 2))
    made = blur_track(track, sigma, wraps)
    assert made.shape == track.shape
    mode = "wrap" if wraps else "nearest"
    expected = gaussian_filter1d(track, sigma, axis=0, mode=mode, radius=int(np.ceil(3 * sigma)))
    np.testing.assert_allclose(made, expected, atol=1e-9)
    np.testing.assert_allclose(blur_track(track[:, 0] + 1j * track[:, 1], sigma, wraps), made @ [1, 1j], atol=1e-9)
