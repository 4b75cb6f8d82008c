"""Decode model outputs into pictures, with numpy alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from ganassets.api.assets import Picture
from ganassets.api.provenance import Provenance

# Alpha below CLEAR becomes 0 and above SOLID 1, because networks reach neither end.
CLEAR, SOLID = 0.06, 0.94


def decode_pictures(
    arrays: Mapping[str, NDArray[np.float32]],
    _manifest: object,
    names: Sequence[str],
    provenances: Sequence[Provenance],
    _settings: object,
) -> list[Picture]:
    """Decode pictures from "picture", (n, 3 or 4, h, w) sRGB in [0, 1]."""
    pixels = to_pixels(arrays["picture"])
    return [Picture(name, array, origin) for name, array, origin in zip(names, pixels, provenances, strict=True)]


def to_pixels(values: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Convert (n, c, h, w) in [0, 1] to (n, h, w, c) uint8; nearly clear and nearly solid alpha becomes 0 and 255."""
    values = np.array(values).transpose(0, 2, 3, 1)
    if values.shape[-1] == 4:
        values[..., 3] = np.clip((values[..., 3] - CLEAR) / (SOLID - CLEAR), 0, 1)
        values[..., :3] *= values[..., 3:] > 0
    return np.rint(values * 255).astype(np.uint8)
