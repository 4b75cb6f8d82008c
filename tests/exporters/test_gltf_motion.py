"""GLB files of clips are read back with pygltflib: nodes and mannequin must move like the clip."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ganassets.api.assets import MotionClip, Skeleton
from ganassets.api.errors import InputError
from ganassets.api.motion.editing import remove_travel, rest_clip
from ganassets.api.motion.kinematics import positions, rest_pose, world_pose
from ganassets.api.motion.mannequin import make_mannequin
from ganassets.api.motion.rigs import RIGS
from ganassets.api.motion.skeletons import HEAD_TOP, HUMANOID, HUMANOID_FINGERS
from ganassets.api.provenance import Provenance
from ganassets.api.rig_options import RIG_NAMES
from ganassets_gltf import EXPORTER
from support.glb_files import matrix, parse, read, world_matrices
from support.motion_clips import PROVENANCE, random_clip, turned_skeleton, walk_clip

DEFAULTS = {option.name: option.default for option in EXPORTER.options}
SKELETONS = pytest.mark.parametrize("skeleton", [HUMANOID, HUMANOID_FINGERS], ids=["body", "fingers"])
seeds = st.integers(0, 2**32 - 1)


def encode(clip: MotionClip, **options: object) -> bytes:
    """Encode a clip as GLB."""
    ((name, content),) = EXPORTER.export(clip, DEFAULTS | options).items()
    assert name == f"{clip.name}.glb"
    return content


def joint_matrices(document: Any, played: bool) -> np.ndarray:
    """Compute (f, j, 4, 4) world matrices of the skin's joints."""
    return world_matrices(document, played)[:, document.skins[0].joints]


def inverse_bind(document: Any) -> np.ndarray:
    """Read the skin's (j, 4, 4) inverse bind matrices, which glTF stores column by column."""
    return np.swapaxes(read(document, document.skins[0].inverseBindMatrices).reshape(-1, 4, 4), 1, 2)


def skinned(document: Any, played: bool) -> np.ndarray:
    """Compute (f, v, 3) positions of the mannequin's vertices."""
    at = document.meshes[0].primitives[0].attributes
    points = np.pad(read(document, at.POSITION).astype(float), [(0, 0), (0, 1)], constant_values=1)
    joints, weights = read(document, at.JOINTS_0), read(document, at.WEIGHTS_0)
    change = joint_matrices(document, played) @ inverse_bind(document)
    moved = (change[:, joints] @ points[:, None, :, None])[..., :3, 0]
    return (moved * weights[..., None]).sum(2)


def check_joints(clip: MotionClip, document: Any) -> None:
    """Check that the joints of every frame have the clip's positions and rotations."""
    places, turns = world_pose(clip.skeleton, clip.translation.astype(float), clip.rotations.astype(float))
    assert [document.nodes[k].name for k in document.skins[0].joints] == list(clip.skeleton.names)
    assert abs(joint_matrices(document, True) - matrix(turns, places)).max() < 1e-5
    rest_places, rest_turns = rest_pose(clip.skeleton)
    assert abs(joint_matrices(document, False)[0] - matrix(rest_turns, rest_places)).max() < 1e-5


@settings(max_examples=10, deadline=None)
@given(seeds, st.integers(1, 30), st.sampled_from([HUMANOID, HUMANOID_FINGERS]), st.booleans())
def test_motion_comes_back(seed: int, frames: int, skeleton: Skeleton, turned: bool) -> None:
    rng = np.random.default_rng(seed)
    clip = random_clip(rng, frames, turned_skeleton(rng, skeleton) if turned else skeleton)
    document = parse(encode(clip))
    check_joints(clip, document)
    (animation,) = document.animations
    assert animation.name == clip.name
    assert {sampler.input for sampler in animation.samplers} == {animation.samplers[0].input}
    times = read(document, animation.samplers[0].input)[:, 0]
    assert np.allclose(times, np.arange(frames) / 30, atol=1e-6)
    moved = [document.nodes[c.target.node].name for c in animation.channels if c.target.path == "translation"]
    assert moved == ["hips"]


@SKELETONS
def test_the_skin_rests_at_rest(skeleton: Skeleton) -> None:
    document = parse(encode(random_clip(np.random.default_rng(1), 5, skeleton)))
    at = document.meshes[0].primitives[0].attributes
    assert abs(skinned(document, False)[0] - read(document, at.POSITION)).max() < 1e-6
    rest = joint_matrices(document, False)[0]
    assert abs(rest @ inverse_bind(document) - np.eye(4)).max() < 1e-6
    (skin,) = document.skins
    assert document.nodes[skin.skeleton].children == [skin.joints[0]]
    assert document.nodes[document.scenes[0].nodes[0]].skin == 0, "the mesh hangs below no joint"


def test_every_part_moves_with_its_joint() -> None:
    """A rotation of the left forearm moves only what lies beyond the left elbow."""
    clip = rest_clip(HUMANOID)
    still = skinned(parse(encode(clip)), True)[0]
    clip.rotations[0, HUMANOID.index("leftLowerArm")] = [0, np.sqrt(0.5), 0, np.sqrt(0.5)]
    moved = np.linalg.norm(skinned(parse(encode(clip)), True)[0] - still, axis=1) > 1e-3
    elbow = rest_pose(HUMANOID)[0][HUMANOID.index("leftLowerArm"), 0]
    assert moved[still[:, 0] > elbow + 0.05].all() and not moved[still[:, 0] < elbow - 0.05].any()


@SKELETONS
def test_the_mannequin_is_a_valid_mesh(skeleton: Skeleton) -> None:
    figure = make_mannequin(skeleton)
    triangles = np.concatenate(figure.triangles).astype(int)
    assert len(triangles) < (4000 if skeleton is HUMANOID else 4500)
    assert sorted(set(triangles.ravel())) == list(range(len(figure.positions))), "no vertex is left over"
    a, b, c = figure.positions[triangles].astype(float).transpose(1, 0, 2)
    outward = np.cross(b - a, c - a)
    assert np.linalg.norm(outward, axis=1).min() > 1e-9
    assert ((outward[:, None] * figure.normals[triangles]).sum(-1) > 0).all(), "normals and faces look one way"
    edges = np.concatenate([triangles[:, [0, 1]], triangles[:, [1, 2]], triangles[:, [2, 0]]])
    counts = {tuple(edge) for edge in edges.tolist()}
    assert len(counts) == len(edges) and all((end, start) in counts for start, end in counts), "every part is closed"
    volume = (a * np.cross(b, c)).sum() / 6
    assert 0.04 < volume < 0.09, "cubic metres, positive because faces look outwards"
    assert np.allclose(np.linalg.norm(figure.normals, axis=1), 1, atol=1e-5)
    assert np.allclose(figure.weights.sum(1), 1, atol=1e-6) and (figure.joints[figure.weights == 0] == 0).all()


def test_the_mannequin_has_the_measures_of_the_skeleton() -> None:
    figure = make_mannequin(HUMANOID)
    low, high = figure.positions.min(0), figure.positions.max(0)
    places = dict(zip(HUMANOID.names, rest_pose(HUMANOID)[0], strict=True))
    assert -0.005 < low[1] <= 0.005, "it stands on the ground"
    assert high[1] == pytest.approx(places["head"][1] + HEAD_TOP, abs=0.005)
    assert low[0] == pytest.approx(-high[0]) and high[0] > places["leftHand"][0] + 0.15
    assert high[2] > places["leftToes"][2] + 0.05, "the feet point forward"
    by_joint = {name: figure.positions[figure.joints[:, 0] == HUMANOID.index(name)] for name in HUMANOID.names}
    face = by_joint["head"]
    assert abs(face[face[:, 2].argmax(), 0]) < 0.015, "the nose is foremost"
    for name, points in by_joint.items():
        assert len(points) > 8 and np.linalg.norm(points - places[name], axis=1).min() < 0.15, name
    stretched = replace(HUMANOID, offsets=HUMANOID.offsets * np.float32(1.2))
    assert make_mannequin(stretched).positions[:, 1].max() > high[1] * 1.15


@pytest.mark.parametrize("rig", [rig for rig in RIG_NAMES if rig != "vrm"])
@SKELETONS
def test_every_rig_moves_the_mannequin_equally(rig: str, skeleton: Skeleton) -> None:
    clip = random_clip(np.random.default_rng(4), 6, skeleton)
    ours, theirs = parse(encode(clip)), parse(encode(clip, rig=rig))
    assert abs(skinned(ours, True) - skinned(theirs, True)).max() < 1e-4
    names = [node.name for node in theirs.nodes]
    at = [names.index(RIGS[rig].bone_name(joint)) for joint in skeleton.names]
    assert abs(world_matrices(theirs, True)[:, at][..., :3, 3] - positions(clip)).max() < 1e-4
    rest = joint_matrices(theirs, False)[0]
    assert abs(rest @ inverse_bind(theirs) - np.eye(4)).max() < 1e-5, "the skin is bound in the rig's rest pose"


@pytest.mark.parametrize("rig", ["unreal", "godot"])
def test_a_rigs_own_root_stays_on_the_ground(rig: str) -> None:
    clip = walk_clip()
    document = parse(encode(clip, rig=rig))
    names = [node.name for node in document.nodes]
    root = world_matrices(document, True)[:, names.index(RIGS[rig].root)][:, :3, 3]
    assert (root[:, 1] == 0).all()
    assert np.allclose(root[:, [0, 2]], clip.translation[:, [0, 2]], atol=1e-6)


def test_rigs_that_can_be_chosen_are_those_that_can_be_written() -> None:
    (option,) = (option for option in EXPORTER.options if option.name == "rig")
    assert sorted(option.choices) == sorted(RIG_NAMES)


def test_in_place() -> None:
    clip = walk_clip()
    document = parse(encode(clip, root="in-place"))
    check_joints(remove_travel(clip), document)
    assert np.ptp(joint_matrices(document, True)[:, 0, 2, 3]) < 0.05


def test_a_loop_ends_in_start_pose() -> None:
    document = parse(encode(walk_clip(), root="in-place"))
    first, last = joint_matrices(document, True)[[0, -1]]
    assert abs(first - last).max() < 1e-5 and document.asset.extras["loop"] is True


def test_provenance_is_in_the_file() -> None:
    assert parse(encode(walk_clip(3, fps=24.0))).asset.extras == {
        "generator": "poses 1.0",
        "model_digest": "cd" * 32,
        "seed": 7,
        "truncation": 0.85,
        "sliders": dict(PROVENANCE.sliders),
        "licence": "CC0-1.0",
        "fps": 24.0,
        "loop": True,
    }
    morphed = replace(walk_clip(3), provenance=Provenance(seed=1, morph=(9, 0.25)))
    assert parse(encode(morphed)).asset.extras["morph"] == [9, 0.25]


def test_one_clip_does_not_change_the_next() -> None:
    first, other = walk_clip(5), random_clip(np.random.default_rng(3), 9)
    before = encode(first)
    encode(other)
    assert encode(first) == before
    assert encode(first, morphs=False, skin=False, tiling=3.0) == before, "settings of meshes and materials do nothing"


def test_other_skeletons_are_refused_with_a_reason() -> None:
    alone = rest_clip(replace(HUMANOID, names=("pelvis", *HUMANOID.names[1:])))
    with pytest.raises(InputError, match="no joint 'hips'"):
        encode(alone)


def test_listing_the_exporters_loads_no_motion() -> None:
    code = "import sys, ganassets_gltf; print(sorted({'PIL', 'ganassets.api.motion'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
