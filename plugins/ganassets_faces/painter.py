"""Paint skin albedo: a procedural painter whose people follow their age, sex, weight, ancestry and skin tone.

Every texel is painted from the point of the mean head under it, in metres, so what is painted is continuous across
the borders of the texture. Two pigments make the colour of skin: `tone` (melanin, 0 lightest to 1 darkest) and
`blood` (haemoglobin); hair lies over it. Soft regions, creases and noise are fixed maps mixed by one matrix product
per batch; what changes its outline from person to person (brows, lips, hairline, moles) is painted one by one.
All patterns are blurred by the size of a texel, so nothing aliases, and the same random state paints the same
person at every size.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import Any

import numpy as np

from .basis import SKIN, load_basis
from .eyes import patch_slices
from .texels import texel_map

AGE, SEX, WEIGHT, AFRICAN, ASIAN, EUROPEAN, TONE = range(7)
CHUNK = 16
Named = Mapping[str, np.ndarray]

# sRGB of skin without extra blood, from tone 0 to tone 1 in equal steps.
TONE_RAMP = ((240, 209, 188), (226, 186, 158), (200, 152, 119), (163, 112, 80), (114, 73, 51), (58, 37, 30))
# Natural logarithm of sRGB that a unit of blood takes away, per channel (haemoglobin absorbs green and blue).
BLOOD = (0.06, 0.34, 0.27)
LIP_BLOOD = (0.10, 0.37, 0.23)  # deeper vessels: a little bluer
# Hue that goes with ancestry, as factors of sRGB.
UNDERTONE = {AFRICAN: (1.01, 0.99, 0.96), ASIAN: (1.0, 1.012, 0.955), EUROPEAN: (1.0, 0.99, 1.01)}

# Colours of hair in sRGB, from much to little pigment; red stands apart; white is what age leaves.
HAIR_RAMP = ((20, 17, 17), (38, 28, 24), (66, 46, 33), (100, 73, 50), (146, 113, 76), (190, 156, 110))
RED_HAIR, WHITE_HAIR = (134, 70, 38), (194, 188, 180)
LIPSTICKS = ((168, 42, 52), (150, 60, 66), (186, 84, 88), (120, 30, 44), (196, 104, 96), (140, 70, 58))
IRISES = {
    "dark brown": (62, 38, 24), "brown": (96, 60, 34), "hazel": (122, 92, 50),
    "green": (106, 116, 76), "blue": (92, 124, 152), "grey": (124, 134, 138),
}  # fmt: skip

# How often they come in the order above, with dark and with light skin and hair.
DARK_IRIS_ODDS = np.array([1.0, 0.8, 0.05, 0.0, 0.0, 0.0])
LIGHT_IRIS_ODDS = np.array([0.1, 0.4, 0.4, 0.3, 0.6, 0.25])

# Soft regions of the mean head: centre (|x|, y, z) and radii (standard deviations) in metres.
REGIONS = {
    "cheek": ((0.041, 0.112, 0.122), (0.015, 0.014, 0.030)),
    "cheekbone": ((0.050, 0.132, 0.110), (0.012, 0.010, 0.030)),
    "nose": ((0.000, 0.108, 0.164), (0.011, 0.010, 0.013)),
    "ala": ((0.017, 0.105, 0.147), (0.005, 0.007, 0.010)),
    "bridge": ((0.000, 0.135, 0.152), (0.007, 0.014, 0.015)),
    "ear": ((0.088, 0.130, 0.036), (0.009, 0.026, 0.018)),
    "concha": ((0.079, 0.130, 0.042), (0.005, 0.009, 0.006)),
    "chin": ((0.000, 0.048, 0.145), (0.014, 0.009, 0.020)),
    "socket": ((0.033, 0.150, 0.128), (0.015, 0.010, 0.020)),
    "inner socket": ((0.0175, 0.149, 0.136), (0.005, 0.009, 0.012)),
    "upper lid": ((0.033, 0.1535, 0.130), (0.012, 0.0030, 0.020)),
    "under eye": ((0.031, 0.1370, 0.130), (0.010, 0.0040, 0.020)),
    "tear trough": ((0.022, 0.1330, 0.135), (0.006, 0.0035, 0.015)),
    "forehead": ((0.000, 0.198, 0.138), (0.040, 0.020, 0.045)),
    "glabella": ((0.000, 0.168, 0.147), (0.010, 0.012, 0.015)),
    "temple": ((0.068, 0.165, 0.090), (0.015, 0.022, 0.025)),
    "perioral": ((0.000, 0.074, 0.150), (0.026, 0.016, 0.030)),
    "philtrum": ((0.000, 0.093, 0.153), (0.004, 0.005, 0.010)),
    "nostril": ((0.0105, 0.0985, 0.153), (0.0035, 0.0022, 0.0060)),
    "jaw": ((0.050, 0.055, 0.095), (0.025, 0.020, 0.035)),
    "neck": ((0.000, 0.010, 0.040), (0.070, 0.022, 0.080)),
    "crown": ((0.000, 0.250, 0.020), (0.045, 0.030, 0.050)),
    "moustache": ((0.000, 0.0915, 0.152), (0.017, 0.0050, 0.020)),
    "goatee": ((0.000, 0.050, 0.145), (0.017, 0.013, 0.025)),
}  # fmt: skip

# Creases: lines through points (|x|, y) seen from the front, in front of z, with a width in metres.
CREASES = {
    "lid crease": (((0.0215, 0.1500), (0.0265, 0.1545), (0.0335, 0.1560), (0.0410, 0.1535), (0.0465, 0.1480)), 0.0008),
    "eye bag": (((0.0200, 0.1400), (0.0260, 0.1352), (0.0340, 0.1340), (0.0420, 0.1375), (0.0470, 0.1415)), 0.0010),
    "nasolabial": (((0.0195, 0.1110), (0.0225, 0.1030), (0.0280, 0.0930), (0.0325, 0.0820), (0.0340, 0.0720)), 0.0014),
    "marionette": (((0.0262, 0.0735), (0.0285, 0.0650), (0.0300, 0.0560), (0.0295, 0.0480)), 0.0012),
    "mentolabial": (((0.0000, 0.0565), (0.0080, 0.0568), (0.0150, 0.0590)), 0.0012),
    "crow upper": (((0.0475, 0.1490), (0.0530, 0.1535), (0.0585, 0.1590)), 0.0007),
    "crow middle": (((0.0480, 0.1455), (0.0550, 0.1465), (0.0615, 0.1480)), 0.0007),
    "crow lower": (((0.0475, 0.1425), (0.0535, 0.1390), (0.0590, 0.1345)), 0.0007),
    "frown": (((0.0052, 0.1580), (0.0058, 0.1670), (0.0075, 0.1760)), 0.0009),
    "forehead low": (((0.0000, 0.1845), (0.0150, 0.1830), (0.0300, 0.1855), (0.0450, 0.1830)), 0.0010),
    "forehead middle": (((0.0000, 0.1945), (0.0180, 0.1955), (0.0350, 0.1945), (0.0500, 0.1900)), 0.0010),
    "forehead high": (((0.0000, 0.2055), (0.0150, 0.2045), (0.0300, 0.2055), (0.0430, 0.2020)), 0.0010),
    "neck low": (((0.0000, 0.0090), (0.0300, 0.0120), (0.0500, 0.0200)), 0.0014),
    "bridge line": (((0.0000, 0.1490), (0.0060, 0.1480), (0.0100, 0.1460)), 0.0007),
    "ala fold": (((0.0190, 0.1120), (0.0207, 0.1060), (0.0195, 0.1000)), 0.0010),
}  # fmt: skip

# How much a layer adds to tone and to blood: always, with old age, with male sex.
STRENGTHS = {
    "cheek": ((0.00, 0.01, 0.00), (0.30, 0.10, 0.00)),
    "cheekbone": ((0.01, 0.03, 0.01), (0.12, 0.10, 0.04)),
    "nose": ((0.00, 0.01, 0.01), (0.22, 0.13, 0.07)),
    "ala": ((0.02, 0.01, 0.00), (0.26, 0.18, 0.04)),
    "bridge": ((0.00, 0.01, 0.01), (0.08, 0.04, 0.03)),
    "ear": ((0.00, 0.00, 0.00), (0.34, 0.08, 0.08)),
    "concha": ((0.05, 0.02, 0.00), (0.28, 0.05, 0.00)),
    "chin": ((0.01, 0.00, 0.01), (0.13, 0.02, 0.02)),
    "socket": ((0.03, 0.01, 0.01), (0.06, 0.06, 0.00)),
    "inner socket": ((0.05, 0.03, 0.00), (0.08, 0.05, 0.00)),
    "upper lid": ((0.02, 0.00, 0.00), (0.16, 0.10, -0.03)),
    "under eye": ((0.02, 0.04, 0.00), (0.08, 0.16, 0.00)),
    "tear trough": ((0.03, 0.05, 0.00), (0.07, 0.10, 0.00)),
    "forehead": ((0.00, 0.01, 0.01), (-0.03, 0.05, 0.02)),
    "glabella": ((0.00, 0.00, 0.00), (0.04, 0.08, 0.02)),
    "temple": ((0.01, 0.02, 0.00), (0.00, -0.02, 0.00)),
    "perioral": ((0.01, 0.01, 0.00), (0.00, 0.03, 0.00)),
    "philtrum": ((0.00, 0.00, 0.00), (0.04, 0.00, 0.00)),
    "nostril": ((0.22, 0.00, 0.00), (0.40, 0.00, 0.00)),
    "jaw": ((0.01, 0.00, 0.01), (-0.03, 0.00, 0.00)),
    "neck": ((0.01, 0.02, 0.01), (0.02, 0.10, 0.06)),
    "crown": ((0.00, 0.02, 0.02), (0.04, 0.06, 0.04)),
    "lid crease": ((0.06, 0.02, 0.00), (0.14, 0.05, 0.00)),
    "eye bag": ((0.015, 0.11, 0.01), (0.06, 0.12, 0.00)),
    "nasolabial": ((0.015, 0.12, 0.01), (0.03, 0.14, 0.00)),
    "marionette": ((0.00, 0.09, 0.01), (0.02, 0.10, 0.00)),
    "mentolabial": ((0.02, 0.05, 0.01), (0.03, 0.05, 0.00)),
    "crow upper": ((0.00, 0.10, 0.01), (0.00, 0.10, 0.00)),
    "crow middle": ((0.00, 0.12, 0.01), (0.00, 0.12, 0.00)),
    "crow lower": ((0.00, 0.10, 0.01), (0.00, 0.10, 0.00)),
    "frown": ((0.00, 0.09, 0.02), (0.00, 0.12, 0.02)),
    "forehead low": ((0.00, 0.09, 0.01), (0.00, 0.09, 0.01)),
    "forehead middle": ((0.00, 0.10, 0.01), (0.00, 0.10, 0.01)),
    "forehead high": ((0.00, 0.08, 0.01), (0.00, 0.08, 0.01)),
    "neck low": ((0.02, 0.07, 0.00), (0.02, 0.05, 0.00)),
    "bridge line": ((0.00, 0.06, 0.01), (0.00, 0.06, 0.00)),
    "ala fold": ((0.05, 0.05, 0.00), (0.12, 0.10, 0.00)),
    "eye rim": ((0.05, 0.01, 0.00), (0.28, 0.08, 0.00)),
}  # fmt: skip

# Banks of waves that noise is mixed from: wavelength in metres and number of waves.
BANKS = {"wide": (0.075, 16), "patch": (0.028, 20), "mottle": (0.013, 28), "spot": (0.0068, 32), "fine": (0.0042, 32)}
# Noise fields of unit variance, each an independent mix of a bank; two more banks follow scalp and brow hair.
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

# Borders of the lips seen from the front: |x|, y of the upper and of the lower border.
LIP_X = (0.0, 0.0045, 0.010, 0.015, 0.020, 0.0235, 0.0262)
LIP_UPPER = (0.0846, 0.0855, 0.0839, 0.0815, 0.0783, 0.0760, 0.0746)
LIP_LOWER = (0.0616, 0.0619, 0.0632, 0.0656, 0.0694, 0.0725, 0.0742)
MOUTH_Y = 0.0752

# Hairline: height y over the angle (degrees) from the face's front, about a vertical axis through SKULL.
SKULL = (0.0, 0.160, 0.030)
HAIRLINE_ANGLE = (0, 14, 28, 38, 46, 53, 60, 68, 74, 84, 100, 112, 125, 140, 160, 180)
HAIRLINE = (
    0.2215, 0.2225, 0.2210, 0.2100, 0.1900, 0.1660, 0.1350, 0.1420,
    0.1560, 0.1620, 0.1500, 0.1200, 0.0950, 0.0770, 0.0680, 0.0660,
)  # fmt: skip
SCALP_POLE = (0.0, 0.95, -0.31)  # direction from SKULL to the crown's whorl
# The beard's upper border likewise.
BEARD_ANGLE = (0, 10, 18, 26, 36, 48, 58, 66, 80, 180)
BEARD_TOP = (0.0985, 0.0975, 0.0930, 0.0850, 0.0860, 0.1020, 0.1350, 0.1350, 0.060, 0.030)
BEARD_BOTTOM = 0.022
BEARD_PARTS = ("moustache", "goatee", "beard")


@dataclass(frozen=True)
class Canvas:
    """What painting at one size needs and no person changes; t = size * size texels.

    Attributes:
        size: texels of a side.
        points: (t, 3) float32 metres, points of the mean head.
        side: (t,) float32 metres, |x|.
        blur: (t,) float32 metres, the radius that a texel covers.
        layers: (m, t) float32 soft regions and creases in the order of STRENGTHS.
        banks: (2w, t) float32 waves by bank; those of scalp and brow hair only at the texels there.
        extra: (t,) float32 masks by name; those of scalp_masks only at the scalp's texels.
        mole_places: (p, 3) float32 metres, where a mole can be.
        eyes, brow, lips, scalp, beard: indices of the texels there.
    """

    size: int
    points: np.ndarray
    side: np.ndarray
    blur: np.ndarray
    layers: np.ndarray
    banks: dict[str, np.ndarray]
    extra: dict[str, np.ndarray]
    mole_places: np.ndarray
    eyes: np.ndarray
    brow: np.ndarray
    lips: np.ndarray
    scalp: np.ndarray
    beard: np.ndarray


def paint(attributes: np.ndarray, size: int, rng: np.random.Generator) -> np.ndarray:
    """Paint albedo textures.

    Args:
        attributes: (n, 7) age in years [8, 85], sex [0 female, 1 male], weight [0, 1], african, asian and european
            shares (sum 1), skin tone [0 lightest, 1 darkest].
        size: texels of a side, 32 or more.
        rng: random state; the same state paints the same people at every size.

    Returns:
        (n, 3, size, size) uint8 sRGB, with the iris colour in its patch.
    """
    canvas = make_canvas(size)
    attributes = np.asarray(attributes, np.float32)
    out = np.empty((len(attributes), 3, size, size), np.uint8)
    for start in range(0, len(attributes), CHUNK):
        part = attributes[start : start + CHUNK]
        fields = noise(canvas, len(part), rng)
        albedo = skin(canvas, part, fields, rng)
        for i, person in enumerate(part):
            hair = hair_colours(person, rng)
            field = {name: rows[i] for name, rows in fields.items()}
            paint_lips(canvas, albedo[i], person, rng)
            paint_scalp(canvas, albedo[i], person, hair, field, rng)
            paint_beard(canvas, albedo[i], person, hair, field, rng)
            paint_brows(canvas, albedo[i], person, hair, field, rng)
            paint_lashes(canvas, albedo[i], person, rng)
        np.clip(albedo, 0, 255, out=albedo)
        out[start : start + CHUNK] = np.rint(albedo).reshape(len(part), 3, size, size)
        write_iris_patch(out[start : start + CHUNK], iris_colours(part, rng))
    return out


# Skin


def skin(canvas: Canvas, attributes: np.ndarray, fields: Named, rng: np.random.Generator) -> np.ndarray:
    """(n, 3, t) float32 sRGB in 0..255 of bare skin for (n, 7) attributes and (n, t) noise fields."""
    n = len(attributes)
    light = 1 - attributes[:, TONE, None]
    old, male = smoothstep(attributes[:, AGE], 30, 80), attributes[:, SEX]
    traits = np.stack([np.ones(n), old, male], 1)
    table = np.array(list(STRENGTHS.values()))
    spread = np.exp(rng.normal(0, 0.35, (n, len(table))))
    tone = (traits @ table[:, 0].T * spread).astype(np.float32) @ canvas.layers
    # Blood shows less through more melanin.
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
    # The darker the skin, the more a step of tone darkens it: details get equal contrast on everyone.
    tone *= (1.1 / (0.55 + 1.9 * attributes[:, TONE, None])).astype(np.float32)
    tone += attributes[:, TONE, None]
    blood += ruddy.astype(np.float32)
    hue = attributes[:, AFRICAN : EUROPEAN + 1] @ np.log([UNDERTONE[a] for a in (AFRICAN, ASIAN, EUROPEAN)])
    hue += rng.normal(0, 0.012, (n, 3)) * (0.3, 1.0, 1.3)
    return pigment(tone, blood) * np.exp(hue, dtype=np.float32)[:, :, None]


def add_spots(
    canvas: Canvas, tone: np.ndarray, attributes: np.ndarray, aged: np.ndarray, fields: Named, rng: np.random.Generator
) -> None:
    """Add freckles on light European skin, age spots on (n, 1) aged skin and moles on any to (n, t) tone."""
    n, light = len(attributes), 1 - attributes[:, TONE, None]
    freckled = np.maximum(rng.normal(-0.35, 0.6, (n, 1)), 0) * light**3 * (0.2 + attributes[:, EUROPEAN, None])
    tone += freckled.astype(np.float32) * 0.15 * canvas.extra["freckles"] * speckles(fields["freckles"], 0.9)
    spotted = np.maximum(rng.normal(0.1, 0.6, (n, 1)), 0) * aged * (0.3 + 0.7 * light)
    tone += spotted.astype(np.float32) * 0.10 * canvas.extra["age spots"] * speckles(fields["age spots"], 1.4)
    for person in tone:
        add_moles(canvas, person, rng)


def pigment(tone: np.ndarray, blood: np.ndarray) -> np.ndarray:
    """(n, 3, t) float32 sRGB in 0..255 of (n, t) tone and blood (Beer-Lambert: each pigment multiplies)."""
    ramp = tone_table()
    level = np.clip((tone + 0.1) * (len(ramp) / 1.3), 0, len(ramp) - 1).astype(np.int32)
    out = np.empty((len(tone), 3, tone.shape[1]), np.float32)
    for c, absorbance in enumerate(BLOOD):
        out[:, c] = ramp[level, c] * np.exp(blood * np.float32(-absorbance))
    return out


@lru_cache(1)
def tone_table() -> np.ndarray:
    """(1300, 3) float32 sRGB of tones from -0.1 to 1.2 in even steps: a smooth curve through the ramp's logarithm."""
    steps, tones = np.linspace(0, 1, len(TONE_RAMP)), np.linspace(-0.1, 1.2, 1300)
    curves = [np.polynomial.Polynomial.fit(steps, channel, 3) for channel in np.log(np.transpose(TONE_RAMP))]
    return np.exp(np.stack([curve(tones) for curve in curves], 1)).clip(0, 252).astype(np.float32)


def layer(canvas: Canvas, name: str) -> np.ndarray:
    """(t,) soft region or crease by its name in STRENGTHS."""
    return canvas.layers[list(STRENGTHS).index(name)]


def noise(canvas: Canvas, n: int, rng: np.random.Generator, names: Iterable[str] = FIELDS) -> dict[str, np.ndarray]:
    """Each of the FIELDS named as (n, t) float32 of unit variance (less where texels are too coarse for it)."""
    return {
        name: rng.standard_normal((n, len(canvas.banks[FIELDS[name]])), np.float32) @ canvas.banks[FIELDS[name]]
        for name in names
    }


def speckles(field: np.ndarray, threshold: float) -> np.ndarray:
    """Blobs where a noise field exceeds a threshold, 0 to 1 with soft edges."""
    return smoothstep(field, threshold, threshold + 1)


def add_moles(canvas: Canvas, tone: np.ndarray, rng: np.random.Generator) -> None:
    """Add a few moles to (t,) tone."""
    for _ in range(rng.poisson(1.5)):
        centre = canvas.mole_places[rng.integers(len(canvas.mole_places))]
        radius = rng.uniform(0.0007, 0.0017)
        amount = rng.uniform(0.1, 0.4)
        near = np.flatnonzero(np.abs(canvas.points[:, 1] - centre[1]) < 0.012)
        squared = ((canvas.points[near] - centre) ** 2).sum(1)
        width = radius**2 + canvas.blur[near] ** 2
        tone[near] += amount * radius**2 / width * np.exp(-squared / (2 * width))


# What is painted one person at a time. All take (3, t) sRGB and change it in place.


def cover(albedo: np.ndarray, where: np.ndarray, alpha: np.ndarray, colour: np.ndarray) -> None:
    """Lay a (3,) or (3, k) colour with (k,) alpha over the texels where."""
    below = albedo[:, where]
    albedo[:, where] = below + alpha * (np.reshape(colour, (3, -1)) - below)


def hair_colours(person: np.ndarray, rng: np.random.Generator) -> dict[str, np.ndarray]:
    """(3,) float32 sRGB of scalp, brow and beard hair of a (7,) person."""
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
    """Lips redder than skin, now and then with lipstick on women."""
    where = canvas.lips
    thin = 1 + 0.10 * rng.standard_normal() + 0.12 * (person[AFRICAN] - 0.3) - 0.15 * smoothstep(person[AGE], 45, 85)
    soft = rng.uniform(0.0012, 0.003)
    inside = lip_cover(canvas, float(np.clip(thin, 0.75, 1.15)), soft)
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
    cover(albedo, where, inside, natural + np.float32(strength) * (stick[:, None] - natural))
    cover(albedo, where, 0.6 * canvas.extra["mouth line"][where], natural * np.float32(0.45))


def lip_cover(canvas: Canvas, fullness: float, soft: float) -> np.ndarray:
    """Alpha of the lips at the lip texels; fullness scales their height about the mouth's line."""
    where = canvas.lips
    side, y = canvas.side[where], canvas.points[where, 1]
    half_up = (np.interp(side, LIP_X, LIP_UPPER) - MOUTH_Y) * fullness
    half_down = (MOUTH_Y - np.interp(side, LIP_X, LIP_LOWER)) * fullness
    inside = np.where(y > MOUTH_Y, half_up - (y - MOUTH_Y), half_down - (MOUTH_Y - y))
    inside = np.minimum(inside, LIP_X[-1] - side)
    width = np.hypot(soft, canvas.blur[where])
    return smoothstep(inside, -0.6 * width, width).astype(np.float32)


def paint_scalp(
    canvas: Canvas, albedo: np.ndarray, person: np.ndarray, hair: Named, field: Named, rng: np.random.Generator
) -> None:
    """Hair cut short, thinning and receding in some men; now and then shaved."""
    where = canvas.scalp
    male, age = person[SEX], person[AGE]
    bald = np.clip(rng.normal(-0.3, 0.45) + 0.9 * smoothstep(age, 25, 75), 0, 1) * smoothstep(male, 0.5, 0.8)
    shaved = rng.random() < 0.25 * smoothstep(male, 0.45, 0.7)
    fullest = rng.uniform(0.25, 0.55) if shaved else rng.uniform(0.80, 0.97)
    front, corner = canvas.extra["hair front"], canvas.extra["hair corner"]
    lift = (rng.normal(0, 0.003) + 0.02 * bald) * front + (rng.uniform(0, 0.005) * male + 0.03 * bald) * corner
    above = canvas.extra["over hairline"] - lift + 0.0014 * field["ragged"][where]
    # Hair is cut to fade out towards ears and nape.
    fade = rng.uniform(0.006, 0.012) + (1 - front) * rng.uniform(0.002, 0.022)
    soft = np.hypot(fade, 1.5 * canvas.blur[where])
    alpha = smoothstep(above, -0.3 * soft, 0.9 * soft)
    back, aside = canvas.extra["scalp pitch"], canvas.extra["scalp roll"]
    away = np.hypot(back - np.clip(back, -0.35, -0.35 + 1.5 * bald), aside)
    alpha *= 1 - 0.95 * smoothstep(bald, 0.1, 0.7) * (1 - smoothstep(away, 0.5 * bald, 0.35 + 0.65 * bald))
    curls = field["curls"][where]
    strand = field["strands"] + person[AFRICAN] * (curls - field["strands"])
    alpha *= np.clip(fullest + (0.12 - 0.08 * fullest) * curls, 0, 0.98) * canvas.extra["scalp"][where]
    sheen = np.clip(1 + 0.16 * strand + 0.05 * field["sheen"], 0.5, 1.6)
    cover(albedo, where, alpha, hair["scalp"][:, None] * sheen)


def paint_beard(
    canvas: Canvas, albedo: np.ndarray, person: np.ndarray, hair: Named, field: Named, rng: np.random.Generator
) -> None:
    """From a clean shave's shadow to a short beard, whole or in part, on grown men."""
    where = canvas.beard
    able = float(smoothstep(person[SEX], 0.5, 0.75) * smoothstep(person[AGE], 15, 24))
    density = able * min(rng.beta(0.7, 1.3), 0.95) * (1 - 0.35 * person[ASIAN])
    parts = rng.uniform(0.6, 1, 3) if rng.random() < 0.7 else rng.choice([0.15, 1.0], 3)
    if density < 0.03:
        return
    shape = np.max([part * canvas.extra[name][where] for part, name in zip(parts, BEARD_PARTS, strict=True)], axis=0)
    alpha = density * shape * (0.85 + 0.22 * field["stubble"] + 0.10 * field["beard patches"])[where].clip(0, 1.3)
    alpha *= 1 - canvas.extra["lips"][where]
    # Cut hair shows as a shadow through skin: its colour is drawn towards blue-grey where there is little.
    shadow = hair["beard"] * 0.8 + np.array([8.0, 12.0, 18.0], np.float32) * (1 - density)
    cover(albedo, where, np.clip(alpha, 0, 0.95).astype(np.float32), shadow)


def paint_brows(
    canvas: Canvas, albedo: np.ndarray, person: np.ndarray, hair: Named, field: Named, rng: np.random.Generator
) -> None:
    """Brows of single hairs where the size allows: thicker on men, thinner and arched on women."""
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
    cover(albedo, where, alpha.astype(np.float32), hair["brow"] * 0.85)


def paint_lashes(canvas: Canvas, albedo: np.ndarray, person: np.ndarray, rng: np.random.Generator) -> None:
    """The dark line of the lashes; stronger, and now and then with shadow, on women."""
    where = canvas.eyes
    female = 1 - person[SEX]
    made_up = rng.random() < 0.4 * female * smoothstep(person[AGE], 15, 22)
    strength = rng.uniform(0.4, 0.6) + 0.2 * female + 0.15 * made_up
    shadow = rng.uniform(0.1, 0.35) * made_up
    tint = np.array([70, 50, 48]) + rng.normal(0, 14, 3)
    cover(albedo, where, (shadow * canvas.extra["eye shadow"][where]).astype(np.float32), tint.astype(np.float32))
    dark = np.array([34, 24, 21], np.float32)
    cover(albedo, where, (strength * canvas.extra["lash"][where]).astype(np.float32), dark)


# Iris


def iris_colours(attributes: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """(n, 3) uint8 sRGB iris colours: light ones come with European ancestry and light skin."""
    palette = np.array(list(IRISES.values()), float)
    out = np.empty((len(attributes), 3))
    for i, person in enumerate(attributes):
        light = float(np.clip(person[EUROPEAN] * 1.3 - 0.2, 0, 1) * np.clip(1.25 - 2 * person[TONE], 0, 1))
        odds = DARK_IRIS_ODDS + light * (LIGHT_IRIS_ODDS - DARK_IRIS_ODDS)
        pick, other = rng.choice(len(palette), 2, p=odds / odds.sum())
        mixed = palette[pick] + rng.uniform(0, 0.3) * (palette[other] - palette[pick])
        out[i] = mixed * np.exp(rng.normal(0, 0.08)) + rng.normal(0, 3, 3)
    return np.clip(np.rint(out), 0, 255).astype(np.uint8)


def write_iris_patch(albedo: np.ndarray, colours: np.ndarray) -> None:
    """Fill the iris patch of (n, 3, size, size) albedo with (n, 3) colours, in place."""
    rows, columns = patch_slices(albedo.shape[-1])
    albedo[:, :, rows, columns] = colours[:, :, None, None]


# Canvas


@lru_cache(2)
def make_canvas(size: int) -> Canvas:
    """Precompute all that painting at a size needs (a second or two; 20 MB at 128 px, sixteen times that at 512)."""
    basis = load_basis()
    mean = basis.mean[: basis.vertex_count]
    points = texel_map(size).interpolate(mean).reshape(-1, 3)
    steps = texel_steps(size)
    blur = np.clip(0.5 * np.sqrt((steps**2).sum(1)).max(0), 1e-5, 0.01).astype(np.float32)
    side = np.abs(points[:, 0])
    mirrored = np.column_stack([side, points[:, 1:]])
    extra = masks(mirrored, blur)
    maps = {name: region(mirrored, *shape) for name, shape in REGIONS.items()}
    maps |= {name: crease(mirrored, blur, *shape) for name, shape in CREASES.items()}
    maps["eye rim"] = extra.pop("eye rim")
    rng = np.random.default_rng(20)
    banks = {name: waves(points, steps, length, count, rng) for name, (length, count) in BANKS.items()}
    angle = np.degrees(np.arctan2(side, points[:, 2] - SKULL[2]))
    scalp = np.flatnonzero(extra["scalp"] > 0)
    extra |= scalp_masks(mirrored[scalp], angle[scalp])
    banks["strands"] = waves(*mapped(points[scalp], steps[:, :, scalp], hair_coordinates), 0.005, 40, rng)
    z, y = points[:, 2], points[:, 1]
    brow = np.flatnonzero((side < 0.066) & (abs(y - 0.167) < 0.018) & (z > 0.07))
    banks["brow strands"] = waves(*mapped(points[brow], steps[:, :, brow], brow_coordinates), 0.0030, 32, rng)
    extra = {name: mask.astype(np.float32) for name, mask in extra.items()}
    return Canvas(
        size=size, points=points, side=side, blur=blur, banks=banks, extra=extra, mole_places=mole_places(),
        layers=np.stack([maps[name] for name in STRENGTHS]).astype(np.float32),
        brow=brow, scalp=scalp, eyes=np.flatnonzero(extra.pop("round eyes")),
        lips=np.flatnonzero((side < 0.032) & (abs(y - MOUTH_Y) < 0.020) & (z > 0.115)),
        beard=np.flatnonzero(np.max([extra[name] for name in BEARD_PARTS], axis=0) > 0.01),
    )  # fmt: skip


def texel_steps(size: int) -> np.ndarray:
    """(2, 3, t) float32 metres that the mean head's point moves for one texel to the right and one down."""
    basis, texels = load_basis(), texel_map(size)
    corners, uvs = basis.mean[texels.vertices], basis.uvs[texels.uvs] * size
    edges = corners[:, 1:] - corners[:, :1]
    turns = uvs[:, 1:] - uvs[:, :1]
    area = turns[:, 0, 0] * turns[:, 1, 1] - turns[:, 0, 1] * turns[:, 1, 0]
    area = np.where(np.abs(area) < 1e-9, 1e-9, area)
    right = (edges[:, 0] * turns[:, 1, 1, None] - edges[:, 1] * turns[:, 0, 1, None]) / area[:, None]
    down = (edges[:, 1] * turns[:, 0, 0, None] - edges[:, 0] * turns[:, 1, 0, None]) / area[:, None]
    return np.stack([right.T, down.T]).clip(-0.05, 0.05).astype(np.float32)


def waves(points: np.ndarray, steps: np.ndarray, length: float, count: int, rng: np.random.Generator) -> np.ndarray:
    """Random plane waves: normal mixes of the rows are noise of unit variance with about that wavelength.

    Args:
        points: (t, 3) coordinates.
        steps: (2, 3, t) how they move from texel to texel; each wave is faded where texels are too coarse for it.
        length: wavelength.
        count: waves.
        rng: random state.

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


def mapped(points: np.ndarray, steps: np.ndarray, function: Callable) -> tuple[np.ndarray, np.ndarray]:
    """Points (t, 3) and steps (2, 3, t) in the coordinates that function makes of points."""
    there = function(points)
    moved = [(function(points + step.T) - there).T for step in steps]
    return there.astype(np.float32), np.stack(moved).astype(np.float32)


def hair_coordinates(points: np.ndarray) -> np.ndarray:
    """(t, 3) coordinates in which scalp hair, combed away from the whorl, changes quickly only across itself.

    They are a place on a ring about the whorl, in metres, and an eighth of the way along the hair.
    """
    pole = np.array(SCALP_POLE) / np.linalg.norm(SCALP_POLE)
    ray = points - SKULL
    ray = ray / np.linalg.norm(ray, axis=1, keepdims=True)
    height = ray @ pole
    ring = ray - height[:, None] * pole
    radius = np.linalg.norm(ring, axis=1, keepdims=True)
    return ring / np.maximum(radius, 1e-6) * 0.1 + np.arccos(np.clip(height, -1, 1))[:, None] * 0.012 * pole


def brow_coordinates(points: np.ndarray) -> np.ndarray:
    """(t, 3): across the hair in full, along it a tenth; the hair turns from upright inside to level outside."""
    side = np.abs(points[:, 0])
    lean = np.interp(side, (0.008, 0.018, 0.05), (1.2, 0.75, 0.15))
    along = side * np.cos(lean) + (points[:, 1] - 0.165) * np.sin(lean)
    across = side * np.sin(lean) - (points[:, 1] - 0.165) * np.cos(lean)
    return np.stack([across, 0.1 * along, 0.004 * np.sign(points[:, 0])], 1)


def region(points: np.ndarray, centre: tuple[float, ...], radii: tuple[float, ...]) -> np.ndarray:
    """(t,) Gaussian bump over (t, 3) points."""
    return np.exp(-0.5 * (((points - centre) / radii) ** 2).sum(1))


def crease(points: np.ndarray, blur: np.ndarray, line: tuple[tuple[float, float], ...], width: float) -> np.ndarray:
    """(t,) cover of a line seen from the front, fainter instead of broader than it is where texels are coarse."""
    distance = distance_to_line(points[:, :2], np.array(line))
    spread = np.hypot(width, blur)
    return width / spread * np.exp(-0.5 * (distance / spread) ** 2) * smoothstep(points[:, 2], 0.045, 0.075)


def distance_to_line(points: np.ndarray, line: np.ndarray) -> np.ndarray:
    """(t,) distance of (t, d) points to a polyline of (k, d) corners."""
    best = np.full(len(points), np.inf)
    for a, b in pairwise(line):
        share = np.clip((points - a) @ (b - a) / max(float((b - a) @ (b - a)), 1e-12), 0, 1)
        best = np.minimum(best, ((points - a - share[:, None] * (b - a)) ** 2).sum(1))
    return np.sqrt(best)


def masks(points: np.ndarray, blur: np.ndarray) -> dict[str, np.ndarray]:
    """Masks by name of (t, 3) points, x mirrored to the head's left: where hair, lips and spots can be."""
    side, y, z = points.T
    freckles = sum(region(points, *REGIONS[name]) for name in ("cheek", "cheekbone", "nose", "bridge", "forehead"))
    lips = lip_average(side, y, z)
    mouth = distance_to_line(points, closed(mouth_rim()))
    return {
        "freckles": np.clip(freckles, 0, 1),
        "age spots": smoothstep(y, 0.02, 0.10) * (1 - 0.8 * lips),
        "lips": lips,
        "mouth line": np.exp(-0.5 * (mouth / np.hypot(0.0009, blur)) ** 2) * 0.001 / np.hypot(0.001, 0.7 * blur),
        **hair_masks(points),
        **eye_masks(points, blur),
    }


def hair_masks(points: np.ndarray) -> dict[str, np.ndarray]:
    """Masks of the scalp (with room for a lower hairline) and of a beard's parts; ears stay free."""
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
    """Masks round the eyes: their red rim, the lashes (thinner below), and the upper lid's shadow."""
    rim = eye_rim()
    distance = distance_to_line(points, closed(rim))
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
    """Masks by name of the scalp's (k, 3) points alone, at (k,) degrees from the front."""
    ray = (points - SKULL) / np.linalg.norm(points - SKULL, axis=1, keepdims=True)
    line = np.interp(angle, HAIRLINE_ANGLE, HAIRLINE)
    return {
        "over hairline": (points[:, 1] - line) * np.interp(angle, *hairline_slope()),
        "hair front": np.exp(-((angle / 45) ** 2)),
        "hair corner": np.exp(-(((angle - 32) / 11) ** 2)),
        "scalp pitch": np.arctan2(ray[:, 2], ray[:, 1]),
        "scalp roll": np.arcsin(np.clip(ray[:, 0], 0, 1)),
    }


def lip_average(side: np.ndarray, y: np.ndarray, z: np.ndarray) -> np.ndarray:
    """(t,) cover of the average lips."""
    low, high = np.interp(side, LIP_X, LIP_LOWER), np.interp(side, LIP_X, LIP_UPPER)
    inside = np.minimum(np.minimum(y - low, high - y), LIP_X[-1] - side)
    return smoothstep(inside, -0.0008, 0.0012) * (z > 0.115)


def hairline_slope() -> tuple[np.ndarray, np.ndarray]:
    """Angles and the factor there that turns a height over the hairline into a distance from it."""
    angles = np.linspace(0, 180, 91)
    heights = np.interp(angles, HAIRLINE_ANGLE, HAIRLINE)
    rise = np.gradient(heights, np.radians(angles) * 0.085)
    rise = np.convolve(np.pad(rise, 2, mode="edge"), np.ones(5) / 5, "valid")
    return angles, 1 / np.hypot(1, rise)


def mole_places() -> np.ndarray:
    """(v, 3) points where a mole can be: the skin's vertices on face and neck, spread evenly by thinning."""
    basis = load_basis()
    points = basis.mean[np.unique(basis.faces[basis.face_materials == SKIN])]
    rim = np.array(closed(eye_rim()))
    mirrored = np.column_stack([np.abs(points[:, 0]), points[:, 1:]])
    free = (distance_to_line(mirrored, rim) > 0.006) & (points[:, 2] > 0.03) & (points[:, 1] > 0.01)
    cells = np.unique((points[free] / 0.008).astype(int), axis=0, return_index=True)[1]
    return points[free][cells]


def eye_rim() -> np.ndarray:
    """(k, 3) the left eye's rim in order: the border of the skin round the eye."""
    return next(loop for loop in skin_borders() if loop[:, 0].min() > 0.01)


def mouth_rim() -> np.ndarray:
    """(k, 3) the mouth's rim in order, x mirrored to the left."""
    loop = next(rim for rim in skin_borders() if abs(rim[:, 0].mean()) < 0.01 and rim[:, 2].min() > 0.12)
    return np.column_stack([np.abs(loop[:, 0]), loop[:, 1:]])


def closed(loop: np.ndarray) -> np.ndarray:
    """The loop with its first point at its end again."""
    return np.concatenate([loop, loop[:1]])


@lru_cache(1)
def skin_borders() -> list[np.ndarray]:
    """The borders of the mean head's skin (neck, mouth, eyes), each (k, 3) points in order."""
    basis = load_basis()
    quads = basis.faces[basis.face_materials == SKIN]
    edges = np.stack([quads, np.roll(quads, -1, 1)], -1).reshape(-1, 2)
    known = {(int(a), int(b)) for a, b in edges}
    follow = {a: b for a, b in known if (b, a) not in known}
    loops = []
    while follow:
        start, at = next(iter(follow.items()))
        loop = [start]
        del follow[start]
        while at != start:
            loop.append(at)
            at = follow.pop(at)
        loops.append(basis.mean[loop])
    return loops


def smoothstep(x: Any, low: Any, high: Any) -> Any:
    """0 below low, 1 above high, smooth in between; of arrays or numbers."""
    t = np.clip((x - low) / (high - low), 0, 1)
    return t * t * (3 - 2 * t)
