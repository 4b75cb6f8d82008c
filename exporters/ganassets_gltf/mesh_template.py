"""Shared parts of the meshes of one topology in a GLB file, built once and kept as long as the topology exists."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np

from ganassets.api.assets import Topology
from ganassets.api.errors import InputError

from .binary import COMPONENT_TYPES, FLOAT, INDICES, BinaryChunk, column_bounds


@dataclass(frozen=True)
class MeshTemplate:
    """The shared part of the meshes of one topology.

    Attributes:
        vertices: (n,) index of the mesh's vertex that each vertex of the GLB file copies, primitive after primitive.
        spans: Rows of `vertices` that belong to each primitive.
        materials: Index of the mesh's material of each primitive.
        primitives: glTF's JSON of each primitive without positions and normals.
        binary: bytes, buffer views and accessors.
    """

    vertices: np.ndarray
    spans: tuple[slice, ...]
    materials: tuple[int, ...]
    primitives: tuple[dict[str, Any], ...]
    binary: BinaryChunk


_templates: WeakKeyDictionary[Topology, dict[tuple[bool, bool], MeshTemplate]] = WeakKeyDictionary()


def cached_template(topology: Topology, morphs: bool, rig: bool) -> MeshTemplate:
    """Return the template of a topology, with or without morph targets and skin weights; build it on first use."""
    templates = _templates.setdefault(topology, {})
    if (morphs, rig) not in templates:
        templates[morphs, rig] = make_template(topology, morphs, rig)
    return templates[morphs, rig]


def make_template(topology: Topology, morphs: bool, rig: bool) -> MeshTemplate:
    """Split a topology into primitives, one for each material that a face has, and encode what its meshes share.

    Raises:
        InputError: The topology has no faces.
    """
    parts = {k: split_material(topology, k) for k in np.unique(topology.face_materials).tolist()}
    parts = {k: (corners, triangles) for k, (corners, triangles) in parts.items() if len(triangles)}
    if not parts:
        raise InputError("a mesh without faces can't be written as glTF; give it at least one.")
    triangles = [indices for _, indices in parts.values()]
    lengths = [len(corners) for corners, _ in parts.values()]
    corners, spans = np.concatenate([corners for corners, _ in parts.values()]), consecutive_slices(lengths)
    index_type = np.uint16 if max(lengths) <= 0xFFFF else np.uint32
    vertices = corners[:, 0]

    binary = BinaryChunk()
    indices = binary.add_attribute(
        np.concatenate(triangles).astype(index_type), "SCALAR", consecutive_slices(map(len, triangles)), target=INDICES
    )
    attributes = {"TEXCOORD_0": binary.add_attribute(topology.uvs[corners[:, 1]], "VEC2", spans)}
    if rig:
        joints, weights = normalize_skin(topology)
        attributes["JOINTS_0"] = binary.add_attribute(joints[vertices], "VEC4", spans)
        attributes["WEIGHTS_0"] = binary.add_attribute(weights[vertices], "VEC4", spans)
    targets = add_morph_targets(binary, topology, vertices, spans, index_type) if morphs else []
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
    return MeshTemplate(vertices, tuple(spans), tuple(parts), tuple(primitives), binary.merge_blocks())


def consecutive_slices(lengths: Iterable[int]) -> list[slice]:
    """Make slices of given lengths, each of which starts where the one before it ends."""
    ends = list(itertools.accumulate(lengths, initial=0))
    return [slice(a, b) for a, b in itertools.pairwise(ends)]


def split_material(topology: Topology, material: int) -> tuple[np.ndarray, np.ndarray]:
    """Cut out one material's part of a mesh, with a vertex for each pair of vertex and texture coordinate.

    Returns:
        (n, 2) vertex and uv indices, and (3 * t,) indices into them of triangles, two to a quad.
    """
    chosen = topology.face_materials == material
    pairs = np.stack([topology.faces[chosen], topology.face_uvs[chosen]], -1).reshape(-1, 2)
    corners, inverse = np.unique(pairs, axis=0, return_inverse=True)
    quads = inverse.reshape(-1, 4)
    triangles = quads[:, (0, 1, 2, 0, 2, 3)].reshape(-1, 3)
    at = corners[triangles, 0]
    has_area = (at[:, 0] != at[:, 1]) & (at[:, 1] != at[:, 2]) & (at[:, 2] != at[:, 0])
    return corners, triangles[has_area].ravel()


def normalize_skin(topology: Topology) -> tuple[np.ndarray, np.ndarray]:
    """Bring a topology's skin into the form that glTF requires.

    No joint stands twice in a row, the joint is 0 where the weight is 0, and the sums are as close to 1 as float32
    allows.

    Returns:
        (v, 4) joints, uint8 or uint16, and (v, 4) float32 weights.
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


def add_morph_targets(
    binary: BinaryChunk, topology: Topology, vertices: np.ndarray, spans: list[slice], index_type: type
) -> list[list[int]]:
    """Append the morph targets.

    All accessors are sparse: expressions move few vertices, and 14 bytes for each moved vertex beat 12 for every
    vertex. Targets that don't move a primitive share an accessor with one zero, because more programs read that than
    an empty one.

    Returns:
        For each primitive the accessor of each target.
    """
    assert topology.morph_offsets is not None
    no_offsets = np.zeros((1, len(vertices), 3), np.float32)
    offsets = np.concatenate([topology.morph_offsets[:, vertices], no_offsets])
    moved: dict[tuple[int, int], np.ndarray] = {}  # key: primitive and target; target -1 moves nothing
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
            **column_bounds(offsets[target, spans[k]]),
            sparse=describe_sparse(len(rows), start, index_view, value_view, index_type),
        )
        start += len(rows)
    targets = range(len(topology.morph_names))
    return [[accessors[(k, t) if (k, t) in accessors else (k, -1)] for t in targets] for k in range(len(spans))]


def describe_sparse(count: int, start: int, index_view: int, value_view: int, index_type: type) -> dict[str, Any]:
    """Write the `sparse` part of an accessor of (3,) float32 values.

    Args:
        count: Number of values.
        start: Place of the first value in the views.
        index_view: Buffer view with the indices.
        value_view: Buffer view with the values.
        index_type: numpy type of the indices.
    """
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
