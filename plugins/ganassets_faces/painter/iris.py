"""Iris colours."""

from __future__ import annotations

import numpy as np

from ..eyes import patch_slices
from .attributes import EUROPEAN, TONE

IRISES = {
    "dark brown": (62, 38, 24), "brown": (96, 60, 34), "hazel": (122, 92, 50),
    "green": (106, 116, 76), "blue": (92, 124, 152), "grey": (124, 134, 138),
}  # fmt: skip
# Odds of IRISES, in that order, with dark and with light skin and hair.
DARK_IRIS_ODDS = np.array([1.0, 0.8, 0.05, 0.0, 0.0, 0.0])
LIGHT_IRIS_ODDS = np.array([0.1, 0.4, 0.4, 0.3, 0.6, 0.25])


def iris_colours(attributes: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Draw (n, 3) uint8 sRGB iris colours for (n, 7) people: light ones go with European ancestry and light skin."""
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
