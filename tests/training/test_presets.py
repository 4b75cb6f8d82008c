"""The preset of a run: named, of a kind of data, or the generator's first."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ganassets.api.errors import InputError
from ganassets.training.presets import choose_preset
from ganassets.training.schedule import schedule
from support.domains import make_preset, make_spec

FIRST, OWN = make_preset(), replace(make_preset(regression=1.0), name="own")
SPEC = replace(make_spec("tile", FIRST, lambda *_: None), presets=(FIRST, OWN))  # pyright: ignore[reportArgumentType]


@pytest.mark.parametrize(
    ("name", "data_preset", "has_data", "expected"),
    [
        (None, "", False, "toy"),
        (None, "", True, "toy"),
        (None, "own", False, "toy"),
        (None, "own", True, "own"),
        ("toy", "own", True, "toy"),
        ("own", "", False, "own"),
    ],
)
def test_data_of_ones_own_may_have_a_default_preset(name, data_preset, has_data, expected):
    assert choose_preset(replace(SPEC, data_preset=data_preset), name, None, has_data).name == expected


def test_fields_are_replaced():
    assert choose_preset(replace(SPEC, data_preset="own"), None, None, True, kimg=0.5).kimg == 0.5
    with pytest.raises(InputError, match="no preset 'large'"):
        choose_preset(SPEC, "large", None, True)


def test_a_run_may_be_regression_to_its_end():
    found = [schedule(OWN, progress) for progress in (0.0, 0.5, 1.0, 1.01)]
    assert all(now.discriminator_rate == 0 for now in found)
    assert found[1].generator_rate > found[2].generator_rate > 0
