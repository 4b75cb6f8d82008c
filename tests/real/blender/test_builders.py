"""Objects that the add-on and the background Blender build from an asset's parts, in every supported Blender."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ganassets.api.blender import START, Blender
from ganassets.api.motion.kinematics import positions
from ganassets.api.motion.retarget import to_rig
from ganassets_blender import EXPORTER
from ganassets_blender.library import SCRIPT
from ganassets_faces.basis import JOINT_PARENTS, JOINTS, load_basis
from support.heads import make_head
from support.motion_clips import walk_clip
from support.texture_sets import make_bricks

pytestmark = pytest.mark.real

OPTIONS = {option.name: option.default for option in EXPORTER.options}
FRAMES = (0, 17, 45)  # the frames that build_assets.py plays
TOLERANCE = 1e-5  # metres
CATALOG = "12345678-1234-4234-8234-123456789{:03d}"
VOLUME_TYPES = {"bricks": "Material", "head": "Collection", "walk": "Action", "pose": "Action"}
VOLUME_COUNTS = {
    "objects": 2,
    "meshes": 1,
    "armatures": 1,
    "materials": 4,
    "images": 7,
    "actions": 2,
    "collections": 1,
    "scenes": 1,
    "node_groups": 1,
    "cameras": 0,
    "lights": 0,
}
MAX_STEP = 0.25  # longest step of any asset, relative to the time for a whole head


@pytest.fixture(scope="module")
def assets() -> dict[str, Any]:
    """One asset of each kind."""
    walk = walk_clip()
    one = slice(20, 21)
    frame = {name: getattr(walk, name)[one] for name in ("translation", "rotations", "contacts")}
    return {
        "bricks": make_bricks(128),
        "head": replace(make_head(3), name="head"),
        "walk": walk,
        "pose": replace(walk, name="pose", loop=False, **frame),
    }


@pytest.fixture(scope="module")
def parts(assets: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the assets' parts."""
    folder = tmp_path_factory.mktemp("parts")
    for asset in assets.values():
        for name, content in EXPORTER.export(asset, OPTIONS).items():
            (folder / name).write_bytes(content)
    return folder


@pytest.fixture(scope="module")
def built(each_blender: tuple[str, ...], in_blender: Callable[..., Any], parts: Path, tmp_path_factory: Any) -> Any:
    """Report of build_assets.py in each Blender."""
    folder = tmp_path_factory.mktemp("built") / "parts"
    shutil.copytree(parts, folder)
    return in_blender(each_blender, "build_assets.py", SCRIPT, folder, "build")


def is_unchanged(before: list[Any], after: list[Any]) -> bool:
    """Return whether the user's state is unchanged; Blender may choose tools for modes that are new."""
    tools = {mode: after[6].get(mode) for mode in before[6]}
    return before == [*after[:6], tools, *after[7:]]


def test_the_users_work_is_not_interrupted(built: Any) -> None:
    assert [before[2] for before, _ in built["user_state"]] == [
        mode for mode in ("OBJECT", "EDIT_MESH", "EDIT_ARMATURE", "POSE", "SCULPT") for _ in range(2)
    ]
    assert all(is_unchanged(before, after) for before, after in built["user_state"])
    edited = next(after for _, after in built["user_state"] if after[2] == "EDIT_MESH")
    assert [vertex for vertex in edited[7] if vertex[0]] == [[True, [7.0, -1.0, -1.0]]]


def test_users_in_a_window_are_not_interrupted(
    window: tuple[str, ...], in_blender: Callable[..., Any], parts: Path
) -> None:
    found = in_blender(window, "build_assets.py", SCRIPT, parts, "timer")
    assert len(found) == 10 and all(is_unchanged(before, after) for before, after in found)
    assert found[2][0][6]["EDIT_MESH"] == "builtin.rotate", "the test has chosen a tool"


def test_cancelling_leaves_nothing_behind(built: Any, assets: dict[str, Any]) -> None:
    assert built["cancelled"].keys() == assets.keys()
    for row in built["cancelled"].values():
        assert row["steps"] > 4 and row["wrong"] == []


def test_parts_that_cant_be_built_are_refused_in_a_sentence(built: Any) -> None:
    expected = (
        "broken.npz can't be read: ",
        "none.npz can't be read: ",
        "empty.npz can't be read: ",
        "none.png can't be read.",
        "Mine has no bone mixamorig:Hips.",
        "Motion 7 was made for an armature; choose that armature.",
        "other.card is not an asset card of this version; generate the asset again.",
        "none.json can't be read: ",
    )
    assert len(built["refused"]) == len(expected)
    for (sentence, nothing_left), words in zip(built["refused"], expected, strict=True):
        assert words in sentence and sentence.endswith(".") and nothing_left


def test_a_material_is_a_tree_that_reads_from_left_to_right(built: Any, assets: dict[str, Any], parts: Path) -> None:
    found, bricks = built["material"], assets["bricks"]
    card = json.loads((parts / "bricks.json").read_text())
    assert found["name"] == card["title"]
    assert found["backwards"] == []
    shader = "BSDF_PRINCIPLED"
    for link in (
        ["TEX_IMAGE", "Color", shader, "Base Color"],
        ["SEPARATE_COLOR", "Green", shader, "Roughness"],
        ["SEPARATE_COLOR", "Blue", shader, "Metallic"],
        ["SEPARATE_COLOR", "Red", "GROUP", "Occlusion"],
        ["NORMAL_MAP", "Normal", shader, "Normal"],
        ["DISPLACEMENT", "Displacement", "OUTPUT_MATERIAL", "Displacement"],
        ["TEX_COORD", "UV", "MAPPING", "Vector"],
    ):
        assert link in found["links"]
    assert {label: row[1] for label, row in found["pictures"].items()} == {
        "Albedo": "sRGB",
        "Normal": "Non-Color",
        "Occlusion, Roughness, Metallic": "Non-Color",
        "Height": "Non-Color",
    }
    assert {row[0] for row in found["pictures"].values()} == set(card["files"].values())
    assert all(row[2:] == ["REPEAT", f"//{row[0]}"] for row in found["pictures"].values()), "no folder of this machine"
    assert found["same_bytes"] and found["unpacked"] == [True] * 4
    assert found["tile"] == ["Tile 0.3 m x 0.3 m", pytest.approx([1 / 0.3, 1 / 0.3, 1])]
    midlevel, scale = found["displacement"]
    assert [-midlevel * scale, (1 - midlevel) * scale] == pytest.approx([bricks.height.min(), bricks.height.max()])
    assert found["method"] == "DISPLACEMENT"
    assert found["colour"] == [0.25, 0.5, 0.75, 1]
    assert found["from"] == {**bricks.provenance.keywords("bricks"), "Author": "An Author", "Licence": "CC0-1.0"}


def test_gltf_that_blender_exports_has_all_maps(built: Any) -> None:
    tree = json.loads(Path(built["gltf"]).read_text())
    (material,) = tree["materials"]
    roughness = material["pbrMetallicRoughness"]

    def picture(texture: dict[str, Any]) -> str:
        scale = texture["extensions"]["KHR_texture_transform"]["scale"]
        assert scale == pytest.approx([1 / 0.3, 1 / 0.3])
        return tree["images"][tree["textures"][texture["index"]]["source"]]["uri"]

    assert picture(roughness["baseColorTexture"]) == "bricks_baseColor.png"
    assert picture(roughness["metallicRoughnessTexture"]) == "bricks_orm.png"
    assert picture(material["occlusionTexture"]) == "bricks_orm.png"
    assert picture(material["normalTexture"]) == "bricks_normal.png"


def test_a_head_has_all_that_an_animator_needs(built: Any, assets: dict[str, Any]) -> None:
    found, asset = built["head"], assets["head"]
    assert found["names"] == [["Head 3", "MESH"], ["Head 3 Rig", "ARMATURE"]]
    assert found["linked"] == [], "it is in no scene"
    assert found["vertices"] == len(asset.positions) and found["corners"] == [4]
    assert found["smooth"] and found["valid"] and found["uvs"] == 0
    assert found["normals"] < 0.5, "degrees; Blender keeps them as 16-bit angles"
    assert found["materials"] == ["Head 3 skin", "Head 3 mouth", "Head 3 eyes"] and found["faces"]
    assert found["keys"] == ["Basis", *load_basis().expression_names] and found["values"] == [0]
    assert all(metres > 1e-3 for metres in found["moved"].values())
    assert found["still"] < 1e-6, "it rests as it was made"
    assert found["opened"] > 0.01 and found["weights"] < 1e-6
    assert found["groups"] == list(JOINTS) and found["modifiers"] == [["ARMATURE", True]] and found["parent"]
    parents = [JOINTS[parent] if parent >= 0 else None for parent in JOINT_PARENTS]
    assert found["bones"] == dict(zip(JOINTS, parents, strict=True))
    assert found["bones_off"] < 1e-6
    assert {"Seed", "Model", "Author"} <= set(found["from"])


def joints(clip: Any, frame: int) -> dict[str, list[float]]:
    """Positions of a clip's joints on the Mixamo rig, in Blender's axes."""
    moved = to_rig(clip, "mixamo", axes="y")
    x, y, z = positions(moved)[frame].T
    return dict(zip(moved.skeleton.names, np.stack([x, -z, y], -1).tolist(), strict=True))


def max_distance(one: dict[str, list[float]], other: dict[str, list[float]]) -> float:
    """Largest distance in metres between the same bones of two poses."""
    assert one.keys() == other.keys()
    return max(float(np.linalg.norm(np.subtract(one[name], other[name]))) for name in one)


def test_a_clip_moves_bones_as_it_was_made(built: Any, assets: dict[str, Any]) -> None:
    found, clip = built["clip"], assets["walk"]
    for heads, frame in zip(found["heads"], FRAMES, strict=True):
        assert max_distance(heads, joints(clip, frame)) < TOLERANCE
    bones = len(clip.skeleton.names)
    assert found["curves"] == 4 * bones + 3 and len(found["groups"]) == bones
    assert found["keys"] == [len(clip)] and found["interpolation"] == ["LINEAR"]
    assert found["range"] == [1, len(clip)] and found["cyclic"]
    assert found["slots"] == (["OBArmature"] if built["version"] >= [4, 4] else []) and found["used"]
    assert found["slow"] == [101, 103, 101 + 2 * (len(clip) - 1)], "it lasts as long at another rate"
    assert found["objects"] == ["ARMATURE", "MESH"]


def test_a_pose_can_be_applied_from_the_pose_library(built: Any, assets: dict[str, Any]) -> None:
    found = built["pose"]
    assert found["keys"] == [1] and found["range"][0] == 1 and found["asset"]
    assert found["catalog"] == CATALOG.format(12)
    assert max_distance(found["rest"], found["performed"]) > 0.1
    assert max_distance(found["performed"], joints(assets["pose"], 0)) < TOLERANCE
    assert max_distance(found["applied"], found["performed"]) < TOLERANCE


def test_a_clip_on_ones_own_armature_leaves_the_rest_alone(built: Any) -> None:
    found = built["retargeted"]
    assert found["off"] < TOLERANCE, "bones turn as well by Euler angles as by quaternions"
    assert found["made"] is None and found["performs"]
    assert found["before"], "the action before isn't lost when the file is saved"
    assert found["kept"] == [[1, 2, 0], "kept", 1]
    assert found["custom"] == [1, 0, None], "the clip's settings are set if the rig has them"
    assert found["modes"] == ["XYZ", "ZYX", "AXIS_ANGLE", "QUATERNION", "YXZ"]


def test_steps_are_short(built: Any) -> None:
    whole = built["longest_steps"]["head"][0]
    assert {name: row for name, row in built["longest_steps"].items() if row[1] > MAX_STEP * whole} == {}


@pytest.mark.parametrize("pack", [True, False])
def test_volumes_hold_assets_and_nothing_else(
    each_blender: tuple[str, ...],
    newest_blender: tuple[str, ...],
    in_blender: Callable[..., Any],
    parts: Path,
    tmp_path: Path,
    pack: bool,
) -> None:
    folder = tmp_path / "Bücher und 図書"
    shutil.copytree(parts, folder / "parts")
    cards = {name: json.loads((parts / f"{name}.json").read_text()) for name in VOLUME_TYPES}
    volume = folder / "volume.blend"
    titles = check_volume(write_volume(each_blender, cards, folder, volume, pack), cards)
    for reader in (each_blender, newest_blender):
        report = in_blender(reader, "build_assets.py", SCRIPT, folder / "parts", "reopen", volume)
        check_reopened_volume(report, titles, pack)
    if each_blender == newest_blender:  # its Asset Browser packs imported assets into the user's file
        used = in_blender(newest_blender, "import_packed.py", volume, tmp_path / "user.blend")
        assert used["assets"] == sorted(titles) and used["packed"] == [pack] and all(used["readable"])
        assert len(used["readable"]) == 7 and 53 in used["shape_keys"]
        assert all(path.startswith("//" if pack else "//parts/") for path in used["paths"])


def catalogs_of(cards: dict[str, Any]) -> dict[str, str]:
    """A UUID for each catalog of some cards."""
    return {card["catalog"]: CATALOG.format(i) for i, card in enumerate(cards.values())}


def write_volume(
    start: tuple[str, ...], cards: dict[str, Any], folder: Path, volume: Path, pack: bool
) -> list[dict[str, Any]]:
    """Write a volume twice in one Blender; returns the descriptions of its assets."""
    hidden = folder / ".volume.tmp"
    terms = {"pack": pack, "author": "Än Author", "licence": "CC-BY-4.0", "catalogs": catalogs_of(cards)}
    request = {"do": "volume", "file": str(hidden), **terms}
    paths = [str(folder / "parts" / f"{name}.json") for name in cards]
    blender = Blender([*start, str(START), "--", str(SCRIPT)])
    try:
        for _ in range(2):  # the second volume contains nothing of the first
            answer = blender.ask({**request, "cards": paths})
            assert answer["error"] == "" and answer["count"] == len(cards)
        hidden.rename(volume)
        described = blender.ask({"do": "count", "file": str(volume)})
        failed = blender.ask({**request, "cards": [str(folder / "none.json")]})
    finally:
        blender.close()
    assert failed["error"].startswith("none.json: ") and not failed["error"].endswith(".") and not hidden.exists()
    assert described["error"] == ""
    return described["assets"]


def check_volume(rows: list[dict[str, Any]], cards: dict[str, Any]) -> set[str]:
    """Check the descriptions of a volume's assets; returns their titles."""
    found, catalogs = {row["name"]: row for row in rows}, catalogs_of(cards)
    assert found.keys() == {"Material 7", "Head 3", "Motion 7", "Pose 7"}
    for name, card in cards.items():
        row = found[card["title"]]
        assert row["type"] == VOLUME_TYPES[name] and row["catalog"] == catalogs[card["catalog"]]
        assert row["tags"] == card["tags"] and row["description"] == card["description"]
        assert row["author"] == "Än Author" and row["has_preview"]
        assert row["licence"] in ("CC-BY-4.0", "")  # "" in Blenders without licences of assets
    return set(found)


def check_reopened_volume(report: dict[str, Any], titles: set[str], pack: bool) -> None:
    """Check what a Blender finds in a volume."""
    assert report["counts"] | {"scenes": 1} == VOLUME_COUNTS
    assert report["previews"].keys() == titles and max(report["previews"].values()) < 0.01
    assert report["icons"] == [[32, 32]]
    for name, path, packed, there in report["pictures"]:
        assert packed == pack and there != pack
        assert path == (f"//{name}" if pack else f"//parts/{name}")
    assert report["same_bytes"]
    assert all(row["Author"] == "Än Author" and row["Seed"] in "37" for row in report["from"].values())
