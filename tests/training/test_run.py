"""A run in its folder: what it writes, and what it refuses."""

from __future__ import annotations

import itertools
import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pytest
import torch

from ganassets.api.conditions import Condition
from ganassets.api.data import TrainingData
from ganassets.api.data.records import FileRecord
from ganassets.api.errors import InputError
from ganassets.training import run as running
from ganassets.training import run_recorder
from ganassets.training.checkpoint import load_checkpoint, newest_checkpoint, save_checkpoint
from ganassets.training.run import resume
from ganassets.training.run_folder import list_checkpoints, make_folder
from ganassets.training.settings import read_settings, to_toml
from support.domains import CPU, make_data
from support.run_files import read_records
from support.toy_runs import printed, quiet, start, toy_preset, toy_spec

PRESET = toy_preset("tile", kimg=0.04)
SPEC = toy_spec("tile", PRESET)


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a run that has ended, not to be written in."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(running, "choose_hardware", lambda device, threads, devices, precision: CPU)
        patch.setattr(run_recorder.RunRecorder, "record_measures", lambda self, trainer, outputs: None)
        return start(SPEC, tmp_path_factory.mktemp("finished") / "run")


@pytest.fixture
def run(finished: Path, tmp_path: Path) -> Path:
    """A copy of it."""
    return Path(shutil.copytree(finished, tmp_path / "run"))


def contents(folder: Path) -> dict[str, bytes]:
    """Every file of a folder."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def refuses(run: Path, match: str, change: Callable[[TrainingData], TrainingData] | None = None) -> None:
    """Check that resuming fails with one sentence, and that no file is changed."""
    before = contents(run)
    with pytest.raises(InputError, match=match):
        resume(toy_spec("tile", PRESET, change), run, quiet())
    assert contents(run) == before


def test_writes_a_whole_folder(tmp_path):
    seen: list = []

    def dataset(preset, options, seed, report):
        seen.append((dict(options), seed))
        report(preset.samples, preset.samples)
        return replace(
            make_data("tile", preset.samples, seed),
            files=(FileRecord("bad.png", reason="it is cut short", category="can't be read"),),
        )

    console = quiet()
    options = {"folder": Path("art"), "unused": None}
    run = start(replace(SPEC, dataset=dataset), tmp_path / "run", console, data_options=options)
    settings = read_settings(run / "config.toml")
    assert (settings.generator, settings.preset, settings.seed, settings.hardware) == ("tile", PRESET, 1, CPU)
    assert settings.data_options == {"folder": "art"} and seen == [({"folder": "art"}, 1)]
    card = json.loads((run / "data.json").read_text(encoding="utf-8"))
    assert card["samples"] == 64 and card["files"]["left_out"] == {"can't be read": 1}
    assert "1 of 1 files are left out: 1 can't be read." in printed(console) and str(run) in printed(console)
    assert len(list((run / "snapshots").iterdir())) == 6  # one a step, and the start
    _, numbers = load_checkpoint(newest_checkpoint(run / "checkpoints"))
    assert numbers["images"] == 40
    assert (run / "report.html").is_file()
    assert not [path for path in run.rglob("*") if path.name.endswith(".tmp")]


def test_measures_at_the_start_and_the_end_and_between_as_time_allows(tmp_path, monkeypatch):
    counts = []
    original = run_recorder.RunRecorder.record_snapshot

    def record_snapshot(self, trainer, must_measure=False):
        before = self.measuring_seconds
        original(self, trainer, must_measure)
        counts.append((trainer.images, self.measuring_seconds > before))

    monkeypatch.setattr(run_recorder.RunRecorder, "record_snapshot", record_snapshot)
    for share, middle in ((-1.0, False), (1e9, True)):
        monkeypatch.setattr(run_recorder, "MEASURING_SHARE", share)
        counts.clear()
        run = start(SPEC, tmp_path / f"run{middle}")
        assert counts == [(0, True), *((images, middle) for images in (8, 16, 24, 32)), (40, True)]
        lines = read_records(run / "metrics.jsonl")
        assert [line["images"] for line in lines] == [images for images, measured in counts if measured]
        assert all(0 < line["distance"] < 1e6 and len(line["neighbours"]) == 64 for line in lines)
        pictures = {path.stem for path in (run / "nearest").iterdir()}
        assert pictures == {f"{images:010d}" for images, measured in counts if measured}


def test_the_first_tenth_of_a_second_counts_as_time(tmp_path, monkeypatch):
    clock = itertools.count(0.0, 0.0005)
    monkeypatch.setattr(run_recorder.time, "monotonic", lambda: next(clock))
    monkeypatch.setattr(run_recorder, "MEASURING_SHARE", 1.0)
    run = start(SPEC, tmp_path / "run")
    assert next(clock) < 0.05, "rounded to a tenth, it would be none"
    assert [line["images"] for line in read_records(run / "metrics.jsonl")] == list(range(0, 41, 8))


def test_the_checkpoint_that_comes_nearest_is_kept(tmp_path, monkeypatch):
    measured = iter([5.0, 4.0, 6.0, 3.0, 7.0, 3.5])
    original = run_recorder.Monitor.measure

    def measure(self, outputs, conditions):
        assert len(conditions) == run_recorder.MEASURED_SEEDS
        return replace(original(self, outputs, conditions), distance=next(measured))

    monkeypatch.setattr(run_recorder.Monitor, "measure", measure)
    monkeypatch.setattr(run_recorder, "MEASURING_SHARE", 1e9)
    run = start(SPEC, tmp_path / "run")
    best = run / "checkpoints" / "best.safetensors"
    assert load_checkpoint(best)[1]["images"] == 24
    assert len(list_checkpoints(run / "checkpoints")) == 2, "it is none of the numbered ones"
    measured = iter([3.2])
    resume(SPEC, run, quiet())
    assert load_checkpoint(best)[1]["images"] == 24, "the record names the nearest run before"


def test_a_start_that_stays_nearest_is_no_best_checkpoint(tmp_path, monkeypatch):
    original = run_recorder.Monitor.measure
    distances = iter([1.0, 2.0])
    monkeypatch.setattr(
        run_recorder.Monitor, "measure", lambda self, *args: replace(original(self, *args), distance=next(distances))
    )
    monkeypatch.setattr(run_recorder, "MEASURING_SHARE", -1.0)
    run = start(SPEC, tmp_path / "run")
    assert not (run / "checkpoints" / "best.safetensors").exists()


def test_same_seed_same_checkpoint(tmp_path):
    first, second = (
        load_checkpoint(newest_checkpoint(start(SPEC, tmp_path / name) / "checkpoints"))[0] for name in ("a", "b")
    )
    assert all(torch.equal(first[key], second[key]) for key in first)


def test_time_is_counted_across_resumes(run, monkeypatch):
    def seconds() -> float:
        return load_checkpoint(newest_checkpoint(run / "checkpoints"))[1]["seconds"]

    first, clock = seconds(), iter(np.arange(0, 1e6, 10.0))
    monkeypatch.setattr(run_recorder.time, "monotonic", lambda: float(next(clock)))
    resume(SPEC, run, quiet())
    assert first > 0 and seconds() >= first + 10


def test_unknown_objective(tmp_path):
    with pytest.raises(InputError, match="choose one of rpgan, minimax"):
        start(SPEC, tmp_path / "run", objective="wasserstein")
    assert not (tmp_path / "run").exists()


def test_data_that_can_not_be_read_leave_no_folder(tmp_path):
    def dataset(*arguments):
        raise InputError("there is no folder art.")

    with pytest.raises(InputError, match="no folder art"):
        start(replace(SPEC, dataset=dataset), tmp_path / "run")
    assert not (tmp_path / "run").exists()
    assert start(SPEC, tmp_path / "run").is_dir(), "the name is still free"


def test_refuses_a_folder_that_is_no_run(tmp_path):
    with pytest.raises(InputError, match="is not a run folder"):
        resume(SPEC, tmp_path, quiet())


def test_refuses_another_generator(run):
    with pytest.raises(InputError, match="is a run of tile, not of band"):
        resume(toy_spec("band", PRESET), run, quiet())


def test_refuses_networks_of_another_preset(run):
    settings = read_settings(run / "config.toml")
    changed = to_toml(replace(settings, preset=replace(settings.preset, width=4)))
    (run / "config.toml").write_text(changed, encoding="utf-8")
    refuses(run, r"the checkpoint does not fit this network \(generator\.")


def test_refuses_checkpoints_of_another_generator(run, tmp_path):
    other = start(toy_spec("picture", toy_preset("picture", kimg=0.01)), tmp_path / "other")
    for path in list_checkpoints(run / "checkpoints"):
        shutil.copy(newest_checkpoint(other / "checkpoints"), path)
    refuses(run, "the checkpoint does not fit this network")


def test_refuses_a_newer_checkpoint_although_there_is_an_older_one(run, monkeypatch):
    newest = newest_checkpoint(run / "checkpoints")
    tensors, numbers = load_checkpoint(newest)
    monkeypatch.setattr("ganassets.training.checkpoint.VERSION", 2)
    save_checkpoint(newest.parent, tensors, numbers)
    monkeypatch.undo()
    refuses(run, "was written by a newer ganassets; update this one")


def replaced(data: TrainingData) -> TrainingData:
    """The data with one sample that is another."""
    albedo = data.signals["albedo"].copy()
    albedo[5] = make_data("tile", 1, seed=99).signals["albedo"][0] + 0.05
    return replace(data, signals={**data.signals, "albedo": albedo})


def fewer(data: TrainingData) -> TrainingData:
    """The data without the last sample."""
    signals = {name: array[:-1] for name, array in data.signals.items()}
    return replace(data, signals=signals, conditions=data.conditions[:-1])


def other_sliders(data: TrainingData) -> TrainingData:
    """The data with one sample under other conditions."""
    conditions = data.conditions.copy()
    conditions[7, 1] += 0.5
    return replace(data, conditions=conditions)


@pytest.mark.parametrize("change", [replaced, fewer, other_sliders])
def test_refuses_changed_data(run, change):
    refuses(run, "have changed; restore them", change)


def test_refuses_other_labels(run):
    labels = tuple(Condition(name, "How.", 0, 10) for name in ("a", "b"))
    refuses(run, "have changed; restore them", lambda data: replace(data, conditions_of=labels))


def test_rounding_is_no_change(run):
    def rounded(data: TrainingData) -> TrainingData:
        signals = {name: array * np.float32(1 + 1e-6) for name, array in data.signals.items()}
        return replace(data, signals=signals)

    assert resume(toy_spec("tile", PRESET, rounded), run, quiet()) == run


def test_refuses_constants_that_have_changed(tmp_path):
    def scaled(scale: float) -> Callable[[TrainingData], TrainingData]:
        constants = {"means": np.arange(4, dtype=np.float32) * np.float32(scale)}
        return lambda data: replace(data, constants=constants)

    run = start(toy_spec("tile", PRESET, scaled(1)), tmp_path / "run")
    refuses(run, "have changed", scaled(1.1))
    assert resume(toy_spec("tile", PRESET, scaled(1.000001)), run, quiet()) == run


@pytest.mark.parametrize("name", ["data.json", "linear.safetensors"])
@pytest.mark.parametrize("damage", [Path.unlink, lambda path: path.write_bytes(path.read_bytes()[:20])])
def test_refuses_a_folder_that_lacks_a_part(run, name, damage):
    damage(run / name)
    refuses(run, f"{name} is missing or damaged")


def test_refuses_a_folder_without_checkpoints(run):
    shutil.rmtree(run / "checkpoints")
    refuses(run, "has no checkpoint yet")


def test_folders_are_numbered(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    names = [make_folder(None, "faces").name for _ in range(3)]
    assert names == [f"faces-{date.today():%Y%m%d}-{n}" for n in (1, 2, 3)]
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="can't be made"):
        make_folder(tmp_path / "file" / "run", "faces")
