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
PATIENCE = 300.0  # seconds; machines that run tests are slow now and then


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


def heard(child: Any, wanted: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    """The first message that is wanted."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        for message in child.poll():
            if wanted(message):
                return message
        assert not child.failure, child.failure
        time.sleep(0.01)
    pytest.fail("nothing was said")


def failure_of(child: Any) -> str:
    """Why it is gone, as soon as that is noticed."""
    end = time.monotonic() + PATIENCE
    while not child.failure:
        assert time.monotonic() < end
        child.poll()
        time.sleep(0.01)
    return child.failure


def test_requests_and_answers(start: Any, tmp_path: Path) -> None:
    child = start()
    number = child.ask(do="something")
    assert heard(child, lambda message: message.get("id") == number)["done"] == "something"
    assert child.ready
    child.cancel(number)
    heard(child, lambda message: message.get("done") == "cancel")
    assert "heard" in (tmp_path / "log" / "log.txt").read_text()


def test_a_dead_one_is_noticed(start: Any) -> None:
    child = start()
    heard(child, lambda message: "hello" in message)
    child.ask(do="die")
    assert "code 7" in failure_of(child)


def test_a_killed_one_is_noticed(start: Any) -> None:
    child = start()
    heard(child, lambda message: "hello" in message)
    child.process.kill()
    assert "ended with code" in failure_of(child)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows stops no process so")
def test_one_that_hangs_is_noticed_and_ended(start: Any, addon: Any) -> None:
    child = start()
    heard(child, lambda message: "hello" in message)
    os.kill(child.process.pid, signal.SIGSTOP)
    assert "has not answered" in failure_of(child)
    assert child.process.wait(PATIENCE) == -signal.SIGKILL
    assert addon("child").SILENCE < 2, "docs/reliability.md: noticed within two seconds"


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
    assert "what is no answer" in failure_of(child), "nobody listens to it any more, so it hangs"


def test_one_that_does_not_start(start: Any) -> None:
    child = start("raise SystemExit(5)")
    assert "code 5" in failure_of(child)


def test_one_that_cannot_be_started(addon: Any, tmp_path: Path) -> None:
    child = addon("child").Child([str(tmp_path / "none")], {}, tmp_path / "log.txt")
    assert "can't be started" in failure_of(child)


def test_a_long_log_begins_anew(start: Any, addon: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(addon("child"), "LOG_BYTES", 20)
    for text in ("a" * 30, "b", "c"):
        child = start(f"import sys; print({text!r}, file=sys.stderr)")
        failure_of(child)
    assert (tmp_path / "log" / "log.txt").read_text() == "b\nc\n"


def test_a_poll_never_waits(start: Any) -> None:
    child = start("import time; time.sleep(120)")
    for _ in range(100):
        assert child.poll() == []
    assert child.process.poll() is None, "it would have ended if anybody had waited for what it says"


def test_it_ends_when_its_input_does(start: Any) -> None:
    child = start()
    heard(child, lambda message: "hello" in message)
    child.end()
    assert child.process.wait(PATIENCE) == 0


def test_an_interpreter_of_this_version(addon: Any) -> None:
    assert Path(addon("child").interpreter()).stem.startswith("python")
