"""Smooth noise of any wavelength, and places in the units of a pattern, all from one noise map.

Everything is local and wraps: a texel depends on noise at most about 40 texels away, so a small network that gets the
same noise map can learn it, and larger maps hold more of the same.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property, lru_cache

import numpy as np

from ..spatial_noise import UNIT_SPREAD
from .operations import FloatArray, mix, roll, slopes, upsample
from .surface import MaterialSliders

COARSEST = 4  # binary logarithm of the most texels that white noise is averaged over
# White noises: channel of the noise map and shift in texels (down, right). The last two are shifted copies.
VIEWS = ((0, (0, 0)), (1, (0, 0)), (0, (16, 16)), (1, (-16, 16)))


class NoiseFields:
    """Named parts of a noise map, (h, w) each, computed on first use."""

    def __init__(self, maps: FloatArray) -> None:
        self.maps = maps
        self.fields: dict[tuple[int, int, int], FloatArray] = {}

    def field(self, white: int, down: int, right: int | None = None) -> FloatArray:
        """Return smooth noise of about unit variance: white noise averaged over 2**down x 2**right texels by B-splines.

        Args:
            white: Index of a white noise in VIEWS.
            down: Binary logarithm of the texels along y.
            right: The same along x; as `down` if None.
        """
        key = (white, down, down if right is None else right)
        if key not in self.fields:
            self.fields[key] = self._make_field(*key)
        return self.fields[key]

    def _make_field(self, white: int, down: int, right: int) -> FloatArray:
        channel, (dy, dx) = VIEWS[white]
        if (dy, dx) != (0, 0):
            return roll(self.field(channel, down, right), dy, dx)
        pooled = self._pool(channel, down, right)
        for _ in range(right):
            pooled = upsample(pooled, 1)
        for _ in range(down):
            pooled = upsample(pooled, 0)
        return pooled * (2 ** ((down + right) / 2) / (spline_gain(down) * spline_gain(right)))

    def _pool(self, channel: int, down: int, right: int) -> FloatArray:
        h, w = self.maps.shape[1:]
        rows = self.maps[channel].reshape(h, w >> right, 1 << right).mean(2) if right else self.maps[channel]
        return rows.reshape(h >> down, 1 << down, w >> right).mean(1) if down else rows

    def fractal(self, white: int, wavelength: float, falloff: float = 0.6, stretch: int = 0) -> FloatArray:
        """Return noise with features of about a wavelength and finer ones, of about unit variance.

        Args:
            white: Index of a white noise in VIEWS.
            wavelength: Texels; the noise changes continuously with it.
            falloff: Amplitude of each octave by that of the one twice as coarse.
            stretch: Octaves by which features are longer along x; along y if negative.
        """
        finest, highest = 0, COARSEST - abs(stretch)
        top = min(max(np.log2(max(wavelength, 1.0) / 2.5), 0.0), highest)
        weights = {k: falloff ** (top - k) * min(max(top - k + 1, 0.0), 1.0) for k in range(finest, highest + 1)}
        weights = {k: weight for k, weight in weights.items() if weight > 0.02}
        norm = sum(weights.values()) ** 0.5 * sum(w * w for w in weights.values()) ** 0.25
        out = np.zeros(self.maps.shape[1:], np.float32)
        for k, weight in weights.items():
            out += self.field(white, k + max(-stretch, 0), k + max(stretch, 0)) * (weight / norm)
        return out

    @cached_property
    def x(self) -> FloatArray:
        """Place in the unit of the lattice, -0.5 to 0.5 units from its centre to the right."""
        return np.arctan2(-self.maps[13], -self.maps[12]) * (0.5 / np.pi)

    @cached_property
    def y(self) -> FloatArray:
        """Place in the unit of the lattice, -0.5 to 0.5 units from its centre downwards."""
        return np.arctan2(-self.maps[5], -self.maps[4]) * (0.5 / np.pi)

    @cached_property
    def across(self) -> FloatArray:
        """Distance to the nearest upright joint in heights of a unit, 0.5 at most."""
        return np.abs(np.arctan2(self.maps[3], self.maps[2])) * (0.5 / np.pi)

    @property
    def unit(self) -> tuple[FloatArray, FloatArray]:
        """Two values in [-1, 1], constant within each unit of the lattice."""
        return self.maps[6] / UNIT_SPREAD, self.maps[7] / UNIT_SPREAD

    @property
    def cell(self) -> tuple[FloatArray, FloatArray]:
        """Two values in [-1, 1], constant within each cell."""
        return self.maps[10] / UNIT_SPREAD, self.maps[11] / UNIT_SPREAD

    @cached_property
    def edge(self) -> FloatArray:
        """Approximate distance to the cell's edge in units: 0 on the edge, 0.3 is far."""
        return (self.maps[8] * 0.25 + 0.38) / 2

    @cached_property
    def distance(self) -> FloatArray:
        """Distance to the cell's point in units."""
        return self.maps[9] * 0.17 + 0.4

    def tilt(self, scale: float) -> FloatArray:
        """Return a plane through each cell's point, tilted by the cell's values, about -1 to 1 at the cell's rim."""
        square = self.distance * self.distance
        # Half the gradient of the squared distance is the offset from the point.
        dx, dy = slopes(square)
        first, second = self.cell
        return (first * dx + second * dy) * scale

    def warp(self, amount: float, wavelength: float) -> Callable[[FloatArray], FloatArray]:
        """Make a function that shifts maps by smooth noise, so that straight edges wander.

        Args:
            amount: Root mean square shift in texels.
            wavelength: Texels of the noise.
        """
        h, w = self.maps.shape[1:]
        down = np.clip(self.fractal(2, wavelength, 0.35), -2.5, 2.5) * amount + np.arange(h, dtype=np.float32)[:, None]
        right = np.clip(self.fractal(3, wavelength, 0.35), -2.5, 2.5) * amount + np.arange(w, dtype=np.float32)
        row, column = np.floor(down).astype(np.intp), np.floor(right).astype(np.intp)
        down, right = down - row, right - column
        rows, columns = (row % h * w, (row + 1) % h * w), (column % w, (column + 1) % w)

        def warped(values: FloatArray) -> FloatArray:
            flat = values.ravel()
            upper, lower = (mix(flat[r + columns[0]], flat[r + columns[1]], right) for r in rows)
            return mix(upper, lower, down)

        return warped

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
