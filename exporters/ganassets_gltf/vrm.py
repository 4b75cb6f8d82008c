"""A head as a whole avatar: glTF with the extension VRMC_vrm 1.0 (VRM Consortium), in T-pose, facing +Z."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ganassets.api.assets import Mesh, Provenance

from .avatar import Avatar, make_avatar
from .document import add_primitives, asset_of, pack_document
from .expressions import expressions_of
from .frame import frame_of
from .materials import add_materials
from .motion import MATERIALS, add_mannequin, add_skin, joint_nodes

VRM = "VRMC_vrm"
HEAD, BODY, RIG, FIRST_JOINT = 0, 1, 2, 3  # nodes
LICENCE_URL = "https://vrm.dev/licenses/1.0/"
NOTHING = {
    "avatarPermission": "onlyAuthor",
    "allowExcessivelyViolentUsage": False,
    "allowExcessivelySexualUsage": False,
    "commercialUsage": "personalNonProfit",
    "allowPoliticalOrReligiousUsage": False,
    "allowAntisocialOrHateUsage": False,
    "creditNotation": "required",
    "allowRedistribution": False,
    "modification": "prohibited",
}
ANYTHING = {
    "avatarPermission": "everyone",
    "allowExcessivelyViolentUsage": True,
    "allowExcessivelySexualUsage": True,
    "commercialUsage": "corporation",
    "allowPoliticalOrReligiousUsage": True,
    "allowAntisocialOrHateUsage": True,
    "creditNotation": "unnecessary",
    "allowRedistribution": True,
    "modification": "allowModificationRedistribution",
}
# What licences allow, by SPDX expression; others allow nothing until the owner says so.
PERMISSIONS = {
    "CC0-1.0": ANYTHING | {"otherLicenseUrl": "https://creativecommons.org/publicdomain/zero/1.0/"},
    "CC-BY-4.0": ANYTHING
    | {"creditNotation": "required", "otherLicenseUrl": "https://creativecommons.org/licenses/by/4.0/"},
}
# Degrees that the eyes turn by at most.
SIDEWAYS, UPDOWN = 30.0, 20.0


def encode_vrm(mesh: Mesh, options: Mapping[str, Any]) -> bytes:
    """VRM of a head on the mannequin's body.

    Raises:
        InputError: the mesh's joints are not those of a head.
    """
    avatar = make_avatar(mesh)
    topology, count = mesh.topology, len(avatar.skeleton.names)
    frame = frame_of(topology, bool(topology.morph_names), True)
    binary = frame.binary.copy()
    surfaces = add_materials(binary, mesh, frame.materials, options)
    skin = len(surfaces["materials"])
    head = {"name": mesh.name, "primitives": add_primitives(binary, avatar.head, frame)}
    if topology.morph_names:
        head["extras"] = {"targetNames": list(topology.morph_names)}
    body = [{**part, "material": skin + part["material"]} for part in add_mannequin(binary, avatar.body)]
    document = {
        "asset": asset_of(mesh.provenance),
        "extensionsUsed": [VRM],
        "extensions": {VRM: vrm_of(avatar)},
        "scene": 0,
        "scenes": [{"name": mesh.name, "nodes": [HEAD, BODY, RIG]}],
        "nodes": [
            {"name": mesh.name, "mesh": 0, "skin": 0},
            {"name": "body-mesh", "mesh": 1, "skin": 1},
            {"name": "rig", "children": [FIRST_JOINT]},
            *joint_nodes(avatar.skeleton, FIRST_JOINT),
        ],
        "meshes": [head, {"name": "body-mesh", "primitives": body}],
        "skins": [
            add_skin(binary, avatar.skeleton, avatar.bones, RIG),
            add_skin(binary, avatar.skeleton, range(count), RIG),
        ],
        **surfaces,
        "materials": [*surfaces["materials"], *MATERIALS],
    }
    return pack_document(document, binary)


def vrm_of(avatar: Avatar) -> dict[str, Any]:
    """The extension's JSON."""
    names = avatar.skeleton.names
    return {
        "specVersion": "1.0",
        "meta": meta_of(avatar.head.name, avatar.head.provenance),
        "humanoid": {"humanBones": {name: {"node": FIRST_JOINT + k} for k, name in enumerate(names)}},
        "expressions": expressions_of(avatar.head.topology.morph_names, HEAD),
        "firstPerson": {
            "meshAnnotations": [{"node": HEAD, "type": "auto"}, {"node": BODY, "type": "both"}],
        },
        **({"lookAt": look_of(avatar)} if {"leftEye", "rightEye"} <= set(names) else {}),
    }


def meta_of(name: str, provenance: Provenance) -> dict[str, Any]:
    """Who made it, and what its licence allows."""
    return {
        "name": name,
        "authors": [provenance.generator or provenance.software or "ganassets"],
        "licenseUrl": LICENCE_URL,
        **({"copyrightInformation": provenance.licence} if provenance.licence else {}),
        **PERMISSIONS.get(provenance.licence, NOTHING),
    }


def look_of(avatar: Avatar) -> dict[str, Any]:
    """The eyes' bones turn to what the avatar looks at, as far as they can."""
    skeleton = avatar.skeleton
    eyes = skeleton.offsets[[skeleton.index("leftEye"), skeleton.index("rightEye")]]
    sideways, updown = ({"inputMaxValue": most, "outputScale": most} for most in (SIDEWAYS, UPDOWN))
    return {
        "type": "bone",
        "offsetFromHeadBone": np.mean(eyes, 0).tolist(),
        "rangeMapHorizontalInner": sideways,
        "rangeMapHorizontalOuter": sideways,
        "rangeMapVerticalDown": updown,
        "rangeMapVerticalUp": updown,
    }
