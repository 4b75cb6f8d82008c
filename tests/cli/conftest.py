"""Fixtures for the tests of commands."""

from __future__ import annotations

import pytest


@pytest.fixture
def model(squares, make_model, tmp_path, monkeypatch) -> str:
    """Path of a model of squares in a run folder of the user."""
    path = make_model(name="work/runs/own/model.onnx")
    monkeypatch.chdir(tmp_path / "work")
    return str(path)
