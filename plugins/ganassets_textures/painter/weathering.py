"""Weathering that several materials share: stains, moss and cracks."""

from __future__ import annotations

from .noise_fields import NoiseFields
from .operations import FloatArray, between, hsl, smoothstep
from .surface import MaterialSliders, PaintedSurface

MOSS = (0.2, 0.4, 0.25)  # hue, saturation and lightness


def add_stains(
    surface: PaintedSurface, noise: NoiseFields, s: MaterialSliders, amount: float, colour: FloatArray, white: int = 2
) -> PaintedSurface:
    """Add soft stains of a colour, which spread as wear grows."""
    blot = noise.slow(0, white)
    return surface.overlay(smoothstep(0.2, 1.9, blot + (2 * s.wear - 1)) * amount, colour)


def add_moss(
    surface: PaintedSurface, n: NoiseFields, s: MaterialSliders, z: float, shelter: FloatArray
) -> PaintedSurface:
    """Add moss in sheltered places; it grows with wear, on some materials only."""
    growth = s.wear * between(z - 1.7, 0.0, 2.6)
    patch = smoothstep(1.0, 1.7, n.slow(1, 2, 40) * 0.5 + shelter * 0.9 + (growth - 0.6))
    hue, saturation, lightness = MOSS
    moss = hsl(hue, saturation, lightness) * (1 + n.fractal(0, 5, 0.9) * 0.3)
    return surface.overlay(patch, moss, 0.95).displace(patch * (1 + n.field(0, 1)) * 0.5)


def add_cracks(surface: PaintedSurface, n: NoiseFields, s: MaterialSliders, depth: float) -> PaintedSurface:
    """Add cracks along the wandering borders of blocks: none when new, along most borders when worn.

    Args:
        surface: Surface to crack.
        n: Noise.
        s: Sliders.
        depth: Texels; 0 keeps the height.
    """
    away = n.crack + n.field(0, 1) * 0.25
    open_ = smoothstep(1.5 - 2.1 * s.wear, 2.3 - 2.1 * s.wear, n.slow(0, 3, 40, 0.75))
    crack = smoothstep(0.5 + 0.9 * s.wear, 0.1, away) * open_
    surface = surface.overlay(smoothstep(5.0, 0.0, away) * open_ * 0.25, surface.colour * 0.6)
    return surface.overlay(crack, surface.colour * 0.4, 0.95).displace(crack * -depth)
