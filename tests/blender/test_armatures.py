"""Clips retargeted to armatures: bones rotate as in the clip, and bad files are refused with clear messages."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ganassets.api.assets import MotionClip
from ganassets.api.errors import InputError
from ganassets.api.motion.kinematics import world_pose
from ganassets.api.motion.rigs import RIGIFY_CONTROLS, RIGS
from ganassets.api.motion.rotations import (
    conjugate,
    degrees_between,
    from_axis_angle,
    from_matrix,
    multiply,
    rotate,
    to_matrix,
)
from ganassets.api.motion.skeletons import HUMANOID, HUMANOID_FINGERS
from ganassets.api.rig_options import RIG_NAMES
from ganassets_blender import EXPORTER
from ganassets_blender.armatures import MAX_BONES, read_armature
from ganassets_blender.parts import Y_UP_TO_Z_UP
from support.motion_clips import random_clip, walk_clip

DEFAULTS = {option.name: option.default for option in EXPORTER.options}
BoneRow = dict[str, Any]


def bones_of(rig: str, unit: float = 1.0, facing: float = 0.0) -> list[BoneRow]:
    """Bones of a rig, as the add-on describes them."""
    files = EXPORTER.export(walk_clip(), DEFAULTS | {"rig": rig})
    card = json.loads(files["walk.json"])
    turn = np.eye(4)
    turn[:3, :3] = unit * to_matrix(from_axis_angle((0, 0, 1), facing))
    with np.load(io.BytesIO(files["walk.npz"]), allow_pickle=False) as arrays:
        matrices = turn @ arrays["bone_matrices"]
    matrices[:, :3, :3] /= unit
    return [
        {"name": name, "parent": parent, "matrix": matrix.ravel().tolist()}
        for name, parent, matrix in zip(card["bones"], card["parents"], matrices, strict=True)
    ]


def retarget(bones: Sequence[BoneRow], clip: MotionClip, folder: Path) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """Retarget a clip to an armature; returns the card and the arrays."""
    path = folder / "armature.json"
    path.write_text(json.dumps({"name": "Hero", "bones": bones}))
    files = EXPORTER.export(clip, DEFAULTS | {"armature": str(path)})
    card = json.loads(files[f"{clip.name}.json"])
    with np.load(io.BytesIO(files[card["arrays"]]), allow_pickle=False) as arrays:
        return card, dict(arrays)


def pose_bones(bones: Sequence[BoneRow], card: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> dict[str, Any]:
    """Pose bones as Blender does; returns (f, 3) heads, (f, 4) rotations and (4,) rest rotations by name."""
    count = len(arrays["rotations"])
    rest = [np.array(bone["matrix"]).reshape(4, 4) for bone in bones]
    turns = [from_matrix(matrix[:3, :3]) for matrix in rest]
    places, turned = [], []
    for bone, matrix, turn in zip(bones, rest, turns, strict=True):
        name, parent = bone["name"], bone["parent"]
        place, base = np.broadcast_to(matrix[:3, 3], (count, 3)), np.broadcast_to(turn, (count, 4))
        if parent >= 0:
            since = multiply(turned[parent], conjugate(turns[parent]))
            place = places[parent] + rotate(since, matrix[:3, 3] - rest[parent][:3, 3])
            base = multiply(since, turn) if bone.get("inherits", True) else base
        if name in card["moved"] and not (bone.get("connected") and parent >= 0):
            place = place + rotate(base, arrays["locations"][:, card["moved"].index(name)].astype(float))
        if name in card["bones"]:
            channel = arrays["rotations"][:, card["bones"].index(name)][:, (1, 2, 3, 0)].astype(float)
            base = multiply(base, channel)
        places.append(place)
        turned.append(base)
    names = [bone["name"] for bone in bones]
    return {name: (places[k], turned[k], turns[k]) for k, name in enumerate(names)}


def check_rotations(
    bones: Sequence[BoneRow], clip: MotionClip, folder: Path, names: Mapping[str, str], facing: float = 0.0
) -> None:
    """Check that bones have rotated from the T-pose, the rest pose of these torsos, as the clip's joints have."""
    found = pose_bones(bones, *retarget(bones, clip, folder))
    _, turns = world_pose(clip.skeleton, clip.translation.astype(float), clip.rotations.astype(float))
    world = multiply(from_axis_angle((0, 0, 1), facing), Y_UP_TO_Z_UP)
    for joint in ("hips", "spine", "chest", "upperChest", "neck", "head", "leftFoot", "rightUpperLeg"):
        _, turned, rest = found[names[joint]]
        expected = multiply(world, multiply(turns[:, clip.skeleton.index(joint)], conjugate(world)))
        assert degrees_between(turned, multiply(expected, rest)).max() < 0.05, joint


def bone_names(rig: str) -> dict[str, str]:
    return {joint: RIGS[rig].bone_name(joint) for joint in RIGS[rig].bones}


@pytest.mark.parametrize("rig", RIG_NAMES)
@pytest.mark.parametrize(("unit", "facing"), [(1.0, 0.0), (100.0, 0.9)])
def test_bones_turn_as_the_clip_does(rig: str, unit: float, facing: float, tmp_path: Path) -> None:
    bones = bones_of(rig, unit, facing)
    clip = random_clip(np.random.default_rng(4), 15)
    check_rotations(bones, clip, tmp_path, bone_names(rig), facing)
    found = pose_bones(bones, *retarget(bones, clip, tmp_path))
    places, _ = world_pose(HUMANOID, clip.translation.astype(float), clip.rotations.astype(float))
    expected = unit * rotate(multiply(from_axis_angle((0, 0, 1), facing), Y_UP_TO_Z_UP), places)
    for joint in HUMANOID.names:
        assert np.abs(found[bone_names(rig)[joint]][0] - expected[:, HUMANOID.index(joint)]).max() < 1e-3 * unit, joint


def test_the_card_lists_the_keyed_bones(tmp_path: Path) -> None:
    card, arrays = retarget([*bones_of("unreal"), bone("ik_foot", 0)], walk_clip(), tmp_path)
    assert card["target"] and card["moved"] == ["pelvis"] and not card["custom"]
    assert set(card["bones"]) == {bone_names("unreal")[joint] for joint in HUMANOID.names}
    assert arrays["rotations"].shape == (61, 22, 4) and arrays["locations"].shape == (61, 1, 3)
    assert set(arrays) == {"rotations", "locations"} and "materials" not in card
    assert (card["frames"], card["loop"]) == (61, True)


def bone(name: str, parent: int, place: Sequence[float] = (0, 0, 0), **more: bool) -> BoneRow:
    """Make a bone that points along Z."""
    matrix = np.eye(4)
    matrix[:3, :3] = to_matrix(Y_UP_TO_Z_UP)
    matrix[:3, 3] = place
    return {"name": name, "parent": parent, "matrix": matrix.ravel().tolist(), **more}


def test_bones_between_follow(tmp_path: Path) -> None:
    bones = bones_of("mixamo")
    arm = next(k for k, row in enumerate(bones) if row["name"] == "mixamorig:LeftForeArm")
    twist = {**bones[arm], "name": "twist", "parent": bones[arm]["parent"]}
    bones = [*bones[:arm], twist, *bones[arm:]]
    for row in bones[arm + 1 :]:
        row["parent"] += row["parent"] >= arm
    bones[arm + 1]["parent"] = arm
    clip = random_clip(np.random.default_rng(6), 9)
    card, _ = retarget(bones, clip, tmp_path)
    assert "twist" not in card["bones"]
    check_rotations(bones, clip, tmp_path, bone_names("mixamo"))


def test_bones_that_do_not_inherit(tmp_path: Path) -> None:
    bones = bones_of("mixamo")
    for row in bones:
        row["inherits"] = "Foot" not in row["name"] and "Head" not in row["name"]
    check_rotations(bones, random_clip(np.random.default_rng(7), 9), tmp_path, bone_names("mixamo"))


def test_connected_hips_are_moved_by_their_parent(tmp_path: Path) -> None:
    bones = bones_of("godot")
    bones[1]["connected"] = True
    clip = walk_clip()
    card, _ = retarget(bones, clip, tmp_path)
    assert card["moved"] == ["Root"]
    found = pose_bones(bones, *retarget(bones, clip, tmp_path))
    assert found["Hips"][0] == pytest.approx(rotate(Y_UP_TO_Z_UP, clip.translation.astype(float)), abs=1e-4)


# Spine controls of a generated Rigify rig: parent, and height in metres.
SPINE = {
    "torso": ("root", 1.0),
    "MCH-spine": ("torso", 1.3),
    "spine_fk.001": ("MCH-spine", 1.3),
    "spine_fk": ("spine_fk.001", 1.15),
    "spine_fk.002": ("torso", 1.3),
    "spine_fk.003": ("spine_fk.002", 1.45),
    "neck": ("spine_fk.003", 1.6),
    "head": ("neck", 1.7),
}


def make_generated_rig() -> list[BoneRow]:
    """Make a rig like one that Rigify generates, with the bones that matter."""
    rows = [bone("root", -1)]

    def add(name: str, parent: str, place: Sequence[float]) -> None:
        rows.append(bone(name, [row["name"] for row in rows].index(parent), place))

    for name, (parent, height) in SPINE.items():
        add(name, parent, (0, 0, height))
    for side, x in (("L", 1), ("R", -1)):
        add(f"ORG-spine.{side}", "spine_fk", (0, 0, 1.0))
        add(f"shoulder.{side}", "spine_fk.003", (0.02 * x, 0, 1.5))
        add(f"ORG-shoulder.{side}", "spine_fk.003", (0.02 * x, 0, 1.5))
        above = f"ORG-shoulder.{side}"
        for name, out in (("upper_arm_fk", 0.18), ("forearm_fk", 0.45), ("hand_fk", 0.7)):
            add(f"{name}.{side}", above, (out * x, 0, 1.5))
            above = f"{name}.{side}"
        above = f"ORG-spine.{side}"
        for name, height, y in (
            ("thigh_fk", 0.95, 0.0),
            ("shin_fk", 0.5, 0.0),
            ("foot_fk", 0.08, 0.0),
            ("toe_fk", 0.02, -0.14),
        ):
            add(f"{name}.{side}", above, (0.1 * x, y, height))
            above = f"{name}.{side}"
        add(f"DEF-thigh.{side}", f"thigh_fk.{side}", (0.1 * x, 0, 0.95))
    return rows


def test_rigs_of_rigify_are_keyed_by_their_controls(tmp_path: Path) -> None:
    clip = walk_clip()
    card, arrays = retarget(make_generated_rig(), clip, tmp_path)
    assert card["moved"] == ["torso"]
    assert set(card["bones"]) == {"torso", *(RIGIFY_CONTROLS.bones[joint][0] for joint in HUMANOID.names)}
    assert ["torso", "head_follow", 1.0] in card["custom"]
    found = pose_bones(make_generated_rig(), card, arrays)
    _, turns = world_pose(HUMANOID, clip.translation.astype(float), clip.rotations.astype(float))
    for joint in ("hips", "spine", "chest", "head", "leftUpperLeg", "rightLowerLeg"):
        expected = multiply(Y_UP_TO_Z_UP, multiply(turns[:, HUMANOID.index(joint)], conjugate(Y_UP_TO_Z_UP)))
        _, turned, rest = found[RIGIFY_CONTROLS.bones[joint][0]]
        assert degrees_between(turned, multiply(expected, rest)).max() < 0.05, joint
    lowest = np.minimum(*(found[f"foot_fk.{side}"][0][:, 2] for side in "LR"))
    assert lowest == pytest.approx(np.full(len(clip), 0.08), abs=0.01)


def test_upper_arms_turn_with_the_shoulders_that_rigify_copies(tmp_path: Path) -> None:
    path = tmp_path / "armature.json"
    path.write_text(json.dumps({"name": "Hero", "bones": make_generated_rig()}))
    armature = read_armature(path)
    assert armature.is_generated
    keyed = dict.fromkeys(["shoulder.L", "spine_fk", "spine_fk.003"])
    assert armature.keyed_parent("upper_arm_fk.L", keyed) == "shoulder.L"
    assert armature.keyed_parent("thigh_fk.L", keyed) == "spine_fk"


def test_fingers_are_keyed_when_the_clip_has_them(tmp_path: Path) -> None:
    files = EXPORTER.export(random_clip(np.random.default_rng(8), 3, HUMANOID_FINGERS), DEFAULTS)
    card = json.loads(files["random.json"])
    with np.load(io.BytesIO(files["random.npz"])) as arrays:
        rows = zip(card["bones"], card["parents"], arrays["bone_matrices"], strict=True)
        bones = [{"name": name, "parent": parent, "matrix": matrix.ravel().tolist()} for name, parent, matrix in rows]
    with_fingers, _ = retarget(bones, random_clip(np.random.default_rng(8), 3, HUMANOID_FINGERS), tmp_path)
    without, _ = retarget(bones, walk_clip(), tmp_path)
    assert len(with_fingers["bones"]) == len(HUMANOID_FINGERS.names) and len(without["bones"]) == 22


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (
            {"mixamorig:LeftFoot": "x", "mixamorig:Neck": "y", "mixamorig:Head": "z"},
            "no bone for leftFoot, head or neck;",
        ),
        ({"mixamorig:Hips": "x"}, "no bone for hips;"),
    ],
)
def test_missing_bones_are_named(names: Mapping[str, str], message: str, tmp_path: Path) -> None:
    bones = [row | {"name": names.get(row["name"], row["name"])} for row in bones_of("mixamo")]
    with pytest.raises(InputError, match=message) as error:
        retarget(bones, walk_clip(), tmp_path)
    assert str(error.value).count(".") == 1


def test_an_armature_that_is_not_upright_is_refused(tmp_path: Path) -> None:
    bones = bones_of("mixamo")
    for row in bones:
        if row["name"].endswith(("Leg", "Foot", "ToeBase")):
            row["matrix"][11] = 2 - row["matrix"][11]  # legs up
    with pytest.raises(InputError, match="Hero doesn't stand"):
        retarget(bones, walk_clip(), tmp_path)


MIRRORED, SHEARED = np.diag([-1.0, 1, 1, 1]), np.diag([1.0, 1.5, 1, 1])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "isn't JSON"),
        ("[" * 100_000, "isn't JSON"),
        ("[]", "top level"),
        ('{"name": "Hero", "bones": []}', "bones"),
        (json.dumps({"name": "Hero", "bones": [bone("a", -1)], "more": 1}), "more"),
        (json.dumps({"name": "Hero", "bones": [bone("", -1)]}), "name"),
        (json.dumps({"name": "Hero", "bones": [bone("a", -1) | {"matrix": [1.0] * 15}]}), "matrix"),
        (json.dumps({"name": "Hero", "bones": [bone("a", -1, (float("nan"), 0, 0))]}), "matrix"),
        (json.dumps({"name": "Hero", "bones": [bone(f"b{k}", -1) for k in range(MAX_BONES + 1)]}), "bones"),
        (json.dumps({"name": "Hero", "bones": [bone("a", -1), bone("a", 0)]}), "two bones with the same name"),
        (json.dumps({"name": "Hero", "bones": [bone("a", 1), bone("b", -1)]}), "comes before its parent"),
        (json.dumps({"name": "Hero", "bones": [bone("a", -1) | {"matrix": MIRRORED.ravel().tolist()}]}), "mirrored"),
        (json.dumps({"name": "Hero", "bones": [bone("a", -1) | {"matrix": [0.0] * 16}]}), "no size"),
        (json.dumps({"name": "Hero", "bones": [bone("a", -1) | {"matrix": SHEARED.ravel().tolist()}]}), "unevenly"),
        (" " * (4 * 2**20 + 1), "too large"),
    ],
    ids=lambda value: value[:12],
)
def test_broken_files_are_refused(text: str, message: str, tmp_path: Path) -> None:
    path = tmp_path / "armature.json"
    path.write_text(text)
    with pytest.raises(InputError, match=message):
        read_armature(path)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="is not there; give the path of an armature"):
        read_armature(tmp_path / "none.json")
