"""From seeds and wishes to assets."""

from __future__ import annotations

import contextlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ganassets.errors import GanassetsError, InputError
from ganassets.generation import MAX_SEEDS, Request, asset_name, condition_matrix, generate, parse_seeds, wanted_row
from ganassets.manifest import Manifest
from ganassets.model import open_model
from ganassets.plugins import load_generator

from ..conftest import MANIFEST

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


def everything(batches):
    """Name -> (positions, texture) of all assets."""
    return {
        asset.name: (asset.positions.tobytes(), asset.materials[0].albedo.tobytes())
        for batch in batches
        for asset in batch
    }


def test_an_asset_is_the_same_alone_and_in_any_batch(squares, make_model):
    model, spec = open_model(make_model()), load_generator("squares")
    seeds = (3, 2**40, 0, 11, 5, 8, 1)
    whole = everything(generate(model, spec, Request(seeds, batch=7)))
    assert list(whole) == [asset_name("squares", seed) for seed in seeds]
    assert len(set(whole.values())) == 7
    for size in (1, 2, 3):
        assert everything(generate(model, spec, Request(seeds, batch=size))) == whole
    for seed in seeds:
        name = asset_name("squares", seed)
        assert everything(generate(model, spec, Request((seed,)))) == {name: whole[name]}


def test_provenance_says_where_an_asset_comes_from(squares, make_model):
    model = open_model(make_model())
    wishes = {"age": 30.0, "tint": {"red": 1.0}}
    ((asset,),) = generate(model, load_generator("squares"), Request((9,), 0.5, wishes))
    told = asset.provenance
    assert (told.generator, told.seed, told.truncation, told.licence) == ("squares 1.2", 9, 0.5, "CC0-1.0")
    assert told.model_digest == model.digest
    assert told.sliders == {"age": 30.0, "tint:red": 1.0, "tint:green": 0.0}
    assert asset.name == "squares-00000009"


def test_truncation_narrows_the_variety(squares, make_model):
    model, spec = open_model(make_model()), load_generator("squares")
    spread = []
    for truncation in (0.0, 0.3, 1.0):
        assets = [a for batch in generate(model, spec, Request(range(30), truncation)) for a in batch]
        spread.append(np.ptp([a.positions for a in assets], axis=0).mean())
    assert spread[0] == 0 < spread[1] < spread[2]


def test_wishes_are_checked_before_anything_runs(squares, make_model):
    with pytest.raises(InputError, match="no slider"):
        generate(open_model(make_model()), load_generator("squares"), Request((1,), 1.0, {"nose": 1}))


@pytest.mark.parametrize("change", [{"truncation": -0.1}, {"truncation": 1.1}, {"truncation": NAN}, {"batch": 0}])
def test_requests_that_do_not_fit(change):
    with pytest.raises(InputError):
        Request((1,), **change)


def test_a_model_that_makes_nonsense_is_told(squares, make_model):
    def edit(model):
        import onnx

        for tensor in model.graph.initializer:
            if tensor.name == "to_albedo":
                tensor.CopyFrom(onnx.numpy_helper.from_array(np.full((3, 48), np.nan, np.float32), tensor.name))

    with pytest.raises(InputError, match="makes albedo with numbers that are not finite"):
        list(generate(open_model(make_model(edit)), load_generator("squares"), Request((1,))))


def test_a_decoder_that_fails_is_told(squares, make_model):
    from dataclasses import replace

    spec = replace(load_generator("squares"), decode=lambda *_: 1 / 0)
    with pytest.raises(GanassetsError, match=r"squares's decoder failed \(ZeroDivisionError"):
        list(generate(open_model(make_model()), spec, Request((1,))))
