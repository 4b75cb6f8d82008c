"""A material as picture files: channels gathered, scaled to the file's numbers and encoded."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ganassets.api.assets import TextureSet
from ganassets.api.errors import InputError
from ganassets.api.shading import shade_plane, shade_sphere, to_linear

from . import ktx2
from .godot import encode_material
from .png import encode_png
from .profiles import CHANNELS, HEIGHT, NORMALS, PROFILES, Picture, height_range
from .webp import encode_webp

PREVIEW_SIZE = 512

FloatArray = NDArray[np.floating[Any]]


def encode_pictures(asset: TextureSet, options: Mapping[str, Any]) -> dict[str, bytes]:
    """Files by name; InputError when the format can't hold the asset or its library is not installed."""
    encode = FORMATS[options["format"]]
    named = {
        f"{picture.file.format(asset.name)}.{options['format']}": picture for picture in PROFILES[options["profile"]]
    }
    files = {file: encode(asset, picture, options) for file, picture in named.items()}
    if options["profile"] == "godot":
        relative = [
            (picture, file) for file, picture in named.items() if picture.channels != HEIGHT or encode is not as_exr
        ]
        files[f"{asset.name}.tres"] = encode_material(asset, relative, facts(asset))
    if options["preview"]:
        pixels = np.concatenate([shade(asset, PREVIEW_SIZE) for shade in (shade_sphere, shade_plane)], 1)
        files[f"{asset.name}_preview.png"] = encode_png(pixels, srgb=True, text=facts(asset))
    return files


def gathered(asset: TextureSet, picture: Picture) -> FloatArray:
    """(h, w, c) values in [0, 1] of a picture's channels."""
    return np.stack([CHANNELS[name](asset) for name in picture.channels], -1)


def whole(values: FloatArray, most: int) -> NDArray[Any]:
    """Values in [0, 1] as whole numbers from 0 to most, 255 or 65535; a flat normal becomes 128, 128, 255."""
    return np.rint(values * np.float32(most)).astype(np.min_scalar_type(most))


def as_png(asset: TextureSet, picture: Picture, options: Mapping[str, Any]) -> bytes:
    """Height has 16 bits whatever the option says: 8 show as steps when they displace a surface."""
    most = 65535 if options["depth"] == "16" or picture.channels == HEIGHT else 255
    pixels = whole(gathered(asset, picture), most)
    return encode_png(pixels, picture.colour, 1 / asset.texel_size, facts(asset, picture))


def as_webp(asset: TextureSet, picture: Picture, options: Mapping[str, Any]) -> bytes:
    """Lossless; a grey picture is RGB there."""
    pixels = whole(gathered(asset, picture), 255)
    return encode_webp(np.repeat(pixels, 3, -1) if pixels.shape[-1] == 1 else pixels, facts(asset, picture))


def as_exr(asset: TextureSet, picture: Picture, options: Mapping[str, Any]) -> bytes:
    """32-bit floats: colour linear, as EXR wants it; height in metres; all else as in other formats."""
    try:
        import OpenEXR
    except ImportError as error:
        raise InputError("EXR needs a library: pip install 'ganassets[exr]', or choose --option format=png.") from error
    values = asset.height[..., None] if picture.channels == HEIGHT else gathered(asset, picture)
    values = to_linear(values).astype(np.float32) if picture.colour else values
    letters = "RGBA" if values.shape[-1] > 1 else "Y"
    channels = {letter: np.ascontiguousarray(values[..., k]) for k, letter in enumerate(letters[: values.shape[-1]])}
    header = {"compression": OpenEXR.ZIP_COMPRESSION, "type": OpenEXR.scanlineimage, **facts(asset, picture)}
    file = io.BytesIO()
    OpenEXR.File(header, channels).write(file)
    return file.getvalue()


def as_ktx2(asset: TextureSet, picture: Picture, options: Mapping[str, Any]) -> bytes:
    """Compressed for graphics processors, 8 bits. What doesn't tile has mipmaps that don't either."""
    flags = ktx2.COLOUR if picture.colour else ktx2.NORMAL if picture.channels in NORMALS else ktx2.DATA
    png = encode_png(whole(gathered(asset, picture), 255), picture.colour)
    edges = () if asset.tiles else ktx2.CLAMPED
    return ktx2.encode_ktx2(png, (*flags, *edges), facts(asset, picture))


FORMATS: dict[str, Callable[[TextureSet, Picture, Mapping[str, Any]], bytes]] = {
    "png": as_png,
    "webp": as_webp,
    "exr": as_exr,
    "ktx2": as_ktx2,
}


def facts(asset: TextureSet, picture: Picture | None = None) -> dict[str, str]:
    """What a file says about itself, by keyword; a height map also says which metres its black and white are."""
    low, high = height_range(asset)
    return {
        **asset.provenance.keywords(asset.name),
        "Texel size": f"{asset.texel_size:.9g} m",
        **(
            {"Height low": f"{low:.9g} m", "Height high": f"{high:.9g} m"}
            if picture and picture.channels == HEIGHT
            else {}
        ),
    }
