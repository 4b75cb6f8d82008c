"""Materials as UsdPreviewSurface (specification 2.6), which every reader of USD knows."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from .scene import Scene, identifiers

if TYPE_CHECKING:
    from pxr import UsdShade

UVS = "st"  # the name that readers look for
# Of the surface's inputs that we use.
TYPES = {
    "diffuseColor": "Color3f",
    "roughness": "Float",
    "metallic": "Float",
    "occlusion": "Float",
    "displacement": "Float",
    "normal": "Normal3f",
}
# Of a texture's outputs by the type that they feed.
OUTPUTS = {"Color3f": ("rgb", "Float3"), "Normal3f": ("rgb", "Float3"), "Float": ("r", "Float")}

Colour = tuple[float, float, float]


@dataclass(frozen=True)
class Texture:
    """A picture that feeds an input with picture * scale + bias.

    Attributes:
        file: its name, a key of the scene's pictures.
        srgb: whether it is a colour; all others are data.
        scale, bias: of red, green and blue; a picture of one channel has its in red.
        wrap: beyond its border, "repeat" or "clamp".
    """

    file: str
    srgb: bool = False
    scale: Colour = (1.0, 1.0, 1.0)
    bias: Colour = (0.0, 0.0, 0.0)
    wrap: str = "repeat"


Inputs = Mapping[str, float | Sequence[float] | Texture]


def add_materials(scene: Scene, surfaces: Mapping[str, Inputs]) -> list[UsdShade.Material]:
    """Append materials, in the same order.

    Args:
        scene: that gets them.
        surfaces: by name, values or textures of TYPES' inputs.
    """
    from pxr import UsdGeom, UsdShade

    folder = f"{scene.root}/materials"
    UsdGeom.Scope.Define(scene.stage, folder)
    made = []
    for name, inputs in zip(identifiers(list(surfaces)), surfaces.values(), strict=True):
        material = UsdShade.Material.Define(scene.stage, f"{folder}/{name}")
        surface = add_shader(material, "surface", "UsdPreviewSurface")
        for key, value in inputs.items():
            add_input(material, surface, key, value)
        material.CreateSurfaceOutput().ConnectToSource(surface.ConnectableAPI(), "surface")
        if "displacement" in inputs:
            material.CreateDisplacementOutput().ConnectToSource(surface.ConnectableAPI(), "displacement")
        made.append(material)
    return made


def add_shader(material: UsdShade.Material, name: str, identifier: str) -> UsdShade.Shader:
    """Append a node to a material."""
    from pxr import UsdShade

    shader = UsdShade.Shader.Define(material.GetPrim().GetStage(), material.GetPath().AppendChild(name))
    shader.CreateIdAttr(identifier)
    return shader


def add_input(material: UsdShade.Material, surface: UsdShade.Shader, key: str, value: Any) -> None:
    """Set an input of the surface, or feed it from a texture."""
    socket = surface.CreateInput(key, value_type(TYPES[key]))
    if not isinstance(value, Texture):
        socket.Set(value)
        return
    node = add_shader(material, f"{key}_texture", "UsdUVTexture")
    settings = {
        "file": ("Asset", f"./{value.file}"),
        "sourceColorSpace": ("Token", "sRGB" if value.srgb else "raw"),
        "wrapS": ("Token", value.wrap),
        "wrapT": ("Token", value.wrap),
        "scale": ("Float4", (*value.scale, 1.0)),
        "bias": ("Float4", (*value.bias, 0.0)),
    }
    for name, (kind, setting) in settings.items():
        node.CreateInput(name, value_type(kind)).Set(setting)
    node.CreateInput("st", value_type("Float2")).ConnectToSource(uv_reader(material).ConnectableAPI(), "result")
    output, kind = OUTPUTS[TYPES[key]]
    node.CreateOutput(output, value_type(kind))
    socket.ConnectToSource(node.ConnectableAPI(), output)


def uv_reader(material: UsdShade.Material) -> UsdShade.Shader:
    """The material's node that reads the mesh's UVs."""
    reader = add_shader(material, "uvs", "UsdPrimvarReader_float2")
    reader.CreateInput("varname", value_type("String")).Set(UVS)
    reader.CreateOutput("result", value_type("Float2"))
    return reader


def value_type(name: str) -> Any:
    """USD's type of that name, "Color3f"."""
    from pxr import Sdf

    return getattr(Sdf.ValueTypeNames, name)


def encode_png(pixels: NDArray[Any], notes: Mapping[str, str], srgb: bool = False) -> bytes:
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


def whole(values: NDArray[Any], most: int = 255) -> NDArray[Any]:
    """Values in [0, 1] as whole numbers from 0 to most, 255 or 65535."""
    return np.rint(values * np.float32(most)).astype(np.min_scalar_type(most))
