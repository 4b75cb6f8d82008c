"""Reading animations of glTF files."""

from __future__ import annotations

import base64
import json
import struct
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ganassets.api.errors import InputError
from ganassets.api.motion.rotations import degrees_between, normalise, to_matrix
from ganassets.api.motion.skeletons import HUMANOID
from ganassets_poses.readers import gltf_document, limits, read_gltf
from support.motion_files import GltfFile, affine, chained

TIMES = np.arange(4) / 24
TURNS = normalise(np.random.default_rng(0).normal(size=(4, 4)))
HALF = float(np.sqrt(0.5))


def arm(**parts: Any) -> GltfFile:
    """A file with an armature of two bones; parts are added to its nodes by name."""
    file = GltfFile()
    file.document["nodes"] = [
        {"name": "Rig", "children": [1], **parts.get("Rig", {})},
        {"name": "Upper", "children": [2], "translation": [0, 1, 0], **parts.get("Upper", {})},
        {"name": "Lower", "translation": [0, 2, 0], **parts.get("Lower", {})},
        {"name": "Camera"},
    ]
    return file


def moved_arm() -> GltfFile:
    """Return the arm with an animation of its upper bone, on even frames at 24 per second."""
    file = arm()
    file.animate("Wave", [(1, "rotation", TIMES, TURNS, "LINEAR")])
    return file


@st.composite
def forests(draw: st.DrawFn) -> tuple[list[int], np.ndarray, np.ndarray, np.ndarray]:
    """Draw parents, and translations (f, j, 3), rotations (f, j, 4) and scales (f, j, 3) of f frames."""
    parents = [draw(st.integers(-1, index - 1)) for index in range(draw(st.integers(1, 6)))]
    frames = draw(st.integers(1, 4))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    shape = (frames, len(parents))
    rotations = normalise(rng.normal(size=(*shape, 4)))
    return parents, rng.normal(0, 3, (*shape, 3)), rotations, rng.uniform(0.5, 2, (*shape, 3))


@settings(max_examples=30)
@given(forests(), st.booleans(), st.sampled_from((24.0, 30.0, 60.0)))
def test_world_transforms_are_those_of_plain_matrices(
    forest: tuple[list[int], np.ndarray, np.ndarray, np.ndarray], scaled: bool, fps: float
) -> None:
    parents, translations, rotations, scales = forest
    scales = scales if scaled else np.ones_like(scales)
    frames, joints = translations.shape[:2]
    file = GltfFile()
    for joint in range(joints):
        children = [child for child, parent in enumerate(parents) if parent == joint]
        node = {"name": f"joint {joint}", "rotation": rotations[0, joint].tolist()}
        file.document["nodes"].append(node | ({"children": children} if children else {}))
    times = 1.5 + np.arange(frames) / fps
    tracks = []
    for joint in range(joints):
        tracks.append((joint, "translation", times, translations[:, joint], "LINEAR"))
        tracks.append((joint, "rotation", times, rotations[:, joint], "LINEAR"))
        tracks.append((joint, "scale", times, scales[:, joint], "STEP"))
    file.animate("clip", tracks)
    (take,) = read_gltf(file.glb(), "file")
    assert take.name == "clip" and len(take.positions) == frames
    assert frames == 1 or fps % take.fps == 0 or take.fps == fps
    order = [take.names.index(f"joint {joint}") for joint in range(joints)]
    for frame in range(frames):
        local = [
            affine(to_matrix(rotations[frame, j]) * scales[frame, j], translations[frame, j]) for j in range(joints)
        ]
        turned = chained(parents, [affine(to_matrix(rotations[frame, j]), (0, 0, 0)) for j in range(joints)])
        for joint, world in enumerate(chained(parents, local)):
            np.testing.assert_allclose(take.positions[frame, order[joint]], world[:3, 3], atol=2e-3)
            found = to_matrix(take.rotations[frame, order[joint]])
            np.testing.assert_allclose(found, turned[joint][:3, :3], atol=1e-4)


def test_skeleton_is_the_skin_and_what_it_hangs_on() -> None:
    file = moved_arm()
    file.bind([2, 1], np.array([affine(np.eye(3), (0, 3, 0)), affine(np.eye(3), (0, 1, 0))]))
    file.animate("Zoom", [(3, "translation", [0.0], [[1, 1, 1]], "LINEAR")])
    (take,) = read_gltf(file.glb(), "file")
    assert take.names == ("Rig", "Upper", "Lower") and take.parents == (-1, 0, 1)


def test_without_a_skin_the_animated_nodes_are_read() -> None:
    (take,) = read_gltf(moved_arm().glb(), "file")
    assert take.names == ("Rig", "Upper")


@pytest.mark.parametrize("hung", [False, True])
def test_rest_comes_from_the_inverse_bind_matrices(hung: bool) -> None:
    """The bind pose is in the world, or in the frame of a node that turns Z up and scales centimetres to metres."""
    frame = {"rotation": [-HALF, 0, 0, HALF], "scale": [0.01, 0.01, 0.01]} if hung else {}
    size, up = (100.0, 2) if hung else (1.0, 1)
    place = np.eye(3)[up] * size
    file = arm(Rig=frame, Upper={"translation": place.tolist(), "rotation": [0.1, 0.2, 0, 1]},
               Lower={"translation": (2 * place).tolist()})  # fmt: skip
    file.animate("Wave", [(1, "rotation", TIMES, TURNS, "LINEAR")])
    file.bind([1, 2], np.array([affine(np.eye(3) * 2, place), affine(np.eye(3) * 2, 3 * place)]))
    (take,) = read_gltf(file.glb(), "file")
    np.testing.assert_allclose(take.rest_positions[1:], [[0, 1, 0], [0, 3, 0]], atol=1e-6)
    turn = to_matrix(np.array(frame.get("rotation", [0, 0, 0, 1.0])))
    for joint in (1, 2):
        np.testing.assert_allclose(to_matrix(take.rest_rotations[joint]), turn, atol=1e-6)
    np.testing.assert_allclose(take.positions[0, 1], [0, 1, 0], atol=1e-6)


def test_rest_without_bind_matrices_is_how_the_nodes_stand() -> None:
    matrix = affine(2 * to_matrix(np.array([0, 0, HALF, HALF])), (0, 1, 0)).T.ravel().tolist()
    file = arm()
    file.document["nodes"][1] = {"name": "Upper", "children": [2], "matrix": matrix}
    file.document["skins"] = [{"joints": [1, 2]}]
    file.animate("Wave", [(2, "rotation", TIMES, TURNS, "LINEAR")])
    (take,) = read_gltf(file.glb(), "file")
    np.testing.assert_allclose(take.rest_positions, [[0, 0, 0], [0, 1, 0], [-4, 1, 0]], atol=1e-6)
    np.testing.assert_allclose(take.rest_rotations[2], [0, 0, HALF, HALF], atol=1e-6)


@pytest.mark.parametrize(
    ("times", "fps", "frames"),
    [
        (np.arange(5) / 24, 24, 5), (np.arange(5) / 30 + 0.4, 30, 5), (np.arange(5) / 60, 60, 5), ([0.3], 24, 1),
        ([0, 2 / 24, 5 / 24], 24, 6), ([0, 1 / 30, 2 / 24], 60, 6), ([0, 0.0123, 1], 30, 31), ([0, 100], 24, 2401),
    ],
)  # fmt: skip
def test_frame_rate(times: Sequence[float], fps: float, frames: int) -> None:
    file = arm()
    file.animate("a", [(1, "translation", times, np.zeros((len(times), 3)), "LINEAR")])
    (take,) = read_gltf(file.glb(), "file")
    assert (take.fps, len(take.positions)) == (fps, frames)


@pytest.mark.parametrize("how", ["LINEAR", "STEP", "CUBICSPLINE"])
def test_interpolation(how: str) -> None:
    times, keys, turns = [0.0, 0.5], np.array([[0.0, 0, 0], [1, 2, 3]]), np.array([[0.0, 0, 0, 1], [0, 0, HALF, HALF]])
    if how == "CUBICSPLINE":  # with tangents of 0 and of 6, 12, 18 a second at the end
        keys = np.array([[0, 0, 0], keys[0], [0, 0, 0], 6 * keys[1], keys[1], [9, 9, 9]])
        turns = np.array([[0, 0, 0, 0], turns[0], [0, 0, 0, 0], [0, 0, 0, 0], turns[1], [9, 9, 9, 9]])
    file = arm()
    file.animate("a", [(1, "translation", times, keys, how), (1, "rotation", times, turns, how)])
    (take,) = read_gltf(file.glb(), "file")
    t = np.arange(13)[:, None] / 12
    share = {"LINEAR": t, "STEP": np.floor(t), "CUBICSPLINE": 3 * t**2 - 2 * t**3 + 0.5 * 6 * (t**3 - t**2)}[how]
    np.testing.assert_allclose(take.positions[:, 1], share * [1, 2, 3], atol=1e-6)
    assert degrees_between(take.rotations[0, 1], take.rotations[6, 1]) == pytest.approx(0 if how == "STEP" else 45)
    assert degrees_between(take.rotations[0, 1], take.rotations[3, 1]) < 23
    assert degrees_between(take.rotations[0, 1], take.rotations[12, 1]) == pytest.approx(90)


def test_turns_go_the_shorter_way() -> None:
    file = arm()
    file.animate("a", [(1, "rotation", [0.0, 0.5], [[0, 0, 0, 1], [0, 0, -HALF, -HALF]], "LINEAR")])
    (take,) = read_gltf(file.glb(), "file")
    assert degrees_between(take.rotations[0, 1], take.rotations[4, 1]) == pytest.approx(30)


def test_normalised_integers_and_sparse_accessors() -> None:
    file = arm()
    file.animate("a", [(1, "rotation", TIMES, TURNS, "LINEAR"), (1, "translation", TIMES, TURNS[:, :3], "LINEAR")])
    samplers = file.document["animations"][0]["samplers"]
    samplers[0]["output"] = file.add(np.rint(TURNS * 32767), "VEC4", "i2", normalized=True)
    sparse = {
        "count": 1,
        "indices": {"bufferView": file.view(struct.pack("<H", 2)), "componentType": 5123},
        "values": {"bufferView": file.view(struct.pack("<3f", 7, 8, 9))},
    }
    file.document["accessors"].append({"componentType": 5126, "count": 4, "type": "VEC3", "sparse": sparse})
    samplers[1]["output"] = len(file.document["accessors"]) - 1
    (take,) = read_gltf(file.glb(), "file")
    np.testing.assert_allclose(np.abs((take.rotations[:, 1] * TURNS).sum(-1)), 1, atol=1e-6)
    assert take.positions[:, 1].tolist() == [[0, 0, 0], [0, 0, 0], [7, 8, 9], [0, 0, 0]]


def test_strided_views() -> None:
    file = moved_arm()
    padded = np.concatenate([TURNS, TURNS * 0], 1).astype("<f4")
    accessor = file.document["accessors"][file.document["animations"][0]["samplers"][0]["output"]]
    accessor["bufferView"] = file.view(padded.tobytes(), byteStride=32)
    (take,) = read_gltf(file.glb(), "file")
    np.testing.assert_allclose(np.abs((take.rotations[:, 1] * TURNS).sum(-1)), 1, atol=1e-6)


def test_buffers_in_and_beside_the_file() -> None:
    (expected,) = read_gltf(moved_arm().glb(), "file")
    inside = moved_arm()
    uri = f"data:application/octet-stream;base64,{base64.b64encode(inside.binary).decode()}"
    outside = moved_arm()
    for content in (inside.gltf(uri), outside.gltf("my%20arm.bin")):
        (take,) = read_gltf(content, "file", {"my arm.bin": outside.binary}.__getitem__)
        assert np.array_equal(take.positions, expected.positions)
    with pytest.raises(InputError, match=r"'arm.bin' beside the file can't be read"):
        read_gltf(outside.gltf("arm.bin"), "file")


def test_names_of_animations() -> None:
    file = arm()
    for name in ("", "Rig|Wave", ""):
        file.animate(name, [(1, "rotation", TIMES, TURNS, "LINEAR")])
    assert [take.name for take in read_gltf(file.glb(), "file")] == ["file 1", "Rig|Wave", "file 3"]


def broken(**changes: Any) -> bytes:
    """The arm's file with parts of its document exchanged: "nodes__1__children" = ..."""
    file = moved_arm()
    file.bind([1, 2], np.array([np.eye(4)] * 2))
    for path, value in changes.items():
        part: Any = file.document
        *steps, last = [int(step) if step.isdigit() else step for step in path.split("__")]
        for step in steps:
            part = part[step]
        part[last] = value
    return file.glb()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "not a readable glTF file"),
        (b"\x00\xff" * 50, "not a readable glTF file"),
        (b"glTF", "cut off"),
        (b"[" * 100_000, "not a readable glTF file"),
        (broken()[:-8], "cut off"),
        (broken()[:40], "cut off"),
        (broken().replace(struct.pack("<4sI", b"glTF", 2), struct.pack("<4sI", b"glTF", 1)), "glTF version 1 isn't"),
        (broken().replace(b"JSON", b"NOSJ"), "no JSON chunk"),
        (broken().replace(b"BIN\0", b"BON\0"), "lacks its binary chunk"),
        (broken(animations=[]), "has no animation"),
        (broken(animations=[{"channels": [], "samplers": []}]), "none of the file's animations moves a skeleton"),
        (broken(skins=[], animations=[{"channels": [], "samplers": []}]), "has no skeleton"),
        (broken(nodes__2__children=[1]), "node 1 has two parents"),
        (broken(nodes__0__children=[], nodes__2__children=[1]), "form a cycle"),
        (broken(nodes__2__children=[2]), "node 2 has two parents"),
        (broken(nodes__0__children=[77]), "node 77 is not among the file's 4"),
        (broken(nodes__0__children=[-1]), "at nodes.0.children.0"),
        (broken(nodes__0__translation=[1, 2]), "at nodes.0.translation"),
        (broken(nodes__0__translation=[1, 2, 1e30]), "beyond"),
        (broken(nodes__0__scale="big"), "at nodes.0.scale"),
        (broken(nodes=[{}] * 70_000), "at nodes: List should have at most"),
        (broken(skins__0__joints=[9]), "node 9 is not among"),
        (broken(skins__0__joints=[]), "at skins.0.joints"),
        (broken(skins__0__joints=[0, 1, 2]), "lacks inverse bind matrices"),
        (broken(skins__0__inverseBindMatrices=0), "should hold MAT4"),
        (broken(animations__0__channels__0__sampler=5), "sampler 5 is not among"),
        (broken(animations__0__samplers__0__input=99), "accessor 99 is not among"),
        (broken(animations__0__samplers__0__input=1), "accessor 1 should hold SCALAR"),
        (broken(animations__0__samplers__0__interpolation="MAGIC"), "at animations.0.samplers.0.interpolation"),
        (broken(accessors__0__count=3), "different numbers of times and keys"),
        (broken(accessors__0__count=400), "too short for what is in it"),
        (broken(accessors__0__count=2**40), "at accessors.0.count"),
        (broken(accessors__0__count=0), "at accessors.0.count"),
        (broken(accessors__0__byteOffset=-4), "at accessors.0.byteOffset"),
        (broken(accessors__0__byteOffset=2**39), "too short"),
        (broken(accessors__0__componentType=1), "component type"),
        (broken(accessors__0__bufferView=88), "buffer view 88 is not among"),
        (broken(bufferViews__0__buffer=3), "buffer 3 is not among"),
        (broken(bufferViews__0__byteOffset=10_000), "too short"),
        (broken(bufferViews__0__byteLength=2**39), "too short"),
        (broken(bufferViews__0__byteStride=0), "at bufferViews.0.byteStride"),
        (broken(extensionsRequired=["EXT_meshopt_compression"]), "EXT_meshopt_compression isn't read"),
    ],
)  # fmt: skip
def test_bad_files(content: bytes, message: str) -> None:
    with pytest.raises(InputError) as caught:
        read_gltf(content, "file")
    assert message in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("times", "keys", "message"),
    [
        ([0, 0.2, 0.1, 0.3], TURNS, "run backwards"),
        ([0, 0.1, np.nan, 0.3], TURNS, "not finite"),
        (TIMES, TURNS * np.inf, "not finite"),
        ([0, 1, 2, 1e6], TURNS, "frames of 2 joints are more than"),
    ],
)
def test_bad_keys(times: Sequence[float], keys: np.ndarray, message: str) -> None:
    file = arm()
    with np.errstate(invalid="ignore"):
        file.animate("a", [(1, "rotation", times, keys, "LINEAR")])
    with pytest.raises(InputError, match=message):
        read_gltf(file.glb(), "file")


def test_scales_upon_scales() -> None:
    file = GltfFile()
    for node in range(200):
        children = {"children": [node + 1]} if node < 199 else {}
        file.document["nodes"].append({"translation": [0, 1, 0], "scale": [1e6] * 3, **children})
    file.animate("a", [(199, "rotation", TIMES, TURNS, "LINEAR")])
    with pytest.raises(InputError, match="the joints' places hold numbers that are not finite"):
        read_gltf(file.glb(), "file")


def test_bad_buffers() -> None:
    for uri, message in (
        ("data:,abc", "should be base64"),
        ("data:;base64,?", "damaged"),
        ("data:;base64,AA==", "cut"),
    ):
        with pytest.raises(InputError, match=message):
            read_gltf(moved_arm().gltf(uri), "file")
    sparse = {
        "count": 1,
        "indices": {"bufferView": 0, "byteOffset": 4, "componentType": 5125},
        "values": {"bufferView": 0},
    }
    with pytest.raises(InputError, match="index beyond its end"):
        read_gltf(broken(accessors__0__sparse=sparse), "file")
    singular = broken()
    place = json.loads(singular[20 : 20 + struct.unpack_from("<I", singular, 12)[0]])["bufferViews"][2]["byteOffset"]
    start = len(singular) - len(singular.split(b"BIN\0", 1)[1]) + place
    with pytest.raises(InputError, match="can't be inverted"):
        read_gltf(singular[:start] + bytes(128), "file")


def test_too_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MOST_TRANSFORMS", 7)
    with pytest.raises(InputError, match="4 frames of 2 joints are more than 7"):
        read_gltf(moved_arm().glb(), "file")
    monkeypatch.setattr(gltf_document, "MOST_BYTES", 10)
    with pytest.raises(InputError, match="MB in its buffers"):
        read_gltf(moved_arm().gltf("arm.bin"), "file", lambda name: moved_arm().binary)
    monkeypatch.setattr(gltf_document, "MOST_OBJECTS", 10)
    with pytest.raises(InputError, match="more than 10 objects"):
        read_gltf(moved_arm().glb(), "file")


@settings(max_examples=80)
@given(st.data())
def test_damage_is_an_input_error(data: st.DataObject) -> None:
    content = bytearray(broken())
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    try:
        takes = read_gltf(bytes(content), "file")
    except InputError:
        return
    assert all(np.isfinite(take.positions).all() for take in takes)


def figures(*names: str, suffix: str = "") -> GltfFile:
    """A file with the humanoid once below a node of each name, 2 m beside each other, all below one node."""
    file = GltfFile()
    nodes: list[dict[str, Any]] = file.document["nodes"]
    nodes.append({"name": "Scene", "children": []})
    for number, name in enumerate(names):
        first = len(nodes) + 1
        nodes[0]["children"].append(first - 1)
        nodes.append({"name": name, "children": [first], "translation": [2.0 * number, 0, 0]})
        for joint, offset in enumerate(HUMANOID.offsets.tolist()):
            below = [first + i for i, parent in enumerate(HUMANOID.parents) if parent == joint]
            node = {"name": HUMANOID.names[joint] + suffix * number, "translation": offset}
            nodes.append(node | ({"children": below} if below else {}))
    return file


def bound(file: GltfFile, count: int) -> GltfFile:
    """Return the file with a skin for each of several figures."""
    for number in range(count):
        joints = [2 + number * (len(HUMANOID.names) + 1) + i for i in range(len(HUMANOID.names))]
        file.document.setdefault("skins", []).append({"joints": joints})
    return file


def turn_of(figure: int, joint: str, turns: np.ndarray) -> tuple[int, str, Any, Any, str]:
    """A track of a joint of a figure."""
    return 2 + figure * (len(HUMANOID.names) + 1) + HUMANOID.index(joint), "rotation", TIMES, turns, "LINEAR"


@pytest.mark.parametrize("suffix", ["", "_1", ".001"])
@pytest.mark.parametrize("skinned", [True, False])
def test_each_animation_is_read_on_the_skeleton_that_it_moves(suffix: str, skinned: bool) -> None:
    file = figures("Armature", "Armature.001", suffix=suffix)
    file.animate("first", [turn_of(0, joint, TURNS) for joint in HUMANOID.names])
    file.animate("second", [turn_of(1, joint, TURNS[::-1]) for joint in HUMANOID.names])
    first, second = read_gltf((bound(file, 2) if skinned else file).glb(), "file")
    assert (first.name, second.name) == ("first", "second")
    assert len(first.names) == len(second.names) == len(HUMANOID.names) + 2, "with its parents"
    for take, turns, place in ((first, TURNS, 0.0), (second, TURNS[::-1], 2.0)):
        hips = take.parents.index(1)
        np.testing.assert_allclose(take.positions[0, hips], [place, 0.95, 0], atol=1e-6)
        assert degrees_between(take.rotations[:, hips], turns).max() < 0.01


def test_an_animation_that_moves_several_figures_is_a_clip_of_each() -> None:
    file = bound(figures("Anna", "Ben", "Ben"), 3)
    tracks = [turn_of(figure, "hips", TURNS) for figure in range(3)]
    file.animate("fight", tracks)
    file.animate("walk", tracks[:1])
    file.animate("zoom", [(0, "translation", TIMES, np.zeros((4, 3)), "LINEAR")])
    still: list[str] = []
    takes = read_gltf(file.glb(), "file", still=still)
    assert [take.name for take in takes] == ["fight (Anna)", "fight (Ben 1)", "fight (Ben 2)", "walk"]
    assert still == ["zoom"]
    assert [float(take.positions[0, 2, 0]) for take in takes] == [0.0, 2.0, 4.0, 0.0]


def test_parts_of_one_figure_stay_together() -> None:
    file = figures("Armature")
    legs = [2 + i for i, name in enumerate(HUMANOID.names) if "Leg" in name or "Foot" in name]
    file.document["skins"] = [{"joints": legs}, {"joints": [i for i in range(2, 24) if i not in legs]}]
    file.animate("walk", [turn_of(0, "hips", TURNS)])
    (take,) = read_gltf(file.glb(), "file")
    assert len(take.names) == len(HUMANOID.names) + 2


@pytest.mark.parametrize("extension", ["VRMC_vrm_animation", "VRMC_vrm"])
def test_bones_that_a_vrm_file_names(extension: str) -> None:
    file = figures("Armature")
    for number, node in enumerate(file.document["nodes"]):
        node["name"] = f"J_{number}"
    bones = {name: {"node": 2 + i} for i, name in enumerate(HUMANOID.names)}
    file.document["extensions"] = {extension: {"humanoid": {"humanBones": {**bones, "jaw": {}, "odd": 3}}}}
    file.animate("walk", [turn_of(0, joint, TURNS) for joint in HUMANOID.names])
    (take,) = read_gltf(file.glb(), "file")
    assert take.names[:3] == ("J_0", "J_1", "hips") and set(take.names[2:]) == set(HUMANOID.names)


def test_bones_that_are_only_numbered_are_one_skeleton() -> None:
    file = figures("Armature")
    for number, node in enumerate(file.document["nodes"]):
        node["name"] = f"Bone.{number:03}"
    for side in ("left", "right"):
        hand = 2 + HUMANOID.index(f"{side}Hand")
        first = len(file.document["nodes"])
        file.document["nodes"][hand]["children"] = list(range(first, first + 15))
        file.document["nodes"] += [{"name": f"Bone.{first + i:03}"} for i in range(15)]
    file.animate("walk", [turn_of(0, joint, TURNS) for joint in HUMANOID.names])
    (take,) = read_gltf(file.glb(), "file")
    assert len(take.names) == len(HUMANOID.names) + 2


def test_deep_and_wide_skeletons_are_read() -> None:
    file = GltfFile()
    file.document["nodes"] = [{"name": f"n{i}", "children": [i + 1]} for i in range(1999)] + [{"name": "end"}]
    file.animate("a", [(i, "rotation", TIMES, TURNS, "LINEAR") for i in range(2000)])
    (take,) = read_gltf(file.glb(), "file")
    assert len(take.names) == 2000
