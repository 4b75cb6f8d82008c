"""Materials, textures and images of a glTF document."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ganassets.api.assets import Mesh
from ganassets.api.images.encoding import encode_jpeg, encode_png
from ganassets.api.images.resizing import resize_image

from .binary import BinaryChunk

PNG_LEVEL = 1  # the fastest compression
LINEAR, LINEAR_MIPMAP_LINEAR = 9729, 9987


@dataclass
class EmbeddedImages:
    """The images of a document while it is built; each is a texture too.

    Attributes:
        binary: Chunk that gets the images' files.
        jpeg: Whether colour images are JPEG; all others are PNG.
        images: Images as in glTF's JSON.
    """

    binary: BinaryChunk
    jpeg: bool = False
    images: list[dict[str, Any]] = field(default_factory=list)

    def add(self, name: str, pixels: NDArray[np.uint8], colour: bool = False) -> int:
        """Append an (h, w, 3) image and return the index of its texture."""
        jpeg = self.jpeg and colour
        view = self.binary.add_view(encode_jpeg(pixels) if jpeg else encode_png(pixels, compress_level=PNG_LEVEL))
        self.images.append({"name": name, "mimeType": "image/jpeg" if jpeg else "image/png", "bufferView": view})
        return len(self.images) - 1

    def document_parts(self) -> dict[str, list[dict[str, Any]]]:
        """Return the document's images, textures and samplers, if there are any."""
        if not self.images:
            return {}
        return {
            "images": self.images,
            "textures": [{"source": k, "sampler": 0} for k in range(len(self.images))],
            # Textures repeat unless a sampler says otherwise.
            "samplers": [{"magFilter": LINEAR, "minFilter": LINEAR_MIPMAP_LINEAR}],
        }


def add_materials(
    binary: BinaryChunk, mesh: Mesh, used: Sequence[int], options: Mapping[str, Any]
) -> dict[str, list[dict[str, Any]]]:
    """Append the images of a mesh's materials; an array that several materials share is written once.

    Args:
        binary: Chunk that gets the images.
        mesh: The mesh.
        used: Indices of the materials to write.
        options: "texture-size" and "image-format".

    Returns:
        The document's materials and, if there are any, textures.
    """
    images = EmbeddedImages(binary, options["image-format"] == "jpeg")
    textures: dict[int, int] = {}

    def texture(array: NDArray[np.uint8], name: str, colour: bool = False) -> dict[str, int]:
        if id(array) not in textures:
            pixels = to_rgb(resize_image(array, options["texture-size"]))
            textures[id(array)] = images.add(f"{mesh.name}-{name}", pixels, colour)
        return {"index": textures[id(array)]}

    materials = []
    for material in (mesh.materials[index] for index in used):
        surface: dict[str, Any] = {
            "baseColorFactor": [*map(float, material.base_colour), 1.0],
            "metallicFactor": float(material.metallic),
            "roughnessFactor": float(material.roughness),
        }
        if material.albedo is not None:
            surface["baseColorTexture"] = texture(material.albedo, f"{material.name}-albedo", colour=True)
        if material.roughness_map is not None:
            surface["metallicRoughnessTexture"] = texture(material.roughness_map, f"{material.name}-roughness")
        materials.append({"name": material.name, "pbrMetallicRoughness": surface})
    return {"materials": materials, **images.document_parts()}


def to_rgb(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Turn an (h, w) roughness image into RGB; (h, w, 3) colours stay as they are.

    glTF reads roughness from green and metallic from blue; white there leaves the metallic factor as it is.
    """
    if pixels.ndim == 3:
        return pixels
    white = np.full_like(pixels, 255)
    return np.stack([white, pixels, white], -1)
