"""Build the stage of a material on a plane of its true size."""

from __future__ import annotations

import numpy as np

from ganassets.api.assets import TextureSet
from ganassets.api.engines import COLOUR, HEIGHT, NORMAL
from ganassets.api.images.encoding import encode_png, quantize
from ganassets.api.images.texture_maps import height_range, pack_channels

from .geometry import add_mesh, add_uvs, bind_materials
from .materials import PNG_LEVEL, RGB, Texture, add_materials
from .stage import AssetStage, new_stage

ONE: RGB = (1.0, 1.0, 1.0)
ZERO: RGB = (0.0, 0.0, 0.0)


def make_textures_stage(asset: TextureSet) -> AssetStage:
    """Build the stage of a material: an upright plane that faces +Z like all assets and shows the material once."""
    stage = new_stage(asset, "Xform")
    corners = np.array([(0, 1), (1, 1), (1, 0), (0, 0)], float)
    points = np.pad((corners - 0.5) * asset.size * [1, -1], [(0, 0), (0, 1)])
    order = np.arange(4)
    mesh = add_mesh(stage, "plane", points, np.tile([0, 0, 1], (4, 1)), np.array([4]), order)
    add_uvs(mesh, corners, order)
    bind_materials(mesh, add_materials(stage, {asset.name: add_surface_textures(stage, asset)}), np.zeros(1, int))
    return stage


def add_surface_textures(stage: AssetStage, asset: TextureSet) -> dict[str, Texture]:
    """Add a material's images to a stage and return the textures by the shader's input.

    Height has 16 bits, because 8 bits show as steps; the texture scales it back to metres.
    """
    low, high = height_range(asset)
    rise = high - low
    wrap = "repeat" if asset.tiles else "clamp"

    def texture(part: str, channels: tuple[str, ...], scale: RGB = ONE, bias: RGB = ZERO, bits: int = 8) -> Texture:
        file, srgb = f"{asset.name}_{part}.png", channels == COLOUR
        pixels = quantize(pack_channels(asset, channels), bits)
        text = asset.provenance.keywords(file)
        stage.images[file] = encode_png(pixels, srgb=srgb, text=text, compress_level=PNG_LEVEL)
        return Texture(file, srgb, scale, bias, wrap)

    return {
        "diffuseColor": texture("albedo", COLOUR),
        "normal": texture("normal", NORMAL, (2.0, 2.0, 2.0), (-1.0, -1.0, -1.0)),
        "roughness": texture("roughness", ("roughness",)),
        "metallic": texture("metallic", ("metallic",)),
        "occlusion": texture("occlusion", ("occlusion",)),
        "displacement": texture("height", HEIGHT, (rise, rise, rise), (low, low, low), bits=16),
    }
