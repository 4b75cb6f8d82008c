"""OBJ, PLY and STL files are read back and compared with the mesh."""

from __future__ import annotations

import io
import subprocess
import sys
from typing import Any

import numpy as np
import pytest
import trimesh
from hypothesis import given, settings
from PIL import Image
from trimesh.exchange.ply import load_ply

from ganassets.api.assets import Exporter, Material, Mesh
from ganassets_meshes import OBJ, PLY, STL
from ganassets_meshes.triangles import sample_colours
from support.heads import make_head
from support.random_meshes import random_meshes


def parse_obj(text: str) -> dict[str, list[list[str]]]:
    """Parse an OBJ or MTL file: the words after each keyword and, under "faces", a material and its corners."""
    found: dict[str, list[list[str]]] = {"faces": []}
    material = ""
    for line in text.splitlines():
        keyword, *words = line.split() or [""]
        found.setdefault(keyword, []).append(words)
        if keyword == "usemtl":
            material = words[0]
        if keyword == "f":
            found["faces"].append([material, *words])
    return found


def triangle_corners(mesh: Mesh) -> np.ndarray:
    """List the (t, 3) vertices of the mesh's triangles."""
    corners = mesh.topology.faces[:, [0, 1, 2, 0, 2, 3]].reshape(-1, 3)
    return corners[[len(set(c)) == 3 for c in corners.tolist()]]


@settings(max_examples=80, deadline=None)
@given(random_meshes())
def test_obj_comes_back(mesh: Mesh) -> None:
    topology = mesh.topology
    files = OBJ.export(mesh, {})
    parsed = parse_obj(files["thing.obj"].decode())
    numbers = {key: np.array(parsed[key], float) for key in ("v", "vt", "vn")}
    assert np.allclose(numbers["v"], mesh.positions, atol=1e-6)
    assert np.allclose(numbers["vt"], topology.uvs * [1, -1] + [0, 1], atol=1e-6)
    assert np.allclose(numbers["vn"], mesh.normals, atol=1e-4)
    written = sorted((face[0], tuple(tuple(map(int, c.split("/"))) for c in face[1:])) for face in parsed["faces"])
    expected = sorted(
        (mesh.materials[k].name.replace(" ", "_"), tuple(dict.fromkeys((v + 1, t + 1, v + 1) for v, t in corners)))
        for k, corners in (
            (k, zip(v, t, strict=True))
            for k, v, t in zip(
                topology.face_materials.tolist(), topology.faces.tolist(), topology.face_uvs.tolist(), strict=True
            )
        )
    )
    assert written == expected
    library = parse_obj(files["thing.mtl"].decode())
    assert [words[0] for words in library["newmtl"]] == list(dict.fromkeys(face[0] for face in parsed["faces"]))
    pictures = {words[0] for key in ("map_Kd", "map_Pr") for words in library.get(key, [])}
    assert pictures == set(files) - {"thing.obj", "thing.mtl"}


def test_obj_of_a_head() -> None:
    head = make_head(3)
    files = OBJ.export(head, {})
    assert {f"{head.name}.obj", f"{head.name}.mtl", f"{head.name}-skin-albedo.png"} <= set(files)
    picture = Image.open(io.BytesIO(files[f"{head.name}-skin-albedo.png"]))
    assert np.array_equal(np.asarray(picture), np.array(head.materials[0].albedo))
    faces = parse_obj(files[f"{head.name}.obj"].decode())["faces"]
    assert {len(face) for face in faces} == {5}, "quads stay quads"
    assert {face[0] for face in faces} == {"skin", "mouth", "eyes"}


@settings(max_examples=60, deadline=None)
@given(random_meshes())
def test_ply_comes_back(mesh: Mesh) -> None:
    back: Any = load_ply(io.BytesIO(PLY.export(mesh, {})["thing.ply"]))
    assert np.array_equal(back["vertices"], mesh.positions)
    assert np.array_equal(back["faces"], triangle_corners(mesh))
    assert np.allclose(back["vertex_normals"], mesh.normals, atol=1e-6)


@settings(max_examples=60, deadline=None)
@given(random_meshes())
def test_stl_comes_back(mesh: Mesh) -> None:
    content = STL.export(mesh, {})["thing.stl"]
    assert len(content) == 84 + 50 * len(triangle_corners(mesh)) and not content.startswith(b"solid")
    back: Any = trimesh.load_mesh(io.BytesIO(content), file_type="stl", process=False)
    assert np.array_equal(back.triangles, mesh.positions[triangle_corners(mesh)])


def test_ply_colours_are_the_textures() -> None:
    head = make_head(6)
    topology, albedo = head.topology, np.array(head.materials[0].albedo)
    back: Any = trimesh.load_mesh(io.BytesIO(PLY.export(head, {})[f"{head.name}.ply"]), file_type="ply", process=False)
    skin = topology.face_materials == 0
    pairs = np.unique(np.stack([topology.faces[skin], topology.face_uvs[skin]], -1).reshape(-1, 2), axis=0)
    vertices, counts = np.unique(pairs[:, 0], return_counts=True)
    inner = np.setdiff1d(
        vertices[counts == 1], topology.faces[~skin]
    )  # vertices with one texture coordinate and one material
    u, v = topology.uvs[pairs[np.isin(pairs[:, 0], inner), 1]].T
    texels = albedo[(v * len(albedo)).astype(int), (u * albedo.shape[1]).astype(int)]
    assert len(inner) > 2000
    assert np.array_equal(back.visual.vertex_colors[inner, :3], texels)


def test_colours_are_texels_times_linear_factor() -> None:
    albedo = np.array([[[0, 0, 0], [255, 255, 255]], [[188, 188, 188], [10, 20, 30]]], np.uint8)
    uvs = np.array([[0.2, 0.2], [0.8, 0.2], [0.2, 0.8], [0.8, 0.8], [1.0, 1.0]], np.float32)
    plain = sample_colours(Material("m", albedo=albedo), uvs)
    assert np.array_equal(plain[:4], albedo.reshape(-1, 3))
    # 188 in sRGB is half of white's light.
    half = sample_colours(Material("m", base_colour=(0.5, 0.5, 0.5), albedo=albedo), uvs)
    assert half[0].tolist() == [0, 0, 0] and half[1].tolist() == [188, 188, 188]


@pytest.mark.parametrize("exporter", [OBJ, PLY, STL], ids=lambda e: e.name)
def test_provenance_and_name_are_in_the_file(exporter: Exporter) -> None:
    head = make_head(9)
    content = exporter.export(head, {})[f"{head.name}{exporter.suffixes[0]}"]
    assert head.name.encode() in content[:400]


def test_listing_the_exporters_loads_no_mesh_library() -> None:
    code = "import sys, ganassets_meshes; print(sorted({'PIL', 'trimesh', 'torch'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
