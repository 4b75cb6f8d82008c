# SPDX-License-Identifier: GPL-3.0-or-later
# pyright: reportMissingImports=false
"""Materials: node trees that read from left to right."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import bpy

from . import common
from .common import Card, Steps

SRGB, DATA = "sRGB", "Non-Color"
# What Blender's glTF exporter finds occlusion by.
GLTF_OUTPUT, OCCLUSION = "glTF Material Output", "Occlusion"
GREY = (0.8, 0.8, 0.8)  # Blender's own
LEAST_RANGE = 1e-9  # metres of height that count as flat


@dataclass(frozen=True)
class Node:
    """One of a tree's: its type without "ShaderNode", its label, where it lies, and its settings."""

    type: str
    label: str
    place: tuple[int, int]
    settings: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Map:
    """A picture of a material: its label, colour space, and how high its node lies."""

    label: str
    colour_space: str
    y: int


MAPS = {
    "albedo": Map("Albedo", SRGB, 560),
    "orm": Map("Occlusion, Roughness, Metallic", DATA, 260),
    "normal": Map("Normal", DATA, -40),
    "height": Map("Height", DATA, -340),
}
NODES = {
    "coordinates": Node("TexCoord", "", (-1300, 160)),
    "tile": Node("Mapping", "", (-1100, 160)),
    "split": Node("SeparateColor", "Split ORM", (-420, 220)),
    "bend": Node("NormalMap", "", (-420, -60)),
    "raise": Node("Displacement", "", (-160, -340)),
    "shader": Node("BsdfPrincipled", "", (-160, 500)),
    "gltf": Node("Group", "", (-160, 640), {"hide": True}),
    "output": Node("OutputMaterial", "", (180, 500)),
}
LINKS = (
    ("coordinates", "UV", "tile", "Vector"),
    ("tile", "Vector", "albedo", "Vector"),
    ("tile", "Vector", "orm", "Vector"),
    ("tile", "Vector", "normal", "Vector"),
    ("tile", "Vector", "height", "Vector"),
    ("albedo", "Color", "shader", "Base Color"),
    ("orm", "Color", "split", "Color"),
    ("split", "Red", "gltf", OCCLUSION),
    ("split", "Green", "shader", "Roughness"),
    ("split", "Blue", "shader", "Metallic"),
    ("normal", "Color", "bend", "Color"),
    ("bend", "Normal", "shader", "Normal"),
    ("height", "Color", "raise", "Height"),
    ("raise", "Displacement", "output", "Displacement"),
    ("shader", "BSDF", "output", "Surface"),
)
SIMPLE_NODES = {
    "shader": Node("BsdfPrincipled", "", (-160, 300)),
    "output": Node("OutputMaterial", "", (180, 300)),
}
SIMPLE_MAPS = {"albedo": Map("Albedo", SRGB, 300), "roughness_map": Map("Roughness", DATA, 0)}
SIMPLE_LINKS = (
    ("albedo", "Color", "shader", "Base Color"),
    ("roughness_map", "Color", "shader", "Roughness"),
    ("shader", "BSDF", "output", "Surface"),
)


def build(card: Card, folder: str, pack: bool, author: str, licence: str) -> Steps[Any]:
    """A material of a texture set. One unit of UV is one metre.

    Args:
        card: of textures.
        folder: where its pictures are; absolute.
        pack: whether to keep the pictures' bytes in the .blend; else they stay where they are.
        author: who made it; may be empty.
        licence: what it may be used for; empty for the card's.

    Raises:
        LandingError: a picture can't be read.
    """
    with common.whole_or_gone() as made:
        pictures = {}
        for part, name in card["files"].items():
            pictures[part] = common.load_image(folder, name, MAPS[part].colour_space, pack)
            made.append(pictures[part])
            yield
        material = new_material(card["title"])
        made.append(material)
        material.diffuse_color = (*card.get("colour", GREY), 1.0)
        nodes = plant(material, NODES)
        hang(material, nodes, MAPS, pictures, "REPEAT" if card["tiles"] else "EXTEND")
        nodes["gltf"].node_tree = gltf_output()
        link(material, nodes, LINKS)
        fit(nodes, card)
        displace(material)
        common.stamp(material, card, author, licence)
        yield
    return material


def build_simple(row: Card, title: str, folder: str, pack: bool) -> Steps[Any]:
    """A material of a mesh.

    Args:
        row: one of the card's materials.
        title: of the asset.
        folder: where its pictures are; absolute.
        pack: as in build.

    Raises:
        LandingError: a picture can't be read.
    """
    with common.whole_or_gone() as made:
        pictures = {}
        for part, look in SIMPLE_MAPS.items():
            if row[part] is not None:
                pictures[part] = common.load_image(folder, row[part], look.colour_space, pack)
                made.append(pictures[part])
                yield
        material = new_material(f"{title} {row['name']}")
        made.append(material)
        material.diffuse_color = colour = (*row["base_colour"], 1.0)
        nodes = plant(material, SIMPLE_NODES)
        values = {"Base Color": colour, "Roughness": row["roughness"], "Metallic": row["metallic"]}
        for name, value in values.items():
            nodes["shader"].inputs[name].default_value = value
        hang(material, nodes, SIMPLE_MAPS, pictures, "REPEAT")
        link(material, nodes, SIMPLE_LINKS)
        yield
    return material


def new_material(name: str) -> Any:
    """A material with an empty tree."""
    material: Any = bpy.data.materials.new(name)
    if bpy.app.version < (5, 0, 0):
        material.use_nodes = True
    material.node_tree.nodes.clear()
    return material


def plant(material: Any, table: dict[str, Node]) -> dict[str, Any]:
    """Make nodes; returns them by key."""
    nodes = {}
    for key, row in table.items():
        nodes[key] = node = material.node_tree.nodes.new(f"ShaderNode{row.type}")
        node.label, node.location, node.select = row.label, row.place, False
        for name, value in row.settings.items():
            setattr(node, name, value)
    return nodes


def hang(material: Any, nodes: dict[str, Any], maps: dict[str, Map], pictures: dict[str, Any], beyond: str) -> None:
    """Add the pictures' nodes in a frame; beyond says what lies past their edges."""
    if not pictures:
        return
    frame = material.node_tree.nodes.new("NodeFrame")
    frame.label, frame.select = "Maps", False
    for part, picture in pictures.items():
        nodes[part] = node = material.node_tree.nodes.new("ShaderNodeTexImage")
        node.parent = frame
        node.label, node.location, node.select = maps[part].label, (-800, maps[part].y), False
        node.image, node.extension = picture, beyond


def link(material: Any, nodes: dict[str, Any], table: tuple[tuple[str, str, str, str], ...]) -> None:
    """Link those of the nodes that are there."""
    for source, output, target, name in table:
        if source in nodes:
            material.node_tree.links.new(nodes[source].outputs[output], nodes[target].inputs[name])


def gltf_output() -> Any:
    """The group that the glTF exporter reads occlusion from; it does nothing in Blender. The file's own if it has
    one.
    """
    group = bpy.data.node_groups.get((GLTF_OUTPUT, None))
    if group is None:
        group = bpy.data.node_groups.new(GLTF_OUTPUT, "ShaderNodeTree")
    if hasattr(group, "interface"):  # since 4.0
        if OCCLUSION not in group.interface.items_tree:
            group.interface.new_socket(OCCLUSION, socket_type="NodeSocketFloat")
    elif OCCLUSION not in group.inputs:
        group.inputs.new("NodeSocketFloat", OCCLUSION)
    return group


def fit(nodes: dict[str, Any], card: Card) -> None:
    """Give the material its size in metres: of a tile, and of its height."""
    width, height = card["size"]
    nodes["tile"].label = f"Tile {width:g} m x {height:g} m"
    nodes["tile"].inputs["Scale"].default_value = (1 / width, 1 / height, 1)
    low, high = card["height"]
    depth = max(high - low, LEAST_RANGE)
    nodes["raise"].inputs["Scale"].default_value = depth
    nodes["raise"].inputs["Midlevel"].default_value = -low / depth  # where the surface itself is


def displace(material: Any) -> None:
    """Move the surface where it is subdivided; its bumps are in the normals already."""
    if hasattr(material, "displacement_method"):  # since 4.1
        material.displacement_method = "DISPLACEMENT"
    elif hasattr(material, "cycles"):
        material.cycles.displacement_method = "DISPLACEMENT"
