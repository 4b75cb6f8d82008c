"""Recipes of generated files."""

from __future__ import annotations

import json

import pytest

from ganassets.api.data.generated_files import gltf_recipe, index_recipes, sidecar_recipe
from ganassets.api.provenance import Provenance
from ganassets.inference.provenance import KEY

RECIPE = {"generator": "poses", "seed": 7}


def test_the_sidecar_that_exporters_write() -> None:
    (content,) = Provenance(recipe=json.dumps(RECIPE)).sidecar("walk.bvh").values()
    assert sidecar_recipe(content) == json.dumps(RECIPE)


def test_the_card_of_an_asset_in_parts() -> None:
    assert sidecar_recipe(json.dumps({"provenance": {KEY: RECIPE}}).encode()) == RECIPE


def test_the_extras_of_gltf() -> None:
    assert gltf_recipe(json.dumps({"asset": {"extras": {"recipe": RECIPE}}}).encode()) == RECIPE


def test_the_index_of_an_output_folder() -> None:
    entry = {"name": "a", "files": {"a.bvh": {}, "": {}, "b/a.json": {}}, "recipe": RECIPE}
    lines = ['{"begin": "0.1.0"}', json.dumps(entry), "not JSON", "[1]", '{"files": {"c.glb": {}}}']
    assert list(index_recipes(lines)) == [("a.bvh", RECIPE), ("b/a.json", RECIPE), ("c.glb", None)]


@pytest.mark.parametrize("content", [b"", b"[]", b"7", b'{"provenance": 3}', b'{"asset": []}', b"[" * 100_000, b"\xff"])
def test_other_files_have_no_recipe(content: bytes) -> None:
    assert sidecar_recipe(content) is None and gltf_recipe(content) is None
