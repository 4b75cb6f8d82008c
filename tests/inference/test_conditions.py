"""Values of conditions: as texts, as columns, and what a model has learnt of them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ganassets.api.conditions import Condition
from ganassets.api.errors import InputError
from ganassets.api.latents import condition_row
from ganassets.api.manifest import Manifest
from ganassets.inference.conditions import (
    check_learned,
    encode_conditions,
    find_condition,
    parse_condition,
)
from support.squares import MANIFEST

NAN = float("nan")


@pytest.fixture
def manifest():
    """Return the manifest of the squares."""
    return Manifest.model_validate(MANIFEST)


def test_values_become_columns(manifest):
    def row(values):
        return encode_conditions(manifest.conditions, values).tolist()

    np.testing.assert_equal(row({}), [NAN, NAN, NAN])
    np.testing.assert_equal(row({"age": 30}), [30, NAN, NAN])
    np.testing.assert_equal(row({"tint": {"green": 1}}), [NAN, 0, 1])
    np.testing.assert_equal(row({"tint": {"green": 3, "red": 1}, "age": 0}), [0, 0.25, 0.75])


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"agee": 1}, "there is no slider 'agee'; did you mean 'age'?"),
        ({"age": 101}, "age 101 is outside 0..100 years"),
        ({"age": NAN}, "age nan is outside"),
        ({"age": {"red": 1}}, "age takes a number"),
        ({"tint": 0.5}, "tint takes one of red, green"),
        ({"tint": {"rde": 1}}, "tint has no 'rde'; did you mean 'red'?"),
        ({"tint": {"red": -1}}, "share of red"),
        ({"tint": {"red": NAN}}, "share of red"),
        ({"tint": {"red": 0, "green": 0}}, "at least one share"),
        ({"tint": {}}, "at least one share"),
    ],
)
def test_values_that_do_not_fit(manifest, values, message):
    with pytest.raises(InputError) as caught:
        encode_conditions(manifest.conditions, values)
    assert message in str(caught.value)


@given(st.lists(st.integers(0, 2**40), min_size=1, max_size=6), st.floats(0, 100))
def test_a_fixed_condition_stays_and_shares_sum_to_one(seeds, age):
    manifest = Manifest.model_validate(MANIFEST)
    fixed = encode_conditions(manifest.conditions, {"age": age})
    matrix = np.stack([condition_row(seed, manifest.rows, fixed) for seed in seeds])
    assert (matrix[:, 0] == np.float32(age)).all()
    assert matrix[:, 1:].sum(1) == pytest.approx(1)


@pytest.fixture
def learnt(manifest):
    """A model that has seen red both wet and dry, and green dry alone; blue never."""
    conditions = (
        Condition(name="age", low=0, high=100),
        Condition(name="wet", switch=True),
        Condition(name="tint", choices=("red", "green", "blue")),
    )
    rows = ((30.0, 1.0, 1.0, 0.0, 0.0), (40.0, 0.0, 1.0, 0.0, 0.0), (50.0, 0.0, 0.0, 1.0, 0.0))
    return manifest.model_copy(update={"conditions": conditions, "condition_rows": rows})


@pytest.mark.parametrize(
    "values",
    [
        {},
        {"age": 99.0},
        {"wet": 1.0},
        {"tint": {"red": 1.0}, "wet": 1.0},
        {"tint": {"green": 1.0}, "wet": 0.0},
        {"tint": {"red": 0.5, "green": 0.5}, "wet": 0.0},
    ],
)
def test_values_that_a_model_has_learnt(learnt, values):
    check_learned(learnt, values)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"tint": {"blue": 1.0}}, "has not learnt tint blue"),
        ({"tint": {"red": 0.5, "blue": 0.5}}, "has not learnt tint blue"),
        ({"tint": {"green": 1.0}, "wet": 1.0}, "has not learnt wet with tint green; leave one of them out"),
        ({"tint": {"red": 0.5, "green": 0.5}, "wet": 1.0}, "has not learnt wet with tint green"),
    ],
)
def test_values_that_a_model_has_not_learnt(learnt, values, message):
    with pytest.raises(InputError) as caught:
        check_learned(learnt, values)
    assert message in str(caught.value)


def parse_conditions(manifest, texts):
    return {name: parse_condition(find_condition(manifest.conditions, name), text) for name, text in texts.items()}


def test_texts_become_values(learnt):
    texts = {"age": " 30 ", "wet": "Yes", "tint": "red:3, green , blue:0.5"}
    assert parse_conditions(learnt, texts) == {"age": 30.0, "wet": 1.0, "tint": {"red": 3.0, "green": 1.0, "blue": 0.5}}
    for text in ("no", "off", "0", "FALSE"):
        assert parse_conditions(learnt, {"wet": text}) == {"wet": 0.0}


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        ({"aeg": "1"}, "there is no slider 'aeg'; did you mean 'age'?"),
        ({"age": "old"}, "age takes a number, not 'old'"),
        ({"age": ""}, "age takes a number, not ''"),
        ({"wet": "0.5"}, "wet takes yes or no, not '0.5'"),
        ({"tint": "red:"}, "tint takes a number, not ''"),
        ({"tint": "red:much"}, "tint takes a number, not 'much'"),
        ({"tint": "red,green,red"}, "tint names red twice"),
    ],
)
def test_texts_that_are_no_values(learnt, texts, message):
    with pytest.raises(InputError) as caught:
        parse_conditions(learnt, texts)
    assert message in str(caught.value)
