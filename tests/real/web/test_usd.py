"""three.js shows USD packages as an artist expects."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from ganassets.api.motion.kinematics import positions
from ganassets_faces.basis import JOINTS
from ganassets_usd import USDZ
from support.asset_files import write_asset
from support.heads import make_head
from support.motion_clips import walk_clip
from support.texture_sets import make_bricks

pytest.importorskip("pxr")
pytestmark = pytest.mark.real

Consumer = Callable[..., dict[str, Any]]
MILLIMETRE = 1e-3


def test_three_shows_a_head(node: Consumer, chromium: str, tmp_path: Path) -> None:
    head, picture = make_head(3), tmp_path / "shot.png"
    found = node("usd.mjs", chromium, write_asset(tmp_path, head, USDZ), picture, 0)
    assert found["complaints"] == []
    assert found["size"] == pytest.approx(np.ptp(head.positions, axis=0).tolist(), abs=1e-5)
    for joint, name in enumerate(JOINTS):
        assert found["poses"][0][name] == pytest.approx(head.joints[joint].tolist(), abs=1e-5)
    assert sorted(material["maps"]["map"] is None for material in found["materials"]) == [False, False, True]
    middle = np.asarray(Image.open(picture).convert("RGB")).astype(float)[200:-200, 200:-200].reshape(-1, 3).mean(0)
    assert middle[0] > middle[2] * 1.15 and middle[0] > 60, "skin"


def test_three_shows_the_plane(node: Consumer, chromium: str, tmp_path: Path) -> None:
    found = node("usd.mjs", chromium, write_asset(tmp_path, make_bricks(64), USDZ), tmp_path / "shot.png", 0)
    assert found["complaints"] == [] and found["size"] == pytest.approx([0.3, 0.3, 0])
    (material,) = found["materials"]
    spaces = {name: picture["colourSpace"] for name, picture in material["maps"].items()}
    assert spaces == {"map": "srgb", "normalMap": "", "roughnessMap": "", "metalnessMap": "", "aoMap": ""}
    assert all(picture["size"] == [64, 64] for picture in material["maps"].values())


def test_three_plays_it(node: Consumer, chromium: str, tmp_path: Path) -> None:
    clip = walk_clip()
    times = [str(frame / 30) for frame in (0, 7, 33)]
    found = node("usd.mjs", chromium, write_asset(tmp_path, clip, USDZ), tmp_path / "shot.png", *times)
    assert found["complaints"] == [] and found["seconds"] == pytest.approx(2)
    for frame, pose in zip((0, 7, 33), found["poses"], strict=True):
        bones = np.array([pose[name] for name in clip.skeleton.names])
        assert abs(bones - positions(clip)[frame]).max() < MILLIMETRE
