"""Blender and three.js show the scenes as an artist expects."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from ganassets.api.assets import MAPS, Asset, TextureSet
from ganassets.api.motion.kinematics import positions, rest_pose
from ganassets.api.motion.rigs import RIGS
from ganassets.api.motion.skeletons import HUMANOID_FINGERS
from ganassets_faces.basis import JOINT_PARENTS, JOINTS, load_basis
from ganassets_usd import EXPORTER, USDZ
from support.heads import make_head
from support.motion_clips import random_clip, walk_clip
from support.rendered import TILE, likeness, linear_picture, seam
from support.texture_sets import make_bricks

pytest.importorskip("pxr")
pytestmark = pytest.mark.real

Consumer = Callable[..., dict[str, Any]]
FRAMES = (0, 7, 33, 60)
MILLIMETRE = 1e-3


def write(folder: Path, asset: Asset, packed: bool = False, **options: object) -> Path:
    """Write an asset's files; returns the first."""
    exporter = USDZ if packed else EXPORTER
    defaults = {option.name: option.default for option in exporter.options}
    files = exporter.export(asset, defaults | options)
    for name, content in files.items():
        (folder / name).write_bytes(content)
    return folder / next(iter(files))


def repeated(asset: TextureSet, times: int) -> TextureSet:
    """The material side by side."""
    maps = {name: getattr(asset, name) for name in MAPS}
    return replace(asset, **{name: np.tile(m, (times, times, *[1] * (m.ndim - 2))) for name, m in maps.items()})


@pytest.mark.parametrize("packed", [False, True])
def test_blender_has_shape_keys_armature_and_materials(blender: Consumer, tmp_path: Path, packed: bool) -> None:
    head, picture = make_head(3), tmp_path / "render.png"
    report = blender(write(tmp_path, head, packed), picture, 8, "jawOpen")
    assert report["vertices"] == len(head.positions) and report["uv_layers"] == ["st"]
    assert report["corners"] == {"4": len(head.topology.faces)}
    assert report["shape_keys"] == ["Basis", *load_basis().expression_names]
    assert head.topology.morph_offsets is not None
    largest = np.linalg.norm(head.topology.morph_offsets, axis=-1).max(1)
    assert np.allclose(list(report["largest_offsets"].values())[1:], largest, atol=1e-5)
    parents = [JOINTS[parent] if parent >= 0 else None for parent in JOINT_PARENTS]
    assert report["bones"] == dict(zip(JOINTS, parents, strict=True))
    assert set(report["vertex_groups"]) == set(JOINTS) and report["modifiers"] == ["ARMATURE"]
    assert report["materials"]["skin"] == f"{head.name}_skin_albedo.png 128x128 sRGB"
    assert all(report["faces_by_material"][name] > 500 for name in ("skin", "mouth", "eyes"))
    assert np.allclose(report["dimensions"], np.ptp(head.positions, axis=0), atol=0.03)  # with its jaw open
    shown = np.asarray(Image.open(picture).convert("RGB")).astype(float)
    middle = shown[170:-170, 170:-170].reshape(-1, 3).mean(0)
    assert middle[0] > middle[2] * 1.15 and middle[0] > 60, "skin"


@pytest.mark.parametrize("packed", [False, True])
def test_blender_shades_the_plane(blender: Consumer, tmp_path: Path, packed: bool) -> None:
    bricks, picture = make_bricks(TILE), tmp_path / "render.png"
    path = write(tmp_path, repeated(bricks, 3), packed)
    report = blender(path, picture, 3 * TILE, 16, script="blender_material.py")
    assert report["dimensions"] == pytest.approx([0.9, 0.9, 0], abs=1e-5)
    (material,) = report["materials"]
    data = [[3 * TILE, 3 * TILE], "REPEAT"]
    wanted = {"Base Color": "albedo", "Roughness": "roughness", "Metallic": "metallic", "Normal": "normal"}
    for key, part in wanted.items():
        space = "sRGB" if part == "albedo" else "Non-Color"
        assert material["inputs"][key]["pictures"] == {f"bricks_{part}.png": [space, *data]}, key
    assert material["inputs"]["Normal"]["nodes"] == ["NORMAL_MAP", "UVMAP"]
    shown = linear_picture(picture)
    assert likeness(shown, bricks) > 0.97 and likeness(shown, bricks, green=-1) < 0.7
    assert max(seam(shown, axis) for axis in (0, 1)) < 1.5


@pytest.mark.parametrize("rig", ["vrm", "mixamo", "unreal"])
def test_blender_plays_it(blender: Consumer, tmp_path: Path, rig: str) -> None:
    clips = [walk_clip(), random_clip(np.random.default_rng(5), 61, HUMANOID_FINGERS)]
    for clip in clips if rig == "vrm" else clips[:1]:
        report = blender(write(tmp_path, clip, rig=rig), *map(str, FRAMES), script="blender_motion.py")
        assert report["action"] == [0, 60] and report["meshes"] == ["mannequin"] and report["smooth"]
        # Joints have names of ASCII letters in USD.
        names = [RIGS[rig].bone_name(name).replace(":", "_").replace(" ", "_") for name in clip.skeleton.names]
        for frame, pose in zip(FRAMES, report["poses"], strict=True):
            assert abs(upright(pose, names) - positions(clip)[frame]).max() < MILLIMETRE, (clip.name, frame)
        if rig == "vrm":
            assert abs(upright(report["rest"], names) - rest_pose(clip.skeleton)[0]).max() < MILLIMETRE


def test_three_shows_a_head(node: Consumer, chromium: str, tmp_path: Path) -> None:
    head, picture = make_head(3), tmp_path / "shot.png"
    found = node("usd.mjs", chromium, write(tmp_path, head, packed=True), picture, 0)
    assert found["complaints"] == []
    assert found["size"] == pytest.approx(np.ptp(head.positions, axis=0).tolist(), abs=1e-5)
    for joint, name in enumerate(JOINTS):
        assert found["poses"][0][name] == pytest.approx(head.joints[joint].tolist(), abs=1e-5)
    assert sorted(material["maps"]["map"] is None for material in found["materials"]) == [False, False, True]
    middle = np.asarray(Image.open(picture).convert("RGB")).astype(float)[200:-200, 200:-200].reshape(-1, 3).mean(0)
    assert middle[0] > middle[2] * 1.15 and middle[0] > 60, "skin"


def test_three_shows_the_plane(node: Consumer, chromium: str, tmp_path: Path) -> None:
    found = node("usd.mjs", chromium, write(tmp_path, make_bricks(64), packed=True), tmp_path / "shot.png", 0)
    assert found["complaints"] == [] and found["size"] == pytest.approx([0.3, 0.3, 0])
    (material,) = found["materials"]
    spaces = {name: picture["colourSpace"] for name, picture in material["maps"].items()}
    assert spaces == {"map": "srgb", "normalMap": "", "roughnessMap": "", "metalnessMap": "", "aoMap": ""}
    assert all(picture["size"] == [64, 64] for picture in material["maps"].values())


def test_three_plays_it(node: Consumer, chromium: str, tmp_path: Path) -> None:
    clip = walk_clip()
    times = [str(frame / 30) for frame in (0, 7, 33)]
    found = node("usd.mjs", chromium, write(tmp_path, clip, packed=True), tmp_path / "shot.png", *times)
    assert found["complaints"] == [] and found["seconds"] == pytest.approx(2)
    for frame, pose in zip((0, 7, 33), found["poses"], strict=True):
        bones = np.array([pose[name] for name in clip.skeleton.names])
        assert abs(bones - positions(clip)[frame]).max() < MILLIMETRE


def upright(pose: dict[str, list[float]], names: list[str]) -> np.ndarray:
    """(j, 3) places of bones in Blender, whose Z is up and front -Y, with our axes."""
    x, y, z = np.array([pose[name] for name in names]).T
    return np.stack([x, z, -y], -1)
