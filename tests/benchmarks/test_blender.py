"""The benchmark of the Blender extension: reports and memory of a Blender, and the printed tables."""

from __future__ import annotations

import importlib.util
import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ganassets_blender.build import this_platform

FOLDER = Path(__file__).parents[2] / "benchmarks"
CACHE = Path(os.environ.get("GANASSETS_TEST_CACHE", "~/.cache/ganassets-tests")).expanduser()
LARGE = 100_000_000  # bytes
# Each phase lasts until its memory was looked at some times; the file LOOKS grows by a byte each time.
PROGRAM = f"""
import os, subprocess, sys, time

def phase(name):
    print("PHASE " + name, flush=True)
    be_looked_at()

def be_looked_at():
    before = os.path.getsize(os.environ["LOOKS"])
    while os.path.getsize(os.environ["LOOKS"]) < before + 5:
        time.sleep(0.01)

phase("before")
print("PHASE large", flush=True)
held = b"x" * {LARGE}
code = "import time; held = b'x' * {2 * LARGE}; print('held', flush=True); time.sleep(600)"
child = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE)
child.stdout.readline()
be_looked_at()
child.kill()
child.wait()
del held
phase("after")
phase("before")
print('REPORT {{"words": ' + str(len(sys.argv)) + '}}', flush=True)
"""


@pytest.fixture(scope="module")
def bench() -> Iterator[Any]:
    """The benchmark as a module; under a name of its own, as the tests have a folder of that name."""
    spec = importlib.util.spec_from_file_location("blender_benchmark", FOLDER / "blender.py")
    assert spec and spec.loader
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(FOLDER))
        module = importlib.util.module_from_spec(spec)
        patch.setitem(sys.modules, spec.name, module)
        spec.loader.exec_module(module)
        yield module


def test_a_blender_reports_and_its_memory_is_seen_by_phase(
    bench: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks, add = tmp_path / "looks", bench.MemoryPhase.add
    looks.touch()

    def add_and_count(phase: Any, memory: Any) -> None:
        add(phase, memory)
        with looks.open("a") as file:
            file.write(".")

    monkeypatch.setattr(bench.MemoryPhase, "add", add_and_count)
    ran = bench.run_blender([sys.executable, "-c", PROGRAM], "deed", "word", {"LOOKS": str(looks)})
    assert ran.report == {"words": 5}
    assert list(ran.phases) == ["before", "large", "after"]
    before, large, after = ran.phases.values()
    assert large.peak[0] > before.peak[0] + 0.9 * LARGE and after.last[0] < large.peak[0] - 0.9 * LARGE
    assert before.peak[1] == after.last[1] == 0 and large.peak[1] > 2 * LARGE


def test_a_failed_blender_is_reported(bench: Any) -> None:
    program = "import sys; print('so that is why'); sys.exit(3)"
    with pytest.raises(RuntimeError, match="ended with code 3 and no report: so that is why"):
        bench.run_blender([sys.executable, "-c", program], "deed", "word", {})


@pytest.mark.real
@pytest.mark.slow
def test_all_tables_come(bench: Any, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    program = shutil.which("blender")
    if not program:
        pytest.skip("blender is not installed")
    wheels = CACHE / "wheels" / this_platform()
    monkeypatch.setenv("GANASSETS_BLENDER", program)
    bench.main(["--count", "2", "--size", "64", *(["--wheels", str(wheels)] if wheels.is_dir() else [])])
    said = capsys.readouterr().out
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in said.splitlines() if line.startswith("|")]
    named = {row[0] for row in rows}
    assert {"2 materials, library", "2 materials, grid", "1 heads, grid", "1 clips, grid"} <= named
    memory = [row for row in rows if len(row) == 3 and row[2].endswith(" MB")]
    beside = {row[0]: float(row[2].removesuffix(" MB")) for row in memory}
    assert all(float(row[1].removesuffix(" MB")) > 0 for row in memory)
    assert beside["Blender started"] == beside["released"] == 0 < beside["models listed"]
    assert beside["2 materials, library"] > beside["models listed"] and beside["after 1 clips, grid"] > 0
    (ratio,) = [float(row[-1]) for row in rows if len(row) == 6 and row[-1].replace(".", "").isdigit()]
    assert ratio > 0
