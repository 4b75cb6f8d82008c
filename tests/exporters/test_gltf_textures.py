"""GLB files of materials are read back with pygltflib and trimesh and compared with the texture set."""

from __future__ import annotations

import io
from dataclasses import replace
from typing import Any

import numpy as np
import pygltflib
import pytest
import trimesh
from hypothesis import given
from PIL import Image

from ganassets.api.assets import TextureSet
from ganassets.api.provenance import Provenance
from ganassets_gltf import EXPORTER
from ganassets_gltf.shapes import SHAPES
from support.texture_sets import make_bricks, plain, random_texture_sets

DEFAULTS = {option.name: option.default for option in EXPORTER.options}
WIDTHS = {"SCALAR": 1, "VEC2": 2, "VEC3": 3, "VEC4": 4}
SHAPE_NAMES = list(SHAPES)


def encode(asset: TextureSet, **options: object) -> bytes:
    """Encode a material as GLB; options have _ instead of -."""
    given = {name.replace("_", "-"): value for name, value in options.items()}
    ((name, content),) = EXPORTER.export(asset, DEFAULTS | given).items()
    assert name == f"{asset.name}.glb"
    return content


def parse(content: bytes) -> Any:
    """Parse a GLB with pygltflib; Any, because the type checker takes all parts of its document as optional."""
    return pygltflib.GLTF2.load_from_bytes(content)


def read(document: Any, index: int) -> np.ndarray:
    """Read the (n, c) values of an accessor."""
    accessor = document.accessors[index]
    dtype = {5123: np.uint16, 5126: np.float32}[accessor.componentType]
    view = document.bufferViews[accessor.bufferView]
    count = accessor.count * WIDTHS[accessor.type]
    start = view.byteOffset + accessor.byteOffset
    return np.frombuffer(document.binary_blob(), dtype, count, start).reshape(accessor.count, -1)


def picture(document: Any, info: Any) -> np.ndarray:
    """Decode the image of a texture info to (h, w, 3) uint8."""
    image = document.images[document.textures[info.index].source]
    view = document.bufferViews[image.bufferView]
    data = document.binary_blob()[view.byteOffset :][: view.byteLength]
    assert image.mimeType == Image.MIME[str(Image.open(io.BytesIO(data)).format)]
    return np.asarray(Image.open(io.BytesIO(data)))


def to_uint8(values: np.ndarray) -> np.ndarray:
    """Round values in [0, 1] to uint8."""
    return np.rint(values * np.float32(255)).astype(np.uint8)


def infos(document: Any) -> list[Any]:
    """List the material's texture infos: colour, occlusion-roughness-metallic twice, normal."""
    (material,) = document.materials
    surface = material.pbrMetallicRoughness
    return [
        surface.baseColorTexture,
        surface.metallicRoughnessTexture,
        material.occlusionTexture,
        material.normalTexture,
    ]


@given(random_texture_sets())
def test_every_map_comes_back(asset: TextureSet) -> None:
    document = parse(encode(asset))
    colour, orm, occlusion, normal = infos(document)
    assert orm.index == occlusion.index and len(document.images) == len(document.textures) == 3
    assert np.array_equal(picture(document, colour), to_uint8(asset.albedo))
    assert np.array_equal(
        picture(document, orm), to_uint8(np.stack([asset.occlusion, asset.roughness, asset.metallic], -1))
    )
    assert abs(picture(document, normal) / 255.0 * 2 - 1 - asset.normal).max() <= 1 / 255 + 1e-6
    (material,) = document.materials
    assert [material.normalTexture.scale, material.occlusionTexture.strength] in ([None, None], [1.0, 1.0])
    assert material.pbrMetallicRoughness.metallicFactor in (None, 1.0)
    assert material.pbrMetallicRoughness.roughnessFactor in (None, 1.0)
    (sampler,) = document.samplers
    assert (sampler.wrapS, sampler.wrapT) in ((None, None), (10497, 10497)), "repeat is the default"


def test_flat_is_the_usual_blue() -> None:
    document = parse(encode(plain()))
    assert (picture(document, infos(document)[3]) == [128, 128, 255]).all()


@pytest.mark.parametrize("shape", SHAPE_NAMES)
@pytest.mark.parametrize("size", [(8, 8), (6, 10)])
def test_the_texture_lies_upright_and_in_true_size(shape: str, size: tuple[int, int]) -> None:
    asset = plain(size)
    document = parse(encode(asset, shape=shape))
    (primitive,) = document.meshes[0].primitives
    at = primitive.attributes
    positions, normals, tangents, uvs = (read(document, k) for k in (at.POSITION, at.NORMAL, at.TANGENT, at.TEXCOORD_0))
    corners = read(document, primitive.indices).reshape(-1, 3)
    assert document.accessors[at.POSITION].min == positions.min(0).tolist()
    assert np.allclose(np.linalg.norm(normals, axis=1), 1, atol=1e-5)
    assert np.allclose(np.linalg.norm(tangents[:, :3], axis=1), 1, atol=1e-5)
    assert abs((normals * tangents[:, :3]).sum(1)).max() < 1e-5 and (tangents[:, 3] == 1).all()

    a, b, c = positions[corners].transpose(1, 0, 2)
    outward = np.cross(b - a, c - a)
    assert (np.linalg.norm(outward, axis=1) > 1e-9).all()
    assert ((outward[:, None] * normals[corners]).sum(-1) > 0).all(), "counter-clockwise seen from outside"
    # Metres along tangent and bitangent per unit of u and v, for each triangle.
    width, height = asset.size
    edges = np.stack([b - a, c - a], 1).astype(float)
    steps = (uvs[corners][:, 1:] - uvs[corners][:, :1]).astype(float)
    grows = np.linalg.inv(steps) @ edges  # (t, 2, 3)
    tangent = tangents[corners][:, :, :3].mean(1)
    bitangent = np.cross(normals[corners], tangents[corners][:, :, :3]).mean(1)
    if shape == "sphere":
        equator = abs(positions[corners][..., 1]).max(1) < 0.2 * positions[:, 1].max()
        grows, tangent, bitangent = grows[equator], tangent[equator], bitangent[equator]
    tolerance = 0.03 if shape == "sphere" else 1e-5
    assert np.allclose(grows[:, 0], tangent * width, atol=tolerance * width)
    assert np.allclose(grows[:, 1], -bitangent * height, atol=tolerance * height), "v runs down"


def test_the_plane_is_one_tile_that_faces_forward() -> None:
    document = parse(encode(plain((6, 10))))
    at = document.meshes[0].primitives[0].attributes
    positions, uvs = read(document, at.POSITION), read(document, at.TEXCOORD_0)
    assert np.allclose(np.ptp(positions, axis=0), [0.1, 0.06, 0]) and np.allclose(positions.mean(0), 0)
    assert (read(document, at.NORMAL) == [0, 0, 1]).all()
    upper_left = uvs[np.argmin(positions[:, 0] - positions[:, 1])]
    assert upper_left.tolist() == [0, 0] and uvs.max() == 1


@pytest.mark.parametrize("shape", SHAPE_NAMES)
def test_tiling_by_uvs_and_by_transform_is_the_same(shape: str) -> None:
    bricks = make_bricks(16)
    once, often, moved = (
        parse(encode(bricks, shape=shape, **options))
        for options in ({}, {"tiling": 3.5}, {"tiling": 3.5, "texture_transform": True})
    )
    once_uvs, often_uvs, moved_uvs = (
        read(document, document.meshes[0].primitives[0].attributes.TEXCOORD_0) for document in (once, often, moved)
    )
    assert np.allclose(often_uvs, 3.5 * once_uvs) and np.array_equal(moved_uvs, once_uvs)
    assert not once.extensionsUsed and not often.extensionsUsed
    assert moved.extensionsUsed == ["KHR_texture_transform"] and not moved.extensionsRequired
    for info in infos(moved):
        assert info.extensions == {"KHR_texture_transform": {"scale": [3.5, 3.5]}}
    assert not any(info.extensions for info in infos(often))


def test_provenance_and_sizes_are_in_the_file() -> None:
    bricks = make_bricks(16)
    asset = parse(encode(bricks)).asset
    assert asset.generator == "ganassets 0.1.0"
    assert asset.extras == {
        "generator": "textures 1.0",
        "model_digest": "ab" * 32,
        "seed": 7,
        "truncation": 0.85,
        "sliders": dict(bricks.provenance.sliders),
        "licence": "CC0-1.0",
        "texel_size": bricks.texel_size,
        "size": [pytest.approx(0.3), pytest.approx(0.3)],
        "tiles": True,
    }
    morphed = replace(bricks, provenance=Provenance(seed=1, morph=(9, 0.25)))
    assert parse(encode(morphed)).asset.extras["morph"] == [9, 0.25]


def test_trimesh_reads_the_plane() -> None:
    bricks = make_bricks(16)
    scene: Any = trimesh.load_scene(io.BytesIO(encode(bricks)), file_type="glb")
    (mesh,) = scene.geometry.values()
    assert np.allclose(mesh.extents, [0.3, 0.3, 0])
    assert np.array_equal(np.asarray(mesh.visual.material.baseColorTexture), to_uint8(bricks.albedo))


def test_jpeg_is_for_colour_only() -> None:
    document = parse(encode(make_bricks(32), image_format="jpeg"))
    assert [image.mimeType for image in document.images] == ["image/jpeg", "image/png", "image/png"]
    assert abs(picture(document, infos(document)[0]).astype(int) - to_uint8(make_bricks(32).albedo)).mean() < 4


def test_texture_size_reaches_the_file() -> None:
    document = parse(encode(make_bricks(32), texture_size=16))
    assert {picture(document, info).shape for info in infos(document)} == {(16, 16, 3)}
    assert document.asset.extras["texel_size"] == pytest.approx(0.3 / 16)


def test_settings_of_meshes_change_nothing() -> None:
    assert encode(make_bricks(16), morphs=False, rig=False) == encode(make_bricks(16))
