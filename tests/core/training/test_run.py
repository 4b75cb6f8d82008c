"""Runs in their folders: stopping, going on, and what is refused."""

from __future__ import annotations

import io
import json
import signal
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from rich.console import Console

from domains import CPU, KINDS, ToyDomain, make_data, make_preset
from ganassets.errors import GanassetsError, InputError
from ganassets.spec import API_VERSION, GeneratorSpec, Output, Preset
from ganassets.training import run as module
from ganassets.training.checkpoint import load_checkpoint, newest_checkpoint
from ganassets.training.run import resume, train
from ganassets.training.settings import Hardware, read_settings
from ganassets.training.trainer import Trainer

PRESET = make_preset(kimg=0.096)  # 12 steps


def toy_spec(kind: str) -> GeneratorSpec:
    """A generator of waves, of any kind of signal."""
    outputs = tuple(
        Output(name, ("channel", "height", "width"), "sRGB" if name == "albedo" else "m")
        for name in KINDS[kind]["signals"]
    )
    return GeneratorSpec(
        name=kind, summary="Waves.", version="1.0", api_version=API_VERSION, asset_kind="mesh", outputs=outputs,
        conditions=(), wraps=KINDS[kind]["wraps"], presets=(PRESET,),
        dataset=lambda preset, options, seed, report: make_data(kind, preset.samples, seed),
        domain=lambda preset, fit: ToyDomain(kind, fit), decode=lambda *_: [], preview=lambda _: None,  # pyright: ignore[reportArgumentType]
    )  # fmt: skip


@pytest.fixture(autouse=True)
def one_way(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Runs on one thread in float32, whatever this machine would be given; torch is left as it was."""
    monkeypatch.setattr(module, "choose_hardware", lambda device, threads: CPU)
    threads = torch.get_num_threads()
    yield
    torch.use_deterministic_algorithms(False)
    torch.set_num_threads(threads)


def start(kind: str, out: Path | None, preset: Preset = PRESET, console: Console | None = None, **changes) -> Path:
    given = {"seed": 3, "objective": "rpgan", "device": "auto", "threads": None, "data_options": {}, **changes}
    return train(toy_spec(kind), preset, out=out, console=console or Console(file=io.StringIO()), **given)


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
    unbroken = start(kind, tmp_path / "unbroken")
    before = signal.getsignal(number)
    text = io.StringIO()
    with monkeypatch.context() as patch:
        stop_at(5, number, patch)
        with pytest.raises(KeyboardInterrupt):
            start(kind, tmp_path / "broken", console=Console(file=text, width=40))
    assert signal.getsignal(number) is before, "Ctrl-C is the shell's again"
    broken = tmp_path / "broken"
    assert f"Stopped; saved. Go on with: ganassets train {kind} --resume {broken}" in text.getvalue()
    assert newest_checkpoint(broken / "checkpoints").stem == f"{6 * PRESET.batch:010d}", "the running step ends"
    assert resume(toy_spec(kind), broken, Console(file=io.StringIO())) == broken
    (first, numbers), (second, others) = (load_checkpoint(newest_checkpoint(r / "checkpoints")) for r in (unbroken, broken))
    assert numbers == others and numbers["images"] == 96
    assert first.keys() == second.keys() and [key for key in first if not torch.equal(first[key], second[key])] == []


def test_run_folder_is_complete(tmp_path):
    run = start("picture", tmp_path / "run")
    names = {path.relative_to(run).as_posix() for path in run.rglob("*") if path.is_file()}
    assert {"config.toml", "data.json", "linear.safetensors", "snapshots/0000000000.png"} <= names
    assert not [name for name in names if name.endswith(".tmp")]
    assert len(list((run / "checkpoints").iterdir())) <= 2
    settings = read_settings(run / "config.toml")
    assert (settings.generator, settings.preset, settings.seed, settings.hardware) == ("picture", PRESET, 3, CPU)
    card = json.loads((run / "data.json").read_text())
    assert (card["name"], card["licence"], card["samples"]) == ("waves", "CC0-1.0", PRESET.samples)


def test_runs_are_numbered(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    short = replace(PRESET, kimg=0.008)
    first, second = start("loop", None, short), start("loop", None, short)
    assert first.parent == second.parent == Path("runs")
    assert first.name.endswith("-1") and second.name.endswith("-2") and first.name.startswith("loop-2")


def test_same_seed_same_run(tmp_path):
    short = replace(PRESET, kimg=0.024)
    states = [load_checkpoint(newest_checkpoint(start("loop", tmp_path / name, short, seed=seed) / "checkpoints"))[0]
              for name, seed in (("a", 1), ("b", 1), ("c", 2))]  # fmt: skip
    assert all(torch.equal(states[0][key], states[1][key]) for key in states[0])
    assert any(not torch.equal(states[0][key], states[2][key]) for key in states[0])


def test_folder_that_exists_is_refused(tmp_path):
    (tmp_path / "run").mkdir()
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="exists already"):
        start("loop", tmp_path / "run")
    with pytest.raises(InputError, match=r"exists already|can't be made"):
        start("loop", tmp_path / "file" / "run")


def test_unknown_objective_is_refused(tmp_path):
    with pytest.raises(InputError, match="rpgan, minimax"):
        start("loop", tmp_path / "run", objective="wasserstein")
    assert not (tmp_path / "run").exists()


def test_run_of_another_generator_is_refused(tmp_path):
    run = start("loop", tmp_path / "run", replace(PRESET, kimg=0.008))
    with pytest.raises(InputError, match="is a run of loop, not of tile"):
        resume(toy_spec("tile"), run, Console(file=io.StringIO()))


def test_folder_without_a_run_is_refused(tmp_path):
    with pytest.raises(InputError, match="not a run folder"):
        resume(toy_spec("loop"), tmp_path, Console(file=io.StringIO()))


def test_damaged_checkpoint_is_told(tmp_path):
    run = start("loop", tmp_path / "run", replace(PRESET, kimg=0.008))
    path = newest_checkpoint(run / "checkpoints")
    path.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(InputError, match="damaged"):
        resume(toy_spec("loop"), run, Console(file=io.StringIO()))


def test_losses_that_explode_are_told_and_nothing_is_saved(tmp_path, monkeypatch):
    monkeypatch.setattr(Trainer, "step", lambda trainer: {"d_loss": float("nan")})
    with pytest.raises(GanassetsError, match="stopped being finite"):
        start("loop", tmp_path / "run")
    assert newest_checkpoint(tmp_path / "run" / "checkpoints").stem == "0" * 10


def test_hardware_is_kept_for_the_whole_run(tmp_path, monkeypatch):
    run = start("loop", tmp_path / "run", replace(PRESET, kimg=0.008))
    monkeypatch.setattr(module, "choose_hardware", lambda *_: Hardware("cpu", 2, "bfloat16", True))
    text = io.StringIO()
    resume(toy_spec("loop"), run, Console(file=text, width=200))
    assert "cpu, 1 threads, float32" in text.getvalue()
