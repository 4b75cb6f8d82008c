"""The up axis of a motion file, for any skeleton and any motion."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from ganassets.api.assets import MotionClip
from ganassets.api.motion.kinematics import positions
from ganassets.api.motion.retarget import find_up_axis, to_humanoid
from ganassets.api.motion.rotations import from_axis_angle, multiply, rotate
from ganassets.api.motion.skeletons import HUMANOID
from ganassets.api.motion.take import Take
from ganassets_poses.readers import find_motion
from support.motion_clips import folded, to_take, walk_clip
from support.poses_data import steady_walk

REAL = Path(__file__).parents[4] / "shared" / "data" / "motion"
FloatArray = NDArray[np.floating]
X, Y, Z = (1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0)
QUARTER = np.pi / 2
TO_Z_UP, TO_X_UP, UPSIDE_DOWN = from_axis_angle(X, QUARTER), from_axis_angle(Z, -QUARTER), from_axis_angle(Z, np.pi)


def turned(take: Take, turn: FloatArray, scale: float = 1.0) -> Take:
    """Return the take rotated and scaled, rest pose included."""
    return replace(
        turned_motion(take, turn, scale),
        rest_positions=rotate(turn, take.rest_positions) * scale,
        rest_rotations=multiply(turn, take.rest_rotations),
    )


def turned_motion(take: Take, turn: FloatArray, scale: float = 1.0) -> Take:
    """Return the take with only its frames rotated and scaled, not its rest pose."""
    return replace(take, positions=rotate(turn, take.positions) * scale, rotations=multiply(turn, take.rotations))


def moving_body(turns: FloatArray, height: float, travel: float = 0.0, arms: float = 0.0) -> MotionClip:
    """Return a clip of a body that is rotated as a whole, while arms and legs swing a little.

    Args:
        turns: of the hips.
        height: of the hips in metres.
        travel: metres along Z.
        arms: radians that the arms are raised by.
    """
    clip = walk_clip(len(turns), loop=False, speed=0.3)
    rotations = clip.rotations.astype(np.float64)
    rotations[:, 0] = turns
    for side, sign in (("left", 1), ("right", -1)):
        arm = HUMANOID.index(f"{side}UpperArm")
        rotations[:, arm] = multiply(from_axis_angle(Z, np.full(len(turns), sign * arms)), rotations[:, arm])
    place = np.stack([np.zeros(len(turns)), np.full(len(turns), height), np.linspace(0, travel, len(turns))], -1)
    return replace(clip, translation=place.astype(np.float32), rotations=rotations.astype(np.float32), contacts=None)


def on_the_ground(clip: MotionClip) -> MotionClip:
    """Return the clip with the lowest joint 5 cm above the ground in every frame."""
    lowest = positions(clip)[..., 1].min(1, keepdims=True) - 0.05
    return replace(clip, translation=(clip.translation - lowest * np.array(Y)).astype(np.float32))


FRAMES = 61
STILL = np.zeros(FRAMES)
MOVES = {
    "walks": steady_walk(121, loop=False),
    "stands": on_the_ground(moving_body(from_axis_angle(X, STILL), 0.95)),
    "lies on the back": on_the_ground(moving_body(from_axis_angle(X, STILL - QUARTER), 0.1)),
    "lies on the side": on_the_ground(moving_body(from_axis_angle(Z, STILL + QUARTER), 0.2)),
    "rolls": on_the_ground(moving_body(from_axis_angle(X, np.linspace(0, 4 * np.pi, FRAMES)), 0.4, travel=3.0)),
    "crawls": on_the_ground(moving_body(from_axis_angle(X, STILL + 1.4), 0.5, travel=2.0)),
    "stands on the hands": on_the_ground(moving_body(from_axis_angle(Z, STILL + np.pi), 0.9, arms=2.6)),
}


@pytest.mark.parametrize("layout", [lambda take: take, folded], ids=["T-pose at rest", "folded"])
@pytest.mark.parametrize("move", MOVES)
def test_y_points_up_for_any_motion(move: str, layout: Callable[[Take], Take]) -> None:
    assert find_up_axis(layout(to_take(MOVES[move])))[0] == "Y"


@pytest.mark.parametrize(
    ("turn", "up"), [(TO_Z_UP, "Z"), (TO_X_UP, "X"), (from_axis_angle(X, -QUARTER), "-Z"), (UPSIDE_DOWN, "-Y")]
)
def test_another_axis_points_up(turn: FloatArray, up: str) -> None:
    for move in MOVES.values():
        assert find_up_axis(turned(to_take(move), turn))[0] == up, "the rest pose stands along it"
    for move in ("walks", "stands"):
        assert find_up_axis(turned_motion(folded(to_take(MOVES[move])), turn))[0] == up, "the motion does"


def test_a_motion_may_stand_along_another_axis_than_its_rest_pose() -> None:
    for move in ("walks", "stands"):
        up, why = find_up_axis(turned_motion(to_take(MOVES[move]), TO_Z_UP))
        assert up == "Z" and "not in the rest pose" in why


@pytest.mark.parametrize("scale", [1.0, 100.0])
@pytest.mark.parametrize(
    "turn", [TO_Z_UP, TO_X_UP, UPSIDE_DOWN, from_axis_angle(Y, np.pi)], ids=["Z up", "X up", "-Y up", "faces away"]
)
def test_the_same_motion_in_any_world(turn: FloatArray, scale: float) -> None:
    take = to_take(MOVES["walks"])
    assert off(to_humanoid(turned(take, turn, scale)), to_humanoid(take)) < 1e-3
    assert off(to_humanoid(turned_motion(folded(take), turn, scale)), to_humanoid(folded(take))) < 1e-3


def off(clip: MotionClip, other: MotionClip) -> float:
    """Return the largest distance of joints in metres, after aligning start and direction of the clips."""
    a, b = (positions(one) - positions(one)[:1, :1] * (1, 0, 1) for one in (clip, other))
    ground_a, ground_b = (one[..., 0] + 1j * one[..., 2] for one in (a, b))
    turn = (ground_a * ground_b.conj()).sum()
    level = np.abs(ground_a - ground_b * turn / abs(turn))
    return float(np.hypot(level, a[..., 1] - b[..., 1]).max())


def test_a_folded_rest_pose_is_learnt_like_the_t_pose() -> None:
    take = to_take(MOVES["walks"])
    assert off(to_humanoid(folded(take)), to_humanoid(take)) < 0.02


def every_tenth_take(folder: Path) -> Iterator[Take]:
    """Yield takes of every tenth file with a single clip, and every tenth clip of other files, at up to 200 frames."""
    single = sorted([*folder.rglob("*.bvh"), *folder.rglob("*.amc")])[::10]
    several = sorted([*folder.rglob("*.glb"), *folder.rglob("*.gltf")])
    found = [clip for path in single for clip in find_motion(path, [])]
    found += [clip for path in several for clip in list(find_motion(path, []))[::10]]
    for take in (clip.take for clip in found):
        step = len(take.positions) // 200 + 1
        yield replace(take, positions=take.positions[::step], rotations=take.rotations[::step], fps=take.fps / step)


@pytest.mark.slow
@pytest.mark.skipif(not REAL.is_dir(), reason="needs the real motion, which is not part of the project")
def test_real_motion_in_any_layout() -> None:
    found = list(every_tenth_take(REAL))
    assert len(found) > 50
    assert {find_up_axis(take)[0] for take in found} == {"Y"}, "all of them are included"
    folded_axes: Counter[str] = Counter()
    for take in found:
        clip = to_humanoid(take)
        for turn in (TO_Z_UP, TO_X_UP, UPSIDE_DOWN, from_axis_angle(Y, np.pi)):
            assert off(to_humanoid(turned(take, turn, 100.0)), clip) < 1e-3
        folded_axes[find_up_axis(folded(take))[0]] += 1
    assert folded_axes["Y"] > 0.96 * len(found), "except clips that lie or fly throughout"
