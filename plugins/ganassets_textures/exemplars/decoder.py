"""The decoder that every run on exemplars starts from: principal components of cells, and trained weights."""

from __future__ import annotations

import io
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files

import numpy as np
from numpy.typing import NDArray

from .cells import CellBasis

FloatArray = NDArray[np.float32]

WEIGHT = "weight:"  # start of the names of weights in the file


@dataclass(frozen=True, eq=False)
class Decoder:
    """A trained decoder.

    Attributes:
        basis: Principal components of the cells.
        weights: Weights of ExemplarGenerator by name; those of the mapping are left out.
    """

    basis: CellBasis
    weights: dict[str, FloatArray]


@lru_cache(1)
def read_decoder() -> Decoder:
    """Read the decoder that ships with the plugin."""
    raw = (files("ganassets_textures") / "data" / "decoder.npz").read_bytes()
    with np.load(io.BytesIO(raw), allow_pickle=False) as data:
        arrays = {name: data[name].astype(np.float32) for name in data.files}
    weights = {name.removeprefix(WEIGHT): array for name, array in arrays.items() if name.startswith(WEIGHT)}
    return Decoder(CellBasis(arrays["mean"], arrays["components"], arrays["spread"]), weights)
