"""What all meshes of one topology share in a GLB: made once, then kept for as long as the topology lives."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np

from ganassets.api.assets import InputError, Topology

from .binary import COMPONENT_TYPES, FLOAT, INDICES, Binary, bounds_of


@dataclass(frozen=True)
class Frame:
    """The shared part.

    Attributes:
        vertices: (n,) vertex of the mesh that each vertex of the GLB is a copy of, primitive after primitive.
        spans: rows of each primitive in vertices.
        materials: the mesh's material of each primitive.
        primitives: glTF's JSON of each, but for positions and normals.
        binary: bytes, buffer views and accessors.
    """

    vertices: np.ndarray
    spans: tuple[slice, ...]
    materials: tuple[int, ...]
    primitives: tuple[dict[str, Any], ...]
    binary: Binary


_frames: WeakKeyDictionary[Topology, dict[tuple[bool, bool], Frame]] = WeakKeyDictionary()


def frame_of(topology: Topology, morphs: bool, rig: bool) -> Frame:
    """The frame of a topology, with or without morph targets and skin weights."""
    frames = _frames.setdefault(topology, {})
    if (morphs, rig) not in frames:
        frames[morphs, rig] = make_frame(topology, morphs, rig)
    return frames[morphs, rig]


def make_frame(topology: Topology, morphs: bool, rig: bool) -> Frame:
    """Split the topology into primitives, one for each material that a face has, and encode what they share."""
    parts = {k: split(topology, k) for k in np.unique(topology.face_materials).tolist()}
    parts = {k: (corners, triangles) for k, (corners, triangles) in parts.items() if len(triangles)}
    if not parts:
        raise InputError("a mesh without faces can't be written as glTF; give it at least one.")
    triangles = [indices for _, indices in parts.values()]
    lengths = [len(corners) for corners, _ in parts.values()]
    corners, spans = np.concatenate([corners for corners, _ in parts.values()]), consecutive(lengths)
    index_type = np.uint16 if max(lengths) <= 0xFFFF else np.uint32
    vertices = corners[:, 0]

    binary = Binary()
    indices = binary.add_attribute(
        np.concatenate(triangles).astype(index_type), "SCALAR", consecutive(map(len, triangles)), target=INDICES
    )
    attributes = {"TEXCOORD_0": binary.add_attribute(topology.uvs[corners[:, 1]], "VEC2", spans)}
    if rig:
        joints, weights = skin(topology)
        attributes["JOINTS_0"] = binary.add_attribute(joints[vertices], "VEC4", spans)
        attributes["WEIGHTS_0"] = binary.add_attribute(weights[vertices], "VEC4", spans)
    targets = add_targets(binary, topology, vertices, spans, index_type) if morphs else ()
    primitives = []
    for k in range(len(parts)):
        primitive = {
            "attributes": {name: accessors[k] for name, accessors in attributes.items()},
            "indices": indices[k],
            "material": k,
        }
        if targets:
            primitive["targets"] = [{"POSITION": accessor} for accessor in targets[k]]
        primitives.append(primitive)
    whole = Binary([b"".join(binary.blocks)], binary.size, binary.views, binary.accessors)
    return Frame(vertices, tuple(spans), tuple(parts), tuple(primitives), whole)


def consecutive(lengths: Any) -> list[slice]:
    """Slices of those lengths, one after the other."""
    ends = list(itertools.accumulate(lengths, initial=0))
    return [slice(a, b) for a, b in itertools.pairwise(ends)]


def split(topology: Topology, material: int) -> tuple[np.ndarray, np.ndarray]:
    """A material's part of the mesh, with a vertex for each pair of vertex and texture coordinate.

    Returns:
        (n, 2) vertex and uv indices, and (3 * t,) indices into them of triangles, two to a quad.
    """
    chosen = topology.face_materials == material
    pairs = np.stack([topology.faces[chosen], topology.face_uvs[chosen]], -1).reshape(-1, 2)
    corners, inverse = np.unique(pairs, axis=0, return_inverse=True)
    quads = inverse.reshape(-1, 4)
    triangles = quads[:, (0, 1, 2, 0, 2, 3)].reshape(-1, 3)
    at = corners[triangles, 0]
    whole = (at[:, 0] != at[:, 1]) & (at[:, 1] != at[:, 2]) & (at[:, 2] != at[:, 0])
    return corners, triangles[whole].ravel()


def skin(topology: Topology) -> tuple[np.ndarray, np.ndarray]:
    """(v, 4) joints and (v, 4) float32 weights as glTF wants them.

    No joint twice in a row, joint 0 where the weight is 0, and sums as close to 1 as float32 can be.
    """
    assert topology.skin_joints is not None and topology.skin_weights is not None
    joints, weights = topology.skin_joints.copy(), topology.skin_weights.astype(np.float64)
    for later in range(1, 4):
        for earlier in range(later):
            same = joints[:, earlier] == joints[:, later]
            weights[:, earlier] += np.where(same, weights[:, later], 0)
            weights[:, later] = np.where(same, 0, weights[:, later])
    weights = (weights / weights.sum(1, keepdims=True)).astype(np.float32)
    joints[weights == 0] = 0
    return joints.astype(np.uint8 if len(topology.joint_names) <= 256 else np.uint16), weights


def add_targets(
    binary: Binary, topology: Topology, vertices: np.ndarray, spans: list[slice], index_type: type
) -> list[list[int]]:
    """Append the morph targets; returns for each primitive the accessor of each target.

    All are sparse: expressions move few vertices, and 14 bytes for one that moves beat 12 for each that could.
    Those that leave a primitive alone share an accessor of one zero, which more programs read than an empty one.
    """
    assert topology.morph_offsets is not None
    nothing = np.zeros((1, len(vertices), 3), np.float32)
    offsets = np.concatenate([topology.morph_offsets[:, vertices], nothing])
    moved: dict[tuple[int, int], np.ndarray] = {}  # by primitive and target, -1 for the one that moves nothing
    for k, span in enumerate(spans):
        for target in range(len(offsets) - 1):
            rows = np.flatnonzero(offsets[target, span].any(-1))
            moved[(k, target) if len(rows) else (k, -1)] = rows if len(rows) else np.zeros(1, np.intp)

    values = np.concatenate([offsets[target, spans[k]][rows] for (k, target), rows in moved.items()])
    index_view = binary.add_view(np.concatenate(list(moved.values())).astype(index_type).tobytes())
    value_view = binary.add_view(values.tobytes())
    accessors: dict[tuple[int, int], int] = {}
    start = 0
    for (k, target), rows in moved.items():
        accessors[k, target] = binary.add_accessor(
            componentType=FLOAT,
            type="VEC3",
            count=spans[k].stop - spans[k].start,
            **bounds_of(offsets[target, spans[k]]),
            sparse=sparse_part(len(rows), start, index_view, value_view, index_type),
        )
        start += len(rows)
    targets = range(len(topology.morph_names))
    return [[accessors[(k, t) if (k, t) in accessors else (k, -1)] for t in targets] for k in range(len(spans))]


def sparse_part(count: int, start: int, index_view: int, value_view: int, index_type: type) -> dict[str, Any]:
    """GlTF's JSON of count sparse (3,) float32 values, the first being element `start` of the views."""
    index = np.dtype(index_type)
    return {
        "count": count,
        "indices": {
            "bufferView": index_view,
            "byteOffset": start * index.itemsize,
            "componentType": COMPONENT_TYPES[index],
        },
        "values": {"bufferView": value_view, "byteOffset": start * 12},
    }
