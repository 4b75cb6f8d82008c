"""Materials, textures and images of a glTF document."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from PIL import Image

from ganassets.assets import Mesh

from .binary import Binary

PNG = {"format": "PNG", "compress_level": 1}
# Skin's reds bleed with the usual halved chroma.
JPEG = {"format": "JPEG", "quality": 92, "subsampling": 0}


def add_materials(
    binary: Binary, mesh: Mesh, used: Sequence[int], options: Mapping[str, Any]
) -> dict[str, list[dict[str, Any]]]:
    """Append the images of the used materials; returns the document's materials and, if any, textures.

    A picture that several materials hold as the same array is written once.
    """
    colour = JPEG if options["image-format"] == "jpeg" else PNG
    size = options["texture-size"]
    images: list[dict[str, Any]] = []
    textures: dict[int, int] = {}

    def texture(array: np.ndarray, name: str, save: dict[str, Any]) -> dict[str, int]:
        if id(array) not in textures:
            textures[id(array)] = len(images)
            view = binary.add_view(encode(array, size, save))
            images.append({"name": f"{mesh.name}-{name}", "mimeType": Image.MIME[save["format"]], "bufferView": view})
        return {"index": textures[id(array)]}

    materials = []
    for material in (mesh.materials[index] for index in used):
        surface: dict[str, Any] = {
            "baseColorFactor": [*map(float, material.base_colour), 1.0],
            "metallicFactor": float(material.metallic),
            "roughnessFactor": float(material.roughness),
        }
        if material.albedo is not None:
            surface["baseColorTexture"] = texture(material.albedo, f"{material.name}-albedo", colour)
        if material.roughness_map is not None:
            surface["metallicRoughnessTexture"] = texture(material.roughness_map, f"{material.name}-roughness", PNG)
        materials.append({"name": material.name, "pbrMetallicRoughness": surface})
    if not images:
        return {"materials": materials}
    return {
        "materials": materials,
        "images": images,
        "textures": [{"source": k, "sampler": 0} for k in range(len(images))],
        "samplers": [{"magFilter": 9729, "minFilter": 9987}],  # linear, and linear between mip levels
    }


def encode(array: np.ndarray, size: int, save: dict[str, Any]) -> bytes:
    """Image file of an (h, w, 3) colour or an (h, w) roughness texture.

    glTF reads roughness from green and metallic from blue; white there leaves the metallic factor as it is.

    Args:
        array: uint8.
        size: longest side to resample to, or 0.
        save: pillow's arguments.
    """
    picture = Image.fromarray(array)
    if size and size != max(picture.size):
        scale = size / max(picture.size)
        width, height = (max(1, round(side * scale)) for side in picture.size)
        picture = picture.resize((width, height), Image.Resampling.LANCZOS)
    if picture.mode == "L":
        white = Image.new("L", picture.size, 255)
        picture = Image.merge("RGB", (white, picture, white))
    file = io.BytesIO()
    picture.save(file, **save)
    return file.getvalue()
