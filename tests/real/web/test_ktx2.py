"""KTX2 files from the real basisu: ktx-parse reads their headers, and basisu and three.js decode the material."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from ganassets.api.shading import linear_to_srgb
from ganassets_images import EXPORTER
from support.texture_sets import make_bricks

pytestmark = pytest.mark.real

DEFAULTS = {option.name: option.default for option in EXPORTER.options}
# Numbers of the Khronos Data Format.
UASTC, LINEAR, SRGB = 166, 1, 2


def test_files_hold_the_material(
    node: Callable[..., dict[str, Any]], basisu: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(basisu.parent), prepend=":")
    bricks = make_bricks(64, metallic=0.7)
    files = EXPORTER.export(bricks, DEFAULTS | {"format": "ktx2"})
    assert files == EXPORTER.export(bricks, DEFAULTS | {"format": "ktx2"})
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
    found = node("ktx2.mjs", *(tmp_path / name for name in files))
    expected = {
        "baseColor": bricks.albedo,
        "normal": bricks.normal / 2 + 0.5,
        "orm": np.stack([bricks.occlusion, bricks.roughness, bricks.metallic], -1),
        "height": np.repeat(((bricks.height - bricks.height.min()) / np.ptp(bricks.height))[..., None], 3, -1),
    }
    for kind, values in expected.items():
        facts = found[f"bricks_{kind}.ktx2"]
        assert facts["size"] == [64, 64] and facts["levels"] == 7
        assert facts["colourModel"] == UASTC and facts["transfer"] == (SRGB if kind == "baseColor" else LINEAR)
        assert facts["texts"]["Seed"] == "7" and facts["texts"]["Texel size"] == "0.0046875 m"
        error = unpack(basisu, tmp_path / f"bricks_{kind}.ktx2") - values
        assert np.sqrt((error**2).mean()) < 0.015, kind
    assert "Height high" in found["bricks_height.ktx2"]["texts"]


def unpack(basisu: Path, path: Path) -> np.ndarray:
    """Unpack a file's first level; returns (h, w, 3) values in [0, 1]."""
    folder = path.with_suffix("")
    folder.mkdir()
    subprocess.run([basisu, "-unpack", "-no_ktx", "-file", path], cwd=folder, check=True, capture_output=True)
    (picture,) = folder.glob("*_unpacked_rgb_BC7_RGBA_0_0_0000.png")
    return np.asarray(Image.open(picture).convert("RGB")) / 255


def test_three_shows_them(
    node: Callable[..., dict[str, Any]], chromium: str, basisu: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(basisu.parent), prepend=":")
    bricks = make_bricks(64)
    files = EXPORTER.export(bricks, DEFAULTS | {"format": "ktx2"})
    shown = {"baseColor": ("srgb", bricks.albedo), "normal": ("srgb-linear", linear_to_srgb(bricks.normal / 2 + 0.5))}
    for kind, (space, expected) in shown.items():
        path, picture = tmp_path / f"{kind}.ktx2", tmp_path / f"{kind}.png"
        path.write_bytes(files[f"bricks_{kind}.ktx2"])
        found = node("texture.mjs", chromium, path, picture)
        assert found["size"] == [64, 64] and found["levels"] == 7 and found["compressed"]
        assert found["colourSpace"] == space and found["complaints"] == []
        error = np.asarray(Image.open(picture).convert("RGB")) / 255 - expected
        assert np.sqrt((error**2).mean()) < 0.015, kind
