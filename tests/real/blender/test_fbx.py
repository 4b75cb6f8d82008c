"""FBX files: Blender imports them again, and assimp reads them and the other mesh formats."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import ganassets_fbx.blender as fbx_blender
from ganassets.api.blender import VARIABLE
from ganassets.api.motion.kinematics import positions, rest_pose
from ganassets.api.motion.retarget import to_rig
from ganassets.api.motion.rigs import RIGS
from ganassets.api.motion.skeletons import HUMANOID_FINGERS
from ganassets_faces.basis import JOINT_PARENTS, JOINTS, load_basis
from ganassets_fbx import EXPORTER as FBX
from ganassets_gltf import EXPORTER as GLTF
from ganassets_meshes import OBJ, PLY, STL
from support.asset_files import from_blender_axes, write_asset
from support.heads import make_head
from support.motion_clips import random_clip, walk_clip

pytestmark = pytest.mark.real

Consumer = Callable[..., dict[str, Any]]
SEED = 3
FRAMES = (0, 7, 20, 33, 60)
MILLIMETRE = 1e-3


@pytest.fixture(autouse=True)
def with_blender(blender_python: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the exporter find Blender's module."""
    monkeypatch.setenv(VARIABLE, str(blender_python))


@pytest.mark.parametrize(
    ("engine", "name", "colour"),
    [("unity", "{}", "{}_skin_BaseMap.png"), ("unreal", "SK_{}", "T_{}_skin_BC.png")],
)
def test_blender_takes_a_head_back(blender: Consumer, tmp_path: Path, engine: str, name: str, colour: str) -> None:
    head = make_head(SEED)
    path = write_asset(tmp_path, head, FBX, engine=engine)
    assert path.name == f"{name.format(head.name)}.fbx"
    report = blender(path)
    assert report["meshes"] == [name.format(head.name)] and report["vertices"] == len(head.positions)
    assert report["shape_keys"] == ["Basis", *load_basis().expression_names]
    expected = np.sqrt((load_basis().expressions ** 2).sum(-1)).max(1)
    moved = np.array([report["largest_offsets"][key] for key in load_basis().expression_names]) / 100
    assert abs(moved - expected).max() < MILLIMETRE / 10
    parents = [JOINTS[parent] if parent >= 0 else None for parent in JOINT_PARENTS]
    assert report["bones"] == dict(zip(JOINTS, parents, strict=True))
    assert report["vertex_groups"] == list(JOINTS) and report["modifiers"] == ["ARMATURE"]
    assert report["uv_layers"] == ["UVMap"] and report["corners"] == {"4": len(head.topology.faces)}
    assert report["materials"]["skin"] == f"{colour.format(head.name)} 128x128 sRGB"
    assert all(report["faces_by_material"][name] > 500 for name in ("skin", "mouth", "eyes"))
    assert np.allclose(report["dimensions"], np.ptp(head.positions, axis=0), atol=MILLIMETRE / 10)


@pytest.mark.parametrize("rig", ["vrm", "unreal", "unity", "mixamo"])
def test_blender_plays_a_clip(blender: Consumer, tmp_path: Path, rig: str) -> None:
    clips = [walk_clip(), random_clip(np.random.default_rng(5), 61, HUMANOID_FINGERS)]
    for clip in clips if rig == "vrm" else clips[:1]:
        report = blender(write_asset(tmp_path, clip, FBX, rig=rig), *map(str, FRAMES), script="play_clip.py")
        assert report["action"] == [0, 60] and report["meshes"] == ["mannequin"] and report["smooth"]
        names = [RIGS[rig].bone_name(name) for name in clip.skeleton.names]
        for frame, pose in zip(FRAMES, report["poses"], strict=True):
            found = from_blender_axes(pose, names)
            assert abs(found - positions(clip)[frame]).max() < MILLIMETRE, (clip.name, frame)
        skeleton = clip.skeleton if rig == "vrm" else to_rig(clip, rig).skeleton
        rest = from_blender_axes(report["rest"], skeleton.names)
        assert abs(rest - rest_pose(skeleton)[0]).max() < MILLIMETRE
        expected = dict(zip(skeleton.names, [None, *(skeleton.names[k] for k in skeleton.parents[1:])], strict=True))
        assert report["parents"] == expected


def test_the_newest_blender_writes_files_as_well(
    blender: Consumer, newest_blender: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fbx_blender, "_blender", None)
    monkeypatch.setenv(VARIABLE, newest_blender[0])
    clip, head = walk_clip(), make_head(SEED)
    moving, still = write_asset(tmp_path, clip, FBX, rig="vrm"), write_asset(tmp_path, head, FBX)
    assert fbx_blender._blender
    fbx_blender._blender.close()
    report = blender(moving, *map(str, FRAMES), script="play_clip.py")
    for frame, pose in zip(FRAMES, report["poses"], strict=True):
        found = from_blender_axes(pose, clip.skeleton.names)
        assert abs(found - positions(clip)[frame]).max() < MILLIMETRE, frame
    report = blender(still)
    assert report["vertices"] == len(head.positions)
    assert report["shape_keys"] == ["Basis", *load_basis().expression_names]


def test_a_clip_stays_in_place_and_keeps_its_rate(blender: Consumer, tmp_path: Path) -> None:
    clip = walk_clip(frames=51, fps=25.0)
    path = write_asset(tmp_path, clip, FBX, engine="unreal", root="in-place", mannequin=False)
    assert path.name == "A_walk.fbx"
    report = blender(path, "0", "50", script="play_clip.py")
    assert report["action"] == [0, 50] and report["meshes"] == []
    (start, end) = (from_blender_axes(pose, ["root"])[0] for pose in report["poses"])
    assert abs(end - start).max() < MILLIMETRE and abs(start[1]) < MILLIMETRE, "Unreal's root stays on the ground"


def test_a_pose_is_held(blender: Consumer, tmp_path: Path) -> None:
    pose = random_clip(np.random.default_rng(6), 1)
    report = blender(write_asset(tmp_path, pose, FBX, rig="vrm"), "0", "1", script="play_clip.py")
    assert report["action"] == [0, 1]
    for found in report["poses"]:
        assert abs(from_blender_axes(found, pose.skeleton.names) - positions(pose)[0]).max() < MILLIMETRE


def test_the_bytes_depend_on_the_asset_alone(tmp_path: Path) -> None:
    recipe = json.dumps({"note": 'a "word"', "numbers": list(range(2000))})
    head, clip = make_head(SEED), walk_clip()
    head = replace(head, provenance=replace(head.provenance, recipe=recipe))
    first, moving = write_asset(tmp_path, head, FBX).read_bytes(), write_asset(tmp_path, clip, FBX).read_bytes()
    (tmp_path / "later").mkdir()
    assert write_asset(tmp_path / "later", head, FBX).read_bytes() == first
    assert write_asset(tmp_path / "later", clip, FBX).read_bytes() == moving
    assert str(tmp_path).encode() not in first and b"ganassets-fbx-" not in first
    assert (
        recipe.encode() in first
        and head.provenance.model_digest.encode() in first
        and clip.provenance.model_digest.encode() in moving
    )


def test_assimp_reads_them(assimp: Callable[[Path], dict[str, str]], tmp_path: Path) -> None:
    head, clip = make_head(SEED), walk_clip()
    faces = head.topology.faces
    triangles = 2 * len(faces) - (faces == np.roll(faces, 1, 1)).any(1).sum()
    for exporter in (FBX, GLTF, OBJ, PLY, STL):
        facts = assimp(write_asset(tmp_path, head, exporter))
        assert int(facts["Faces"]) == triangles, exporter.name
        textured = {"fbx": "3", "gltf": "3", "obj": "0", "ply": "0", "stl": "0"}
        assert facts["Textures (embed.)"] == textured[exporter.name]
        assert (int(facts["Bones"]) >= len(JOINTS)) == (exporter in (FBX, GLTF)), "those of all parts"
    moving = assimp(write_asset(tmp_path, clip, FBX))
    assert moving["Animations"] == "1" and int(moving["Nodes"]) >= len(clip.skeleton.names)
