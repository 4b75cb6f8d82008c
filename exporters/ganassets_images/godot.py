"""Write a material as Godot 4 stores it: a text resource (ORMMaterial3D, format 3) that names the images beside it.

Godot reads the path of an external resource relative to the resource's own folder, so the files can lie anywhere in a
project.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

from ganassets.api.assets import TextureSet
from ganassets.api.engines import COLOUR, HEIGHT, NORMAL, ORM, TextureFile
from ganassets.api.images.texture_maps import height_range

# Channels of an image -> property of the material that takes it, and the properties that switch it on.
PROPERTIES: dict[tuple[str, ...], tuple[str, dict[str, Any]]] = {
    COLOUR: ("albedo_texture", {}),
    ORM: ("orm_texture", {"ao_enabled": True}),
    NORMAL: ("normal_texture", {"normal_enabled": True}),
    HEIGHT: ("heightmap_texture", {"heightmap_enabled": True, "heightmap_deep_parallax": True}),
}


def encode_material(asset: TextureSet, images: Iterable[tuple[TextureFile, str]], text: Mapping[str, str]) -> bytes:
    """Encode the resource.

    Args:
        asset: The material.
        images: The images that it names, with the names of their files.
        text: Metadata of the resource by keyword.
    """
    external, properties = [], {"resource_name": asset.name}
    for number, (image, file) in enumerate(images, start=1):
        external.append(f'[ext_resource type="Texture2D" path={format_value(file)} id="{number}"]\n')
        name, switches = PROPERTIES[image.channels]
        properties |= {**switches, name: ExternalResource(number)}
        if image.channels == HEIGHT:
            properties["heightmap_scale"] = parallax_depth(asset)
    properties |= {f"metadata/{metadata_name(keyword)}": value for keyword, value in text.items()}
    lines = (f"{name} = {format_value(value)}\n" for name, value in properties.items())
    return "".join(['[gd_resource type="ORMMaterial3D" format=3]\n\n', *external, "\n[resource]\n", *lines]).encode()


class ExternalResource(int):
    """Number of an external resource, as the value of a property."""


def format_value(value: object) -> str:
    """Write a value as Godot does; its strings, numbers and booleans are those of JSON."""
    if isinstance(value, ExternalResource):
        return f'ExtResource("{int(value)}")'
    return json.dumps(value, ensure_ascii=False)


def metadata_name(keyword: str) -> str:
    """Turn a keyword into a name of metadata: "Texel size" becomes texel_size."""
    return re.sub(r"\W+", "_", keyword.lower())


def parallax_depth(asset: TextureSet) -> float:
    """Compute BaseMaterial3D.heightmap_scale: from white to black, in hundredths of the texture's width."""
    low, high = height_range(asset)
    return round(100 * (high - low) / asset.size[0], 6)
