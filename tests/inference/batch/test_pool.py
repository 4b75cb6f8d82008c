"""Real processes that make units: their answers' order, their deaths, their end."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil
import pytest

from ganassets.api.errors import InputError
from ganassets.inference.batch.engine import BatchSettings, run_batch
from ganassets.inference.batch.plan import Plan
from ganassets.inference.batch.pool import Pool
from ganassets.inference.batch.worker import LIFT_LIMITS, Failed, Made, Stopped, Task, WorkerSettings

pytestmark = pytest.mark.slow
# What it does to a seed is in files of a folder: sleep, end its process once or always, fail.
WILD = """
import os, time
from pathlib import Path
from ganassets.api.assets import Exporter

def export(asset, options):
    orders, seed = Path(os.environ["WILD"]), str(asset.provenance.seed)
    (orders / f"{seed}.by").write_text(str(os.getpid()))
    if (orders / f"{seed}.sleep").exists():
        time.sleep(float((orders / f"{seed}.sleep").read_text()))
    if (orders / f"{seed}.once").exists():
        (orders / f"{seed}.once").unlink()
        os._exit(9)
    if (orders / f"{seed}.always").exists():
        os._exit(int((orders / f"{seed}.always").read_text() or 9))
    if (orders / f"{seed}.fail").exists():
        raise ValueError("no")
    return {asset.name + ".bin": asset.positions.tobytes()}

EXPORTER = Exporter("wild", "Bare positions.", 1, ("mesh",), (".bin",), export)
"""

SETTINGS = {"one": BatchSettings(workers=1, trusted=True), "many": BatchSettings(workers=2, memory=4 * 2**30)}


@pytest.fixture
def orders(squares, tmp_path, monkeypatch) -> Path:
    """Return the folder with instructions for seeds."""
    squares.install("wild", "[ganassets.exporters]\nwild = pool_wild:EXPORTER\n", {"pool_wild": WILD})
    folder = tmp_path / "orders"
    folder.mkdir()
    monkeypatch.setenv("WILD", str(folder))
    return folder


@pytest.fixture
def wild_plan(make_job, orders):
    """Return plan(count), which plans seeds from 0 on."""
    return lambda count: Plan([make_job(range(count), exporter="wild", options={})])


def tasks(count, size=1):
    """Yield tasks with this number of units in total."""
    for start in range(0, count, size):
        indices = tuple(range(start, min(start + size, count)))
        yield Task(indices, frozenset(indices))


def results(plan, out, together=1, size=2) -> list[Any]:
    """All answers of some processes."""
    with Pool(plan, WorkerSettings(out), size) as pool:
        return list(pool.results(tasks(len(plan), together)))


def workers(orders):
    """Processes that made units."""
    return {path.read_text() for path in orders.glob("*.by")}


@pytest.mark.parametrize("together", [1, 3])
def test_answers_come_in_order_from_several_processes(wild_plan, orders, tmp_path, together):
    for seed in (0, 4, 9):
        (orders / f"{seed}.sleep").write_text("0.3")
    (orders / "5.fail").touch()
    answers = results(wild_plan(24), tmp_path / "out", together=together)
    assert [answer.index for answer in answers if not isinstance(answer, Stopped)] == list(range(24))
    assert [answer.index for answer in answers if isinstance(answer, Failed)] == [5]
    assert all((tmp_path / "out" / name).is_file() for a in answers if isinstance(a, Made) for name in a.files)
    assert len(workers(orders)) == 2 and str(os.getpid()) not in workers(orders)
    for pid in map(int, workers(orders)):
        assert not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE


def test_a_process_that_dies_once_costs_nothing(wild_plan, orders, tmp_path):
    for seed in (0, 7, 11):
        (orders / f"{seed}.once").touch()
    answers = results(wild_plan(12), tmp_path / "out")
    assert [type(answer) for answer in answers] == [Made] * 12
    assert [answer.index for answer in answers] == list(range(12))
    assert len(workers(orders)) > 2


@pytest.mark.parametrize("together", [1, 4])
def test_a_unit_that_ends_two_processes_fails_and_the_rest_continues(wild_plan, orders, tmp_path, together):
    (orders / "5.always").touch()
    answers = results(wild_plan(12), tmp_path / "out", together=together)
    assert [answer.index for answer in answers] == list(range(12))
    failed = [answer for answer in answers if isinstance(answer, Failed)]
    assert [answer.index for answer in failed] == ([5] if together == 1 else [4, 5, 6, 7])
    who = "generator 'squares' of squares-and-raw 1.2 or exporter 'wild' of wild 1.0"
    assert failed[0].why == f"{who} ended the process (exit code 9); tell its author."


@pytest.mark.parametrize(("memory", "remedy"), [(None, ""), (4 * 2**30, f"; {LIFT_LIMITS}")])
def test_a_process_that_fails_by_itself_accuses_no_plugin(wild_plan, orders, tmp_path, memory, remedy):
    """Python ends with 1, and Windows gives every crash a code above 0."""
    (orders / "0.always").write_text("1")
    with Pool(wild_plan(1), WorkerSettings(tmp_path / "out", memory=memory), 1) as pool:
        (answer,) = pool.results(tasks(1))
    message = "its process ended with code 1; it may have run out of memory, or a library crashed"
    assert isinstance(answer, Failed) and answer.why == f"{message}{remedy}."


def test_who_shared_a_dead_process_is_not_suspected_for_the_next_one(wild_plan, orders, tmp_path):
    """2 waited behind 1, which died; while 2 is tried again nothing waits behind it that could die."""
    (orders / "1.once").touch()
    (orders / "2.sleep").write_text("0.5")
    (orders / "3.always").touch()
    answers = results(wild_plan(6), tmp_path / "out", size=1)
    assert [answer.index for answer in answers if isinstance(answer, Failed)] == [3]


def test_when_all_processes_die_it_stops(wild_plan, orders, tmp_path):
    for seed in range(12):
        (orders / f"{seed}.always").touch()
    answers = results(wild_plan(12), tmp_path / "out")
    assert isinstance(answers[-1], Stopped) and "5 processes ended one after the other" in answers[-1].why


def test_what_stops_one_ends_all(wild_plan, orders, tmp_path):
    """The disk's refusal: a folder has the name of a file that is to come."""
    (tmp_path / "out" / "squares-00000003.bin").mkdir(parents=True)
    for seed in (4, 5, 6):
        (orders / f"{seed}.sleep").write_text("120")
    answers = results(wild_plan(12), tmp_path / "out")
    assert not [path for seed in (4, 5, 6) for path in (tmp_path / "out").glob(f"squares-{seed:08d}.*")], (
        "all are ended"
    )
    assert isinstance(answers[-1], Stopped) and answers[-1].exit_code == 2
    assert "squares-00000003.bin is a folder" in answers[-1].why
    assert [type(answer) for answer in answers[:-1]] == [Made] * (len(answers) - 1)
    with pytest.raises(InputError, match="is a folder"):
        run_batch(wild_plan(12), tmp_path / "out", BatchSettings(workers=2, memory=4 * 2**30, overwrite=True))


def test_a_model_that_is_gone_ends_all(wild_plan, tmp_path):
    plan = wild_plan(12)
    plan.jobs[0].file.path.unlink()
    (answer,) = results(plan, tmp_path / "out")
    assert isinstance(answer, Stopped) and answer.exit_code == 2 and "is not there" in answer.why


def test_leaving_early_ends_the_processes(wild_plan, orders, tmp_path):
    (orders / "9.sleep").write_text("120")
    with Pool(wild_plan(50), WorkerSettings(tmp_path / "out"), 2) as pool:
        answers = pool.results(tasks(50))
        assert isinstance(next(answers), Made)
        processes = [psutil.Process(worker.process.pid) for worker in pool.workers]
    assert not list((tmp_path / "out").glob("squares-00000009.*")), "no process waits for it"
    assert not any(process.is_running() and process.status() != psutil.STATUS_ZOMBIE for process in processes)


def test_little_is_under_way_at_a_time(wild_plan, orders, tmp_path):
    """Results of millions of units come in order, and a slow unit limits how far the others get ahead."""
    (orders / "0.sleep").write_text("2")
    taken = []

    def counted():
        for task in tasks(500):
            taken.append(task)
            yield task

    with Pool(wild_plan(500), WorkerSettings(tmp_path / "out"), 2) as pool:
        first = next(pool.results(counted()))
    assert isinstance(first, Made) and first.index == 0 and len(taken) < 20


def test_several_processes_leave_what_one_does(make_job, tmp_path):
    plan = Plan([make_job(range(30), folder="a"), make_job(range(3), title="2", name="{seed}")])
    trees = []
    for name, settings in SETTINGS.items():
        heard = []
        run_batch(plan, tmp_path / name, settings, lambda done, total, heard=heard: heard.append((done, total)))
        assert heard == [(i, 33) for i in range(1, 34)]
        trees.append(
            {p.relative_to(tmp_path / name): p.read_bytes() for p in (tmp_path / name).rglob("*") if p.is_file()}
        )
    assert trees[0] == trees[1] and len(trees[0]) == 67


def test_sheets_are_the_same_from_several_processes(make_job, tmp_path):
    plan = Plan([make_job(range(6))])
    one, many = (run_batch(plan, tmp_path / name, replace(settings, sheet=True)) for name, settings in SETTINGS.items())
    for a, b in zip(one.shown[0], many.shown[0], strict=True):
        assert a.name == b.name and (a.materials[0].albedo == b.materials[0].albedo).all()
    assert len({id(asset.topology) for asset in many.shown[0]}) == 1
