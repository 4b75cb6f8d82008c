"""Adversarial objectives. Real and fake samples come in pairs that share their conditions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

Scores = Callable[[Tensor, Tensor], Tensor]


def relativistic_generator(real: Tensor, fake: Tensor) -> Tensor:
    """softplus(D(real) - D(fake)), mean (Jolicoeur-Martineau 2018, relativistic pairing GAN)."""
    return functional.softplus(real - fake).mean()


def relativistic_discriminator(real: Tensor, fake: Tensor) -> Tensor:
    """softplus(D(fake) - D(real)), mean."""
    return functional.softplus(fake - real).mean()


def minimax_generator(real: Tensor, fake: Tensor) -> Tensor:
    """log(1 - sigmoid(D(fake))), mean: the saturating loss of Goodfellow et al. (2014)."""
    del real
    return -functional.softplus(fake).mean()


def nonsaturating_generator(real: Tensor, fake: Tensor) -> Tensor:
    """-log sigmoid(D(fake)), mean (Goodfellow et al. 2014): cross entropy of fakes that are labelled real."""
    del real
    return functional.softplus(-fake).mean()


def minimax_discriminator(real: Tensor, fake: Tensor) -> Tensor:
    """-log sigmoid(D(real)) - log(1 - sigmoid(D(fake))), mean (Goodfellow et al. 2014)."""
    return functional.softplus(-real).mean() + functional.softplus(fake).mean()


@dataclass(frozen=True)
class Objective:
    """A pair of losses of (real scores, fake scores), and whether gradients are penalised."""

    name: str
    generator: Callable[[Tensor, Tensor], Tensor]
    discriminator: Callable[[Tensor, Tensor], Tensor]
    penalised: bool


OBJECTIVES = {
    "rpgan": Objective("rpgan", relativistic_generator, relativistic_discriminator, True),
    "minimax": Objective("minimax", minimax_generator, minimax_discriminator, False),
    "nonsaturating": Objective("nonsaturating", nonsaturating_generator, minimax_discriminator, False),
}


def gradient_penalty(discriminator: Scores, view: Tensor, condition: Tensor) -> Tensor:
    """Mean squared norm of the score's gradient with respect to the view.

    On real samples this is R1, on fakes R2 (Mescheder et al. 2018, "Which Training Methods for GANs do actually
    Converge?"); the loss takes gamma / 2 of each.
    """
    view = view.detach().requires_grad_(True)
    scores = discriminator(view, condition)
    (gradient,) = torch.autograd.grad(scores.sum(), view, create_graph=True)
    return gradient.float().square().flatten(1).sum(1).mean()
