"""Reading manifests: valid ones are read, errors are one sentence."""

from __future__ import annotations

import copy
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ganassets.api.errors import InputError
from ganassets.api.manifest import MAX_BYTES, Manifest, parse_manifest
from support.squares import MANIFEST


def test_it_survives_the_way_through_json():
    manifest = parse_manifest(json.dumps(MANIFEST), "m.onnx")
    assert parse_manifest(manifest.model_dump_json(), "m.onnx") == manifest
    assert manifest.condition_width == 3
    assert [c.columns for c in manifest.conditions] == [("age",), ("tint:red", "tint:green")]


def test_facts_of_a_later_program_are_passed_over():
    assert parse_manifest(json.dumps({**MANIFEST, "colour": "blue"}), "m.onnx").generator == "squares"


def test_a_newer_format_asks_for_an_update():
    with pytest.raises(InputError, match="format 7, this program reads up to 1; update ganassets"):
        parse_manifest(json.dumps({**MANIFEST, "format_version": 7}), "m.onnx")


@pytest.mark.parametrize("name", [key for key in MANIFEST if key not in ("format_version", "static_digests")])
def test_each_missing_fact_is_named(name):
    facts = copy.deepcopy(MANIFEST)
    del facts[name]
    with pytest.raises(InputError, match=rf"m\.onnx carries a broken manifest \({name}: "):
        parse_manifest(json.dumps(facts), "m.onnx")


@pytest.mark.parametrize(
    ("change", "place"),
    [
        ({"z_dim": 0}, "z_dim"),
        ({"z_dim": 10**9}, "z_dim"),
        ({"layers": "many"}, "layers"),
        ({"outputs": [{"name": "x"}]}, "outputs.0.axes"),
        ({"condition_rows": []}, "condition_rows"),
        ({"condition_rows": [[1.0]]}, "condition_rows"),
        ({"condition_rows": [[float("nan"), 1.0, 0.0]]}, "condition_rows.0.0"),
        ({"format_version": 0}, "format_version"),
        ({"format_version": "1"}, "format_version"),
        ({"format_version": 10**30}, "."),
    ],
)
def test_broken_facts(change, place):
    with pytest.raises(InputError, match=place):
        parse_manifest(json.dumps({**MANIFEST, **change}), "m.onnx")


def test_a_manifest_of_any_size_is_bounded():
    with pytest.raises(InputError, match="larger than"):
        parse_manifest(" " * (MAX_BYTES + 1), "m.onnx")


@given(st.text(max_size=60))
def test_any_text(text):
    with pytest.raises(InputError):
        parse_manifest(text, "m.onnx")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


@given(st.sampled_from(sorted(MANIFEST)), JSON)
def test_any_value_in_any_place(name, value):
    failure = None
    try:
        assert isinstance(parse_manifest(json.dumps({**MANIFEST, name: value}), "m.onnx"), Manifest)
    except InputError as error:
        failure = error
    assert failure is None or str(failure).startswith("m.onnx ")


def test_a_generator_without_conditions_has_empty_rows():
    manifest = Manifest.model_validate({**MANIFEST, "conditions": [], "condition_rows": [[], []]})
    assert manifest.rows.shape == (2, 0)
