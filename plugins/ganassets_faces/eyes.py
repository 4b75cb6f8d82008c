"""The eyes' texture: sclera, iris and pupil around the gaze axis; the albedo holds the iris colour in a patch."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

# Patch of albedo that holds the iris colour, outside the skin: x and y ranges as fractions of the size.
IRIS_PATCH_X, IRIS_PATCH_Y = (0.02, 0.16), (0.95, 0.99)
# Fractions of the texture's side; the sclera reaches to the back of the ball at 0.49.
IRIS_RADIUS, PUPIL_RADIUS = 0.25, 0.095
SCLERA, CORNER, PUPIL = (236, 229, 222), (212, 170, 158), (9, 8, 9)
FIBRES = 64
VEINS = 14
SEED = 11


def patch_slices(size: int) -> tuple[slice, slice]:
    """Return the rows and columns of the iris patch in albedo of size x size texels; never empty."""
    (x0, x1), (y0, y1) = ((round(a * size), round(b * size)) for a, b in (IRIS_PATCH_X, IRIS_PATCH_Y))
    return slice(min(y0, y1 - 1), y1), slice(min(x0, x1 - 1), x1)


def iris_colour(albedo: np.ndarray) -> np.ndarray:
    """Return the median of the iris patch of (h, h, 3) uint8 albedo: (3,) uint8 sRGB."""
    rows, columns = patch_slices(len(albedo))
    # A generator's patch blurs into its surroundings, so the border of a wide patch is left out.
    inset = slice(1, -1) if columns.stop - columns.start > 4 else slice(None)
    patch = albedo[rows, columns][:, inset].reshape(-1, 3)
    return np.rint(np.median(patch, 0)).astype(np.uint8)


def eye_texture(iris_colour: np.ndarray, size: int = 128) -> np.ndarray:
    """Draw the texture of an eyeball.

    Args:
        iris_colour: (3,) sRGB, in [0, 255].
        size: Texels along a side.

    Returns:
        (size, size, 3) uint8 sRGB, azimuthal about the gaze axis at the centre.
    """
    fixed, weight = eye_layers(size)
    texture = fixed + weight[..., None] * np.asarray(iris_colour, np.float32)
    return np.clip(texture, 0, 255, out=texture).astype(np.uint8)


@lru_cache(4)
def eye_layers(size: int) -> tuple[np.ndarray, np.ndarray]:
    """Draw the layers that don't depend on the iris colour.

    Args:
        size: Texels along a side.

    Returns:
        (size, size, 3) float32 sRGB to add, and (size, size) float32 weight of the iris colour.
    """
    rng = np.random.default_rng(np.random.Philox(SEED))
    centre = (size - 1) / 2
    y, x = ((np.mgrid[0:size, 0:size] - centre) / size).astype(np.float32)
    radius, angle = np.hypot(x, y), np.arctan2(y, x)
    texel = 1 / size
    white = sclera(radius, angle, texel, rng)
    shade = iris_shade(radius, angle, texel, rng)
    iris = 1 - smooth_edge(radius, IRIS_RADIUS, max(0.012, texel))
    pupil = 1 - smooth_edge(radius, PUPIL_RADIUS, max(0.006, texel))
    fixed = (white * (1 - iris)[..., None]) * (1 - pupil)[..., None] + pupil[..., None] * np.array(PUPIL)
    weight = shade * iris * (1 - pupil)
    # The iris is warmer near the pupil.
    collar = np.exp(-(((radius - PUPIL_RADIUS - 0.022) / 0.018) ** 2)) * weight * 0.35
    fixed += collar[..., None] * np.array((112, 76, 40))
    return fixed.astype(np.float32), (weight - collar).astype(np.float32)


def smooth_edge(radius: np.ndarray, at: float, width: float) -> np.ndarray:
    """Return 0 inside a radius and 1 outside, with a smooth step of the given width."""
    t = np.clip((radius - at) / width + 0.5, 0, 1)
    return t * t * (3 - 2 * t)


def iris_shade(radius: np.ndarray, angle: np.ndarray, texel: float, rng: np.random.Generator) -> np.ndarray:
    """Return the brightness of the iris: fibres run outwards from the pupil, and the limbal ring is dark."""
    shade = np.ones_like(radius)
    spacing = 2 * np.pi * np.maximum(radius, 0.05)
    for count, phase, turn in zip(
        rng.integers(9, 70, FIBRES), rng.uniform(0, 2 * np.pi, FIBRES), rng.normal(0, 4, FIBRES), strict=True
    ):
        visible = np.exp(-0.5 * (0.45 * 2 * np.pi * count * texel / spacing) ** 2)
        shade += 0.20 / np.sqrt(FIBRES / 2) * visible * np.cos(count * angle + phase + turn * radius / IRIS_RADIUS)
    ring = np.clip((radius - PUPIL_RADIUS) / (IRIS_RADIUS - PUPIL_RADIUS), 0, 1)
    shade *= 1.12 + 0.10 * np.cos(7 * ring) - 0.25 * (1 - smooth_edge(radius, PUPIL_RADIUS + 0.006, 0.02))
    return shade * (1 - 0.72 * smooth_edge(radius, IRIS_RADIUS - 0.016, 0.034))


def sclera(radius: np.ndarray, angle: np.ndarray, texel: float, rng: np.random.Generator) -> np.ndarray:
    """Return (..., 3) sRGB of the sclera: off-white, redder towards the corners, with faint veins outside the iris."""
    sideways = np.cos(angle) ** 2
    away = smooth_edge(radius, 0.36, 0.16)
    redness = (0.12 + 0.45 * sideways) * away
    for start, bend, phase in zip(
        rng.uniform(-0.5, 0.5, VEINS) + rng.choice([0, np.pi], VEINS), rng.uniform(8, 24, VEINS),
        rng.uniform(0, 2 * np.pi, VEINS), strict=True,
    ):  # fmt: skip
        path = start + 0.12 * np.sin(bend * radius * 4 + phase)
        off = np.abs((angle - path + np.pi) % (2 * np.pi) - np.pi) * radius
        width = np.hypot(0.0022, 0.5 * texel)
        redness += 0.28 * 0.0022 / width * np.exp(-0.5 * (off / width) ** 2) * smooth_edge(radius, 0.32, 0.08)
    white, red = np.array(SCLERA, float), np.array(CORNER, float)
    return white + np.clip(redness, 0, 1)[..., None] * (red - white)
