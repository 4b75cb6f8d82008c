"""Godot imports GLB files. Debian's Godot 3.2 can't read the material files, which are for Godot 4."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ganassets.api.motion.rigs import RIGS
from ganassets.api.motion.skeletons import HUMANOID
from ganassets_faces.basis import JOINTS, load_basis
from ganassets_gltf import EXPORTER
from support.heads import make_head
from support.motion_clips import walk_clip
from support.texture_sets import make_bricks

pytestmark = pytest.mark.real

DEFAULTS = {option.name: option.default for option in EXPORTER.options}


def in_godot_3(name: str) -> str:
    """Name of a bone in Godot 3, whose importer writes "leftHand" as "left_hand"; Godot 4 keeps names."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower()


def test_glb_files_are_scenes(godot: Callable[[Path], dict[str, Any]], tmp_path: Path) -> None:
    head, clip, bricks = make_head(3), walk_clip(), make_bricks(64)
    for asset, options in ((head, {}), (clip, {"rig": "godot"}), (bricks, {"shape": "sphere"})):
        for name, content in EXPORTER.export(asset, DEFAULTS | options).items():
            (tmp_path / name).write_bytes(content)
    found = godot(tmp_path)

    face = found[f"{head.name}.glb"]
    assert face["bones"] == [in_godot_3(name) for name in JOINTS] and face["skinned"]
    assert face["shapes"] == len(load_basis().expression_names)
    assert np.allclose(face["size"], np.ptp(head.positions, axis=0), atol=1e-3)
    assert face["materials"]["skin"]["albedo"] and set(face["materials"]) == {"skin", "mouth", "eyes"}

    figure = found["walk.glb"]
    written = ["Root", *(RIGS["godot"].bone_name(name) for name in HUMANOID.names)]
    assert sorted(figure["bones"]) == sorted(in_godot_3(name) for name in written)
    assert figure["clips"]["walk"] == [pytest.approx(2), len(figure["bones"])] and figure["skinned"]
    assert figure["size"][1] == pytest.approx(1.72, abs=0.01)

    ball = found["bricks.glb"]
    assert ball["materials"]["bricks"] == {"roughness": 1, "albedo": True, "normal": True, "occlusion": True}
    assert ball["size"] == pytest.approx([0.6 / np.pi] * 3, abs=1e-3)
