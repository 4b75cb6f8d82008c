"""Sliders of a material and its surface while it is painted."""

from __future__ import annotations

from dataclasses import dataclass

from .operations import FloatArray, Value, hsl, mix


@dataclass(frozen=True)
class MaterialSliders:
    """Physical values of a material's conditions; see materials.CONDITIONS."""

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
        """Return the main colour with its hue turned, saturation multiplied and lightness shifted: (3, 1, 1) sRGB."""
        return hsl(self.hue + hue, self.saturation * saturation, self.lightness + lightness)


@dataclass(frozen=True, eq=False)
class PaintedSurface:
    """Maps of a material while it is painted; height in texels before relief. A scalar is a constant map."""

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
        """Overlay a layer; values that are None keep those of the surface.

        Args:
            cover: Alpha of the layer in [0, 1].
            colour: (3, h, w) sRGB of the layer.
            roughness: Roughness of the layer in [0, 1].
            metallic: Metallic of the layer in [0, 1].
            height: Height of the layer in texels.
        """
        return PaintedSurface(
            self.colour if colour is None else mix(self.colour, colour, cover),
            self.height if height is None else mix(self.height, height, cover),
            self.roughness if roughness is None else mix(self.roughness, roughness, cover),
            self.metallic if metallic is None else mix(self.metallic, metallic, cover),
        )

    def displace(self, height: Value) -> PaintedSurface:
        """Add texels to the height."""
        return PaintedSurface(self.colour, self.height + height, self.roughness, self.metallic)
