# SPDX-License-Identifier: GPL-3.0-or-later
# pyright: reportMissingImports=false
"""Build materials. Their nodes are arranged from left to right."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import bpy

from . import common
from .common import Card, Steps

SRGB, DATA = "sRGB", "Non-Color"
# Names by which Blender's glTF exporter finds the occlusion map.
GLTF_OUTPUT, OCCLUSION = "glTF Material Output", "Occlusion"
GREY = (0.8, 0.8, 0.8)  # Blender's default viewport colour
MIN_HEIGHT_RANGE = 1e-9  # metres; avoids a division by 0 for flat materials


@dataclass(frozen=True)
class NodeSpec:
    """A node of a material.

    Attributes:
        type: Blender's node type without "ShaderNode".
        label: text in the node editor; "" for Blender's own.
        location: place in the node editor.
        settings: values of the node's properties.
    """

    type: str
    label: str
    location: tuple[int, int]
    settings: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class MapSpec:
    """An image texture of a material.

    Attributes:
        label: text in the node editor.
        colour_space: "sRGB" or "Non-Color".
        y: vertical place of its node in the node editor.
    """

    label: str
    colour_space: str
    y: int


MAPS = {
    "albedo": MapSpec("Albedo", SRGB, 560),
    "orm": MapSpec("Occlusion, Roughness, Metallic", DATA, 260),
    "normal": MapSpec("Normal", DATA, -40),
    "height": MapSpec("Height", DATA, -340),
}
NODES = {
    "coordinates": NodeSpec("TexCoord", "", (-1300, 160)),
    "tile": NodeSpec("Mapping", "", (-1100, 160)),
    "split": NodeSpec("SeparateColor", "Split ORM", (-420, 220)),
    "bend": NodeSpec("NormalMap", "", (-420, -60)),
    "raise": NodeSpec("Displacement", "", (-160, -340)),
    "shader": NodeSpec("BsdfPrincipled", "", (-160, 500)),
    "gltf": NodeSpec("Group", "", (-160, 640), {"hide": True}),
    "output": NodeSpec("OutputMaterial", "", (180, 500)),
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
    "shader": NodeSpec("BsdfPrincipled", "", (-160, 300)),
    "output": NodeSpec("OutputMaterial", "", (180, 300)),
}
SIMPLE_MAPS = {"albedo": MapSpec("Albedo", SRGB, 300), "roughness_map": MapSpec("Roughness", DATA, 0)}
SIMPLE_LINKS = (
    ("albedo", "Color", "shader", "Base Color"),
    ("roughness_map", "Color", "shader", "Roughness"),
    ("shader", "BSDF", "output", "Surface"),
)


def build(card: Card, folder: str, pack: bool, author: str, licence: str) -> Steps[Any]:
    """Build the material of a texture set. It expects UVs in metres.

    Args:
        card: card of a texture set.
        folder: absolute path of the folder with its images.
        pack: whether to store the images in the .blend file; otherwise they stay where they are.
        author: author of the asset; may be empty.
        licence: licence of the asset; empty for the licence in the card.

    Raises:
        BuildError: an image can't be read.
    """
    with common.remove_on_error() as created:
        images = {}
        for part, name in card["files"].items():
            images[part] = common.load_image(folder, name, MAPS[part].colour_space, pack)
            created.append(images[part])
            yield
        material = new_material(card["title"])
        created.append(material)
        material.diffuse_color = (*card.get("colour", GREY), 1.0)
        nodes = add_nodes(material, NODES)
        add_image_nodes(material, nodes, MAPS, images, "REPEAT" if card["tiles"] else "EXTEND")
        nodes["gltf"].node_tree = gltf_output()
        link_nodes(material, nodes, LINKS)
        set_real_size(nodes, card)
        enable_displacement(material)
        common.write_provenance(material, card, author, licence)
        yield
    return material


def build_simple(row: Card, title: str, folder: str, pack: bool) -> Steps[Any]:
    """Build a material of a mesh.

    Args:
        row: one of the materials in the card.
        title: title of the asset.
        folder: absolute path of the folder with its images.
        pack: as in build.

    Raises:
        BuildError: an image can't be read.
    """
    with common.remove_on_error() as created:
        images = {}
        for part, spec in SIMPLE_MAPS.items():
            if row[part] is not None:
                images[part] = common.load_image(folder, row[part], spec.colour_space, pack)
                created.append(images[part])
                yield
        material = new_material(f"{title} {row['name']}")
        created.append(material)
        material.diffuse_color = colour = (*row["base_colour"], 1.0)
        nodes = add_nodes(material, SIMPLE_NODES)
        values = {"Base Color": colour, "Roughness": row["roughness"], "Metallic": row["metallic"]}
        for name, value in values.items():
            nodes["shader"].inputs[name].default_value = value
        add_image_nodes(material, nodes, SIMPLE_MAPS, images, "REPEAT")
        link_nodes(material, nodes, SIMPLE_LINKS)
        yield
    return material


def new_material(name: str) -> Any:
    """Create a material without nodes."""
    material: Any = bpy.data.materials.new(name)
    if bpy.app.version < (5, 0, 0):
        material.use_nodes = True
    material.node_tree.nodes.clear()
    return material


def add_nodes(material: Any, table: dict[str, NodeSpec]) -> dict[str, Any]:
    """Add nodes to a material; returns them by key."""
    nodes = {}
    for key, row in table.items():
        nodes[key] = node = material.node_tree.nodes.new(f"ShaderNode{row.type}")
        node.label, node.location, node.select = row.label, row.location, False
        for name, value in row.settings.items():
            setattr(node, name, value)
    return nodes


def add_image_nodes(
    material: Any, nodes: dict[str, Any], maps: dict[str, MapSpec], images: dict[str, Any], extension: str
) -> None:
    """Add image texture nodes inside a frame.

    Args:
        material: the material.
        nodes: its nodes by key; gets the new ones.
        maps: specifications by map.
        images: images by map.
        extension: what Blender shows beyond the edges, such as "REPEAT".
    """
    if not images:
        return
    frame = material.node_tree.nodes.new("NodeFrame")
    frame.label, frame.select = "Maps", False
    for part, image in images.items():
        nodes[part] = node = material.node_tree.nodes.new("ShaderNodeTexImage")
        node.parent = frame
        node.label, node.location, node.select = maps[part].label, (-800, maps[part].y), False
        node.image, node.extension = image, extension


def link_nodes(material: Any, nodes: dict[str, Any], table: tuple[tuple[str, str, str, str], ...]) -> None:
    """Link nodes; rows whose source does not exist are skipped."""
    for source, output, target, name in table:
        if source in nodes:
            material.node_tree.links.new(nodes[source].outputs[output], nodes[target].inputs[name])


def gltf_output() -> Any:
    """Node group from which the glTF exporter reads occlusion; an existing one is reused.

    It has no effect in Blender.
    """
    group = bpy.data.node_groups.get((GLTF_OUTPUT, None))
    if group is None:
        group = bpy.data.node_groups.new(GLTF_OUTPUT, "ShaderNodeTree")
    if hasattr(group, "interface"):  # since Blender 4.0
        if OCCLUSION not in group.interface.items_tree:
            group.interface.new_socket(OCCLUSION, socket_type="NodeSocketFloat")
    elif OCCLUSION not in group.inputs:
        group.inputs.new("NodeSocketFloat", OCCLUSION)
    return group


def set_real_size(nodes: dict[str, Any], card: Card) -> None:
    """Set the size of a tile and the range of the height map, both in metres."""
    width, height = card["size"]
    nodes["tile"].label = f"Tile {width:g} m x {height:g} m"
    nodes["tile"].inputs["Scale"].default_value = (1 / width, 1 / height, 1)
    low, high = card["height"]
    depth = max(high - low, MIN_HEIGHT_RANGE)
    nodes["raise"].inputs["Scale"].default_value = depth
    nodes["raise"].inputs["Midlevel"].default_value = -low / depth  # the height of the undisplaced surface


def enable_displacement(material: Any) -> None:
    """Displace subdivided surfaces. Without bump: the normal map already has the small details."""
    if hasattr(material, "displacement_method"):  # since Blender 4.1
        material.displacement_method = "DISPLACEMENT"
    elif hasattr(material, "cycles"):
        material.cycles.displacement_method = "DISPLACEMENT"
