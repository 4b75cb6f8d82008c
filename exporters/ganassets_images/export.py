"""Write a material as image files for an engine, and a picture as one file."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import numpy as np

from ganassets.api.assets import Picture, TextureSet
from ganassets.api.engines import ENGINES, HEIGHT, NORMAL, Engine, TextureFile
from ganassets.api.errors import MissingDependencyError
from ganassets.api.images.encoding import encode_png, encode_webp, quantize
from ganassets.api.images.texture_maps import describe_texture, encode_png_texture, pack_channels
from ganassets.api.shading import shade_plane, shade_sphere, srgb_to_linear

from . import ktx2
from .godot import encode_material

PREVIEW_SIZE = 512


def export_textures(asset: TextureSet, options: Mapping[str, Any], engine: Engine) -> dict[str, bytes]:
    """Write a material's image files, and a preview if the options ask for one.

    Args:
        asset: The material.
        options: Values of `ganassets_images.OPTIONS`.
        engine: The engine that the files are for.

    Raises:
        InputError: The format can't hold the material, or its library or program is not installed.
    """
    encode = TEXTURE_FORMATS[options["format"]]
    files = {
        file_name(asset, file, options): encode(asset, file, engine, int(options["depth"])) for file in engine.textures
    }
    return {**files, **(encode_preview(asset) if options["preview"] else {})}


def export_godot(asset: TextureSet, options: Mapping[str, Any]) -> dict[str, bytes]:
    """Write a material's image files for Godot and the resource that uses them."""
    engine = ENGINES["godot"]
    # The height in an EXR file is in metres, but Godot's parallax takes 0 to 1.
    used = [file for file in engine.textures if file.channels != HEIGHT or options["format"] != "exr"]
    named = [(file, file_name(asset, file, options)) for file in used]
    material = encode_material(asset, named, describe_texture(asset))
    files = export_textures(asset, {**options, "preview": False}, engine)
    preview = encode_preview(asset) if options["preview"] else {}
    return {**files, f"{asset.name}.tres": material, **preview}


export_gltf = partial(export_textures, engine=ENGINES["gltf"])
export_blender = partial(export_textures, engine=ENGINES["blender"])
export_unity = partial(export_textures, engine=ENGINES["unity"])
export_unreal = partial(export_textures, engine=ENGINES["unreal"])


def export_picture(asset: Picture, options: Mapping[str, Any]) -> dict[str, bytes]:
    """Write a picture as one PNG or WebP file.

    Raises:
        InputError: The format can't hold the picture.
    """
    text = asset.provenance.keywords(asset.name)
    webp = options["format"] == "webp"
    content = encode_webp(asset.pixels, text) if webp else encode_png(asset.pixels, srgb=True, text=text)
    return {f"{asset.name}.{options['format']}": content}


def file_name(asset: TextureSet, file: TextureFile, options: Mapping[str, Any]) -> str:
    """Name one of a material's image files."""
    return f"{file.name.format(asset.name)}.{options['format']}"


def encode_preview(asset: TextureSet) -> dict[str, bytes]:
    """Draw a material on a lit sphere and a lit plane; the PNG file by its name."""
    pixels = np.concatenate([shade(asset, PREVIEW_SIZE) for shade in (shade_sphere, shade_plane)], 1)
    return {f"{asset.name}_preview.png": encode_png(pixels, srgb=True, text=describe_texture(asset))}


def encode_webp_texture(asset: TextureSet, file: TextureFile, engine: Engine, bits: int) -> bytes:
    """Encode an image file as lossless WebP, which has 8 bits a channel and no grey images: grey becomes RGB."""
    del bits
    pixels = quantize(pack_channels(asset, file.channels, engine.normal_y))
    return encode_webp(np.repeat(pixels, 3, -1) if pixels.shape[-1] == 1 else pixels, describe_texture(asset, file))


def encode_exr_texture(asset: TextureSet, file: TextureFile, engine: Engine, bits: int) -> bytes:
    """Encode an image file as OpenEXR with 32-bit floats: linear colour, height in metres, all else in [0, 1]."""
    del bits
    try:
        import OpenEXR
    except ImportError as error:
        text = "EXR needs a library: pip install 'ganassets[exr]', or choose --option format=png."
        raise MissingDependencyError(text) from error
    in_metres = file.channels == HEIGHT
    values = asset.height[..., None] if in_metres else pack_channels(asset, file.channels, engine.normal_y)
    values = srgb_to_linear(values).astype(np.float32) if file.is_colour else values
    letters = "RGBA" if values.shape[-1] > 1 else "Y"
    channels = {letter: np.ascontiguousarray(values[..., k]) for k, letter in enumerate(letters[: values.shape[-1]])}
    text = describe_texture(asset, file)
    header = {"compression": OpenEXR.ZIP_COMPRESSION, "type": OpenEXR.scanlineimage, **text}
    content = io.BytesIO()
    OpenEXR.File(header, channels).write(content)
    return content.getvalue()


def encode_ktx2_texture(asset: TextureSet, file: TextureFile, engine: Engine, bits: int) -> bytes:
    """Encode an image file as KTX2 with 8 bits a channel; if the material doesn't tile, neither do its mipmaps."""
    del bits
    flags = ktx2.COLOUR_FLAGS if file.is_colour else ktx2.NORMAL_FLAGS if file.channels == NORMAL else ktx2.DATA_FLAGS
    png = encode_png(quantize(pack_channels(asset, file.channels, engine.normal_y)), srgb=file.is_colour)
    return ktx2.encode_ktx2(png, [*flags, *(() if asset.tiles else ktx2.CLAMP_FLAGS)], describe_texture(asset, file))


TEXTURE_FORMATS: dict[str, Callable[[TextureSet, TextureFile, Engine, int], bytes]] = {
    "png": encode_png_texture,
    "webp": encode_webp_texture,
    "exr": encode_exr_texture,
    "ktx2": encode_ktx2_texture,
}
