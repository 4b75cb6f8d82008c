"""Write a head as an avatar: glTF with the extension VRMC_vrm 1.0 (VRM Consortium), in T-pose, facing +Z."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ganassets.api.assets import Mesh
from ganassets.api.provenance import Provenance

from .avatar import Avatar, make_avatar
from .document import add_primitives, describe_asset, pack_document
from .expressions import describe_expressions
from .materials import add_materials
from .mesh_template import cached_template
from .motion import MATERIALS, add_mannequin, add_skin, joint_nodes

VRM = "VRMC_vrm"
HEAD, BODY, RIG, FIRST_JOINT = 0, 1, 2, 3  # nodes
LICENCE_URL = "https://vrm.dev/licenses/1.0/"
NO_PERMISSIONS = {
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
ALL_PERMISSIONS = {
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
# Permissions by the licence's SPDX expression. Other licences allow nothing until the owner changes the file.
PERMISSIONS = {
    "CC0-1.0": ALL_PERMISSIONS | {"otherLicenseUrl": "https://creativecommons.org/publicdomain/zero/1.0/"},
    "CC-BY-4.0": ALL_PERMISSIONS
    | {"creditNotation": "required", "otherLicenseUrl": "https://creativecommons.org/licenses/by/4.0/"},
}
MOST_YAW, MOST_PITCH = 30.0, 20.0  # degrees that the eyes can turn


def encode_vrm(mesh: Mesh, options: Mapping[str, Any]) -> bytes:
    """Encode a head on the mannequin's body as VRM.

    Raises:
        InputError: The mesh's joints are not those of a head.
    """
    avatar = make_avatar(mesh)
    topology, count = mesh.topology, len(avatar.skeleton.names)
    template = cached_template(topology, bool(topology.morph_names), True)
    binary = template.binary.copy()
    surfaces = add_materials(binary, mesh, template.materials, options)
    skin = len(surfaces["materials"])
    head = {"name": mesh.name, "primitives": add_primitives(binary, avatar.head, template)}
    if topology.morph_names:
        head["extras"] = {"targetNames": list(topology.morph_names)}
    body = [{**part, "material": skin + part["material"]} for part in add_mannequin(binary, avatar.body)]
    document = {
        "asset": describe_asset(mesh.provenance),
        "extensionsUsed": [VRM],
        "extensions": {VRM: describe_vrm(avatar)},
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


def describe_vrm(avatar: Avatar) -> dict[str, Any]:
    """Write the extension's JSON."""
    names = avatar.skeleton.names
    return {
        "specVersion": "1.0",
        "meta": describe_meta(avatar.head.name, avatar.head.provenance),
        "humanoid": {"humanBones": {name: {"node": FIRST_JOINT + k} for k, name in enumerate(names)}},
        "expressions": describe_expressions(avatar.head.topology.morph_names, HEAD),
        "firstPerson": {
            "meshAnnotations": [{"node": HEAD, "type": "auto"}, {"node": BODY, "type": "both"}],
        },
        **({"lookAt": describe_look_at(avatar)} if {"leftEye", "rightEye"} <= set(names) else {}),
    }


def describe_meta(name: str, provenance: Provenance) -> dict[str, Any]:
    """Write the authors and what the licence allows."""
    return {
        "name": name,
        "authors": [provenance.generator or provenance.software or "ganassets"],
        "licenseUrl": LICENCE_URL,
        **({"copyrightInformation": provenance.licence} if provenance.licence else {}),
        **PERMISSIONS.get(provenance.licence, NO_PERMISSIONS),
    }


def describe_look_at(avatar: Avatar) -> dict[str, Any]:
    """Write how far the bones of the eyes turn to what the avatar looks at."""
    skeleton = avatar.skeleton
    eyes = skeleton.offsets[[skeleton.index("leftEye"), skeleton.index("rightEye")]]
    yaw, pitch = ({"inputMaxValue": most, "outputScale": most} for most in (MOST_YAW, MOST_PITCH))
    return {
        "type": "bone",
        "offsetFromHeadBone": np.mean(eyes, 0).tolist(),
        "rangeMapHorizontalInner": yaw,
        "rangeMapHorizontalOuter": yaw,
        "rangeMapVerticalDown": pitch,
        "rangeMapVerticalUp": pitch,
    }
