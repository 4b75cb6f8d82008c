"""The image exporter: a material as pictures, packed and named as an engine wants them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ganassets.assets import Exporter, Option, TextureSet


def export(asset: TextureSet, options: Mapping[str, Any]) -> dict[str, bytes]:
    """The pictures of the profile, and the preview if it is wanted; see EXPORTER.options."""
    from .pictures import encode_pictures

    return encode_pictures(asset, options)


EXPORTER = Exporter(
    name="images",
    summary="PNG, WebP or EXR pictures of a material, packed and named for an engine",
    api_version=1,
    kinds=("textures",),
    suffixes=(".png", ".webp", ".exr"),
    export=export,
    options=(
        Option(
            "profile",
            str,
            "gltf",
            "whose names, channels and normals",
            choices=("gltf", "blender", "unity", "unreal", "godot"),
        ),
        Option(
            "format",
            str,
            "png",
            "webp is lossless with 8 bits; exr has floats, linear colour and height in metres",
            choices=("png", "webp", "exr"),
        ),
        Option("depth", str, "8", "bits of a PNG's channels; height always has 16", choices=("8", "16")),
        Option("preview", bool, False, "also draw a lit sphere and plane"),
    ),
)
