"""What each engine wants: files, channels, normals' green sign, as tables.

glTF: specification 2.0, section 3.9. Unity: HDRP's mask map. Unreal, Godot: the packed occlusion, roughness, metallic
that their importers and standard materials read. Blender: a picture for each input of its shader.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ganassets.api.assets import TextureSet

FloatArray = NDArray[np.floating[Any]]


def scaled_height(asset: TextureSet) -> FloatArray:
    """(h, w) float64 height from 0, the lowest point, to 1, the highest; 0 where all are the same."""
    low, high = height_range(asset)
    return (asset.height.astype(np.float64) - low) / (high - low or 1)


def height_range(asset: TextureSet) -> tuple[float, float]:
    """Metres of the lowest and the highest point."""
    return float(asset.height.min()), float(asset.height.max())


# What a channel can hold: (h, w) values in [0, 1] of a material.
CHANNELS: dict[str, Callable[[TextureSet], FloatArray]] = {
    "red": lambda asset: asset.albedo[..., 0],
    "green": lambda asset: asset.albedo[..., 1],
    "blue": lambda asset: asset.albedo[..., 2],
    "normal right": lambda asset: asset.normal[..., 0] * 0.5 + 0.5,
    "normal up": lambda asset: asset.normal[..., 1] * 0.5 + 0.5,
    "normal down": lambda asset: asset.normal[..., 1] * -0.5 + 0.5,
    "normal out": lambda asset: asset.normal[..., 2] * 0.5 + 0.5,
    "occlusion": lambda asset: asset.occlusion,
    "roughness": lambda asset: asset.roughness,
    "smoothness": lambda asset: 1 - asset.roughness,
    "metallic": lambda asset: asset.metallic,
    "height": scaled_height,
    "half": lambda asset: np.full(asset.height.shape, 0.5, np.float32),
}


@dataclass(frozen=True)
class Picture:
    """One file.

    Attributes:
        file: its name without suffix; {} is the asset's name.
        channels: keys of CHANNELS; one is grey, three are RGB, four are RGBA.
    """

    file: str
    channels: tuple[str, ...]

    @property
    def colour(self) -> bool:
        """Whether it is sRGB; all others are linear data."""
        return self.channels == COLOUR


COLOUR = ("red", "green", "blue")
NORMAL_UP = ("normal right", "normal up", "normal out")
NORMAL_DOWN = ("normal right", "normal down", "normal out")
NORMALS = (NORMAL_UP, NORMAL_DOWN)
ORM = ("occlusion", "roughness", "metallic")
HEIGHT = ("height",)

PROFILES: dict[str, tuple[Picture, ...]] = {
    "gltf": (
        Picture("{}_baseColor", COLOUR),
        Picture("{}_normal", NORMAL_UP),
        Picture("{}_orm", ORM),
        Picture("{}_height", HEIGHT),
    ),
    "blender": (
        Picture("{}_albedo", COLOUR),
        Picture("{}_normal", NORMAL_UP),
        Picture("{}_roughness", ("roughness",)),
        Picture("{}_metallic", ("metallic",)),
        Picture("{}_ao", ("occlusion",)),
        Picture("{}_height", HEIGHT),
    ),
    "unity": (
        Picture("{}_BaseMap", COLOUR),
        Picture("{}_Normal", NORMAL_UP),
        Picture("{}_MaskMap", ("metallic", "occlusion", "half", "smoothness")),  # half: the detail mask changes nothing
        Picture("{}_Height", HEIGHT),
    ),
    "unreal": (
        Picture("T_{}_BC", COLOUR),
        Picture("T_{}_N", NORMAL_DOWN),
        Picture("T_{}_ORM", ORM),
        Picture("T_{}_H", HEIGHT),
    ),
    "godot": (
        Picture("{}_albedo", COLOUR),
        Picture("{}_normal", NORMAL_UP),
        Picture("{}_orm", ORM),
        Picture("{}_height", HEIGHT),
    ),
}
