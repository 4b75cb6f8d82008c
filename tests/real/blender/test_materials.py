"""Blender shows materials on shapes correctly and without seams."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from support.rendered import TILE, likeness, linear_picture, repeats, seam
from support.texture_sets import make_bricks

pytestmark = pytest.mark.real

Consumer = Callable[..., dict[str, Any]]
WriteSurface = Callable[..., Path]
ORM = "bricks-occlusion-roughness-metallic"


def test_blender_shades_and_tiles(blender: Consumer, write_surface: WriteSurface, tmp_path: Path) -> None:
    bricks, picture = make_bricks(TILE), tmp_path / "render.png"
    path = write_surface(bricks, tiling=3.0)
    report = blender(path, picture, 3 * TILE, 16, script="render_material.py")
    assert report["dimensions"] == pytest.approx([0.3, 0, 0.3], abs=1e-5)
    (material,) = report["materials"]
    inputs = material["inputs"]
    data = ["Non-Color", [TILE, TILE], "REPEAT"]
    assert inputs["Base Color"]["pictures"] == {"bricks-base-colour": ["sRGB", [TILE, TILE], "REPEAT"]}
    assert inputs["Normal"]["pictures"] == {"bricks-normal": data} and inputs["Normal"]["nodes"] == ["NORMAL_MAP"]
    for name, channel in {"Occlusion": "Red", "Roughness": "Green", "Metallic": "Blue"}.items():
        assert inputs[name]["pictures"] == {ORM: data} and inputs[name]["channel"] == channel
    shown = linear_picture(picture)
    assert likeness(shown, bricks) > 0.97 and likeness(shown, bricks, green=-1) < 0.7
    assert max(seam(shown, axis) for axis in (0, 1)) < 1.5


def test_a_seam_would_be_seen(blender: Consumer, write_surface: WriteSurface, tmp_path: Path) -> None:
    picture = tmp_path / "render.png"
    path = write_surface(make_bricks(TILE, tilt=0.1), tiling=3.0)
    blender(path, picture, 3 * TILE, 4, script="render_material.py")
    shown = linear_picture(picture)
    assert seam(shown, 1) > 3 and seam(shown, 0) < 1.5, "only from left to right"


def test_blender_reads_the_texture_transform(blender: Consumer, write_surface: WriteSurface, tmp_path: Path) -> None:
    picture = tmp_path / "render.png"
    path = write_surface(make_bricks(TILE), tiling=3.0, texture_transform=True)
    report = blender(path, picture, 3 * TILE, 4, script="render_material.py")
    (material,) = report["materials"]
    for name in ("Base Color", "Normal", "Roughness", "Metallic"):
        assert material["inputs"][name]["scales"] == [[3.0, 3.0]]
    shown = linear_picture(picture)
    assert likeness(shown, make_bricks(TILE)) > 0.95
    assert min(repeats(shown, TILE, axis) for axis in (0, 1)) > 0.97
