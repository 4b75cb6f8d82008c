"""Finding the run that a name on the command line means."""

from __future__ import annotations

from pathlib import Path

import pytest

from ganassets.api.errors import InputError
from ganassets.cli.find import find_run


@pytest.fixture
def here(squares, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working folder with two runs of squares."""
    folder = tmp_path / "here"
    for run in ("squares-20260131-2", "squares-20260131-10"):
        (folder / "runs" / run).mkdir(parents=True)
        (folder / "runs" / run / "config.toml").touch()
    monkeypatch.chdir(folder)
    return folder


def test_a_generators_name_is_its_newest_run(here: Path):
    assert find_run("squares") == find_run(None) == Path("runs/squares-20260131-10")


def test_a_folder_called_like_a_generator_is_no_run(here: Path):
    (here / "squares").mkdir()
    assert find_run("squares") == Path("runs/squares-20260131-10")


def test_a_run_folder_called_like_a_generator_is_named_by_its_path(here: Path):
    (here / "squares").mkdir()
    (here / "squares" / "config.toml").touch()
    assert find_run("squares") == Path("runs/squares-20260131-10")
    assert find_run("./squares") == Path("squares")


def test_a_name_that_is_neither_is_an_error(here: Path):
    with pytest.raises(InputError, match="neither a run folder nor a generator; did you mean 'squares'"):
        find_run("sqares")
