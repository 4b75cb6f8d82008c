"""VRM avatars are read back with pygltflib and checked against the rules of VRMC_vrm 1.0."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ganassets.api.assets import Mesh
from ganassets.api.errors import InputError
from ganassets.api.motion.mannequin import make_mannequin
from ganassets.api.motion.skeletons import HUMANOID_FINGERS
from ganassets.api.provenance import Provenance
from ganassets_faces.basis import load_basis
from ganassets_gltf import VRM
from ganassets_gltf.avatar import find_neck_rim, make_avatar
from ganassets_gltf.expressions import PRESETS, describe_expressions
from support.glb_files import parse, read, world_matrices
from support.heads import make_head
from support.random_meshes import random_meshes

DEFAULTS = {option.name: option.default for option in VRM.options}
PARENTS = {
    "spine": "hips", "chest": "spine", "upperChest": "chest", "neck": "upperChest", "head": "neck", "jaw": "head",
    "leftEye": "head", "rightEye": "head", "leftUpperLeg": "hips", "leftLowerLeg": "leftUpperLeg",
    "rightHand": "rightLowerArm", "leftIndexDistal": "leftIndexIntermediate",
}  # fmt: skip
# Presets of VRM 1.0 without neutral, which is the face at rest.
PRESET_NAMES = {
    "happy", "angry", "sad", "relaxed", "surprised", "aa", "ih", "ou", "ee", "oh", "blink", "blinkLeft", "blinkRight",
    "lookUp", "lookDown", "lookLeft", "lookRight",
}  # fmt: skip
PERMISSIONS = {
    "avatarPermission": {"onlyAuthor", "onlySeparatelyLicensedPerson", "everyone"},
    "commercialUsage": {"personalNonProfit", "personalProfit", "corporation"},
    "creditNotation": {"required", "unnecessary"},
    "modification": {"prohibited", "allowModification", "allowModificationRedistribution"},
    "allowExcessivelyViolentUsage": {True, False},
    "allowExcessivelySexualUsage": {True, False},
    "allowPoliticalOrReligiousUsage": {True, False},
    "allowAntisocialOrHateUsage": {True, False},
    "allowRedistribution": {True, False},
}


def encode(mesh: Mesh) -> Any:
    """Encode a head as VRM and parse it."""
    ((name, content),) = VRM.export(mesh, DEFAULTS).items()
    assert name == f"{mesh.name}.vrm" and VRM.export(mesh, DEFAULTS)[name] == content
    return parse(content)


@settings(max_examples=6, deadline=None)
@given(st.integers(0, 200))
def test_it_is_a_humanoid_on_the_ground(seed: int) -> None:
    head = make_head(seed)
    document = encode(head)
    vrm = document.extensions["VRMC_vrm"]
    nodes = {bone: entry["node"] for bone, entry in vrm["humanoid"]["humanBones"].items()}
    assert set(nodes) == {*HUMANOID_FINGERS.names, "jaw", "leftEye", "rightEye"}
    assert len(set(nodes.values())) == len(nodes)
    for bone, parent in PARENTS.items():
        assert nodes[bone] in document.nodes[nodes[parent]].children
    at = world_matrices(document, False)[0]
    assert np.allclose(at[:, :3, :3], np.eye(3)), "nothing is turned or scaled at rest"
    joints = dict(zip(head.topology.joint_names, head.joints, strict=True))
    shift = at[nodes["neck"], :3, 3] - joints["neck"]
    for bone, joint in {"head": "head", "jaw": "jaw", "leftEye": "eyeLeft", "rightEye": "eyeRight"}.items():
        assert np.allclose(at[nodes[bone], :3, 3], joints[joint] + shift, atol=1e-5)
    avatar = make_avatar(head)
    assert abs(avatar.body.positions[:, 1].min()) < 0.005, "it stands on the ground"
    assert np.allclose(avatar.head.positions - head.positions, shift, atol=1e-5)
    stature = avatar.head.positions[:, 1].max()
    assert 0.9 < stature < 2.2 and 5.5 < stature / np.ptp(head.positions[:, 1]) < 8.5
    assert at[nodes["leftHand"], 0, 3] > 0.3 and at[nodes["leftToes"], 2, 3] > 0.05, "facing +Z"


def test_skins_undo_the_rest_pose() -> None:
    document = encode(make_head(3))
    at = world_matrices(document, False)[0]
    for skin in document.skins:
        inverse = read(document, skin.inverseBindMatrices).reshape(-1, 4, 4).swapaxes(1, 2)
        assert np.allclose(inverse @ at[skin.joints], np.eye(4), atol=1e-6)
    assert [document.nodes[k].skin for k in (0, 1)] == [0, 1]


def test_expressions() -> None:
    names = load_basis().expression_names
    document = encode(make_head(3))
    expressions = document.extensions["VRMC_vrm"]["expressions"]
    assert set(expressions["preset"]) == PRESET_NAMES == set(PRESETS)
    assert list(expressions["custom"]) == list(names)
    for found in [*expressions["preset"].values(), *expressions["custom"].values()]:
        binds = found["morphTargetBinds"]
        assert binds and all(document.nodes[bind["node"]].mesh == 0 and 0 < bind["weight"] <= 1 for bind in binds)
        assert len({bind["index"] for bind in binds}) == len(binds)
    blink = expressions["preset"]["blink"]["morphTargetBinds"]
    assert {names[bind["index"]] for bind in blink} == {"eyeBlinkLeft", "eyeBlinkRight"}
    assert document.meshes[0].extras["targetNames"] == list(names)


def test_expressions_of_few_targets() -> None:
    found = describe_expressions(["jawOpen", "wiggle"], 4)
    assert set(found["preset"]) == {"aa", "ih", "ou", "ee", "oh", "surprised"}
    assert found["custom"]["wiggle"] == {"morphTargetBinds": [{"node": 4, "index": 1, "weight": 1.0}]}


@pytest.mark.parametrize(("licence", "free"), [("CC0-1.0", True), ("ask the author", False), ("", False)])
def test_permissions_follow_the_licence(licence: str, free: bool) -> None:
    head = replace(make_head(3), provenance=Provenance(licence=licence, generator="faces 1.0"))
    meta = encode(head).extensions["VRMC_vrm"]["meta"]
    assert meta["name"] == head.name and meta["authors"] == ["faces 1.0"]
    assert meta["licenseUrl"] == "https://vrm.dev/licenses/1.0/"
    assert all(meta[field] in allowed for field, allowed in PERMISSIONS.items())
    assert meta["allowRedistribution"] is free and (meta["avatarPermission"] == "everyone") is free
    assert meta.get("copyrightInformation", "") == licence


def test_eyes_and_first_person() -> None:
    vrm = encode(make_head(3)).extensions["VRMC_vrm"]
    head = make_head(3)
    joints = dict(zip(head.topology.joint_names, head.joints, strict=True))
    between = (joints["eyeLeft"] + joints["eyeRight"]) / 2 - joints["head"]
    assert vrm["lookAt"]["type"] == "bone" and np.allclose(vrm["lookAt"]["offsetFromHeadBone"], between, atol=1e-5)
    assert vrm["firstPerson"]["meshAnnotations"] == [{"node": 0, "type": "auto"}, {"node": 1, "type": "both"}]


def test_the_collar_closes_the_neck() -> None:
    head = make_head(3)
    avatar = make_avatar(head)
    rim = find_neck_rim(avatar.head)
    assert len(rim) == 42 and len(set(rim.tolist())) == 42
    neighbours = avatar.head.positions[rim] - avatar.head.positions[np.roll(rim, 1)]
    assert np.linalg.norm(neighbours, axis=1).max() < 0.02, "one way around"
    bare = len(make_mannequin(HUMANOID_FINGERS, without=("head", "neck")).positions)
    upper, _, lower = avatar.body.positions[bare:].reshape(3, 42, 3)
    assert abs(upper - avatar.head.positions[rim]).max() < 0.006, "it begins in the head's neck"
    assert np.linalg.norm(avatar.body.normals, axis=1) == pytest.approx(1, abs=1e-5)
    outward = (avatar.body.normals[bare + 42 : bare + 84] * (upper - upper.mean(0))).sum(-1)
    assert (outward > 0).all() and lower[:, 1].max() < upper[:, 1].min()


@given(random_meshes())
def test_other_meshes_are_refused(mesh: Mesh) -> None:
    with pytest.raises(InputError, match="a VRM avatar needs a head whose joints are neck and head"):
        VRM.export(mesh, DEFAULTS)
