"""Pictures of assets as Blender's Asset Browser and the panel show them: numpy and Pillow alone."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ganassets.assets import Asset, MotionClip, TextureSet
from ganassets.motion.animation import shot_of
from ganassets.shading import shade_sphere

ByteArray = NDArray[np.uint8]


def thumbnail(asset: Asset, side: int = 256) -> ByteArray:
    """(side, side, 4) uint8 sRGB picture of an asset, transparent around it."""
    rgb = np.full((side, side, 3), 128, np.uint8)
    if isinstance(asset, TextureSet):
        rgb = shade_sphere(asset, side)
    elif isinstance(asset, MotionClip):
        rgb = np.asarray(next(shot_of(asset, np.array([asset.seconds / 2]), side).pictures()))
    return np.dstack([rgb, np.full((side, side), 255, np.uint8)])
