"""BVH files are read by a small parser in this file and compared with the clip's forward kinematics."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass, replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ganassets.api.assets import MotionClip, Skeleton
from ganassets.api.motion.editing import remove_travel, rest_clip
from ganassets.api.motion.kinematics import positions, rest_pose, world_pose
from ganassets.api.motion.rotations import conjugate, from_axis_angle, multiply, to_matrix
from ganassets.api.motion.skeletons import HEAD_TOP, HUMANOID, HUMANOID_FINGERS
from ganassets.api.rig_options import RIG_NAMES
from ganassets_bvh import EXPORTER
from support.motion_clips import random_clip, turned_skeleton, walk_clip

DEFAULTS = {option.name: option.default for option in EXPORTER.options}


def encode(clip: MotionClip, **options: object) -> str:
    """Write a clip as BVH text."""
    ((name, content),) = EXPORTER.export(clip, DEFAULTS | options).items()
    assert name == f"{clip.name}.bvh"
    return content.decode()


@dataclass
class BvhFileJoint:
    """A joint of a BVH file; an end site has no name."""

    name: str
    parent: int
    offset: np.ndarray
    channels: list[str]


@dataclass
class BvhFile:
    """A parsed BVH file."""

    joints: list[BvhFileJoint]
    frame_time: float
    values: np.ndarray

    def world(self) -> tuple[np.ndarray, np.ndarray]:
        """Compute (f, n, 3) positions in the file's unit and (f, n, 3, 3) rotations, with matrices only."""
        column = 0
        places, turns = [], []
        for joint in self.joints:
            at = np.tile(joint.offset, (len(self.values), 1))
            turn = np.tile(np.eye(3), (len(self.values), 1, 1))
            for channel in joint.channels:
                value = self.values[:, column]
                axis = "XYZ".index(channel[0])
                if channel.endswith("position"):
                    at[:, axis] = value
                else:
                    turn = turn @ matrices(axis, np.radians(value))
                column += 1
            if joint.parent >= 0:
                at = places[joint.parent] + (turns[joint.parent] @ at[..., None])[..., 0]
                turn = turns[joint.parent] @ turn
            places.append(at)
            turns.append(turn)
        assert column == self.values.shape[1]
        return np.stack(places, 1), np.stack(turns, 1)

    def index(self, name: str) -> int:
        """Find the index of a joint."""
        return [joint.name for joint in self.joints].index(name)


def matrices(axis: int, angles: np.ndarray) -> np.ndarray:
    """Make (f, 3, 3) rotation matrices about a main axis."""
    out = np.tile(np.eye(3), (len(angles), 1, 1))
    i, j = (axis + 1) % 3, (axis + 2) % 3
    out[:, i, i] = out[:, j, j] = np.cos(angles)
    out[:, j, i], out[:, i, j] = np.sin(angles), -np.sin(angles)
    return out


def parse(text: str) -> BvhFile:
    """Parse a file strictly: every word must be in its place."""
    head, _, tail = text.partition("MOTION\n")
    words = iter(head.split())
    joints: list[BvhFileJoint] = []
    assert next(words) == "HIERARCHY" and next(words) == "ROOT"

    def block(name: str, parent: int) -> None:
        assert next(words) == "{" and next(words) == "OFFSET"
        offset = np.array([float(next(words)) for _ in range(3)])
        index = len(joints)
        joints.append(BvhFileJoint(name, parent, offset, []))
        for word in words:
            if word == "}":
                return
            if word == "CHANNELS":
                joints[index].channels = [next(words) for _ in range(int(next(words)))]
            elif word == "JOINT":
                block(next(words), index)
            else:
                assert (word, next(words)) == ("End", "Site")
                block("", index)
        raise AssertionError("the braces don't match")

    block(next(words), -1)
    assert not list(words)
    frames, frame_time, *rows = tail.splitlines()
    values = np.array([[float(word) for word in row.split()] for row in rows])
    assert len(rows) == int(frames.removeprefix("Frames: "))
    return BvhFile(joints, float(frame_time.removeprefix("Frame Time: ")), values)


def degrees_apart(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Measure angles between rotation matrices; their skew part makes small angles exact."""
    turn = np.swapaxes(a, -1, -2) @ b
    skew = np.stack([turn[..., i, j] - turn[..., j, i] for i, j in ((2, 1), (0, 2), (1, 0))], -1)
    return np.degrees(np.arctan2(np.linalg.norm(skew, axis=-1), np.trace(turn, axis1=-2, axis2=-1) - 1))


def check_motion(clip: MotionClip, unit: str = "m") -> BvhFile:
    """Check that the file's joints have the clip's positions, and its rotations away from rest."""
    bvh = parse(encode(clip, unit=unit))
    places, turns = bvh.world()
    at = [bvh.index(name) for name in clip.skeleton.names]
    rest_rotations = rest_pose(clip.skeleton)[1]
    expected = world_pose(clip.skeleton, clip.translation.astype(float), clip.rotations.astype(float))
    scale = {"m": 1, "cm": 100}[unit]
    assert abs(places[:, at] / scale - expected[0]).max() < 1e-4
    away = to_matrix(multiply(expected[1], conjugate(rest_rotations)))
    assert degrees_apart(turns[:, at], away).max() < 0.01
    return bvh


seeds = st.integers(0, 2**32 - 1)


@settings(max_examples=15, deadline=None)
@given(seeds, st.integers(1, 40), st.sampled_from(["m", "cm"]), st.sampled_from([HUMANOID, HUMANOID_FINGERS]))
def test_motion_comes_back(seed: int, frames: int, unit: str, skeleton: Skeleton) -> None:
    check_motion(random_clip(np.random.default_rng(seed), frames, skeleton), unit)


@settings(max_examples=10, deadline=None)
@given(seeds)
def test_turned_rest_frames_change_no_place(seed: int) -> None:
    rng = np.random.default_rng(seed)
    skeleton = turned_skeleton(rng)
    bvh = check_motion(random_clip(rng, 12, skeleton))
    rest, _ = parse(encode(rest_clip(skeleton))).world()
    at = [bvh.index(name) for name in skeleton.names]
    assert abs(rest[0, at] - rest_pose(HUMANOID)[0]).max() < 1e-4
    (still,) = parse(encode(rest_clip(skeleton))).values
    assert abs(still[3:]).max() == 0, "at rest no joint of the file is turned"


def test_the_layout_is_the_usual_one() -> None:
    clip = walk_clip(31)
    text = encode(clip)
    bvh = parse(text)
    root, *others = [joint for joint in bvh.joints if joint.name]
    rotations = ["Zrotation", "Xrotation", "Yrotation"]
    assert root.name == "hips" and not root.offset.any()
    assert root.channels == ["Xposition", "Yposition", "Zposition", *rotations]
    assert all(joint.channels == rotations for joint in others) and len(others) == 21
    assert {joint.name: bvh.joints[joint.parent].name for joint in others} == {
        name: HUMANOID.names[parent]
        for name, parent in zip(HUMANOID.names, HUMANOID.parents, strict=True)
        if parent >= 0
    }
    assert len(bvh.values) == 31 and 1 / bvh.frame_time == pytest.approx(30, abs=1e-6)
    assert "-0.0000 " not in text and "e-" not in text


def test_last_bones_end_where_the_body_does() -> None:
    bvh = parse(encode(walk_clip(2)))
    ends = {bvh.joints[end.parent].name: end.offset for end in bvh.joints if not end.name}
    assert sorted(ends) == ["head", "leftHand", "leftToes", "rightHand", "rightToes"]
    assert np.allclose(ends["head"], [0, HEAD_TOP, 0]) and np.allclose(ends["leftToes"], [0, 0, 0.07])
    assert 0.1 < ends["leftHand"][0] < 0.2 and np.allclose(ends["rightHand"], ends["leftHand"] * [-1, 1, 1])


@settings(max_examples=10, deadline=None)
@given(seeds)
def test_angles_have_no_jumps(seed: int) -> None:
    """One joint makes several full turns, and a knee bends beyond a right angle."""
    rng = np.random.default_rng(seed)
    rotations = np.tile(np.array([0, 0, 0, 1], np.float32), (61, len(HUMANOID.names), 1))
    turns = rng.uniform(1, 3) * np.linspace(0, 2 * np.pi, 61)
    rotations[:, HUMANOID.index("leftUpperArm")] = from_axis_angle((0, 0, 1), turns)
    rotations[:, HUMANOID.index("leftLowerLeg")] = from_axis_angle((1, 0, 0), np.linspace(0, 2.4, 61))
    clip = replace(walk_clip(61), rotations=rotations)
    values = check_motion(clip).values[:, 3:]
    assert abs(np.diff(values, axis=0)).max() < 20


def test_a_bent_knee_is_one_angle() -> None:
    skeleton = HUMANOID
    clip = rest_clip(skeleton)
    clip.rotations[0, skeleton.index("leftLowerLeg")] = from_axis_angle((1, 0, 0), np.radians(140))
    bvh = parse(encode(clip))
    (row,) = bvh.values
    assert sorted(row[3:].tolist())[-1] == pytest.approx(140, abs=1e-3) and np.count_nonzero(row[3:]) == 1


def test_in_place() -> None:
    clip = walk_clip(61)
    places = parse(encode(clip, root="in-place")).values[:, :3]
    assert abs(places - remove_travel(clip).translation).max() < 1e-4
    assert np.ptp(places[:, 2]) < 0.05 < 2 < np.ptp(positions(clip)[:, 0, 2])


def test_spaces_in_names() -> None:
    skeleton = replace(HUMANOID, names=("my hips", *HUMANOID.names[1:]))
    assert parse(encode(rest_clip(skeleton))).joints[0].name == "my_hips"


def test_listing_the_exporter_loads_nothing_more() -> None:
    code = "import sys, ganassets_bvh; print('ganassets.api.motion' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_rigs_that_can_be_chosen_are_those_that_can_be_written() -> None:
    (option,) = (option for option in EXPORTER.options if option.name == "rig")
    assert sorted(option.choices) == sorted(RIG_NAMES)
