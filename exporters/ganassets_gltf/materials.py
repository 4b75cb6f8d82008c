"""Materials, textures and images of a glTF document."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from PIL import Image

from ganassets.api.assets import Mesh

from .binary import Binary

PNG = {"format": "PNG", "compress_level": 1}
# Reds bleed with the usual halved chroma.
JPEG = {"format": "JPEG", "quality": 92, "subsampling": 0}
LINEAR, LINEAR_MIPMAP_LINEAR = 9729, 9987


@dataclass
class Pictures:
    """The document's images as they grow; each is a texture too.

    Attributes:
        binary: where their files go.
        images: as in glTF's JSON.
    """

    binary: Binary
    images: list[dict[str, Any]] = field(default_factory=list)

    def add(self, name: str, picture: Image.Image, save: Mapping[str, Any]) -> int:
        """Append a picture, saved by pillow with those arguments; returns its texture's index."""
        file = io.BytesIO()
        picture.save(file, **save)
        view = self.binary.add_view(file.getvalue())
        self.images.append({"name": name, "mimeType": Image.MIME[save["format"]], "bufferView": view})
        return len(self.images) - 1

    def parts(self) -> dict[str, list[dict[str, Any]]]:
        """The document's images, textures and samplers, if there are any."""
        if not self.images:
            return {}
        return {
            "images": self.images,
            "textures": [{"source": k, "sampler": 0} for k in range(len(self.images))],
            # Textures repeat unless a sampler says otherwise.
            "samplers": [{"magFilter": LINEAR, "minFilter": LINEAR_MIPMAP_LINEAR}],
        }


def colour_format(options: Mapping[str, Any]) -> dict[str, Any]:
    """Pillow's arguments for colour textures."""
    return JPEG if options["image-format"] == "jpeg" else PNG


def add_materials(
    binary: Binary, mesh: Mesh, used: Sequence[int], options: Mapping[str, Any]
) -> dict[str, list[dict[str, Any]]]:
    """Append the images of the used materials; returns the document's materials and, if any, textures.

    A picture that several materials hold as the same array is written once.
    """
    pictures = Pictures(binary)
    textures: dict[int, int] = {}

    def texture(array: np.ndarray, name: str, save: Mapping[str, Any]) -> dict[str, int]:
        if id(array) not in textures:
            picture = mesh_picture(array, options["texture-size"])
            textures[id(array)] = pictures.add(f"{mesh.name}-{name}", picture, save)
        return {"index": textures[id(array)]}

    materials = []
    for material in (mesh.materials[index] for index in used):
        surface: dict[str, Any] = {
            "baseColorFactor": [*map(float, material.base_colour), 1.0],
            "metallicFactor": float(material.metallic),
            "roughnessFactor": float(material.roughness),
        }
        if material.albedo is not None:
            colour = texture(material.albedo, f"{material.name}-albedo", colour_format(options))
            surface["baseColorTexture"] = colour
        if material.roughness_map is not None:
            surface["metallicRoughnessTexture"] = texture(material.roughness_map, f"{material.name}-roughness", PNG)
        materials.append({"name": material.name, "pbrMetallicRoughness": surface})
    return {"materials": materials, **pictures.parts()}


def mesh_picture(array: np.ndarray, size: int) -> Image.Image:
    """RGB picture of an (h, w, 3) colour or an (h, w) roughness texture.

    glTF reads roughness from green and metallic from blue; white there leaves the metallic factor as it is.

    Args:
        array: uint8.
        size: longest side to resample to, or 0.
    """
    picture = Image.fromarray(array)
    if size and size != max(picture.size):
        picture = picture.resize(fitted(picture.size, size), Image.Resampling.LANCZOS)
    if picture.mode == "L":
        white = Image.new("L", picture.size, 255)
        picture = Image.merge("RGB", (white, picture, white))
    return picture


def fitted(sides: tuple[int, int], longest: int) -> tuple[int, int]:
    """Sides in about the same ratio, the longer one as given and none below 1."""
    scale = longest / max(sides)
    return max(1, round(sides[0] * scale)), max(1, round(sides[1] * scale))
