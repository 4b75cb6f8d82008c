"""Sizes as users write them."""

from __future__ import annotations

import pytest

from ganassets.api.errors import InputError
from ganassets.inference.sizes import parse_size


@pytest.mark.parametrize(("text", "size"), [("64", (64, 64)), ("1024x512", (512, 1024)), (" 8X16 ", (16, 8))])
def test_sizes_name_the_width_first(text, size):
    assert parse_size(text) == size


@pytest.mark.parametrize(
    "text", ["", "x", "0", "0x4", "4x0", "4x", "x4", "-4", "4x4x4", "1e3", "4.0", "1234567", "\uff14"]
)
def test_texts_that_are_no_sizes(text):
    with pytest.raises(InputError, match="the size must be WIDTHxHEIGHT"):
        parse_size(text)
