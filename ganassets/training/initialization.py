"""Fit the linear model that a run starts from, and complete the data with latents by it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from ..api.data import TrainingData
from ..api.spec import Preset
from .networks import LinearFit, fit_linear, linear_latents
from .networks.codes import PARTS, draw_keys, principal_scores


def fit_preset(preset: Preset, data: TrainingData, rng: np.random.Generator) -> LinearFit:
    """Fit the linear model with a preset's latents, components, clusters and basis size; prepare codes."""
    fit = fit_linear(data, preset.z_dim, preset.components, rng, preset.clusters, preset.basis_size)
    if not preset.codes:
        return fit
    index = samples_with_codes(preset, data)
    keys = draw_keys(len(index), preset.z_dim, rng)
    codes = principal_scores([array[index] for array in data.signals.values()], preset.w_dim // PARTS, rng)
    return replace(fit, keys=keys, key_conditions=data.conditions[index], start_codes=codes)


def samples_with_codes(preset: Preset, data: TrainingData) -> NDArray[np.int64]:
    """Return the indices of the samples that get a learned code: all, or evenly picked ones."""
    count = min(preset.codes, len(data))
    return np.arange(count) * len(data) // count


def add_latents(preset: Preset, fit: LinearFit, data: TrainingData) -> TrainingData:
    """Add latents to data: the keys of codes, or the linear model's if the preset has a regression part."""
    if preset.codes:
        latents = np.full((len(data), preset.z_dim), np.nan, np.float32)
        latents[samples_with_codes(preset, data)] = fit.keys
        return replace(data, latents=latents)
    if preset.regression and fit.means and data.latents is None:
        return replace(data, latents=linear_latents(fit, data))
    return data
