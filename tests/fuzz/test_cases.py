"""Every parser handles its valid inputs, inputs that fuzzing found, and mutations of both."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fuzz.harnesses import HARNESSES
from fuzz.trial import attempt

CASES = Path(__file__).parent / "cases"
CHECKS = (HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.large_base_example)
# JSON values that replace the expected ones.
UNEXPECTED_VALUES = (
    None, True, -1, 0, 10**30, 10**400, 1e308, -1e308, 1e39, float("nan"), float("inf"), "", "x" * 5000, "../../x",
    "\x1b[31m", [], [[]], {}, {"a": 1}, [1, "a", None],
)  # fmt: skip


@cache
def starts(name: str) -> list[bytes]:
    """List a parser's valid inputs and cases, after it has parsed one."""
    attempt(HARNESSES[name], HARNESSES[name].seeds()[0], watched=False)
    return [*HARNESSES[name].seeds(), *(path.read_bytes() for path in sorted((CASES / name).glob("*")))]


@pytest.fixture(params=HARNESSES)
def name(request: pytest.FixtureRequest) -> str:
    """Name of a parser."""
    if request.param in ("checkpoint", "run-settings"):
        pytest.importorskip("torch")
    return request.param


def test_valid_inputs_are_parsed(name, tmp_path):
    for i, data in enumerate(HARNESSES[name].seeds()):
        folder = tmp_path / str(i)
        folder.mkdir()
        HARNESSES[name].parse(data, folder)


def test_cases(name):
    for data in starts(name):
        attempt(HARNESSES[name], data)


def test_mutated_inputs(name):
    harness = HARNESSES[name]
    edits = st.lists(st.tuples(st.floats(0, 1), st.integers(0, 40), st.binary(max_size=8)), min_size=1, max_size=4)

    @settings(max_examples=harness.examples, deadline=None, database=None, suppress_health_check=CHECKS)
    @given(st.sampled_from(starts(name)), edits)
    def holds(start: bytes, edits: list[tuple[float, int, bytes]]) -> None:
        data = start
        for place, gone, put in edits:
            at = int(place * len(data))
            data = data[:at] + put + data[at + gone // 4 :]
        attempt(harness, data)

    holds()


@pytest.mark.parametrize("name", [name for name, harness in HARNESSES.items() if harness.is_json])
def test_unexpected_values_in_every_place(name):
    wrong: dict[str, Exception] = {}
    for start in starts(name)[: len(HARNESSES[name].seeds())]:
        data = json.loads(start)
        for place in places(data):
            for value in UNEXPECTED_VALUES:
                try:
                    attempt(HARNESSES[name], json.dumps(replace_value(data, place, value)).encode())
                except Exception as error:
                    wrong[f"{place} {value!r:.40}"] = error
    assert not wrong


def places(value: Any) -> Iterator[tuple[Any, ...]]:
    """List the keys that lead to each value; of lists, only the first two items."""
    yield ()
    items = value.items() if isinstance(value, dict) else enumerate(value[:2]) if isinstance(value, list) else ()
    for key, inner in items:
        yield from ((key, *rest) for rest in places(inner))


def replace_value(data: Any, place: tuple[Any, ...], value: Any) -> Any:
    """Copy JSON data with another value in a place."""
    if not place:
        return value
    copied = copy.copy(data)
    copied[place[0]] = replace_value(data[place[0]], place[1:], value)
    return copied


def test_the_cases_stay_small():
    assert sum(path.stat().st_size for path in CASES.rglob("*") if path.is_file()) < 200_000
