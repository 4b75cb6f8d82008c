"""Before a run: what its samples look like to the networks, and how long it will take on this machine."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
import torch

from ..api.data import TrainingData
from ..api.spec import GeneratorSpec, Preset
from .checks import check_networks, checked_noise, make_domain
from .hardware import apply_hardware
from .initialization import fit_of, with_latents
from .settings import Hardware
from .snapshot import picture_of
from .trainer import Trainer

SHOWN = 64  # samples of a sheet


class Rehearsal:
    """A run that is not kept.

    Args:
        spec: the generator.
        preset: sizes and length.
        data: training samples.
        hardware: device, threads, precision.
    """

    def __init__(self, spec: GeneratorSpec, preset: Preset, data: TrainingData, hardware: Hardware) -> None:
        apply_hardware(hardware)
        fit = fit_of(preset, data, np.random.default_rng(0))
        self.spec, self.preset, self.data, self.hardware = spec, preset, with_latents(preset, fit, data), hardware
        self.domain = make_domain(spec, preset, fit)
        check_networks(spec, preset, self.domain, self.data)

    def sheet(self) -> bytes | None:
        """PNG of samples, evenly picked, as a perfect generator would make them; None when there is nothing to show."""
        count = min(SHOWN, len(self.data))
        index = np.arange(count) * len(self.data) // count
        signals, vectors, conditions = self.data.batch(index)
        raw = {name: torch.from_numpy(array) for name, array in (signals | vectors).items()}
        with torch.no_grad():
            outputs = self.domain.finish(raw, torch.from_numpy(conditions))
        return picture_of(self.spec, {name: value.numpy() for name, value in outputs.items()}, conditions)

    def run_seconds(self, seconds: float, clock: Callable[[], float] = time.monotonic) -> float:
        """Seconds that the whole run takes, from steps of its parts.

        Args:
            seconds: to measure for.
            clock: seconds from some moment on.
        """
        spec, preset = self.spec, self.preset
        noise = checked_noise(spec, self.domain)
        trainer = Trainer(preset, self.domain, self.data, preset.objective, self.hardware, 0, noise, spec.networks)
        share = trainer.preset.regression  # of the part in which the generator learns alone
        parts = [(part, start) for part, start in ((share, 0.0), (1 - share, (1 + share) / 2)) if part]
        images = preset.kimg * 1000
        return sum(part * images * pace(trainer, start, seconds / len(parts), clock) for part, start in parts)


def pace(trainer: Trainer, progress: float, seconds: float, clock: Callable[[], float]) -> float:
    """Seconds that an image takes from a moment of the run on, measured in whole rounds of steps.

    Args:
        trainer: is set to that moment.
        progress: share of the run that is done.
        seconds: to measure for, at least.
        clock: seconds from some moment on.
    """
    trainer.images = int(progress * trainer.preset.kimg * 1000)
    trainer.step()  # the first takes longer
    start, steps = clock(), 0
    while not steps or clock() - start < seconds:
        for _ in range(trainer.preset.penalty_interval):
            trainer.step()
        steps += trainer.preset.penalty_interval
    return (clock() - start) / (steps * trainer.preset.batch)
