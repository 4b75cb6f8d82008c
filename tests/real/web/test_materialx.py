"""A browser draws with the shader that the MaterialX library generates from a document."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from ganassets.api.assets import TextureSet
from ganassets.api.shading import srgb_to_linear
from ganassets_materialx import EXPORTER
from support.rendered import LIGHT
from support.texture_sets import make_bricks

pytest.importorskip("MaterialX")
pytestmark = pytest.mark.real

from support.materialx_shaders import generate, parse, uniforms  # noqa: E402

Consumer = Callable[..., dict[str, Any]]
SIZE = 512  # pixels of the browser's window


def write(path: Path, asset: TextureSet, **stages: str) -> Path:
    """Write a material's shader with its uniforms and images as JSON; `stages` replaces shader stages."""
    files = EXPORTER.export(asset, {})
    shader = generate(parse(files[f"{asset.name}.mtlx"]), "essl")
    values, pictures = uniforms(shader)
    code = {"VERTEX_SHADER": shader.getSourceCode("vertex"), "FRAGMENT_SHADER": shader.getSourceCode("pixel")}
    encoded = {name: base64.b64encode(files[file]).decode() for name, file in pictures.items()}
    path.write_text(json.dumps({"stages": code | stages, "uniforms": values, "pictures": encoded}))
    return path


def test_webgl_draws_the_material(node: Consumer, chromium: str, tmp_path: Path) -> None:
    bricks, picture = make_bricks(SIZE), tmp_path / "shot.png"
    found = node("shader.mjs", chromium, write(tmp_path / "shader.json", bricks), picture)
    assert found["linked"] and not any(found["logs"].values()) and found["complaints"] == [] and not found["error"]
    read = {f"{part}_file" for part in ("albedo", "metalness", "roughness", "normal")}
    assert read <= set(found["pictures"]), "no texture is optimised away"
    shown = srgb_to_linear(np.asarray(Image.open(picture).convert("RGB")) / 255.0)
    expected = {green: lambert(bricks, green) for green in (1, -1)}
    likeness = {green: np.corrcoef(shown.ravel(), light.ravel())[0, 1] for green, light in expected.items()}
    assert likeness[1] > 0.97 and likeness[-1] < 0.9, likeness
    brightness = np.median(shown / np.maximum(expected[1], 0.02), axis=(0, 1))
    assert np.allclose(brightness, brightness.mean(), rtol=0.1), "no colour differs"


def lambert(asset: TextureSet, green: int) -> np.ndarray:
    """Return the (h, w, 3) linear diffuse reflection of a material; green -1 inverts the normals' green channel."""
    facing = np.maximum(asset.normal * [1, green, 1] @ (LIGHT / np.linalg.norm(LIGHT)), 0)
    return srgb_to_linear(asset.albedo) * facing[..., None]


def test_metal_has_no_diffuse_reflection(node: Consumer, chromium: str, tmp_path: Path) -> None:
    picture = tmp_path / "shot.png"
    bricks = make_bricks(64)
    metal = replace(bricks, metallic=np.ones_like(bricks.metallic))
    assert node("shader.mjs", chromium, write(tmp_path / "shader.json", metal), picture)["linked"]
    assert np.asarray(Image.open(picture).convert("L")).max() < 10


def test_a_broken_shader_does_not_link(node: Consumer, chromium: str, tmp_path: Path) -> None:
    path = write(tmp_path / "shader.json", make_bricks(16), FRAGMENT_SHADER="void main() { gone(); }")
    assert not node("shader.mjs", chromium, path, tmp_path / "shot.png")["linked"]
