"""`ganassets models`: every model in the box is listed, small enough, and has a card that says where it comes from."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from ganassets.cli import cli
from ganassets.cli.models import models_in_box
from ganassets.inference.model_search import find_model

LARGEST = 16e6
HEADINGS = ("## Facts", "## Data and licences", "## Measured", "## What it is bad at", "## Meant for")
NAMES = sorted(models_in_box())


def run(*words: str) -> str:
    result = CliRunner().invoke(cli, ["models", *words])
    assert result.exit_code == 0, result.output
    return result.output


def test_there_are_models_of_heads_materials_and_motion():
    assert {"faces", "poses", "textures"} <= set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_it_is_listed_with_its_licence_and_size(name: str):
    facts = {fact["name"]: fact for fact in json.loads(run("--json"))}[name]
    assert facts["generator"] == name and facts["licence"] and facts["data"]
    path = Path(facts["path"])
    assert path.stat().st_size < LARGEST
    assert facts["megabytes"] == pytest.approx(path.stat().st_size / 1e6, abs=0.06)
    assert name in run()


@pytest.mark.parametrize("name", NAMES)
def test_it_has_a_whole_card(name: str):
    card = models_in_box()[name].with_suffix(".md").read_text(encoding="utf-8")
    assert card.startswith(f"# {name}\n") and all(heading in card for heading in HEADINGS)
    shown = run(name)
    assert "bad at" in shown and "licence" in shown


@pytest.mark.parametrize("name", NAMES)
def test_commands_take_its_name(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    assert find_model(name) == models_in_box()[name]


def test_a_name_that_is_none():
    result = CliRunner().invoke(cli, ["models", "facse"])
    assert result.exit_code == 2 and "faces" in result.output


def test_a_model_without_a_card(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    bare = tmp_path / "bare.onnx"
    bare.write_bytes(b"")
    monkeypatch.setattr("ganassets.cli.models.models_in_box", lambda: {"bare": bare})
    result = CliRunner().invoke(cli, ["models", "bare"])
    assert result.exit_code == 2 and "ganassets inspect" in result.output
