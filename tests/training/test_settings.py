"""Reading and writing config.toml of a run."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ganassets.api.errors import InputError
from ganassets.training.settings import read_settings, to_toml
from support.run_settings import SETTINGS


def test_round_trip(tmp_path):
    (tmp_path / "config.toml").write_text(to_toml(SETTINGS), encoding="utf-8")
    assert read_settings(tmp_path / "config.toml") == SETTINGS


def test_missing(tmp_path):
    with pytest.raises(InputError, match="is not a run folder"):
        read_settings(tmp_path / "config.toml")


@pytest.mark.parametrize(
    "damage",
    [
        lambda text: text[: len(text) // 2],
        lambda text: "not = = toml",
        lambda text: text.replace("[preset]", "[other]"),
        lambda text: text.replace("kimg", "king"),
        lambda text: text.replace('objective = "rpgan"\n', ""),
        lambda text: text.replace("[hardware]", "hardware = 3\n[extra]"),
    ],
)
def test_broken(tmp_path, damage):
    text = to_toml(SETTINGS)
    assert damage(text) != text
    (tmp_path / "config.toml").write_text(damage(text), encoding="utf-8")
    with pytest.raises(InputError, match="can't be read as a run's settings"):
        read_settings(tmp_path / "config.toml")


def test_paths_that_are_not_unicode_are_refused():
    with pytest.raises(InputError, match="not UTF-8"):
        to_toml(replace(SETTINGS, data_options={"data": "art\udcff"}))


def test_not_text(tmp_path):
    (tmp_path / "config.toml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InputError, match="can't be read as a run's settings"):
        read_settings(tmp_path / "config.toml")
