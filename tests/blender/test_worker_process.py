"""The worker process: the add-on notices within two seconds that it died or hangs, and never waits for it."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

STAND_IN = """
import json, os, sys, threading, time

def say(**what):
    print(json.dumps(what), flush=True)

def beat():
    while True:
        time.sleep(0.2)
        say(beat=1)

say(hello="1")
threading.Thread(target=beat, daemon=True).start()
for line in sys.stdin:
    request = json.loads(line)
    print("heard", request, file=sys.stderr, flush=True)
    if request["do"] == "die":
        os._exit(7)
    if request["do"] == "garbage":
        print("no JSON", flush=True)
    say(id=request["id"], done=request["do"])
"""
PATIENCE = 300.0  # seconds; machines that run tests are slow now and then


@pytest.fixture
def start(addon: Any, tmp_path: Path) -> Iterator[Callable[..., Any]]:
    started: list[Any] = []

    def begin(script: str = STAND_IN) -> Any:
        command = [sys.executable, "-c", script]
        started.append(addon("worker_process").AddonWorker(command, dict(os.environ), tmp_path / "log" / "log.txt"))
        return started[-1]

    yield begin
    for worker in started:
        while worker.process is None and not worker.failure:
            time.sleep(0.01)
        worker.kill()
        if worker.process:
            worker.process.wait()


def receive(worker: Any, accept: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    """Wait for a message that is accepted."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        for message in worker.poll():
            if accept(message):
                return message
        assert not worker.failure, worker.failure
        time.sleep(0.01)
    pytest.fail("no message arrived")


def failure_of(worker: Any) -> str:
    """Wait until the process counts as failed; returns the reason."""
    end = time.monotonic() + PATIENCE
    while not worker.failure:
        assert time.monotonic() < end
        worker.poll()
        time.sleep(0.01)
    return worker.failure


def test_requests_and_answers(start: Any, tmp_path: Path) -> None:
    worker = start()
    number = worker.send_request(do="something")
    assert receive(worker, lambda message: message.get("id") == number)["done"] == "something"
    assert worker.ready
    worker.cancel(number)
    receive(worker, lambda message: message.get("done") == "cancel")
    assert "heard" in (tmp_path / "log" / "log.txt").read_text()


def test_a_process_that_exits_is_noticed(start: Any) -> None:
    worker = start()
    receive(worker, lambda message: "hello" in message)
    worker.send_request(do="die")
    assert "code 7" in failure_of(worker)


def test_a_killed_process_is_noticed(start: Any) -> None:
    worker = start()
    receive(worker, lambda message: "hello" in message)
    worker.process.kill()
    assert "ended with code" in failure_of(worker)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGSTOP")
def test_a_process_that_hangs_is_noticed_and_killed(start: Any, addon: Any) -> None:
    worker = start()
    receive(worker, lambda message: "hello" in message)
    os.kill(worker.process.pid, signal.SIGSTOP)
    assert "has not answered" in failure_of(worker)
    assert worker.process.wait(PATIENCE) == -signal.SIGKILL
    assert addon("worker_process").HEARTBEAT_TIMEOUT < 2, "docs/reliability.md: noticed within two seconds"


def test_a_machine_that_slept_is_no_process_that_hangs(start: Any) -> None:
    worker = start()
    receive(worker, lambda message: "hello" in message)
    worker.heard -= 100
    worker.polled -= 100
    worker.poll()
    assert not worker.failure
    worker.heard -= 100
    worker.poll()
    assert worker.failure


def test_invalid_answers_are_a_failure(start: Any) -> None:
    worker = start()
    receive(worker, lambda message: "hello" in message)
    worker.send_request(do="garbage")
    assert "not valid JSON" in failure_of(worker), "its answers can't be read any more"


def test_a_process_that_ends_at_once(start: Any) -> None:
    worker = start("raise SystemExit(5)")
    assert "code 5" in failure_of(worker)


def test_a_process_that_cannot_be_started(addon: Any, tmp_path: Path) -> None:
    worker = addon("worker_process").AddonWorker([str(tmp_path / "none")], {}, tmp_path / "log.txt")
    assert "can't be started" in failure_of(worker)


def test_a_long_log_is_replaced(start: Any, addon: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(addon("worker_process"), "MAX_LOG_BYTES", 20)
    for text in ("a" * 30, "b", "c"):
        worker = start(f"import sys; print({text!r}, file=sys.stderr)")
        failure_of(worker)
    assert (tmp_path / "log" / "log.txt").read_text() == "b\nc\n"


def test_a_poll_never_waits(start: Any) -> None:
    worker = start("import time; time.sleep(120)")
    for _ in range(100):
        assert worker.poll() == []
    assert worker.process.poll() is None, "a poll that waits would see the process end"


def test_it_ends_when_its_input_does(start: Any) -> None:
    worker = start()
    receive(worker, lambda message: "hello" in message)
    worker.close()
    assert worker.process.wait(PATIENCE) == 0


def test_an_interpreter_of_this_version(addon: Any) -> None:
    assert Path(addon("worker_process").find_interpreter()).stem.startswith("python")
