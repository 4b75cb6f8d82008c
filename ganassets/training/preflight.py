"""Look at the data before a run: draw samples as the networks see them, and estimate the run's time here."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
import torch

from ..api.data import TrainingData
from ..api.spec import GeneratorSpec, Preset
from .checks import check_networks
from .hardware import apply_hardware
from .initialization import add_latents, fit_preset
from .plugin_domain import make_domain, make_noise_map
from .settings import Hardware
from .snapshot import draw_samples
from .trainer import Trainer

# Number of samples on a sheet.
SHEET_SAMPLES = 64


class Preflight:
    """A run that is set up as usual but not kept.

    Args:
        spec: Generator to train.
        preset: Sizes and length.
        data: Training samples.
        hardware: Device, threads and precision.
    """

    def __init__(self, spec: GeneratorSpec, preset: Preset, data: TrainingData, hardware: Hardware) -> None:
        apply_hardware(hardware)
        fit = fit_preset(preset, data, np.random.default_rng(0))
        self.spec, self.preset, self.data, self.hardware = spec, preset, add_latents(preset, fit, data), hardware
        self.domain = make_domain(spec, preset, fit)
        check_networks(spec, preset, self.domain, self.data)

    def draw_sheet(self) -> bytes | None:
        """Draw evenly picked samples as a perfect generator would make them.

        Returns:
            A PNG; None when the samples can't be shown.
        """
        count = min(SHEET_SAMPLES, len(self.data))
        index = np.arange(count) * len(self.data) // count
        signals, vectors, conditions = self.data.batch(index)
        raw = {name: torch.from_numpy(array) for name, array in (signals | vectors).items()}
        with torch.no_grad():
            outputs = self.domain.finish(raw, torch.from_numpy(conditions))
        return draw_samples(self.spec, {name: value.numpy() for name, value in outputs.items()}, conditions)

    def estimate_run_seconds(self, seconds: float, clock: Callable[[], float] = time.monotonic) -> float:
        """Estimate the seconds of the full run from some steps of each of its parts.

        Args:
            seconds: Time to measure for.
            clock: Returns the current time in seconds.
        """
        spec, preset = self.spec, self.preset
        noise_map = make_noise_map(spec, self.domain)
        trainer = Trainer(preset, self.domain, self.data, preset.objective, self.hardware, 0, noise_map, spec.networks)
        regression = trainer.preset.regression
        shares = ((regression, 0.0), (1 - regression, (1 + regression) / 2))
        parts = [(share, progress) for share, progress in shares if share]
        images = preset.kimg * 1000
        return sum(
            share * images * measure_seconds_per_image(trainer, progress, seconds / len(parts), clock)
            for share, progress in parts
        )


def measure_seconds_per_image(trainer: Trainer, progress: float, seconds: float, clock: Callable[[], float]) -> float:
    """Measure the time per image at a moment of a run, over complete rounds of steps.

    Args:
        trainer: Trainer, which is set to that moment.
        progress: Share of the run that is done.
        seconds: Least time to measure for.
        clock: Returns the current time in seconds.
    """
    trainer.images = int(progress * trainer.preset.kimg * 1000)
    trainer.step()  # the first step takes longer
    start, steps = clock(), 0
    while not steps or clock() - start < seconds:
        for _ in range(trainer.preset.penalty_interval):
            trainer.step()
        steps += trainer.preset.penalty_interval
    return (clock() - start) / (steps * trainer.preset.batch)
