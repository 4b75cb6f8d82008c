"""Arrays of painted training samples: signals, conditions, latents and noise seeds."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from .materials import COLUMNS
from .painter import Z_DIM

FloatArray = NDArray[np.float32]

# Channels and type of each signal.
SIGNALS = {"albedo": (3, np.uint8), "height": (1, np.float16), "roughness": (1, np.uint8), "metallic": (1, np.uint8)}


def empty_samples(count: int, size: int) -> dict[str, NDArray]:
    """Allocate samples of size x size texels."""
    signals: dict[str, NDArray] = {
        name: np.zeros((count, channels, size, size), dtype) for name, (channels, dtype) in SIGNALS.items()
    }
    return {
        **signals,
        "conditions": np.zeros((count, len(COLUMNS)), np.float32),
        "latents": np.zeros((count, Z_DIM), np.float32),
        "noise_seeds": np.zeros(count, np.int64),
    }


def encode_map(name: str, values: FloatArray) -> NDArray:
    """Convert a map to the type of its signal: bytes where 255 is 1.0, or float16."""
    dtype = SIGNALS[name][1]
    return np.rint(values * 255).astype(np.uint8) if dtype == np.uint8 else values.astype(dtype)


def condition_values(material: str, sliders: Mapping[str, float]) -> list[float]:
    """Return a row of conditions.

    Args:
        material: Class of the material.
        sliders: Physical values by name.
    """
    values = dict.fromkeys(COLUMNS, 0.0) | dict(sliders) | {f"material:{material}": 1.0}
    return [values[column] for column in COLUMNS]
