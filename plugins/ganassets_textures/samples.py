"""Arrays of training samples: signals, conditions, latents, noise seeds and masks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from .materials import COLUMNS
from .painter import Z_DIM

FloatArray = NDArray[np.float32]

# Channels and type of each signal.
SIGNALS = {"albedo": (3, np.uint8), "height": (1, np.float16), "roughness": (1, np.uint8), "metallic": (1, np.uint8)}
# Columns of a sample's mask: the maps that it has, and whether its noise map shows its pattern.
MASKS = ("height", "roughness", "metallic", "structure")


def empty_samples(count: int, size: int) -> dict[str, NDArray]:
    """Allocate samples of size x size texels that tile and have all maps; their latents are unknown (nan)."""
    signals: dict[str, NDArray] = {
        name: np.zeros((count, channels, size, size), dtype) for name, (channels, dtype) in SIGNALS.items()
    }
    return {
        **signals,
        "conditions": np.zeros((count, len(COLUMNS)), np.float32),
        "latents": np.full((count, Z_DIM), np.nan, np.float32),
        "noise_seeds": np.zeros(count, np.int64),
        "masks": np.ones((count, len(MASKS)), np.float32),
        "tiles": np.ones(count, np.bool_),
    }


def encode_map(name: str, values: FloatArray) -> NDArray:
    """Convert a map to the type of its signal: bytes where 255 is 1.0, or float16."""
    dtype = SIGNALS[name][1]
    return np.rint(values * 255).astype(np.uint8) if dtype == np.uint8 else values.astype(dtype)


def condition_values(material: Sequence[str], look: str, sliders: Mapping[str, float]) -> list[float]:
    """Return a row of conditions.

    Args:
        material: Classes of materials, which share the weight equally.
        look: One of materials.LOOKS.
        sliders: Physical values by name.
    """
    values = dict.fromkeys(COLUMNS, 0.0) | dict(sliders) | {f"look:{look}": 1.0}
    values |= {f"material:{name}": 1.0 / len(material) for name in material}
    return [values[column] for column in COLUMNS]
