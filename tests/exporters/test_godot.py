"""Godot materials are read back by a strict reader of the part of Godot's text format that they may use."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ganassets.api.assets import TextureSet
from ganassets.api.provenance import Provenance
from ganassets_images import GODOT
from support.texture_sets import make_bricks, plain, random_texture_sets

DEFAULTS = {option.name: option.default for option in GODOT.options}
# Properties of Godot 4.0 to 4.6 with their types.
KNOWN = {
    "resource_name": str,
    "albedo_texture": "Texture2D",
    "orm_texture": "Texture2D",
    "ao_enabled": bool,
    "normal_enabled": bool,
    "normal_texture": "Texture2D",
    "heightmap_enabled": bool,
    "heightmap_deep_parallax": bool,
    "heightmap_scale": float,
    "heightmap_texture": "Texture2D",
}


def read_resource(content: bytes) -> dict[str, Any]:
    """Read the material's properties, textures as paths of their files; fails on everything unknown."""
    header, *blocks = content.decode().split("\n\n")
    assert header == '[gd_resource type="ORMMaterial3D" format=3]'
    externals, resource = blocks
    paths = {}
    for line in externals.splitlines():
        match = re.fullmatch(r'\[ext_resource type="Texture2D" path=("(?:[^"\\]|\\.)*") id="(\w+)"\]', line)
        assert match and match[2] not in paths, line
        paths[match[2]] = json.loads(match[1])
    title, *lines = resource.removesuffix("\n").split("\n")
    assert title == "[resource]"
    found: dict[str, Any] = {}
    for line in lines:
        name, value = line.split(" = ", 1)
        reference = re.fullmatch(r'ExtResource\("(\w+)"\)', value)
        what = paths[reference[1]] if reference else json.loads(value)
        assert name not in found
        if name.startswith("metadata/"):
            assert re.fullmatch(r"metadata/[a-z_][a-z0-9_]*", name) and type(what) is str
        else:
            assert ("Texture2D" if reference else type(what)) == KNOWN[name], name
        found[name] = what
    return found


def export(asset: TextureSet, **options: object) -> tuple[dict[str, bytes], dict[str, Any]]:
    """Export an asset; returns all files and the material's properties."""
    files = GODOT.export(asset, DEFAULTS | options)
    return files, read_resource(files[f"{asset.name}.tres"])


@given(random_texture_sets(), st.sampled_from(["png", "webp"]))
def test_the_material_points_at_its_files(asset: TextureSet, kind: str) -> None:
    files, found = export(asset, format=kind)
    maps = {"albedo": "albedo", "orm": "orm", "normal": "normal", "heightmap": "height"}
    pointed = {found[f"{name}_texture"]: f"thing_{what}.{kind}" for name, what in maps.items()}
    assert all(path == expected for path, expected in pointed.items())
    assert set(pointed) == set(files) - {"thing.tres"}
    assert found["ao_enabled"] and found["normal_enabled"] and found["heightmap_enabled"]
    assert found["metadata/seed"] == "7" and found["metadata/copyright"] == "CC0-1.0"
    assert files == GODOT.export(asset, DEFAULTS | {"format": kind})


def test_parallax_is_as_deep_as_the_surface() -> None:
    bricks = make_bricks()
    depth = float(bricks.height.max() - bricks.height.min())
    found = export(bricks)[1]
    # A ray at 45 degrees that goes down by the whole depth goes equally far along the texture, which is 0.3 m wide.
    assert found["heightmap_scale"] * 0.01 * 0.3 == pytest.approx(depth, rel=1e-4)
    assert export(plain())[1]["heightmap_scale"] == 0


def test_heights_in_metres_are_no_parallax() -> None:
    pytest.importorskip("OpenEXR")
    found = export(plain(), format="exr")[1]
    assert not [name for name in found if name.startswith("heightmap")]


def test_metadata_survive() -> None:
    asset = make_bricks(8)
    words = 'a "licence"\\ in\ntwo lines, ½'
    object.__setattr__(asset, "provenance", Provenance(licence=words, recipe='{"seed": 7}'))
    found = export(asset)[1]
    assert found["metadata/copyright"] == words and found["metadata/recipe"] == '{"seed": 7}'
