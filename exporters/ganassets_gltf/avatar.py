"""Put a head on the mannequin's body: joints and skin of a figure that stands on the ground in T-pose."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from ganassets.api.assets import Mesh, Skeleton, Topology
from ganassets.api.errors import InputError
from ganassets.api.motion.kinematics import rest_pose
from ganassets.api.motion.mannequin import Mannequin, make_mannequin, vertex_normals
from ganassets.api.motion.skeletons import HEAD_TOP, HUMANOID_FINGERS

FloatArray = NDArray[np.floating]
IntArray = NDArray[np.integer]
# Joint of a head -> its bone in VRM's humanoid, and that bone's parent.
BONES = {
    "neck": ("neck", "upperChest"),
    "head": ("head", "neck"),
    "jaw": ("jaw", "head"),
    "eyeLeft": ("leftEye", "head"),
    "eyeRight": ("rightEye", "head"),
}
REQUIRED = ("neck", "head")
# Lengths below are metres in the mannequin's size.
NECK_RAISE = 0.02  # height of the head's neck above the mannequin's, whose torso would reach the chin
# The collar is a tube from inside the head's neck down into the torso. Its upper end lies above the neck's rim and is
# narrower than the rim; its lower end lies below the neck's joint and has a half width and a half depth.
COLLAR_OVERLAP, COLLAR_WIDTH = 0.004, 0.95
COLLAR_DROP, COLLAR_HALF_WIDTH, COLLAR_HALF_DEPTH = 0.05, 0.058, 0.050


@dataclass(frozen=True, eq=False)
class Avatar:
    """A head with a body.

    Attributes:
        skeleton: VRM's humanoid with fingers, and with jaw and eyes if the head has them.
        head: The head's mesh at its place on the body.
        bones: For each of the head's joints, its index in the skeleton.
        body: Mesh of the body, moved by the skeleton.
    """

    skeleton: Skeleton
    head: Mesh
    bones: tuple[int, ...]
    body: Mannequin


def make_avatar(mesh: Mesh) -> Avatar:
    """Put a head on a body that fits its size.

    Raises:
        InputError: The mesh's joints are not those of a head.
    """
    names = mesh.topology.joint_names
    if not set(REQUIRED) <= set(names) <= set(BONES):
        raise InputError(
            f"a VRM avatar needs a head whose joints are {' and '.join(REQUIRED)}, with or without "
            f"{', '.join(name for name in BONES if name not in REQUIRED)}; {mesh.name} has "
            f"{', '.join(names) or 'none'}."
        )
    neck, head = (mesh.joints[names.index(name)] for name in REQUIRED)
    places = rest_pose(HUMANOID_FINGERS)[0]
    above_neck = places[HUMANOID_FINGERS.index("head"), 1] + HEAD_TOP - places[HUMANOID_FINGERS.index("neck"), 1]
    scale = np.float32((mesh.positions[:, 1].max() - neck[1]) / above_neck)
    raised = places[HUMANOID_FINGERS.index("neck")] + (0, NECK_RAISE, 0)
    shift = (scale * raised - neck).astype(np.float32)
    mesh = replace(mesh, positions=mesh.positions + shift, joints=mesh.joints + shift)
    skeleton = make_skeleton(scale, mesh)
    bones = tuple(skeleton.index(BONES[name][0]) for name in names)
    rim = find_neck_rim(mesh)
    body = cached_body(without_neck=len(rim) > 0)
    body = replace(body, positions=body.positions * scale)
    if len(rim):
        body = merge_mannequins(body, make_collar(mesh, rim, bones, skeleton, head + shift, scale))
    return Avatar(skeleton, mesh, bones, body)


@lru_cache(2)
def cached_body(without_neck: bool) -> Mannequin:
    """Make the mannequin without its head, with or without its neck."""
    return make_mannequin(HUMANOID_FINGERS, without=("head", "neck") if without_neck else ("head",))


def make_skeleton(scale: np.float32, mesh: Mesh) -> Skeleton:
    """Scale the humanoid and give it the joints of a head that is at its place."""
    names, parents = list(HUMANOID_FINGERS.names), list(HUMANOID_FINGERS.parents)
    places = list(scale * rest_pose(HUMANOID_FINGERS)[0].astype(np.float32))
    for name, place in zip(mesh.topology.joint_names, mesh.joints, strict=True):
        bone, above = BONES[name]
        if bone in names:
            places[names.index(bone)] = place
        else:
            parents.append(names.index(above))
            names.append(bone)
            places.append(place)
    at = np.array(places, np.float32)
    offsets = at - np.concatenate([np.zeros((1, 3), np.float32), at[parents[1:]]])
    still = np.tile(np.array([0, 0, 0, 1], np.float32), (len(names), 1))
    return Skeleton(tuple(names), tuple(parents), offsets, still)


def find_neck_rim(mesh: Mesh) -> IntArray:
    """Find the (n,) vertices around the mesh's lowest hole, in the order of its faces' edges; none if it is closed."""
    after = find_open_edges(mesh.topology)
    loops = []
    while after:
        start, here = after.popitem()
        loop = [start]
        while here != start and here in after:
            loop.append(here)
            here = after.pop(here)
        loops.append(np.array(loop))
    return min(loops, key=lambda loop: mesh.positions[loop, 1].mean(), default=np.zeros(0, int))


def find_open_edges(topology: Topology) -> dict[int, int]:
    """Map the first vertex of each edge that has a face on one side only to its second vertex."""
    edges = np.stack([topology.faces, np.roll(topology.faces, -1, 1)], -1).reshape(-1, 2)
    edges = edges[edges[:, 0] != edges[:, 1]]
    there, back = (edges[:, k] * topology.vertex_count + edges[:, 1 - k] for k in (0, 1))
    return dict(edges[~np.isin(there, back)].tolist())


def make_collar(
    mesh: Mesh, rim: IntArray, bones: tuple[int, ...], skeleton: Skeleton, head: FloatArray, scale: np.float32
) -> Mannequin:
    """Make a tube from the rim of a head's neck into the torso; it moves with the rim above and with the chest below.

    Args:
        mesh: The head at its place.
        rim: Vertices of the head around the neck's end.
        bones: For each of the head's joints, its index in the skeleton.
        skeleton: The avatar's skeleton.
        head: (3,) place of the head's joint, metres.
        scale: Scale of the body.
    """
    topology = mesh.topology
    assert topology.skin_joints is not None and topology.skin_weights is not None
    neck = mesh.joints[topology.joint_names.index("neck")]
    edge = mesh.positions[rim]
    middle = edge.mean(0)
    inner = middle + (edge - middle) * np.float32(COLLAR_WIDTH)
    up = (head - neck) / np.linalg.norm(head - neck)
    around = edge - middle
    angle = np.arctan2(around[:, 0], around[:, 2])
    low = neck + scale * np.stack(
        [COLLAR_HALF_WIDTH * np.sin(angle), np.full(len(rim), -COLLAR_DROP), COLLAR_HALF_DEPTH * np.cos(angle)], -1
    )
    rings = np.concatenate([inner + np.float32(COLLAR_OVERLAP) * up, inner, low]).astype(np.float32)
    count = len(rim)
    here, after = np.arange(count), np.roll(np.arange(count), -1)
    triangles = np.concatenate(
        [
            np.stack([quad[:, (0, 1, 2)], quad[:, (0, 2, 3)]], 1).reshape(-1, 3)
            for start in (0, count)
            for quad in [np.stack([after, here, here + count, after + count], -1) + start]
        ]
    ).astype(np.uint16)
    weights = np.concatenate([topology.skin_weights[rim]] * 2 + [np.tile(np.eye(4, dtype=np.float32)[0], (count, 1))])
    joints = np.concatenate(
        [np.array(bones)[topology.skin_joints[rim]]] * 2 + [np.full((count, 4), skeleton.index("upperChest"))]
    )
    joints[weights == 0] = 0  # glTF requires joint 0 where the weight is 0
    normals = vertex_normals(rings, triangles).astype(np.float32)
    return Mannequin(rings, normals, joints.astype(np.uint8), weights, (triangles[:0], triangles))


def merge_mannequins(a: Mannequin, b: Mannequin) -> Mannequin:
    """Merge two meshes that the same skeleton moves."""
    start = len(a.positions)
    body, joints = (np.concatenate([x, y + np.uint16(start)]) for x, y in zip(a.triangles, b.triangles, strict=True))
    return Mannequin(
        np.concatenate([a.positions, b.positions]),
        np.concatenate([a.normals, b.normals]),
        np.concatenate([a.joints, b.joints]),
        np.concatenate([a.weights, b.weights]),
        (body, joints),
    )
