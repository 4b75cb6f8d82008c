"""Facial features painted one person at a time: lips, scalp hair, beard, brows, lashes.

The `paint_` functions change (3, t) sRGB in place.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from .attributes import AFRICAN, AGE, ASIAN, EUROPEAN, SEX, TONE
from .canvas import Canvas
from .geometry import smoothstep
from .masks import BEARD_PARTS, LIP_LOWER, LIP_UPPER, LIP_X, MOUTH_Y

# Absorbance of blood in lips, as skin.BLOOD; the vessels lie deeper, which looks a little bluer.
LIP_BLOOD = (0.10, 0.37, 0.23)
# Colours of hair in sRGB, from much to little pigment; red hair is not on the ramp, and aged hair turns white.
HAIR_RAMP = ((20, 17, 17), (38, 28, 24), (66, 46, 33), (100, 73, 50), (146, 113, 76), (190, 156, 110))
RED_HAIR, WHITE_HAIR = (134, 70, 38), (194, 188, 180)
LIPSTICKS = ((168, 42, 52), (150, 60, 66), (186, 84, 88), (120, 30, 44), (196, 104, 96), (140, 70, 58))


def paint_over(albedo: np.ndarray, indices: np.ndarray, alpha: np.ndarray, colour: np.ndarray) -> None:
    """Blend a (3,) or (3, k) colour with (k,) alpha over the texels of (k,) indices."""
    below = albedo[:, indices]
    albedo[:, indices] = below + alpha * (np.reshape(colour, (3, -1)) - below)


def hair_colours(person: np.ndarray, rng: np.random.Generator) -> dict[str, np.ndarray]:
    """Draw the (3,) float32 sRGB colours of scalp, brow and beard hair of a (7,) person."""
    fair = person[EUROPEAN] * (1 - person[TONE]) ** 1.5
    level = fair * rng.uniform(0.1, 1.5) * (len(HAIR_RAMP) - 1) + rng.uniform(0, 0.5)
    steps = np.arange(len(HAIR_RAMP))
    colour = np.array([np.interp(level, steps, channel) for channel in np.transpose(HAIR_RAMP)])
    red = fair * rng.uniform(0.4, 1.0) if rng.random() < 0.12 else 0.0
    colour += red * (np.array(RED_HAIR) - colour)
    onset = rng.normal(52, 10)
    grey = smoothstep(person[AGE], onset - 12, onset + 22)
    white = np.array(WHITE_HAIR) * rng.uniform(0.8, 1.05)
    turned = {"scalp": 0.9 * grey, "brow": 0.55 * grey, "beard": grey}
    return {part: (colour + share * (white - colour)).astype(np.float32) for part, share in turned.items()}


def paint_lips(canvas: Canvas, albedo: np.ndarray, person: np.ndarray, rng: np.random.Generator) -> None:
    """Paint lips redder than the skin, and sometimes lipstick on women."""
    where = canvas.lips
    thin = 1 + 0.10 * rng.standard_normal() + 0.12 * (person[AFRICAN] - 0.3) - 0.15 * smoothstep(person[AGE], 45, 85)
    soft = rng.uniform(0.0012, 0.003)
    inside = lip_alpha(canvas, float(np.clip(thin, 0.75, 1.15)), soft)
    dark, female = person[TONE], 1 - person[SEX]
    lower = smoothstep(MOUTH_Y - canvas.points[where, 1], -0.001, 0.004)
    blood = rng.uniform(0.45, 0.8) + 0.25 * female - 0.2 * smoothstep(person[AGE], 40, 85)
    tone = 0.05 + rng.uniform(-0.02, 0.06) - 0.10 * dark * lower
    filter_ = np.exp(-np.outer(LIP_BLOOD, blood * (0.85 + 0.3 * lower)) - 0.9 * tone)
    natural = albedo[:, where] * filter_.astype(np.float32)
    natural += np.float32(26 * dark**2) * np.array([[1.0], [0.55], [0.6]], np.float32) * lower
    made_up = rng.random() < 0.4 * female * smoothstep(person[AGE], 15, 22)
    stick = np.array(LIPSTICKS[rng.integers(len(LIPSTICKS))]) * (1 - 0.35 * dark)
    strength = rng.uniform(0.2, 0.65) * made_up
    paint_over(albedo, where, inside, natural + np.float32(strength) * (stick[:, None] - natural))
    paint_over(albedo, where, 0.6 * canvas.masks["mouth line"][where], natural * np.float32(0.45))


def lip_alpha(canvas: Canvas, fullness: float, soft: float) -> np.ndarray:
    """Return the alpha of the lips at the lip texels.

    Args:
        canvas: Maps of the mean head.
        fullness: Factor of the lips' height about the mouth's line.
        soft: Width of the border in metres.
    """
    where = canvas.lips
    side, y = canvas.side[where], canvas.points[where, 1]
    half_up = (np.interp(side, LIP_X, LIP_UPPER) - MOUTH_Y) * fullness
    half_down = (MOUTH_Y - np.interp(side, LIP_X, LIP_LOWER)) * fullness
    inside = np.where(y > MOUTH_Y, half_up - (y - MOUTH_Y), half_down - (MOUTH_Y - y))
    inside = np.minimum(inside, LIP_X[-1] - side)
    width = np.hypot(soft, canvas.blur[where])
    return smoothstep(inside, -0.6 * width, width).astype(np.float32)


def paint_scalp(
    canvas: Canvas,
    albedo: np.ndarray,
    person: np.ndarray,
    hair: Mapping[str, np.ndarray],
    field: Mapping[str, np.ndarray],
    rng: np.random.Generator,
) -> None:
    """Paint short scalp hair, which thins and recedes in some men and is shaved in others."""
    where = canvas.scalp
    male, age = person[SEX], person[AGE]
    bald = np.clip(rng.normal(-0.3, 0.45) + 0.9 * smoothstep(age, 25, 75), 0, 1) * smoothstep(male, 0.5, 0.8)
    shaved = rng.random() < 0.25 * smoothstep(male, 0.45, 0.7)
    fullest = rng.uniform(0.25, 0.55) if shaved else rng.uniform(0.80, 0.97)
    front, corner = canvas.masks["hair front"], canvas.masks["hair corner"]
    lift = (rng.normal(0, 0.003) + 0.02 * bald) * front + (rng.uniform(0, 0.005) * male + 0.03 * bald) * corner
    above = canvas.masks["over hairline"] - lift + 0.0014 * field["ragged"][where]
    # The haircut fades out towards ears and nape.
    fade = rng.uniform(0.006, 0.012) + (1 - front) * rng.uniform(0.002, 0.022)
    soft = np.hypot(fade, 1.5 * canvas.blur[where])
    alpha = smoothstep(above, -0.3 * soft, 0.9 * soft)
    back, aside = canvas.masks["scalp pitch"], canvas.masks["scalp roll"]
    away = np.hypot(back - np.clip(back, -0.35, -0.35 + 1.5 * bald), aside)
    alpha *= 1 - 0.95 * smoothstep(bald, 0.1, 0.7) * (1 - smoothstep(away, 0.5 * bald, 0.35 + 0.65 * bald))
    curls = field["curls"][where]
    strand = field["strands"] + person[AFRICAN] * (curls - field["strands"])
    alpha *= np.clip(fullest + (0.12 - 0.08 * fullest) * curls, 0, 0.98) * canvas.masks["scalp"][where]
    sheen = np.clip(1 + 0.16 * strand + 0.05 * field["sheen"], 0.5, 1.6)
    paint_over(albedo, where, alpha, hair["scalp"][:, None] * sheen)


def paint_beard(
    canvas: Canvas,
    albedo: np.ndarray,
    person: np.ndarray,
    hair: Mapping[str, np.ndarray],
    field: Mapping[str, np.ndarray],
    rng: np.random.Generator,
) -> None:
    """Paint a beard on grown men, from the shadow of a clean shave to a short beard, full or partial."""
    where = canvas.beard
    able = float(smoothstep(person[SEX], 0.5, 0.75) * smoothstep(person[AGE], 15, 24))
    density = able * min(rng.beta(0.7, 1.3), 0.95) * (1 - 0.35 * person[ASIAN])
    parts = rng.uniform(0.6, 1, 3) if rng.random() < 0.7 else rng.choice([0.15, 1.0], 3)
    if density < 0.03:
        return
    shape = np.max([part * canvas.masks[name][where] for part, name in zip(parts, BEARD_PARTS, strict=True)], axis=0)
    alpha = density * shape * (0.85 + 0.22 * field["stubble"] + 0.10 * field["beard patches"])[where].clip(0, 1.3)
    alpha *= 1 - canvas.masks["lips"][where]
    # Shaved hair shows through the skin as a blue-grey shadow.
    shadow = hair["beard"] * 0.8 + np.array([8.0, 12.0, 18.0], np.float32) * (1 - density)
    paint_over(albedo, where, np.clip(alpha, 0, 0.95).astype(np.float32), shadow)


def paint_brows(
    canvas: Canvas,
    albedo: np.ndarray,
    person: np.ndarray,
    hair: Mapping[str, np.ndarray],
    field: Mapping[str, np.ndarray],
    rng: np.random.Generator,
) -> None:
    """Paint brows: thicker on men, thinner and arched on women; single hairs show where texels are fine enough."""
    where = canvas.brow
    male = person[SEX]
    start, end = rng.normal(0.0115, 0.0016) - 0.0015 * male, rng.normal(0.0525, 0.0015)
    height = rng.normal(0.1657, 0.0014) - 0.0016 * male
    arch = max(rng.normal(0.0042 - 0.0022 * male, 0.0013), 0.0)
    tilt = rng.normal(0.0012, 0.0012)
    thickness = max(rng.normal(0.0028 + 0.0012 * male, 0.0006), 0.0015)
    density = np.clip(rng.normal(0.72 + 0.10 * male, 0.12) - 0.15 * smoothstep(person[AGE], 55, 85), 0.3, 0.95)
    x, y = canvas.side[where], canvas.points[where, 1]
    along = np.clip((x - start) / (end - start), -0.3, 1.3)
    centre = height - 0.002 + tilt * along + arch * (1 - ((along - 0.6) / 0.8) ** 2)
    centre -= 0.004 * np.maximum(along - 0.75, 0)
    half = thickness * np.interp(along, (0, 0.08, 0.3, 0.65, 1.0), (0.75, 1.0, 1.05, 0.8, 0.3))
    blur = canvas.blur[where]
    distance = half - np.abs(y - centre)
    width = np.hypot(0.0014, 1.3 * blur)
    alpha = smoothstep(distance, -0.55 * width, 0.7 * width)
    alpha *= smoothstep(along, -0.07, 0.16) * (1 - smoothstep(along, 0.85, 1.05))
    alpha *= np.clip(density * (1 + 0.28 * field["brow strands"]), 0, 1)
    paint_over(albedo, where, alpha.astype(np.float32), hair["brow"] * 0.85)


def paint_lashes(canvas: Canvas, albedo: np.ndarray, person: np.ndarray, rng: np.random.Generator) -> None:
    """Paint the dark line of the lashes: stronger on women, sometimes with eye shadow."""
    where = canvas.eyes
    female = 1 - person[SEX]
    made_up = rng.random() < 0.4 * female * smoothstep(person[AGE], 15, 22)
    strength = rng.uniform(0.4, 0.6) + 0.2 * female + 0.15 * made_up
    shadow = rng.uniform(0.1, 0.35) * made_up
    tint = np.array([70, 50, 48]) + rng.normal(0, 14, 3)
    paint_over(albedo, where, (shadow * canvas.masks["eye shadow"][where]).astype(np.float32), tint.astype(np.float32))
    dark = np.array([34, 24, 21], np.float32)
    paint_over(albedo, where, (strength * canvas.masks["lash"][where]).astype(np.float32), dark)
