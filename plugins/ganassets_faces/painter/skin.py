"""Bare skin: tone, blood, freckles, age spots and moles."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

import numpy as np

from .attributes import AFRICAN, AGE, ASIAN, EUROPEAN, SEX, TONE, WEIGHT
from .canvas import Canvas
from .geometry import smoothstep
from .regions import STRENGTHS

# sRGB of skin without extra blood, from tone 0 to tone 1 in equal steps.
TONE_RAMP = ((240, 209, 188), (226, 186, 158), (200, 152, 119), (163, 112, 80), (114, 73, 51), (58, 37, 30))
# Absorbance of a unit of blood per sRGB channel, in natural logarithms (haemoglobin absorbs green and blue).
BLOOD = (0.06, 0.34, 0.27)
# Undertone by ancestry, as factors of sRGB.
UNDERTONE = {AFRICAN: (1.01, 0.99, 0.96), ASIAN: (1.0, 1.012, 0.955), EUROPEAN: (1.0, 0.99, 1.01)}


def paint_bare_skin(
    canvas: Canvas, attributes: np.ndarray, fields: Mapping[str, np.ndarray], rng: np.random.Generator
) -> np.ndarray:
    """Paint bare skin.

    Args:
        canvas: Maps of the mean head.
        attributes: (n, 7) people.
        fields: (n, t) noise by name, all of FIELDS.
        rng: Random state.

    Returns:
        (n, 3, t) float32 sRGB in [0, 255].
    """
    n = len(attributes)
    light = 1 - attributes[:, TONE, None]
    old, male = smoothstep(attributes[:, AGE], 30, 80), attributes[:, SEX]
    traits = np.stack([np.ones(n), old, male], 1)
    table = np.array(list(STRENGTHS.values()))
    spread = np.exp(rng.normal(0, 0.35, (n, len(table))))
    tone = (traits @ table[:, 0].T * spread).astype(np.float32) @ canvas.layers
    # Melanin hides blood.
    blood = (traits @ table[:, 1].T * spread * (0.45 + 0.55 * light)).astype(np.float32) @ canvas.layers
    ruddy = rng.normal(0.05, 0.07, (n, 1)) + 0.10 * (attributes[:, WEIGHT, None] - 0.5)

    def amounts(low: float, high: float) -> np.ndarray:
        return rng.uniform(low, high, (n, 1)).astype(np.float32)

    aged = old[:, None].astype(np.float32)
    tone += 0.012 * fields["wide tone"] + amounts(0.004, 0.012) * fields["patch tone"]
    tone += amounts(0.003, 0.009) * (1 + aged) * fields["mottle tone"] + 0.006 * fields["fine"]
    blood += 0.03 * fields["wide blood"] + amounts(0.01, 0.035) * fields["patch blood"]
    blood += amounts(0.015, 0.04) * (1 + aged) * fields["mottle blood"]
    add_spots(canvas, tone, attributes, aged, fields, rng)
    # A step of tone darkens dark skin more than light skin; this gives details equal contrast on everyone.
    tone *= (1.1 / (0.55 + 1.9 * attributes[:, TONE, None])).astype(np.float32)
    tone += attributes[:, TONE, None]
    blood += ruddy.astype(np.float32)
    hue = attributes[:, AFRICAN : EUROPEAN + 1] @ np.log([UNDERTONE[a] for a in (AFRICAN, ASIAN, EUROPEAN)])
    hue += rng.normal(0, 0.012, (n, 3)) * (0.3, 1.0, 1.3)
    return pigment_to_srgb(tone, blood) * np.exp(hue, dtype=np.float32)[:, :, None]


def add_spots(
    canvas: Canvas,
    tone: np.ndarray,
    attributes: np.ndarray,
    aged: np.ndarray,
    fields: Mapping[str, np.ndarray],
    rng: np.random.Generator,
) -> None:
    """Add spots to (n, t) tone in place: freckles on light European skin, age spots on (n, 1) aged skin, moles."""
    n, light = len(attributes), 1 - attributes[:, TONE, None]
    freckled = np.maximum(rng.normal(-0.35, 0.6, (n, 1)), 0) * light**3 * (0.2 + attributes[:, EUROPEAN, None])
    tone += freckled.astype(np.float32) * 0.15 * canvas.masks["freckles"] * speckles(fields["freckles"], 0.9)
    spotted = np.maximum(rng.normal(0.1, 0.6, (n, 1)), 0) * aged * (0.3 + 0.7 * light)
    tone += spotted.astype(np.float32) * 0.10 * canvas.masks["age spots"] * speckles(fields["age spots"], 1.4)
    for person in tone:
        add_moles(canvas, person, rng)


def pigment_to_srgb(tone: np.ndarray, blood: np.ndarray) -> np.ndarray:
    """Convert (n, t) tone and blood to (n, 3, t) float32 sRGB in [0, 255] (Beer-Lambert: each pigment multiplies)."""
    ramp = skin_tones()
    level = np.clip((tone + 0.1) * (len(ramp) / 1.3), 0, len(ramp) - 1).astype(np.int32)
    out = np.empty((len(tone), 3, tone.shape[1]), np.float32)
    for c, absorbance in enumerate(BLOOD):
        out[:, c] = ramp[level, c] * np.exp(blood * np.float32(-absorbance))
    return out


@lru_cache(1)
def skin_tones() -> np.ndarray:
    """Return (1300, 3) float32 sRGB of tones -0.1 to 1.2 in even steps: a cubic fitted to the ramp's logarithm."""
    steps, tones = np.linspace(0, 1, len(TONE_RAMP)), np.linspace(-0.1, 1.2, 1300)
    curves = [np.polynomial.Polynomial.fit(steps, channel, 3) for channel in np.log(np.transpose(TONE_RAMP))]
    return np.exp(np.stack([curve(tones) for curve in curves], 1)).clip(0, 252).astype(np.float32)


def speckles(field: np.ndarray, threshold: float) -> np.ndarray:
    """Return blobs in [0, 1] with soft edges where a noise field exceeds a threshold."""
    return smoothstep(field, threshold, threshold + 1)


def add_moles(canvas: Canvas, tone: np.ndarray, rng: np.random.Generator) -> None:
    """Add a few moles to (t,) tone in place."""
    for _ in range(rng.poisson(1.5)):
        centre = canvas.mole_places[rng.integers(len(canvas.mole_places))]
        radius = rng.uniform(0.0007, 0.0017)
        amount = rng.uniform(0.1, 0.4)
        near = np.flatnonzero(np.abs(canvas.points[:, 1] - centre[1]) < 0.012)
        squared = ((canvas.points[near] - centre) ** 2).sum(1)
        width = radius**2 + canvas.blur[near] ** 2
        tone[near] += amount * radius**2 / width * np.exp(-squared / (2 * width))
