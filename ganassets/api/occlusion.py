"""Compute ambient occlusion and shadows of a mesh from a coarse depth map.

Ambient occlusion measures how high the surface rises around a place (Bavoil et al. 2008, "Image-space horizon-based
ambient occlusion"); the key lamp's shadow does the same towards the lamp. Both are soft, so a quarter of the resolution
is enough.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from .lighting import KEY, NORMALS, key_share
from .rasterizer import IntArray
from .shading import FloatArray

COARSE = 4  # samples along both axes that share one value
DIRECTIONS, REACHES = 6, (0.025, 0.05, 0.1)  # around a place; in picture sizes
OCCLUSION, FADE = 1.25, 3.0  # strength, and how fast it falls with the reach
BIAS = 0.12  # sine of the least angle that hides light: smooth normals and flat faces differ by about that
DARKEST = 0.25  # light that is left in the deepest crease
STEEPEST = 0.1  # least cosine between a normal and the camera
SHADOW_REACHES = (0.025, 0.05, 0.08, 0.12, 0.17, 0.23)  # in picture sizes
SHADOW, SOFTNESS = 0.7, 0.5  # share of the key lamp's light that is taken, slope over which it fades in
# Light in a crease was reflected by the surface around it, which is red as skin more often than blue.
TINT = (0.85, 1.0, 1.1)  # exponents for red, green and blue

Number = TypeVar("Number", bound=np.generic)
Slope = Callable[[float, float, float], FloatArray]  # right, up, reach in picture sizes -> (m, m) rise per length


def open_share(places: IntArray, depths: FloatArray, normals: IntArray, n: int) -> FloatArray:
    """Return the share (p, 3) float32 of the light that reaches each sample.

    Args:
        places: (p,) of the samples in a picture of n x n samples, row by row.
        depths: (p,) towards the camera, in samples.
        normals: (p,) entries of the light table.
        n: Samples.
    """
    height = coarse_map(places, depths / COARSE, n, -4.0 * n)
    entries = coarse_map(places, normals, n, 0)
    m = len(height)
    edge = math.ceil(max(*REACHES, *SHADOW_REACHES) * m) + 1
    padded = np.pad(height, edge, constant_values=-4 * n)

    def slope(right: float, up: float, reach: float) -> FloatArray:
        """Return the rise of the surface per length, towards a direction of the picture."""
        length = max(reach * m, 1.0)
        x, y = edge + round(right * length), edge - round(up * length)
        return (padded[y : y + m, x : x + m] - height) / np.float32(length)

    light = unoccluded(entries, slope) * (1 - SHADOW * shadow(slope) * key_share()[entries])
    light[height == -4 * n] = 1
    coarse = Image.fromarray(np.rint(light * 255).astype(np.uint8)).filter(ImageFilter.BoxBlur(1))
    fine = np.asarray(coarse.resize((n, n), Image.Resampling.BILINEAR)).ravel().take(places)
    shares = (np.arange(256, dtype=np.float32)[:, None] / 255) ** np.array(TINT, np.float32)
    return shares.take(fine, 0)


def coarse_map(places: IntArray, values: NDArray[Number], n: int, empty: float) -> NDArray[Number]:
    """Put values (p,) at places of a picture of n x n samples, `empty` elsewhere, and keep every COARSE-th: (m, m)."""
    fine = np.full(n * n, empty, values.dtype)
    fine[places] = values
    start = min(COARSE // 2, n - 1)
    return np.ascontiguousarray(fine.reshape(n, n)[start::COARSE, start::COARSE])


def unoccluded(entries: IntArray, slope: Slope) -> FloatArray:
    """Return the share (m, m) of the sky that each place sees; entries (m, m) of the light table are its normals."""
    half = NORMALS / 2
    ny, nx = (((values - half) / (half - 1)).astype(np.float32) for values in np.divmod(entries, NORMALS))
    nz = np.sqrt(np.maximum(1 - nx * nx - ny * ny, STEEPEST**2))
    hidden = np.zeros_like(nz)
    for k in range(DIRECTIONS):
        angle = 2 * math.pi * (k + 0.5) / DIRECTIONS
        right, up = math.cos(angle), math.sin(angle)
        tangent = sine(-(nx * right + ny * up) / nz) + np.float32(BIAS)
        most = np.zeros_like(nz)
        for reach in REACHES:
            weight = 1 / (1 + FADE * (reach / REACHES[-1]) ** 2)
            np.maximum(most, (sine(slope(right, up, reach)) - tangent) * np.float32(weight), out=most)
        hidden += most
    return np.maximum(1 - hidden * np.float32(OCCLUSION / DIRECTIONS), DARKEST)


def sine(slope: FloatArray) -> FloatArray:
    """Return the sine of the angle of a slope."""
    return slope / np.sqrt(1 + slope * slope)


def shadow(slope: Slope) -> FloatArray:
    """Return the share (m, m) of the key lamp that is hidden, 0 to 1."""
    right, up, near = KEY.unit.tolist()
    across = math.hypot(right, up)
    highest = slope(right / across, up / across, SHADOW_REACHES[0])
    for reach in SHADOW_REACHES[1:]:
        np.maximum(highest, slope(right / across, up / across, reach), out=highest)
    share = np.clip((highest - near / across) / SOFTNESS + 0.5, 0, 1)
    return share * share * (3 - 2 * share)
