"""Write clips as glTF documents: with a mannequin for games and viewers, or without a mesh as a VRM animation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from ganassets.api.assets import MotionClip, Skeleton
from ganassets.api.errors import InputError
from ganassets.api.motion.editing import remove_travel, rest_clip
from ganassets.api.motion.kinematics import rest_pose, root_translations
from ganassets.api.motion.mannequin import SURFACES, VRM, Mannequin, make_mannequin_for_rig
from ganassets.api.motion.retarget import to_rig
from ganassets.api.motion.rigs import RIGS
from ganassets.api.motion.rotations import conjugate, to_matrix
from ganassets.api.motion.skeletons import HUMANOID_FINGERS

from .binary import FLOAT, INDICES, BinaryChunk
from .document import child_nodes, describe_asset, pack_document
from .mesh_template import consecutive_slices

VRM_ANIMATION = "VRMC_vrm_animation"
# Bones that a VRM humanoid must have.
SIDE_BONES = ("UpperArm", "LowerArm", "Hand", "UpperLeg", "LowerLeg", "Foot")
REQUIRED_BONES = ("hips", "spine", "head", *(f"{side}{name}" for side in ("left", "right") for name in SIDE_BONES))
MATERIALS = [
    {
        "name": name,
        "pbrMetallicRoughness": {"baseColorFactor": [*colour, 1.0], "metallicFactor": 0.0, "roughnessFactor": rough},
    }
    for name, colour, rough in SURFACES
]
RIG, FIRST_JOINT = 1, 2  # nodes; node 0 is the mesh


@dataclass(frozen=True)
class MannequinTemplate:
    """Shared parts of the clips of one skeleton in a GLB file.

    Attributes:
        parts: Nodes, meshes, skins and materials of the document; joint 0 is node FIRST_JOINT.
        binary: bytes, buffer views and accessors.
    """

    parts: dict[str, Any]
    binary: BinaryChunk


def encode_motion(clip: MotionClip, options: Mapping[str, Any]) -> bytes:
    """Encode a clip as GLB: a mannequin, its skeleton and the animation."""
    if options["root"] == "in-place":
        clip = remove_travel(clip)
    rig = options["rig"]
    template = cached_mannequin(clip.skeleton, rig)
    if rig != VRM:
        clip = to_rig(clip, rig)
    binary = template.binary.copy()
    document = {
        "asset": describe_asset(clip.provenance, fps=clip.fps, loop=clip.loop),
        "scene": 0,
        "scenes": [{"name": clip.name, "nodes": [0, 1]}],
        **template.parts,
        "animations": [add_animation(binary, clip, FIRST_JOINT, has_root=bool(RIGS[rig].root))],
    }
    return pack_document(document, binary)


def encode_vrma(clip: MotionClip, options: Mapping[str, Any]) -> bytes:
    """Encode a clip as VRM animation.

    The file holds joints without a mesh and says which bone of a VRM humanoid each is. Its rest pose is a T-pose, and
    only the hips have translations.

    Raises:
        InputError: The clip's skeleton lacks a bone that VRM requires.
    """
    if options["root"] == "in-place":
        clip = remove_travel(clip)
    names = clip.skeleton.names
    if missing := [name for name in REQUIRED_BONES if name not in names]:
        raise InputError(f"a VRM animation needs the joints {', '.join(missing)}, which {clip.name} lacks.")
    binary = BinaryChunk()
    bones = {name: {"node": node} for node, name in enumerate(names) if name in HUMANOID_FINGERS.names}
    document = {
        "asset": describe_asset(clip.provenance, fps=clip.fps, loop=clip.loop),
        "extensionsUsed": [VRM_ANIMATION],
        "extensions": {VRM_ANIMATION: {"specVersion": "1.0", "humanoid": {"humanBones": bones}}},
        "scene": 0,
        "scenes": [{"name": clip.name, "nodes": [0]}],
        "nodes": joint_nodes(clip.skeleton, 0),
        "animations": [add_animation(binary, clip, 0, has_root=False)],
    }
    return pack_document(document, binary)


def add_animation(binary: BinaryChunk, clip: MotionClip, first: int, has_root: bool) -> dict[str, Any]:
    """Append a clip's times, translations and rotations and return the animation; all are interpolated linearly.

    Args:
        binary: Chunk that gets the arrays.
        clip: The clip.
        first: Node of joint 0.
        has_root: Whether joint 0 is a root of the rig above the hips.
    """
    frames, count = clip.rotations.shape[:2]
    times = (np.arange(frames) / clip.fps).astype(np.float32)
    rotations = np.ascontiguousarray(clip.rotations.swapaxes(0, 1))
    shared = {"componentType": FLOAT, "count": frames}
    bounds = {"min": [0.0], "max": [float(times[-1])]}
    clock = binary.add_accessor(bufferView=binary.add_view(times.tobytes()), **shared, type="SCALAR", **bounds)
    translations = [
        binary.add_accessor(bufferView=binary.add_view(values.tobytes()), **shared, type="VEC3")
        for values in root_translations(clip, has_root)
    ]
    view = binary.add_view(rotations.tobytes())
    outputs = translations + [
        binary.add_accessor(bufferView=view, byteOffset=joint * rotations[0].nbytes, **shared, type="VEC4")
        for joint in range(count)
    ]
    targets = [(first + joint, "translation") for joint in range(len(translations))]
    targets += [(first + joint, "rotation") for joint in range(count)]
    return {
        "name": clip.name,
        "channels": [{"sampler": k, "target": {"node": node, "path": path}} for k, (node, path) in enumerate(targets)],
        "samplers": [{"input": clock, "output": output} for output in outputs],
    }


def joint_nodes(skeleton: Skeleton, first: int) -> list[dict[str, Any]]:
    """Write the joints at rest as nodes, where joint 0 is node `first`."""
    nodes = []
    for joint, name in enumerate(skeleton.names):
        node = {
            "name": name,
            "translation": skeleton.offsets[joint].tolist(),
            "rotation": skeleton.rest_rotations[joint].tolist(),
        }
        if children := child_nodes(skeleton.parents, joint, first):
            node["children"] = children
        nodes.append(node)
    return nodes


def cached_mannequin(skeleton: Skeleton, rig: str) -> MannequinTemplate:
    """Return the template of a skeleton's mannequin on a rig; the last few are kept."""
    arrays = (skeleton.offsets.tobytes(), skeleton.rest_rotations.tobytes())
    return _make_template(skeleton.names, skeleton.parents, *arrays, rig)


@lru_cache(maxsize=16)
def _make_template(
    names: tuple[str, ...], parents: tuple[int, ...], offsets: bytes, rest_rotations: bytes, rig: str
) -> MannequinTemplate:
    """Encode the mannequin of a skeleton, whose arrays are given as bytes so that they can be hashed."""
    skeleton = Skeleton(
        names,
        parents,
        np.frombuffer(offsets, np.float32).reshape(-1, 3),
        np.frombuffer(rest_rotations, np.float32).reshape(-1, 4),
    )
    mannequin = make_mannequin_for_rig(skeleton, rig)
    if rig != VRM:
        skeleton = to_rig(rest_clip(skeleton), rig).skeleton
    binary = BinaryChunk()
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
    return MannequinTemplate(parts, binary.merge_blocks())


def add_mannequin(binary: BinaryChunk, mannequin: Mannequin) -> list[dict[str, Any]]:
    """Append the mannequin and return a primitive for each material; all primitives share the same vertices."""
    rows = [slice(0, len(mannequin.positions))]
    arrays = {
        "POSITION": ("VEC3", mannequin.positions),
        "NORMAL": ("VEC3", mannequin.normals),
        "JOINTS_0": ("VEC4", mannequin.joints),
        "WEIGHTS_0": ("VEC4", mannequin.weights),
    }
    attributes = {
        name: binary.add_attribute(array, kind, rows, bounds=name == "POSITION")[0]
        for name, (kind, array) in arrays.items()
    }
    lengths = [triangles.size for triangles in mannequin.triangles]
    corners = np.concatenate([triangles.ravel() for triangles in mannequin.triangles])
    indices = binary.add_attribute(corners, "SCALAR", consecutive_slices(lengths), target=INDICES)
    return [{"attributes": attributes, "indices": index, "material": k} for k, index in enumerate(indices)]


def add_skin(binary: BinaryChunk, skeleton: Skeleton, chosen: Sequence[int], rig: int) -> dict[str, Any]:
    """Append the inverse bind matrices, which undo the rest pose, and return the skin.

    Args:
        binary: Chunk that gets the matrices.
        skeleton: The skeleton.
        chosen: Indices of the skeleton's joints that become the skin's joints.
        rig: Node of the rig; the nodes of its joints follow it.
    """
    places, rotations = (array[list(chosen)] for array in rest_pose(skeleton))
    count = len(places)
    back = to_matrix(conjugate(rotations))
    inverse_bind = np.tile(np.eye(4, dtype=np.float32), (count, 1, 1))
    inverse_bind[:, :3, :3] = back.swapaxes(1, 2)  # column-major: matrices are transposed in memory
    inverse_bind[:, 3, :3] = -(back @ places[..., None])[..., 0]
    view = binary.add_view(inverse_bind.tobytes())
    matrices = binary.add_accessor(bufferView=view, componentType=FLOAT, count=count, type="MAT4")
    joints = [rig + 1 + joint for joint in chosen]
    return {"name": "rig", "joints": joints, "skeleton": rig, "inverseBindMatrices": matrices}
