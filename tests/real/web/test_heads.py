"""three.js in headless Chromium loads a head, finds its bones and expressions, and opens the jaw."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from ganassets_faces.basis import JOINTS, load_basis
from support.heads import make_head

pytestmark = pytest.mark.real

SEED = 3


def test_jaw_opens(
    node: Callable[..., dict[str, Any]], chromium: str, write_head: Callable[..., Path], tmp_path: Path
) -> None:
    before, after = tmp_path / "before.png", tmp_path / "after.png"
    found = node("browser.mjs", chromium, write_head(SEED), "jawOpen", before, after)
    assert found["complaints"] == []
    assert found["size"] == pytest.approx(np.ptp(make_head(SEED).positions, axis=0), abs=1e-4)
    assert [mesh["material"] for mesh in found["meshes"]] == ["skin", "mouth", "eyes"]
    for mesh in found["meshes"]:
        assert mesh["expressions"] == list(load_basis().expression_names)
        assert mesh["bones"] == list(JOINTS)
        assert mesh["restError"] < 1e-6, "at rest the skeleton moves nothing"
        assert mesh["headTurn"] > 0.005, "the head's bone moves every part"
    assert found["meshes"][0]["texture"] == [128, 128] and found["meshes"][0]["colourSpace"] == "srgb"

    at_rest, open_jaw = (np.asarray(Image.open(path).convert("RGB")).astype(int) for path in (before, after))
    assert np.ptp(at_rest, axis=(0, 1)).min() > 60, "the screenshot is not empty"
    changed = abs(open_jaw - at_rest).max(2)
    left, top, right, bottom = np.clip(found["region"], 0, changed.shape[0]).astype(int)
    inside = np.zeros(changed.shape, bool)
    inside[top - 4 : bottom + 4, left - 4 : right + 4] = True
    assert top > len(changed) / 3, "the upper face stays"
    assert (changed[inside] > 20).mean() > 0.1
    assert (changed[~inside] > 20).mean() < 0.002
