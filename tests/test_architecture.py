"""Rules for imports, as in docs/architecture.md."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
TRAINING_ONLY = {"torch", "scipy", "onnx", "onnxscript", "safetensors"}
MOTION = ", ".join(
    f"ganassets.api.motion.{path.stem}" for path in sorted((ROOT / "ganassets/api/motion").glob("[a-z]*.py"))
)


def run_python(*args: str) -> subprocess.CompletedProcess[str]:
    """Run this Python in the project's folder."""
    return subprocess.run([sys.executable, *args], cwd=ROOT, capture_output=True, text=True, check=False)


def test_contracts_are_kept():
    result = run_python("tests/support/import_rules.py")
    assert result.returncode == 0, result.stdout + result.stderr
    assert "0 broken" in result.stdout


@pytest.mark.parametrize(
    ("modules", "unwanted"),
    [
        (
            "ganassets.cli, ganassets_faces, ganassets_textures, ganassets_poses, ganassets_gltf, ganassets_images, "
            "ganassets_bvh, ganassets_animation, ganassets_fbx, ganassets_materialx, ganassets_usd, ganassets_blender",
            TRAINING_ONLY | {"onnxruntime", "PIL", "pxr", "bpy"},
        ),
        (
            "ganassets.inference.model, ganassets.inference.pipeline, ganassets_faces.decode, ganassets_faces.preview",
            TRAINING_ONLY,
        ),
        ("ganassets_textures.spatial_noise, ganassets_textures.decode, ganassets_textures.preview", TRAINING_ONLY),
        ("ganassets_poses.structure, ganassets_poses.decode", TRAINING_ONLY | {"onnxruntime", "PIL"}),
        ("ganassets_poses.preview, ganassets_poses.snapshot", TRAINING_ONLY | {"onnxruntime"}),
        (MOTION, TRAINING_ONLY | {"onnxruntime"}),
        ("ganassets_gltf, ganassets_meshes, ganassets_images", TRAINING_ONLY | {"onnxruntime"}),
        ("ganassets_bvh.export, ganassets_animation.export, ganassets_gltf.motion", TRAINING_ONLY | {"onnxruntime"}),
    ],
)
def test_importing_is_light(modules: str, unwanted: set[str]):
    result = run_python("-X", "importtime", "-c", f"import {modules}")
    assert result.returncode == 0, result.stderr
    loaded = {line.rsplit("|", 1)[1].strip().split(".")[0] for line in result.stderr.splitlines() if "|" in line}
    assert "ganassets" in loaded
    assert not loaded & unwanted
