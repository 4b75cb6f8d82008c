"""Losses and penalty against formulas written out."""

from __future__ import annotations

import math

import pytest
import torch

from ganassets.api import spec
from ganassets.training.loss import OBJECTIVES, gradient_penalty

REAL, FAKE = torch.tensor([0.3, -1.2, 2.0]), torch.tensor([-0.5, 0.4, 1.5])


def sigmoid(x: float) -> float:
    return 1 / (1 + math.exp(-x))


def mean(values: list[float]) -> float:
    return sum(values) / len(values)


def test_relativistic_losses():
    """-log sigmoid of the pair's difference, each side in its own favour."""
    pairs = list(zip(REAL.tolist(), FAKE.tolist(), strict=True))
    chosen = OBJECTIVES["rpgan"]
    assert math.isclose(
        chosen.discriminator(REAL, FAKE), mean([-math.log(sigmoid(r - f)) for r, f in pairs]), rel_tol=1e-5
    )
    assert math.isclose(chosen.generator(REAL, FAKE), mean([-math.log(sigmoid(f - r)) for r, f in pairs]), rel_tol=1e-5)
    assert chosen.penalised


def test_minimax_losses():
    """V = E log D(x) + E log(1 - D(G(z))): the discriminator's loss is -V, the generator's the part of V it moves."""
    on_real = mean([math.log(sigmoid(r)) for r in REAL.tolist()])
    on_fake = mean([math.log(1 - sigmoid(f)) for f in FAKE.tolist()])
    chosen = OBJECTIVES["minimax"]
    assert math.isclose(chosen.discriminator(REAL, FAKE), -(on_real + on_fake), rel_tol=1e-5)
    assert math.isclose(chosen.generator(REAL, FAKE), on_fake, rel_tol=1e-5)
    assert not chosen.penalised


def test_nonsaturating_losses():
    """Cross entropy: the discriminator's as in minimax, the generator's with fakes labelled real."""
    chosen = OBJECTIVES["nonsaturating"]
    labelled_real = mean([-math.log(sigmoid(f)) for f in FAKE.tolist()])
    assert math.isclose(chosen.generator(REAL, FAKE), labelled_real, rel_tol=1e-5)
    assert chosen.discriminator is OBJECTIVES["minimax"].discriminator
    assert not chosen.penalised


def test_presets_may_name_them_all():
    assert tuple(OBJECTIVES) == spec.OBJECTIVES
    assert all(objective.name == name for name, objective in OBJECTIVES.items())


@pytest.mark.parametrize("name", list(OBJECTIVES))
def test_losses_fall_where_they_should(name):
    chosen = OBJECTIVES[name]
    assert chosen.discriminator(REAL + 1, FAKE) < chosen.discriminator(REAL, FAKE)
    assert chosen.discriminator(REAL, FAKE - 1) < chosen.discriminator(REAL, FAKE)
    assert chosen.generator(REAL, FAKE + 1) < chosen.generator(REAL, FAKE)


@pytest.mark.parametrize("name", list(OBJECTIVES))
def test_large_scores_stay_finite(name):
    chosen = OBJECTIVES[name]
    for loss in (chosen.generator, chosen.discriminator):
        assert math.isfinite(loss(torch.full((3,), 1e4), torch.full((3,), -1e4)))


def test_penalty_of_a_quadratic():
    """D(x) = x'Ax/2 + c'x has the gradient Ax + c, for symmetric A; the condition plays no part."""
    torch.manual_seed(0)
    a = torch.randn(12, 12)
    a, c, x = a + a.T, torch.randn(12), torch.randn(5, 3, 4)

    def score(view: torch.Tensor, condition: torch.Tensor) -> torch.Tensor:
        flat = view.flatten(1)
        return 0.5 * (flat @ a * flat).sum(1) + flat @ c + condition[:, 0]

    expected = ((x.flatten(1) @ a + c) ** 2).sum(1).mean()
    torch.testing.assert_close(gradient_penalty(score, x, torch.randn(5, 1)), expected)


def test_penalty_has_a_gradient_for_the_weights_and_none_for_the_samples():
    slope = torch.tensor(3.0, requires_grad=True)
    x = torch.randn(4, 2, requires_grad=True)
    penalty = gradient_penalty(lambda view, condition: slope * view.sum(1), x, torch.zeros(4, 0))
    penalty.backward()
    assert x.grad is None and slope.grad is not None
    torch.testing.assert_close(slope.grad, torch.tensor(2 * 2 * 3.0))  # d (2 slope^2) / d slope
