"""Adversarial losses and the gradient penalty; real and fake samples come in pairs that share their conditions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

ScoreFunction = Callable[[Tensor, Tensor], Tensor]


def relativistic_generator(real: Tensor, fake: Tensor) -> Tensor:
    """Return mean softplus(D(real) - D(fake)) (Jolicoeur-Martineau 2018, relativistic pairing GAN)."""
    return functional.softplus(real - fake).mean()


def relativistic_discriminator(real: Tensor, fake: Tensor) -> Tensor:
    """Return mean softplus(D(fake) - D(real))."""
    return functional.softplus(fake - real).mean()


def minimax_generator(real: Tensor, fake: Tensor) -> Tensor:
    """Return mean log(1 - sigmoid(D(fake))), the saturating loss of Goodfellow et al. (2014)."""
    del real
    return -functional.softplus(fake).mean()


def nonsaturating_generator(real: Tensor, fake: Tensor) -> Tensor:
    """Return mean -log sigmoid(D(fake)), the cross entropy of fakes with real labels (Goodfellow et al. 2014)."""
    del real
    return functional.softplus(-fake).mean()


def minimax_discriminator(real: Tensor, fake: Tensor) -> Tensor:
    """Return mean -log sigmoid(D(real)) - log(1 - sigmoid(D(fake))) (Goodfellow et al. 2014)."""
    return functional.softplus(-real).mean() + functional.softplus(fake).mean()


@dataclass(frozen=True)
class Objective:
    """A pair of adversarial losses.

    Attributes:
        name: Key of OBJECTIVES.
        generator: Loss of the generator from (real scores, fake scores).
        discriminator: Loss of the discriminator from the same.
        penalised: Whether the discriminator's loss has a gradient penalty.
    """

    name: str
    generator: Callable[[Tensor, Tensor], Tensor]
    discriminator: Callable[[Tensor, Tensor], Tensor]
    penalised: bool


OBJECTIVES = {
    "rpgan": Objective("rpgan", relativistic_generator, relativistic_discriminator, True),
    "minimax": Objective("minimax", minimax_generator, minimax_discriminator, False),
    "nonsaturating": Objective("nonsaturating", nonsaturating_generator, minimax_discriminator, False),
}


def gradient_penalty(discriminator: ScoreFunction, view: Tensor, condition: Tensor) -> Tensor:
    """Return the mean squared norm of the score's gradient with respect to the view.

    On real samples this is R1, on fakes R2 (Mescheder et al. 2018, "Which Training Methods for GANs do actually
    Converge?"); the loss adds gamma / 2 of each.

    Args:
        discriminator: Returns (n,) scores of views and conditions.
        view: (n, channels, *size) views.
        condition: (n, c) physical condition values.
    """
    view = view.detach().requires_grad_(True)
    scores = discriminator(view, condition)
    (gradient,) = torch.autograd.grad(scores.sum(), view, create_graph=True)
    return gradient.float().square().flatten(1).sum(1).mean()
