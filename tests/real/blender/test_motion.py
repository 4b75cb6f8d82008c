"""Blender plays clips: joints move as in the asset."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ganassets.api.assets import Exporter
from ganassets.api.motion.kinematics import positions, rest_pose
from ganassets.api.motion.rigs import RIGS
from ganassets.api.motion.skeletons import HUMANOID_FINGERS
from ganassets.api.rig_options import RIG_NAMES
from ganassets_bvh import EXPORTER as BVH
from ganassets_gltf import EXPORTER as GLTF
from support.asset_files import from_blender_axes, write_asset
from support.motion_clips import random_clip, walk_clip

pytestmark = pytest.mark.real

Consumer = Callable[..., dict[str, Any]]
FRAMES = (0, 7, 20, 33, 60)
MILLIMETRE = 1e-3
# A walk, and a random motion of a body with fingers.
CLIPS = [walk_clip(), random_clip(np.random.default_rng(5), 61, HUMANOID_FINGERS)]


@pytest.mark.parametrize("exporter", [BVH, GLTF], ids=lambda e: e.name)
@pytest.mark.parametrize("rig", RIG_NAMES)
def test_blender_plays_it(blender: Consumer, tmp_path: Path, exporter: Exporter, rig: str) -> None:
    for clip in CLIPS if rig == "vrm" else CLIPS[:1]:
        path = write_asset(tmp_path, clip, exporter, rig=rig)
        report = blender(path, *map(str, FRAMES), script="play_clip.py")
        assert report["version"].startswith("4.5") and report["action"] == [0, 60]
        written = [RIGS[rig].bone_name(name) for name in clip.skeleton.names]
        names = [name.replace(" ", "_") if exporter is BVH else name for name in written]
        assert set(report["parents"]) - set(names) <= {RIGS[rig].root}
        for frame, pose in zip(FRAMES, report["poses"], strict=True):
            assert abs(from_blender_axes(pose, names) - positions(clip)[frame]).max() < MILLIMETRE, (clip.name, frame)
        if rig != "unreal":  # its rest pose has lowered arms
            rest, expected = from_blender_axes(report["rest"], names), rest_pose(clip.skeleton)[0]
            assert abs(rest - rest[0] - expected + expected[0]).max() < MILLIMETRE
        if exporter is GLTF:
            assert report["meshes"] == ["mannequin"] and report["smooth"]
