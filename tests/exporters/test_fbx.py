"""The FBX exporter without Blender: the scene that Blender would get, and how its process is started and replaced.

tests/real checks the files themselves.
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

import ganassets_fbx.blender as fbx_blender
from ganassets.api.assets import Material, Mesh, Topology
from ganassets.api.blender import VARIABLE
from ganassets.api.engines import ENGINES
from ganassets.api.errors import GanassetsError, InputError
from ganassets.api.motion.kinematics import positions
from ganassets.api.motion.rigs import RIGS
from ganassets.api.motion.rotations import IDENTITY, conjugate, multiply, rotate
from ganassets_fbx import ENGINE_NAMES, EXPORTER
from ganassets_fbx.scene import BlenderScene, make_clip_scene, make_mesh_scene
from support import stand_in_blender
from support.motion_clips import random_clip, walk_clip
from support.random_meshes import random_meshes

DEFAULTS = {option.name: option.default for option in EXPORTER.options}
# Answers as worker.py does: the name in the metadata says what goes wrong.
STAND_IN = """
import json, os, sys
for line in sys.stdin:
    metadata = json.loads(line)
    if metadata["name"] == "dies":
        sys.exit("an Error of its own")
    print("Blender says something")
    with open(os.path.join(metadata["folder"], "scene.fbx"), "w") as file:
        file.write(f"{os.getpid()} {sorted(os.listdir(metadata['folder']))}")
    print("GANASSETS " + json.dumps({"error": "no" if metadata["name"] == "fails" else ""}), flush=True)
"""


@given(random_meshes(), st.sampled_from(ENGINE_NAMES))
def test_a_mesh_becomes_arrays(mesh: Mesh, engine: str) -> None:
    scene = make_mesh_scene(mesh, ENGINES[engine], DEFAULTS)
    topology, arrays, metadata = mesh.topology, scene.arrays, scene.metadata
    assert np.allclose(arrays["positions"], mesh.positions * 100)
    faces = np.split(arrays["corners"], arrays["starts"][1:]) if len(arrays["starts"]) else []
    expected = [
        (list(dict.fromkeys(face)), material)
        for face, material in zip(topology.faces.tolist(), topology.face_materials.tolist(), strict=True)
    ]
    assert [(sorted(a), b) for a, b in zip(map(np.ndarray.tolist, faces), arrays["face_materials"], strict=True)] == [
        (sorted(a), b) for a, b in expected
    ]
    assert arrays["corner_uvs"].shape == (len(arrays["corners"]), 2)
    rigged = bool(topology.joint_names)
    assert metadata["name"] == {"unity": "thing", "unreal": "SK_thing" if rigged else "SM_thing"}[engine]
    assert ("bones" in metadata) == rigged and ("offsets" in arrays) == bool(topology.morph_names)
    for row, material in zip(metadata["materials"], mesh.materials, strict=True):
        for key, pixels in (("albedo", material.albedo), ("roughness_map", material.roughness_map)):
            assert (row[key] is None) == (pixels is None)
            if pixels is not None:
                content = arrays[f"image_{row[key]}"].tobytes()
                assert np.array_equal(np.asarray(Image.open(io.BytesIO(content))), pixels)
    assert len(set(metadata["images"])) == len(metadata["images"])
    assert all(name.startswith("T_thing_" if engine == "unreal" else "thing_") for name in metadata["images"])


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
    arrays = make_mesh_scene(mesh, ENGINES["unity"], DEFAULTS).arrays
    assert arrays["corners"].tolist() == [0, 1, 2, 3] and arrays["starts"].tolist() == [0]
    assert arrays["face_materials"].tolist() == [1]


@pytest.mark.parametrize("rig", ["vrm", "unreal", "mixamo"])
def test_poses_are_changes_of_the_rest_pose(rig: str) -> None:
    clip = random_clip(np.random.default_rng(4), 9)
    scene = make_clip_scene(clip, ENGINES["unity"], DEFAULTS | {"rig": rig})
    rest_places, rest_turns = scene.arrays["bone_positions"] / 100, scene.arrays["bone_rotations"].astype(float)
    shifts, turns = scene.arrays["translations"] / 100, scene.arrays["rotations"].astype(float)
    joints, moving = len(rest_places), shifts.shape[1]
    places, worlds = np.zeros((9, joints, 3)), np.tile(IDENTITY, (9, joints, 1)).astype(float)
    # Blender poses a bone from its parent's pose by the bone's rest transform in the parent, then by the change.
    for joint, parent in enumerate(scene.metadata["parents"]):
        root = parent < 0
        above = IDENTITY.astype(float) if root else rest_turns[parent]
        offset = rotate(conjugate(above), rest_places[joint] - (0 if root else rest_places[parent]))
        local = multiply(conjugate(above), rest_turns[joint])
        inside = offset + (rotate(local, shifts[:, joint]) if joint < moving else 0)
        turned = IDENTITY.astype(float) if root else worlds[:, parent]
        places[:, joint] = (0 if root else places[:, parent]) + rotate(turned, np.broadcast_to(inside, (9, 3)))
        worlds[:, joint] = multiply(multiply(turned, local), turns[:, joint])
    names = [RIGS[rig].bone_name(name) for name in clip.skeleton.names]
    found = places[:, [scene.metadata["bones"].index(name) for name in names]]
    assert abs(found - positions(clip)).max() < 1e-5


def test_names_for_unreal() -> None:
    metadata = make_clip_scene(walk_clip(), ENGINES["unreal"], DEFAULTS).metadata
    assert metadata["name"] == "A_walk" and metadata["bones"][:2] == ("root", "pelvis")
    assert make_clip_scene(walk_clip(), ENGINES["unity"], DEFAULTS).metadata["bones"][0] == "Hips"


@pytest.fixture
def stand_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Put a script in the worker's place, with no process running from before."""
    script = tmp_path / "stand_in.py"
    script.write_text(STAND_IN)
    monkeypatch.setattr(fbx_blender, "SCRIPT", script)
    monkeypatch.setattr(fbx_blender, "_blender", None)
    stand_in_blender.stand_in(monkeypatch, tmp_path / "modules", sys.executable)
    yield
    if fbx_blender._blender:
        fbx_blender._blender.close()


def ask(name: str) -> tuple[int, str]:
    """Write a scene; returns the process id of the worker and the files that it found."""
    number, _, files = (
        fbx_blender.run_in_blender(BlenderScene({"name": name}, {"positions": np.zeros(3)})).decode().partition(" ")
    )
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
    assert fbx_blender._blender
    fbx_blender._blender.process.kill()
    fbx_blender._blender.process.wait()
    second, _ = ask("two")
    assert second != first
    with pytest.raises(GanassetsError, match="ended before it had answered: an Error of its own"):
        ask("dies")
    assert ask("three")[0] not in (first, second)


def test_without_blender_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fbx_blender, "_blender", None)
    monkeypatch.setenv(VARIABLE, "/no/such/blender")
    with pytest.raises(InputError, match=r"pip install 'ganassets\[blender\]'"):
        EXPORTER.export(walk_clip(), DEFAULTS)
