"""Write a material as a MaterialX document (specification 1.39): a surface, a displacement and their images.

OpenPBR has no input for occlusion: renderers that read MaterialX trace it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from xml.etree import ElementTree

from ganassets.api.assets import TextureSet
from ganassets.api.engines import COLOUR, HEIGHT, NORMAL
from ganassets.api.images.encoding import encode_png, quantize
from ganassets.api.images.texture_maps import height_range, pack_channels

VERSION = "1.39"
PNG_LEVEL = 6  # zlib level of images

Input = dict[str, str]  # attributes of an <input> element


@dataclass(frozen=True)
class MaterialXImage:
    """An image and the input of the surface that it feeds.

    Attributes:
        part: The image's part of the file name.
        type: Type of its values in MaterialX.
        channels: Channels of the material that it holds.
        surface_input: Input of the surface, or "" if other nodes read the image.
        bits: Bits per channel.
    """

    part: str
    type: str
    channels: tuple[str, ...]
    surface_input: str = ""
    bits: int = 8

    @property
    def srgb(self) -> bool:
        """Whether the image is sRGB colour; all others are linear data."""
        return self.channels == COLOUR


IMAGES = (
    MaterialXImage("albedo", "color3", COLOUR, "base_color"),
    MaterialXImage("metalness", "float", ("metallic",), "base_metalness"),
    MaterialXImage("roughness", "float", ("roughness",), "specular_roughness"),
    MaterialXImage("normal", "vector3", NORMAL),
    MaterialXImage("height", "float", HEIGHT, bits=16),  # 8 bits show as steps
)


def export_material(asset: TextureSet, options: Mapping[str, Any]) -> dict[str, bytes]:
    """Write a material as one .mtlx file and the PNG files that it names."""
    del options
    root = ElementTree.Element("materialx", version=VERSION, colorspace="lin_rec709")
    files = {}
    for image in IMAGES:
        file = f"{asset.name}_{image.part}.png"
        pixels = quantize(pack_channels(asset, image.channels), image.bits)
        text = asset.provenance.keywords(file)
        files[file] = encode_png(pixels, srgb=image.srgb, text=text, compress_level=PNG_LEVEL)
        add_image(root, asset, image, file)
    add_node(root, "normalmap", "normal_map", "vector3", linked_input("in", "vector3", "normal"))
    maps = [linked_input(image.surface_input, image.type, image.part) for image in IMAGES if image.surface_input]
    normal = linked_input("geometry_normal", "vector3", "normal_map")
    add_node(root, "open_pbr_surface", "surface", "surfaceshader", *maps, normal)
    add_displacement(root, asset)
    name = re.sub(r"\W", "_", f"M_{asset.name}", flags=re.ASCII)
    shaders = [linked_input(f"{part}shader", f"{part}shader", part) for part in ("surface", "displacement")]
    add_node(root, "surfacematerial", name, "material", *shaders).set("doc", describe_material(asset))
    ElementTree.indent(root)
    xml = ElementTree.tostring(root, encoding="utf-8", xml_declaration=True)
    return {f"{asset.name}.mtlx": xml + b"\n", **files}


def add_node(root: ElementTree.Element, category: str, name: str, kind: str, *inputs: Input) -> ElementTree.Element:
    """Append a node and return it.

    Args:
        root: Root of the document.
        category: Category of the node, "tiledimage".
        name: Name of the node.
        kind: Type of the node's output.
        inputs: Its inputs, from value_input or linked_input.
    """
    node = ElementTree.SubElement(root, category, {"name": name, "type": kind})
    for attributes in inputs:
        ElementTree.SubElement(node, "input", attributes)
    return node


def value_input(name: str, kind: str, value: str, **attributes: str) -> Input:
    """Make an input with a value and further attributes."""
    return {"name": name, "type": kind, "value": value, **attributes}


def linked_input(name: str, kind: str, node: str) -> Input:
    """Make an input that another node feeds."""
    return {"name": name, "type": kind, "nodename": node}


def add_image(root: ElementTree.Element, asset: TextureSet, image: MaterialXImage, file: str) -> None:
    """Append an image that fills the unit square of the UVs, which represents the material's true size.

    For a surface whose unit square is larger, users set realworldtilesize to its size.
    """
    colour = {"colorspace": "srgb_texture"} if image.srgb else {}
    size = "{:.9g}, {:.9g}".format(*asset.size)
    sizes = [
        value_input(name, "vector2", size, unittype="distance", unit="meter")
        for name in ("realworldimagesize", "realworldtilesize")
    ]
    add_node(root, "tiledimage", image.part, image.type, value_input("file", "filename", file, **colour), *sizes)


def add_displacement(root: ElementTree.Element, asset: TextureSet) -> None:
    """Append the displacement in metres; the height image goes from 0 to 1."""
    low, high = height_range(asset)
    scale, offset = (value_input("in2", "float", f"{value:.9g}") for value in (high - low, low))
    add_node(root, "multiply", "height_range", "float", linked_input("in1", "float", "height"), scale)
    add_node(root, "add", "height_metres", "float", linked_input("in1", "float", "height_range"), offset)
    source = linked_input("displacement", "float", "height_metres")
    add_node(root, "displacement", "displacement", "displacementshader", source)


def describe_material(asset: TextureSet) -> str:
    """Describe the material's provenance, size and tiling in lines of text."""
    width, height = asset.size
    facts = {
        **asset.provenance.keywords(asset.name),
        "Size": f"{width:.9g} m x {height:.9g} m",
        "Tiles": "yes" if asset.tiles else "no",
    }
    return "\n".join(f"{keyword}: {text}" for keyword, text in facts.items())
