"""Seeds as users write them."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ganassets.api.errors import InputError
from ganassets.inference.seeds import MAX_SEEDS, consecutive_seeds, parse_seeds, random_seeds

MANY = st.lists(st.tuples(st.integers(0, 2**63 - 50), st.integers(0, 40), st.booleans()), min_size=1, max_size=6)


@pytest.mark.parametrize(
    ("text", "seeds"),
    [("7", (7,)), ("1-3", (1, 2, 3)), ("1,5,9-11", (1, 5, 9, 10, 11)), ("0", (0,)), (" 2 , 1 ", (2, 1)),
     ("3,1-4,3", (3, 1, 2, 4)), ("9223372036854775807", (2**63 - 1,)), ("007", (7,)), ("5-5", (5,))],
)  # fmt: skip
def test_seeds(text, seeds):
    assert parse_seeds(text) == seeds


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("5-2", "seeds '5-2' run backwards; write 2-5"),
        ("9223372036854775808", "is larger than"),
        ("1-1000001", "are more than 1,000,000"),
        ("0-9223372036854775807", "are more than"),
        ("1-600000,700000-1200000", "are more than"),
        *[
            (t, "can't be read")
            for t in ("-3", "a", "", ",", "1,", "1--2", "1-2-3", "1.5", "1e3", "٣", "1 2", "9" * 30)
        ],
    ],
)
def test_texts_that_are_no_seeds(text, message):
    with pytest.raises(InputError) as caught:
        parse_seeds(text)
    assert message in str(caught.value)


@given(MANY)
def test_any_written_ranges_are_read_back(parts):
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


def test_consecutive_seeds_end_at_the_largest():
    assert list(consecutive_seeds(3, 4)) == [3, 4, 5, 6]
    assert list(consecutive_seeds(2**63 - 1, 1)) == [2**63 - 1]
    with pytest.raises(InputError, match="seeds end at 9223372036854775807"):
        consecutive_seeds(2**63 - 1, 2)


def test_random_seeds_differ():
    seeds = random_seeds(50)
    assert len(set(seeds)) == len(seeds) > 40 and all(0 <= seed < 10**8 for seed in seeds)
    assert set(random_seeds(50)) != set(seeds)
