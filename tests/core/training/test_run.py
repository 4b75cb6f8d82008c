"""A run in its folder: what it writes, and what it refuses."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pytest
import torch
from rich.console import Console

import domains
from domains import CPU, make_data, make_preset
from ganassets.errors import GanassetsError, InputError
from ganassets.spec import Condition, GeneratorSpec
from ganassets.training import run as running
from ganassets.training.checkpoint import load_checkpoint, newest_checkpoint
from ganassets.training.run import make_folder, resume, train
from ganassets.training.settings import read_settings

PRESET = make_preset(kimg=0.04)
TRAIN = {"seed": 1, "device": "cpu", "threads": 1, "data_options": {"folder": Path("art"), "unused": None}}


def make_spec(kind: str = "tile", seen: list | None = None) -> GeneratorSpec:
    """A generator of waves; `seen` collects the options that its dataset got."""

    def dataset(preset, options, seed, report):
        (seen if seen is not None else []).append((dict(options), seed))
        report(preset.samples, preset.samples)
        return replace(make_data(kind, preset.samples, seed), problems=(("bad.png", "it is cut short"),))

    conditions = (Condition("height", "How high."), Condition("other", "Nothing."))
    return domains.make_spec(kind, PRESET, dataset, conditions)


def quiet() -> Console:
    return Console(file=io.StringIO(), width=400)


@pytest.fixture(autouse=True)
def float32(monkeypatch):
    """Measuring the machine takes a second; and the settings of torch stay as they were."""
    threads, strict = torch.get_num_threads(), torch.are_deterministic_algorithms_enabled()
    monkeypatch.setattr(running, "choose_hardware", lambda device, threads: CPU)
    yield
    torch.set_num_threads(threads)
    torch.use_deterministic_algorithms(strict)


def test_writes_a_whole_folder(tmp_path):
    seen: list = []
    console = quiet()
    folder = train(make_spec(seen=seen), PRESET, out=tmp_path / "run", objective="rpgan", console=console, **TRAIN)
    settings = read_settings(folder / "config.toml")
    assert (settings.generator, settings.preset, settings.seed, settings.hardware) == ("tile", PRESET, 1, CPU)
    assert settings.data_options == {"folder": "art"} and seen == [({"folder": "art"}, 1)]
    card = json.loads((folder / "data.json").read_text(encoding="utf-8"))
    assert card["samples"] == 64 and card["problems"] == [["bad.png", "it is cut short"]]
    printed = console.file.getvalue()  # pyright: ignore[reportAttributeAccessIssue]
    assert "left out bad.png: it is cut short" in printed and str(folder) in printed
    assert len(list((folder / "snapshots").iterdir())) == 6  # one a step, and the start
    _, numbers = load_checkpoint(newest_checkpoint(folder / "checkpoints"))
    assert numbers["images"] == 40


def test_same_seed_same_checkpoint(tmp_path):
    tensors = [
        load_checkpoint(
            newest_checkpoint(
                train(make_spec(), PRESET, out=tmp_path / name, objective="rpgan", console=quiet(), **TRAIN)
                / "checkpoints"
            )
        )[0]
        for name in ("a", "b")
    ]
    assert all(torch.equal(tensors[0][key], tensors[1][key]) for key in tensors[0])


def test_time_goes_on_counting(tmp_path, monkeypatch):
    clock = iter(np.arange(0, 1e6, 10.0))
    monkeypatch.setattr(running.time, "monotonic", lambda: float(next(clock)))
    folder = train(make_spec(), PRESET, out=tmp_path / "run", objective="rpgan", console=quiet(), **TRAIN)

    def seconds() -> float:
        return load_checkpoint(newest_checkpoint(folder / "checkpoints"))[1]["seconds"]

    first = seconds()
    resume(make_spec(), folder, quiet())
    assert first > 0 and seconds() > first


def test_losses_that_are_not_finite(tmp_path, monkeypatch):
    monkeypatch.setattr(running.Trainer, "step", lambda self: {"d_loss": float("nan")})
    with pytest.raises(GanassetsError, match="stopped being finite at 0 images"):
        train(make_spec(), PRESET, out=tmp_path / "run", objective="rpgan", console=quiet(), **TRAIN)
    assert newest_checkpoint(tmp_path / "run" / "checkpoints").stem == "0000000000"


def test_unknown_objective(tmp_path):
    with pytest.raises(InputError, match="choose one of rpgan, minimax"):
        train(make_spec(), PRESET, out=tmp_path / "run", objective="wasserstein", console=quiet(), **TRAIN)
    assert not (tmp_path / "run").exists()


def test_resume_refuses_foreign_folders(tmp_path):
    with pytest.raises(InputError, match="is not a run folder"):
        resume(make_spec(), tmp_path, quiet())
    folder = train(make_spec(), PRESET, out=tmp_path / "run", objective="rpgan", console=quiet(), **TRAIN)
    with pytest.raises(InputError, match="is a run of tile, not of band"):
        resume(make_spec("band"), folder, quiet())
    newest = newest_checkpoint(folder / "checkpoints")
    newest.write_bytes(newest.read_bytes()[:999])
    with pytest.raises(InputError, match="damaged"):
        resume(make_spec(), folder, quiet())


def test_resume_tells_that_the_data_have_changed(tmp_path):
    def made(scale: float) -> GeneratorSpec:
        def dataset(*args):
            constants = {"means": np.arange(4, dtype=np.float32) * np.float32(scale)}
            return replace(domains.make_data("tile", PRESET.samples), constants=constants)

        return domains.make_spec("tile", PRESET, dataset)

    folder = train(made(1), PRESET, out=tmp_path / "run", objective="rpgan", console=quiet(), **TRAIN)
    with pytest.raises(InputError, match="are not what they were"):
        resume(made(1.1), folder, quiet())
    assert resume(made(1.000001), folder, quiet()) == folder


def test_folders_are_numbered(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    names = [make_folder(None, "faces").name for _ in range(3)]
    assert names == [f"faces-{date.today():%Y%m%d}-{n}" for n in (1, 2, 3)]
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="can't be made"):
        make_folder(tmp_path / "file" / "run", "faces")
