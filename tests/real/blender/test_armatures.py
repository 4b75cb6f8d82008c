"""Clips on armatures in Blender: limbs point in the clip's directions for any rest pose of the armature."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ganassets.api.assets import MotionClip
from ganassets.api.motion.kinematics import rest_pose, world_pose
from ganassets.api.motion.rigs import RIGS
from ganassets.api.motion.rotations import conjugate, degrees_between, from_matrix, multiply, normalise, rotate
from ganassets.api.motion.skeletons import HUMANOID
from ganassets.api.motion.source_figure import AIMS
from ganassets_blender import EXPORTER
from ganassets_blender.parts import Y_UP_TO_Z_UP, to_blender
from support.motion_clips import random_clip, walk_clip

pytestmark = pytest.mark.real

Consumer = Callable[..., dict[str, Any]]
FRAMES = (0, 7, 20, 33, 60)
CLIPS = {"walk": walk_clip(), "any": random_clip(np.random.default_rng(5), 61)}
DEFAULTS = {option.name: option.default for option in EXPORTER.options}
# Kind of armature: the rig with the names of its deform bones, and their prefix.
NAMES = {"metarig": ("rigify", ""), "rigify": ("rigify", "DEF-"), "imported": ("mixamo", "mixamorig:")}
TORSO = ("hips", "spine", "chest", "upperChest", "neck", "head")
TWISTED = {("rigify", "spine"), ("rigify", "chest")}  # Rigify distributes the twist between these and their neighbours
BONE_AXIS = np.array([0.0, 1, 0])  # direction of a bone in its own frame
LIMBS = [
    (f"{side}{part}", f"{side}{AIMS[part]}")
    for side in ("left", "right")
    for part in ("UpperArm", "LowerArm", "UpperLeg", "LowerLeg")
]


@pytest.fixture(scope="module")
def retarget(blender: Consumer, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, MotionClip], Path]:
    """Retarget a clip to an armature of a kind; returns a folder with the parts. Each armature is described once."""

    @functools.cache
    def describe_armature(kind: str) -> Path:
        folder = tmp_path_factory.mktemp(kind)
        write_parts(folder, "figure", walk_clip())
        blender(kind, folder, script="pose_armature.py")
        return folder

    def retarget_clip(kind: str, clip: MotionClip) -> Path:
        folder = describe_armature(kind)
        write_parts(folder, "clip", clip, armature=str(folder / "armature.json"))
        return folder

    return retarget_clip


def write_parts(folder: Path, name: str, clip: MotionClip, **options: str) -> None:
    """Write the card and the arrays of a clip."""
    files = EXPORTER.export(clip, DEFAULTS | options)
    for ending in ("json", "npz"):
        (folder / f"{name}.{ending}").write_bytes(files[f"{clip.name}.{ending}"])


@pytest.fixture(scope="module")
def play(blender: Consumer, retarget: Callable[[str, MotionClip], Path]) -> Callable[[str, str], dict[str, Any]]:
    """Play a clip of CLIPS on an armature of a kind; returns the report of pose_armature.py. Each is played once."""

    @functools.cache
    def report(kind: str, clip: str) -> dict[str, Any]:
        return blender(kind, retarget(kind, CLIPS[clip]), *map(str, FRAMES), script="pose_armature.py")

    return report


def humanoid_matrices(kind: str, pose: Mapping[str, Any]) -> dict[str, np.ndarray]:
    """Return (4, 4) world matrices of the humanoid's bones in a pose from Blender."""
    rig, prefix = NAMES[kind]
    spelt = {joint: [prefix + name for name in RIGS[rig].bones[joint]] for joint in HUMANOID.names}
    return {joint: np.array(next(pose[name] for name in names if name in pose)) for joint, names in spelt.items()}


def rotation_of(matrix: np.ndarray) -> np.ndarray:
    """Return the (4,) rotation of a matrix that may include a scale."""
    axes = matrix[:3, :3] / np.linalg.norm(matrix[:3, :3], axis=0)
    return from_matrix(axes)


def angle_between(a: np.ndarray, b: np.ndarray) -> float:
    """Angle between two directions in degrees."""
    return float(np.degrees(np.arccos(np.clip(normalise(a) @ normalise(b), -1, 1))))


@pytest.mark.parametrize("kind", NAMES)
@pytest.mark.parametrize("name", CLIPS)
def test_limbs_point_where_the_clips_do(play: Callable[[str, str], dict[str, Any]], kind: str, name: str) -> None:
    clip, report = CLIPS[name], play(kind, name)
    rest = humanoid_matrices(kind, report["rest"])
    places, turns = world_pose(HUMANOID, clip.translation.astype(float), clip.rotations.astype(float))
    assert not rest_pose(HUMANOID)[1][:, :3].any()
    for frame, pose in zip(FRAMES, report["poses"], strict=True):
        found = humanoid_matrices(kind, pose)
        for start, end in LIMBS:
            expected = to_blender(places[frame, HUMANOID.index(end)] - places[frame, HUMANOID.index(start)])
            way = found[end][:3, 3] - found[start][:3, 3]
            assert angle_between(expected, way) < 1, (kind, frame, start)
        for joint in TORSO:
            since_rest = multiply(Y_UP_TO_Z_UP, multiply(turns[frame, HUMANOID.index(joint)], conjugate(Y_UP_TO_Z_UP)))
            expected, turned = multiply(since_rest, rotation_of(rest[joint])), rotation_of(found[joint])
            if (kind, joint) in TWISTED:
                assert angle_between(rotate(expected, BONE_AXIS), rotate(turned, BONE_AXIS)) < 1, (kind, frame, joint)
            else:
                assert degrees_between(turned, expected) < 1, (kind, frame, joint)


@pytest.mark.parametrize("kind", NAMES)
def test_feet_stay_on_the_ground(play: Callable[[str, str], dict[str, Any]], kind: str) -> None:
    clip, report = CLIPS["walk"], play(kind, "walk")
    rest = humanoid_matrices(kind, report["rest"])
    leg = np.linalg.norm(rest["leftFoot"][:3, 3] - rest["leftUpperLeg"][:3, 3])
    places, _ = world_pose(HUMANOID, clip.translation.astype(float), clip.rotations.astype(float))
    for frame, pose in zip(FRAMES, report["poses"], strict=True):
        found = humanoid_matrices(kind, pose)
        for foot in ("leftFoot", "rightFoot"):
            lifted = (places[frame, HUMANOID.index(foot), 1] - 0.08) * leg / 0.84
            assert found[foot][2, 3] - rest[foot][2, 3] == pytest.approx(lifted, abs=0.015), (kind, frame, foot)


def test_the_generated_rig_is_keyed_by_its_controls(retarget: Callable[[str, MotionClip], Path]) -> None:
    card = json.loads((retarget("rigify", CLIPS["walk"]) / "clip.json").read_text())
    assert card["moved"] == ["torso"] and "upper_arm_fk.L" in card["bones"]
    assert not any(name.startswith(("DEF-", "ORG-", "MCH-")) for name in card["bones"])
    assert ["upper_arm_parent.L", "IK_FK", 1.0] in card["custom"]
