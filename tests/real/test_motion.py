"""Clips: the validator finds nothing, and Blender, three.js and pixiv's VRM library move the joints as they should."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from ganassets.api.assets import Exporter, MotionClip
from ganassets.api.motion.kinematics import positions, rest_pose
from ganassets.api.motion.rigs import RIGS
from ganassets.api.motion.skeletons import HUMANOID, HUMANOID_FINGERS
from ganassets.api.rig_options import RIG_NAMES
from ganassets_bvh import EXPORTER as BVH
from ganassets_gltf import EXPORTER as GLTF
from ganassets_gltf import VRMA
from support.motion_clips import random_clip, walk_clip

pytestmark = pytest.mark.real

Consumer = Callable[..., dict[str, Any]]
FRAMES = (0, 7, 20, 33, 60)
MILLIMETRE = 1e-3
# three.js keeps neither blanks nor its own separators in names.
IN_THREE = str.maketrans({" ": "_", **dict.fromkeys("[].:/")})


def write(folder: Path, exporter: Exporter, clip: MotionClip, label: str = "", **options: object) -> Path:
    """Write the clip's only file."""
    defaults = {option.name: option.default for option in exporter.options}
    ((name, content),) = exporter.export(clip, defaults | options).items()
    path = folder / f"{label}{name}"
    path.write_bytes(content)
    return path


def clips() -> list[MotionClip]:
    """A walk, and any motion of a body with fingers."""
    return [walk_clip(), random_clip(np.random.default_rng(5), 61, HUMANOID_FINGERS)]


def placed(pose: Mapping[str, list[float]], names: list[str]) -> np.ndarray:
    """(j, 3) places of bones in Blender, whose Z is up and front -Y, with our axes."""
    x, y, z = np.array([pose[name] for name in names]).T
    return np.stack([x, z, -y], -1)


@pytest.mark.parametrize("exporter", [BVH, GLTF], ids=lambda e: e.name)
@pytest.mark.parametrize("rig", RIG_NAMES)
def test_blender_plays_it(blender: Consumer, tmp_path: Path, exporter: Exporter, rig: str) -> None:
    for clip in clips() if rig == "vrm" else clips()[:1]:
        path = write(tmp_path, exporter, clip, rig=rig)
        report = blender(path, *map(str, FRAMES), script="blender_motion.py")
        assert report["version"].startswith("4.5") and report["action"] == [0, 60]
        written = [RIGS[rig].bone_name(name) for name in clip.skeleton.names]
        names = [name.replace(" ", "_") if exporter is BVH else name for name in written]
        assert set(report["parents"]) - set(names) <= {RIGS[rig].root}
        for frame, pose in zip(FRAMES, report["poses"], strict=True):
            assert abs(placed(pose, names) - positions(clip)[frame]).max() < MILLIMETRE, (clip.name, frame)
        if rig != "unreal":  # which rests with lowered arms
            rest, wanted = placed(report["rest"], names), rest_pose(clip.skeleton)[0]
            assert abs(rest - rest[0] - wanted + wanted[0]).max() < MILLIMETRE
        if exporter is GLTF:
            assert report["meshes"] == ["mannequin"] and report["smooth"]


def test_three_plays_it(node: Consumer, chromium: str, tmp_path: Path) -> None:
    for rig in ("vrm", "unity", "unreal"):
        clip, picture = walk_clip(), tmp_path / f"{rig}.png"
        path = write(tmp_path, GLTF, clip, rig=rig)
        found = node("motion.mjs", chromium, path, picture, *(str(frame / 30) for frame in FRAMES))
        assert found["complaints"] == []
        assert found["clip"]["name"] == "walk" and found["clip"]["seconds"] == pytest.approx(2)
        assert found["materials"] == ["body", "joints"] and sum(found["triangles"]) < 4000
        names = [RIGS[rig].bone_name(name).translate(IN_THREE) for name in HUMANOID.names]
        for frame, pose in zip(FRAMES, found["poses"], strict=True):
            wanted = positions(clip)[frame]
            assert abs(np.array([pose["bones"][name] for name in names]) - wanted).max() < MILLIMETRE
            head = wanted[HUMANOID.index("head")]
            assert pose["high"][1] == pytest.approx(head[1] + 0.19, abs=0.02), "the skin goes with the bones"
            assert -0.05 < pose["low"][1] < 0.03
        shown = np.asarray(Image.open(picture).convert("L")).astype(int)
        assert (shown > 130).mean() > 0.02, "a light body"


def test_pixiv_finds_the_humanoid(node: Consumer, tmp_path: Path) -> None:
    for clip in clips():
        found = node("vrma.mjs", write(tmp_path, VRMA, clip))
        assert found["seconds"] == pytest.approx(2) and np.allclose(found["times"], np.arange(61) / 30, atol=1e-6)
        assert found["restHips"] == pytest.approx(rest_pose(HUMANOID)[0][0].tolist())
        assert np.allclose(np.reshape(found["translation"].pop("hips"), (-1, 3)), clip.translation, atol=1e-6)
        assert not found["translation"] and set(found["rotation"]) == set(clip.skeleton.names)
        for joint, name in enumerate(clip.skeleton.names):
            turns = np.reshape(found["rotation"][name], (-1, 4))
            assert np.allclose(turns, clip.rotations[:, joint], atol=1e-5), name


def test_validator_finds_nothing(node: Consumer, tmp_path: Path) -> None:
    paths = [
        write(tmp_path, GLTF, clip, f"{rig}-{root}-", rig=rig, root=root)
        for clip in (*clips(), walk_clip(2), random_clip(np.random.default_rng(1), 1))
        for rig in RIG_NAMES
        for root in ("motion", "in-place")
    ]
    report = node("validate.mjs", *paths)
    assert report["files"] == len(paths)
    assert [report[kind] for kind in ("errors", "warnings", "infos", "hints")] == [0, 0, 0, 0], report["messages"]


def test_validator_knows_all_of_a_vrma_but_the_extension(node: Consumer, tmp_path: Path) -> None:
    report = node("validate.mjs", *(write(tmp_path, VRMA, clip) for clip in clips()))
    assert (report["files"], report["errors"], report["warnings"], report["hints"]) == (2, 0, 0, 0), report["messages"]
    # Nodes alone are what the format is made of.
    assert {message.split(":")[1].strip() for message in report["messages"]} == {"UNSUPPORTED_EXTENSION", "NODE_EMPTY"}
