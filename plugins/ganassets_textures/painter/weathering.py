"""Weathering that several materials share: stains, moss and cracks."""

from __future__ import annotations

import numpy as np

from .noise_fields import NoiseFields
from .operations import FloatArray, between, hsl, smoothstep
from .surface import MaterialSliders, PaintedSurface

MOSS = (0.2, 0.4, 0.25)  # hue, saturation and lightness


def add_stains(
    surface: PaintedSurface, noise: NoiseFields, s: MaterialSliders, amount: float, colour: FloatArray, white: int = 2
) -> PaintedSurface:
    """Add soft stains of a colour, which spread as wear grows."""
    blot = noise.fractal(white, 48, 0.7)
    return surface.overlay(smoothstep(0.2, 1.9, blot + (2 * s.wear - 1)) * amount, colour)


def add_moss(
    surface: PaintedSurface, n: NoiseFields, s: MaterialSliders, z: float, shelter: FloatArray
) -> PaintedSurface:
    """Add moss in sheltered places; it grows with wear, on some materials only."""
    growth = s.wear * between(z - 1.7, 0.0, 2.6)
    patch = smoothstep(1.0, 1.7, n.fractal(2, 40, 0.8) * 0.5 + shelter * 0.9 + (growth - 0.6))
    hue, saturation, lightness = MOSS
    moss = hsl(hue, saturation, lightness) * (1 + n.fractal(0, 5, 0.9) * 0.3)
    return surface.overlay(patch, moss, 0.95).displace(patch * (1 + n.field(0, 1)) * 0.5)


def add_cracks(surface: PaintedSurface, n: NoiseFields, s: MaterialSliders, depth: float) -> PaintedSurface:
    """Add cracks along wandering cell edges, with dirt beside them: none when new, along nearly all edges when worn.

    Args:
        surface: Surface to crack.
        n: Noise.
        s: Sliders.
        depth: Texels; 0 keeps the height.
    """
    edge = n.warp(0.07 * s.scale, 0.3 * s.scale)(n.edge) * s.scale * np.maximum(1 + n.fractal(0, 8, 0.8) * 0.5, 0.3)
    open_ = smoothstep(1.9 - 2.1 * s.wear, 3.1 - 2.1 * s.wear, n.field(3, 4))
    crack = smoothstep(0.5 + 0.8 * s.wear, 0.1, edge) * open_
    surface = surface.overlay(smoothstep(6.0, 0.0, edge) * open_ * 0.3, surface.colour * 0.55)
    return surface.overlay(crack, surface.colour * 0.35, 0.95).displace(crack * -depth)
