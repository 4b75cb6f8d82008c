"""The process beside Blender: it is noticed within two seconds when it dies or hangs, and never waited for."""

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
LIMIT = 2.0


@pytest.fixture
def start(addon: Any, tmp_path: Path) -> Iterator[Callable[..., Any]]:
    started: list[Any] = []

    def begin(script: str = STAND_IN) -> Any:
        command = [sys.executable, "-c", script]
        started.append(addon("child").Child(command, dict(os.environ), tmp_path / "log" / "log.txt"))
        return started[-1]

    yield begin
    for child in started:
        while child.process is None and not child.failure:
            time.sleep(0.01)
        child.kill()
        if child.process:
            child.process.wait()


def heard(child: Any, wanted: Callable[[dict[str, Any]], bool], seconds: float = 20.0) -> dict[str, Any]:
    """The first message that is wanted."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        for message in child.poll():
            if wanted(message):
                return message
        assert not child.failure, child.failure
        time.sleep(0.01)
    pytest.fail("nothing was said")


def failure_after(child: Any) -> float:
    """Seconds until it is noticed that it is gone."""
    began = time.monotonic()
    while not child.failure:
        child.poll()
        time.sleep(0.01)
        assert time.monotonic() - began < 10
    return time.monotonic() - began


def test_requests_and_answers(start: Any, tmp_path: Path) -> None:
    child = start()
    number = child.ask(do="something")
    assert heard(child, lambda message: message.get("id") == number)["done"] == "something"
    assert child.ready and child.idle() < 1
    child.cancel(number)
    heard(child, lambda message: message.get("done") == "cancel")
    assert "heard" in (tmp_path / "log" / "log.txt").read_text()


def test_a_dead_one_is_noticed(start: Any) -> None:
    child = start()
    heard(child, lambda message: "hello" in message)
    child.ask(do="die")
    assert failure_after(child) < LIMIT and "code 7" in child.failure


def test_a_killed_one_is_noticed(start: Any) -> None:
    child = start()
    heard(child, lambda message: "hello" in message)
    child.process.kill()
    assert failure_after(child) < LIMIT


@pytest.mark.skipif(sys.platform == "win32", reason="Windows stops no process so")
def test_one_that_hangs_is_noticed_and_ended(start: Any) -> None:
    child = start()
    heard(child, lambda message: "hello" in message)
    os.kill(child.process.pid, signal.SIGSTOP)
    assert failure_after(child) < LIMIT and "has not answered" in child.failure
    assert child.process.wait(5) == -signal.SIGKILL


def test_a_machine_that_slept_is_no_process_that_hangs(start: Any) -> None:
    child = start()
    heard(child, lambda message: "hello" in message)
    child.heard -= 100
    child.polled -= 100
    child.poll()
    assert not child.failure
    child.heard -= 100
    child.poll()
    assert child.failure


def test_garbage_is_no_crash(start: Any) -> None:
    child = start()
    heard(child, lambda message: "hello" in message)
    child.ask(do="garbage")
    assert failure_after(child) < LIMIT, "nobody listens to it any more, so it hangs"


def test_one_that_does_not_start(start: Any) -> None:
    child = start("raise SystemExit(5)")
    assert failure_after(child) < 10 and "code 5" in child.failure


def test_one_that_cannot_be_started(addon: Any, tmp_path: Path) -> None:
    child = addon("child").Child([str(tmp_path / "none")], {}, tmp_path / "log.txt")
    assert failure_after(child) < LIMIT and "can't be started" in child.failure


def test_a_long_log_begins_anew(start: Any, addon: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(addon("child"), "LOG_BYTES", 20)
    for text in ("a" * 30, "b", "c"):
        child = start(f"import sys; print({text!r}, file=sys.stderr)")
        failure_after(child)
    assert (tmp_path / "log" / "log.txt").read_text() == "b\nc\n"


def test_a_poll_never_waits(start: Any) -> None:
    child = start("import time; time.sleep(30)")
    began = time.perf_counter()
    for _ in range(100):
        child.poll()
    assert time.perf_counter() - began < 0.5


def test_it_ends_when_its_input_does(start: Any) -> None:
    child = start()
    heard(child, lambda message: "hello" in message)
    child.end()
    assert child.process.wait(5) == 0


def test_an_interpreter_of_this_version(addon: Any) -> None:
    assert Path(addon("child").interpreter()).stem.startswith("python")
