"""Recipes of files that `ganassets generate` wrote: in glTF, in sidecar files and in the index of an output folder.

A recipe is returned as it was parsed from JSON, or as JSON text, and is not checked. The files may come from anywhere,
so whatever is not as expected counts as no recipe.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import cast

RECIPE_KEYWORD = "Recipe"  # written by Provenance.keywords


def parse_json(content: str | bytes) -> object | None:
    """Parse JSON; None where the content is not JSON.

    >>> parse_json('{"seed": 7}')
    {'seed': 7}
    >>> parse_json("seed = 7") is None
    True
    """
    try:
        return json.loads(content)
    except (ValueError, RecursionError):
        return None


def gltf_recipe(content: bytes) -> object | None:
    """Return the recipe in `asset.extras` of a glTF file's JSON; None where there is none.

    >>> gltf_recipe(b'{"asset": {"version": "2.0", "extras": {"recipe": {"seed": 7}}}}')
    {'seed': 7}
    """
    value = parse_json(content)
    for key in ("asset", "extras", "recipe"):
        value = as_object(value).get(key)
    return value


def sidecar_recipe(content: bytes) -> object | None:
    """Return the recipe in the JSON file beside a generated file; None where there is none.

    >>> sidecar_recipe(b'{"Title": "walls-00000007.png", "Recipe": {"seed": 7}}')
    {'seed': 7}
    """
    notes = as_object(parse_json(content))
    return as_object(notes.get("provenance", notes)).get(RECIPE_KEYWORD)


def index_recipes(lines: Iterable[str]) -> Iterator[tuple[str, object | None]]:
    """Yield each file that the index of an output folder lists, with its recipe.

    Args:
        lines: Lines of the index; lines that list no files are skipped.

    Yields:
        The file's path relative to the index, and its recipe or None.

    >>> list(index_recipes(['{"files": {"faces-00000007.glb": "9f86d081"}, "recipe": {"seed": 7}}']))
    [('faces-00000007.glb', {'seed': 7})]
    """
    for line in lines:
        entry = as_object(parse_json(line))
        for name in as_object(entry.get("files")):
            if name:
                yield name, entry.get("recipe")


def as_object(value: object) -> dict[str, object]:
    """Return a JSON object as it is, and any other value as an empty object.

    >>> as_object({"seed": 7}), as_object([7])
    ({'seed': 7}, {})
    """
    return cast("dict[str, object]", value) if isinstance(value, dict) else {}
