"""Forward kinematics: bones keep their lengths; world and local rotations are inverses."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ganassets.api.assets import Skeleton
from ganassets.api.motion.kinematics import local_rotations, positions, rest_pose, world_pose
from ganassets.api.motion.rotations import degrees_between, from_axis_angle, multiply, normalise, rotate
from ganassets.api.motion.skeletons import FOOT_HEIGHT, HUMANOID, HUMANOID_FINGERS, TOES_HEIGHT
from support.motion_clips import random_clip

SEEDS = st.integers(0, 2**32 - 1)
SKELETONS = pytest.mark.parametrize("skeleton", [HUMANOID, HUMANOID_FINGERS], ids=["body", "fingers"])
quick = settings(max_examples=10, deadline=None)


@SKELETONS
@quick
@given(seed=SEEDS)
def test_bones_keep_their_lengths(skeleton: Skeleton, seed: int) -> None:
    place = positions(random_clip(np.random.default_rng(seed), 9, skeleton))
    bones = np.linalg.norm(place[:, 1:] - place[:, list(skeleton.parents[1:])], axis=-1)
    np.testing.assert_allclose(bones, np.tile(np.linalg.norm(skeleton.offsets[1:], axis=-1), (9, 1)), atol=1e-6)


@quick
@given(SEEDS)
def test_world_and_local_rotations_go_there_and_back(seed: int) -> None:
    clip = random_clip(np.random.default_rng(seed), 9)
    rotations = clip.rotations.astype(np.float64)
    _, world = world_pose(HUMANOID, clip.translation, rotations)
    assert degrees_between(local_rotations(HUMANOID.parents, world), rotations).max() < 1e-5


@quick
@given(SEEDS)
def test_turning_the_root_turns_the_figure(seed: int) -> None:
    rng = np.random.default_rng(seed)
    clip = random_clip(rng, 5)
    turn, moved = normalise(rng.normal(size=4)), rng.normal(size=3)
    rotations = clip.rotations.astype(np.float64)
    translation = clip.translation.astype(np.float64)
    rotations[:, 0] = multiply(turn, rotations[:, 0])
    found, _ = world_pose(HUMANOID, rotate(turn, translation) + moved, rotations)
    np.testing.assert_allclose(found, rotate(turn, positions(clip)) + moved, atol=1e-6)


def test_a_bent_elbow_moves_the_hand_alone() -> None:
    place, turned = rest_pose(HUMANOID)
    rotations = HUMANOID.rest_rotations.astype(np.float64)
    elbow, hand = HUMANOID.index("leftLowerArm"), HUMANOID.index("leftHand")
    rotations[elbow] = from_axis_angle((0, 1, 0), -np.pi / 2)
    bent, _ = world_pose(HUMANOID, HUMANOID.offsets[0].astype(np.float64), rotations)
    np.testing.assert_allclose(bent[hand] - bent[elbow], [0, 0, 0.25], atol=1e-6)
    np.testing.assert_array_equal(np.delete(bent, hand, 0), np.delete(place, hand, 0))
    np.testing.assert_array_equal(turned, HUMANOID.rest_rotations)


@SKELETONS
def test_the_humanoid_stands_in_a_symmetric_t_pose(skeleton: Skeleton) -> None:
    place, _ = rest_pose(skeleton)
    for name in skeleton.names:
        if name.startswith("left"):
            left, right = place[skeleton.index(name)], place[skeleton.index("right" + name[4:])]
            np.testing.assert_allclose(left, right * [-1, 1, 1])
            assert left[0] > 0
    assert place[skeleton.index("leftFoot"), 1] == pytest.approx(FOOT_HEIGHT)
    assert place[skeleton.index("leftToes"), 1] == pytest.approx(TOES_HEIGHT)
    arms = place[[skeleton.index(f"left{bone}") for bone in ("UpperArm", "LowerArm", "Hand")]]
    np.testing.assert_allclose(arms[:, 1:], np.tile(arms[0, 1:], (3, 1)))
