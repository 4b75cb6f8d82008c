"""Fit the linear model that a run starts from, and complete the data with latents by it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ..api.data import TrainingData
from ..api.spec import Preset
from .networks import LinearFit, fit_linear, linear_latents


def fit_preset(preset: Preset, data: TrainingData, rng: np.random.Generator) -> LinearFit:
    """Fit the linear model with a preset's latents, components, clusters and basis size."""
    return fit_linear(data, preset.z_dim, preset.components, rng, preset.clusters, preset.basis_size)


def add_latents(preset: Preset, fit: LinearFit, data: TrainingData) -> TrainingData:
    """Add the linear model's latents to data without latents, if the preset has a regression part."""
    if preset.regression and fit.means and data.latents is None:
        return replace(data, latents=linear_latents(fit, data))
    return data
