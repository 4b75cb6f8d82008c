"""Draw pictures of meshes with numpy and Pillow alone, fast enough for a contact sheet of every batch.

Each pixel is the mean of SUPERSAMPLING x SUPERSAMPLING samples, so edges are smooth. The light of a sample is looked up
in a table over normals (lighting.py) and darkened in creases and in the shadow of the key lamp (occlusion.py).

The camera is a pinhole camera. Values are interpolated without perspective, which is invisible on small triangles.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from PIL import Image

from .assets import Material, Mesh, Topology
from .errors import InputError
from .lighting import LEVELS, NORMALS, light_table
from .occlusion import open_share
from .rasterizer import IntArray, faces_camera, find_visible, planes
from .shading import SUPERSAMPLING, ByteArray, FloatArray, linear_to_bytes, srgb_to_linear, tone_curve

FIELD_OF_VIEW = 24.0  # degrees, an 85 mm lens on 36 mm film
FILL = 0.96  # share of the picture that the mesh takes
AZIMUTH, PITCH = 30.0, 5.0  # degrees about the mesh, and down
SMALL_TEXTURE = 32  # texels along a side; smaller textures keep their hard edges
TONES, BRIGHTEST = 4096, 2.0  # entries of the tone table, linear light of the last one


@dataclass(frozen=True)
class Palette:
    """Texels of a mesh's materials in one row; a material without textures has one texel.

    Attributes:
        colors: (t, 3) uint8 sRGB base colors.
        lights: (t,) uint8, index of the texel's light table.
        starts, widths, heights: of each material: its first texel, and the size of its textures.
        factors, additions: (tables * NORMALS * NORMALS, 3) float32 of the light tables, one after the other.
    """

    colors: ByteArray
    lights: ByteArray
    starts: IntArray
    widths: IntArray
    heights: IntArray
    factors: FloatArray
    additions: FloatArray


def render(mesh: Mesh, size: int, azimuth: float = AZIMUTH, pitch: float = PITCH) -> ByteArray:
    """Draw a mesh so that it fills the picture.

    Args:
        mesh: Any; its back faces aren't seen.
        size: Pixels along both sides.
        azimuth: Degrees that the camera stands about the mesh: 0 looks into its face, 90 at its left side.
        pitch: Degrees that the camera looks down.

    Returns:
        (size, size, 4) uint8 sRGB picture with alpha, transparent around the mesh.

    Raises:
        InputError: Size is not above 0, or the mesh has no faces.
    """
    (picture,) = render_views(mesh, size, (azimuth,), pitch)
    return np.asarray(picture)


def render_views(mesh: Mesh, size: int, azimuths: Sequence[float], pitch: float = 0.0) -> list[Image.Image]:
    """Draw a mesh from several sides, all at one distance so that they compare.

    Args:
        mesh: Any; its back faces aren't seen.
        size: Pixels along both sides of each picture.
        azimuths: Degrees about the mesh, one for each picture; see render.
        pitch: Degrees that the camera looks down.

    Returns:
        (size, size) sRGB images of mode RGBA, transparent around the mesh.

    Raises:
        InputError: Size is not above 0, or the mesh has no faces.

    >>> from ganassets.api.assets import Material, Mesh, Topology
    >>> quad, uvs = np.array([[0, 1, 2, 3]], np.int32), np.array([[0, 1], [1, 1], [1, 0], [0, 0]], np.float32)
    >>> topology = Topology(quad, quad, np.zeros(1, np.int32), uvs, vertex_count=4)
    >>> corners = np.array([[-1, 0, 0], [1, 0, 0], [1, 2, 0], [-1, 2, 0]], np.float32)
    >>> normals, joints = np.tile(np.float32([0, 0, 1]), (4, 1)), np.zeros((0, 3), np.float32)
    >>> plank = Mesh("plank", topology, corners, normals, joints, (Material("wood"),))
    >>> [picture.size for picture in render_views(plank, size=32, azimuths=(0, 45))]
    [(32, 32), (32, 32)]
    """
    if size < 1 or not len(mesh.topology.faces):
        raise InputError("a picture of a mesh needs a size above 0 and faces.")
    n = SUPERSAMPLING * size
    frames = [camera_frame(azimuth, pitch) for azimuth in azimuths]
    low, high = mesh.positions.min(0), mesh.positions.max(0)
    centered = mesh.positions - (low + high) / 2
    distance = max(fitting_distance(centered @ frame.T) for frame in frames)
    palette = palette_of(mesh.materials, n)
    return [draw_view(mesh, palette, centered @ frame.T, mesh.normals @ frame.T, distance, n) for frame in frames]


def camera_frame(azimuth: float, pitch: float) -> FloatArray:
    """Return the axes of a camera as rows (3, 3) float32: right, up and towards it; angles in degrees, see `render`."""
    a, p = math.radians(azimuth), math.radians(pitch)
    back = (math.cos(p) * math.sin(a), math.sin(p), math.cos(p) * math.cos(a))
    right = (math.cos(a), 0.0, -math.sin(a))
    return np.array([right, np.cross(back, right), back], np.float32)


def fitting_distance(points: FloatArray) -> float:
    """Return the smallest distance from the origin at which a camera sees all points (v, 3), in their unit."""
    reach = FILL * math.tan(math.radians(FIELD_OF_VIEW / 2))
    return float((np.abs(points[:, :2]).max(1) / reach + points[:, 2]).max()) or 1.0


def project_points(points: FloatArray, distance: float, n: int) -> tuple[FloatArray, FloatArray]:
    """Project points (v, 3) of a camera's frame into a picture of n x n samples, in its middle.

    Returns:
        (v, 2) float32 samples to the right and down, and (v,) float32 depths towards the camera, in samples too.
    """
    scale = n / (2 * math.tan(math.radians(FIELD_OF_VIEW / 2)) * (distance - points[:, 2:]))
    flat = points[:, :2] * scale
    middle = (flat.min(0) + flat.max(0)) / 2
    places = (flat - middle) * (1, -1) + n / 2
    return places.astype(np.float32), (points[:, 2] * scale.mean()).astype(np.float32)


@lru_cache(8)
def triangles_of(topology: Topology) -> tuple[IntArray, IntArray, IntArray]:
    """Split quads into two triangles each: (t, 3) vertices, (t, 3) texture coordinates and (t,) materials."""
    halves = ([0, 1, 2], [0, 2, 3])
    vertices, uvs = (
        np.concatenate([faces[:, k] for k in halves]).astype(np.int64) for faces in (topology.faces, topology.face_uvs)
    )
    return vertices, uvs, np.tile(topology.face_materials, 2).astype(np.int64)


def draw_view(
    mesh: Mesh, palette: Palette, points: FloatArray, normals: FloatArray, distance: float, n: int
) -> Image.Image:
    """Draw a mesh whose points and normals (v, 3) are in the camera's frame, at n x n samples; see render_views."""
    vertices, uvs, materials = triangles_of(mesh.topology)
    places, depths = project_points(points, distance, n)
    front = np.flatnonzero(faces_camera(places[vertices]))
    vertices, uvs, materials = vertices[front], uvs[front], materials[front]
    corners = places[vertices]
    samples = find_visible(corners, depths[vertices], n, n)

    half = NORMALS / 2
    shared = np.stack([*(normals[:, :2].T * (half - 1) + half + 0.5), depths])[:, vertices]
    texels = np.clip(mesh.topology.uvs, 0, 1 - 1e-6)[uvs].transpose(2, 0, 1)
    sizes = np.stack([palette.widths, palette.heights])[:, materials, None]
    values = np.concatenate([shared, texels * sizes]).astype(np.float32)
    nx, ny, depth, u, v = planes(corners, values).at(samples)
    # Values of slivers may lie a little outside of the range of their corners.
    normal = np.clip(ny.astype(np.int64) * NORMALS + nx.astype(np.int64), 0, NORMALS**2 - 1)
    texel = v.astype(np.int64) * palette.widths[materials].take(samples.triangles) + u.astype(np.int64)
    texel += palette.starts[materials].take(samples.triangles)
    np.clip(texel, 0, len(palette.colors) - 1, out=texel)

    entry = palette.lights.take(texel).astype(np.int64) * NORMALS**2 + normal
    colors = linear_table().take(palette.colors.take(texel, 0))
    colors *= palette.factors.take(entry, 0)
    colors += palette.additions.take(entry, 0)
    colors *= open_share(samples.places, depth, normal, n)
    colors *= (TONES - 1) / BRIGHTEST
    seen = np.full((len(texel), 4), 255, np.uint8)
    seen[:, :3] = tone_table().take(colors.astype(np.int32), mode="clip")
    picture = np.zeros(n * n, np.uint32)
    picture[samples.places] = seen.view(np.uint32)[:, 0]
    # In the mode RGBa, colors are multiplied with alpha, so that the mean of samples doesn't darken edges.
    return Image.frombuffer("RGBa", (n, n), picture, "raw", "RGBa", 0, 1).reduce(SUPERSAMPLING).convert("RGBA")


def palette_of(materials: Sequence[Material], n: int) -> Palette:
    """Collect the texels of materials for a picture of n x n samples."""
    looks = [texels_of(material, n) for material in materials]
    used = [
        (level, material.metallic)
        for material, (_, levels) in zip(materials, looks, strict=True)
        for level in ([int(levels[0, 0])] if material.roughness_map is None else np.unique(levels).tolist())
    ]
    tables = {table: number for number, table in enumerate(dict.fromkeys(used))}
    lights: list[ByteArray] = []
    for material, (_, levels) in zip(materials, looks, strict=True):
        numbers = [tables.get((level, material.metallic), 0) for level in range(LEVELS)]
        lights.append(np.array(numbers, np.uint8).take(levels.ravel()))
    sizes = np.array([colors.shape[:2] for colors, _ in looks])
    counts = sizes.prod(1)
    return Palette(
        np.concatenate([colors.reshape(-1, 3) for colors, _ in looks]),
        np.concatenate(lights),
        np.cumsum(counts) - counts,
        sizes[:, 1],
        sizes[:, 0],
        *light_tables(tuple(tables)),
    )


@lru_cache(8)
def light_tables(tables: tuple[tuple[int, float], ...]) -> tuple[FloatArray, FloatArray]:
    """The factors and the additions of light tables, given as roughness level and metallic, one after the other."""
    light = np.concatenate([light_table(*table) for table in tables])
    return np.ascontiguousarray(light[:, :3]), np.ascontiguousarray(light[:, 3:])


def texels_of(material: Material, n: int) -> tuple[ByteArray, ByteArray]:
    """Return colors (h, w, 3) uint8 sRGB and roughness levels (h, w) uint8, at about one texel per sample."""
    maps = [pixels for pixels in (material.albedo, material.roughness_map) if pixels is not None]
    h, w = fitting_size(maps[0].shape[0], maps[0].shape[1], n) if maps else (1, 1)
    base = np.array(material.base_colour)
    if material.albedo is None:
        colors = np.broadcast_to(linear_to_bytes(base), (h, w, 3))
    else:
        colors = resize_texture(material.albedo, h, w)
        if material.base_colour != (1.0, 1.0, 1.0):
            colors = linear_to_bytes(linear_table()[colors] * base)
    if material.roughness_map is None:
        return colors, np.full((h, w), round(material.roughness * (LEVELS - 1)), np.uint8)
    levels = np.rint(np.arange(256) * (material.roughness * (LEVELS - 1) / 255)).astype(np.uint8)
    return colors, levels[resize_texture(material.roughness_map, h, w)]


def fitting_size(h: int, w: int, n: int) -> tuple[int, int]:
    """Return the (h, w) of a texture for a mesh that fills n x n samples and shows about half the texture."""
    if w < SMALL_TEXTURE or n // 2 < w <= n:
        return h, w
    factor = 2.0 if w <= n // 2 else 2.0 ** -round(math.log2(w / n))
    return max(round(h * factor), 1), max(round(w * factor), 1)


def resize_texture(pixels: ByteArray, h: int, w: int) -> ByteArray:
    """Resize a texture (h, w, ...) uint8."""
    if pixels.shape[:2] == (h, w):
        return pixels
    method = Image.Resampling.BOX if w < pixels.shape[1] else Image.Resampling.BICUBIC
    return np.asarray(Image.fromarray(pixels).resize((w, h), method))


@lru_cache(1)
def tone_table() -> ByteArray:
    """Return the sRGB values (TONES,) uint8 of linear light from 0 to BRIGHTEST."""
    return linear_to_bytes(tone_curve(np.linspace(0, BRIGHTEST, TONES)))


@lru_cache(1)
def linear_table() -> FloatArray:
    """Return the linear values (256,) float32 of sRGB bytes."""
    return srgb_to_linear(np.arange(256) / 255).astype(np.float32)
