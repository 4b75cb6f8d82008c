"""The job queue: storage, order, progress and estimated time."""

from __future__ import annotations

import json
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

TABLE = {"model": "textures", "seeds": "1-4"}


@pytest.fixture
def jobs(addon: Any) -> ModuleType:
    return addon("job_queue")


@pytest.fixture
def queue(jobs: Any, tmp_path: Path) -> Any:
    return jobs.JobQueue(tmp_path / "jobs")


def reopened(jobs: Any, queue: Any) -> Any:
    """The queue in another Blender, after this one has closed it."""
    queue.close()
    other = jobs.JobQueue(queue.folder)
    other.load()
    return other


def test_jobs_survive(jobs: Any, queue: Any) -> None:
    job = queue.add(title="Ærø", table=TABLE, kind="textures", target=jobs.GRID, objects=["Würfel"])
    job.update_progress(2, 4, 0.0)
    job.state = jobs.RUNNING
    queue.save(job)
    done = queue.add(title="b", table=TABLE, kind="textures")
    done.state = jobs.DONE
    queue.save(done)
    first, second = reopened(jobs, queue).jobs
    assert (first.title, first.table, first.objects, first.done) == ("Ærø", TABLE, ["Würfel"], 2)
    assert first.state == jobs.PAUSED and first.is_open, "open jobs are paused"
    assert second.state == jobs.DONE


def test_damaged_jobs_stay_unchanged(jobs: Any, queue: Any) -> None:
    good = queue.add(title="a", table=TABLE, kind="textures")
    for name, text in (("b", "nonsense"), ("c", "[]"), ("d", '{"name": "../d"}'), ("e", '{"alien": 1}')):
        (queue.folder / name).mkdir(parents=True)
        (queue.folder / name / jobs.FILE).write_text(text)
    (queue.folder / "f").mkdir()
    moved = json.loads(json.dumps({"name": "../x", "title": "", "table": {}, "kind": "mesh"}))
    (queue.folder / "f" / jobs.FILE).write_text(json.dumps(moved))
    assert [job.name for job in reopened(jobs, queue).jobs] == [good.name]
    assert (queue.folder / "b" / jobs.FILE).exists()


def test_jobs_of_another_blender_that_runs_are_left_alone(jobs: Any, queue: Any) -> None:
    job = queue.add(title="a", table=TABLE, kind="mesh")
    other = jobs.JobQueue(queue.folder)
    other.load()
    assert other.jobs == []
    queue.close()
    other.load()
    assert [one.name for one in other.jobs] == [job.name]
    other.remove(other.jobs[0])
    other.close()
    assert not queue.job_folder(job).exists()


def test_one_at_a_time_the_oldest_first(jobs: Any, queue: Any) -> None:
    first, second = (queue.add(title=name, table=TABLE, kind="mesh") for name in "ab")
    assert queue.next_job() is first
    first.state = jobs.RUNNING
    assert queue.next_job() is None
    first.state = jobs.PAUSED
    assert queue.next_job() is second
    second.state = jobs.DONE
    assert queue.next_job() is None


def test_a_failed_job_can_be_resumed(jobs: Any, queue: Any) -> None:
    job = queue.add(title="a", table=TABLE, kind="mesh")
    job.state, job.error, job.about, job.note = jobs.FAILED, "It broke.", "model", "Restarted"
    job.restarts, job.orphaned, job.done = 4, True, 3
    queue.resume(job)
    assert queue.next_job() is job and job.done == 3
    assert (job.error, job.about, job.note, job.restarts, job.orphaned) == ("", "", "", 0, False)
    assert json.loads((queue.job_folder(job) / jobs.FILE).read_text())["error"] == ""


def test_removed_with_its_files(jobs: Any, queue: Any) -> None:
    job = queue.add(title="a", table=TABLE, kind="mesh")
    queue.remove(job)
    assert reopened(jobs, queue).jobs == [] and not queue.job_folder(job).exists()


def test_time_left(jobs: Any, queue: Any) -> None:
    job = queue.add(title="a", table=TABLE, kind="mesh")
    job.state = jobs.RUNNING
    assert job.seconds_left is None and job.fraction == 0
    for step in range(5):
        job.update_progress(step, 10, 100.0 + 2.0 * step)
    assert job.seconds_left == pytest.approx(12.0) and job.fraction == 0.4
    job.update_progress(5, 10, 108.0)
    assert job.seconds_left == pytest.approx(7.5), "two assets at the same time don't change the measured speed much"
    job.reset_clock()
    job.update_progress(5, 10, 1000.0)
    assert job.seconds_left is None, "a pause resets the estimate"
    job.update_progress(6, 10, 1003.0)
    assert job.seconds_left == pytest.approx(12.0)


@pytest.mark.parametrize(("seconds", "text"), [(5, "5 s"), (89.4, "89 s"), (100, "2 min"), (7200, "2 h 0 min")])
def test_durations(jobs: Any, seconds: float, text: str) -> None:
    assert jobs.format_duration(seconds) == text


def test_failure_summary(jobs: Any, queue: Any) -> None:
    job = queue.add(title="a", table=TABLE, kind="mesh")
    assert job.failure_summary == ""
    job.result = {"assets": ["a"], "failures": []}
    assert job.failure_summary == ""
    job.result = {"assets": ["a"], "failures": ["it burst.", "it melted."]}
    assert job.failure_summary == "2 could not be made: it burst."


def test_a_note_holds_until_the_next_asset(jobs: Any, queue: Any) -> None:
    job = queue.add(title="a", table=TABLE, kind="mesh")
    job.note = "Starting"
    job.update_progress(0, 4, 0.0)
    assert job.note == "Starting"
    job.update_progress(1, 4, 1.0)
    assert job.note == ""
