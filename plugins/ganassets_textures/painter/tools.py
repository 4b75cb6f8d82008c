"""What all materials are painted with: noise of any wavelength, places in the units of a pattern, colours, layers.

Everything is local and wraps: a texel depends on noise at most about 40 texels away, so a small network that gets the
same noise map can learn it, and bigger maps hold more of the same.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np
from numpy.typing import NDArray

from ..structure import UNIT_SPREAD

FloatArray = NDArray[np.floating]  # float32 throughout; plain numbers keep it so
Value = float | FloatArray

ROOT2 = 2**0.5
COARSEST = 4  # white noise is averaged over up to 2**4 texels
# Third and fourth white noise: the first two, seen from this many texels away (down, right).
VIEWS = ((0, (0, 0)), (1, (0, 0)), (0, (16, 16)), (1, (-16, 16)))


@dataclass(frozen=True)
class Sliders:
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
class Surface:
    """Maps on the way; height in texels before relief. Scalars stand for even maps."""

    colour: FloatArray
    height: Value
    roughness: Value
    metallic: Value = 0.0

    def under(
        self,
        cover: FloatArray,
        colour: FloatArray | None = None,
        roughness: Value | None = None,
        metallic: Value | None = None,
        height: Value | None = None,
    ) -> Surface:
        """The surface below another layer of that cover in [0, 1]; what is not given shows through."""
        return Surface(
            self.colour if colour is None else mix(self.colour, colour, cover),
            self.height if height is None else mix(self.height, height, cover),
            self.roughness if roughness is None else mix(self.roughness, roughness, cover),
            self.metallic if metallic is None else mix(self.metallic, metallic, cover),
        )

    def raised(self, height: Value) -> Surface:
        """The surface with that many texels added to its height."""
        return Surface(self.colour, self.height + height, self.roughness, self.metallic)


class Noise:
    """Named parts of a noise map, (h, w) each, made when they are asked for."""

    def __init__(self, maps: FloatArray) -> None:
        self.maps = maps
        self.fields: dict[tuple[int, int, int], FloatArray] = {}

    def field(self, white: int, down: int, right: int | None = None) -> FloatArray:
        """Smooth noise of about unit variance: white noise averaged over 2**down x 2**right texels, as B-splines."""
        key = (white, down, down if right is None else right)
        if key not in self.fields:
            self.fields[key] = self.make_field(*key)
        return self.fields[key]

    def make_field(self, white: int, down: int, right: int) -> FloatArray:
        channel, (dy, dx) = VIEWS[white]
        if (dy, dx) != (0, 0):
            return rolled(self.field(channel, down, right), dy, dx)
        pooled = self.pooled(channel, down, right)
        for _ in range(right):
            pooled = doubled(pooled, 1)
        for _ in range(down):
            pooled = doubled(pooled, 0)
        return pooled * (2 ** ((down + right) / 2) / (spline_gain(down) * spline_gain(right)))

    def pooled(self, channel: int, down: int, right: int) -> FloatArray:
        h, w = self.maps.shape[1:]
        rows = self.maps[channel].reshape(h, w >> right, 1 << right).mean(2) if right else self.maps[channel]
        return rows.reshape(h >> down, 1 << down, w >> right).mean(1) if down else rows

    def fractal(self, white: int, wavelength: float, falloff: float = 0.6, stretch: int = 0) -> FloatArray:
        """Noise of features of about that many texels and finer ones, of about unit variance.

        Args:
            white: which white noise, as in VIEWS.
            wavelength: texels; changes continuously.
            falloff: amplitude of each octave by that of the one twice as coarse.
            stretch: how many octaves longer the features are along x; along y where negative.
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
        """Place in the unit of the lattice, -0.5..0.5 units from its centre to the right."""
        return np.arctan2(-self.maps[13], -self.maps[12]) * (0.5 / np.pi)

    @cached_property
    def y(self) -> FloatArray:
        """Place in the unit of the lattice, -0.5..0.5 units from its centre downwards."""
        return np.arctan2(-self.maps[5], -self.maps[4]) * (0.5 / np.pi)

    @cached_property
    def across(self) -> FloatArray:
        """Distance to the nearest upright joint in heights of a unit, 0.5 at most."""
        return np.abs(np.arctan2(self.maps[3], self.maps[2])) * (0.5 / np.pi)

    @property
    def unit(self) -> tuple[FloatArray, FloatArray]:
        """Two values in [-1, 1], even within each unit of the lattice."""
        return self.maps[6] / UNIT_SPREAD, self.maps[7] / UNIT_SPREAD

    @property
    def cell(self) -> tuple[FloatArray, FloatArray]:
        """Two values in [-1, 1], even within each cell."""
        return self.maps[10] / UNIT_SPREAD, self.maps[11] / UNIT_SPREAD

    @cached_property
    def edge(self) -> FloatArray:
        """About the distance to the cell's edge, in units: 0 on the edge, 0.3 is far."""
        return (self.maps[8] * 0.25 + 0.38) / 2

    @cached_property
    def distance(self) -> FloatArray:
        """Distance to the cell's point, in units."""
        return self.maps[9] * 0.17 + 0.4

    def tilt(self, scale: float) -> FloatArray:
        """A plane through each cell's point that leans as the cell's values say, about -1..1 at the cell's rim."""
        square = self.distance * self.distance
        # Half the gradient of the squared distance is the offset from the point.
        dx, dy = slopes(square)
        first, second = self.cell
        return (first * dx + second * dy) * scale

    def warp(self, amount: float, wavelength: float) -> Callable[[FloatArray], FloatArray]:
        """Moves maps about by some texels (root mean square) of smooth noise, so that straight edges wander."""
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

    def border(self, s: Sliders, corner: float = 0.0) -> FloatArray:
        """Texels to the nearest joint of the lattice, corners rounded by a radius in units."""
        across = self.across * s.scale
        along = (0.5 - np.abs(self.y)) * s.scale
        radius = max(corner * s.scale * min(1.0, s.aspect), 1e-3)
        near_x, near_y = np.maximum(radius - across, 0), np.maximum(radius - along, 0)
        return radius - np.hypot(near_x, near_y) + np.maximum(np.minimum(across, along) - radius, 0)


@lru_cache
def spline_gain(steps: int) -> float:
    """Standard deviation of white noise after that many doublings along an axis."""
    impulse = np.zeros((1, 16), np.float32)
    impulse[0, 8] = 1
    for _ in range(steps):
        impulse = doubled(impulse, 1)
    return float(np.sqrt((impulse**2).sum() / 2**steps))


def rolled(values: FloatArray, down: int, right: int) -> FloatArray:
    """Values moved by whole texels."""
    return np.roll(values, (down, right), (0, 1))


def doubled(values: FloatArray, axis: int) -> FloatArray:
    """Twice as many values along an axis, by the mask of quadratic B-splines (Chaikin 1974)."""
    near, quarter = values * 0.75, values * 0.25
    before, after = near + np.roll(quarter, 1, axis), near + np.roll(quarter, -1, axis)
    shape = list(values.shape)
    shape[axis] *= 2
    return np.stack([before, after], axis + 1).reshape(shape)


def slopes(values: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Change by texel to the right and downwards, by central differences."""
    half = 0.5
    return (rolled(values, 0, -1) - rolled(values, 0, 1)) * half, (rolled(values, -1, 0) - rolled(values, 1, 0)) * half


def blurred(values: FloatArray) -> FloatArray:
    """Values averaged over 3 x 3 texels by the binomial weights."""
    rows = values * 0.5 + (rolled(values, 1, 0) + rolled(values, -1, 0)) * 0.25
    return rows * 0.5 + (rolled(rows, 0, 1) + rolled(rows, 0, -1)) * 0.25


def contours(values: FloatArray, width: Value) -> FloatArray:
    """1 on the zero contour of the values, falling to 0 at that many texels beside it."""
    dx, dy = slopes(values)
    away = np.abs(values) / (np.hypot(dx, dy) + 0.01)
    return step(width, 0.0, away)


def streaks(values: FloatArray, down: int, right: int, doublings: int) -> FloatArray:
    """Sum of 2**doublings values along a direction, by its root: keeps the variance of white noise."""
    for k in range(doublings):
        values = (values + rolled(values, down << k, right << k)) / ROOT2
    return values


def strokes(seeds: FloatArray, direction: tuple[float, float], doublings: int, taper: float) -> FloatArray:
    """Each seed drawn out along a direction for 2**doublings steps, losing `taper` a step; the highest one counts.

    Args:
        seeds: height of a stroke's start; those below 0 draw nothing that shows.
        direction: (down, right) of a step, texels.
        doublings: of the length.
        taper: what a step takes away.
    """
    for k in range(doublings):
        down, right = (round(part * 2**k) for part in direction)
        seeds = np.maximum(seeds, rolled(seeds, down, right) - (taper * 2**k))
    return seeds


def step(low: Value, high: Value, values: Value) -> FloatArray:
    """Smooth step: 0 at low, 1 at high, either way round."""
    t = np.clip((values - np.asarray(low, np.float32)) / np.asarray(high - low, np.float32), 0, 1)
    return t * t * (3 - 2 * t)


def mix(a: Value, b: Value, cover: Value) -> FloatArray:
    """A where the cover is 0, b where it is 1."""
    return np.asarray(a + (b - a) * cover, np.float32)


def between(z: float, low: float, high: float) -> float:
    """A standard normal number to one between two bounds, evenly spread."""
    return low + (high - low) * float(0.5 + 0.5 * np.tanh(0.8 * z))


def hsl(hue: float, saturation: float, lightness: float) -> FloatArray:
    """(3, 1, 1) sRGB of a hue (turns), saturation and lightness; the last two are clipped to [0, 1].

    The formula is that of CSS Color Module Level 4, section 7.1.
    """
    saturation, lightness = min(max(saturation, 0.0), 1.0), min(max(lightness, 0.0), 1.0)
    k = (np.array([0.0, 8.0, 4.0]) + 12 * hue) % 12
    bend = np.clip(np.minimum(k - 3, 9 - k), -1, 1)
    return (lightness - saturation * min(lightness, 1 - lightness) * bend).astype(np.float32).reshape(3, 1, 1)


def dome(distance: FloatArray, radius: Value) -> FloatArray:
    """Rounded profile from an edge: 0 at distance 0, 1 from the radius on."""
    t = np.clip(distance / np.asarray(radius, np.float32), 0, 1)
    return np.sqrt(t * (2 - t))


def stained(surface: Surface, noise: Noise, s: Sliders, amount: float, colour: FloatArray, white: int = 2) -> Surface:
    """Soft stains of a colour that spread as wear grows."""
    blot = noise.fractal(white, 48, 0.7)
    return surface.under(step(0.2, 1.9, blot + (2 * s.wear - 1)) * amount, colour)
