"""Masks of the mean head: where hair, lips, lashes and spots can be."""

from __future__ import annotations

import numpy as np

from .geometry import close_curve, distance_to_line, eye_rim, mouth_rim, region, smoothstep
from .regions import REGIONS

# Borders of the lips seen from the front, in metres: |x|, y of the upper border, y of the lower border.
LIP_X = (0.0, 0.0045, 0.010, 0.015, 0.020, 0.0235, 0.0262)
LIP_UPPER = (0.0846, 0.0855, 0.0839, 0.0815, 0.0783, 0.0760, 0.0746)
LIP_LOWER = (0.0616, 0.0619, 0.0632, 0.0656, 0.0694, 0.0725, 0.0742)
MOUTH_Y = 0.0752
# Hairline: height y in metres by the angle in degrees from the face's front, about a vertical axis through SKULL.
SKULL = (0.0, 0.160, 0.030)
HAIRLINE_ANGLE = (0, 14, 28, 38, 46, 53, 60, 68, 74, 84, 100, 112, 125, 140, 160, 180)
HAIRLINE = (
    0.2215, 0.2225, 0.2210, 0.2100, 0.1900, 0.1660, 0.1350, 0.1420,
    0.1560, 0.1620, 0.1500, 0.1200, 0.0950, 0.0770, 0.0680, 0.0660,
)  # fmt: skip
# The beard's upper border, in the same coordinates.
BEARD_ANGLE = (0, 10, 18, 26, 36, 48, 58, 66, 80, 180)
BEARD_TOP = (0.0985, 0.0975, 0.0930, 0.0850, 0.0860, 0.1020, 0.1350, 0.1350, 0.060, 0.030)
BEARD_BOTTOM = 0.022
BEARD_PARTS = ("moustache", "goatee", "beard")


def face_masks(points: np.ndarray, blur: np.ndarray) -> dict[str, np.ndarray]:
    """Build the masks that cover all texels.

    Args:
        points: (t, 3) metres, x mirrored to the head's left.
        blur: (t,) metres, the radius that a texel covers.

    Returns:
        (t,) masks by name.
    """
    side, y, z = points.T
    freckles = sum(region(points, *REGIONS[name]) for name in ("cheek", "cheekbone", "nose", "bridge", "forehead"))
    lips = mean_lip_mask(side, y, z)
    mouth = distance_to_line(points, close_curve(mouth_rim()))
    return {
        "freckles": np.clip(freckles, 0, 1),
        "age spots": smoothstep(y, 0.02, 0.10) * (1 - 0.8 * lips),
        "lips": lips,
        "mouth line": np.exp(-0.5 * (mouth / np.hypot(0.0009, blur)) ** 2) * 0.001 / np.hypot(0.001, 0.7 * blur),
        **hair_masks(points),
        **eye_masks(points, blur),
    }


def hair_masks(points: np.ndarray) -> dict[str, np.ndarray]:
    """Build the masks of the scalp (with room for a lower hairline) and of a beard's parts; ears stay free."""
    side, y, z = points.T
    angle = np.degrees(np.arctan2(side, z - SKULL[2]))
    ear = smoothstep(side, 0.0755, 0.0785) * (1 - smoothstep(np.abs(y - 0.122), 0.034, 0.040))
    ear *= smoothstep(z, -0.005, 0.005)
    over = (y - np.interp(angle, HAIRLINE_ANGLE, HAIRLINE)) * np.interp(angle, *hairline_slope())
    beard = smoothstep(np.interp(angle, BEARD_ANGLE, BEARD_TOP) - y, -0.004, 0.016)
    beard *= smoothstep(y, BEARD_BOTTOM - 0.008, BEARD_BOTTOM + 0.012) * (1 - smoothstep(angle, 58, 74))
    return {
        "scalp": smoothstep(over, -0.02, -0.012) * (1 - ear),
        "beard": beard * (1 - ear) * smoothstep(z, 0.02, 0.05),
        "moustache": 1.6 * region(points, *REGIONS["moustache"]).clip(0, 0.62),
        "goatee": 1.6 * region(points, *REGIONS["goatee"]).clip(0, 0.62),
    }


def eye_masks(points: np.ndarray, blur: np.ndarray) -> dict[str, np.ndarray]:
    """Build the masks round the eyes: their red rim, the lashes (thinner below), and the upper lid's shadow."""
    rim = eye_rim()
    distance = distance_to_line(points, close_curve(rim))
    inner, outer = rim[rim[:, 0].argmin()], rim[rim[:, 0].argmax()]
    corners = np.interp(points[:, 0], (inner[0], outer[0]), (inner[1], outer[1]))
    above = smoothstep(points[:, 1] - corners, -0.0004, 0.0012)
    line = np.exp(-0.5 * (distance / np.hypot(0.0007, blur)) ** 2) * 0.001 / np.hypot(0.001, 0.6 * blur)
    return {
        "round eyes": (distance < 0.02).astype(np.float32),
        "eye rim": np.exp(-0.5 * (distance / np.hypot(0.0012, blur)) ** 2),
        "lash": line * (0.3 + 0.7 * above),
        "eye shadow": smoothstep(0.013 - distance, 0, 0.010) * above,
    }


def scalp_masks(points: np.ndarray, angle: np.ndarray) -> dict[str, np.ndarray]:
    """Build the masks of the scalp's (k, 3) points, at (k,) degrees from the front."""
    ray = (points - SKULL) / np.linalg.norm(points - SKULL, axis=1, keepdims=True)
    line = np.interp(angle, HAIRLINE_ANGLE, HAIRLINE)
    return {
        "over hairline": (points[:, 1] - line) * np.interp(angle, *hairline_slope()),
        "hair front": np.exp(-((angle / 45) ** 2)),
        "hair corner": np.exp(-(((angle - 32) / 11) ** 2)),
        "scalp pitch": np.arctan2(ray[:, 2], ray[:, 1]),
        "scalp roll": np.arcsin(np.clip(ray[:, 0], 0, 1)),
    }


def mean_lip_mask(side: np.ndarray, y: np.ndarray, z: np.ndarray) -> np.ndarray:
    """Return the (t,) mask of the mean head's lips."""
    low, high = np.interp(side, LIP_X, LIP_LOWER), np.interp(side, LIP_X, LIP_UPPER)
    inside = np.minimum(np.minimum(y - low, high - y), LIP_X[-1] - side)
    return smoothstep(inside, -0.0008, 0.0012) * (z > 0.115)


def hairline_slope() -> tuple[np.ndarray, np.ndarray]:
    """Return angles in degrees and, at each, the factor from height over the hairline to distance from it."""
    angles = np.linspace(0, 180, 91)
    heights = np.interp(angles, HAIRLINE_ANGLE, HAIRLINE)
    rise = np.gradient(heights, np.radians(angles) * 0.085)
    rise = np.convolve(np.pad(rise, 2, mode="edge"), np.ones(5) / 5, "valid")
    return angles, 1 / np.hypot(1, rise)
