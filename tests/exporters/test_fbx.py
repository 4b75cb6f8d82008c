"""The FBX exporter without Blender: what it would be given, and how the program beside is started, asked and replaced.

tests/real has the files themselves.
"""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

import ganassets_fbx.blender as beside
from ganassets.api.assets import Material, Mesh, Topology
from ganassets.api.blender import VARIABLE
from ganassets.api.errors import GanassetsError, InputError
from ganassets.api.motion.kinematics import positions
from ganassets.api.motion.rigs import RIGS
from ganassets.api.motion.rotations import IDENTITY, conjugate, multiply, rotate
from ganassets_fbx import EXPORTER
from ganassets_fbx.engines import ENGINES
from ganassets_fbx.scene import Scene, clip_scene, mesh_scene
from support import stand_in_blender
from support.motion_clips import random_clip, walk_clip
from support.random_meshes import random_meshes

DEFAULTS = {option.name: option.default for option in EXPORTER.options}
# Answers as worker.py does: the words' name is what it writes, or what goes wrong.
STAND_IN = """
import json, os, sys
for line in sys.stdin:
    words = json.loads(line)
    if words["name"] == "dies":
        sys.exit("an Error of its own")
    print("Blender says something")
    with open(os.path.join(words["folder"], "scene.fbx"), "w") as file:
        file.write(f"{os.getpid()} {sorted(os.listdir(words['folder']))}")
    print("GANASSETS " + json.dumps({"error": "no" if words["name"] == "fails" else ""}), flush=True)
"""


@given(random_meshes(), st.sampled_from(list(ENGINES)))
def test_a_mesh_becomes_arrays(mesh: Mesh, engine: str) -> None:
    scene = mesh_scene(mesh, ENGINES[engine], DEFAULTS)
    topology, arrays, words = mesh.topology, scene.arrays, scene.words
    assert np.allclose(arrays["positions"], mesh.positions * 100)
    faces = np.split(arrays["corners"], arrays["starts"][1:]) if len(arrays["starts"]) else []
    wanted = [
        (list(dict.fromkeys(face)), material)
        for face, material in zip(topology.faces.tolist(), topology.face_materials.tolist(), strict=True)
    ]
    assert [(sorted(a), b) for a, b in zip(map(np.ndarray.tolist, faces), arrays["face_materials"], strict=True)] == [
        (sorted(a), b) for a, b in wanted
    ]
    assert arrays["corner_uvs"].shape == (len(arrays["corners"]), 2)
    rigged = bool(topology.joint_names)
    assert words["name"] == {"unity": "thing", "unreal": "SK_thing" if rigged else "SM_thing"}[engine]
    assert ("bones" in words) == rigged and ("offsets" in arrays) == bool(topology.morph_names)
    for row, material in zip(words["materials"], mesh.materials, strict=True):
        for key, pixels in (("albedo", material.albedo), ("roughness_map", material.roughness_map)):
            assert (row[key] is None) == (pixels is None)
            if pixels is not None:
                content = arrays[f"picture_{row[key]}"].tobytes()
                assert np.array_equal(np.asarray(Image.open(io.BytesIO(content))), pixels)
    assert len(set(words["pictures"])) == len(words["pictures"])
    assert all(name.startswith("T_thing_" if engine == "unreal" else "thing_") for name in words["pictures"])


def test_a_mesh_without_faces_is_refused() -> None:
    none = np.zeros((0, 4), np.int32)
    topology = Topology(none, none, np.zeros(0, np.int32), np.zeros((1, 2), np.float32), 1)
    point = np.array([[0, 1, 0]], np.float32)
    mesh = Mesh("thing", topology, point, point, np.zeros((0, 3), np.float32), ())
    with pytest.raises(InputError, match="a mesh without faces can't be written as FBX"):
        EXPORTER.export(mesh, DEFAULTS)


def test_a_folded_face_is_left_out() -> None:
    faces = np.array([[0, 1, 0, 2], [0, 1, 2, 3], [0, 0, 1, 1]], np.int32)
    topology = Topology(faces, faces, np.array([0, 1, 0], np.int32), np.zeros((4, 2), np.float32), 4)
    up = np.tile(np.array([[0, 1, 0]], np.float32), (4, 1))
    mesh = Mesh("thing", topology, up, up, np.zeros((0, 3), np.float32), (Material("a"), Material("b")))
    arrays = mesh_scene(mesh, ENGINES["unity"], DEFAULTS).arrays
    assert arrays["corners"].tolist() == [0, 1, 2, 3] and arrays["starts"].tolist() == [0]
    assert arrays["face_materials"].tolist() == [1]


@pytest.mark.parametrize("rig", ["vrm", "unreal", "mixamo"])
def test_poses_are_changes_of_the_rest_pose(rig: str) -> None:
    clip = random_clip(np.random.default_rng(4), 9)
    scene = clip_scene(clip, ENGINES["unity"], DEFAULTS | {"rig": rig})
    rest_places, rest_turns = scene.arrays["bone_places"] / 100, scene.arrays["bone_turns"].astype(float)
    shifts, turns = scene.arrays["shifts"] / 100, scene.arrays["turns"].astype(float)
    joints, moving = len(rest_places), shifts.shape[1]
    places, worlds = np.zeros((9, joints, 3)), np.tile(IDENTITY, (9, joints, 1)).astype(float)
    # As Blender poses: from the parent's pose to the bone at rest in its parent, then the change.
    for joint, parent in enumerate(scene.words["parents"]):
        root = parent < 0
        above = IDENTITY.astype(float) if root else rest_turns[parent]
        offset = rotate(conjugate(above), rest_places[joint] - (0 if root else rest_places[parent]))
        local = multiply(conjugate(above), rest_turns[joint])
        inside = offset + (rotate(local, shifts[:, joint]) if joint < moving else 0)
        turned = IDENTITY.astype(float) if root else worlds[:, parent]
        places[:, joint] = (0 if root else places[:, parent]) + rotate(turned, np.broadcast_to(inside, (9, 3)))
        worlds[:, joint] = multiply(multiply(turned, local), turns[:, joint])
    names = [RIGS[rig].bone_name(name) for name in clip.skeleton.names]
    found = places[:, [scene.words["bones"].index(name) for name in names]]
    assert abs(found - positions(clip)).max() < 1e-5


def test_names_for_unreal() -> None:
    words = clip_scene(walk_clip(), ENGINES["unreal"], DEFAULTS).words
    assert words["name"] == "A_walk" and words["bones"][:2] == ("root", "pelvis")
    assert clip_scene(walk_clip(), ENGINES["unity"], DEFAULTS).words["bones"][0] == "Hips"


@pytest.fixture
def stand_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A script in place of the worker, and nothing running from before."""
    script = tmp_path / "stand_in.py"
    script.write_text(STAND_IN)
    monkeypatch.setattr(beside, "SCRIPT", script)
    monkeypatch.setattr(beside, "_blender", None)
    stand_in_blender.stand_in(monkeypatch, tmp_path / "modules", sys.executable)
    yield
    if beside._blender:
        beside._blender.close()


def ask(name: str) -> tuple[int, str]:
    """Number of the process that answered, and which files it found."""
    number, _, files = beside.run_in_blender(Scene({"name": name}, {"positions": np.zeros(3)})).decode().partition(" ")
    return int(number), files


@pytest.mark.usefixtures("stand_in")
def test_one_process_serves_all_files() -> None:
    first, files = ask("one")
    assert files == "['scene.fbx', 'scene.npz']" and first != os.getpid()
    assert ask("two")[0] == first
    with pytest.raises(GanassetsError, match="couldn't write the file: no"):
        ask("fails")
    assert ask("three")[0] == first, "a file that fails ends nothing"


@pytest.mark.usefixtures("stand_in")
def test_a_dead_process_is_replaced() -> None:
    first, _ = ask("one")
    assert beside._blender
    beside._blender.process.kill()
    beside._blender.process.wait()
    second, _ = ask("two")
    assert second != first
    with pytest.raises(GanassetsError, match="ended before it had answered: an Error of its own"):
        ask("dies")
    assert ask("three")[0] not in (first, second)


def test_without_blender_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(beside, "_blender", None)
    monkeypatch.setenv(VARIABLE, "/no/such/blender")
    with pytest.raises(InputError, match=r"pip install 'ganassets\[blender\]'"):
        EXPORTER.export(walk_clip(), DEFAULTS)
