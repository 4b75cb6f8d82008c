"""Blender imports heads as an artist expects, and renders them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from ganassets.api.assets import Exporter
from ganassets_faces.basis import JOINT_PARENTS, JOINTS, load_basis
from ganassets_meshes import OBJ, PLY, STL
from support.heads import make_head

pytestmark = pytest.mark.real

Blender = Callable[..., dict[str, Any]]
SEED = 3


def test_glb_has_shape_keys_armature_and_materials(
    blender: Blender, write_head: Callable[..., Path], tmp_path: Path
) -> None:
    picture = tmp_path / "render.png"
    report = blender(write_head(SEED), picture, 8)
    head = make_head(SEED)
    assert report["version"].startswith("4.5")
    assert report["meshes"] == [head.name]
    assert report["uv_layers"] == ["UVMap"]
    assert report["shape_keys"] == ["Basis", *load_basis().expression_names]
    still = [name for name, metres in report["largest_offsets"].items() if metres < 1e-3]
    assert still == ["Basis"], "every expression moves something by a millimetre"
    parents = [JOINTS[parent] if parent >= 0 else None for parent in JOINT_PARENTS]
    assert report["bones"] == dict(zip(JOINTS, parents, strict=True))
    assert report["vertex_groups"] == list(JOINTS) and report["modifiers"] == ["ARMATURE"]
    assert report["materials"]["skin"] == f"{head.name}-skin-albedo 128x128 sRGB"
    assert all(report["faces_by_material"][name] > 500 for name in ("skin", "mouth", "eyes"))
    # In Blender, Z is up and the front is -Y.
    x, y, z = np.ptp(head.positions, axis=0)
    assert np.allclose(report["dimensions"], [x, z, y], atol=1e-4)
    assert 0.2 < report["dimensions"][2] < 0.36
    check_portrait(np.asarray(Image.open(picture).convert("RGB")).astype(float))


def check_portrait(picture: np.ndarray) -> None:
    """Check that the middle shows skin (more red than blue) and the corners an even grey."""
    size = len(picture)
    middle = picture[size // 3 : -size // 3, size // 3 : -size // 3].reshape(-1, 3).mean(0)
    corner = picture[: size // 8, : size // 8].reshape(-1, 3).mean(0)
    assert middle[0] > middle[2] * 1.15 and middle[0] > 60
    assert np.ptp(corner) < 25 and abs(middle - corner).max() > 20


def test_glb_without_morphs_and_rig(blender: Blender, write_head: Callable[..., Path]) -> None:
    report = blender(write_head(SEED, morphs=False, skin=False))
    assert report["shape_keys"] == [] and report["bones"] == {} and report["modifiers"] == []
    assert report["vertices"] > 5000


@pytest.mark.parametrize("exporter", [OBJ, PLY, STL], ids=lambda e: e.name)
def test_plain_formats(blender: Blender, tmp_path: Path, exporter: Exporter) -> None:
    head = make_head(SEED)
    for name, content in exporter.export(head, {}).items():
        (tmp_path / name).write_bytes(content)
    report = blender(tmp_path / f"{head.name}{exporter.suffixes[0]}")
    assert report["vertices"] == len(head.positions), "as many vertices as the mesh: none is duplicated at UV seams"
    x, y, z = np.ptp(head.positions, axis=0)
    assert sorted(report["dimensions"]) == pytest.approx(sorted([x, y, z]), abs=1e-4)
    if exporter.name == "obj":
        assert report["uv_layers"] == ["UVMap"] and report["corners"] == {"4": len(head.topology.faces)}
        assert report["materials"]["skin"].startswith(f"{head.name}-skin-albedo.png 128x128 sRGB")
