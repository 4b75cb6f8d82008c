"""Write materials as UsdPreviewSurface (specification 2.6), which every reader of USD supports."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .stage import AssetStage, unique_identifiers

if TYPE_CHECKING:
    from pxr import UsdShade

UVS = "st"  # primvar that readers expect
PNG_LEVEL = 6  # zlib level of images
# Input of the surface -> its type.
TYPES = {
    "diffuseColor": "Color3f",
    "roughness": "Float",
    "metallic": "Float",
    "occlusion": "Float",
    "displacement": "Float",
    "normal": "Normal3f",
}
# Type of a surface's input -> output of a texture that feeds it, and that output's type.
OUTPUTS = {"Color3f": ("rgb", "Float3"), "Normal3f": ("rgb", "Float3"), "Float": ("r", "Float")}

RGB = tuple[float, float, float]


@dataclass(frozen=True)
class Texture:
    """An image that feeds an input with image * scale + bias.

    Attributes:
        file: Name of the image's file, a key of the stage's images.
        srgb: Whether the image is sRGB colour; all others are linear data.
        scale: Factors of red, green and blue; a grey image uses the first.
        bias: Values added to red, green and blue.
        wrap: What lies beyond the image's border, "repeat" or "clamp".
    """

    file: str
    srgb: bool = False
    scale: RGB = (1.0, 1.0, 1.0)
    bias: RGB = (0.0, 0.0, 0.0)
    wrap: str = "repeat"


Inputs = Mapping[str, float | Sequence[float] | Texture]


def add_materials(stage: AssetStage, surfaces: Mapping[str, Inputs]) -> list[UsdShade.Material]:
    """Add materials and return them in the same order.

    Args:
        stage: Stage that gets the materials.
        surfaces: By the material's name, values or textures by the surface's input (a key of TYPES).
    """
    from pxr import UsdGeom, UsdShade

    folder = f"{stage.root}/materials"
    UsdGeom.Scope.Define(stage.usd, folder)
    materials = []
    for name, inputs in zip(unique_identifiers(list(surfaces)), surfaces.values(), strict=True):
        material = UsdShade.Material.Define(stage.usd, f"{folder}/{name}")
        surface = add_shader(material, "surface", "UsdPreviewSurface")
        for key, value in inputs.items():
            add_input(material, surface, key, value)
        material.CreateSurfaceOutput().ConnectToSource(surface.ConnectableAPI(), "surface")
        if "displacement" in inputs:
            material.CreateDisplacementOutput().ConnectToSource(surface.ConnectableAPI(), "displacement")
        materials.append(material)
    return materials


def add_shader(material: UsdShade.Material, name: str, identifier: str) -> UsdShade.Shader:
    """Add a node to a material."""
    from pxr import UsdShade

    shader = UsdShade.Shader.Define(material.GetPrim().GetStage(), material.GetPath().AppendChild(name))
    shader.CreateIdAttr(identifier)
    return shader


def add_input(material: UsdShade.Material, surface: UsdShade.Shader, key: str, value: Any) -> None:
    """Set an input of the surface, or feed it from a texture."""
    surface_input = surface.CreateInput(key, value_type(TYPES[key]))
    if not isinstance(value, Texture):
        surface_input.Set(value)
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
    surface_input.ConnectToSource(node.ConnectableAPI(), output)


def uv_reader(material: UsdShade.Material) -> UsdShade.Shader:
    """Return the material's node that reads the mesh's UVs; add it on first use."""
    reader = add_shader(material, "uvs", "UsdPrimvarReader_float2")
    reader.CreateInput("varname", value_type("String")).Set(UVS)
    reader.CreateOutput("result", value_type("Float2"))
    return reader


def value_type(name: str) -> Any:
    """Look up a type of USD by its name, such as "Color3f"."""
    from pxr import Sdf

    return getattr(Sdf.ValueTypeNames, name)
