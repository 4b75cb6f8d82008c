"""Noise on the head's surface: banks of random waves and the noise fields mixed from them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from .masks import SKULL

# Banks of waves: wavelength in metres and number of waves.
BANKS = {"wide": (0.075, 16), "patch": (0.028, 20), "mottle": (0.013, 28), "spot": (0.0068, 32), "fine": (0.0042, 32)}
# Bank of each noise field. The banks "strands" and "brow strands" follow the hair; see canvas.make_canvas.
FIELDS = {
    "wide tone": "wide",
    "wide blood": "wide",
    "patch tone": "patch",
    "patch blood": "patch",
    "mottle tone": "mottle",
    "mottle blood": "mottle",
    "age spots": "mottle",
    "freckles": "spot",
    "fine": "fine",
    "ragged": "mottle",
    "curls": "spot",
    "strands": "strands",
    "sheen": "strands",
    "stubble": "fine",
    "beard patches": "patch",
    "brow strands": "brow strands",
}
# Direction from SKULL to the hair whorl on the crown.
SCALP_POLE = (0.0, 0.95, -0.31)


def plane_waves(
    points: np.ndarray, steps: np.ndarray, length: float, count: int, rng: np.random.Generator
) -> np.ndarray:
    """Draw random plane waves whose normally weighted sums are noise of unit variance.

    Args:
        points: (t, 3) coordinates.
        steps: (2, 3, t) change of the coordinates from texel to texel; waves fade where texels are too coarse.
        length: Mean wavelength, in the unit of the coordinates.
        count: Number of waves.
        rng: Random state.

    Returns:
        (2 * count, t) float32, cosines and sines.
    """
    direction = rng.standard_normal((count, 3))
    direction /= np.linalg.norm(direction, axis=1, keepdims=True)
    number = (direction * (2 * np.pi / length * np.exp(rng.normal(0, 0.3, (count, 1))))).astype(np.float32)
    phase = number @ points.T
    # The Fourier transform of a Gaussian texel footprint of 0.4 texels standard deviation.
    fade = np.exp(-0.08 * ((number @ steps[0]) ** 2 + (number @ steps[1]) ** 2)) / np.float32(np.sqrt(count))
    return np.concatenate([np.cos(phase) * fade, np.sin(phase) * fade])


def transform_coordinates(points: np.ndarray, steps: np.ndarray, function: Callable) -> tuple[np.ndarray, np.ndarray]:
    """Apply a coordinate function to (t, 3) points, and return the points and the (2, 3, t) steps from them."""
    there = function(points)
    moved = [(function(points + step.T) - there).T for step in steps]
    return there.astype(np.float32), np.stack(moved).astype(np.float32)


def hair_coordinates(points: np.ndarray) -> np.ndarray:
    """Return (t, 3) coordinates in which noise is fine across scalp hair and coarse along it.

    Hair is combed away from the whorl. The coordinates are a place on a ring about the whorl, in metres, and an
    eighth of the way along the hair.
    """
    pole = np.array(SCALP_POLE) / np.linalg.norm(SCALP_POLE)
    ray = points - SKULL
    ray = ray / np.linalg.norm(ray, axis=1, keepdims=True)
    height = ray @ pole
    ring = ray - height[:, None] * pole
    radius = np.linalg.norm(ring, axis=1, keepdims=True)
    return ring / np.maximum(radius, 1e-6) * 0.1 + np.arccos(np.clip(height, -1, 1))[:, None] * 0.012 * pole


def brow_coordinates(points: np.ndarray) -> np.ndarray:
    """Return (t, 3) coordinates of the brows: across the hair in full, along it a tenth.

    The hair turns from upright at the inner end to level at the outer end.
    """
    side = np.abs(points[:, 0])
    lean = np.interp(side, (0.008, 0.018, 0.05), (1.2, 0.75, 0.15))
    along = side * np.cos(lean) + (points[:, 1] - 0.165) * np.sin(lean)
    across = side * np.sin(lean) - (points[:, 1] - 0.165) * np.cos(lean)
    return np.stack([across, 0.1 * along, 0.004 * np.sign(points[:, 0])], 1)
