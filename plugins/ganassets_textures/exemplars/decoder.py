"""The trained weights that every run on exemplars starts from."""

from __future__ import annotations

import io
from functools import lru_cache
from importlib.resources import files

import numpy as np
from numpy.typing import NDArray


@lru_cache(1)
def read_decoder() -> dict[str, NDArray[np.float32]]:
    """Read the weights of ExemplarGenerator by name, without those of the mapping, that ship with the plugin."""
    raw = (files("ganassets_textures") / "data" / "decoder.npz").read_bytes()
    with np.load(io.BytesIO(raw), allow_pickle=False) as data:
        return {name: data[name].astype(np.float32) for name in data.files}
