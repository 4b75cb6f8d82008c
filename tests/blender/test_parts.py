"""Parts of assets: arrays, images and the card."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from PIL import Image

from ganassets.api.assets import Asset, Mesh, MotionClip
from ganassets.api.errors import InputError
from ganassets.api.motion.editing import rest_clip
from ganassets.api.motion.kinematics import positions, world_pose
from ganassets.api.motion.rigs import RIGS
from ganassets.api.motion.rotations import from_matrix, multiply, rotate
from ganassets.api.motion.skeletons import HUMANOID, HUMANOID_FINGERS
from ganassets.api.rig_options import RIG_NAMES
from ganassets_blender import EXPORTER
from ganassets_blender.parts import main_choices, to_blender
from ganassets_images import EXPORTER as IMAGES
from support.heads import make_head
from support.motion_clips import random_clip, walk_clip
from support.texture_sets import make_bricks

DEFAULTS = {option.name: option.default for option in EXPORTER.options}


def parts_of(asset: Asset, **options: str) -> tuple[dict[str, Any], dict[str, np.ndarray], dict[str, bytes]]:
    """The card, the arrays and all files."""
    files = EXPORTER.export(asset, DEFAULTS | options)
    card = json.loads(files[f"{asset.name}.json"])
    if "arrays" not in card:
        return card, {}, files
    with np.load(io.BytesIO(files[card["arrays"]]), allow_pickle=False) as arrays:
        return card, dict(arrays), files


def with_sliders(asset: Any, **sliders: float) -> Any:
    """Set an asset's sliders; their names have two underscores instead of a colon."""
    named = {name.replace("__", ":"): value for name, value in sliders.items()}
    return replace(asset, provenance=replace(asset.provenance, sliders=named))


@pytest.mark.parametrize("asset", [make_bricks(), make_head(3), walk_clip()], ids=lambda asset: asset.kind)
def test_the_same_asset_gives_the_same_bytes(asset: Asset) -> None:
    card, _, files = parts_of(asset)
    assert files == EXPORTER.export(asset, DEFAULTS)
    assert {card["format"], card["kind"], card["name"]} == {1, asset.kind, asset.name}
    assert card["provenance"] == asset.provenance.keywords(asset.name)
    assert card["licence"] == asset.provenance.licence
    assert Image.open(io.BytesIO(files[card["thumbnail"]])).size == (256, 256)
    assert all(name.startswith(asset.name) for name in files)


def test_materials_are_the_pictures_of_the_images_exporter() -> None:
    bricks = make_bricks()
    card, _, files = parts_of(bricks)
    pictures = IMAGES.export(bricks, {option.name: option.default for option in IMAGES.options})
    assert {name: files[name] for name in card["files"].values()} == pictures
    assert set(card["files"]) == {"albedo", "normal", "orm", "height"}
    assert card["size"] == pytest.approx([0.3, 0.3]) and card["tiles"]
    assert card["height"] == pytest.approx([bricks.height.min(), bricks.height.max()])


@pytest.mark.parametrize(
    ("asset", "title", "catalog"),
    [
        (with_sliders(make_bricks(), material__brick=0.3, material__sand=0.7, hue=0.2), "Sand 7", "Materials/Sand"),
        (with_sliders(make_bricks(), **{"material__rusted-metal": 1.0}), "Rusted metal 7", "Materials/Rusted metal"),
        (with_sliders(make_bricks()), "Material 7", "Materials"),
        (with_sliders(make_head(7), ancestry__asian=1.0), "Head 7", "Heads"),
        (with_sliders(walk_clip(), action__walk=1.0, style__mocap=1.0), "Walk 7", "Motion/Walk"),
        (with_sliders(rest_clip(HUMANOID), action__sit=1.0), "Sit 0", "Poses/Sit"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_titles_and_catalogs(asset: Asset, title: str, catalog: str) -> None:
    card, _, _ = parts_of(asset)
    assert (card["title"], card["catalog"]) == (title, f"GAN Assets/{catalog}")


def test_assets_of_one_seed_get_different_names() -> None:
    head = make_head(7)
    morph = replace(head, provenance=replace(head.provenance, morph=(9, 0.5)))
    assert parts_of(morph)[0]["title"] == "Head 7 to 9, 50%"
    assert parts_of(replace(head, name="faces-00000007-003"))[0]["title"] == "Head 7.3"


def test_tags_contain_the_sliders() -> None:
    card, _, _ = parts_of(with_sliders(make_bricks(), material__brick=0.9, hue=0.123, turn=-0.001))
    assert card["tags"] == ["material", "brick", "hue 0.12", "turn 0"]


def test_the_largest_choice_of_each_category() -> None:
    sliders = {"age": 3.0, "a:x": 0.2, "a:y": 0.8, "b:z": 1.0, "c:none": 0.0}
    assert main_choices(sliders) == {"a": "y", "b": "z"}


def test_a_head_is_all_there_in_blenders_axes() -> None:
    head = make_head(3)
    card, arrays, files = parts_of(head)
    topology = head.topology
    assert arrays["positions"][:, 2] == pytest.approx(head.positions[:, 1])  # up
    assert arrays["positions"][:, 1] == pytest.approx(-head.positions[:, 2])  # the nose points to -Y
    assert arrays["offsets"].shape == (52, topology.vertex_count, 3) and len(card["morphs"]) == 52
    assert len(arrays["corner_uvs"]) == len(arrays["corners"]) and arrays["corner_uvs"].min() >= 0
    assert arrays["corners"].max() < topology.vertex_count and arrays["starts"][0] == 0
    assert len(arrays["face_materials"]) == len(arrays["starts"]) == len(topology.faces)
    assert arrays["skin_weights"].sum(1) == pytest.approx(np.ones(topology.vertex_count), abs=1e-5)
    assert arrays["bone_matrices"][:, :3, 3] == pytest.approx(to_blender(head.joints))
    assert (arrays["bone_lengths"] > 0).all() and card["bones"] == list(topology.joint_names)
    skin = card["materials"][0]
    for part, texture in (("albedo", head.materials[0].albedo), ("roughness_map", head.materials[0].roughness_map)):
        assert texture is not None and np.array_equal(np.asarray(Image.open(io.BytesIO(files[skin[part]]))), texture)
    assert card["materials"][1]["albedo"] is None
    assert {array.dtype.str for array in arrays.values()} == {"<f4", "<i4"}


def test_bones_of_a_head_point_where_they_should() -> None:
    card, arrays, _ = parts_of(make_head(3))
    along = dict(zip(card["bones"], arrays["bone_matrices"][:, :3, 1], strict=True))
    assert along["neck"][2] > 0.8 and along["head"] == pytest.approx([0, 0, 1], abs=1e-6)
    assert along["eyeLeft"] == pytest.approx([0, -1, 0], abs=1e-6)


def test_a_mesh_without_faces_is_refused() -> None:
    head = make_head(3)
    none = np.zeros((0, 4), np.int32)
    topology = replace(head.topology, faces=none, face_uvs=none, face_materials=none[:, 0])
    with pytest.raises(InputError, match="no faces"):
        EXPORTER.export(replace(head, topology=topology), DEFAULTS)


def pose_bones(card: dict[str, Any], arrays: dict[str, np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Pose bones as Blender does: world positions (f, j, 3) and rotations (f, j, 4)."""
    matrices = arrays["bone_matrices"].astype(float)
    rest, turns = matrices[:, :3, 3], from_matrix(matrices[:, :3, :3])
    channels = arrays["rotations"][..., (1, 2, 3, 0)].astype(float)
    moves = np.zeros((len(channels), len(rest), 3))
    moves[:, : arrays["locations"].shape[1]] = arrays["locations"]
    places, turned = [], []
    for bone, parent in enumerate(card["parents"]):
        if parent < 0:
            base, place = np.broadcast_to(turns[bone], (len(channels), 4)), rest[bone]
        else:
            back = turns[parent] * (-1, -1, -1, 1)
            base = multiply(turned[parent], multiply(back, turns[bone]))
            place = places[parent] + rotate(turned[parent], rotate(back, rest[bone] - rest[parent]))
        places.append(place + rotate(base, moves[:, bone]))
        turned.append(multiply(base, channels[:, bone]))
    return np.stack(places, 1), np.stack(turned, 1)


@pytest.mark.parametrize("rig", RIG_NAMES)
@pytest.mark.parametrize("skeleton", [HUMANOID, HUMANOID_FINGERS], ids=["body", "fingers"])
def test_the_channels_put_every_joint_where_it_is(rig: str, skeleton: Any) -> None:
    clip = random_clip(np.random.default_rng(2), 20, skeleton)
    card, arrays, _ = parts_of(clip, rig=rig)
    found, _ = pose_bones(card, arrays)
    joints = [card["bones"].index(RIGS[rig].bone_name(name)) for name in skeleton.names]
    assert np.abs(found[:, joints] - to_blender(positions(clip))).max() < 1e-4
    assert (card["frames"], card["fps"], card["loop"], card["rig"]) == (20, 30.0, False, rig)


@pytest.mark.parametrize("rig", RIG_NAMES)
def test_bones_point_at_their_children(rig: str) -> None:
    card, arrays, _ = parts_of(walk_clip(), rig=rig)
    for joint, child in (("leftUpperArm", "leftLowerArm"), ("rightLowerLeg", "rightFoot"), ("hips", "spine")):
        start, end = (card["bones"].index(RIGS[rig].bone_name(name)) for name in (joint, child))
        matrix, length = arrays["bone_matrices"][start], arrays["bone_lengths"][start]
        assert matrix[:3, 3] + length * matrix[:3, 1] == pytest.approx(arrays["bone_matrices"][end][:3, 3], abs=1e-4)


def test_the_figure_goes_with_the_bones() -> None:
    card, arrays, _ = parts_of(walk_clip())
    assert len(card["materials"]) == 2 and arrays["skin_joints"].max() < len(card["bones"])
    assert arrays["positions"][:, 2].min() == pytest.approx(0, abs=0.03)  # stands
    assert 1.6 < arrays["positions"][:, 2].max() < 1.9


def test_in_place() -> None:
    _, arrays, _ = parts_of(walk_clip(speed=2.0), root="in-place")
    _, moving, _ = parts_of(walk_clip(speed=2.0))
    spans = [np.ptp(found["locations"][:, 0], axis=0).max() for found in (arrays, moving)]
    assert spans[0] < 0.3 < 2 < spans[1]


def test_a_frame_is_a_pose() -> None:
    card, arrays, _ = parts_of(rest_clip(HUMANOID))
    assert card["frames"] == 1 and card["tags"][0] == "pose"
    assert arrays["rotations"][0] == pytest.approx(np.tile([1.0, 0, 0, 0], (22, 1)), abs=1e-6)


def test_rest_bones_are_the_rest_pose_of_the_world() -> None:
    clip = rest_clip(HUMANOID)
    places, _ = world_pose(HUMANOID, clip.translation, clip.rotations)
    card, arrays, _ = parts_of(clip, rig="vrm")
    assert arrays["bone_matrices"][:, :3, 3] == pytest.approx(to_blender(places[0]), abs=1e-5)
    assert card["bones"] == list(HUMANOID.names)


def test_kinds() -> None:
    assert {Mesh.kind, MotionClip.kind, "textures"} == set(EXPORTER.kinds)
