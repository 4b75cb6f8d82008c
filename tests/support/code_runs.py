"""Pictures and presets for tests of generators with codes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ganassets.api.data import TrainingData
from ganassets.api.spec import Preset
from ganassets.training.initialization import add_latents, fit_preset
from ganassets.training.networks import Domain
from ganassets.training.trainer import Trainer
from ganassets_faces.portraits import SPEC
from support.domains import CPU

SIZE = 32
CODE_PRESET = Preset(
    "codes",
    "Tiny.",
    size=SIZE,
    network_size=SIZE,
    kimg=0.4,
    components=4,
    width=8,
    max_width=16,
    z_dim=32,
    w_dim=16,
    batch=4,
    learning_rate=2e-3,
    augmentation=0.3,
    regression=0.5,
    codes=64,
)


def make_pictures(count: int, channels: int = 4, labels: bool = False) -> TrainingData:
    """Make discs of different places, sizes and colours on a clear or black ground; two labels by turns."""
    rng = np.random.default_rng(0)
    row, column = np.mgrid[:SIZE, :SIZE] + 0.5
    pixels = np.zeros((count, channels, SIZE, SIZE), np.uint8)
    for picture in pixels:
        y, x, radius = rng.uniform(12, 20), rng.uniform(12, 20), rng.uniform(6, 12)
        inside = (row - y) ** 2 + (column - x) ** 2 < radius**2
        picture[:3, inside] = rng.integers(40, 256, (3, 1))
        picture[3:, inside] = 255
    conditions = np.eye(2, dtype=np.float32)[np.arange(count) % 2] if labels else np.zeros((count, 0), np.float32)
    constants = {"aspect": np.ones(1, np.float32)}
    return TrainingData({"colour": pixels}, {}, conditions, "discs", "CC0-1.0", "", constants=constants)


def make_code_domain(data: TrainingData, preset: Preset = CODE_PRESET) -> tuple[Domain, TrainingData]:
    """Return the domain of pictures fitted to data, and the data with the latents of their codes."""
    fit = fit_preset(preset, data, np.random.default_rng(0))
    return SPEC.domain(preset, fit), add_latents(preset, fit, data)


def make_code_trainer(data: TrainingData, seed: int = 0, **changes: float) -> Trainer:
    """Make a trainer of the tiny preset."""
    preset = replace(CODE_PRESET, **changes)
    domain, full = make_code_domain(data, preset)
    return Trainer(preset, domain, full, "rpgan", CPU, seed)
