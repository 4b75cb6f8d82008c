"""Smooth noise of any wavelength, and places in the units of a pattern, all from one noise map.

All that reaches further than some texels is in the noise map already: a texel depends on white noise at most about 40
texels away, so a small network that gets the same noise map can learn to paint the same.
"""

from __future__ import annotations

from functools import cached_property, lru_cache

import numpy as np

from ..spatial_noise import CHANNELS, UNIT_SPREAD
from ..structure_noise import BORDER_LIMIT
from .operations import FloatArray, slopes, upsample
from .surface import MaterialSliders

COARSEST = 4  # binary logarithm of the most texels that white noise is averaged over


class NoiseFields:
    """Named parts of a noise map, (h, w) each, computed on first use."""

    def __init__(self, maps: FloatArray) -> None:
        self.maps = maps
        self.fields: dict[tuple[int, int], FloatArray] = {}

    def channel(self, name: str) -> FloatArray:
        """Return a channel of the noise map by its name in CHANNELS."""
        return self.maps[CHANNELS.index(name)]

    def field(self, white: int, level: int) -> FloatArray:
        """Return smooth noise of about unit variance: white noise averaged over 2**level texels a side by B-splines.

        Args:
            white: Index of a white noise, 0 to 3.
            level: Binary logarithm of the texels averaged over.
        """
        key = (white, level)
        if key not in self.fields:
            self.fields[key] = self._make_field(*key)
        return self.fields[key]

    def _make_field(self, white: int, level: int) -> FloatArray:
        h, w = self.maps.shape[1:]
        values = self.maps[white]
        if level == 0:
            return values
        values = values.reshape(h, w >> level, 1 << level).mean(2).reshape(h >> level, 1 << level, -1).mean(1)
        for axis in (1, 0):
            for _ in range(level):
                values = upsample(values, axis)
        return values * (2**level / spline_gain(level) ** 2)

    def fractal(self, white: int, wavelength: float, falloff: float = 0.6) -> FloatArray:
        """Return noise with features of about a wavelength and finer ones, of about unit variance.

        Args:
            white: Index of a white noise, 0 to 3.
            wavelength: Texels; the noise changes continuously with it.
            falloff: Amplitude of each octave by that of the one twice as coarse.
        """
        top = min(max(np.log2(max(wavelength, 1.0) / 2.5), 0.0), COARSEST)
        weights = {k: falloff ** (top - k) * min(max(top - k + 1, 0.0), 1.0) for k in range(COARSEST + 1)}
        weights = {k: weight for k, weight in weights.items() if weight > 0.02}
        norm = sum(weights.values()) ** 0.5 * sum(w * w for w in weights.values()) ** 0.25
        out = np.zeros(self.maps.shape[1:], np.float32)
        for k, weight in weights.items():
            out += self.field(white, k) * (weight / norm)
        return out

    def slow(self, index: int, white: int, wavelength: float = 48.0, share: float = 0.6) -> FloatArray:
        """Return noise of about unit variance whose features are larger than a unit, with finer ones on them.

        Args:
            index: Index of the slow noise, 0 or 1; 1 is the slower one.
            white: Index of the white noise that gives the finer features.
            wavelength: Texels of the finer features.
            share: Share of the slow noise.
        """
        rest = (1 - share * share) ** 0.5
        return self.channel(f"slow {index}") * share + self.fractal(white, wavelength, 0.75) * rest

    @cached_property
    def x(self) -> FloatArray:
        """Place in the unit of the lattice, -0.5 to 0.5 units from its centre to the right."""
        return np.arctan2(-self.channel("unit sin x"), -self.channel("unit cos x")) * (0.5 / np.pi)

    @cached_property
    def y(self) -> FloatArray:
        """Place in the unit of the lattice, -0.5 to 0.5 units from its centre downwards."""
        return np.arctan2(-self.channel("joint sin y"), -self.channel("joint cos y")) * (0.5 / np.pi)

    @cached_property
    def across(self) -> FloatArray:
        """Distance to the nearest upright joint in heights of a unit, 0.5 at most."""
        return np.abs(np.arctan2(self.channel("joint sin x"), self.channel("joint cos x"))) * (0.5 / np.pi)

    @property
    def unit(self) -> tuple[FloatArray, FloatArray]:
        """Two values in [-1, 1], constant within each unit of the lattice."""
        return self.channel("unit value 0") / UNIT_SPREAD, self.channel("unit value 1") / UNIT_SPREAD

    @property
    def cell(self) -> tuple[FloatArray, FloatArray]:
        """Two values in [-1, 1], constant within each cell."""
        return self.channel("cell value 0") / UNIT_SPREAD, self.channel("cell value 1") / UNIT_SPREAD

    @property
    def block(self) -> tuple[FloatArray, FloatArray]:
        """Two values in [-1, 1], constant within each block."""
        return self.channel("block value 0") / UNIT_SPREAD, self.channel("block value 1") / UNIT_SPREAD

    @cached_property
    def edge(self) -> FloatArray:
        """Approximate distance to the cell's edge in units: 0 on the edge, 0.3 is far."""
        return (self.channel("cell edge") * 0.25 + 0.38) / 2

    @cached_property
    def distance(self) -> FloatArray:
        """Distance to the cell's point in units."""
        return self.channel("cell distance") * 0.17 + 0.4

    @cached_property
    def block_edge(self) -> FloatArray:
        """Approximate distance to the block's edge in blocks: 0 on the edge, 0.3 is far."""
        return (self.channel("block edge") * 0.25 + 0.38) / 2

    @cached_property
    def crack(self) -> FloatArray:
        """Distance to the wandering border of the blocks in texels, BORDER_LIMIT at most."""
        return self.channel("block border") * 3 + (BORDER_LIMIT / 2)

    @cached_property
    def strand(self) -> tuple[FloatArray, FloatArray]:
        """Height of the upper strand, -1 where there is none and about 2 at most, and its value in [-1, 1]."""
        return self.channel("strand height") / 1.4 + 0.8, self.channel("strand value") / UNIT_SPREAD

    def tilt(self, scale: float) -> FloatArray:
        """Return a plane through each cell's point, tilted by the cell's values, about -1 to 1 at the cell's rim."""
        square = self.distance * self.distance
        # Half the gradient of the squared distance is the offset from the point.
        dx, dy = slopes(square)
        first, second = self.cell
        return (first * dx + second * dy) * scale

    def border(self, s: MaterialSliders, corner: float = 0.0) -> FloatArray:
        """Return the texels to the nearest joint of the lattice, with corners rounded by a radius in units."""
        across = self.across * s.scale
        along = (0.5 - np.abs(self.y)) * s.scale
        radius = max(corner * s.scale * min(1.0, s.aspect), 1e-3)
        near_x, near_y = np.maximum(radius - across, 0), np.maximum(radius - along, 0)
        return radius - np.hypot(near_x, near_y) + np.maximum(np.minimum(across, along) - radius, 0)


@lru_cache
def spline_gain(steps: int) -> float:
    """Return the standard deviation of white noise after upsampling that many times along an axis."""
    impulse = np.zeros((1, 16), np.float32)
    impulse[0, 8] = 1
    for _ in range(steps):
        impulse = upsample(impulse, 1)
    return float(np.sqrt((impulse**2).sum() / 2**steps))
