"""Write a material on a shape as a glTF document. glTF has no height maps; the images exporter writes them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from ganassets.api.assets import TextureSet
from ganassets.api.engines import COLOUR, NORMAL, ORM
from ganassets.api.images.encoding import quantize
from ganassets.api.images.resizing import resize_textures
from ganassets.api.images.texture_maps import pack_channels

from .binary import INDICES, BinaryChunk
from .document import describe_asset, pack_document
from .materials import EmbeddedImages
from .shapes import SHAPES, Shape

TRANSFORM = "KHR_texture_transform"


def encode_textured_shape(asset: TextureSet, options: Mapping[str, Any]) -> bytes:
    """Encode a material on a shape as GLB."""
    asset = resize_textures(asset, options["texture-size"])
    tiling, transform = options["tiling"], options["texture-transform"]
    shape = SHAPES[options["shape"]](*asset.size)
    if not transform:
        shape = replace(shape, uvs=shape.uvs * np.float32(tiling))
    binary = BinaryChunk()
    document = {
        "asset": describe_asset(asset.provenance, texel_size=asset.texel_size, size=asset.size, tiles=asset.tiles),
        "scene": 0,
        "scenes": [{"name": asset.name, "nodes": [0]}],
        "nodes": [{"name": asset.name, "mesh": 0}],
        "meshes": [{"name": asset.name, "primitives": [add_shape(binary, shape)]}],
        **add_material(binary, asset, options, {TRANSFORM: {"scale": [tiling, tiling]}} if transform else {}),
    }
    if transform:
        document["extensionsUsed"] = [TRANSFORM]
    return pack_document(document, binary)


def add_shape(binary: BinaryChunk, shape: Shape) -> dict[str, Any]:
    """Append a shape and return its primitive."""
    rows = [slice(0, len(shape.positions))]
    (indices,) = binary.add_attribute(shape.indices, "SCALAR", [slice(0, len(shape.indices))], target=INDICES)
    attributes = {
        "POSITION": binary.add_attribute(shape.positions, "VEC3", rows, bounds=True),
        "NORMAL": binary.add_attribute(shape.normals, "VEC3", rows),
        "TANGENT": binary.add_attribute(shape.tangents, "VEC4", rows),
        "TEXCOORD_0": binary.add_attribute(shape.uvs, "VEC2", rows),
    }
    return {
        "attributes": {name: accessors[0] for name, accessors in attributes.items()},
        "indices": indices,
        "material": 0,
    }


def add_material(
    binary: BinaryChunk, asset: TextureSet, options: Mapping[str, Any], extensions: dict[str, Any]
) -> dict[str, Any]:
    """Append the images of a material.

    Args:
        binary: Chunk that gets the images.
        asset: The material.
        options: "image-format".
        extensions: glTF's extensions of every texture that the material uses.

    Returns:
        The document's material and textures.
    """
    images = EmbeddedImages(binary, options["image-format"] == "jpeg")

    def texture(name: str, channels: tuple[str, ...]) -> dict[str, Any]:
        pixels = quantize(pack_channels(asset, channels))
        index = images.add(f"{asset.name}-{name}", pixels, colour=channels == COLOUR)
        return {"index": index, "extensions": extensions} if extensions else {"index": index}

    base_colour = texture("base-colour", COLOUR)
    normal = texture("normal", NORMAL)
    orm = texture("occlusion-roughness-metallic", ORM)
    material = {
        "name": asset.name,
        "pbrMetallicRoughness": {"baseColorTexture": base_colour, "metallicRoughnessTexture": orm},
        "normalTexture": normal,
        "occlusionTexture": orm,
    }
    return {"materials": [material], **images.document_parts()}
