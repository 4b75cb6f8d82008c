"""Train the portraits generator on images, as a user's own images would be trained on."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from images import Images
from torch import Tensor

from ganassets.api.data import TrainingData
from ganassets.api.latents import latents
from ganassets.training.hardware import choose_hardware
from ganassets.training.initialization import add_latents, fit_preset
from ganassets.training.settings import Hardware
from ganassets.training.trainer import Trainer
from ganassets_faces.portraits import QUICK, SPEC

# Number of last steps that the speed is computed from.
RATE_STEPS = 32


class TimedTrainer(Trainer):
    """A trainer whose progress is measured in time instead of images."""

    share = 0.0

    @property
    def progress(self) -> float:
        """Share of the time that has passed."""
        return self.share


def choose_fixed_hardware(device: str) -> Hardware:
    """Return what `ganassets train` would choose on a quiet machine, without measuring."""
    if device != "cpu":
        return choose_hardware(device, 1)
    fast_half = torch.ops.mkldnn._is_mkldnn_bf16_supported()
    return Hardware("cpu", 1, "bfloat16" if fast_half else "float32", True)


class Ours:
    """The trainer of ganassets on images; `changes` are fields of its preset."""

    def __init__(self, images: Images, device: str, seed: int, **changes: Any) -> None:
        preset = replace(QUICK, **changes)
        data = make_data(images)
        fit = fit_preset(preset, data, np.random.default_rng([seed, 3]))
        data = add_latents(preset, fit, data)
        hardware = choose_fixed_hardware(device)
        self.trainer = TimedTrainer(preset, SPEC.domain(preset, fit), data, preset.objective, hardware, seed)
        self.batch, self.precision = preset.batch, hardware.precision
        self.networks = ([self.trainer.generator], self.trainer.discriminator)
        self.shares: deque[float] = deque(maxlen=RATE_STEPS)

    def step(self, share: float) -> None:
        """Step the trainer; the EMA's half-life is in images, so the run's images are estimated from the speed."""
        trainer = self.trainer
        trainer.share = share
        self.shares.append(share)
        if len(self.shares) > 1:
            per_step = (share - self.shares[0]) / (len(self.shares) - 1)
            trainer.preset = replace(trainer.preset, kimg=self.batch / per_step / 1000)
        trainer.step()

    def samples(self, count: int) -> Mapping[str, Tensor]:
        """Generate samples with the averaged weights, as in a model file."""
        z = torch.from_numpy(latents(range(count), self.trainer.preset.z_dim))
        return {"average": torch.from_numpy(self.trainer.snapshot(z, torch.zeros(count, 0))["picture"])}


def make_data(images: Images) -> TrainingData:
    """Convert images to training data of the portraits generator."""
    constants = {"aspect": np.ones(1, np.float32)}
    none = np.zeros((len(images), 0), np.float32)
    return TrainingData({"colour": images}, {}, none, "pictures", "", "", constants=constants)
