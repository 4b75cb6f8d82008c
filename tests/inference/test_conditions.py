"""What users say of the assets to make."""

from __future__ import annotations

import contextlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ganassets.api.conditions import Condition
from ganassets.api.errors import InputError
from ganassets.api.manifest import Manifest
from ganassets.inference.conditions import (
    MAX_SEEDS,
    check_learnt,
    condition_matrix,
    parse_seeds,
    parse_size,
    parse_wishes,
    wanted_row,
)
from support.squares import MANIFEST

NAN = float("nan")
MANY = st.lists(st.tuples(st.integers(0, 2**63 - 50), st.integers(0, 40), st.booleans()), min_size=1, max_size=6)


@pytest.mark.parametrize(
    ("text", "seeds"),
    [("7", (7,)), ("1-3", (1, 2, 3)), ("1,5,9-11", (1, 5, 9, 10, 11)), ("0", (0,)), (" 2 , 1 ", (2, 1)),
     ("3,1-4,3", (3, 1, 2, 4)), ("9223372036854775807", (2**63 - 1,)), ("007", (7,)), ("5-5", (5,))],
)  # fmt: skip
def test_seeds(text, seeds):
    assert parse_seeds(text) == seeds


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("5-2", "seeds '5-2' run backwards; write 2-5"),
        ("9223372036854775808", "is larger than"),
        ("1-1000001", "are more than 1,000,000"),
        ("0-9223372036854775807", "are more than"),
        ("1-600000,700000-1200000", "are more than"),
        *[
            (t, "make no sense")
            for t in ("-3", "a", "", ",", "1,", "1--2", "1-2-3", "1.5", "1e3", "٣", "1 2", "9" * 30)
        ],
    ],
)
def test_seeds_that_make_no_sense(text, told):
    with pytest.raises(InputError) as caught:
        parse_seeds(text)
    assert told in str(caught.value)


@given(MANY)
def test_whatever_ranges_are_written_come_back(parts):
    text = ",".join(f"{a}-{a + n}" if as_range else str(a) for a, n, as_range in parts)
    expected = [s for a, n, as_range in parts for s in range(a, a + n * as_range + 1)]
    seeds = parse_seeds(text)
    assert set(seeds) == set(expected)
    assert len(set(seeds)) == len(seeds)
    assert list(seeds) == sorted(set(expected), key=expected.index)


@given(st.text(alphabet="0123456789-, a", max_size=12))
def test_any_text_is_seeds_or_an_error(text):
    with contextlib.suppress(InputError):
        assert 0 < len(parse_seeds(text)) <= MAX_SEEDS


@pytest.fixture
def manifest():
    """That of the squares."""
    return Manifest.model_validate(MANIFEST)


def test_wishes_become_columns(manifest):
    def row(wishes):
        return wanted_row(manifest.conditions, wishes).tolist()

    np.testing.assert_equal(row({}), [NAN, NAN, NAN])
    np.testing.assert_equal(row({"age": 30}), [30, NAN, NAN])
    np.testing.assert_equal(row({"tint": {"green": 1}}), [NAN, 0, 1])
    np.testing.assert_equal(row({"tint": {"green": 3, "red": 1}, "age": 0}), [0, 0.25, 0.75])


@pytest.mark.parametrize(
    ("wishes", "told"),
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
def test_wishes_that_do_not_fit(manifest, wishes, told):
    with pytest.raises(InputError) as caught:
        wanted_row(manifest.conditions, wishes)
    assert told in str(caught.value)


@given(st.lists(st.integers(0, 2**40), min_size=1, max_size=6), st.floats(0, 100))
def test_conditions_of_a_seed_do_not_depend_on_the_others(seeds, age):
    manifest = Manifest.model_validate(MANIFEST)
    wanted = wanted_row(manifest.conditions, {"age": age})
    matrix = condition_matrix(manifest, seeds, wanted)
    assert (matrix[:, 0] == np.float32(age)).all()
    assert matrix[:, 1:].sum(1) == pytest.approx(1)
    for row, seed in zip(matrix, seeds, strict=True):
        np.testing.assert_array_equal(row, condition_matrix(manifest, [seed], wanted)[0])


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
    "wishes",
    [
        {},
        {"age": 99.0},
        {"wet": 1.0},
        {"tint": {"red": 1.0}, "wet": 1.0},
        {"tint": {"green": 1.0}, "wet": 0.0},
        {"tint": {"red": 0.5, "green": 0.5}, "wet": 0.0},
    ],
)
def test_wishes_that_a_model_has_learnt(learnt, wishes):
    check_learnt(learnt, wishes)


@pytest.mark.parametrize(
    ("wishes", "told"),
    [
        ({"tint": {"blue": 1.0}}, "has not learnt tint blue"),
        ({"tint": {"red": 0.5, "blue": 0.5}}, "has not learnt tint blue"),
        ({"tint": {"green": 1.0}, "wet": 1.0}, "has not learnt wet with tint green; leave one of them out"),
        ({"tint": {"red": 0.5, "green": 0.5}, "wet": 1.0}, "has not learnt wet with tint green"),
    ],
)
def test_wishes_that_a_model_has_not_learnt(learnt, wishes, told):
    with pytest.raises(InputError) as caught:
        check_learnt(learnt, wishes)
    assert told in str(caught.value)


def test_texts_become_wishes(learnt):
    texts = {"age": " 30 ", "wet": "Yes", "tint": "red:3, green , blue:0.5"}
    assert parse_wishes(learnt, texts) == {"age": 30.0, "wet": 1.0, "tint": {"red": 3.0, "green": 1.0, "blue": 0.5}}
    for text in ("no", "off", "0", "FALSE"):
        assert parse_wishes(learnt, {"wet": text}) == {"wet": 0.0}


@pytest.mark.parametrize(
    ("texts", "told"),
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
def test_texts_that_are_no_wishes(learnt, texts, told):
    with pytest.raises(InputError) as caught:
        parse_wishes(learnt, texts)
    assert told in str(caught.value)


@pytest.mark.parametrize(
    ("text", "size"), [(None, None), ("64", (64, 64)), ("1024x512", (512, 1024)), (" 8X16 ", (16, 8))]
)
def test_sizes_name_the_width_first(text, size):
    assert parse_size(text) == size


@pytest.mark.parametrize(
    "text", ["", "x", "0", "0x4", "4x0", "4x", "x4", "-4", "4x4x4", "1e3", "4.0", "1234567", "\uff14"]
)
def test_sizes_that_make_no_sense(text):
    with pytest.raises(InputError, match="--size takes WIDTHxHEIGHT"):
        parse_size(text)
