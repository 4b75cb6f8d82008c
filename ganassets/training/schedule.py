"""Learning rates, penalty weight and EMA decay over a run."""

from __future__ import annotations

import math
from dataclasses import dataclass

from ..api.spec import Preset

# Share of the adversarial part in which the discriminator learns alone, then share in which the generator's rate rises.
WARM_UP = 0.04
# Half-life of the exponential moving average of the weights, as a share of the run.
EMA_HALF_LIFE = 0.05
ADAM_BETA2 = 0.99
# Momentum while the generator regresses; the adversarial part has none.
REGRESSION_BETA1 = 0.9
# Discriminator's learning rate by the generator's.
DISCRIMINATOR_RATE = 1.0


@dataclass(frozen=True)
class Schedule:
    """Rates and weights at a moment of the run.

    Attributes:
        generator_rate: Learning rate of the generator.
        discriminator_rate: Learning rate of the discriminator; 0 while the generator regresses.
        gamma: Weight of the gradient penalty.
        ema_decay: Decay of the averaged weights per step.
        beta1: Adam's beta1 of the generator.
    """

    generator_rate: float
    discriminator_rate: float
    gamma: float
    ema_decay: float
    beta1: float = 0.0


def schedule(preset: Preset, progress: float) -> Schedule:
    """Return the schedule at a moment of a run.

    In the regression part only the generator learns, and its rate falls to a tenth by a cosine. In the adversarial part
    both rates fall to a quarter by a cosine, and gamma falls to a tenth.

    Args:
        preset: Rates, and the share of the regression.
        progress: Share of the run that is done, in [0, 1].
    """
    half_life = max(EMA_HALF_LIFE * preset.kimg * 1000 / preset.batch, 1.0)
    ema_decay = 0.5 ** (1 / half_life)
    if progress < preset.regression or preset.regression == 1:
        part = progress / preset.regression
        rate = preset.regression_rate * (0.1 + 0.9 * cosine_decay(part)) * min(part / WARM_UP + 0.01, 1.0)
        return Schedule(rate, 0.0, 0.0, ema_decay, REGRESSION_BETA1)
    adversarial = (progress - preset.regression) / (1 - preset.regression)
    rate = preset.learning_rate * (0.25 + 0.75 * cosine_decay(adversarial))
    ramp = min(max(adversarial / WARM_UP - 1, 0.0), 1.0)
    return Schedule(rate * ramp, rate * DISCRIMINATOR_RATE, preset.gamma * 0.1**adversarial, ema_decay)


def cosine_decay(part: float) -> float:
    """Return a factor that falls from 1 to 0 along a half cosine while `part` grows from 0 to 1."""
    return 0.5 * (1 + math.cos(math.pi * min(part, 1.0)))
