"""The choice of threads and number format of a run."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ganassets.api.errors import InputError
from ganassets.training import hardware
from ganassets.training.hardware import choose_hardware
from ganassets.training.settings import Hardware, read_settings, to_toml
from support.run_settings import SETTINGS


@pytest.fixture
def seconds(monkeypatch):
    """Simulate a CPU of four cores with a table of step times; return the table and the list of measurements."""
    table = {(1, "float32"): 4.0, (2, "float32"): 2.0, (4, "float32"): 3.0}
    table |= {(1, "bfloat16"): 1.5, (2, "bfloat16"): 1.0, (4, "bfloat16"): 0.5}
    measured = []

    def measure_conv(threads, precision):
        measured.append((threads, precision))
        return table[threads, precision]

    monkeypatch.setattr(hardware, "measure_conv", measure_conv)
    monkeypatch.setattr(hardware.os, "sched_getaffinity", lambda _: range(4), raising=False)
    return table, measured


def test_the_faster_format_is_chosen_and_reported(seconds):
    assert choose_hardware("cpu") == Hardware("cpu", 4, "bfloat16", True, 1, "4.0 times as fast as float32 here")


def test_what_costs_accuracy_has_to_pay(seconds):
    table, _ = seconds
    table[4, "bfloat16"], table[2, "bfloat16"] = 1.7, 1.7
    table[1, "bfloat16"] = 1.7
    assert choose_hardware("cpu") == Hardware("cpu", 2, "float32", True, 1, "bfloat16 is not 1.25 times as fast here")


@pytest.mark.parametrize(("precision", "threads"), [("float32", 2), ("bfloat16", 4)])
def test_a_format_that_is_asked_for_is_taken(seconds, precision, threads):
    assert choose_hardware("cpu", precision=precision) == Hardware("cpu", threads, precision, True, 1, "as requested")
    assert {name for _, name in seconds[1]} == {precision}


def test_nothing_is_measured_where_all_is_said(seconds):
    assert choose_hardware("cpu", 3, precision="float32").threads == 3
    assert seconds[1] == []


@pytest.mark.parametrize(
    ("device", "fast", "requested", "expected"),
    [
        ("cuda", True, "auto", ("bfloat16", "cuda computes in it")),
        ("cuda:1", False, "auto", ("float32", "cuda:1 has no bfloat16")),
        ("cuda", True, "float32", ("float32", "as requested")),
        ("mps", False, "auto", ("float32", "mps has no bfloat16")),
    ],
)
def test_devices(monkeypatch, device, fast, requested, expected):
    monkeypatch.setattr(hardware.torch.cuda, "is_bf16_supported", lambda including_emulation: fast)
    assert hardware.choose_device_precision(device, requested) == expected
    if not fast:
        with pytest.raises(InputError, match="can't compute in bfloat16; use --precision float32"):
            hardware.choose_device_precision(device, "bfloat16")


def test_a_run_keeps_its_format_and_why(tmp_path):
    chosen = replace(SETTINGS, hardware=Hardware("cpu", 1, "bfloat16", True, 1, "as requested"))
    (tmp_path / "config.toml").write_text(to_toml(chosen), encoding="utf-8")
    assert read_settings(tmp_path / "config.toml").hardware == chosen.hardware
