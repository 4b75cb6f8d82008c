"""What a run begins with: the linear model of its data, and the latents that its samples have by that."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ..api.data import TrainingData
from ..api.spec import Preset
from .networks import LinearFit, fit_linear, linear_latents


def fit_of(preset: Preset, data: TrainingData, rng: np.random.Generator) -> LinearFit:
    """The linear model as a preset wants it."""
    return fit_linear(data, preset.z_dim, preset.components, rng, preset.clusters, preset.basis_size)


def with_latents(preset: Preset, fit: LinearFit, data: TrainingData) -> TrainingData:
    """The data with the latents that the linear model says, where the preset regresses and nothing better is known."""
    if preset.regression and fit.means and data.latents is None:
        return replace(data, latents=linear_latents(fit, data))
    return data
