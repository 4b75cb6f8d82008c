"""Shapes that show a material. Each is as large as the material is in metres."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

SPHERE_ROWS, SPHERE_COLUMNS = 32, 64  # rows from pole to pole, columns around; the outline looks round
# Outward normal and direction of growing u of a cube's faces: front, right, back, left, top, bottom.
CUBE_FACES = (
    ((0, 0, 1), (1, 0, 0)),
    ((1, 0, 0), (0, 0, -1)),
    ((0, 0, -1), (-1, 0, 0)),
    ((-1, 0, 0), (0, 0, 1)),
    ((0, 1, 0), (1, 0, 0)),
    ((0, -1, 0), (1, 0, 0)),
)


@dataclass(frozen=True)
class Shape:
    """Triangles around the origin, wound counter-clockwise seen from outside.

    Attributes:
        positions: (n, 3) float32 metres.
        normals: (n, 3) float32.
        tangents: (n, 4) float32: direction of growing u, then 1; normal x tangent points to the top of the texture.
        uvs: (n, 2) float32, origin upper left; the material fills the unit square.
        indices: (3 t,) uint16.
    """

    positions: np.ndarray
    normals: np.ndarray
    tangents: np.ndarray
    uvs: np.ndarray
    indices: np.ndarray


def make_plane(width: float, height: float) -> Shape:
    """Make an upright plane that faces +Z like all assets and shows the material once."""
    corners = np.array([(0, 1), (1, 1), (1, 0), (0, 0)], float)
    positions = (corners - 0.5) * (width, -height)
    return make_shape(
        np.concatenate([positions, np.zeros((4, 1))], 1),
        np.tile([0, 0, 1], (4, 1)),
        np.tile([1, 0, 0], (4, 1)),
        corners,
        np.array([0, 1, 2, 0, 2, 3]),
    )


def make_cube(width: float, height: float) -> Shape:
    """Make a cube as wide as the material."""
    square = np.array([(-1, -1), (1, -1), (1, 1), (-1, 1)]) / 2
    normals, tangents = np.array(CUBE_FACES, float).transpose(1, 0, 2)[:, :, None].repeat(4, 2)
    up = np.cross(normals, tangents)
    right_by, up_by = np.tile(square, (6, 1, 1)).transpose(2, 0, 1)[..., None]
    positions = width * (normals / 2 + right_by * tangents + up_by * up)
    uvs = np.concatenate([right_by + 0.5, (0.5 - up_by) * width / height], -1)
    indices = (np.arange(6)[:, None] * 4 + [0, 1, 2, 0, 2, 3]).ravel()
    positions, normals, tangents, uvs = (values.reshape(24, -1) for values in (positions, normals, tangents, uvs))
    return make_shape(positions, normals, tangents, uvs, indices)


def make_sphere(width: float, height: float) -> Shape:
    """Make a sphere with meridians and parallels that shows the material twice around its equator.

    Its seam at the back closes if twice the tiling is a whole number.
    """
    v, u = np.mgrid[: SPHERE_ROWS + 1, : SPHERE_COLUMNS + 1].astype(float).reshape(2, -1)
    from_top, longitude = np.pi * v / SPHERE_ROWS, 2 * np.pi * (u / SPHERE_COLUMNS - 0.5)
    ring = np.sin(from_top)
    normals = np.stack([ring * np.sin(longitude), np.cos(from_top), ring * np.cos(longitude)], -1)
    tangents = np.stack([np.cos(longitude), np.zeros_like(u), -np.sin(longitude)], -1)
    uvs = np.stack([2 * u / SPHERE_COLUMNS, v / SPHERE_ROWS * width / height], -1)
    first = np.arange(SPHERE_ROWS)[:, None] * (SPHERE_COLUMNS + 1) + np.arange(SPHERE_COLUMNS)
    below = first + SPHERE_COLUMNS + 1
    quads = np.stack([below, below + 1, first + 1, first], -1)
    # Triangles with two corners at the same pole are left out.
    lower, upper = quads[:-1, :, (0, 1, 2)], quads[1:, :, (0, 2, 3)]
    indices = np.concatenate([lower.ravel(), upper.ravel()])
    return make_shape(normals * width / np.pi, normals, tangents, uvs, indices)


SHAPES: dict[str, Callable[[float, float], Shape]] = {"plane": make_plane, "sphere": make_sphere, "cube": make_cube}


def make_shape(
    positions: np.ndarray, normals: np.ndarray, tangents: np.ndarray, uvs: np.ndarray, indices: np.ndarray
) -> Shape:
    """Make a shape of (n, 3) tangents and the other arrays of `Shape`, of any number type."""
    signed = np.concatenate([tangents, np.ones((len(tangents), 1))], 1)
    positions, normals, signed, uvs = (values.astype(np.float32) for values in (positions, normals, signed, uvs))
    return Shape(positions, normals, signed, uvs, indices.astype(np.uint16))
