"""The training step: repeatable, resumable, and it learns."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from ganassets.api.errors import InputError
from ganassets.training.checkpoint import load_checkpoint, save_checkpoint
from ganassets.training.evaluation.measures import frechet_distance, principal_axes
from ganassets.training.schedule import WARM_UP, schedule
from ganassets.training.trainer import Trainer
from support.domains import KINDS, make_data, make_preset, make_trainer

ALL = pytest.mark.parametrize("kind", list(KINDS))


def weights(trainer: Trainer) -> dict[str, torch.Tensor]:
    return trainer.state()[0]


def assert_same(a: Trainer, b: Trainer) -> None:
    (first, numbers), (second, other) = a.state(), b.state()
    assert numbers == other and first.keys() == second.keys()
    assert [key for key in first if not torch.equal(first[key], second[key])] == []


def run(trainer: Trainer, steps: int) -> Trainer:
    for _ in range(steps):
        trainer.step()
    return trainer


@ALL
def test_same_seed_same_weights(kind):
    # A short run, so that the generator's warm-up is over after one step.
    first, second = (run(make_trainer(kind, seed=3, kimg=0.1), 3) for _ in range(2))
    assert_same(first, second)
    start = weights(make_trainer(kind, seed=3, kimg=0.1))
    moved = [key for key, value in weights(first).items() if key in start and not torch.equal(value, start[key])]
    assert {key.split(".")[0] for key in moved} == {"generator", "discriminator", "average", "noise_state"}
    other = weights(run(make_trainer(kind, seed=4, kimg=0.1), 3))
    assert not torch.equal(
        other["generator.to_signals.conv.weight"], weights(first)["generator.to_signals.conv.weight"]
    )


@pytest.mark.parametrize("objective", ["rpgan", "minimax"])
@ALL
def test_resuming_equals_an_unbroken_run(kind, objective, tmp_path):
    first = run(make_trainer(kind, objective=objective, kimg=0.1), 3)
    path = save_checkpoint(tmp_path, *first.state())
    second = make_trainer(kind, seed=99, objective=objective, kimg=0.1)  # nothing of its own start may stay
    second.restore(*load_checkpoint(path))
    assert_same(first, second)
    assert run(first, 2).state()[1] == run(second, 2).state()[1]
    assert_same(first, second)


def test_foreign_state_is_refused():
    state = make_trainer("loop").state()
    with pytest.raises(InputError, match="does not fit"):
        make_trainer("tile").restore(*state)
    with pytest.raises(InputError, match="does not fit"):
        make_trainer("loop", width=4).restore(*state)


def test_state_is_a_copy():
    trainer = make_trainer("loop", kimg=0.1)
    tensors, _ = trainer.state()
    before = {key: value.clone() for key, value in tensors.items()}
    run(trainer, 3)
    assert all(torch.equal(tensors[key], before[key]) for key in before)


def test_global_random_state_is_left_alone():
    torch.manual_seed(5)
    before = torch.get_rng_state()
    run(make_trainer("tile"), 2)
    assert torch.equal(torch.get_rng_state(), before)


def test_images_are_counted():
    trainer = run(make_trainer("loop", kimg=0.04), 3)
    assert (trainer.step_count, trainer.images, trainer.progress) == (3, 24, pytest.approx(0.6))
    assert run(trainer, 3).progress == 1.0


def test_penalty_at_its_interval():
    trainer = make_trainer("loop", penalty_interval=3)
    assert ["penalty" in trainer.step() for _ in range(7)] == [True, False, False] * 2 + [True]
    assert not any("penalty" in make_trainer("loop", objective="minimax").step() for _ in range(2))


def test_generator_waits_for_the_discriminator():
    trainer = make_trainer("loop", kimg=1.0)
    start = weights(trainer)
    steps = int(WARM_UP * 1000 / 8)
    assert not any("g_loss" in trainer.step() for _ in range(steps))
    now = weights(trainer)
    assert all(torch.equal(now[key], start[key]) for key in start if key.startswith(("generator", "average")))
    assert any(not torch.equal(now[key], start[key]) for key in start if key.startswith("discriminator"))
    run(trainer, 2)
    assert "g_loss" in trainer.step()


def test_schedules():
    preset = make_preset()
    start, end = schedule(preset, 0.0), schedule(preset, 1.0)
    assert start.generator_rate == 0 and start.gamma == preset.gamma
    assert end.generator_rate == pytest.approx(preset.learning_rate / 4)
    assert end.gamma == pytest.approx(preset.gamma / 10)
    later = [schedule(preset, p).generator_rate for p in np.linspace(2 * WARM_UP, 1, 20)]
    assert later == sorted(later, reverse=True) and 0 < start.ema_decay < 1


@ALL
def test_snapshots_do_not_depend_on_the_batch(kind):
    trainer = run(make_trainer(kind, kimg=0.1), 3)
    z, condition = torch.randn(5, 8), torch.rand(5, 2)
    together, apart = (trainer.snapshot(z, condition, batch) for batch in (5, 2))
    for name in together:
        np.testing.assert_allclose(together[name], apart[name], atol=1e-5)


@pytest.mark.parametrize("objective", ["rpgan", "minimax"])
def test_learns_the_data(objective):
    """Train without a linear model; the averaged generator comes much nearer to the data."""
    real = make_data("loop", 256, seed=1)
    mean, axes = principal_axes(real.signals["pose"].reshape(256, -1).astype(np.float64), 4)
    reference = (real.signals["pose"].reshape(256, -1) - mean) @ axes
    z = torch.randn(256, 8, generator=torch.Generator().manual_seed(0))

    def distance(trainer: Trainer) -> float:
        made = trainer.snapshot(z, torch.from_numpy(real.conditions))["pose"].reshape(256, -1)
        return frechet_distance(reference, (made - mean) @ axes)

    trainer = make_trainer(
        "loop", objective=objective, n=256, kimg=3.2, learning_rate=4e-3, batch=16, width=4, max_width=8
    )
    before = distance(trainer)
    after = [distance(run(trainer, 20)) for _ in range(10)]
    assert trainer.progress == 1.0
    # Minimax has no gradient penalty and swings about, so its nearest moment counts; rpgan has to end well.
    assert (min(after) if objective == "minimax" else after[-1]) < 0.5 * before
