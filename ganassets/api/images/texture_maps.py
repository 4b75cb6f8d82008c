"""Pack a material's maps into the channels of image files, as the table of engines says."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..assets import TextureSet
from ..engines import HEIGHT, Engine, TextureFile
from .encoding import encode_png, quantize

FloatArray = NDArray[np.floating[Any]]


def height_range(asset: TextureSet) -> tuple[float, float]:
    """Measure the lowest and the highest point of a material, in metres.

    >>> from ganassets.api.assets import TextureSet
    >>> flat, grey = np.zeros((4, 8), np.float32), np.full((4, 8, 3), 0.5, np.float32)
    >>> up = np.full((4, 8, 3), [0, 0, 1], np.float32)
    >>> heights = np.linspace(-0.5, 0.25, 32, dtype=np.float32).reshape(4, 8)
    >>> wall = TextureSet("wall", grey, heights, up, flat + 1, flat, flat + 1, texel_size=0.25)
    >>> height_range(wall)
    (-0.5, 0.25)
    """
    return float(asset.height.min()), float(asset.height.max())


def unit_height(asset: TextureSet) -> NDArray[np.float64]:
    """Scale a material's height to [0, 1]: 0 is the lowest point, 1 the highest; a flat material is 0 everywhere.

    Returns:
        (h, w) float64.
    """
    low, high = height_range(asset)
    return (asset.height.astype(np.float64) - low) / (high - low or 1)


def _constant_half(asset: TextureSet) -> FloatArray:
    return np.full(asset.height.shape, 0.5, np.float32)


# (h, w) values in [0, 1] of each channel that an image file can have.
CHANNELS: dict[str, Callable[[TextureSet], FloatArray]] = {
    "red": lambda asset: asset.albedo[..., 0],
    "green": lambda asset: asset.albedo[..., 1],
    "blue": lambda asset: asset.albedo[..., 2],
    "normal x": lambda asset: asset.normal[..., 0] * 0.5 + 0.5,
    "normal y": lambda asset: asset.normal[..., 1] * 0.5 + 0.5,
    "normal -y": lambda asset: asset.normal[..., 1] * -0.5 + 0.5,
    "normal z": lambda asset: asset.normal[..., 2] * 0.5 + 0.5,
    "occlusion": lambda asset: asset.occlusion,
    "roughness": lambda asset: asset.roughness,
    "smoothness": lambda asset: 1 - asset.roughness,
    "metallic": lambda asset: asset.metallic,
    "height": unit_height,
    "half": _constant_half,
}


def pack_channels(asset: TextureSet, channels: tuple[str, ...], normal_y: int = 1) -> FloatArray:
    """Stack channels of a material.

    Args:
        asset: The material.
        channels: Keys of CHANNELS.
        normal_y: Sign of the normal's green channel, as in `Engine`.

    Returns:
        (h, w, c) values in [0, 1].

    >>> from ganassets.api.assets import TextureSet
    >>> from ganassets.api.engines import ORM
    >>> flat, grey = np.zeros((4, 8), np.float32), np.full((4, 8, 3), 0.5, np.float32)
    >>> up = np.full((4, 8, 3), [0, 0, 1], np.float32)
    >>> wall = TextureSet("wall", grey, flat, up, flat + 0.25, flat, flat + 1, texel_size=0.25)
    >>> pack_channels(wall, ORM)[0, 0].tolist()  # occlusion, roughness, metallic
    [1.0, 0.25, 0.0]
    """
    names = ("normal -y" if name == "normal y" and normal_y < 0 else name for name in channels)
    return np.stack([CHANNELS[name](asset) for name in names], -1)


def describe_texture(asset: TextureSet, file: TextureFile | None = None) -> dict[str, str]:
    """List what an image file says about its material, by keyword.

    Args:
        asset: The material.
        file: One of the material's files; the file of the height also says how high black and white are.

    >>> from ganassets.api.assets import TextureSet
    >>> flat, grey = np.zeros((4, 8), np.float32), np.full((4, 8, 3), 0.5, np.float32)
    >>> up = np.full((4, 8, 3), [0, 0, 1], np.float32)
    >>> wall = TextureSet("wall", grey, flat, up, flat + 1, flat, flat + 1, texel_size=0.25)
    >>> describe_texture(wall)["Texel size"]
    '0.25 m'
    """
    text = {**asset.provenance.keywords(asset.name), "Texel size": f"{asset.texel_size:.9g} m"}
    if file is None or file.channels != HEIGHT:
        return text
    low, high = height_range(asset)
    return {**text, "Height low": f"{low:.9g} m", "Height high": f"{high:.9g} m"}


def encode_png_texture(asset: TextureSet, file: TextureFile, engine: Engine, bits: int = 8) -> bytes:
    """Encode one image file of a material as PNG.

    Args:
        asset: The material.
        file: One of the engine's files.
        engine: The engine that it is for.
        bits: 8 or 16 bits a channel. Height always has 16: 8 bits show as steps when they displace a surface.

    >>> from ganassets.api.assets import TextureSet
    >>> from ganassets.api.engines import ENGINES
    >>> flat, grey = np.zeros((4, 8), np.float32), np.full((4, 8, 3), 0.5, np.float32)
    >>> up = np.full((4, 8, 3), [0, 0, 1], np.float32)
    >>> wall = TextureSet("wall", grey, flat, up, flat + 1, flat, flat + 1, texel_size=0.25)
    >>> unreal = ENGINES["unreal"]
    >>> files = {file.name.format("wall"): encode_png_texture(wall, file, unreal) for file in unreal.textures}
    >>> list(files)
    ['T_wall_BC', 'T_wall_N', 'T_wall_ORM', 'T_wall_H']
    """
    pixels = quantize(pack_channels(asset, file.channels, engine.normal_y), 16 if file.channels == HEIGHT else bits)
    text = describe_texture(asset, file)
    return encode_png(pixels, srgb=file.is_colour, text=text, pixels_per_metre=1 / asset.texel_size)


def encode_png_textures(asset: TextureSet, engine: Engine) -> dict[str, bytes]:
    """Encode all image files of a material for an engine as PNG with 8 bits a channel, by file name."""
    return {f"{file.name.format(asset.name)}.png": encode_png_texture(asset, file, engine) for file in engine.textures}
