"""Names of assets by template."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ganassets.api.errors import InputError
from ganassets.inference.batch.names import MAX_BYTES, check_folder_name, check_name, compile_template

FIELDS = {"generator": str, "seed": int, "place": int, "age": float}
VALUES = {"generator": "faces", "seed": 7, "place": 3, "age": 20.5}


@pytest.mark.parametrize(
    ("template", "name"),
    [
        ("{generator}-{seed:08d}", "faces-00000007"),
        ("{seed}", "7"),
        ("{seed:3}x", "  7x"),
        ("{seed:d}_{place:02d}", "7_03"),
        ("{age}", "20.5"),
        ("{age:.0f}-{age:.3g}-{age:f}", "20-20.5-20.500000"),
        ("{{{seed}}}", "{7}"),
        ("rock", "rock"),
        ("größe {seed}", "größe 7"),
    ],
)
def test_templates(template, name):
    assert compile_template(template, FIELDS)(VALUES) == name


def test_numbers_are_short_by_themselves():
    assert compile_template("{age}", FIELDS)({**VALUES, "age": 30.0}) == "30"
    assert compile_template("{age}", FIELDS)({**VALUES, "age": 0.1 + 0.2}) == "0.3"


@pytest.mark.parametrize(
    ("template", "message"),
    [
        ("{sead}", "there is no {sead} for a name; did you mean 'seed'?"),
        ("{}", "there is no {} for a name"),
        ("{0}", "there is no {0} for a name"),
        ("{seed.real}", "there is no {seed.real} for a name"),
        ("{seed[0]}", "there is no {seed[0]} for a name"),
        ("{seed", "can't be read"),
        ("seed}", "can't be read"),
        ("{seed:100d}", "a name can't have {seed:100d}"),
        ("{seed:999999999}", "a name can't have {seed:999999999}"),
        ("{seed:<9}", "a name can't have {seed:<9}"),
        ("{seed:{place}}", "a name can't have {seed:{place}}"),
        ("{seed!r}", "a name can't have {seed!r}"),
        ("{seed:x}", "a name can't have {seed:x}"),
        ("{generator:9}", "a name can't have {generator:9}"),
        ("{age:.99f}", "a name can't have {age:.99f}"),
        ("{age:e}", "a name can't have {age:e}"),
    ],
)
def test_templates_that_make_no_sense(template, message):
    with pytest.raises(InputError) as caught:
        compile_template(template, FIELDS)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    "template",
    ["../{seed}", "a/{seed}", "a\\{seed}", "{seed}.", "{seed} ", ".{seed}", "con", "NUL.x", "{seed}:", "a\0"],
)
def test_names_that_no_file_may_have(template):
    with pytest.raises(InputError, match="can't be the name of a file on every system"):
        compile_template(template, FIELDS)(VALUES)


def test_values_may_not_lead_elsewhere():
    with pytest.raises(InputError, match="can't be the name of a file"):
        compile_template("{generator}", FIELDS)({**VALUES, "generator": "../faces"})


@pytest.mark.parametrize("letter", ["x", "ü", "鳥"])
def test_names_have_room_for_what_exporters_add(letter):
    most = MAX_BYTES // len(letter.encode())
    check_name(letter * most)
    with pytest.raises(InputError, match="is longer than 150 bytes"):
        check_name(letter * (most + 1))


def test_an_empty_name_is_none():
    with pytest.raises(InputError):
        compile_template("", FIELDS)(VALUES)


@pytest.mark.parametrize("folder", ["", "a", "a/b/c", "heads of 2026"])
def test_folders(folder):
    check_folder_name(folder)


@pytest.mark.parametrize(
    "folder", ["/a", "a/", "a//b", "..", "a/../b", "./a", "C:/a", "a\\b", "a/con", "x" * 151, "~/a?"]
)
def test_folders_that_lead_elsewhere(folder):
    with pytest.raises(InputError):
        check_folder_name(folder)


@given(st.text(max_size=30), st.text(max_size=10))
def test_any_pattern_gives_a_valid_name_or_an_error(template, word):
    with contextlib.suppress(InputError):
        name = compile_template(template, FIELDS)({**VALUES, "generator": word})
        assert name and Path(name).name == name and name not in (".", "..")
        assert "\\" not in name and len(os.fsencode(name)) <= MAX_BYTES
