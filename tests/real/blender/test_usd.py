"""Blender shows USD files as an artist expects."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from ganassets.api.assets import MAPS, Exporter, TextureSet
from ganassets.api.motion.kinematics import positions, rest_pose
from ganassets.api.motion.rigs import RIGS
from ganassets.api.motion.skeletons import HUMANOID_FINGERS
from ganassets_faces.basis import JOINT_PARENTS, JOINTS, load_basis
from ganassets_usd import EXPORTER, USDZ
from support.asset_files import from_blender_axes, write_asset
from support.heads import make_head
from support.motion_clips import random_clip, walk_clip
from support.rendered import TILE, likeness, linear_picture, seam
from support.texture_sets import make_bricks

pytest.importorskip("pxr")
pytestmark = pytest.mark.real

Consumer = Callable[..., dict[str, Any]]
FRAMES = (0, 7, 33, 60)
MILLIMETRE = 1e-3


def tile_material(asset: TextureSet, times: int) -> TextureSet:
    """Repeat a material in both directions."""
    maps = {name: getattr(asset, name) for name in MAPS}
    return replace(asset, **{name: np.tile(m, (times, times, *[1] * (m.ndim - 2))) for name, m in maps.items()})


@pytest.mark.parametrize("exporter", [EXPORTER, USDZ], ids=lambda e: e.name)
def test_blender_has_shape_keys_armature_and_materials(blender: Consumer, tmp_path: Path, exporter: Exporter) -> None:
    head, picture = make_head(3), tmp_path / "render.png"
    report = blender(write_asset(tmp_path, head, exporter), picture, 8, "jawOpen")
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


@pytest.mark.parametrize("exporter", [EXPORTER, USDZ], ids=lambda e: e.name)
def test_blender_shades_the_plane(blender: Consumer, tmp_path: Path, exporter: Exporter) -> None:
    bricks, picture = make_bricks(TILE), tmp_path / "render.png"
    path = write_asset(tmp_path, tile_material(bricks, 3), exporter)
    report = blender(path, picture, 3 * TILE, 16, script="render_material.py")
    assert report["dimensions"] == pytest.approx([0.9, 0.9, 0], abs=1e-5)
    (material,) = report["materials"]
    data = [[3 * TILE, 3 * TILE], "REPEAT"]
    expected = {"Base Color": "albedo", "Roughness": "roughness", "Metallic": "metallic", "Normal": "normal"}
    for key, part in expected.items():
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
        report = blender(write_asset(tmp_path, clip, EXPORTER, rig=rig), *map(str, FRAMES), script="play_clip.py")
        assert report["action"] == [0, 60] and report["meshes"] == ["mannequin"] and report["smooth"]
        # USD allows no colons and spaces in names.
        names = [RIGS[rig].bone_name(name).replace(":", "_").replace(" ", "_") for name in clip.skeleton.names]
        for frame, pose in zip(FRAMES, report["poses"], strict=True):
            assert abs(from_blender_axes(pose, names) - positions(clip)[frame]).max() < MILLIMETRE, (clip.name, frame)
        if rig == "vrm":
            assert abs(from_blender_axes(report["rest"], names) - rest_pose(clip.skeleton)[0]).max() < MILLIMETRE
