"""Clips as glTF documents: with a mannequin for games and viewers, or without a mesh as a VRM animation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from ganassets.api.assets import InputError, MotionClip, Skeleton
from ganassets.api.motion.editing import remove_travel, rest_clip
from ganassets.api.motion.kinematics import rest_pose, root_translations
from ganassets.api.motion.mannequin import SURFACES, VRM, Mannequin, make_mannequin_for_rig
from ganassets.api.motion.retarget import to_rig
from ganassets.api.motion.rigs import RIGS
from ganassets.api.motion.rotations import conjugate, to_matrix
from ganassets.api.motion.skeletons import HUMANOID_FINGERS

from .binary import FLOAT, INDICES, Binary
from .document import asset_of, children_of, pack_document
from .frame import consecutive

VRM_ANIMATION = "VRMC_vrm_animation"
# Bones that a VRM humanoid can't be without.
SIDES = ("UpperArm", "LowerArm", "Hand", "UpperLeg", "LowerLeg", "Foot")
REQUIRED = ("hips", "spine", "head", *(f"{side}{name}" for side in ("left", "right") for name in SIDES))
MATERIALS = [
    {
        "name": name,
        "pbrMetallicRoughness": {"baseColorFactor": [*colour, 1.0], "metallicFactor": 0.0, "roughnessFactor": rough},
    }
    for name, colour, rough in SURFACES
]


@dataclass(frozen=True)
class Figure:
    """What all clips of a skeleton share in a GLB.

    Attributes:
        parts: nodes, meshes, skins and materials of the document; joint 0 is node FIRST_JOINT.
        binary: bytes, buffer views and accessors.
    """

    parts: dict[str, Any]
    binary: Binary


RIG, FIRST_JOINT = 1, 2  # nodes, after the mesh's


def encode_motion(clip: MotionClip, options: Mapping[str, Any]) -> bytes:
    """GLB of a clip: a mannequin, its skeleton and the animation."""
    if options["root"] == "in-place":
        clip = remove_travel(clip)
    rig = options["rig"]
    figure = figure_of(clip.skeleton, rig)
    if rig != VRM:
        clip = to_rig(clip, rig)
    binary = figure.binary.copy()
    document = {
        "asset": asset_of(clip.provenance, fps=clip.fps, loop=clip.loop),
        "scene": 0,
        "scenes": [{"name": clip.name, "nodes": [0, 1]}],
        **figure.parts,
        "animations": [add_animation(binary, clip, FIRST_JOINT, has_root=bool(RIGS[rig].root))],
    }
    return pack_document(document, binary)


def encode_vrma(clip: MotionClip, options: Mapping[str, Any]) -> bytes:
    """VRM animation of a clip: the joints alone, and which bone of a VRM humanoid each is. Its T-pose is the rest pose,
    and nothing but the hips moves.
    """
    if options["root"] == "in-place":
        clip = remove_travel(clip)
    names = clip.skeleton.names
    if missing := [name for name in REQUIRED if name not in names]:
        raise InputError(f"a VRM animation needs the joints {', '.join(missing)}, which {clip.name} lacks.")
    binary = Binary()
    bones = {name: {"node": node} for node, name in enumerate(names) if name in HUMANOID_FINGERS.names}
    document = {
        "asset": asset_of(clip.provenance, fps=clip.fps, loop=clip.loop),
        "extensionsUsed": [VRM_ANIMATION],
        "extensions": {VRM_ANIMATION: {"specVersion": "1.0", "humanoid": {"humanBones": bones}}},
        "scene": 0,
        "scenes": [{"name": clip.name, "nodes": [0]}],
        "nodes": joint_nodes(clip.skeleton, 0),
        "animations": [add_animation(binary, clip, 0, has_root=False)],
    }
    return pack_document(document, binary)


def add_animation(binary: Binary, clip: MotionClip, first: int, has_root: bool) -> dict[str, Any]:
    """Append a clip's times, places and rotations; returns the animation. Between frames everything is linear.

    Args:
        first: node of joint 0.
        has_root: joint 0 is a root of the rig's own above the hips.
    """
    frames, count = clip.rotations.shape[:2]
    times = (np.arange(frames) / clip.fps).astype(np.float32)
    turns = np.ascontiguousarray(clip.rotations.swapaxes(0, 1))
    shared = {"componentType": FLOAT, "count": frames}
    bounds = {"min": [0.0], "max": [float(times[-1])]}
    clock = binary.add_accessor(bufferView=binary.add_view(times.tobytes()), **shared, type="SCALAR", **bounds)
    places = [
        binary.add_accessor(bufferView=binary.add_view(moves.tobytes()), **shared, type="VEC3")
        for moves in root_translations(clip, has_root)
    ]
    view = binary.add_view(turns.tobytes())
    outputs = places + [
        binary.add_accessor(bufferView=view, byteOffset=joint * turns[0].nbytes, **shared, type="VEC4")
        for joint in range(count)
    ]
    targets = [(first + joint, "translation") for joint in range(len(places))]
    targets += [(first + joint, "rotation") for joint in range(count)]
    return {
        "name": clip.name,
        "channels": [{"sampler": k, "target": {"node": node, "path": path}} for k, (node, path) in enumerate(targets)],
        "samplers": [{"input": clock, "output": output} for output in outputs],
    }


def joint_nodes(skeleton: Skeleton, first: int) -> list[dict[str, Any]]:
    """The joints as nodes at rest, where joint 0 is node `first`."""
    nodes = []
    for joint, name in enumerate(skeleton.names):
        node = {
            "name": name,
            "translation": skeleton.offsets[joint].tolist(),
            "rotation": skeleton.rest_rotations[joint].tolist(),
        }
        if children := children_of(skeleton.parents, joint, first):
            node["children"] = children
        nodes.append(node)
    return nodes


def figure_of(skeleton: Skeleton, rig: str) -> Figure:
    """The mannequin of a skeleton, on a rig; those of the last few are kept."""
    arrays = (skeleton.offsets.tobytes(), skeleton.rest_rotations.tobytes())
    return make_figure(skeleton.names, skeleton.parents, *arrays, rig)


@lru_cache(maxsize=16)
def make_figure(
    names: tuple[str, ...], parents: tuple[int, ...], offsets: bytes, rest_rotations: bytes, rig: str
) -> Figure:
    """The mannequin of the skeleton with these joints and the bytes of these arrays."""
    skeleton = Skeleton(
        names,
        parents,
        np.frombuffer(offsets, np.float32).reshape(-1, 3),
        np.frombuffer(rest_rotations, np.float32).reshape(-1, 4),
    )
    mannequin = make_mannequin_for_rig(skeleton, rig)
    if rig != VRM:
        skeleton = to_rig(rest_clip(skeleton), rig).skeleton
    binary = Binary()
    parts = {
        "nodes": [
            {"name": "mannequin", "mesh": 0, "skin": 0},
            {"name": "rig", "children": [FIRST_JOINT]},
            *joint_nodes(skeleton, FIRST_JOINT),
        ],
        "meshes": [{"name": "mannequin", "primitives": add_mannequin(binary, mannequin)}],
        "skins": [add_skin(binary, skeleton, range(len(skeleton.names)), RIG)],
        "materials": MATERIALS,
    }
    return Figure(parts, Binary([b"".join(binary.blocks)], binary.size, binary.views, binary.accessors))


def add_mannequin(binary: Binary, mannequin: Mannequin) -> list[dict[str, Any]]:
    """Append the mannequin; returns a primitive for each material, all on the same vertices."""
    every = [slice(0, len(mannequin.positions))]
    arrays = {
        "POSITION": ("VEC3", mannequin.positions),
        "NORMAL": ("VEC3", mannequin.normals),
        "JOINTS_0": ("VEC4", mannequin.joints),
        "WEIGHTS_0": ("VEC4", mannequin.weights),
    }
    attributes = {
        name: binary.add_attribute(array, kind, every, bounds=name == "POSITION")[0]
        for name, (kind, array) in arrays.items()
    }
    lengths = [triangles.size for triangles in mannequin.triangles]
    corners = np.concatenate([triangles.ravel() for triangles in mannequin.triangles])
    indices = binary.add_attribute(corners, "SCALAR", consecutive(lengths), target=INDICES)
    return [{"attributes": attributes, "indices": index, "material": k} for k, index in enumerate(indices)]


def add_skin(binary: Binary, skeleton: Skeleton, chosen: Sequence[int], rig: int) -> dict[str, Any]:
    """Append the inverse bind matrices, which undo the rest pose; returns the skin.

    Args:
        chosen: joints of the skeleton that the skin's joints are.
        rig: node of the rig; its joints' nodes follow.
    """
    places, turns = (array[list(chosen)] for array in rest_pose(skeleton))
    count = len(places)
    back = to_matrix(conjugate(turns))
    inverse_bind = np.tile(np.eye(4, dtype=np.float32), (count, 1, 1))
    inverse_bind[:, :3, :3] = back.swapaxes(1, 2)  # column-major: matrices are transposed in memory
    inverse_bind[:, 3, :3] = -(back @ places[..., None])[..., 0]
    view = binary.add_view(inverse_bind.tobytes())
    matrices = binary.add_accessor(bufferView=view, componentType=FLOAT, count=count, type="MAT4")
    joints = [rig + 1 + joint for joint in chosen]
    return {"name": "rig", "joints": joints, "skeleton": rig, "inverseBindMatrices": matrices}
