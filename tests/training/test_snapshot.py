"""Pictures of samples in training."""

from __future__ import annotations

import io
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from ganassets.api.outputs import Output
from ganassets.api.spec import GeneratorSpec
from ganassets.training import snapshot
from ganassets.training.snapshot import COLUMNS, draw_samples
from support.domains import make_data, make_preset, make_spec


def spec_of() -> GeneratorSpec:
    """A generator of coloured pictures."""
    return make_spec("picture", make_preset(), lambda *_: make_data("picture"))


def opened(content: bytes | None) -> Image.Image:
    """A PNG's picture."""
    assert content is not None
    return Image.open(io.BytesIO(content))


@pytest.mark.parametrize(("count", "rows"), [(1, 1), (8, 1), (9, 2)])
def test_a_grid_of_the_first_colour_picture(count, rows):
    colours = np.linspace(0.1, 0.9, count, dtype=np.float32)
    albedo = colours[:, None, None, None] * np.ones((1, 3, 4, 4), np.float32)
    picture = opened(draw_samples(spec_of(), {"albedo": albedo}, np.zeros((count, 2))))
    assert picture.size == (COLUMNS * snapshot.CELL, rows * snapshot.CELL)
    pixels = np.asarray(picture)
    for i, colour in enumerate(colours):
        row, column = (place * snapshot.CELL + snapshot.CELL // 2 for place in divmod(i, COLUMNS))
        middle = pixels[row, column]
        np.testing.assert_allclose(middle, colour * 255, atol=1)


def test_without_a_picture_there_is_none():
    spec = replace(spec_of(), outputs=(Output("root", ("channel", "frame"), "m"),))
    assert draw_samples(spec, {"root": np.zeros((2, 4, 8), np.float32)}, np.zeros((2, 2))) is None


def test_a_plugin_draws_its_own():
    asked = []

    def snapshot(arrays, conditions):
        asked.append((sorted(arrays), conditions.tolist()))
        return Image.new("RGB", (30, 20), (10, 200, 30))

    spec = replace(spec_of(), snapshot=snapshot)
    picture = opened(draw_samples(spec, {"albedo": np.zeros((2, 3, 4, 4), np.float32)}, np.array([[1.0], [2.0]])))
    assert picture.size == (30, 20) and picture.getpixel((3, 3)) == (10, 200, 30)
    assert asked == [(["albedo"], [[1.0], [2.0]])]
