"""Feet: contacts, ground, restored travel, and legs that hold the feet smoothly."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ganassets.api.assets import MotionClip
from ganassets.api.motion.editing import mirror_clip, remove_travel, resample_clip, rest_clip, sample_clip
from ganassets.api.motion.feet import (
    STANDING,
    find_contacts,
    find_standing_feet,
    foot_positions,
    ground_travel,
    hold_feet,
    leg_pose,
    match_travel,
    put_on_ground,
    restore_travel,
)
from ganassets.api.motion.frame_runs import last_true, next_true
from ganassets.api.motion.kinematics import positions, world_pose
from ganassets.api.motion.rotations import degrees_between, from_axis_angle, multiply
from ganassets.api.motion.skeletons import HUMANOID, HUMANOID_FINGERS
from support.motion_clips import random_clip, walk_clip

quick = settings(max_examples=10, deadline=None)
SEEDS = st.integers(0, 2**32 - 1)


def idle_clip(frames: int = 31, loop: bool = True) -> MotionClip:
    """Return a clip that stands in the T-pose."""
    rest = rest_clip(HUMANOID)
    return replace(
        rest,
        translation=np.repeat(rest.translation, frames, 0),
        rotations=np.repeat(rest.rotations, frames, 0),
        loop=loop,
    )


def planted_walk(frames: int = 61, loop: bool = True) -> MotionClip:
    """A walk whose feet stay where they stand, contacts unknown."""
    return replace(hold_feet(walk_clip(frames, loop=loop)), contacts=None)


def rolled(clip: MotionClip, frames: int) -> MotionClip:
    """Return a loop that starts at another of its frames, at the same position."""
    order = np.arange(frames, frames + len(clip)) % (len(clip) - 1)
    laps = np.arange(frames, frames + len(clip)) // (len(clip) - 1)
    translation = clip.translation[order] + laps[:, None] * ground_travel(clip)
    contacts = None if clip.contacts is None else clip.contacts[order]
    return replace(clip, translation=translation.astype(np.float32), rotations=clip.rotations[order], contacts=contacts)


def slides(clip: MotionClip) -> np.ndarray:
    """Return the metres (n,) that joints in contact move from one frame to the next."""
    assert clip.contacts is not None
    stands = clip.contacts[1:] & clip.contacts[:-1]
    return np.linalg.norm(np.diff(foot_positions(clip), axis=0), axis=-1)[stands]


def test_rows_of_the_last_and_the_next_true() -> None:
    marks = np.array([[False, True], [True, True], [False, False]])
    np.testing.assert_array_equal(last_true(marks), [[-1, 0], [1, 1], [1, 1]])
    np.testing.assert_array_equal(next_true(marks), [[1, 0], [1, 1], [3, 3]])


@pytest.mark.parametrize("skeleton", [HUMANOID, HUMANOID_FINGERS], ids=["body", "fingers"])
def test_legs_are_where_the_whole_skeleton_has_them(skeleton) -> None:
    clip = random_clip(np.random.default_rng(5), 7, skeleton)
    pose = leg_pose(clip)
    place, turned = world_pose(skeleton, clip.translation.astype(np.float64), clip.rotations.astype(np.float64))
    np.testing.assert_allclose(pose.places, place[:, pose.joints], atol=1e-9)
    assert degrees_between(pose.turns, turned[:, pose.joints]).max() < 1e-4
    names = [skeleton.names[joint] for joint in pose.joints[:, 2:].ravel()]
    assert names == ["leftFoot", "leftToes", "rightFoot", "rightToes"]


def test_who_stands_is_in_contact_and_who_hangs_is_not() -> None:
    clip = idle_clip()
    assert find_contacts(clip).all()
    assert not find_contacts(replace(clip, translation=clip.translation + np.array([0, 0.1, 0], np.float32))).any()
    assert find_contacts(rest_clip(HUMANOID)).all()


def test_sliding_feet_are_not_in_contact_at_any_frame_rate() -> None:
    for fps in (24.0, 30.0, 120.0):
        clip = resample_clip(idle_clip(loop=False), fps)
        metres = np.arange(len(clip), dtype=np.float32)[:, None] / np.float32(fps) * np.array([0, 0, 1], np.float32)
        assert find_contacts(replace(clip, translation=clip.translation + 0.1 * metres)).all()
        assert not find_contacts(replace(clip, translation=clip.translation + 1.5 * metres)).any()


def test_each_foot_of_a_walk_stands_more_than_half_of_the_time() -> None:
    contacts = find_contacts(planted_walk())
    assert contacts.mean(0).min() > 0.5 and contacts.mean(0).max() < 0.75
    assert contacts.any(1).all()


def test_contacts_do_not_flicker() -> None:
    clip = planted_walk()
    strides = 2
    changes = (np.diff(find_contacts(clip).astype(int), axis=0) != 0).sum(0)
    assert (changes <= 2 * strides).all()
    stands = idle_clip()
    twitch = np.zeros((31, 3), np.float32)
    twitch[[14, 16], 0] = -0.02, 0.02  # the frame between is too fast
    assert find_contacts(replace(stands, translation=stands.translation + twitch)).all()


@pytest.mark.parametrize("frames", [1, 17, 44])
def test_contacts_of_a_loop_do_not_depend_on_where_it_starts(frames: int) -> None:
    clip = planted_walk()
    np.testing.assert_array_equal(
        find_contacts(rolled(clip, frames)), rolled(replace(clip, contacts=find_contacts(clip)), frames).contacts
    )


@pytest.mark.parametrize("height", [-0.7, 0.0, 2.0])
def test_the_ground_is_below_the_feet(height: float) -> None:
    clip = planted_walk()
    found = put_on_ground(replace(clip, translation=clip.translation + np.array([0, height, 0], np.float32)))
    assert (foot_positions(found)[..., 1] - STANDING).min() == pytest.approx(0, abs=0.01)
    np.testing.assert_array_equal(found.translation[:, [0, 2]], clip.translation[:, [0, 2]])


def test_a_jump_stays_in_the_air_and_a_bad_frame_does_not_matter() -> None:
    clip = idle_clip(60)
    up = np.zeros((60, 3), np.float32)
    up[12:, 1] = 0.5 * np.sin(np.linspace(0, np.pi, 48))
    up[3, 1] = -0.4
    found = put_on_ground(replace(clip, translation=clip.translation + up + np.array([0, 1, 0], np.float32)))
    np.testing.assert_allclose(found.translation, clip.translation + up, atol=0.005)


def test_a_floor_aslant_is_levelled_and_a_ramp_stays() -> None:
    clip = planted_walk(loop=False)
    for slope, left in ((0.015, 0.0), (-0.02, 0.0), (0.1, 0.1)):
        rise = np.array([0, slope, 0], np.float32) * clip.translation[:, 2:]
        found = put_on_ground(replace(clip, translation=clip.translation + rise))
        climbed = found.translation[:, 1] - clip.translation[:, 1]
        assert climbed[-1] - climbed[0] == pytest.approx(left * clip.translation[-1, 2], abs=0.012)


def test_who_lies_lies_on_the_ground() -> None:
    clip = idle_clip()
    rotations = clip.rotations.copy()
    rotations[:, 0] = from_axis_angle((1, 0, 0), -np.pi / 2)
    height = positions(put_on_ground(replace(clip, rotations=rotations)))[0, :, 1]
    assert 0.02 < height.min() < 0.12
    assert height.max() < 0.3


def test_travel_comes_back_to_a_walk_in_place() -> None:
    clip = planted_walk()
    found = restore_travel(remove_travel(clip))
    assert found.loop
    np.testing.assert_allclose(found.translation, clip.translation, atol=1e-4)
    turned = multiply(from_axis_angle((0, 1, 0), np.pi / 2).astype(np.float32), clip.rotations[:, 0])
    aside = replace(remove_travel(clip), rotations=np.concatenate([turned[:, None], clip.rotations[:, 1:]], 1))
    np.testing.assert_allclose(
        ground_travel(restore_travel(aside)), ground_travel(clip)[[2, 1, 0]] * [1, 1, -1], atol=0.02
    )


@pytest.mark.parametrize(
    "clip",
    [planted_walk(), idle_clip(), rest_clip(HUMANOID), random_clip(np.random.default_rng(1), 3)],
    ids=["travels", "stands", "one frame", "short"],
)
def test_clips_that_need_no_travel_get_none(clip: MotionClip) -> None:
    np.testing.assert_array_equal(restore_travel(clip).translation, clip.translation)


def test_feet_that_do_not_agree_give_no_travel() -> None:
    clip = remove_travel(planted_walk())
    there_and_back = np.concatenate([np.arange(31), np.arange(30)[::-1]]) / clip.fps
    shuffle = sample_clip(clip, there_and_back)
    assert restore_travel(shuffle) is shuffle


@pytest.mark.parametrize("loop", [True, False])
def test_held_feet_stand_still_on_the_ground(loop: bool) -> None:
    clip = walk_clip(loop=loop)
    assert slides(clip).max() > 0.02  # there is something to hold
    found = hold_feet(clip)
    assert slides(found).max() < 1e-4
    height = foot_positions(found)[..., 1] - STANDING
    assert height.min() > -1e-5
    assert found.contacts is not None and np.abs(height[found.contacts]).max() < 1e-4
    np.testing.assert_array_equal(found.contacts, clip.contacts)


@quick
@given(SEEDS, st.integers(1, 40), st.booleans())
def test_any_clip_can_be_held(seed: int, frames: int, loop: bool) -> None:
    rng = np.random.default_rng(seed)
    clip = random_clip(rng, frames)
    found = hold_feet(replace(clip, contacts=rng.random((frames, 4)) < 0.5, loop=loop))
    assert len(found) == frames
    feet = [HUMANOID.index(side + bone) for side in ("left", "right") for bone in ("UpperLeg", "LowerLeg", "Foot")]
    others = np.delete(np.arange(len(HUMANOID.names)), feet)
    assert degrees_between(found.rotations[:, others], clip.rotations[:, others]).max() < 1e-3
    np.testing.assert_array_equal(found.translation[:, [0, 2]], clip.translation[:, [0, 2]])


def test_a_held_loop_is_a_loop_wherever_it_starts() -> None:
    clip = walk_clip()
    found = hold_feet(clip)
    assert found.loop
    assert degrees_between(found.rotations[0], found.rotations[-1]).max() < 1e-3
    assert found.translation[0, 1] == pytest.approx(found.translation[-1, 1], abs=1e-6)
    for frames in (7, 30):
        later = hold_feet(rolled(clip, frames))
        np.testing.assert_allclose(positions(later), positions(rolled(found, frames)), atol=1e-4)


def test_nothing_pops() -> None:
    clip = planted_walk()
    jitter = np.random.default_rng(0).normal(0, 0.01, (61, 1)).astype(np.float32)
    smooth = (jitter + np.roll(jitter, 1, 0) + np.roll(jitter, -1, 0)) / 3 * np.array([1, 0, 1], np.float32)
    smooth[-1] = smooth[0]
    sliding = replace(clip, translation=clip.translation + smooth, contacts=find_contacts(clip))

    def jolt(moved: MotionClip) -> float:
        return float(np.linalg.norm(np.diff(positions(moved), 2, axis=0), axis=-1).max() * moved.fps**2)

    assert slides(sliding).max() > 5e-3
    assert slides(hold_feet(sliding)).max() < 1e-4
    assert jolt(hold_feet(sliding)) < 1.3 * jolt(sliding)


def test_held_again_is_the_same() -> None:
    once = hold_feet(walk_clip())
    np.testing.assert_allclose(positions(hold_feet(once)), positions(once), atol=2e-3)


def test_the_mirror_image_is_held_like_the_clip() -> None:
    clip = walk_clip()
    np.testing.assert_allclose(
        positions(hold_feet(mirror_clip(clip))), positions(mirror_clip(hold_feet(clip))), atol=1e-4
    )


def test_straight_knees_bend_forward_and_never_back() -> None:
    clip = idle_clip()
    lowered = replace(
        clip, translation=clip.translation - np.array([0, 0.1, 0], np.float32), contacts=find_contacts(clip)
    )
    pose = leg_pose(hold_feet(lowered))
    hip, knee, ankle = pose.places[:, :, 0], pose.places[:, :, 1], pose.places[:, :, 2]
    assert (knee[..., 2] > hip[..., 2] + 0.1).all() and (knee[..., 2] > ankle[..., 2] + 0.1).all()
    np.testing.assert_allclose(pose.places[..., 0, 0], leg_pose(clip).places[..., 0, 0], atol=1e-3)


def test_hips_sink_smoothly_to_feet_out_of_reach() -> None:
    clip = idle_clip(61, loop=False)
    up = np.zeros((61, 3), np.float32)
    up[25:36, 1] = 0.05
    contacts = np.ones((61, 4), bool)
    found = hold_feet(replace(clip, translation=clip.translation + up, contacts=contacts))
    assert slides(found).max() < 0.003
    sinking = clip.translation[:, 1] + up[:, 1] - found.translation[:, 1]
    assert sinking[30] == pytest.approx(0.05, abs=0.005) and abs(sinking[[0, -1]]).max() < 0.005
    assert np.abs(np.diff(sinking)).max() < 0.01


def test_a_foot_that_stands_all_the_time_while_the_ground_goes_by_is_let_go() -> None:
    clip = walk_clip()
    found = hold_feet(replace(clip, contacts=np.ones((61, 4), bool)))
    assert np.abs(positions(found) - positions(clip))[..., [0, 2]].max() < 0.05


def test_feet_below_the_ground_are_raised() -> None:
    clip = idle_clip()
    sunk = replace(
        clip, translation=clip.translation - np.array([0, 0.2, 0], np.float32), contacts=np.zeros((31, 4), bool)
    )
    np.testing.assert_allclose(foot_positions(hold_feet(sunk))[..., 1], np.tile(STANDING, (31, 1)), atol=1e-5)


def test_feet_stand_by_their_height_and_not_above_the_other() -> None:
    place = np.tile(np.array([[0.1, 0.08, 0], [0.1, 0.02, 0.14], [-0.1, 0.08, 0], [-0.1, 0.02, 0.14]]), (4, 1, 1))
    place[1, :2, 1] += 0.02  # the left one swings past
    place[2, :2, 1] += 0.2
    place[3, ..., 1] += 0.04  # a hop
    assert find_standing_feet(place, 0.03).tolist() == [[True, True], [False, True], [False, True], [False, False]]
    assert find_standing_feet(place, 0.05).tolist() == [[True, True], [False, True], [False, True], [True, True]]


@pytest.mark.parametrize(("wrong", "left"), [(-0.2, 0.0), (0.25, 0.0), (0.9, 0.9 - 0.25 * 2.1)])
def test_travel_is_matched_to_the_feet(wrong: float, left: float) -> None:
    walk = hold_feet(walk_clip(speed=1.2))
    share = np.arange(len(walk), dtype=np.float32)[:, None] / np.float32(walk.fps)
    off = replace(walk, translation=walk.translation + share * np.array([0, 0, wrong], np.float32))
    matched = match_travel(off)
    beyond = (matched.translation[-1] - walk.translation[-1]) / walk.seconds
    assert np.abs(beyond - [0, 0, left]).max() < 0.08, "up to a quarter of its speed"
    np.testing.assert_array_equal(matched.rotations, off.rotations)


def test_loops_stay_loops_where_an_ankle_stands_for_nearly_a_lap() -> None:
    """The ball of its foot, which determines its position, stands for another repetition, across the seam as well."""
    walk = walk_clip(speed=0.1)
    contacts = np.zeros((len(walk), 4), bool)
    frames = np.arange(len(walk)) % (len(walk) - 1)
    contacts[:, 0] = (frames < 30) | (frames > 33)
    contacts[:, 1] = (frames < 50) | (frames > 57)
    held = hold_feet(replace(walk, contacts=contacts))
    assert degrees_between(held.rotations[0], held.rotations[-1]).max() < 1e-3
