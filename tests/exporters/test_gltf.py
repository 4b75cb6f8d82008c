"""GLB files of meshes are read back with pygltflib and trimesh and compared with the mesh."""

from __future__ import annotations

import io
import json
import subprocess
import sys
import weakref
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import trimesh
from hypothesis import given, settings
from PIL import Image

from ganassets.api.assets import Material, Mesh, MotionClip, TextureSet, Topology
from ganassets.api.errors import InputError
from ganassets_gltf import EXPORTER
from ganassets_gltf.mesh_template import cached_template
from support.glb_files import parse
from support.heads import make_head
from support.motion_clips import walk_clip
from support.random_meshes import random_meshes
from support.texture_sets import plain

DEFAULTS = {option.name: option.default for option in EXPORTER.options}
TYPES = {5121: np.uint8, 5123: np.uint16, 5125: np.uint32, 5126: np.float32}
WIDTHS = {"SCALAR": 1, "VEC2": 2, "VEC3": 3, "VEC4": 4, "MAT4": 16}


def encode(mesh: Mesh, **options: object) -> bytes:
    """Encode a mesh as GLB; options have _ instead of -."""
    given = {name.replace("_", "-"): value for name, value in options.items()}
    (content,) = EXPORTER.export(mesh, DEFAULTS | given).values()
    return content


def view_bytes(document: Any, view: int, offset: int | None, size: int) -> bytes:
    """Read bytes of a buffer view; fails if they lie outside."""
    part = document.bufferViews[view]
    start = offset or 0
    assert start + size <= part.byteLength
    assert part.byteOffset + part.byteLength <= document.buffers[0].byteLength
    return document.binary_blob()[part.byteOffset + start :][:size]


def read(document: Any, index: int) -> np.ndarray:
    """Read the (n, c) values of an accessor and check its bounds."""
    accessor = document.accessors[index]
    width, dtype = WIDTHS[accessor.type], np.dtype(TYPES[accessor.componentType])
    values = np.zeros((accessor.count, width), dtype)
    if accessor.bufferView is not None:
        raw = view_bytes(document, accessor.bufferView, accessor.byteOffset, values.nbytes)
        values = np.frombuffer(raw, dtype).reshape(-1, width).copy()
    if accessor.sparse:
        n, where, what = accessor.sparse.count, accessor.sparse.indices, accessor.sparse.values
        kind = np.dtype(TYPES[where.componentType])
        rows = np.frombuffer(view_bytes(document, where.bufferView, where.byteOffset, n * kind.itemsize), kind)
        raw = view_bytes(document, what.bufferView, what.byteOffset, n * width * dtype.itemsize)
        assert n > 0 and (np.diff(rows.astype(int)) > 0).all() and rows.max() < accessor.count
        values[rows] = np.frombuffer(raw, dtype).reshape(-1, width)
    if accessor.min:
        assert np.array_equal(np.array(accessor.min, np.float32), values.min(0))
        assert np.array_equal(np.array(accessor.max, np.float32), values.max(0))
    return values


def expected_corners(topology: Topology, material: int) -> tuple[np.ndarray, np.ndarray]:
    """List (3 t,) vertex and uv indices of a material's triangles, in order."""
    chosen = topology.face_materials == material
    order = [0, 1, 2, 0, 2, 3]
    vertices = topology.faces[chosen][:, order].reshape(-1, 3)
    uvs = topology.face_uvs[chosen][:, order].reshape(-1, 3)
    whole = np.array([len(set(corner)) == 3 for corner in vertices.tolist()], bool)
    return vertices[whole].ravel(), uvs[whole].ravel()


def dense_weights(joints: np.ndarray, weights: np.ndarray, count: int) -> np.ndarray:
    """Spread weights to (n, count): one for every joint."""
    dense = np.zeros((len(joints), count))
    np.add.at(dense, (np.arange(len(joints))[:, None], joints), weights)
    return dense


@settings(max_examples=150, deadline=None)
@given(random_meshes())
def test_every_corner_comes_back(mesh: Mesh) -> None:
    topology: Any = mesh.topology
    document = parse(encode(mesh))
    assert [view.byteOffset % 4 for view in document.bufferViews] == [0] * len(document.bufferViews)
    names = [material.name for material in document.materials]
    primitives = document.meshes[0].primitives
    assert names == [mesh.materials[k].name for k in np.unique(topology.face_materials)]
    for primitive in primitives:
        material = [m.name for m in mesh.materials].index(names[primitive.material])
        vertices, uvs = expected_corners(topology, material)
        corners = read(document, primitive.indices)[:, 0]
        attributes = primitive.attributes
        positions = read(document, attributes.POSITION)
        assert document.accessors[attributes.POSITION].min
        assert np.array_equal(positions[corners], mesh.positions[vertices])
        assert np.array_equal(read(document, attributes.NORMAL)[corners], mesh.normals[vertices])
        assert np.array_equal(read(document, attributes.TEXCOORD_0)[corners], topology.uvs[uvs])
        for target, offsets in enumerate(topology.morph_offsets if topology.morph_names else ()):
            moved = read(document, primitive.targets[target]["POSITION"])
            assert len(moved) == len(positions) and np.array_equal(moved[corners], offsets[vertices])
        if topology.joint_names:
            joints, weights = read(document, attributes.JOINTS_0), read(document, attributes.WEIGHTS_0)
            assert (joints[weights == 0] == 0).all()
            assert all(len(set(j[w > 0])) == (w > 0).sum() for j, w in zip(joints, weights, strict=True))
            assert (abs(weights.sum(1) - 1) <= 2e-7 * (weights > 0).sum(1)).all()
            count = len(topology.joint_names)
            expected = dense_weights(topology.skin_joints[vertices], topology.skin_weights[vertices], count)
            assert np.allclose(dense_weights(joints, weights, count)[corners], expected, atol=1e-6)


@settings(max_examples=60, deadline=None)
@given(random_meshes(rigged=True))
def test_joints_rest_where_the_mesh_has_them(mesh: Mesh) -> None:
    document = parse(encode(mesh))
    skin, nodes = document.skins[0], document.nodes
    assert [nodes[j].name for j in skin.joints] == list(mesh.topology.joint_names)
    assert sorted(document.scenes[0].nodes) == sorted([0, skin.skeleton])

    def walk(index: int, above: np.ndarray) -> dict[int, np.ndarray]:
        here = above + np.array(nodes[index].translation or [0, 0, 0])
        found = {index: here}
        for child in nodes[index].children or []:
            found |= walk(child, here)
        return found

    world = walk(skin.skeleton, np.zeros(3))
    assert np.allclose([world[j] for j in skin.joints], mesh.joints, atol=1e-5)
    inverse = read(document, skin.inverseBindMatrices).reshape(-1, 4, 4)
    assert np.array_equal(inverse[:, 3, :3], -mesh.joints)
    assert np.array_equal(inverse[:, :3, :3], np.tile(np.eye(3), (len(mesh.joints), 1, 1)))


@settings(max_examples=40, deadline=None)
@given(random_meshes())
def test_textures_come_back(mesh: Mesh) -> None:
    document = parse(encode(mesh))
    by_name = {material.name: material for material in mesh.materials}
    for written in document.materials:
        material, surface = by_name[written.name], written.pbrMetallicRoughness
        assert surface.baseColorFactor == [*material.base_colour, 1.0]
        assert (surface.roughnessFactor, surface.metallicFactor) == (material.roughness, material.metallic)
        assert (surface.baseColorTexture is None) == (material.albedo is None)
        assert (surface.metallicRoughnessTexture is None) == (material.roughness_map is None)
        if material.albedo is not None:
            assert np.array_equal(picture(document, surface.baseColorTexture.index), material.albedo)
        if material.roughness_map is not None:
            channels = picture(document, surface.metallicRoughnessTexture.index)
            assert np.array_equal(channels[..., 1], material.roughness_map)
            assert (channels[..., 2] == 255).all()


def picture(document: Any, texture: int) -> np.ndarray:
    """Decode a texture to (h, w, 3) uint8."""
    image = document.images[document.textures[texture].source]
    view = document.bufferViews[image.bufferView]
    return np.asarray(Image.open(io.BytesIO(view_bytes(document, image.bufferView, 0, view.byteLength))))


@settings(max_examples=40, deadline=None)
@given(random_meshes(rigged=True, morphed=True))
def test_without_morphs_and_rig(mesh: Mesh) -> None:
    document = parse(encode(mesh, morphs=False))
    assert all(not primitive.targets for primitive in document.meshes[0].primitives)
    assert document.skins and not document.meshes[0].extras
    document = parse(encode(mesh, skin=False))
    assert not document.skins and len(document.nodes) == 1 and document.nodes[0].skin is None
    assert all(p.attributes.JOINTS_0 is None and p.targets for p in document.meshes[0].primitives)


def test_container_is_exact() -> None:
    content = encode(make_head(1))
    assert content[:4] == b"glTF" and np.frombuffer(content[4:12], "<u4").tolist() == [2, len(content)]
    length = int(np.frombuffer(content[12:16], "<u4")[0])
    assert content[16:20] == b"JSON" and length % 4 == 0
    rest = content[20 + length :]
    assert np.frombuffer(rest[:4], "<u4")[0] == len(rest) - 8 and rest[4:8] == b"BIN\0"
    document = json.loads(content[20 : 20 + length], parse_constant=lambda name: pytest.fail(f"{name} in the JSON"))
    assert document["buffers"] == [{"byteLength": len(rest) - 8}]
    assert "extensionsUsed" not in document


def test_provenance_is_in_the_file() -> None:
    head = make_head(7)
    asset = parse(encode(head)).asset
    assert asset.generator == head.provenance.software
    assert asset.extras == {
        "generator": head.provenance.generator,
        "model_digest": head.provenance.model_digest,
        "seed": 7,
        "truncation": 1.0,
        "sliders": dict(head.provenance.sliders),
        "licence": head.provenance.licence,
    }


def test_head_has_its_52_expressions() -> None:
    document = parse(encode(make_head(2)))
    names = document.meshes[0].extras["targetNames"]
    assert len(names) == 52 and {"jawOpen", "eyeBlinkLeft", "mouthSmileRight"} <= set(names)
    assert [len(primitive.targets) for primitive in document.meshes[0].primitives] == [52] * 3


def test_trimesh_reads_the_head() -> None:
    head = make_head(5)
    scene: Any = trimesh.load_scene(io.BytesIO(encode(head)), file_type="glb")
    assert np.allclose(scene.bounds, [head.positions.min(0), head.positions.max(0)], atol=1e-6)
    assert 0.2 < scene.extents[1] < 0.4
    skin = max(scene.geometry.values(), key=lambda part: len(part.faces))
    assert np.array_equal(np.asarray(skin.visual.material.baseColorTexture), np.array(head.materials[0].albedo))


def test_same_head_same_bytes() -> None:
    assert encode(make_head(4)) == encode(make_head(4))
    assert encode(make_head(4)) != encode(make_head(5))


def test_heads_differ_only_in_their_own_arrays() -> None:
    first, second = (parse(encode(make_head(seed), morphs=True)) for seed in (1, 2))
    primitives = zip(first.meshes[0].primitives, second.meshes[0].primitives, strict=True)
    assert all(a.targets == b.targets and a.indices == b.indices for a, b in primitives)
    a, b = (read(d, d.meshes[0].primitives[0].attributes.POSITION) for d in (first, second))
    assert a.shape == b.shape and not np.allclose(a, b)


@pytest.mark.parametrize(("size", "shape"), [(0, (6, 12)), (24, (12, 24)), (4, (2, 4)), (1, (1, 1))])
def test_texture_size_is_the_longer_side(size: int, shape: tuple[int, int]) -> None:
    wide = np.full((6, 12, 3), (200, 120, 40), np.uint8)
    document = parse(encode(with_material(Material("wide", albedo=wide)), texture_size=size))
    result = picture(document, 0)
    assert result.shape == (*shape, 3)
    assert (result == wide[0, 0]).all()


def test_jpeg_is_for_colours_only() -> None:
    ramp = np.repeat(np.linspace(20, 230, 32).astype(np.uint8)[None], 32, 0)
    albedo = np.stack([ramp, ramp.T, 255 - ramp], -1)
    material = Material("ramp", albedo=albedo, roughness_map=ramp)
    document = parse(encode(with_material(material), image_format="jpeg"))
    assert [image.mimeType for image in document.images] == ["image/jpeg", "image/png"]
    assert abs(picture(document, 0).astype(int) - albedo).mean() < 4
    assert np.array_equal(picture(document, 1)[..., 1], ramp)


def test_a_shared_picture_is_written_once() -> None:
    head = make_head(0)
    albedo = np.array(head.materials[0].albedo)
    shared = tuple(replace(material, albedo=albedo, roughness_map=None) for material in head.materials)
    assert len(parse(encode(replace(head, materials=shared))).images) == 1
    copies = tuple(replace(material, albedo=albedo.copy(), roughness_map=None) for material in head.materials)
    assert len(parse(encode(replace(head, materials=copies))).images) == 3


def test_large_meshes_have_32_bit_indices() -> None:
    n = 260
    grid = np.arange(n * n).reshape(n, n)
    faces = np.stack([grid[:-1, :-1], grid[:-1, 1:], grid[1:, 1:], grid[1:, :-1]], -1).reshape(-1, 4).astype(np.int32)
    y, x = np.mgrid[:n, :n].astype(np.float32)
    positions = np.stack([x, y, 0 * x], -1).reshape(-1, 3)
    topology = Topology(faces, faces, np.zeros(len(faces), np.int32), (positions[:, :2] / n).astype(np.float32), n * n)
    normals = np.tile(np.array([0, 0, 1], np.float32), (n * n, 1))
    mesh = Mesh("grid", topology, positions, normals, np.zeros((0, 3), np.float32), (Material("grey"),))
    document = parse(encode(mesh))
    primitive = document.meshes[0].primitives[0]
    corners = read(document, primitive.indices)[:, 0]
    assert corners.dtype == np.uint32 and corners.max() == n * n - 1
    vertices, _ = expected_corners(topology, 0)
    assert np.array_equal(read(document, primitive.attributes.POSITION)[corners], positions[vertices])


def test_a_mesh_without_faces_is_refused() -> None:
    topology = Topology(
        np.zeros((0, 4), np.int32), np.zeros((0, 4), np.int32), np.zeros(0, np.int32), np.zeros((1, 2), np.float32), 1
    )
    up = np.array([[0, 1, 0]], np.float32)
    mesh = Mesh("nothing", topology, up, up, np.zeros((0, 3), np.float32), (Material("none"),))
    with pytest.raises(InputError, match="without faces"):
        encode(mesh)


def test_the_cache_lives_as_long_as_the_topology() -> None:
    mesh = with_material(Material("plain"))
    topology = mesh.topology
    assert cached_template(topology, True, True) is cached_template(topology, True, True)
    reference = weakref.ref(topology)
    del topology, mesh
    assert reference() is None


def test_names_for_an_engine() -> None:
    mesh = with_material(Material("plain"))

    def name(asset: Mesh | TextureSet | MotionClip, **options: object) -> str:
        return next(iter(EXPORTER.export(asset, DEFAULTS | options)))

    assert name(mesh) == "square.glb" and name(walk_clip()) == "walk.glb"
    assert name(mesh, engine="unreal") == "SK_square.glb" and name(mesh, engine="unreal", skin=False) == "SM_square.glb"
    assert name(walk_clip(), engine="unreal") == "A_walk.glb" and name(plain(), engine="unreal") == "SM_plain.glb"


def test_listing_the_exporter_loads_no_image_library() -> None:
    code = "import sys, ganassets_gltf; print(sorted({'PIL', 'trimesh', 'torch', 'pygltflib'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def with_material(material: Material) -> Mesh:
    """Make a square of one material with one joint and one morph target."""
    square = np.array([[0, 0, 0], [1, 0, 0], [1, 1, 0], [0, 1, 0]], np.float32)
    faces = np.array([[0, 1, 2, 3]], np.int32)
    topology = Topology(
        faces,
        faces,
        np.zeros(1, np.int32),
        square[:, :2].copy(),
        4,
        joint_names=("root",),
        joint_parents=(-1,),
        skin_joints=np.zeros((4, 4), np.int32),
        skin_weights=np.eye(4, dtype=np.float32)[[0] * 4],
        morph_names=("grow",),
        morph_offsets=square[None] * np.float32(0.1),
    )
    normals = np.tile(np.array([0, 0, 1], np.float32), (4, 1))
    return Mesh("square", topology, square, normals, np.zeros((1, 3), np.float32), (material,))
