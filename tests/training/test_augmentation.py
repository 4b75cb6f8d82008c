"""Augmentation: what it does to views, how its strength follows the discriminator, and that it does not leak."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from ganassets.api.data import TrainingData
from ganassets.training.augmentation import (
    MAX_SHIFT,
    RISE,
    SIGN_MEAN_DECAY,
    TARGET_SIGN_MEAN,
    AdaptiveStrength,
    Augmentation,
    augment,
    concatenate_augmentations,
    draw_augmentation,
)
from ganassets.training.checkpoint import load_checkpoint, save_checkpoint
from ganassets.training.networks import Domain, LinearFit, fit_linear
from ganassets.training.trainer import Trainer
from support.domains import CPU, NETWORK_SIZE, ToyDomain, make_data, make_fit, make_preset

CAP = 0.3


def domain_of(kind: str, colours: tuple[int, ...] = (), moves: bool = False) -> ToyDomain:
    """A toy domain whose views may be changed."""
    domain = ToyDomain(kind, make_fit(kind, make_data(kind), make_preset()))
    domain.colours, domain.moves = colours, moves
    return domain


def views(domain: Domain, n: int = 6) -> Tensor:
    size = [domain.view_size] * len(domain.wraps)
    return torch.randn(n, domain.view_channels, *size, generator=torch.Generator().manual_seed(0))


def nothing_but(n: int, axes: int, **parts: Any) -> Augmentation:
    """A change of nothing but the given parts."""
    one, zero = torch.ones(n, 1), torch.zeros(n, 1)
    nothing = {
        "shifts": torch.zeros(n, axes, dtype=torch.int64), "mirrored": torch.zeros(n, dtype=torch.bool),
        "contrast": one, "saturation": one, "brightness": zero,
    }  # fmt: skip
    return Augmentation(**{**nothing, **parts})


def drawn(domain: Domain, strength: float, n: int = 2000) -> Augmentation:
    return draw_augmentation(domain, n, strength, torch.Generator().manual_seed(1))


def test_wrapping_axes_are_rolled():
    domain = domain_of("tile", moves=True)
    view, shifts = views(domain, 3), torch.tensor([[2, 0], [0, -3], [-1, 2]])
    moved = augment(view, nothing_but(3, 2, shifts=shifts), domain)
    for before, after, shift in zip(view, moved, shifts.tolist(), strict=True):
        assert torch.equal(after, before.roll(shift, (1, 2)))


def test_what_does_not_wrap_repeats_its_border():
    domain = domain_of("picture", moves=True)
    view = views(domain, 2)
    down, left = augment(view, nothing_but(2, 2, shifts=torch.tensor([[2, 0], [0, -3]])), domain)
    assert torch.equal(down[:, 2:], view[0, :, :-2])
    assert torch.equal(down[:, :2], view[0, :, :1].expand(-1, 2, -1))
    assert torch.equal(left[:, :, :-3], view[1, :, :, 3:])
    assert torch.equal(left[:, :, -3:], view[1, :, :, -1:].expand(-1, -1, 3))


def test_each_axis_by_itself():
    """Shift a band, whose height ends and whose width wraps."""
    domain = domain_of("band", moves=True)
    view = views(domain, 1)
    moved = augment(view, nothing_but(1, 2, shifts=torch.tensor([[1, 4]])), domain)
    assert torch.equal(moved[0, :, 1:], view[0, :, :-1].roll(4, 2))
    assert torch.equal(moved[0, :, 0], view[0, :, 0].roll(4, 1))


@pytest.mark.parametrize("kind", ["picture", "loop"])
def test_mirrors_along_the_last_axis(kind):
    domain = domain_of(kind, moves=True)
    view = views(domain, 2)
    moved = augment(view, nothing_but(2, len(domain.wraps), mirrored=torch.tensor([True, False])), domain)
    assert torch.equal(moved[0], view[0].flip(-1)) and torch.equal(moved[1], view[1])


def test_colour_changes_colours_alone():
    """They need not be the first channels."""
    domain = domain_of("picture", colours=(5, 1, 2))
    view, change = views(domain, 4), drawn(domain, 1.0, 4)
    after = augment(view, change, domain)
    others = [c for c in range(domain.view_channels) if c not in domain.colours]
    assert torch.equal(after[:, others], view[:, others])
    assert not torch.isclose(after[:, list(domain.colours)], view[:, list(domain.colours)]).all((2, 3)).any()
    colour = view[:, [5, 1, 2]]
    grey = colour.mean(1, keepdim=True)
    factors = [getattr(change, k)[..., None, None] for k in ("contrast", "saturation", "brightness")]
    expected = (grey + (colour - grey) * factors[1]) * factors[0] + factors[2]
    torch.testing.assert_close(after[:, [5, 1, 2]], expected)


@pytest.mark.parametrize(("colours", "moves"), [((0, 1, 2), False), ((), True)])
def test_only_what_the_domain_allows(colours, moves):
    domain = domain_of("picture", colours, moves)
    change = drawn(domain, 1.0)
    assert (change.contrast != 1).any() == (change.brightness != 0).any() == bool(colours)
    assert bool((change.shifts != 0).any()) == bool(change.mirrored.any()) == moves


def test_strength_zero_changes_nothing():
    domain = domain_of("picture", (0, 1, 2), True)
    view = views(domain)
    torch.testing.assert_close(augment(view, drawn(domain, 0.0, len(view)), domain), view, atol=1e-6, rtol=1e-6)


@pytest.mark.parametrize("strength", [0.2, 1.0])
def test_strength_is_the_share_that_each_change_is_made_to(strength):
    domain = domain_of("picture", (0, 1, 2), True)
    change, most = drawn(domain, strength), int(NETWORK_SIZE * MAX_SHIFT)
    still = 1 / (2 * most + 1) ** 2  # a shift by nothing
    assert (change.shifts != 0).any(1).float().mean() == pytest.approx(strength * (1 - still), abs=0.03)
    assert change.mirrored.float().mean() == pytest.approx(strength / 2, abs=0.03)
    for name, nothing in (("contrast", 1), ("saturation", 1), ("brightness", 0)):
        assert (getattr(change, name) != nothing).float().mean() == pytest.approx(strength, abs=0.03)
    assert change.shifts.abs().max() == most


def test_gradient_flows_through():
    domain = domain_of("picture", (0, 1, 2), True)
    view = views(domain).requires_grad_()
    augment(view, drawn(domain, 1.0, len(view)), domain).square().sum().backward()
    assert view.grad is not None and (view.grad.abs().sum((1, 2, 3)) > 0).all()


def test_joined_changes_are_one_after_the_other():
    domain = domain_of("picture", (0, 1, 2), True)
    first, second = (draw_augmentation(domain, 3, 1.0, torch.Generator().manual_seed(seed)) for seed in (1, 2))
    view = views(domain)
    parts = torch.cat([augment(view[:3], first, domain), augment(view[3:], second, domain)])
    torch.testing.assert_close(augment(view, concatenate_augmentations(first, second), domain), parts)
    assert torch.equal(concatenate_augmentations(first, second).select(torch.tensor([4])).shifts, second.shifts[1:2])


def test_the_strength_follows_the_discriminator():
    adaptive = AdaptiveStrength(CAP)
    strengths = []
    for _ in range(200):
        adaptive.update(1.0, 0.001)
        strengths.append(adaptive.strength)
    assert strengths[0] == 0, "one step does not show it"
    assert strengths == sorted(strengths) and strengths[-1] == pytest.approx(CAP) and max(strengths) <= CAP
    rising = sum(0 < strength < CAP for strength in strengths)
    assert rising == pytest.approx(RISE / 0.001, abs=2), "it takes a tenth of the run"
    for _ in range(300):
        adaptive.update(TARGET_SIGN_MEAN - 0.1, 0.001)
    assert adaptive.strength == 0


def test_one_odd_step_does_not_turn_it():
    adaptive = AdaptiveStrength(CAP, strength=0.1, sign_mean=0.9)
    adaptive.update(-1.0, 0.001)
    assert adaptive.strength > 0.1 and adaptive.sign_mean == pytest.approx(
        0.9 * SIGN_MEAN_DECAY - (1 - SIGN_MEAN_DECAY)
    )


def trainer_of(cap: float, seed: int = 0) -> Trainer:
    """A trainer of pictures whose views may be changed in every way."""
    preset, data = make_preset(kimg=1.6, augmentation=cap), make_data("picture")
    return Trainer(preset, domain_of("picture", (0, 1, 2), True), data, "rpgan", CPU, seed)


def test_resuming_restores_it(tmp_path):
    first = trainer_of(CAP)
    first.augmentation.strength, first.augmentation.sign_mean = 0.2, 0.7
    for _ in range(3):
        assert 0 < first.step()["augmentation"] <= CAP
    second = trainer_of(CAP, seed=9)
    second.restore(*load_checkpoint(save_checkpoint(tmp_path, *first.state())))
    assert second.augmentation == first.augmentation
    for _ in range(3):
        assert first.step() == second.step()


def test_without_a_cap_no_random_number_is_spent():
    first, second = trainer_of(0.0), trainer_of(0.0)
    second.domain.colours, second.domain.moves = (), False
    for _ in range(3):
        metrics = first.step()
        assert metrics == second.step() and "augmentation" not in metrics
    assert torch.equal(first.sampler.latent_state.get_state(), second.sampler.latent_state.get_state())


# Pictures of a dot of one colour at one place, left or right of the middle.
ROW, COLUMNS, SIZE = 8, {"left": 4, "right": 11}, 16
COLOUR, GROUND = np.array([0.9, 0.1, -0.7]), -0.5
STEPS, BATCH = 200, 16


class Dots(Domain):
    """The view is the picture."""

    def __init__(self, fit: LinearFit) -> None:
        super().__init__(fit)
        self.signals, self.vectors = {"picture": 3}, {}
        self.wraps, self.size, self.network_size = (False, False), SIZE, SIZE
        self.view_channels, self.colours, self.moves = 3, (0, 1, 2), True

    def finish(self, raw: dict[str, Tensor], condition: Tensor) -> dict[str, Tensor]:
        """Outputs, as they are."""
        return raw


def dots(side: str, n: int = 256) -> TrainingData:
    """Dots of several sizes."""
    down, along = np.mgrid[:SIZE, :SIZE]
    away = (down - ROW) ** 2 + (along - COLUMNS[side]) ** 2
    radius = np.random.default_rng(0).uniform(1, 2, (n, 1, 1, 1))
    pictures = GROUND + np.exp(-away / (2 * radius**2)) * (COLOUR - GROUND)[:, None, None]
    return TrainingData({"picture": pictures.astype(np.float32)}, {}, np.zeros((n, 0), np.float32), "", "", "")


def generated(side: str, strength: float) -> tuple[np.ndarray, np.ndarray]:
    """Return (64, 2) rows and columns and (64, 3) colours of the brightest pixels of samples after a short training."""
    data = dots(side)
    preset = make_preset(
        size=SIZE, batch=BATCH, kimg=STEPS * BATCH / 1000, learning_rate=2e-3, gamma=0.3, penalty_interval=2,
        augmentation=strength,
    )  # fmt: skip
    trainer = Trainer(preset, Dots(fit_linear(data, 8, 0, np.random.default_rng(0))), data, "rpgan", CPU, 0)
    for _ in range(STEPS):
        trainer.augmentation.strength = strength
        trainer.step()
    z = torch.randn(64, preset.z_dim, generator=torch.Generator().manual_seed(0))
    pictures = trainer.snapshot(z, torch.zeros(64, 0))["picture"]
    contrast = np.abs(pictures - GROUND).sum(1).reshape(64, -1).argmax(1)
    colours = pictures.reshape(64, 3, -1)[np.arange(64), :, contrast]
    return np.stack(np.divmod(contrast, SIZE), 1), colours


def off(places: np.ndarray, side: str) -> float:
    """Mean distance to where the dots of the data are, in pixels."""
    return float(np.hypot(places[:, 0] - ROW, places[:, 1] - COLUMNS[side]).mean())


@pytest.mark.slow
def test_at_the_cap_changes_do_not_leak_and_without_it_they_do():
    """If every sample is changed, the side of the dots is unknown, so one of the two sides comes out wrong."""
    places, colours = generated("left", CAP)
    assert off(places, "left") < 0.5
    np.testing.assert_allclose(colours.mean(0), COLOUR, atol=0.25)
    assert colours.std(0).max() < 0.25, "brightness alone is changed by twice as much"
    assert any(off(generated(side, 1.0)[0], side) > 3 for side in COLUMNS)
