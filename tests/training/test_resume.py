"""A run that is stopped in any way and resumed equals the unbroken run, bit for bit."""

from __future__ import annotations

import multiprocessing
import os
import shutil
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from ganassets.api.errors import GanassetsError, InputError
from ganassets.api.writer import TEMPORARY
from ganassets.cli.train import explain_how_to_resume
from ganassets.training import progress, run_recorder, training_loop
from ganassets.training import run as running
from ganassets.training.checkpoint import load_checkpoint, newest_checkpoint
from ganassets.training.lock import write_in_run
from ganassets.training.run import resume
from ganassets.training.run_folder import list_checkpoints
from ganassets.training.run_log import RunLog
from ganassets.training.settings import Hardware
from ganassets.training.trainer import Trainer
from support import toy_runs
from support.domains import CPU
from support.run_files import count_images, read_records
from support.toy_runs import printed, quiet, start, toy_preset, toy_spec

KIMG = 0.096  # 12 steps
KINDS = ("picture", "tile")
SPECS = {kind: toy_spec(kind, toy_preset(kind, kimg=KIMG)) for kind in KINDS}
KILLED_KIMG, KILLS = 1.6, int(os.environ.get("GANASSETS_KILLS", "4"))
PATIENCE = 300.0  # seconds; machines that run tests are slow now and then


@pytest.fixture(scope="module")
def unbroken(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A run of each kind that nothing stopped."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(running, "choose_hardware", lambda device, threads, devices, precision: CPU)
        patch.setattr(run_recorder.RunRecorder, "record_snapshot", lambda self, trainer, must_measure=False: None)
        return {kind: start(spec, tmp_path_factory.mktemp(kind) / "run") for kind, spec in SPECS.items()}


def assert_same_end(first: Path, second: Path) -> None:
    """Both runs ended with the same numbers, but for the time they took."""
    (tensors, numbers), (others, other_numbers) = (
        load_checkpoint(newest_checkpoint(run / "checkpoints")) for run in (first, second)
    )
    assert numbers | {"seconds": 0} == other_numbers | {"seconds": 0}
    assert tensors.keys() == others.keys()
    assert [key for key in tensors if not torch.equal(tensors[key], others[key])] == []


def before_step(step: int, act: Callable[[], None], monkeypatch: pytest.MonkeyPatch) -> None:
    """Do something during a step of a run."""
    original: Callable[[Trainer], dict[str, float]] = Trainer.step

    def stepping(trainer: Trainer) -> dict[str, float]:
        if trainer.step_count == step:
            act()
        return original(trainer)

    monkeypatch.setattr(Trainer, "step", stepping)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, getattr(signal, "SIGHUP", signal.SIGTERM)])
@pytest.mark.parametrize("kind", KINDS)
def test_stopped_and_resumed_equals_unbroken(kind, number, unbroken, tmp_path, monkeypatch):
    broken, handler, console = tmp_path / "broken", signal.getsignal(number), quiet()
    with monkeypatch.context() as patch:
        before_step(5, lambda: signal.raise_signal(number), patch)
        with pytest.raises(KeyboardInterrupt):
            start(SPECS[kind], broken, console)
    assert signal.getsignal(number) is handler, "Ctrl-C is the shell's again"
    assert f"Stopped; saved. Continue with: ganassets train {kind} --resume {broken}" in printed(console)
    assert newest_checkpoint(broken / "checkpoints").stem == f"{6 * 8:010d}", "the running step ends"
    assert resume(SPECS[kind], broken, quiet()) == broken
    assert_same_end(unbroken[kind], broken)


def test_a_run_keeps_its_hardware(unbroken, tmp_path, monkeypatch):
    run, console = shutil.copytree(unbroken["tile"], tmp_path / "run"), quiet()
    monkeypatch.setattr(running, "choose_hardware", lambda *arguments: Hardware("cpu", 2, "bfloat16", True))
    resume(SPECS["tile"], run, console)
    assert "cpu, 1 threads, float32" in printed(console)


class PowerCut(BaseException):
    """Nothing is saved any more."""


def cut(run: Path, step: int, monkeypatch: pytest.MonkeyPatch, seconds: float = -1.0) -> None:
    """A run with a checkpoint after each step that ends without a word."""

    def act() -> None:
        raise PowerCut

    with monkeypatch.context() as patch:
        patch.setattr(training_loop, "CHECKPOINT_SECONDS", seconds)
        patch.setattr(progress, "LOG_SECONDS", -1.0)
        patch.setattr(run_recorder, "MEASURING_SHARE", 1e9)
        before_step(step, act, patch)
        with pytest.raises(PowerCut):
            start(SPECS["tile"], run)


@pytest.mark.parametrize("share", [0.0, 0.5, 0.99])
def test_a_damaged_checkpoint_falls_back_to_the_one_before(share, unbroken, tmp_path, monkeypatch):
    run, console = tmp_path / "run", quiet()
    cut(run, 5, monkeypatch)
    before, damaged = list_checkpoints(run / "checkpoints")
    assert (before.stem, damaged.stem) == ("0000000032", "0000000040")
    damaged = damaged.rename(damaged.with_stem("0000000072"))
    damaged.write_bytes(damaged.read_bytes()[: int(share * damaged.stat().st_size)])
    with monkeypatch.context() as patch:
        before_step(4, lambda: signal.raise_signal(signal.SIGINT), patch)
        with pytest.raises(KeyboardInterrupt):
            resume(SPECS["tile"], run, console)
    assert f"{damaged} is not a checkpoint, or it is damaged" in printed(console)
    assert "continuing from the one before." in printed(console)
    assert [path.stem for path in list_checkpoints(run / "checkpoints")] == ["0000000032", "0000000040"], "it is gone"
    resume(SPECS["tile"], run, quiet())
    assert_same_end(unbroken["tile"], run)


def test_two_damaged_checkpoints_are_an_error(tmp_path, monkeypatch):
    cut(tmp_path / "run", 3, monkeypatch)
    for path in list_checkpoints(tmp_path / "run" / "checkpoints"):
        path.write_bytes(b"half")
    with pytest.raises(InputError, match=r"0000000024.*is damaged"):
        resume(SPECS["tile"], tmp_path / "run", quiet())


def test_records_of_repeated_steps_are_dropped(tmp_path, monkeypatch):
    """The run was cut at 80 images, and its one checkpoint is of the start."""
    run = tmp_path / "run"
    cut(run, 10, monkeypatch, seconds=1e9)
    assert [line["images"] for line in read_records(run / "log.jsonl")] == list(range(8, 81, 8))
    first = read_records(run / "metrics.jsonl")
    with (run / "log.jsonl").open("a", encoding="utf-8") as file:
        file.write('{"images": 88, "g_lo')
    with (run / "events.jsonl").open("a", encoding="utf-8") as file:
        file.write('{"images": 0, "kind": "roll')
    monkeypatch.setattr(progress, "LOG_SECONDS", -1.0)
    monkeypatch.setattr(run_recorder, "MEASURING_SHARE", 1e9)
    resume(SPECS["tile"], run, quiet())
    assert [line["images"] for line in read_records(run / "log.jsonl")] == list(range(8, 97, 8))
    again = read_records(run / "metrics.jsonl")
    assert [line["images"] for line in again] == list(range(0, 97, 8))
    for one, other in zip(first, again, strict=False):
        assert one | {"seconds": 0} == other | {"seconds": 0}, "the same is measured again"
    assert [event["kind"] for event in read_records(run / "events.jsonl")] == ["resume"]


@contextmanager
def largest_file(size: int) -> Iterator[None]:
    """Limit the size of files: writing beyond it fails, as on a full disk."""
    resource = pytest.importorskip("resource")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_full_disk_in_the_middle_of_a_checkpoint(unbroken, tmp_path, monkeypatch):
    run, save = tmp_path / "run", run_recorder.RunRecorder.save

    def saving(self: run_recorder.RunRecorder, trainer: Trainer, name: str | None = None) -> None:
        with largest_file(20_000 if trainer.step_count == 6 else 10**9):
            save(self, trainer, name)

    with monkeypatch.context() as patch:
        patch.setattr(training_loop, "CHECKPOINT_SECONDS", -1.0)
        patch.setattr(run_recorder.RunRecorder, "save", saving)
        with pytest.raises(InputError) as caught:
            start(SPECS["tile"], run)
    folder = run / "checkpoints"
    assert str(caught.value).startswith(f"can't write in {folder}: ") and str(caught.value).count("\n") == 0
    assert caught.value.exit_code == 2
    assert [path.stem for path in list_checkpoints(folder)] == ["0000000032", "0000000040"]
    assert all(path.stat().st_size > 20_000 and load_checkpoint(path) for path in list_checkpoints(folder))
    assert not list(folder.glob(".*")), "nothing half-written stays"
    resume(SPECS["tile"], run, quiet())
    assert_same_end(unbroken["tile"], run)


def test_a_full_disk_in_the_middle_of_a_line(unbroken, tmp_path, monkeypatch):
    run, append = tmp_path / "run", RunLog.append

    def appending(self: RunLog, name: str, record: dict) -> None:
        path = self.folder / name
        full = path.is_file() and record["images"] == 40 and name == "log.jsonl"
        with largest_file(path.stat().st_size + 10 if full else 10**9):
            append(self, name, record)

    with monkeypatch.context() as patch:
        patch.setattr(progress, "LOG_SECONDS", -1.0)
        patch.setattr(RunLog, "append", appending)
        with pytest.raises(GanassetsError) as caught, explain_how_to_resume("tile"):
            start(SPECS["tile"], run)
    assert str(caught.value) == (
        f"can't write in {run}: the file would be larger than allowed there; fix that, then continue with "
        f"`ganassets train tile --resume {run}`."
    )
    assert caught.value.exit_code == 1
    assert not (run / "log.jsonl").read_text(encoding="utf-8").endswith("\n")
    monkeypatch.setattr(progress, "LOG_SECONDS", -1.0)
    resume(SPECS["tile"], run, quiet())
    assert [line["images"] for line in read_records(run / "log.jsonl")] == list(range(8, 97, 8))
    assert_same_end(unbroken["tile"], run)


def write_models(run: Path) -> None:
    """Write a large model file into a run again and again, as an export does at its end."""
    while True:
        time.sleep(0.3)
        if run.is_dir():
            write_in_run(run / "model.onnx", bytes(20_000_000))


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGKILL")
def test_killed_at_random_moments(tmp_path):
    """Kill runs that write checkpoints after each step, while another process writes model files now and then."""
    spec = toy_spec("tile", toy_preset("tile", kimg=KILLED_KIMG))
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["ganassets.training.run"])
    run, moments = tmp_path / "run", np.random.default_rng()
    for attempt in range(KILLS):
        before = count_images(run)
        arguments = ("resume" if attempt else "train", "tile", str(run), "-1", "1", str(KILLED_KIMG))
        process = context.Process(target=toy_runs.main, args=arguments)
        exporting = context.Process(target=write_models, args=(run,), daemon=True)
        process.start()
        exporting.start()
        deadline = time.monotonic() + PATIENCE
        while count_images(run) <= before and process.is_alive() and time.monotonic() < deadline:
            time.sleep(0.002)
        time.sleep(moments.uniform(0, 0.2))
        process.kill()
        process.join()
        assert process.exitcode == -signal.SIGKILL, "it was on its way"
        process.close()
        exporting.kill()
        exporting.join()
        found = list_checkpoints(run / "checkpoints")
        assert 1 <= len(found) <= 3, "the newest two, and a third if the kill came before the removal of the oldest"
        assert all(load_checkpoint(path)[1]["images"] == int(path.stem) for path in found)
        assert count_images(run) > before
    resume(spec, run, quiet())
    assert [path for path in run.rglob("*") if TEMPORARY.fullmatch(path.name)] == [], "nothing half-written stays"
    assert_same_end(start(spec, tmp_path / "unbroken"), run)
    images = [line["images"] for line in read_records(run / "metrics.jsonl")]
    assert images == sorted(set(images)) and images[-1] == KILLED_KIMG * 1000
    assert [event["kind"] for event in read_records(run / "events.jsonl")] == ["resume"] * KILLS


def test_a_run_resumes_with_its_own_settings(unbroken, tmp_path):
    """Resume a run with more images; the networks stay the same."""
    run = shutil.copytree(unbroken["tile"], tmp_path / "run")
    config = run / "config.toml"
    text = config.read_text(encoding="utf-8")
    config.write_text(text.replace(f"kimg = {KIMG}", "kimg = 0.112"), encoding="utf-8")
    resume(replace(SPECS["tile"], presets=()), run, quiet())
    assert count_images(run) == 112
