"""Sliders of a material and its surface while it is painted."""

from __future__ import annotations

from dataclasses import dataclass

from .operations import FloatArray, Value, hsl, mix


@dataclass(frozen=True)
class MaterialSliders:
    """Physical values of the conditions of a material; see materials.CONDITIONS."""

    hue: float
    saturation: float
    lightness: float
    roughness: float
    relief: float
    wear: float
    scale: float
    aspect: float
    stagger: float

    def colour(self, hue: float = 0.0, saturation: float = 1.0, lightness: float = 0.0) -> FloatArray:
        """(3, 1, 1) sRGB: the main colour with its hue turned, saturation multiplied and lightness moved."""
        return hsl(self.hue + hue, self.saturation * saturation, self.lightness + lightness)


@dataclass(frozen=True, eq=False)
class PaintedSurface:
    """Maps on the way; height in texels before relief. Scalars stand for even maps."""

    colour: FloatArray
    height: Value
    roughness: Value
    metallic: Value = 0.0

    def overlay(
        self,
        cover: FloatArray,
        colour: FloatArray | None = None,
        roughness: Value | None = None,
        metallic: Value | None = None,
        height: Value | None = None,
    ) -> PaintedSurface:
        """The surface below another layer of that cover in [0, 1]; what is not given shows through."""
        return PaintedSurface(
            self.colour if colour is None else mix(self.colour, colour, cover),
            self.height if height is None else mix(self.height, height, cover),
            self.roughness if roughness is None else mix(self.roughness, roughness, cover),
            self.metallic if metallic is None else mix(self.metallic, metallic, cover),
        )

    def displace(self, height: Value) -> PaintedSurface:
        """The surface with that many texels added to its height."""
        return PaintedSurface(self.colour, self.height + height, self.roughness, self.metallic)
