"""Retargeting of any humanoid to ours and back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from ganassets.api.assets import MotionClip, Skeleton
from ganassets.api.errors import InputError
from ganassets.api.motion.kinematics import positions, rest_pose, world_pose
from ganassets.api.motion.retarget import to_humanoid, to_rig, to_skeleton
from ganassets.api.motion.rotations import (
    degrees_between,
    from_axis_angle,
    from_matrix,
    heading,
    make_continuous,
    multiply,
    normalise,
    rotate,
)
from ganassets.api.motion.skeletons import HUMANOID, HUMANOID_FINGERS
from ganassets.api.motion.take import Take
from ganassets.api.rig_options import RIG_NAMES
from support.motion_clips import to_take

QUICK = settings(max_examples=15, deadline=None)
REAL = Path(__file__).parents[4] / "shared" / "data" / "motion"
Z_UP = from_axis_angle((1, 0, 0), np.pi / 2)
UNITS = (1.0, 100.0, 39.37)
FloatArray = NDArray[np.floating]


def any_clip(seed: int, skeleton: Skeleton = HUMANOID, frames: int = 4) -> MotionClip:
    random = np.random.Generator(np.random.Philox(seed))
    turns = make_continuous(normalise(random.standard_normal((frames, len(skeleton.names), 4)))).astype(np.float32)
    return MotionClip("any", skeleton, 30.0, random.standard_normal((frames, 3)).astype(np.float32), turns)


def walk(frames: int = 40) -> MotionClip:
    """Two steps along +Z: legs and arms swing, knees and elbows bend the way they can."""
    phase = np.linspace(0, 2 * np.pi, frames)
    turns = np.tile(np.array([0.0, 0, 0, 1]), (frames, 22, 1))

    def bend(joint: str, axis: tuple[float, float, float], angle: FloatArray) -> None:
        index = HUMANOID.index(joint)
        turns[:, index] = multiply(turns[:, index], from_axis_angle(axis, angle))

    for side, sign in (("left", 1), ("right", -1)):
        swing = np.sin(phase) * sign
        bend(f"{side}UpperLeg", (1, 0, 0), -0.5 * swing)
        bend(f"{side}LowerLeg", (1, 0, 0), 0.4 - 0.3 * swing)
        bend(f"{side}UpperArm", (1, 0, 0), 0.5 * swing)
        bend(f"{side}UpperArm", (0, 0, 1), np.full(frames, -1.4 * sign))
        bend(f"{side}LowerArm", (0, 1, 0), np.full(frames, -0.7 * sign))
    bend("chest", (0, 1, 0), 0.1 * np.sin(phase))
    place = np.stack([0 * phase, 0.92 + 0 * phase, np.linspace(0, 1.4, frames)], -1)
    return MotionClip("walk", HUMANOID, 30.0, place.astype(np.float32), make_continuous(turns).astype(np.float32))


def moved(take: Take, turn: FloatArray, scale: float) -> Take:
    """Return the take in another unit and with other axes."""
    return replace(
        take,
        rest_positions=rotate(turn, take.rest_positions) * scale,
        rest_rotations=multiply(turn, take.rest_rotations),
        positions=rotate(turn, take.positions) * scale,
        rotations=multiply(turn, take.rotations),
    )


def without(take: Take, *names: str) -> Take:
    """The take without these joints."""
    kept = [i for i, name in enumerate(take.names) if name not in names]
    return Take(
        take.name,
        tuple(take.names[i] for i in kept),
        tuple(range(-1, len(kept) - 1)),
        take.rest_positions[kept],
        take.rest_rotations[kept],
        take.fps,
        take.positions[:, kept],
        take.rotations[:, kept],
    )


def check_same(back: MotionClip, clip: MotionClip, degrees: float = 0.1, metres: float = 1e-3) -> None:
    assert degrees_between(back.rotations, clip.rotations).max() < degrees
    assert np.abs(positions(back) - positions(clip)).max() < metres


@pytest.mark.parametrize("skeleton", [HUMANOID, HUMANOID_FINGERS], ids=["body", "fingers"])
@pytest.mark.parametrize("rig", RIG_NAMES)
def test_every_joint_is_where_it_was_on_a_rig(rig: str, skeleton: Skeleton) -> None:
    clip = any_clip(1, skeleton)
    rigged = to_rig(clip, rig)
    root = len(rigged.skeleton.names) - len(skeleton.names)
    assert np.abs(positions(rigged)[:, root:] - positions(clip)).max() < 1e-5
    assert (rigged.name, rigged.fps) == (clip.name, clip.fps)


@pytest.mark.parametrize("rig", RIG_NAMES)
@QUICK
@given(st.integers(0, 99), st.floats(-3.1, 3.1), st.sampled_from(UNITS), st.booleans(), st.booleans())
def test_rigs_come_back_whole(rig: str, seed: int, facing: float, unit: float, z_up: bool, fingers: bool) -> None:
    clip = any_clip(seed, HUMANOID_FINGERS if fingers else HUMANOID)
    turn = from_axis_angle((0, 1, 0), facing)
    take = moved(to_take(to_rig(clip, rig)), multiply(Z_UP, turn) if z_up else turn, unit)
    check_same(to_humanoid(take, fingers=fingers), clip)


@pytest.mark.parametrize(("rig", "down"), [("mixamo", 0.0), ("godot", 0.0), ("unreal", 45.0)])
def test_rest_pose_of_a_rig(rig: str, down: float) -> None:
    skeleton = to_rig(any_clip(2), rig).skeleton
    arm = [skeleton.index(to_rig_name(rig, joint)) for joint in ("leftUpperArm", "leftHand")]
    places, _ = rest_pose(skeleton)
    direction = places[arm[1]] - places[arm[0]]
    assert np.degrees(np.arctan2(-direction[1], direction[0])) == pytest.approx(down, abs=0.01)


def to_rig_name(rig: str, joint: str) -> str:
    names = to_rig(any_clip(2), rig).skeleton.names
    return names[len(names) - len(HUMANOID.names) + HUMANOID.index(joint)]


@pytest.mark.parametrize(
    ("rig", "axis"), [("mixamo", (0, 1, 0)), ("rigify", (0, 1, 0)), ("godot", (0, 1, 0)), ("unreal", (1, 0, 0))]
)
def test_an_axis_lies_along_the_bone(rig: str, axis: tuple[int, int, int]) -> None:
    skeleton = to_rig(any_clip(2), rig).skeleton
    for joint in ("leftLowerArm", "rightHand", "leftLowerLeg", "rightFoot", "rightToes", "chest"):
        offset = skeleton.offsets[skeleton.index(to_rig_name(rig, joint))]
        assert normalise(offset) == pytest.approx(np.array(axis), abs=1e-5)


def test_bones_parallel_to_the_world() -> None:
    assert to_rig(any_clip(3), "vrm").skeleton.rest_rotations == pytest.approx(HUMANOID.rest_rotations)


def test_a_root_stays_upright_below_the_hips() -> None:
    rigged = to_rig(any_clip(4), "unreal")
    assert rigged.skeleton.names[:2] == ("root", "pelvis")
    assert rigged.rotations[:, 0] == pytest.approx(np.tile([0, 0, 0, 1], (4, 1)))


def test_only_the_humanoid_is_retargeted_to_known_rigs() -> None:
    with pytest.raises(InputError, match="no rig 'maya' to write; choose one of vrm"):
        to_rig(any_clip(5), "maya")
    with pytest.raises(InputError, match="not on the humanoid's skeleton"):
        to_rig(to_rig(any_clip(5), "mixamo"), "unreal")


def test_what_a_clip_knows_goes_along() -> None:
    clip = replace(any_clip(6), loop=True, contacts=np.ones((4, 4), bool))
    rigged = to_rig(clip, "godot")
    assert rigged.loop and rigged.contacts is not None and rigged.contacts.all()
    read = to_humanoid(to_take(rigged), name="mine")
    assert (read.name, read.loop, read.contacts) == ("mine", False, None)
    assert read.rotations.dtype == np.float32


@pytest.mark.parametrize("gone", ["upperChest", "leftToes", "leftHand", "chest", "neck", "head", "leftShoulder"])
def test_joints_that_are_not_there_are_filled(gone: str) -> None:
    clip = walk()
    still = np.tile(np.array([0, 0, 0, 1], np.float32), (len(clip), 1))
    rotations = clip.rotations.copy()
    rotations[:, HUMANOID.index(gone)] = still
    rotations[:, HUMANOID.index("chest")] = still  # so that an even spread is the right one
    clip = replace(clip, rotations=rotations)
    check_same(to_humanoid(without(to_take(clip), gone)), clip)


def test_a_turn_is_spread_over_a_missing_spine() -> None:
    clip = any_clip(7)
    rotations = np.tile(np.array([0, 0, 0, 1], np.float32), (4, 22, 1))
    rotations[:, HUMANOID.index("chest")] = from_axis_angle((0, 1, 0), 0.8).astype(np.float32)
    back = to_humanoid(without(to_take(replace(clip, rotations=rotations)), "spine", "upperChest"))
    for joint in ("spine", "chest"):
        assert degrees_between(back.rotations[0, HUMANOID.index(joint)], from_axis_angle((0, 1, 0), 0.4)) < 0.1


def reshaped(clip: MotionClip, **offsets: Sequence[float]) -> MotionClip:
    """The clip on a humanoid with other offsets."""
    changed = HUMANOID.offsets.copy()
    for joint, offset in offsets.items():
        changed[HUMANOID.index(joint)] = offset
    return replace(clip, skeleton=replace(HUMANOID, offsets=changed))


def test_a_flat_foot_stays_flat_wherever_its_toes_are() -> None:
    take = to_take(reshaped(walk(), leftToes=(0, -0.02, 0.2), rightToes=(0, -0.07, 0.05)))
    check_same(to_humanoid(take), walk())


def test_feet_point_where_they_pointed() -> None:
    outwards = reshaped(walk(), leftToes=(0.07, -0.06, 0.121))
    foot, toes = (HUMANOID.index(joint) for joint in ("leftFoot", "leftToes"))
    at_rest = replace(outwards, rotations=np.tile(np.array([0, 0, 0, 1], np.float32), (40, 22, 1)))
    found = positions(to_humanoid(to_take(at_rest)))
    direction = found[0, toes] - found[0, foot]
    assert direction[0] / direction[2] == pytest.approx(0.07 / 0.121, abs=1e-3)


def test_a_short_legged_figure_stands_and_strides() -> None:
    short = {f"{side}{part}": (0, -0.2, 0) for side in ("left", "right") for part in ("LowerLeg", "Foot")}
    clip = reshaped(walk(), hips=(0, 0.51, 0), **short)
    clip = replace(
        clip, translation=clip.translation * np.array([1, 0, 1], np.float32) + np.array([0, 0.51, 0], np.float32)
    )
    back = to_humanoid(to_take(clip))
    assert back.translation[:, 1] == pytest.approx(0.95, abs=1e-4)
    assert back.translation[-1, 2] == pytest.approx(1.4 * 0.84 / 0.4, abs=1e-3)


def test_a_rest_pose_off_the_ground_is_measured_by_its_legs() -> None:
    take = to_take(walk())
    check_same(to_humanoid(replace(take, rest_positions=take.rest_positions - [0, 0.95, 0])), walk())


def zeroed(clip: MotionClip, seed: int) -> Take:
    """Convert a clip to a take without a rest pose.

    The axes of each joint's frame are permuted, and with all rotations zero, the bones point in any direction.
    """
    random = np.random.Generator(np.random.Philox(seed))
    axes = np.stack([from_matrix(np.eye(3)[:, roll] * signs) for roll, signs in axis_choices(random)])
    take = to_take(clip)
    turns = multiply(take.rotations, axes)
    above = [max(parent, 0) for parent in HUMANOID.parents]
    offsets = rotate(axes[above] * [-1, -1, -1, 1], HUMANOID.offsets.astype(np.float64))
    unturned = np.tile(np.array([0.0, 0, 0, 1]), (22, 1))
    skeleton = replace(HUMANOID, offsets=offsets.astype(np.float32))
    places, _ = world_pose(skeleton, np.zeros(3), unturned)
    return replace(take, rest_positions=places, rest_rotations=unturned, rotations=turns)


def axis_choices(random: np.random.Generator) -> list[tuple[list[int], list[int]]]:
    """Draw a permutation of axes for each joint; the hips keep theirs, so that the up axis can be found."""
    cycles = ([0, 1, 2], [1, 2, 0], [2, 0, 1])
    signs = ([1, 1, 1], [-1, -1, 1], [1, -1, -1], [-1, 1, -1])
    chosen = [(cycles[random.integers(3)], signs[random.integers(4)]) for _ in HUMANOID.names]
    kept = [HUMANOID.index(name) for name in ("hips", "spine", "leftUpperLeg", "rightUpperLeg")]
    return [([0, 1, 2], [1, 1, 1]) if i in kept else choice for i, choice in enumerate(chosen)]


@pytest.mark.parametrize("seed", range(6))
def test_a_file_without_a_rest_pose_is_measured(seed: int) -> None:
    take = zeroed(walk(), seed)
    head, left, right = (HUMANOID.index(joint) for joint in ("head", "leftHand", "rightHand"))
    assert np.ptp(take.rest_positions[[head, left, right]], axis=0).max() > 0.2
    check_same(to_humanoid(take), walk(), degrees=3, metres=0.03)


def test_legs_without_length_are_reported() -> None:
    take = to_take(walk())
    flat = replace(take, rest_positions=take.rest_positions * 0, positions=take.positions * 0)
    with pytest.raises(InputError, match="legs have no length"):
        to_humanoid(flat)


def test_an_unknown_skeleton_is_reported() -> None:
    take = to_take(walk())
    with pytest.raises(InputError, match="no bone is known for hips"):
        to_humanoid(replace(take, names=tuple(f"b{i}" for i in range(22))))


@pytest.mark.parametrize("name", ["accad-bvh/Male2_B3_Walk", "accad-bvh/Male1_B3_Walk", "cmu-daz-bvh/07_01"])
def test_a_real_walk_goes_where_it_faces_on_the_ground(name: str) -> None:
    path = REAL / f"{name}.bvh"
    if not path.exists():
        pytest.skip("the motion data that walks are taken from isn't here")
    from ganassets_poses.readers.bvh import read_bvh

    clip = to_humanoid(read_bvh(path.read_bytes(), path.stem))
    steps = np.diff(clip.translation[:, ::2], axis=0)
    way = np.arctan2(steps[:, 0], steps[:, 1])
    off = (way - heading(clip.rotations[1:, 0].astype(np.float64)) + np.pi) % (2 * np.pi) - np.pi
    walking = np.linalg.norm(steps, axis=-1) * clip.fps > 0.4
    assert abs(np.degrees(off[walking].mean())) < 10
    lowest = positions(clip)[:, [HUMANOID.index(f"{side}Toes") for side in ("left", "right")], 1].min()
    assert abs(lowest) < 0.08
    assert 0.8 < clip.translation[:, 1].mean() < 1.0


def resting(skeleton: Skeleton) -> Take:
    """A skeleton as a target."""
    return to_take(MotionClip("target", skeleton, 30.0, skeleton.offsets[:1], skeleton.rest_rotations[None]))


@pytest.mark.parametrize("rig", RIG_NAMES)
@QUICK
@given(st.integers(0, 99), st.floats(-3.1, 3.1), st.sampled_from(UNITS), st.booleans(), st.booleans())
def test_out_onto_a_rig_and_back(rig: str, seed: int, facing: float, unit: float, z_up: bool, fingers: bool) -> None:
    clip = any_clip(seed, HUMANOID_FINGERS if fingers else HUMANOID)
    turn = from_axis_angle((0, 1, 0), facing)
    target = moved(resting(to_rig(clip, rig).skeleton), multiply(Z_UP, turn) if z_up else turn, unit)
    check_same(to_humanoid(to_skeleton(clip, target), fingers=fingers), clip, degrees=0.02, metres=2e-4)


@pytest.mark.parametrize("rig", RIG_NAMES)
def test_onto_a_rig_is_the_clip_on_that_rig(rig: str) -> None:
    clip = any_clip(5)
    rigged = to_rig(clip, rig)
    there, expected = to_skeleton(clip, resting(rigged.skeleton)), to_take(rigged)
    below = len(expected.names) - len(HUMANOID.names)  # a root stays
    assert np.abs(there.positions - expected.positions)[:, below:].max() < 1e-4
    assert degrees_between(there.rotations, expected.rotations)[:, below:].max() < 0.01


def test_onto_a_target_in_t_pose_is_its_rest() -> None:
    target = moved(resting(to_rig(any_clip(6), "godot").skeleton), from_axis_angle((0, 1, 0), 0.7), 39.37)
    still = MotionClip("still", HUMANOID, 30.0, HUMANOID.offsets[:1], HUMANOID.rest_rotations[None])
    aside = target.rest_positions + np.array([3.0, 0, 1])
    assert to_skeleton(still, replace(target, rest_positions=aside)).positions[0] == pytest.approx(aside, abs=1e-4)


def test_bones_that_the_humanoid_has_not_follow_the_ones_above_them() -> None:
    clip = any_clip(7)
    target = resting(to_rig(clip, "mixamo").skeleton)
    arm = target.names.index("mixamorig:LeftForeArm")
    more = replace(
        target,
        names=(*target.names, "twist", "IK target"),
        parents=(*target.parents, arm, -1),
        **{  # pyright: ignore[reportArgumentType]
            name: np.concatenate([array, array[..., [arm, arm], :] + offset], -2)
            for name, offset in (("rest_positions", 0.1), ("positions", 0.1), ("rest_rotations", 0), ("rotations", 0))
            for array in [getattr(target, name)]
        },
    )
    there = to_skeleton(clip, more)
    twist, goal = len(target.names), len(target.names) + 1
    assert np.linalg.norm(there.positions[:, twist] - there.positions[:, arm], axis=-1) == pytest.approx(0.1 * 3**0.5)
    assert degrees_between(there.rotations[:, twist], there.rotations[:, arm]).max() < 1e-3
    assert there.positions[:, goal] == pytest.approx(np.tile(more.rest_positions[goal], (4, 1)))


@pytest.mark.parametrize("longer", [0.5, 1.0, 1.7])
def test_feet_that_stand_stay_on_other_legs(longer: float) -> None:
    clip = walk()
    skeleton = to_rig(clip, "mixamo").skeleton
    legs = [skeleton.index(f"mixamorig:{side}{bone}") for side in ("Left", "Right") for bone in ("Leg", "Foot")]
    offsets = skeleton.offsets.copy()
    offsets[legs] *= longer
    offsets[0, 1] += 0.84 * (longer - 1)
    there = to_skeleton(clip, resting(replace(skeleton, offsets=offsets)))
    feet = positions(clip)[:, [HUMANOID.index("leftFoot"), HUMANOID.index("rightFoot")]]
    found = there.positions[:, [there.names.index(f"mixamorig:{side}Foot") for side in ("Left", "Right")]]
    ankle = 0.08
    assert found[..., 1] - ankle == pytest.approx(longer * (feet[..., 1] - ankle), abs=1e-3)
    apart = 0.09  # a foot from the middle, which is as wide as before
    assert np.abs(found[..., 2] - longer * feet[..., 2]).max() < apart


def test_a_target_that_lies_is_refused() -> None:
    skeleton = to_rig(any_clip(8), "mixamo").skeleton
    lying = skeleton.rest_rotations.copy()
    lying[skeleton.index("mixamorig:LeftUpLeg")] = from_axis_angle((1, 0, 0), 0.3)
    with pytest.raises(InputError, match="upright"):
        to_skeleton(any_clip(8), resting(replace(skeleton, rest_rotations=lying)))
