"""Light a mesh for a preview: a large key lamp from the upper left, a fill, a rim lamp and a soft sky.

The lamps stand with the camera, so light depends on the direction of a normal alone and is tabulated over it once (a
"matcap"). Directions are in the camera's frame: right, up, towards the camera. Colors and light are linear RGB.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from .shading import FloatArray, sky_reflectance

NORMALS = 128  # entries of a table along each of a normal's first two coordinates
LEVELS = 16  # levels of roughness
DIELECTRIC = 0.04  # reflectance of most non-metals, seen straight
SKY = np.array([0.40, 0.42, 0.46], np.float32)
GROUND = np.array([0.25, 0.225, 0.21], np.float32)
MIRRORED_SKY = 1.1  # brightness of the sky in mirrors
# How far light reaches around to the side that faces away from a lamp. Red reaches farthest, as in skin.
WRAP = np.array([0.34, 0.24, 0.2], np.float32)


@dataclass(frozen=True)
class Lamp:
    """A large lamp far away.

    Attributes:
        direction: Towards the lamp, of any length.
        color: Linear RGB; a white surface that faces a lamp of color 1 is 1 bright.
        width: Radius of its disc as seen from the mesh, radians; blurs its reflection.
    """

    direction: tuple[float, float, float]
    color: tuple[float, float, float]
    width: float

    @property
    def unit(self) -> FloatArray:
        """Unit vector (3,) towards the lamp."""
        direction = np.array(self.direction, np.float32)
        return direction / np.linalg.norm(direction)


KEY = Lamp((-0.55, 0.58, 0.78), (0.67, 0.635, 0.59), 0.22)
OTHERS = (
    Lamp((0.8, 0.05, 0.65), (0.17, 0.18, 0.2), 0.4),
    Lamp((0.75, 0.45, -0.62), (0.30, 0.33, 0.40), 0.35),
    Lamp((0.0, -0.3, 1.0), (0.11, 0.105, 0.10), 0.5),
)


@lru_cache(1)
def table_normals() -> FloatArray:
    """Return the unit normals (NORMALS, NORMALS, 3) of the table's entries; rows go along y, columns along x."""
    places = (np.arange(NORMALS, dtype=np.float32) - NORMALS / 2) / (NORMALS / 2 - 1)
    y, x = np.meshgrid(places, places, indexing="ij")
    stretch = np.maximum(np.hypot(x, y), 1)
    x, y = x / stretch, y / stretch
    return np.stack([x, y, np.sqrt(np.maximum(1 - x * x - y * y, 0))], -1)


def diffuse(normals: FloatArray, lamp: Lamp) -> FloatArray:
    """Return the light (..., 3) of a lamp on a white surface, softened around the edge of its shadow."""
    facing = normals @ lamp.unit
    return np.array(lamp.color, np.float32) * np.maximum((facing[..., None] + WRAP) / (1 + WRAP), 0) ** 1.5


def specular(normals: FloatArray, lamp: Lamp, roughness: float) -> FloatArray:
    """Return the light (..., 3) of a lamp that a rough mirror reflects to the camera (Trowbridge and Reitz)."""
    half = lamp.unit + np.array([0, 0, 1], np.float32)
    half /= np.linalg.norm(half)
    alpha2 = max(roughness**2, lamp.width / 2) ** 2
    spread = (normals @ half) ** 2 * (alpha2 - 1) + 1
    facing = np.clip(normals @ lamp.unit, 0, 1)
    visible = facing / (4 * (0.25 + 0.75 * facing) * (0.25 + 0.75 * normals[..., 2]))
    return np.array(lamp.color, np.float32) * (alpha2 / spread**2 * visible)[..., None]


@lru_cache(64)
def light_table(roughness_level: int, metallic: float) -> FloatArray:
    """Tabulate the light of a surface over its normals.

    Args:
        roughness_level: 0 to LEVELS - 1.
        metallic: 0 to 1.

    Returns:
        (NORMALS * NORMALS, 6) float32: three factors for the linear base color, and three values to add.
    """
    n = table_normals()
    roughness = roughness_level / (LEVELS - 1)
    up = 0.5 + 0.5 * n[..., 1:2]
    ambient = GROUND + (SKY - GROUND) * up
    lamps = (KEY, *OTHERS)
    scattered = sum((diffuse(n, lamp) for lamp in lamps), ambient)
    reflected = sum((specular(n, lamp, roughness) for lamp in lamps), np.zeros_like(n))
    facing = np.clip(n[..., 2:], 1e-3, 1)
    rough = np.full_like(facing, roughness)
    bias = sky_reflectance(np.zeros_like(facing), rough, facing)
    scale = sky_reflectance(np.ones_like(facing), rough, facing) - bias
    # The sky that is mirrored stands above the camera where the normal points upwards.
    sky = MIRRORED_SKY * (GROUND + (SKY - GROUND) * np.clip(0.5 + n[..., 1:2] * facing, 0, 1))
    factor = (1 - metallic) * scattered + metallic * (reflected + sky * scale)
    added = (1 - metallic) * DIELECTRIC * (reflected + sky * scale) + sky * bias
    return np.concatenate([factor, added], -1).reshape(-1, 6).astype(np.float32)


@lru_cache(1)
def key_share() -> FloatArray:
    """Return the share (NORMALS * NORMALS,) float32 of all scattered light that comes from the key lamp."""
    n = table_normals()
    key = diffuse(n, KEY).sum(-1)
    ambient = (GROUND + (SKY - GROUND) * (0.5 + 0.5 * n[..., 1:2])).sum(-1)
    return (key / (key + ambient + sum(diffuse(n, lamp).sum(-1) for lamp in OTHERS))).ravel().astype(np.float32)
