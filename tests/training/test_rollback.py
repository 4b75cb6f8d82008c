"""Losses and gradients that stop being finite: nothing moves, the run goes back and on at half the rate."""

from __future__ import annotations

from collections.abc import Callable, Collection

import pytest
import torch
from torch import Tensor

from ganassets.api.errors import GanassetsError
from ganassets.training import progress, run_recorder, training_loop
from ganassets.training.checkpoint import load_checkpoint, newest_checkpoint
from ganassets.training.run import resume
from ganassets.training.schedule import schedule
from ganassets.training.trainer import NotFiniteError, Trainer
from ganassets.training.training_loop import MAX_ROLLBACKS
from support.domains import make_trainer
from support.run_files import read_records
from support.toy_runs import printed, quiet, start, toy_preset, toy_spec

SPEC = toy_spec("tile", toy_preset("tile", kimg=0.096))  # 12 steps


def failing(calls: Collection[int], monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Let some calls of a step fail; returns what images each call began with."""
    original: Callable[[Trainer], dict[str, float]] = Trainer.step
    begun: list[int] = []

    def stepping(trainer: Trainer) -> dict[str, float]:
        begun.append(trainer.images)
        if len(begun) in calls:
            raise NotFiniteError
        return original(trainer)

    monkeypatch.setattr(Trainer, "step", stepping)
    return begun


@pytest.mark.parametrize("calls", [(6,), (6, 7, 9)])
def test_goes_back_and_on_at_half_the_rate(calls, tmp_path, monkeypatch):
    monkeypatch.setattr(training_loop, "CHECKPOINT_SECONDS", -1.0)
    console, begun = quiet(), failing(calls, monkeypatch)
    run = start(SPEC, tmp_path / "run", console)
    assert begun[5:7] == [40, 40], "the checkpoint of that moment"
    _, numbers = load_checkpoint(newest_checkpoint(run / "checkpoints"))
    assert numbers["images"] == 96 and numbers["rollbacks"] == len(calls)
    assert numbers["rate_scale"] == 0.5 ** len(calls)
    events = read_records(run / "events.jsonl")
    assert [event["kind"] for event in events] == ["rollback"] * len(calls)
    text = "A loss stopped being finite at 40 images; back to 40, learning rates times 0.5."
    assert events[0]["text"] == text and text in printed(console) and events[0]["images"] == 40


def test_gives_up_after_three_times(tmp_path, monkeypatch):
    monkeypatch.setattr(training_loop, "CHECKPOINT_SECONDS", -1.0)
    failing((3, 4, 5, 6), monkeypatch)
    with pytest.raises(GanassetsError, match=r"finite 4 times, the last time at 16 images.*odd samples") as caught:
        start(SPEC, tmp_path / "run")
    assert MAX_ROLLBACKS == 3 and caught.value.exit_code == 1
    _, numbers = load_checkpoint(newest_checkpoint(tmp_path / "run" / "checkpoints"))
    assert (numbers["images"], numbers["rollbacks"], numbers["rate_scale"]) == (16, 3, 0.125)
    assert len(read_records(tmp_path / "run" / "events.jsonl")) == 3


def test_rollbacks_count_over_resuming(tmp_path, monkeypatch):
    monkeypatch.setattr(training_loop, "CHECKPOINT_SECONDS", -1.0)
    with monkeypatch.context() as patch:
        failing((3, 4, 5, 6), patch)
        with pytest.raises(GanassetsError):
            start(SPEC, tmp_path / "run")
    failing((3,), monkeypatch)
    with pytest.raises(GanassetsError, match="finite 4 times, the last time at 32 images"):
        resume(SPEC, tmp_path / "run", quiet())


def test_what_was_dropped_is_looked_at_and_logged_again(tmp_path, monkeypatch):
    """The only checkpoint is of the start, so all that was seen before comes again."""
    monkeypatch.setattr(training_loop, "CHECKPOINT_SECONDS", 1e9)
    monkeypatch.setattr(run_recorder, "MEASURING_SHARE", 1e9)
    monkeypatch.setattr(progress, "LOG_SECONDS", -1.0)
    begun = failing((7,), monkeypatch)
    run = start(SPEC, tmp_path / "run")
    assert begun[6:8] == [48, 0]
    assert [line["images"] for line in read_records(run / "metrics.jsonl")] == list(range(0, 97, 8))
    log = read_records(run / "log.jsonl")
    assert [line["images"] for line in log] == list(range(8, 97, 8))
    assert all(line["images_per_second"] > 0 for line in log)


def test_the_rate_of_both_networks_is_scaled():
    trainer = make_trainer("loop", kimg=0.096)
    for _ in range(5):
        trainer.step()
    now, trainer.rate_scale = schedule(trainer.preset, trainer.progress), 0.25
    trainer.step()
    assert now.generator_rate > 0
    assert trainer.generator_optimiser.param_groups[0]["lr"] == 0.25 * now.generator_rate
    assert trainer.discriminator_optimiser.param_groups[0]["lr"] == 0.25 * now.discriminator_rate


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
@pytest.mark.parametrize("network", ["generator", "discriminator"])
def test_a_gradient_that_is_not_finite_moves_nothing(network, value):
    trainer = make_trainer("picture", kimg=0.096)
    for _ in range(3):
        trainer.step()
    before = trainer.state()[0]

    def spoilt(gradient: Tensor) -> Tensor:
        return gradient.index_fill(0, torch.tensor([0]), value)

    parameter = next(trainer.parts().modules[network].parameters())
    hook = parameter.register_hook(spoilt)
    with pytest.raises(NotFiniteError):
        trainer.step()
    now = trainer.state()[0]
    adam = {"generator": "adam_g", "discriminator": "adam_d"}[network]
    changed = {key.split(".")[0] for key in now if not torch.equal(now[key], before[key])}
    assert not changed & {network, adam, "average"}
    hook.remove()
    assert "g_loss" in trainer.step(), "both networks can learn again"
    now = trainer.state()[0]
    assert {key.split(".")[0] for key in now if not torch.equal(now[key], before[key])} >= {
        "generator",
        "discriminator",
    }


def test_a_run_survives_a_gradient_that_is_not_finite(tmp_path, monkeypatch):
    monkeypatch.setattr(training_loop, "CHECKPOINT_SECONDS", -1.0)
    update, times = Trainer.update, []

    def updating(trainer: Trainer, optimiser: torch.optim.Optimizer, loss: Tensor) -> None:
        if optimiser is trainer.generator_optimiser:
            times.append(trainer.images)
            loss = loss * float("nan") if len(times) == 4 else loss
        update(trainer, optimiser, loss)

    monkeypatch.setattr(Trainer, "update", updating)
    run = start(SPEC, tmp_path / "run")
    assert times[3:5] == [times[3]] * 2, "tried again"
    tensors, numbers = load_checkpoint(newest_checkpoint(run / "checkpoints"))
    assert numbers["images"] == 96 and numbers["rollbacks"] == 1
    assert all(torch.isfinite(tensor).all() for tensor in tensors.values())
