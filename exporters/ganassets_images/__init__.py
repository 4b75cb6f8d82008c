"""The image exporters: a material as pictures, packed and named as an engine wants them; a picture as it is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ganassets.api.assets import Exporter, Option, Picture, TextureSet


def export(asset: TextureSet, options: Mapping[str, Any]) -> dict[str, bytes]:
    """The pictures of the profile, and the preview if it is wanted; see OPTIONS."""
    from .pictures import encode_pictures

    return encode_pictures(asset, options)


def export_picture(asset: Picture, options: Mapping[str, Any]) -> dict[str, bytes]:
    """The picture in one file."""
    from .single import encode_picture

    return encode_picture(asset, options)


OPTIONS = (
    Option(
        "format",
        str,
        "png",
        "webp is lossless with 8 bits; exr has floats, linear colour, height in metres; ktx2 is compressed for the GPU",
        choices=("png", "webp", "exr", "ktx2"),
    ),
    Option("depth", str, "8", "bits of a PNG's channels; height always has 16", choices=("8", "16")),
    Option("preview", bool, False, "also draw a lit sphere and plane"),
)


def exporter_of(name: str, profile: str, summary: str, *more: str) -> Exporter:
    """The exporter whose pictures have a profile's names, channels and normals; more are suffixes of other files."""
    return Exporter(
        name=name,
        summary=summary,
        api_version=1,
        kinds=("textures",),
        suffixes=(".png", ".webp", ".exr", ".ktx2", *more),
        export=lambda asset, options: export(asset, {**options, "profile": profile}),
        options=OPTIONS,
    )


EXPORTER = exporter_of("images", "gltf", "pictures of a material, named and packed as glTF has them")
BLENDER = exporter_of("blender", "blender", "pictures of a material for Blender: one for each input of the shader")
GODOT = exporter_of("godot", "godot", "pictures of a material for Godot, ORM packed, and the material itself", ".tres")
UNITY = exporter_of("unity", "unity", "pictures of a material for Unity: mask map, normals +Y")
UNREAL = exporter_of("unreal", "unreal", "pictures of a material for Unreal: T_ names, ORM packed, normals -Y")
PNG = Exporter(
    name="png",
    summary="a picture, with transparency where it has any",
    api_version=1,
    kinds=("picture",),
    suffixes=(".png", ".webp"),
    export=export_picture,
    options=(Option("format", str, "png", "webp is lossless and smaller", choices=("png", "webp")),),
)
