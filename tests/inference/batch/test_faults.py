"""Batches that are killed, run out of memory or compete: whole files, nothing twice, and the same bytes."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from ganassets.inference.model_search import shipped_models

KILLS = int(os.environ.get("GANASSETS_KILLS", "6"))  # docs/reliability.md: 50
CLIPS, HEADS = 60, 24
JOBS = f"""
[[job]]
model = "poses"
count = {CLIPS}
to = "bvh"
folder = "clips"
settings = {{ seconds = 2.0 }}
[[job]]
model = "faces"
count = {HEADS}
folder = "heads"
sliders = {{ age = {{ from = 20, to = 80 }} }}
"""
PATIENCE = 300

pytestmark = [pytest.mark.slow, pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGKILL")]


@pytest.fixture
def jobs(tmp_path: Path) -> Path:
    """A file of jobs."""
    path = tmp_path / "jobs.toml"
    path.write_text(JOBS, encoding="utf-8")
    return path


def command(jobs: Path, out: Path, *args: str) -> list[str]:
    """The batch's command line."""
    return [sys.executable, "-m", "ganassets", "batch", str(jobs), "-o", str(out), "--no-preview", *args]


def finished(jobs: Path, out: Path, *args: str) -> subprocess.CompletedProcess[str]:
    """The batch, run to its end."""
    return subprocess.run(command(jobs, out, *args), capture_output=True, text=True, timeout=PATIENCE, check=False)


def contents(out: Path) -> dict[str, bytes]:
    """All files of a folder, hidden ones too."""
    return {p.relative_to(out).as_posix(): p.read_bytes() for p in sorted(out.rglob("*")) if p.is_file()}


def assert_whole(out: Path) -> int:
    """Every file that the index has is there as it says; the number of its assets."""
    index = out / "index.jsonl"
    lines = index.read_bytes().split(b"\n")[:-1] if index.exists() else []
    entries = [entry for entry in map(json.loads, lines) if "name" in entry]
    for entry in entries:
        for name, file in entry["files"].items():
            assert (out / name).stat().st_size == file["bytes"], name
    return len(entries)


def kill(process: subprocess.Popen[bytes], kind: str, rng: random.Random) -> None:
    """End a batch, or one of its workers first, or all of them at once, and wait until all are gone."""
    workers = psutil.Process(process.pid).children(recursive=True)
    if kind == "worker" and workers:
        rng.choice(workers).kill()
        time.sleep(rng.uniform(0, 0.5))
    if kind == "all":
        os.killpg(process.pid, signal.SIGKILL)
    process.kill()
    process.communicate()
    for worker in workers:  # which end by themselves when the batch is gone
        worker.wait(PATIENCE)


def test_a_batch_killed_anywhere_continues_to_the_same_bytes(jobs, tmp_path):
    """The batch, one of its workers or all of them together are killed at random moments."""
    whole, broken, rng = tmp_path / "whole", tmp_path / "broken", random.Random(5)
    started = time.monotonic()
    assert finished(jobs, whole, "--workers", "2").returncode == 0
    seconds, expected = time.monotonic() - started, contents(whole)
    kills, there = 0, 0
    while kills < KILLS:
        process = subprocess.Popen(
            command(jobs, broken, "--workers", "2"),
            start_new_session=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )
        time.sleep(rng.uniform(0.2, 0.9 * seconds))
        if process.poll() is None:
            kill(process, rng.choice(["batch", "worker", "all"]), rng)
            kills += 1
            before, there = there, assert_whole(broken)
            assert there >= before, "nothing was lost"
        else:  # it finished between two kills; the next one starts again
            assert process.communicate()[1] == b"" and contents(broken) == expected
            shutil.rmtree(broken)
            there = 0
    last = finished(jobs, broken)
    assert last.returncode == 0, last.stderr
    assert contents(broken) == expected


def test_two_batches_do_not_share_a_folder(jobs, tmp_path):
    out = tmp_path / "out"
    process = subprocess.Popen(command(jobs, out), stdout=subprocess.DEVNULL)
    while not (out / "index.jsonl").exists() or not (out / "index.jsonl").stat().st_size:
        time.sleep(0.02)
    second = finished(jobs, out)
    assert second.returncode == 2 and second.stderr.count("\n") == 1
    assert f"another run is writing to {out}" in second.stderr
    assert process.wait(PATIENCE) == 0
    assert assert_whole(out) == CLIPS + HEADS
    assert finished(jobs, out).returncode == 0, "the lock went with its owner"


def test_a_model_that_goes_away_and_comes_back(jobs, tmp_path):
    """It is read once by each process; a process that has to be started again misses it."""
    model, hidden, out = tmp_path / "poses.onnx", tmp_path / "hidden", tmp_path / "out"
    shutil.copy(shipped_models("poses")[0], model)
    jobs.write_text(JOBS.replace('"poses"', json.dumps(str(model))), encoding="utf-8")
    process = subprocess.Popen(command(jobs, out, "--workers", "2"), stderr=subprocess.PIPE, text=True)
    while assert_whole(out) < 5:
        time.sleep(0.02)
    model.rename(hidden)
    for worker in psutil.Process(process.pid).children():
        worker.kill()
    _, errors = process.communicate(timeout=PATIENCE)
    if process.returncode:  # it may have been through with the model
        assert f"{model} is not there" in errors and process.returncode == 2
    hidden.rename(model)
    assert finished(jobs, out).returncode == 0
    assert assert_whole(out) == CLIPS + HEADS


@pytest.fixture
def small_disk(tmp_path: Path):
    """A disk of 3 MB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = shutil.which("mount")
    done = mount and subprocess.run([mount, "-t", "tmpfs", "-o", "size=3m", "none", folder], capture_output=True)
    if not done or done.returncode:
        pytest.skip("mounting a small disk needs root")
    yield folder
    subprocess.run(["umount", folder], check=True)


def test_a_disk_that_is_full_and_is_emptied(jobs, small_disk):
    out, ballast = small_disk / "out", small_disk / "ballast"
    ballast.write_bytes(bytes(2_200_000))
    jobs.write_text(JOBS.split('[[job]]\nmodel = "faces"')[0], encoding="utf-8")  # clips alone fit
    first = finished(jobs, out)
    assert first.returncode == 2 and first.stderr.count("\n") == 1, first.stderr
    assert "there is no space left on the device" in first.stderr
    there = assert_whole(out)
    assert 0 < there < CLIPS
    assert not [name for name in contents(out) if name.endswith(".tmp")]
    ballast.unlink()
    assert finished(jobs, out).returncode == 0
    assert assert_whole(out) == CLIPS


def test_a_read_only_disk(jobs, small_disk):
    subprocess.run(["mount", "-o", "remount,ro", small_disk], check=True)
    result = finished(jobs, small_disk / "out")
    assert result.returncode == 2 and "it is read-only; choose another folder" in result.stderr
    subprocess.run(["mount", "-o", "remount,rw", small_disk], check=True)


def test_the_clock_does_not_matter():
    """Nothing that makes or enters an asset looks at it."""
    package = Path(__file__).parents[3] / "ganassets" / "inference"
    paths = [*(package / "batch").glob("*.py"), package / "pipeline.py", package / "resolve.py", package / "recipe.py"]
    assert len(paths) > 8
    for path in paths:
        text = path.read_text(encoding="utf-8")
        assert "datetime" not in text and "time.time" not in text, path
