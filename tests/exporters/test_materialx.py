"""Documents are validated with MaterialX' own library, and shaders are generated from them."""

from __future__ import annotations

import io
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from PIL import Image

from ganassets.api.assets import TextureSet
from ganassets.api.provenance import Provenance
from ganassets_materialx import EXPORTER
from support.texture_sets import make_bricks, plain, random_texture_sets

pytest.importorskip("MaterialX")

from support.materialx_shaders import GENERATORS, generate, parse


def read(asset: TextureSet) -> tuple[Any, dict[str, bytes]]:
    """Export a material; returns the parsed document and all files."""
    files = EXPORTER.export(asset, {})
    return parse(files[f"{asset.name}.mtlx"]), files


def pixels_of(content: bytes) -> np.ndarray:
    """Decode an image to numbers from 0 to 1."""
    pixels = np.asarray(Image.open(io.BytesIO(content)))
    return pixels / np.iinfo(np.uint8 if pixels.dtype == np.uint8 else np.uint16).max


def source(node: Any, key: str) -> Any:
    """Return the node that feeds an input."""
    return node.getInput(key).getConnectedNode()


def check_valid(document: Any) -> None:
    """Check that the document is valid and that the library knows every node and input."""
    valid, message = document.validate()
    assert valid, message
    assert document.getVersionString() == "1.39"
    for node in document.getNodes():
        definition = node.getNodeDef()
        assert definition, node.getName()
        for item in node.getInputs():
            known = definition.getActiveInput(item.getName())
            assert known and known.getType() == item.getType(), (node.getName(), item.getName())


@settings(max_examples=40, deadline=None)
@given(random_texture_sets())
def test_any_material_comes_back(asset: TextureSet) -> None:
    document, files = read(asset)
    check_valid(document)
    (material,) = document.getMaterialNodes()
    surface, displacement = source(material, "surfaceshader"), source(material, "displacementshader")
    assert (surface.getCategory(), displacement.getCategory()) == ("open_pbr_surface", "displacement")
    normal_map = source(surface, "geometry_normal")
    assert normal_map.getCategory() == "normalmap"
    metres = source(displacement, "displacement")
    scaled = source(metres, "in1")
    assert (metres.getCategory(), scaled.getCategory()) == ("add", "multiply")
    scale, bias = scaled.getInputValue("in2"), metres.getInputValue("in2")
    expected = {
        "base_color": (source(surface, "base_color"), asset.albedo, 1, 0),
        "base_metalness": (source(surface, "base_metalness"), asset.metallic, 1, 0),
        "specular_roughness": (source(surface, "specular_roughness"), asset.roughness, 1, 0),
        "normal": (source(normal_map, "in"), asset.normal, 2, -1),
        "height": (source(scaled, "in1"), asset.height, scale, bias),
    }
    named = set()
    for key, (node, values, factor, shift) in expected.items():
        file = node.getInput("file")
        named.add(file.getValueString())
        assert file.getAttribute("colorspace") == ("srgb_texture" if key == "base_color" else "")
        step = factor / (65535 if key == "height" else 255)
        assert abs(pixels_of(files[file.getValueString()]) * factor + shift - values).max() <= 0.51 * step + 1e-8, key
        for size in ("realworldimagesize", "realworldtilesize"):
            assert np.allclose(tuple(node.getInputValue(size)), asset.size)
    assert named == set(files) - {f"{asset.name}.mtlx"}


def test_validation_can_fail() -> None:
    document, _ = read(make_bricks(16))
    document.getNode("surface").getInput("base_color").setNodeName("roughness")
    assert not document.validate()[0]


@pytest.mark.parametrize("target", GENERATORS)
def test_shaders_are_generated(target: str) -> None:
    document, _ = read(make_bricks(16))
    code = generate(document, target).getSourceCode("pixel")
    assert len(code) > 10_000
    assert "srgb_texture_to_lin_rec709" in code and "normalmap" in code
    if target in ("osl", "mdl"):  # the other languages leave file names to the program
        assert all(name in code for name in ("bricks_albedo.png", "bricks_normal.png", "bricks_roughness.png"))


def test_it_says_where_it_comes_from() -> None:
    recipe = '{"generator": "textures", "note": "-- <ä> & \\n"}'
    asset = replace(plain((8, 4)), name="7 tiles", provenance=Provenance(seed=9, recipe=recipe))
    document, files = read(asset)
    check_valid(document)
    (material,) = document.getMaterialNodes()
    notes = material.getDocString().split("\n")
    assert material.getName() == "M_7_tiles"
    assert {"Title: 7 tiles", "Seed: 9", f"Recipe: {recipe}", "Size: 0.04 m x 0.08 m", "Tiles: yes"} <= set(notes)
    pictures = [Image.open(io.BytesIO(content)) for name, content in files.items() if name.endswith(".png")]
    assert len(pictures) == 5 and {picture.text["Recipe"] for picture in pictures} == {recipe}  # type: ignore[attr-defined]


def test_same_bytes_again() -> None:
    assert EXPORTER.export(make_bricks(16), {}) == EXPORTER.export(make_bricks(16), {})
