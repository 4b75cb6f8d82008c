"""Decode model outputs into head meshes, with numpy alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache

import numpy as np

from ganassets.api.assets import Material, Mesh, Topology
from ganassets.api.motion.rotations import cross
from ganassets.api.provenance import Provenance

from .basis import JOINT_PARENTS, JOINTS, MATERIALS, load_basis
from .eyes import eye_texture, iris_colour

EYE_TEXTURE_SIZE = 128
SKIN_ROUGHNESS = 0.55
# Linear colour of the inside of mouth and eyelids, and of the tongue.
MOUTH_COLOUR = (0.16, 0.035, 0.035)


@lru_cache(1)
def head_topology() -> Topology:
    """Return the topology that all heads share."""
    basis = load_basis()
    return Topology(
        faces=basis.faces,
        face_uvs=basis.face_uvs,
        face_materials=basis.face_materials.astype(np.int32),
        uvs=basis.uvs,
        vertex_count=basis.vertex_count,
        joint_names=JOINTS,
        joint_parents=JOINT_PARENTS,
        skin_joints=basis.joint_indices.astype(np.int32),
        skin_weights=basis.joint_weights,
        morph_names=basis.expression_names,
        morph_offsets=basis.expressions,
    )


@lru_cache(1)
def corner_order() -> tuple[np.ndarray, np.ndarray]:
    """Sort the quads' corners by vertex, for sums over the quads of each vertex.

    Returns:
        The quad of each corner in that order, and the index at which each vertex begins.
    """
    corners = load_basis().faces.ravel()
    order = np.argsort(corners, kind="stable")
    return order // 4, np.searchsorted(corners[order], np.arange(load_basis().vertex_count))


def head_normals(positions: np.ndarray) -> np.ndarray:
    """Compute (n, v, 3) float32 unit normals of (n, v, 3) positions: the mean of the quads' area-weighted normals."""
    faces = load_basis().faces
    a, b, c, d = (positions[:, faces[:, k]] for k in range(4))
    # The cross product of a quad's diagonals is twice its vector area.
    quad_normals = cross(c - a, d - b)
    quads, starts = corner_order()
    normals = np.add.reduceat(quad_normals[:, quads], starts, axis=1)
    length = np.sqrt((normals**2).sum(-1, keepdims=True))
    return (normals / np.maximum(length, 1e-12)).astype(np.float32)


def decode_heads(
    arrays: Mapping[str, np.ndarray],
    _manifest: object,
    names: Sequence[str],
    provenances: Sequence[Provenance],
    _settings: object,
) -> list[Mesh]:
    """Decode head meshes.

    Args:
        arrays: "positions" (n, v, 3) and "joints" (n, 5, 3) in metres, "albedo" (n, 3, h, w) sRGB in [0, 1].
        names: Names of the meshes.
        provenances: Provenance of each mesh.
    """
    positions, joints = arrays["positions"], arrays["joints"]
    normals = head_normals(positions)
    albedo = np.ascontiguousarray((arrays["albedo"] * 255 + 0.5).astype(np.uint8).transpose(0, 2, 3, 1))
    return [
        Mesh(name, head_topology(), positions[i], normals[i], joints[i], head_materials(albedo[i]), provenances[i])
        for i, name in enumerate(names)
    ]


def head_materials(albedo: np.ndarray) -> tuple[Material, ...]:
    """Return the materials skin, mouth and eyes for an (h, w, 3) uint8 sRGB skin."""
    skin, mouth, eyes = MATERIALS
    return (
        Material(skin, albedo=albedo, roughness=SKIN_ROUGHNESS),
        Material(mouth, base_colour=MOUTH_COLOUR, roughness=0.4),
        Material(eyes, albedo=eye_texture(iris_colour(albedo), EYE_TEXTURE_SIZE), roughness=0.12),
    )
