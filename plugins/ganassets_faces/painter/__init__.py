"""Paint skin albedo from age, sex, weight, ancestry and skin tone.

Every texel is painted from the point of the mean head under it, in metres, so patterns continue across the borders
of the texture. Two pigments give skin its colour: `tone` (melanin, 0 lightest to 1 darkest) and `blood` (haemoglobin);
hair lies over it. Soft regions, creases and noise are fixed maps, mixed by one matrix product per batch. Brows, lips,
hairline and moles differ in outline between people and are painted one person at a time. All patterns are blurred by
the size of a texel, so nothing aliases, and one random state paints the same person at every size.
"""

from __future__ import annotations

import numpy as np

from .canvas import make_canvas
from .features import hair_colours, paint_beard, paint_brows, paint_lashes, paint_lips, paint_scalp
from .iris import iris_colours, write_iris_patch
from .skin import paint_bare_skin

__all__ = ["paint_skins"]

CHUNK = 16


def paint_skins(attributes: np.ndarray, size: int, rng: np.random.Generator) -> np.ndarray:
    """Paint albedo textures.

    Args:
        attributes: (n, 7) age in years [8, 85], sex [0 female, 1 male], weight [0, 1], african, asian and european
            shares (sum 1), skin tone [0 lightest, 1 darkest].
        size: Texels along a side, 32 or more.
        rng: Random state; the same state paints the same people at every size.

    Returns:
        (n, 3, size, size) uint8 sRGB, with the iris colour in its patch.
    """
    canvas = make_canvas(size)
    attributes = np.asarray(attributes, np.float32)
    out = np.empty((len(attributes), 3, size, size), np.uint8)
    for start in range(0, len(attributes), CHUNK):
        part = attributes[start : start + CHUNK]
        fields = canvas.draw_noise(len(part), rng)
        albedo = paint_bare_skin(canvas, part, fields, rng)
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
