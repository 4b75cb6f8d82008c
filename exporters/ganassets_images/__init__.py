"""The image exporters: a material as image files, packed and named for an engine; a picture as one file."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Any

from ganassets.api.assets import Exporter, Option, Picture, TextureSet

OPTIONS = (
    Option(
        "format",
        str,
        "png",
        "webp: lossless, 8 bits; exr: floats, linear colour, height in metres; ktx2: compressed for the GPU",
        choices=("png", "webp", "exr", "ktx2"),
    ),
    Option("depth", str, "8", "bits per channel of a PNG; height always has 16", choices=("8", "16")),
    Option("preview", bool, False, "also draw the material on a lit sphere and plane"),
)


def textures_exporter(name: str, function: str, summary: str, *more_suffixes: str) -> Exporter:
    """Declare an exporter of a material's image files.

    Args:
        name: of the exporter.
        function: of export.py that writes the files.
        summary: one line.
        more_suffixes: suffixes of other files that it writes.
    """

    def export(asset: TextureSet, options: Mapping[str, Any]) -> dict[str, bytes]:
        return getattr(import_module(".export", __name__), function)(asset, options)

    suffixes = (".png", ".webp", ".exr", ".ktx2", *more_suffixes)
    return Exporter(name, summary, 1, ("textures",), suffixes, export, OPTIONS)


def export_picture(asset: Picture, options: Mapping[str, Any]) -> dict[str, bytes]:
    """Write a picture as one file."""
    from .export import export_picture

    return export_picture(asset, options)


EXPORTER = textures_exporter("images", "export_gltf", "image files of a material, named and packed as in glTF")
BLENDER = textures_exporter(
    "blender", "export_blender", "image files of a material for Blender: one for each input of the shader"
)
GODOT = textures_exporter(
    "godot", "export_godot", "image files of a material for Godot, ORM packed, and the material itself", ".tres"
)
UNITY = textures_exporter("unity", "export_unity", "image files of a material for Unity: mask map, normals +Y")
UNREAL = textures_exporter(
    "unreal", "export_unreal", "image files of a material for Unreal: T_ names, ORM packed, normals -Y"
)
PNG = Exporter(
    name="png",
    summary="a picture, with transparency if it has any",
    api_version=1,
    kinds=("picture",),
    suffixes=(".png", ".webp"),
    export=export_picture,
    options=(Option("format", str, "png", "webp: lossless and smaller", choices=("png", "webp")),),
)
