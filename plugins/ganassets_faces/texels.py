"""The points of the head under the texels of its texture."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from .basis import NECK_STRIP, SKIN, load_basis

# Width of border_fade's ramp, as a fraction of the texture's side.
FADE_WIDTH = 0.06


@dataclass(frozen=True)
class TexelMap:
    """Texels of the skin's texture as points on triangles of the mesh.

    Attributes:
        vertices: (size * size, 3) int32 vertex indices of the triangle under (or nearest to) the texel.
        uvs: (size * size, 3) int32 indices into the basis' uvs, of the same triangle.
        weights: (size * size, 3) float32 barycentric weights.
        inside: (size, size) bool, whether the texel's centre lies on the skin island.
    """

    vertices: np.ndarray
    uvs: np.ndarray
    weights: np.ndarray
    inside: np.ndarray

    def interpolate(self, values: np.ndarray) -> np.ndarray:
        """Interpolate (v, c) vertex attributes at the texels: (size, size, c)."""
        size = len(self.inside)
        return np.einsum("tk,tkc->tc", self.weights, values[self.vertices]).reshape(size, size, -1)

    def interpolate_uv(self, values: np.ndarray) -> np.ndarray:
        """Interpolate (t, c) attributes of texture coordinates at the texels: (size, size, c)."""
        size = len(self.inside)
        return np.einsum("tk,tkc->tc", self.weights, values[self.uvs]).reshape(size, size, -1)


@lru_cache(8)
def texel_map(size: int) -> TexelMap:
    """Rasterise the skin island at size x size texels; texels outside take their nearest texel inside."""
    from scipy.ndimage import distance_transform_edt

    basis = load_basis()
    skin = basis.face_materials == SKIN
    quads, quad_uvs = basis.faces[skin], basis.face_uvs[skin]
    triangles = np.concatenate([quads[:, [0, 1, 2]], quads[:, [0, 2, 3]]])
    triangle_uvs = np.concatenate([quad_uvs[:, [0, 1, 2]], quad_uvs[:, [0, 2, 3]]])
    corners = basis.uvs[triangle_uvs].astype(np.float64) * size - 0.5
    owner = np.full((size, size), -1)
    weights = np.zeros((size, size, 3))
    for i, corner in enumerate(corners):
        x0, y0 = np.maximum(np.ceil(corner.min(0)).astype(int), 0)
        x1, y1 = np.minimum(np.floor(corner.max(0)).astype(int), size - 1)
        if x1 < x0 or y1 < y0:
            continue
        x, y = np.meshgrid(np.arange(x0, x1 + 1), np.arange(y0, y1 + 1))
        bary = barycentric(corner, np.stack([x, y], -1))
        hit = (bary >= -1e-6).all(-1)
        owner[y[hit], x[hit]] = i
        weights[y[hit], x[hit]] = bary[hit]
    inside = owner >= 0
    rows, columns = np.asarray(distance_transform_edt(~inside, return_distances=False, return_indices=True))
    owner, weights = owner[rows, columns].ravel(), weights[rows, columns].reshape(-1, 3)
    return TexelMap(triangles[owner], triangle_uvs[owner], weights.astype(np.float32), inside)


def barycentric(triangle: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Return the (..., 3) barycentric weights of (..., 2) points in a (3, 2) triangle."""
    a, b, c = triangle
    area = (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])
    if abs(area) < 1e-12:
        return np.full((*points.shape[:-1], 3), -1.0)
    x, y = points[..., 0], points[..., 1]
    wb = ((x - a[0]) * (c[1] - a[1]) - (y - a[1]) * (c[0] - a[0])) / area
    wc = ((b[0] - a[0]) * (y - a[1]) - (b[1] - a[1]) * (x - a[0])) / area
    return np.stack([1 - wb - wc, wb, wc], -1)


@lru_cache(8)
def border_fade(size: int) -> np.ndarray:
    """Return the weight of the networks' albedo: 0 on and outside the border where the skin is cut, 1 well inside.

    The holes of eyes and mouth are not cuts: their rims stay at 1.

    Args:
        size: Texels along a side.

    Returns:
        (size, size) float32, smooth between 0 and 1.
    """
    from scipy.ndimage import binary_fill_holes, distance_transform_edt

    island = np.asarray(binary_fill_holes(texel_map(size).inside))
    row = int(np.floor(NECK_STRIP * size))
    island[row:] = False  # the neck's strip counts as border
    distance = np.asarray(distance_transform_edt(np.pad(island, 1)))[1:-1, 1:-1] / size
    t = np.clip((distance - 1.5 / size) / FADE_WIDTH, 0, 1)
    return (t * t * (3 - 2 * t)).astype(np.float32)
