"""Recipes: JSON that comes back as it was, and one sentence for every way in which one can be broken."""

from __future__ import annotations

import base64
import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from ganassets.api.errors import InputError
from ganassets.inference.recipe import (
    MAX_BYTES,
    MAX_NUMBERS,
    FileFormat,
    Recipe,
    pack_floats,
    parse_recipe,
    short_floats,
    unpack_floats,
)
from ganassets.inference.sizes import MAX_SIDE

PLAIN: dict[str, Any] = {"generator": "squares", "model": "0" * 64, "name": "squares-1", "seed": 1, "truncation": 0.85}
NUMBERS = st.floats(width=32, allow_nan=False, allow_infinity=False)
FLOATS = arrays(np.float32, st.integers(0, 20), elements=NUMBERS)
WORDS = st.text(st.characters(codec="utf-8"), max_size=20)
SETTINGS = st.dictionaries(
    WORDS,
    st.one_of(st.booleans(), st.integers(-(2**60), 2**60), st.floats(allow_nan=False, allow_infinity=False), WORDS),
)
RECIPES = st.builds(
    Recipe,
    generator=WORDS,
    generator_version=WORDS,
    licence=WORDS,
    model=st.text("0123456789abcdef", min_size=64, max_size=64),
    name=WORDS,
    seed=st.integers(0, 2**63 - 1),
    truncation=st.floats(0, 1),
    condition=st.dictionaries(WORDS, NUMBERS, max_size=5),
    size=st.none() | st.tuples(st.integers(1, MAX_SIDE), st.integers(1, MAX_SIDE)),
    crop=st.booleans(),
    window=st.none() | st.integers(1, MAX_SIDE),
    settings=SETTINGS,
    z=st.none() | FLOATS.map(pack_floats),
    morph=st.none() | st.tuples(st.integers(0, 2**63 - 1), st.floats(0, 1)),
    w_offset=st.none() | FLOATS.map(pack_floats),
    note=WORDS,
    file=st.none() | st.builds(FileFormat, to=WORDS, options=SETTINGS),
)


@given(RECIPES)
def test_a_recipe_comes_back_as_it_was(recipe):
    text = recipe.to_json()
    assert "\n" not in text
    again = parse_recipe(text, "it")
    assert again == recipe
    assert again.to_json() == text
    assert [type(value) for value in again.settings.values()] == [type(value) for value in recipe.settings.values()]
    assert list(again.condition) == list(recipe.condition), "columns keep their order"
    assert parse_recipe(text.encode(), "it") == recipe


@given(FLOATS)
def test_floats_come_back_to_the_last_bit(values):
    assert unpack_floats(pack_floats(values)).tobytes() == values.tobytes()
    short = short_floats(values)
    assert np.array(short, np.float32).tobytes() == values.tobytes()
    assert np.array(json.loads(json.dumps(short)), np.float32).tobytes() == values.tobytes()


def test_short_floats_are_short():
    assert short_floats(np.array([0.1, 30, 1 / 3], np.float32)) == [0.1, 30.0, 0.33333334]


def test_packed_floats_are_little_endian():
    assert base64.b64decode(pack_floats(np.array([1.0], np.float32))) == b"\x00\x00\x80\x3f"


def test_defaults_are_left_out():
    assert json.loads(Recipe(**PLAIN).to_json()) == {"format_version": 1, **PLAIN}


def test_a_row_has_the_conditions_in_order():
    recipe = Recipe(**PLAIN, condition={"b": 2.0, "a": 1.0})
    np.testing.assert_array_equal(recipe.row, np.array([2, 1], np.float32))
    np.testing.assert_array_equal(recipe.changed(condition={"b": 3.0}).row, np.array([3], np.float32))


def test_a_changed_recipe_is_checked():
    recipe = Recipe(**PLAIN)
    assert recipe.changed(seed=2).seed == 2 and recipe.seed == 1
    for change in ({"name": "x" * 201}, {"truncation": 2.0}, {"z": "a"}, {"colour": "red"}, {"window": MAX_SIDE + 1}):
        with pytest.raises(InputError, match="the recipe of squares-1 holds no whole recipe"):
            recipe.changed(**change)


@pytest.mark.parametrize(
    ("change", "place"),
    [
        ({"seed": -1}, "seed"),
        ({"seed": 2**63}, "seed"),
        ({"seed": 1.5}, "seed"),
        ({"seed": None}, "seed"),
        ({"model": "0" * 63}, "model"),
        ({"model": "g" * 64}, "model"),
        ({"model": "0" * 64 + "\n"}, "model"),
        ({"name": "n" * 201}, "name"),
        ({"name": ["x"]}, "name"),
        ({"truncation": 1.01}, "truncation"),
        ({"truncation": float("nan")}, "truncation"),
        ({"condition": {"age": float("inf")}}, "condition.age"),
        ({"condition": {"age": "old"}}, "condition.age"),
        ({"condition": {str(i): 0.0 for i in range(1025)}}, "condition"),
        ({"size": [0, 4]}, "size.0"),
        ({"size": [4, MAX_SIDE + 1]}, "size.1"),
        ({"size": [4, 4, 4]}, "size"),
        ({"settings": {"a": [1]}}, "settings.a"),
        ({"settings": {"a": "x" * 201}}, "settings.a"),
        ({"z": "AAAA"}, "z"),  # three bytes
        ({"z": "AAAAA"}, "z"),
        ({"z": "ÄÄÄÄ"}, "z"),
        ({"z": pack_floats(np.array([np.inf], np.float32))}, "z"),
        ({"w_offset": pack_floats(np.array([np.nan], np.float32))}, "w_offset"),
        ({"w_offset": base64.b64encode(bytes(4 * MAX_NUMBERS + 4)).decode()}, "w_offset"),
        ({"morph": [1, 2.0]}, "morph.1"),
        ({"morph": [1]}, "morph.1"),
        ({"file": {"to": "gltf", "options": {}, "path": "x"}}, "file.path"),
        ({"file": {"options": {}}}, "file.to"),
        ({"extra": 1}, "extra"),
        ({"format_version": 0}, "format_version"),
        ({"format_version": "1"}, "format_version"),
    ],
)
def test_broken_fields_are_reported_by_name(change, place):
    text = json.dumps({**PLAIN, **change})
    with pytest.raises(InputError) as caught:
        parse_recipe(text, "look.recipe.json")
    message = str(caught.value)
    assert message.startswith(f"look.recipe.json holds no whole recipe ({place}"), message
    assert "\n" not in message and len(message) < 600


@pytest.mark.parametrize("left_out", PLAIN)
def test_missing_fields_are_reported(left_out):
    with pytest.raises(InputError, match=rf"it holds no whole recipe \({left_out}: Field required\)"):
        parse_recipe(json.dumps({name: value for name, value in PLAIN.items() if name != left_out}), "it")


@pytest.mark.parametrize("text", ["", "{", "[" * 100_000, b"\xff\xfe\x00", "nul", '{"seed": ' + "9" * 5000 + "}"])
def test_text_that_is_no_json_is_reported(text):
    with pytest.raises(InputError, match="it is no recipe: it isn't JSON"):
        parse_recipe(text, "it")


@pytest.mark.parametrize("text", ["[]", "3", "null", '"x"'])
def test_json_that_is_no_object_is_reported(text):
    with pytest.raises(InputError, match=r"it holds no whole recipe \(top level"):
        parse_recipe(text, "it")


def test_newer_formats_and_larger_recipes_are_reported():
    with pytest.raises(InputError, match="it has a recipe of format 2, this program reads 1; update ganassets"):
        parse_recipe(json.dumps({**PLAIN, "format_version": 2, "new": 1}), "it")
    with pytest.raises(InputError, match="it is too large for a recipe"):
        parse_recipe(" " * (MAX_BYTES + 1), "it")
