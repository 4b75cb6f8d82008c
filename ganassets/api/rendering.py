"""Pictures of meshes without any library but numpy: a depth buffer, smooth normals, textures, the light of shading.py.

The camera is a pinhole's; values are interpolated without regard to perspective, which doesn't show where triangles are
small.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from .assets import Material, Mesh, Topology
from .errors import InputError
from .shading import SUPERSAMPLING, ByteArray, FloatArray, Surface, cut_out, shade, to_linear

IntArray = NDArray[np.integer]

FIELD_OF_VIEW = 24.0  # degrees, an 85 mm lens on 36 mm film
FILL = 0.96  # share of the picture that the mesh takes
AZIMUTH, PITCH = 30.0, 5.0  # degrees about the mesh, and down
AT_ONCE = 2**20  # pixels of the triangles' rectangles that are looked at together
# Creases are darker (Luft et al. 2006, "Image Enhancement by Unsharp Masking the Depth Buffer"): reaches in picture
# sizes, and how much darker for a crease as deep as its reach is wide.
REACHES, DARKENING, DARKEST = (0.02, 0.06), 1.1, 0.35


@dataclass(frozen=True)
class Hits:
    """What is seen in the pixels that show the mesh.

    Attributes:
        pixels: (p,) row by row.
        triangles: (p,) which is seen there.
        weights: (p, 3) of its corners, float32.
        depths: (p,) towards the camera, float32.
    """

    pixels: IntArray
    triangles: IntArray
    weights: FloatArray
    depths: FloatArray


def render(mesh: Mesh, size: int, azimuth: float = AZIMUTH, pitch: float = PITCH) -> ByteArray:
    """(size, size, 4) uint8 sRGB picture of a mesh that fills it, transparent around it.

    Args:
        mesh: any; its back faces aren't seen.
        size: pixels.
        azimuth: degrees that the camera stands about the mesh: 0 looks into its face, 90 at its left side.
        pitch: degrees that the camera looks down.

    Raises:
        InputError: size is not above 0, or the mesh has no faces.
    """
    if size < 1 or not len(mesh.topology.faces):
        raise InputError("a picture of a mesh needs a size above 0 and faces.")
    n = SUPERSAMPLING * size
    frame = camera_frame(azimuth, pitch)
    places, depths = projected(mesh.positions @ frame.T, n)
    vertices, uvs, materials = triangles_of(mesh.topology)
    hits = visible(places[vertices], depths[vertices], n)

    def between(values: FloatArray, corners: IntArray) -> FloatArray:
        """(p, c) values between those of the triangles' corners."""
        return np.einsum("pk,pkc->pc", hits.weights, values[corners[hits.triangles]])

    normal = between((mesh.normals @ frame.T).astype(np.float32), vertices)
    surface = surface_of(mesh.materials, materials[hits.triangles], between(mesh.topology.uvs, uvs), normal)
    light = np.zeros((n * n, 3), np.float32)
    light[hits.pixels] = shade(surface, normal) * creases(hits, n)
    covered = np.zeros((n * n, 1), np.float32)
    covered[hits.pixels] = 1
    return cut_out(*(reduced(values.reshape(n, n, -1)) for values in (light, covered)))


def camera_frame(azimuth: float, pitch: float) -> FloatArray:
    """(3, 3) float32 rows right, up and towards a camera, in degrees as `render` has them."""
    a, p = math.radians(azimuth), math.radians(pitch)
    back = (math.cos(p) * math.sin(a), math.sin(p), math.cos(p) * math.cos(a))
    right = (math.cos(a), 0.0, -math.sin(a))
    return np.array([right, np.cross(back, right), back], np.float32)


def projected(seen: FloatArray, n: int) -> tuple[FloatArray, FloatArray]:
    """Pixels (v, 2) right and down, and depths (v,) towards the camera, of points (v, 3) in the camera's frame, so that
    they fill a picture of n x n pixels; depths in pixels too, about.
    """
    low, high = seen.min(0), seen.max(0)
    seen = seen - (low + high) / 2
    reach = FILL * math.tan(math.radians(FIELD_OF_VIEW / 2))
    distance = float((np.abs(seen[:, :2]).max(1) / reach + seen[:, 2]).max()) or 1.0
    scale = n / (2 * math.tan(math.radians(FIELD_OF_VIEW / 2)) * (distance - seen[:, 2:]))
    flat = seen[:, :2] * scale
    middle = (flat.min(0) + flat.max(0)) / 2
    places = (flat - middle) * (1, -1) + n / 2
    return places.astype(np.float32), (seen[:, 2] * n / (high - low).max()).astype(np.float32)


@lru_cache(8)
def triangles_of(topology: Topology) -> tuple[IntArray, IntArray, IntArray]:
    """(t, 3) vertices and (t, 3) texture coordinates of a mesh's triangles, two to a quad, and (t,) their materials."""
    halves = ([0, 1, 2], [0, 2, 3])
    vertices, uvs = (np.concatenate([faces[:, k] for k in halves]) for faces in (topology.faces, topology.face_uvs))
    return vertices, uvs, np.tile(topology.face_materials, 2)


def visible(corners: FloatArray, depths: FloatArray, n: int) -> Hits:
    """What is seen of triangles in a picture of n x n pixels.

    Args:
        corners: (t, 3, 2) pixels right and down; counter-clockwise triangles are seen.
        depths: (t, 3) of the corners.
        n: pixels.
    """
    nearest = np.full(n * n, -np.inf, np.float32)
    seen, weights = np.full(n * n, -1), np.zeros((n * n, 3), np.float32)
    for found in candidates(corners, depths, n):
        order = np.argsort(found.depths, kind="stable")
        winner = np.full(n * n, -1)
        winner[found.pixels[order]] = order  # the last one stays: the nearest
        winner = winner[winner >= 0]
        winner = winner[found.depths[winner] > nearest[found.pixels[winner]]]
        pixels = found.pixels[winner]
        nearest[pixels], seen[pixels] = found.depths[winner], found.triangles[winner]
        weights[pixels] = found.weights[winner]
    pixels = np.flatnonzero(seen >= 0)
    return Hits(pixels, seen[pixels], weights[pixels], nearest[pixels])


def candidates(corners: FloatArray, depths: FloatArray, n: int) -> Iterator[Hits]:
    """All pixels whose middles lie in triangles, some triangles at a time; see `visible`."""
    (ax, ay), (bx, by), (cx, cy) = corners.transpose(1, 2, 0).astype(np.float64)
    area = (bx - ax) * (cy - ay) - (by - ay) * (cx - ax)  # negative when counter-clockwise: rows run downwards
    low = np.clip(np.ceil(corners.min(1) - 0.5), 0, n).astype(np.int64)
    high = np.clip(np.floor(corners.max(1) - 0.5), -1, n - 1).astype(np.int64)
    wide, tall = np.maximum(high - low + 1, 0).T
    front = np.flatnonzero((area < 0) & (wide * tall > 0))
    ends = np.cumsum((wide * tall)[front])
    safe = np.where(area == 0, 1, area)
    # Weights of the first two corners as plane equations over the picture: a x + b y + c.
    planes = np.stack(
        [
            [(by - cy) / safe, (cx - bx) / safe, (bx * cy - by * cx) / safe],
            [(cy - ay) / safe, (ax - cx) / safe, (cx * ay - cy * ax) / safe],
        ]
    ).astype(np.float32)
    for part in np.split(front, np.searchsorted(ends, np.arange(AT_ONCE, ends[-1] if len(ends) else 0, AT_ONCE))):
        counts = (wide * tall)[part]
        triangle = np.repeat(part, counts)
        place = np.arange(len(triangle)) - np.repeat(np.cumsum(counts) - counts, counts)
        down, right = np.divmod(place, wide[triangle])
        x, y = low[triangle, 0] + right, low[triangle, 1] + down
        first, second = (
            a[triangle] * (x + np.float32(0.5)) + b[triangle] * (y + np.float32(0.5)) + c[triangle]
            for a, b, c in planes
        )
        third = 1 - first - second
        inside = (first >= 0) & (second >= 0) & (third >= 0)
        weights = np.stack([first, second, third], -1)[inside].astype(np.float32)
        triangle = triangle[inside]
        yield Hits(y[inside] * n + x[inside], triangle, weights, np.einsum("pk,pk->p", weights, depths[triangle]))


def surface_of(materials: tuple[Material, ...], which: IntArray, uvs: FloatArray, normal: FloatArray) -> Surface:
    """The materials (p,) at texture coordinates (p, 2)."""
    base = np.empty((len(which), 3), np.float32)
    roughness, metallic = np.empty((len(which), 1), np.float32), np.empty((len(which), 1), np.float32)
    for number, material in enumerate(materials):
        here = which == number
        base[here], roughness[here], metallic[here] = material.base_colour, material.roughness, material.metallic
        if material.albedo is not None:
            base[here] *= _LINEAR[sampled(material.albedo, uvs[here])]
        if material.roughness_map is not None:
            roughness[here] *= sampled(material.roughness_map[..., None], uvs[here]) / np.float32(255)
    return Surface(base, normal, roughness, metallic, np.ones_like(roughness))


def sampled(texture: ByteArray, uvs: FloatArray) -> ByteArray:
    """(p, c) texels of an (h, w, c) texture that are nearest to coordinates (p, 2)."""
    h, w = texture.shape[:2]
    columns, rows = (np.clip(uvs * (w, h), 0, (w - 1, h - 1)).astype(np.int64)).T
    return texture[rows, columns]


def creases(hits: Hits, n: int) -> FloatArray:
    """(p, 1) light that is left in creases: 1 outside of them."""
    depth, covered = np.zeros(n * n, np.float32), np.zeros(n * n, np.float32)
    depth[hits.pixels], covered[hits.pixels] = hits.depths, 1
    dark = np.zeros(len(hits.pixels), np.float32)
    for reach in REACHES:
        radius = max(round(reach * n), 1)
        around, weight = (blurred(values.reshape(n, n), radius).ravel()[hits.pixels] for values in (depth, covered))
        dark += np.maximum(around / weight - hits.depths, 0) / radius
    return np.maximum(1 - DARKENING * dark, DARKEST)[:, None]


def blurred(values: FloatArray, radius: int) -> FloatArray:
    """(n, n) means over squares, twice."""
    for _ in range(2):
        for _ in range(2):
            padded = np.pad(values, ((radius + 1, radius), (0, 0)))
            sums = np.cumsum(padded, 0, dtype=np.float64)
            values = ((sums[2 * radius + 1 :] - sums[: -2 * radius - 1]) / (2 * radius + 1)).T.astype(np.float32)
    return values


def reduced(values: FloatArray) -> FloatArray:
    """Means over the samples of each pixel."""
    n, _, channels = values.shape
    size = n // SUPERSAMPLING
    return values.reshape(size, SUPERSAMPLING, size, SUPERSAMPLING, channels).mean((1, 3))


_LINEAR = to_linear(np.arange(256) / 255).astype(np.float32)
