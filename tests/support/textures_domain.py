"""The domain of textures on a few painted samples, for tests."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

import numpy as np

from ganassets.api.data import TrainingData
from ganassets.training.networks import fit_linear
from ganassets_textures import SPEC
from ganassets_textures.domain import TexturesDomain

SIZE = 32
TINY = replace(SPEC.presets[0], size=SIZE, network_size=SIZE, samples=36, z_dim=20)


@lru_cache(1)
def make_samples() -> TrainingData:
    """Paint two samples of each class."""
    return SPEC.dataset(TINY, {}, 0, lambda done, total: None)


def make_domain() -> TexturesDomain:
    """Fit the domain to the painted samples."""
    return SPEC.domain(TINY, fit_linear(make_samples(), TINY.z_dim, 0, np.random.default_rng(0)))
