"""Recognition of a file's bones as joints."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ganassets.api.errors import InputError
from ganassets.api.motion.rigs import ONE_OF, REQUIRED, RIGS, recognise_bones
from ganassets.api.motion.skeletons import HUMANOID_FINGERS
from ganassets.api.rig_options import RIG_NAMES

QUICK = settings(max_examples=25, deadline=None)


def names_of(rig: str) -> list[str]:
    return [RIGS[rig].bone_name(joint) for joint in RIGS[rig].bones]


@pytest.mark.parametrize("rig", RIGS)
def test_every_rig_is_recognised_by_its_own_names(rig: str) -> None:
    found = recognise_bones(["Armature", *names_of(rig), "IK.L"])
    assert found == {joint: RIGS[rig].bone_name(joint) for joint in HUMANOID_FINGERS.names if joint in RIGS[rig].bones}


@pytest.mark.parametrize("rig", RIGS)
def test_every_rig_has_the_required_joints(rig: str) -> None:
    assert set(REQUIRED) <= set(RIGS[rig].bones) <= set(HUMANOID_FINGERS.names)
    assert set(ONE_OF) & set(RIGS[rig].bones)


def test_rigs_to_write_are_those_with_bone_axes() -> None:
    assert set(RIG_NAMES) == {name for name, rig in RIGS.items() if rig.axes}


@pytest.mark.parametrize("rig", RIG_NAMES)
def test_written_names_are_unlike_each_other(rig: str) -> None:
    assert set(RIGS[rig].bones) == set(HUMANOID_FINGERS.names)
    assert len({*names_of(rig), RIGS[rig].root}) == len(HUMANOID_FINGERS.names) + 1


@pytest.mark.parametrize(
    ("rig", "joint", "bone"),
    [
        ("mixamo", "leftToes", "mixamorig:LeftToeBase"),
        ("unreal", "rightLowerLeg", "calf_r"),
        ("rigify", "leftIndexProximal", "DEF-f_index.01.L"),
        ("unity", "leftThumbMetacarpal", "Left Thumb Proximal"),
        ("unity", "leftThumbDistal", "Left Thumb Distal"),
        ("vrm", "leftThumbMetacarpal", "leftThumbMetacarpal"),
        ("godot", "rightLittleDistal", "RightLittleDistal"),
    ],
)
def test_names_are_those_of_the_tools(rig: str, joint: str, bone: str) -> None:
    assert RIGS[rig].bone_name(joint) == bone


CHANGES = {
    "another prefix": lambda name: f"Character1_{name.removeprefix('mixamorig:')}",
    "no prefix": lambda name: name.removeprefix("mixamorig:"),
    "a namespace": lambda name: f"Armature|{name}",
    "a numbered namespace": lambda name: name.replace("mixamorig:", "mixamorig1:"),
    "case": lambda name: name.upper(),
    "separators": lambda name: (
        name.replace("mixamorig:", "mixamorig_").replace("Left", "Left.").replace("Right", "R_ight")
    ),
}


@pytest.mark.parametrize("change", CHANGES)
def test_spelling_does_not_matter(change: str) -> None:
    changed = {joint: CHANGES[change](RIGS["mixamo"].bone_name(joint)) for joint in RIGS["mixamo"].bones}
    assert recognise_bones(list(changed.values())) == {joint: changed[joint] for joint in HUMANOID_FINGERS.names}


@pytest.mark.parametrize("rig", ["mixamo", "unreal", "vrm"])
def test_numbers_that_an_exporter_appends_do_not_matter(rig: str) -> None:
    changed = {joint: f"{RIGS[rig].bone_name(joint)}_{i:02}" for i, joint in enumerate(RIGS[rig].bones)}
    assert recognise_bones(list(changed.values())) == {joint: changed[joint] for joint in HUMANOID_FINGERS.names}


def test_collars_and_shoulders_are_distinguished() -> None:
    assert recognise_bones(names_of("bvh"))["leftUpperArm"] == "LeftShoulder"
    assert recognise_bones(names_of("mixamo"))["leftShoulder"] == "mixamorig:LeftShoulder"


def test_the_users_map_wins() -> None:
    names = [*names_of("vrm"), "Pelvis"]
    assert recognise_bones(names, {"hips": "Pelvis"})["hips"] == "Pelvis"
    swapped = recognise_bones(names, {"leftHand": "rightHand"})
    assert swapped["leftHand"] == "rightHand" and "rightHand" not in swapped


def test_the_users_map_alone_is_enough() -> None:
    chosen = {joint: f"b{i}" for i, joint in enumerate([*REQUIRED, "neck"])}
    assert recognise_bones(sorted(chosen.values()), chosen) == {
        joint: chosen[joint] for joint in HUMANOID_FINGERS.names if joint in chosen
    }


@pytest.mark.parametrize("gone", [*REQUIRED, "head or neck"])
def test_a_missing_joint_is_named(gone: str) -> None:
    lost = gone.split(" or ")
    names = [joint for joint in RIGS["vrm"].bones if joint not in lost]
    with pytest.raises(InputError, match=f"no bone is known for {gone}; .*MyBone.*--bones FILE"):
        recognise_bones([*names, "MyBone"])


def test_an_error_lists_a_dozen_names() -> None:
    with pytest.raises(InputError, match=r"x0, x1, .*x11 and 88 more") as error:
        recognise_bones([f"x{i}" for i in range(100)])
    assert "x12" not in str(error.value)


@pytest.mark.parametrize(
    ("chosen", "said"), [({"hip": "hips"}, "names a joint 'hip'"), ({"hips": "Pelvis"}, "gives 'Pelvis' for hips")]
)
def test_a_map_of_things_that_are_not_there(chosen: dict[str, str], said: str) -> None:
    with pytest.raises(InputError, match=said):
        recognise_bones(names_of("vrm"), chosen)


@QUICK
@given(st.lists(st.text(max_size=12), max_size=40), st.permutations(sorted(RIGS["godot"].bones)))
def test_other_bones_and_their_order_do_not_matter(others: Sequence[str], joints: Sequence[str]) -> None:
    names = [RIGS["godot"].bone_name(joint) for joint in joints]
    keys = {name.casefold() for name in names}
    beside = [f"#{other}#" for other in others if "".join(filter(str.isalnum, other.casefold())) not in keys]
    assert recognise_bones([*beside, *names]) == {
        joint: RIGS["godot"].bone_name(joint) for joint in HUMANOID_FINGERS.names
    }
