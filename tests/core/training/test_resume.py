"""Stopping a run and going on with it gives what the unbroken run would have given, bit for bit."""

from __future__ import annotations

import io
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch
from rich.console import Console

from domains import CPU, make_data, make_preset, make_spec
from ganassets.spec import GeneratorSpec
from ganassets.training import run as module
from ganassets.training.checkpoint import load_checkpoint, newest_checkpoint
from ganassets.training.run import resume, train
from ganassets.training.settings import Hardware
from ganassets.training.trainer import Trainer

PRESET = make_preset(kimg=0.096)  # 12 steps


def toy_spec(kind: str) -> GeneratorSpec:
    """A generator of waves."""
    return make_spec(kind, PRESET, lambda preset, options, seed, report: make_data(kind, preset.samples, seed))


@pytest.fixture(autouse=True)
def one_way(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Runs on one thread in float32, whatever this machine would be given; torch is left as it was."""
    monkeypatch.setattr(module, "choose_hardware", lambda device, threads: CPU)
    threads = torch.get_num_threads()
    yield
    torch.use_deterministic_algorithms(False)
    torch.set_num_threads(threads)


def start(kind: str, out: Path, console: Console) -> Path:
    return train(
        toy_spec(kind),
        PRESET,
        out=out,
        seed=3,
        objective="rpgan",
        device="auto",
        threads=None,
        data_options={},
        console=console,
    )


def stop_at(step: int, number: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Send this process a signal during a step."""
    original: Callable[[Trainer], dict[str, float]] = Trainer.step

    def stepping(trainer: Trainer) -> dict[str, float]:
        if trainer.step_count == step:
            signal.raise_signal(number)
        return original(trainer)

    monkeypatch.setattr(Trainer, "step", stepping)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("kind", ["picture", "tile"])
def test_stopped_and_resumed_equals_unbroken(kind, number, tmp_path, monkeypatch):
    unbroken, broken = start(kind, tmp_path / "unbroken", Console(file=io.StringIO())), tmp_path / "broken"
    handler, text = signal.getsignal(number), io.StringIO()
    with monkeypatch.context() as patch:
        stop_at(5, number, patch)
        with pytest.raises(KeyboardInterrupt):
            start(kind, broken, Console(file=text, width=40))
    assert signal.getsignal(number) is handler, "Ctrl-C is the shell's again"
    assert f"Stopped; saved. Go on with: ganassets train {kind} --resume {broken}" in text.getvalue()
    assert newest_checkpoint(broken / "checkpoints").stem == f"{6 * PRESET.batch:010d}", "the running step ends"
    assert resume(toy_spec(kind), broken, Console(file=io.StringIO())) == broken
    (first, numbers), (second, others) = (
        load_checkpoint(newest_checkpoint(run / "checkpoints")) for run in (unbroken, broken)
    )
    times = {"seconds"}  # of the clock, not of the run
    assert {k: v for k, v in numbers.items() if k not in times} == {k: v for k, v in others.items() if k not in times}
    assert numbers["images"] == 96 and first.keys() == second.keys()
    assert [key for key in first if not torch.equal(first[key], second[key])] == []


def test_a_run_keeps_its_hardware(tmp_path, monkeypatch):
    run = start("tile", tmp_path / "run", Console(file=io.StringIO()))
    monkeypatch.setattr(module, "choose_hardware", lambda device, threads: Hardware("cpu", 2, "bfloat16", True))
    text = io.StringIO()
    resume(toy_spec("tile"), run, Console(file=text, width=200))
    assert "cpu, 1 threads, float32" in text.getvalue()
