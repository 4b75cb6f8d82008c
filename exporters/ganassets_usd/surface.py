"""A material on a plane of its true size."""

from __future__ import annotations

import numpy as np

from ganassets.api.assets import TextureSet

from .geometry import add_mesh, add_uvs, bind
from .materials import Colour, Texture, add_materials, encode_png, whole
from .scene import Scene, new_scene

ONE: Colour = (1.0, 1.0, 1.0)
ZERO: Colour = (0.0, 0.0, 0.0)


def describe_surface(asset: TextureSet) -> Scene:
    """The scene of a material: an upright plane facing +Z like all assets, the material once on it."""
    scene = new_scene(asset, "Xform")
    corners = np.array([(0, 1), (1, 1), (1, 0), (0, 0)], float)
    points = np.pad((corners - 0.5) * asset.size * [1, -1], [(0, 0), (0, 1)])
    order = np.arange(4)
    mesh = add_mesh(scene, "plane", points, np.tile([0, 0, 1], (4, 1)), np.array([4]), order)
    add_uvs(mesh, corners, order)
    bind(mesh, add_materials(scene, {asset.name: textures_of(scene, asset)}), np.zeros(1, int))
    return scene


def textures_of(scene: Scene, asset: TextureSet) -> dict[str, Texture]:
    """The shader's inputs; the pictures go to the scene. Height has 16 bits, because 8 show as steps, and is scaled
    back to metres.
    """
    low, high = float(asset.height.min()), float(asset.height.max())
    rise = high - low
    unit_height = (asset.height.astype(np.float64) - low) / (rise or 1)
    wrap = "repeat" if asset.tiles else "clamp"

    def texture(part: str, pixels: np.ndarray, scale: Colour = ONE, bias: Colour = ZERO) -> Texture:
        file, srgb = f"{asset.name}_{part}.png", part == "albedo"
        scene.pictures[file] = encode_png(pixels, asset.provenance.keywords(file), srgb)
        return Texture(file, srgb, scale, bias, wrap)

    return {
        "diffuseColor": texture("albedo", whole(asset.albedo)),
        "normal": texture("normal", whole(asset.normal / 2 + 0.5), (2.0, 2.0, 2.0), (-1.0, -1.0, -1.0)),
        "roughness": texture("roughness", whole(asset.roughness)),
        "metallic": texture("metallic", whole(asset.metallic)),
        "occlusion": texture("occlusion", whole(asset.occlusion)),
        "displacement": texture("height", whole(unit_height, 65535), (rise, rise, rise), (low, low, low)),
    }
