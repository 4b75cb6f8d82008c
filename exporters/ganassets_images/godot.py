"""A material as Godot 4 keeps it: a text resource (ORMMaterial3D, format 3) that points at the pictures beside it.

A relative path of an external resource starts at the resource's own folder, so the files may lie anywhere in a project.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

from ganassets.api.assets import TextureSet

from .profiles import COLOUR, HEIGHT, NORMAL_UP, ORM, Picture, height_range

# What the material takes of a picture with those channels: its property, and others that have to go with it.
PROPERTIES: dict[tuple[str, ...], tuple[str, dict[str, Any]]] = {
    COLOUR: ("albedo_texture", {}),
    ORM: ("orm_texture", {"ao_enabled": True}),
    NORMAL_UP: ("normal_texture", {"normal_enabled": True}),
    HEIGHT: ("heightmap_texture", {"heightmap_enabled": True, "heightmap_deep_parallax": True}),
}


def encode_material(asset: TextureSet, pictures: Iterable[tuple[Picture, str]], facts: Mapping[str, str]) -> bytes:
    """The resource's text.

    Args:
        asset: the material.
        pictures: those to point at, with their files' names.
        facts: what the resource says about itself (metadata), by keyword.
    """
    external, properties = [], {"resource_name": asset.name}
    for number, (picture, file) in enumerate(pictures, start=1):
        external.append(f'[ext_resource type="Texture2D" path={literal(file)} id="{number}"]\n')
        name, others = PROPERTIES[picture.channels]
        properties |= {**others, name: Reference(number)}
        if picture.channels == HEIGHT:
            properties["heightmap_scale"] = parallax_depth(asset)
    properties |= {f"metadata/{identifier(keyword)}": text for keyword, text in facts.items()}
    lines = (f"{name} = {literal(value)}\n" for name, value in properties.items())
    return "".join(['[gd_resource type="ORMMaterial3D" format=3]\n\n', *external, "\n[resource]\n", *lines]).encode()


class Reference(int):
    """Number of an external resource."""


def literal(value: object) -> str:
    """A value as Godot writes it; its strings, numbers and booleans are JSON's."""
    return f'ExtResource("{int(value)}")' if isinstance(value, Reference) else json.dumps(value, ensure_ascii=False)


def identifier(keyword: str) -> str:
    """A keyword as the name of metadata: "Texel size" is texel_size."""
    return re.sub(r"\W+", "_", keyword.lower())


def parallax_depth(asset: TextureSet) -> float:
    """Godot's depth from white to black: hundredths of the texture's width (BaseMaterial3D.heightmap_scale)."""
    low, high = height_range(asset)
    return round(100 * (high - low) / asset.size[0], 6)
