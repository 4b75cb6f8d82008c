"""Materials on shapes: the validator finds no problem, and three.js shows them correctly and without seams."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ganassets_gltf.shapes import SHAPES
from support.rendered import TILE, likeness, linear_picture, repeats, seam
from support.texture_sets import make_bricks, plain

pytestmark = pytest.mark.real

Consumer = Callable[..., dict[str, Any]]
WriteSurface = Callable[..., Path]


def test_validator_finds_nothing(node: Consumer, write_surface: WriteSurface) -> None:
    assets = [make_bricks(64), plain((1, 1)), plain((24, 10))]
    paths = [
        write_surface(asset, shape=shape, tiling=tiling, texture_transform=transform, texture_size=size)
        for asset, shape, (tiling, transform), size in itertools.product(
            assets, SHAPES, [(1.0, False), (2.5, False), (1.0, True), (4.0, True)], [0, 32]
        )
    ]
    paths.append(write_surface(make_bricks(64), image_format="jpeg"))
    report = node("validate.mjs", *paths)
    assert report["files"] == len(paths) == 73
    assert (report["errors"], report["warnings"], report["hints"]) == (0, 0, 0), report["messages"]
    # Only for materials whose own size is not a power of two.
    assert all(message.startswith("infos: IMAGE_NPOT_DIMENSIONS") for message in report["messages"])
    assert all(where.startswith("plain-24x10") for where in report["messages"].values())


@pytest.mark.parametrize("transform", [False, True])
def test_browser_repeats_it(
    node: Consumer, chromium: str, write_surface: WriteSurface, tmp_path: Path, transform: bool
) -> None:
    bricks, picture = make_bricks(TILE), tmp_path / "shot.png"
    found = node("material.mjs", chromium, write_surface(bricks, tiling=4.0, texture_transform=transform), picture)
    assert found["complaints"] == []
    assert found["size"] == pytest.approx([0.3, 0.3, 0], abs=1e-5)
    assert found["attributes"] == [["normal", "position", "tangent", "uv"]]
    (material,) = found["materials"]
    assert (material["roughness"], material["metalness"], material["normalScale"]) == (1, 1, [1, 1])
    for name, texture in material["maps"].items():
        assert texture["size"] == [TILE, TILE] and texture["wraps"], name
        assert texture["repeat"] == ([4, 4] if transform else [1, 1]), name
        assert texture["colourSpace"] == ("srgb" if name == "map" else ""), name
    shown = linear_picture(picture)
    assert shown.shape == (4 * TILE, 4 * TILE, 3)
    for axis in (0, 1):
        assert repeats(shown, TILE, axis) > 0.999 and repeats(shown, TILE // 2, axis) < 0.9
        assert seam(shown, axis) < 1.5
    assert likeness(shown, bricks) > 0.97 and likeness(shown, bricks, green=-1) < 0.7


def test_materials_of_the_model_in_the_package(node: Consumer, tmp_path: Path) -> None:
    from ganassets.api.options import option_values
    from ganassets.api.registry import load_exporter, load_generator
    from ganassets.inference.model import open_model
    from ganassets.inference.model_search import shipped_models
    from ganassets.inference.resolve import generate_assets
    from support.requests import request_of

    (path,) = shipped_models("textures")
    gltf = load_exporter("gltf")
    options = option_values(gltf.options, {"tiling": "4", "texture-transform": "yes"})
    for assets in generate_assets(
        open_model(path), load_generator("textures"), request_of(range(1, 25), size=(64, 64))
    ):
        for asset in assets:
            for name, content in gltf.export(asset, options).items():
                (tmp_path / name).write_bytes(content)
    report = node("validate.mjs", *sorted(tmp_path.iterdir()))
    assert report["files"] == 24
    assert [report[kind] for kind in ("errors", "warnings", "infos", "hints")] == [0, 0, 0, 0], report["messages"]
