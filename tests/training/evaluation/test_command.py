"""The command line of `ganassets evaluate`: the data that it uses, and its messages about unusable data."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from ganassets.cli import cli

pytest.importorskip("torch")


def evaluate(*args: str) -> Result:
    """Run the command in this process."""
    return CliRunner().invoke(cli, ["evaluate", *args], prog_name="ganassets")


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Capture the arguments of evaluate."""
    found: dict[str, Any] = {}

    def stand_in(spec: Any, path: Path, **given: Any) -> dict[str, Any]:
        found.update(spec=spec.name, path=path, **given)
        return {"samples": given["samples"]}

    monkeypatch.setattr("ganassets.training.evaluation.comparison.evaluate", stand_in)
    return found


@pytest.mark.parametrize("option", ["--colours", "--data"])
def test_the_main_data_option_is_also_called_data(squares, make_model, asked, option):
    result = evaluate(str(make_model()), "--trusted", option, "here", "--samples", "20", "--json")
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout) == {"samples": 20}
    assert (asked["spec"], asked["data_options"]) == ("squares", {"colours": "here"})


def test_without_data_none_are_given(squares, make_model, asked):
    assert evaluate(str(make_model()), "--trusted").exit_code == 0
    assert asked["data_options"] == {} and asked["samples"] == 512


def test_help_lists_the_generators_data_options(squares):
    text = evaluate("squares", "--help").output
    assert "--colours, --data" in text and "Folder of colours." in text
    assert "--colours" not in evaluate("--help").output


def test_a_generator_that_takes_no_data(tiles, tiles_model):
    result = evaluate(str(tiles_model), "--trusted", "--data", "here")
    assert result.exit_code == 2 and "--data" in result.stderr


@pytest.mark.parametrize("generator", ["textures", "poses"])
@pytest.mark.parametrize("made", [False, True])
def test_a_folder_that_holds_nothing(tmp_path: Path, generator: str, made: bool):
    pytest.importorskip("efficientnet_lite_pytorch")
    folder = tmp_path / "nothing"
    if made:
        folder.mkdir()
    result = evaluate(generator, "--data", str(folder))
    assert result.exit_code == 2 and result.stdout == ""
    assert result.stderr.startswith("Error: ") and result.stderr.count("\n") == 1 and str(folder) in result.stderr
