"""Paint materials from sliders, a latent and a noise map, to teach the generator before it sees real materials.

Painting is a pure function: every stain, crack and chip comes from the noise map, so a network that gets the same map
can learn to paint the same. Everything is local and wraps, so maps of any size tile.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from . import metal, organic, stone
from .noise_fields import NoiseFields
from .operations import FloatArray
from .slider_ranges import draw_sliders
from .surface import MaterialSliders, PaintedSurface

__all__ = ["Z_DIM", "PaintedMaps", "draw_sliders", "paint_material"]

Z_DIM = 16  # size of the latent
MAX_HEIGHT = 16.0  # texels


@dataclass(frozen=True, eq=False)
class PaintedMaps:
    """Maps of a painted material, which wrap at their borders.

    Attributes:
        albedo: (3, h, w) float32 sRGB in [0, 1].
        height: (h, w) float32 texels above the mean surface, in [-16, 16].
        roughness, metallic: (h, w) float32 in [0, 1].
    """

    albedo: FloatArray
    height: FloatArray
    roughness: FloatArray
    metallic: FloatArray


PAINTERS: dict[str, Callable[[MaterialSliders, FloatArray, NoiseFields], PaintedSurface]] = {
    "brick": stone.brick,
    "cobble": stone.cobble,
    "tile": stone.tile,
    "plank": organic.plank,
    "bark": organic.bark,
    "fabric": organic.fabric,
    "leather": organic.leather,
    "brushed-metal": metal.brushed_metal,
    "painted-metal": metal.painted_metal,
    "rusted-metal": metal.rusted_metal,
    "marble": stone.marble,
    "concrete": stone.concrete,
    "plaster": stone.plaster,
    "rock": stone.rock,
    "ground": stone.ground,
    "gravel": stone.gravel,
    "sand": stone.sand,
    "grass": organic.grass,
}


def paint_material(material: str, sliders: Mapping[str, float], z: FloatArray, noise: FloatArray) -> PaintedMaps:
    """Paint all maps of a material.

    Args:
        material: One of materials.CLASSES.
        sliders: Physical values of hue, saturation, lightness, roughness, relief, wear, scale, aspect and stagger.
        z: (Z_DIM,) standard normals, which set all other differences between materials of a class.
        noise: (14, h, w) of spatial_noise.noise_map with the same scale, aspect and stagger; h and w multiples of 16.
    """
    s = MaterialSliders(**{name: float(value) for name, value in sliders.items()})
    surface = PAINTERS[material](s, z, NoiseFields(noise))
    size = noise.shape[1:]
    return PaintedMaps(
        np.clip(np.broadcast_to(surface.colour, (3, *size)), 0, 1).astype(np.float32),
        np.clip(np.broadcast_to(surface.height * s.relief, size), -MAX_HEIGHT, MAX_HEIGHT).astype(np.float32),
        np.clip(np.broadcast_to(surface.roughness, size), 0, 1).astype(np.float32),
        np.clip(np.broadcast_to(surface.metallic, size), 0, 1).astype(np.float32),
    )
