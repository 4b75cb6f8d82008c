"""A material on a shape as a glTF document. glTF has no place for height: the images exporter writes it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from PIL import Image

from ganassets.api.assets import TextureSet

from .binary import INDICES, Binary
from .document import asset_of, pack_document
from .materials import PNG, Pictures, colour_format, fitted
from .shapes import SHAPES, Shape

TRANSFORM = "KHR_texture_transform"
LANCZOS_REACH = 3  # texels of the coarser of the two pictures


def encode_surface(asset: TextureSet, options: Mapping[str, Any]) -> bytes:
    """GLB of a material on a shape."""
    asset = resampled(asset, options["texture-size"])
    tiling, transform = options["tiling"], options["texture-transform"]
    shape = SHAPES[options["shape"]](*asset.size)
    if not transform:
        shape = replace(shape, uvs=shape.uvs * np.float32(tiling))
    binary = Binary()
    document = {
        "asset": asset_of(asset.provenance, texel_size=asset.texel_size, size=asset.size, tiles=asset.tiles),
        "scene": 0,
        "scenes": [{"name": asset.name, "nodes": [0]}],
        "nodes": [{"name": asset.name, "mesh": 0}],
        "meshes": [{"name": asset.name, "primitives": [add_shape(binary, shape)]}],
        **add_material(binary, asset, options, {TRANSFORM: {"scale": [tiling, tiling]}} if transform else {}),
    }
    if transform:
        document["extensionsUsed"] = [TRANSFORM]
    return pack_document(document, binary)


def add_shape(binary: Binary, shape: Shape) -> dict[str, Any]:
    """Append a shape; returns its primitive."""
    every = [slice(0, len(shape.positions))]
    (indices,) = binary.add_attribute(shape.indices, "SCALAR", [slice(0, len(shape.indices))], target=INDICES)
    attributes = {
        "POSITION": binary.add_attribute(shape.positions, "VEC3", every, bounds=True),
        "NORMAL": binary.add_attribute(shape.normals, "VEC3", every),
        "TANGENT": binary.add_attribute(shape.tangents, "VEC4", every),
        "TEXCOORD_0": binary.add_attribute(shape.uvs, "VEC2", every),
    }
    return {
        "attributes": {name: accessors[0] for name, accessors in attributes.items()},
        "indices": indices,
        "material": 0,
    }


def add_material(
    binary: Binary, asset: TextureSet, options: Mapping[str, Any], extensions: dict[str, Any]
) -> dict[str, Any]:
    """Append the images; returns the document's material and textures.

    Args:
        extensions: of every texture that the material uses.
    """
    pictures = Pictures(binary)

    def texture(name: str, values: np.ndarray, save: Mapping[str, Any]) -> dict[str, Any]:
        pixels = np.rint(values * np.float32(255)).astype(np.uint8)
        index = pictures.add(f"{asset.name}-{name}", Image.fromarray(pixels), save)
        return {"index": index, "extensions": extensions} if extensions else {"index": index}

    colour = texture("base-colour", asset.albedo, colour_format(options))
    normal = texture("normal", asset.normal * np.float32(0.5) + np.float32(0.5), PNG)
    packed = np.stack([asset.occlusion, asset.roughness, asset.metallic], -1)
    orm = texture("occlusion-roughness-metallic", packed, PNG)
    material = {
        "name": asset.name,
        "pbrMetallicRoughness": {"baseColorTexture": colour, "metallicRoughnessTexture": orm},
        "normalTexture": normal,
        "occlusionTexture": orm,
    }
    return {"materials": [material], **pictures.parts()}


def resampled(asset: TextureSet, longest: int) -> TextureSet:
    """The material with its longer side of so many texels (0: as it is); what tiles goes on tiling."""
    h, w = asset.height.shape
    if not longest or longest == max(h, w):
        return asset
    columns, rows = fitted((w, h), longest)
    margins = [int(np.ceil(LANCZOS_REACH * max(1, old / new))) for old, new in ((h, rows), (w, columns))]

    def resize(values: np.ndarray) -> np.ndarray:
        padded = np.pad(values, [(margin, margin) for margin in margins], mode="wrap" if asset.tiles else "edge")
        box = (margins[1], margins[0], margins[1] + w, margins[0] + h)
        return np.asarray(Image.fromarray(padded).resize((columns, rows), Image.Resampling.LANCZOS, box))

    def resize_each(values: np.ndarray) -> np.ndarray:
        return np.stack([resize(np.ascontiguousarray(channel)) for channel in np.moveaxis(values, -1, 0)], -1)

    normal = resize_each(asset.normal)
    return replace(
        asset,
        albedo=resize_each(asset.albedo).clip(0, 1),
        height=resize(asset.height),
        normal=normal / np.maximum(np.linalg.norm(normal, axis=-1, keepdims=True), np.float32(1e-6)),
        texel_size=asset.texel_size * w / columns,
        **{name: resize(getattr(asset, name)).clip(0, 1) for name in ("roughness", "metallic", "occlusion")},
    )
