"""Runs that are killed, hung up on and fought over: nobody else's file is touched, nothing stays, the weights agree."""

from __future__ import annotations

import errno
import io
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from rich.console import Console

from ganassets.api.errors import InputError
from ganassets.api.writer import TEMPORARY
from ganassets.inference.batch.lock import lock_file
from ganassets.training import run as running
from ganassets.training import run_recorder, training_loop
from ganassets.training.checkpoint import load_checkpoint, newest_checkpoint
from ganassets.training.lock import lock_run, write_in_run
from ganassets.training.progress import catch_stop_signals, stop_signals
from ganassets.training.report import write_report
from ganassets.training.run import resume
from ganassets.training.run_folder import LOCK
from ganassets.training.trainer import Trainer
from support import toy_runs
from support.run_files import count_images
from support.toy_runs import printed, quiet, start, toy_preset, toy_spec

pytestmark = pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGKILL and no SIGHUP")
KIMG = 0.096  # 12 steps
SPEC = toy_spec("tile", toy_preset("tile", kimg=KIMG))
LEFTOVER = f".{'0123456789abcdef'}.tmp"
PATIENCE = 300.0


@pytest.fixture(scope="module")
def unbroken(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that nothing stopped."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(running, "check_export", lambda *arguments: None)
        patch.setattr(running, "choose_hardware", lambda device, threads, devices, precision: toy_runs.CPU)
        patch.setattr(run_recorder.RunRecorder, "record_snapshot", lambda self, trainer, must_measure=False: None)
        return start(SPEC, tmp_path_factory.mktemp("unbroken") / "run")


def assert_same_weights(first: Path, second: Path) -> None:
    """Both runs ended with the same numbers."""
    tensors, others = (load_checkpoint(newest_checkpoint(run / "checkpoints"))[0] for run in (first, second))
    assert tensors.keys() == others.keys()
    assert [key for key in tensors if not torch.equal(tensors[key], others[key])] == []


def leftovers(run: Path) -> list[str]:
    """Return files that were left half-written."""
    return [path.name for path in run.rglob("*") if TEMPORARY.fullmatch(path.name)]


def launched(what: str, run: Path) -> subprocess.Popen[bytes]:
    """Start a long toy run in its own process, with a checkpoint after each step."""
    command = [sys.executable, toy_runs.__file__, what, "tile", str(run), "-1", "1", "100"]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)


def wait_for(run: Path, images: int, process: subprocess.Popen[bytes]) -> None:
    """Wait until a run has a checkpoint of this number of images."""
    deadline = time.monotonic() + PATIENCE
    while count_images(run) < images and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.01)
    assert process.poll() is None, process.communicate()[1].decode()


class Killed(BaseException):
    """Stands for SIGKILL: nothing is saved or tidied any more."""


def kill_at_write(number: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """End a run at the n-th file that it writes, with the file half-written."""
    from ganassets.api import writer

    original, count = writer._write_synced, iter(range(10**6))

    def write(path: Path, content: bytes) -> None:
        if next(count) == number:
            path.write_bytes(content[: len(content) // 2])
            raise Killed
        original(path, content)

    monkeypatch.setattr(writer, "_write_synced", write)
    monkeypatch.setattr(writer, "_remove", lambda path: None)


@pytest.mark.parametrize("number", range(9))
def test_a_run_killed_in_any_write_resumes_to_the_same_weights(number, unbroken, tmp_path, monkeypatch):
    """Settings, linear model, card, first checkpoint, picture, records, later checkpoints."""
    run, console = tmp_path / "run", quiet()
    monkeypatch.setattr(training_loop, "CHECKPOINT_SECONDS", -1.0)
    with monkeypatch.context() as patch:
        patch.setattr(running, "remove_unstarted", lambda run: None)
        kill_at_write(number, patch)
        with pytest.raises(Killed):
            start(SPEC, run)
    assert len(leftovers(run)) == 1
    if number == 0:  # not even the settings
        with pytest.raises(InputError, match=r"is not a run folder: it has no config\.toml"):
            resume(SPEC, run, quiet())
        with pytest.raises(InputError, match=rf"{run} exists already; choose another --out\.$"):
            start(SPEC, run)
        return
    with pytest.raises(InputError, match=f"choose another --out, or continue it with --resume {run}"):
        start(SPEC, run)
    resume(SPEC, run, console)
    assert ("has no checkpoint yet: starting from the beginning" in printed(console)) == (number < 4)
    assert leftovers(run) == []
    assert_same_weights(unbroken, run)


def test_a_run_that_starts_from_a_model_remembers_it(squares, make_model, tmp_path, monkeypatch):
    model, started = make_model(), []
    monkeypatch.setattr(running, "read_start_model", lambda path, spec: started.append(path))
    with monkeypatch.context() as patch:
        patch.setattr(running, "remove_unstarted", lambda run: None)
        kill_at_write(1, patch)
        with pytest.raises(Killed):
            start(SPEC, tmp_path / "run", start=model)
    with pytest.raises(InputError, match="if you trust it, add --trusted"):  # the folder may be somebody else's
        resume(SPEC, tmp_path / "run", quiet())
    assert started == [model]
    resume(SPEC, tmp_path / "run", quiet(), trusted=True)
    assert started == [model, model]


def test_only_our_own_leftovers_are_removed(tmp_path, monkeypatch):
    run = start(SPEC, tmp_path / "run")
    ours = [run / LEFTOVER, run / "checkpoints" / LEFTOVER, run / "snapshots" / LEFTOVER]
    others = [run / ".notes.tmp", run / "checkpoints" / "mine.safetensors", run / f"{LEFTOVER}.x", run / "notes.txt"]
    for path in ours + others:
        path.write_bytes(b"x")
    with lock_run(run):
        assert not any(path.exists() for path in ours) and all(path.exists() for path in others)
    for path in ours:
        path.write_bytes(b"x")
    with ForeignLock(run):
        write_report(run)
        assert all(path.exists() for path in ours), "the owner of the lock may be writing them"
    write_report(run)
    assert not any(path.exists() for path in ours)


class ForeignLock:
    """The lock of another process on a run."""

    def __init__(self, run: Path) -> None:
        self.run = run

    def __enter__(self) -> None:
        self.handle = os.open(self.run / LOCK, os.O_RDWR | os.O_CREAT)
        assert lock_file(self.handle)

    def __exit__(self, *_: object) -> None:
        os.close(self.handle)


def test_two_processes_do_not_train_one_run(tmp_path):
    run = tmp_path / "run"
    process = launched("train", run)
    try:
        wait_for(run, 16, process)
        second = launched("resume", run)
        _, errors = second.communicate(timeout=PATIENCE)
        assert second.returncode == 2
        text = f"Error: another process trains {run}; wait until it has ended, or stop it first.\n"
        assert errors.decode() == text
        write_report(run)
        write_in_run(run / "model.onnx", b"model")
        assert (run / "model.onnx").read_bytes() == b"model", "reading and exporting still work"
    finally:
        process.kill()
        process.communicate()
    with lock_run(run):
        pass  # the lock went with its owner


def test_a_lock_is_given_back_by_a_run_that_fails(tmp_path):
    def dataset(*arguments):
        raise InputError("no.")

    for _ in range(2):
        with pytest.raises(InputError, match="no"):
            start(replace(SPEC, dataset=dataset), tmp_path / "run")
    assert start(SPEC, tmp_path / "run").is_dir()


def fail_to_lock(monkeypatch: pytest.MonkeyPatch, error: OSError) -> None:
    def flock(handle: int, operation: int) -> None:
        raise error

    monkeypatch.setattr("ganassets.inference.batch.lock.fcntl.flock", flock)


@pytest.mark.parametrize(("error", "held"), [(OSError(errno.ENOLCK, ""), None), (BlockingIOError(), False)])
def test_a_file_system_without_locks_differs_from_a_taken_lock(error, held, monkeypatch):
    fail_to_lock(monkeypatch, error)
    assert lock_file(0, 0.0) is held


def test_a_file_that_can_not_be_locked_is_an_error(monkeypatch):
    fail_to_lock(monkeypatch, OSError(errno.EBADF, "bad"))
    with pytest.raises(OSError, match="bad"):
        lock_file(0, 0.0)


def test_without_locks_runs_are_allowed_and_no_file_of_others_is_removed(tmp_path, monkeypatch):
    fail_to_lock(monkeypatch, OSError(errno.ENOLCK, ""))
    run = tmp_path / "run"
    (run / "checkpoints").mkdir(parents=True)
    half = run / "checkpoints" / ".0123456789abcdef.tmp"
    half.write_bytes(b"half")
    with lock_run(run):
        assert half.exists(), "another process may be writing it"
    write_in_run(run / "model.onnx", b"x")
    assert half.exists() and (run / "model.onnx").read_bytes() == b"x"


@pytest.mark.parametrize("names", [("SIGTERM", "SIGTERM"), ("SIGHUP", "SIGHUP", "SIGTERM")])
def test_signals_that_come_twice_save_once(names, unbroken, tmp_path, monkeypatch):
    """The second one in the middle of the last save."""
    run, step, save = tmp_path / "run", Trainer.step, run_recorder.RunRecorder.save
    numbers = [signal.Signals[name] for name in names]

    def stepping(trainer: Trainer) -> dict[str, float]:
        if trainer.step_count == 5:
            signal.raise_signal(numbers[0])
        return step(trainer)

    def saving(self: run_recorder.RunRecorder, trainer: Trainer, name: str | None = None) -> None:
        for number in numbers[1:] if trainer.step_count == 6 else ():
            signal.raise_signal(number)
        save(self, trainer, name)

    with monkeypatch.context() as patch:
        patch.setattr(Trainer, "step", stepping)
        patch.setattr(run_recorder.RunRecorder, "save", saving)
        with pytest.raises(KeyboardInterrupt):
            start(SPEC, run)
    assert count_images(run) == 48
    resume(SPEC, run, quiet())
    assert_same_weights(unbroken, run)


def test_a_second_ctrl_c_stops_at_once():
    with catch_stop_signals() as stopping:
        signal.raise_signal(signal.SIGHUP)
        signal.raise_signal(signal.SIGHUP)
        assert len(stopping) == 2
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)


@pytest.fixture
def hang_up() -> Iterator[None]:
    """SIGHUP's handler afterwards."""
    kept = signal.getsignal(signal.SIGHUP)
    yield
    signal.signal(signal.SIGHUP, kept)


def test_nohup_keeps_a_run_going(hang_up):
    assert signal.SIGHUP in stop_signals()
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    assert signal.SIGHUP not in stop_signals()


class GoneTerminal(io.StringIO):
    """A terminal that was closed."""

    def write(self, text: str) -> int:
        raise OSError(5, "Input/output error")


# The thread that draws the bar ends with the terminal.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_terminal_that_is_gone_keeps_nothing_from_being_saved(tmp_path, monkeypatch):
    console, step = Console(file=io.StringIO(), force_terminal=True), Trainer.step
    threads = set(threading.enumerate())

    def stepping(trainer: Trainer) -> dict[str, float]:
        if trainer.step_count == 5:
            signal.raise_signal(signal.SIGHUP)
            console.file = GoneTerminal()
        return step(trainer)

    monkeypatch.setattr(Trainer, "step", stepping)
    with pytest.raises(KeyboardInterrupt):
        start(SPEC, tmp_path / "run", console)
    assert count_images(tmp_path / "run") == 48
    for thread in set(threading.enumerate()) - threads:
        thread.join(PATIENCE)  # its error belongs to this test


def test_a_closed_terminal_saves_the_run(tmp_path):
    """Close a real terminal: the system sends a signal to the run."""
    import pty  # not on Windows

    run = tmp_path / "run"
    ours, theirs = pty.openpty()
    program = (
        "import fcntl, os, runpy, sys, termios\nfcntl.ioctl(0, termios.TIOCSCTTY, 0)\nsys.argv = sys.argv[1:]\n"
        "sys.path.insert(0, os.path.dirname(sys.argv[0]))\nrunpy.run_path(sys.argv[0], run_name='__main__')"
    )
    command = [sys.executable, "-c", program, toy_runs.__file__, "train", "tile", str(run), "1e9", "1", "100"]
    process = subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True)
    os.close(theirs)
    deadline = time.monotonic() + PATIENCE
    while not (run / "metrics.jsonl").is_file() and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.05)
    time.sleep(1.0)
    assert count_images(run) == 0, "nothing is saved by itself in this time"
    os.close(ours)
    process.wait(PATIENCE)
    assert count_images(run) > 0
    assert leftovers(run) == []
