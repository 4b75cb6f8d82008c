"""Sliders that are found in a model: what finds them, the file that keeps them, what an amount does."""

from __future__ import annotations

import json
import os

import numpy as np
import pytest

from ganassets.api.errors import InputError
from ganassets.inference.directions import (
    MAX_DIRECTIONS,
    Direction,
    direction_offset,
    directions_file,
    discover,
    offset_of_amounts,
    parse_amount,
    read_directions,
    write_directions,
)
from ganassets.inference.model import inspect_model
from ganassets.inference.recipe import pack_floats


@pytest.fixture
def model(squares, make_model):
    """Two layers, w of three numbers."""
    return inspect_model(make_model())


def direction(name: str = "jaw", vector: tuple[float, ...] = (1, 2, 3), **changes) -> Direction:
    """A slider."""
    return Direction(name=name, vector=pack_floats(np.array(vector, np.float32)), share=0.5, **changes)


def planted(n: int = 4000, noise: float = 0.1):
    """Return w of 8 numbers, and outputs that depend on a strong and a weak direction of it."""
    rng = np.random.default_rng(3)
    w = rng.normal(size=(n, 8)) * np.array([1, 5, 0.2, 1, 1, 3, 1, 1])
    axes = np.linalg.qr(rng.normal(size=(8, 2)))[0].T
    scores = (w / w.std(0)) @ axes.T
    patterns = np.linalg.qr(rng.normal(size=(30, 2)))[0].T * [[3], [1]]
    made = scores @ patterns + noise * rng.normal(size=(n, 30)) + 7
    return w.astype(np.float32), made.astype(np.float32), axes


def test_planted_directions_are_found_the_stronger_first():
    w, made, axes = planted()
    found = discover(w, made, 3)
    for (vector, _), axis in zip(found[:2], axes, strict=True):
        expected = axis * w.std(0)
        cosine = vector @ expected / np.linalg.norm(vector) / np.linalg.norm(expected)
        assert abs(cosine) > 0.99
        # An amount of 1 is a standard deviation of w along the direction.
        assert np.linalg.norm(vector) == pytest.approx(np.linalg.norm(expected), rel=0.05)
        assert vector[np.abs(vector).argmax()] > 0 and vector.dtype == np.float32
    shares = [share for _, share in found]
    assert shares[0] == pytest.approx(0.9, abs=0.02) and shares[1] == pytest.approx(0.1, abs=0.02) and shares[2] < 0.001


def test_what_w_varies_most_along_is_none_if_nothing_comes_of_it():
    """The largest number of w has no effect: its own principal components would name it first."""
    rng = np.random.default_rng(0)
    w = rng.normal(size=(2000, 4)).astype(np.float32) * np.array([50, 1, 1, 1], np.float32)
    (vector, share), *_ = discover(w, w[:, [2]], 2)
    assert np.abs(vector / w.std(0)).argmax() == 2 and share == pytest.approx(1)


def test_an_amount_above_0_goes_where_the_largest_number_does():
    for number in range(8):
        rng = np.random.default_rng(number)
        found = discover(rng.normal(size=(99, 5)).astype("f"), rng.normal(size=(99, 7)).astype("f"), 5)
        assert all(vector[np.abs(vector).argmax()] > 0 for vector, _ in found)


def test_directions_do_not_depend_on_the_order_of_the_samples():
    w, made, _ = planted(500)
    order = np.random.default_rng(1).permutation(len(w))
    for (a, share), (b, other) in zip(discover(w, made, 2), discover(w[order], made[order], 2), strict=True):
        np.testing.assert_allclose(a, b, atol=1e-3)
        assert share == pytest.approx(other, rel=1e-3)


def test_there_are_no_more_than_w_has_numbers_and_none_is_wild():
    w, made, _ = planted(200)
    assert len(discover(w, made, 64)) == 8
    for vector, share in discover(w, np.zeros((200, 3), np.float32), 3) + discover(np.zeros_like(w), made, 3):
        assert np.isfinite(vector).all() and 0 <= share <= 1 + 1e-9


def test_sliders_are_kept_beside_their_model(model):
    kept = [direction(), direction("found-2", layers=(1,))]
    path = write_directions(model, kept)
    assert path == directions_file(model.path) == model.path.with_name("model.sliders.json")
    assert list(read_directions(model).directions) == kept
    write_directions(model, kept[:1])
    assert list(read_directions(model).directions) == kept[:1], "replaced"
    assert sorted(p.name for p in path.parent.iterdir() if p.is_file()) == ["model.onnx", "model.sliders.json"]


def test_models_without_sliders_say_how_to_find_some(model):
    with pytest.raises(InputError, match="has no found sliders yet; find some with `ganassets sliders discover`"):
        read_directions(model)


def test_sliders_of_another_model_are_refused(model, make_model):
    write_directions(model, [direction()])
    foreign = inspect_model(make_model(name="other.onnx", licence="MIT"))
    directions_file(foreign.path).write_bytes(directions_file(model.path).read_bytes())
    with pytest.raises(InputError, match=r"other\.sliders\.json is of another model"):
        read_directions(foreign)
    write_directions(model, [direction(vector=(1, 2))])
    with pytest.raises(InputError, match="is of another model"):
        read_directions(model)


@pytest.mark.parametrize(
    "edit",
    [
        lambda raw: raw["directions"][0].update(name="Jaw"),
        lambda raw: raw["directions"][0].update(name="j" * 41),
        lambda raw: raw["directions"][0].update(name="../jaw"),
        lambda raw: raw["directions"][0].update(vector="abc"),
        lambda raw: raw["directions"][0].update(vector=pack_floats(np.array([np.nan] * 3, np.float32))),
        lambda raw: raw["directions"][0].update(share=1.5),
        lambda raw: raw["directions"][0].update(layers=[-1]),
        lambda raw: raw["directions"][0].update(more=1),
        lambda raw: raw["directions"].extend(raw["directions"] * MAX_DIRECTIONS),
        lambda raw: raw.update(format_version=2),
        lambda raw: raw.pop("model"),
    ],
)
def test_damaged_files_are_reported(model, edit):
    path = write_directions(model, [direction()])
    raw = json.loads(path.read_text())
    edit(raw)
    path.write_text(json.dumps(raw))
    with pytest.raises(InputError, match="is damaged; find its sliders again with `ganassets sliders discover`"):
        read_directions(model)


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"\xff\xfe\x00", b"[" * 100_000])
def test_files_of_another_kind_are_reported(model, content):
    directions_file(model.path).write_bytes(content)
    with pytest.raises(InputError, match="is damaged"):
        read_directions(model)


def test_two_sliders_of_one_name_are_reported(model):
    write_directions(model, [direction(), direction()])
    with pytest.raises(InputError, match="has two sliders of one name"):
        read_directions(model)


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="needs a folder that this user may not write")
def test_a_folder_that_can_not_be_written_is_reported(model):
    model.path.parent.chmod(0o500)
    try:
        with pytest.raises(InputError, match="you may not write there"):
            write_directions(model, [direction()])
    finally:
        model.path.parent.chmod(0o700)


def test_amounts_are_offsets_of_their_layers(model):
    manifest = model.manifest
    np.testing.assert_array_equal(direction_offset(manifest, direction(), 2.0), [[2, 4, 6], [2, 4, 6]])
    np.testing.assert_array_equal(direction_offset(manifest, direction(layers=(1,)), -1.0), [[0, 0, 0], [-1, -2, -3]])
    np.testing.assert_array_equal(direction_offset(manifest, direction(layers=(1, 7)), 1.0)[0], 0)
    assert offset_of_amounts(model, {}) is None
    write_directions(model, [direction(), direction("eyes", (0, 0, 1), layers=(0,))])
    total = offset_of_amounts(model, {"jaw": "1", "eyes": "-2.5"})
    np.testing.assert_array_equal(total, [[1, 2, 0.5], [1, 2, 3]])


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        ({"jwa": "1"}, "no slider 'jwa' was found in .*; did you mean 'jaw'?"),
        ({"jaw": "much"}, "--slider jaw takes a number, not 'much'"),
        ({"jaw": "10.1"}, r"--slider jaw 10.1 is outside -10\.\.10 \(standard deviations\)"),
        ({"jaw": "nan"}, "--slider jaw nan is outside"),
        ({"jaw": "-inf"}, "--slider jaw -inf is outside"),
    ],
)
def test_amounts_that_do_not_fit(model, texts, message):
    write_directions(model, [direction()])
    with pytest.raises(InputError, match=message):
        offset_of_amounts(model, texts)


def test_the_largest_amounts():
    assert [parse_amount("jaw", text) for text in ("10", "-10", " 1e-3 ")] == [10, -10, 0.001]
