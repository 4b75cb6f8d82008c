"""VRM avatars: the validator finds no problem, and pixiv's library moves the humanoid's face and eyes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from ganassets.api.motion.skeletons import HUMANOID_FINGERS
from ganassets_faces.basis import load_basis
from ganassets_gltf import VRM
from support.heads import make_head

pytestmark = pytest.mark.real

Consumer = Callable[..., dict[str, Any]]
SEED = 3
MILLIMETRE = 1e-3


@pytest.fixture(scope="module")
def avatar(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file with an avatar."""
    defaults = {option.name: option.default for option in VRM.options}
    ((name, content),) = VRM.export(make_head(SEED), defaults).items()
    path = tmp_path_factory.mktemp("avatars") / name
    path.write_bytes(content)
    return path


def test_the_validator_finds_nothing(node: Consumer, avatar: Path) -> None:
    found = node("validate.mjs", avatar)
    assert (found["files"], found["errors"], found["warnings"]) == (1, 0, 0)
    assert {message.split(":")[1].strip() for message in found["messages"]} <= {
        "UNSUPPORTED_EXTENSION",
        "UNUSED_OBJECT",
    }


def test_pixiv_brings_it_to_life(node: Consumer, chromium: str, avatar: Path, tmp_path: Path) -> None:
    found = node("avatar.mjs", chromium, avatar, tmp_path / "face.png", "1.5", "1.9")
    assert found["complaints"] == [] and found["meta"]["metaVersion"] == "1"
    assert set(found["bones"]) == {*HUMANOID_FINGERS.names, "jaw", "leftEye", "rightEye"}
    presets = "aa ih ou ee oh blink blinkLeft blinkRight happy angry sad relaxed surprised"
    looks = ["lookUp", "lookDown", "lookLeft", "lookRight"]
    assert sorted(found["presets"]) == sorted([*presets.split(), *looks])
    assert sorted(found["custom"]) == sorted(load_basis().expression_names)
    assert all(metres > 3 * MILLIMETRE for name, metres in found["moved"].items() if name in presets.split())
    assert found["moved"]["blink"] > 10 * MILLIMETRE, "the lids close"
    assert found["look"]["left"] == pytest.approx([20, 0], abs=0.1)
    assert found["look"]["down"] == pytest.approx([0, 15], abs=0.1)
    assert found["look"]["far"] == pytest.approx([30, 0], abs=0.1), "no farther than eyes can"
    assert abs(found["low"]) < 5 * MILLIMETRE and 1.7 < found["high"] < 2 and 0.8 < found["wide"] < 1.1
    assert found["firstPerson"] == ["auto", "both"]
    face = np.asarray(Image.open(tmp_path / "face.png").convert("RGB")).astype(int)
    middle = face[200:330, 220:290].reshape(-1, 3).mean(0)
    assert middle[0] > middle[2] * 1.15 and middle[0] > 60, "skin"
