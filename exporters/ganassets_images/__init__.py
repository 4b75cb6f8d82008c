"""The image exporters: a material as pictures, packed and named as an engine wants them; a picture as it is."""

from __future__ import annotations

from ganassets.api.assets import Exporter, Option

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


def image_exporter(name: str, profile: str, summary: str, *suffixes: str) -> Exporter:
    """Return the exporter of an engine's names, channels and normals; `suffixes` are those of files beside pictures."""
    return Exporter(
        name=name,
        summary=summary,
        api_version=1,
        kinds=("textures",),
        suffixes=(".png", ".webp", ".exr", ".ktx2", *suffixes),
        export=f"ganassets_images.export:export_{profile}",
        options=OPTIONS,
    )


EXPORTER = image_exporter("images", "gltf", "pictures of a material, named and packed as glTF has them")
BLENDER = image_exporter("blender", "blender", "pictures of a material for Blender: one for each input of the shader")
GODOT = image_exporter(
    "godot", "godot", "pictures of a material for Godot, ORM packed, and the material itself", ".tres"
)
UNITY = image_exporter("unity", "unity", "pictures of a material for Unity: mask map, normals +Y")
UNREAL = image_exporter("unreal", "unreal", "pictures of a material for Unreal: T_ names, ORM packed, normals -Y")
PNG = Exporter(
    name="png",
    summary="a picture, with transparency where it has any",
    api_version=1,
    kinds=("picture",),
    suffixes=(".png", ".webp"),
    export="ganassets_images.single:encode_picture",
    options=(Option("format", str, "png", "webp is lossless and smaller", choices=("png", "webp")),),
)
