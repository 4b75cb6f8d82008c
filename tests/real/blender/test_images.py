"""Blender reads the exact values of a material's images, at every bit depth and in every format."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ganassets.api.shading import srgb_to_linear
from ganassets_images import BLENDER
from support.texture_sets import make_bricks

pytestmark = pytest.mark.real

DEFAULTS = {option.name: option.default for option in BLENDER.options}
# Half a step of 8 and 16 bits, and the error of Blender's float32.
EIGHT, SIXTEEN, FLOAT = 0.5 / 255 + 1e-6, 0.5 / 65535 + 1e-6, 1e-6


@pytest.mark.parametrize(
    ("format", "depth", "step"),
    [("png", "8", EIGHT), ("png", "16", SIXTEEN), ("webp", "8", EIGHT), ("exr", "8", FLOAT)],
)
def test_blender_reads_them(
    blender: Callable[..., dict[str, Any]], tmp_path: Path, format: str, depth: str, step: float
) -> None:
    if format == "exr":
        pytest.importorskip("OpenEXR", reason="the extra exr is not installed")
    bricks = make_bricks(64, metallic=0.7)
    files = BLENDER.export(bricks, DEFAULTS | {"format": format, "depth": depth})
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
    found = blender(*(tmp_path / name for name in files), script="read_images.py")

    low, high = bricks.height.min(), bricks.height.max()
    maps = {
        "albedo": srgb_to_linear(bricks.albedo) if format == "exr" else bricks.albedo,
        "normal": bricks.normal / 2 + 0.5,
        "roughness": bricks.roughness[..., None],
        "metallic": bricks.metallic[..., None],
        "ao": bricks.occlusion[..., None],
        "height": (bricks.height if format == "exr" else (bricks.height - low) / (high - low))[..., None],
    }
    for name, values in maps.items():
        picture = found[f"bricks_{name}.{format}"]
        assert picture["size"] == [64, 64]
        deep = format == "exr" or (format == "png" and (depth == "16" or name == "height"))
        assert picture["float"] == deep, name
        diagonal = values[::-1][np.arange(64), np.arange(64)]
        allowed = SIXTEEN if name == "height" and format == "png" else step
        assert abs(np.array(picture["diagonal"])[:, :3] - diagonal).max() <= allowed, name
