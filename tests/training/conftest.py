"""Fixtures for runs in tests: measure without the feature network, and restore torch's settings."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch

from ganassets.training import run as running
from ganassets.training import run_recorder, snapshot
from ganassets.training.evaluation import monitor
from support.domains import CPU
from support.toy_runs import no_features


@pytest.fixture(autouse=True)
def cheap_runs(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Run on one thread in float32 on any machine, with cheap measures."""
    threads, strict = torch.get_num_threads(), torch.are_deterministic_algorithms_enabled()
    torch.set_num_threads(1)
    monkeypatch.setattr(monitor, "ImageFeatures", no_features)
    monkeypatch.setattr(run_recorder, "MEASURED_SEEDS", run_recorder.SNAPSHOT_SEEDS)
    monkeypatch.setattr(snapshot, "CELL", 4)  # compressing large pictures would take most of the time
    monkeypatch.setattr(running, "check_export", lambda *arguments: None)  # takes longer than most of these runs
    monkeypatch.setattr(running, "choose_hardware", lambda device, threads, devices, precision: CPU)
    yield
    torch.set_num_threads(threads)
    torch.use_deterministic_algorithms(strict)
