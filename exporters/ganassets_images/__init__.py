"""The image exporters: a material as image files, packed and named for an engine; a picture as one file."""

from __future__ import annotations

from ganassets.api.assets import Exporter, Option

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


def textures_exporter(name: str, engine: str, summary: str, *more_suffixes: str) -> Exporter:
    """Declare an exporter of a material's image files.

    Args:
        name: Name of the exporter.
        engine: Engine that the files are for, a key of `ganassets.api.engines.ENGINES`.
        summary: One line.
        more_suffixes: Suffixes of other files that it writes.
    """
    return Exporter(
        name=name,
        summary=summary,
        api_version=1,
        kinds=("textures",),
        suffixes=(".png", ".webp", ".exr", ".ktx2", *more_suffixes),
        export=f"ganassets_images.export:export_{engine}",
        options=OPTIONS,
    )


EXPORTER = textures_exporter("images", "gltf", "image files of a material, named and packed as in glTF")
BLENDER = textures_exporter(
    "blender", "blender", "image files of a material for Blender: one for each input of the shader"
)
GODOT = textures_exporter(
    "godot", "godot", "image files of a material for Godot, ORM packed, and the material itself", ".tres"
)
UNITY = textures_exporter("unity", "unity", "image files of a material for Unity: mask map, normals +Y")
UNREAL = textures_exporter("unreal", "unreal", "image files of a material for Unreal: T_ names, ORM packed, normals -Y")
PNG = Exporter(
    name="png",
    summary="a picture, with transparency if it has any",
    api_version=1,
    kinds=("picture",),
    suffixes=(".png", ".webp"),
    export="ganassets_images.export:export_picture",
    options=(Option("format", str, "png", "webp: lossless and smaller", choices=("png", "webp")),),
)
