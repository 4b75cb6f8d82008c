"""A material as a MaterialX document (specification 1.39) of a surface, a displacement and the pictures before them.

OpenPBR has no place for occlusion: renderers that read MaterialX trace it.
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from xml.etree import ElementTree

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from ganassets.api.assets import TextureSet

VERSION = "1.39"
SRGB = "srgb_texture"

Input = dict[str, str]  # attributes of the element


@dataclass(frozen=True)
class Map:
    """A picture and the surface's input that it feeds.

    Attributes:
        part: of the file's name.
        type: in MaterialX.
        pixels: (h, w) or (h, w, 3) whole numbers of a material.
        input: of the surface, or "" for one that other nodes read.
        colourspace: of the file, or "" for data.
    """

    part: str
    type: str
    pixels: Callable[[TextureSet], NDArray[Any]]
    input: str = ""
    colourspace: str = ""


MAPS = (
    Map("albedo", "color3", lambda asset: whole(asset.albedo), "base_color", SRGB),
    Map("metalness", "float", lambda asset: whole(asset.metallic), "base_metalness"),
    Map("roughness", "float", lambda asset: whole(asset.roughness), "specular_roughness"),
    Map("normal", "vector3", lambda asset: whole(asset.normal / 2 + 0.5)),
    Map("height", "float", lambda asset: whole(unit_height(asset), 65535)),  # 8 bits show as steps
)


def encode_material(asset: TextureSet, _options: object) -> dict[str, bytes]:
    """The document and its pictures by name."""
    root = ElementTree.Element("materialx", version=VERSION, colorspace="lin_rec709")
    files = {}
    for picture in MAPS:
        file = f"{asset.name}_{picture.part}.png"
        files[file] = encode_png(picture.pixels(asset), asset.provenance.keywords(file), bool(picture.colourspace))
        add_picture(root, asset, picture, file)
    add_node(root, "normalmap", "normal_map", "vector3", linked("in", "vector3", "normal"))
    colours = [linked(picture.input, picture.type, picture.part) for picture in MAPS if picture.input]
    normal = linked("geometry_normal", "vector3", "normal_map")
    add_node(root, "open_pbr_surface", "surface", "surfaceshader", *colours, normal)
    add_displacement(root, asset)
    name = re.sub(r"\W", "_", f"M_{asset.name}", flags=re.ASCII)
    shaders = [linked(f"{part}shader", f"{part}shader", part) for part in ("surface", "displacement")]
    add_node(root, "surfacematerial", name, "material", *shaders).set("doc", description(asset))
    ElementTree.indent(root)
    text = ElementTree.tostring(root, encoding="utf-8", xml_declaration=True)
    return {f"{asset.name}.mtlx": text + b"\n", **files}


def add_node(root: ElementTree.Element, category: str, name: str, kind: str, *inputs: Input) -> ElementTree.Element:
    """Append a node; returns it.

    Args:
        root: of the document.
        category: "tiledimage".
        name: of the node.
        kind: type of its output.
        inputs: made by given or linked.
    """
    node = ElementTree.SubElement(root, category, {"name": name, "type": kind})
    for attributes in inputs:
        ElementTree.SubElement(node, "input", attributes)
    return node


def given(name: str, kind: str, value: str, **more: str) -> Input:
    """An input with a value, and more attributes if any."""
    return {"name": name, "type": kind, "value": value, **more}


def linked(name: str, kind: str, node: str) -> Input:
    """An input that another node feeds."""
    return {"name": name, "type": kind, "nodename": node}


def add_picture(root: ElementTree.Element, asset: TextureSet, picture: Map, file: str) -> None:
    """Append a picture that fits once into a unit of UV, which counts as its true size: a surface whose unit is larger
    says so in realworldtilesize.
    """
    colour = {"colorspace": picture.colourspace} if picture.colourspace else {}
    size = "{:.9g}, {:.9g}".format(*asset.size)
    sizes = [
        given(name, "vector2", size, unittype="distance", unit="meter")
        for name in ("realworldimagesize", "realworldtilesize")
    ]
    add_node(root, "tiledimage", picture.part, picture.type, given("file", "filename", file, **colour), *sizes)


def add_displacement(root: ElementTree.Element, asset: TextureSet) -> None:
    """Append the displacement: the height picture, which goes from 0 to 1, in metres."""
    low, high = height_range(asset)
    scale, shift = (given("in2", "float", f"{value:.9g}") for value in (high - low, low))
    add_node(root, "multiply", "height_range", "float", linked("in1", "float", "height"), scale)
    add_node(root, "add", "height_metres", "float", linked("in1", "float", "height_range"), shift)
    source = linked("displacement", "float", "height_metres")
    add_node(root, "displacement", "displacement", "displacementshader", source)


def description(asset: TextureSet) -> str:
    """Lines that say what the material is and where it comes from."""
    wide, high = asset.size
    facts = {
        **asset.provenance.keywords(asset.name),
        "Size": f"{wide:.9g} m x {high:.9g} m",
        "Tiles": "yes" if asset.tiles else "no",
    }
    return "\n".join(f"{keyword}: {text}" for keyword, text in facts.items())


def height_range(asset: TextureSet) -> tuple[float, float]:
    """Metres of the lowest and the highest point."""
    return float(asset.height.min()), float(asset.height.max())


def unit_height(asset: TextureSet) -> NDArray[np.float64]:
    """(h, w) height from 0, the lowest point, to 1, the highest; 0 where all are the same."""
    low, high = height_range(asset)
    return (asset.height.astype(np.float64) - low) / (high - low or 1)


def whole(values: NDArray[Any], most: int = 255) -> NDArray[Any]:
    """Values in [0, 1] as whole numbers from 0 to most, 255 or 65535."""
    return np.rint(values * np.float32(most)).astype(np.min_scalar_type(most))


def encode_png(pixels: NDArray[Any], notes: Mapping[str, str], srgb: bool) -> bytes:
    """PNG of (h, w) uint8 or uint16 or (h, w, 3) uint8 pixels.

    Args:
        pixels: of the picture.
        notes: texts by keyword.
        srgb: whether to say that it is sRGB.
    """
    info = PngInfo()
    if srgb:
        info.add(b"sRGB", b"\0")  # rendering intent: perceptual
    for keyword, text in notes.items():
        info.add_text(keyword, text)
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG", pnginfo=info)
    return file.getvalue()
