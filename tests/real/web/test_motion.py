"""Clips: validators find no problem, and three.js and pixiv's VRM library move the joints correctly."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from ganassets.api.motion.kinematics import positions, rest_pose
from ganassets.api.motion.rigs import RIGS
from ganassets.api.motion.skeletons import HUMANOID, HUMANOID_FINGERS
from ganassets.api.rig_options import RIG_NAMES
from ganassets_gltf import EXPORTER as GLTF
from ganassets_gltf import VRMA
from support.asset_files import write_asset
from support.motion_clips import random_clip, walk_clip

pytestmark = pytest.mark.real

Consumer = Callable[..., dict[str, Any]]
FRAMES = (0, 7, 20, 33, 60)
MILLIMETRE = 1e-3
# three.js removes spaces and its own separators from names.
THREE_NAMES = str.maketrans({" ": "_", **dict.fromkeys("[].:/")})
# A walk, and a random motion of a body with fingers.
CLIPS = [walk_clip(), random_clip(np.random.default_rng(5), 61, HUMANOID_FINGERS)]


def test_three_plays_it(node: Consumer, chromium: str, tmp_path: Path) -> None:
    for rig in ("vrm", "unity", "unreal"):
        clip, picture = walk_clip(), tmp_path / f"{rig}.png"
        path = write_asset(tmp_path, clip, GLTF, rig=rig)
        found = node("motion.mjs", chromium, path, picture, *(str(frame / 30) for frame in FRAMES))
        assert found["complaints"] == []
        assert found["clip"]["name"] == "walk" and found["clip"]["seconds"] == pytest.approx(2)
        assert found["materials"] == ["body", "joints"] and sum(found["triangles"]) < 4000
        names = [RIGS[rig].bone_name(name).translate(THREE_NAMES) for name in HUMANOID.names]
        for frame, pose in zip(FRAMES, found["poses"], strict=True):
            expected = positions(clip)[frame]
            assert abs(np.array([pose["bones"][name] for name in names]) - expected).max() < MILLIMETRE
            head = expected[HUMANOID.index("head")]
            assert pose["high"][1] == pytest.approx(head[1] + 0.19, abs=0.02), "the skin goes with the bones"
            assert -0.05 < pose["low"][1] < 0.03
        shown = np.asarray(Image.open(picture).convert("L")).astype(int)
        assert (shown > 130).mean() > 0.02, "a light body"


def test_pixiv_finds_the_humanoid(node: Consumer, tmp_path: Path) -> None:
    for clip in CLIPS:
        found = node("vrma.mjs", write_asset(tmp_path, clip, VRMA))
        assert found["seconds"] == pytest.approx(2) and np.allclose(found["times"], np.arange(61) / 30, atol=1e-6)
        assert found["restHips"] == pytest.approx(rest_pose(HUMANOID)[0][0].tolist())
        assert np.allclose(np.reshape(found["translation"].pop("hips"), (-1, 3)), clip.translation, atol=1e-6)
        assert not found["translation"] and set(found["rotation"]) == set(clip.skeleton.names)
        for joint, name in enumerate(clip.skeleton.names):
            turns = np.reshape(found["rotation"][name], (-1, 4))
            assert np.allclose(turns, clip.rotations[:, joint], atol=1e-5), name


def test_validator_finds_nothing(node: Consumer, tmp_path: Path) -> None:
    paths = [
        write_asset(tmp_path, clip, GLTF, f"{rig}-{root}-", rig=rig, root=root)
        for clip in (*CLIPS, walk_clip(2), random_clip(np.random.default_rng(1), 1))
        for rig in RIG_NAMES
        for root in ("motion", "in-place")
    ]
    report = node("validate.mjs", *paths)
    assert report["files"] == len(paths)
    assert [report[kind] for kind in ("errors", "warnings", "infos", "hints")] == [0, 0, 0, 0], report["messages"]


def test_validator_knows_all_of_a_vrma_but_the_extension(node: Consumer, tmp_path: Path) -> None:
    report = node("validate.mjs", *(write_asset(tmp_path, clip, VRMA) for clip in CLIPS))
    assert (report["files"], report["errors"], report["warnings"], report["hints"]) == (2, 0, 0, 0), report["messages"]
    # The format consists of nodes without meshes.
    assert {message.split(":")[1].strip() for message in report["messages"]} == {"UNSUPPORTED_EXTENSION", "NODE_EMPTY"}
