"""VRM animations are read back with pygltflib and checked against the rules of VRMC_vrm_animation 1.0."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ganassets.api.assets import MotionClip, Skeleton
from ganassets.api.errors import InputError
from ganassets.api.motion.editing import remove_travel, rest_clip
from ganassets.api.motion.kinematics import positions, rest_pose
from ganassets.api.motion.skeletons import HUMANOID, HUMANOID_FINGERS
from ganassets_gltf import VRMA
from support.glb_files import parse, world_matrices
from support.motion_clips import random_clip, walk_clip

EXTENSION = "VRMC_vrm_animation"
# Bones that the VRM 1.0 humanoid must have.
REQUIRED = {"hips", "spine", "head"} | {
    side + bone
    for side in ("left", "right")
    for bone in ("UpperLeg", "LowerLeg", "Foot", "UpperArm", "LowerArm", "Hand")
}


def encode(clip: MotionClip, root: str = "motion") -> Any:
    """Encode a clip as VRMA and parse it."""
    ((name, content),) = VRMA.export(clip, {"root": root}).items()
    assert name == f"{clip.name}.vrma"
    return parse(content)


def bones(document: Any) -> dict[str, int]:
    """Map each bone to its node."""
    return {bone: entry["node"] for bone, entry in document.extensions[EXTENSION]["humanoid"]["humanBones"].items()}


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 30), st.sampled_from([HUMANOID, HUMANOID_FINGERS]))
def test_every_bone_moves_as_the_clip(seed: int, frames: int, skeleton: Skeleton) -> None:
    clip = random_clip(np.random.default_rng(seed), frames, skeleton)
    document = encode(clip)
    nodes = bones(document)
    assert list(nodes) == list(skeleton.names) and set(nodes) >= REQUIRED
    at = list(nodes.values())
    assert abs(world_matrices(document, True)[:, at][..., :3, 3] - positions(clip)).max() < 1e-5
    rest = world_matrices(document, False)[0, at]
    assert abs(rest[:, :3, 3] - rest_pose(HUMANOID_FINGERS if len(at) > 22 else HUMANOID)[0]).max() < 1e-6, "T-pose"


def test_it_keeps_the_rules() -> None:
    document = encode(walk_clip())
    assert document.extensionsUsed == [EXTENSION] and not document.extensionsRequired
    assert document.extensions[EXTENSION]["specVersion"] == "1.0"
    assert not document.meshes and not document.skins and not document.materials
    (animation,) = document.animations
    moved = {document.nodes[c.target.node].name for c in animation.channels if c.target.path != "rotation"}
    assert moved == {"hips"}, "nothing else is moved, nothing is scaled"
    assert document.asset.extras["seed"] == 7 and document.asset.extras["fps"] == 30.0


def test_in_place() -> None:
    clip = walk_clip()
    document = encode(clip, "in-place")
    hips = world_matrices(document, True)[:, bones(document)["hips"], :3, 3]
    assert abs(hips - remove_travel(clip).translation).max() < 1e-6


def test_a_skeleton_without_a_required_bone() -> None:
    clip = rest_clip(replace(HUMANOID, names=tuple("chin" if name == "head" else name for name in HUMANOID.names)))
    with pytest.raises(InputError, match="needs the joints head"):
        encode(clip)
