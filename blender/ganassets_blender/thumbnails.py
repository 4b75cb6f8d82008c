"""Draw assets for Blender's Asset Browser and the panel, with numpy and Pillow alone."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ganassets.api.assets import Asset, Mesh, MotionClip, TextureSet
from ganassets.api.motion.figure import Body, Camera, body_of, draw_figure
from ganassets.api.motion.kinematics import positions
from ganassets.api.motion.rotations import heading
from ganassets.api.rendering import render
from ganassets.api.shading import sphere_cut_out

ByteArray = NDArray[np.uint8]

TEXELS = 512  # texels of a material that a picture needs at most
FACTOR = 3  # clips are drawn larger by this factor, then reduced
AZIMUTH, PITCH = 58.0, 9.0  # degrees from the direction that a figure faces to the camera, and down
MARGIN = 0.03  # share of the picture's side
APART = 0.42  # metres between the poses
FAINT = 0.42  # opacity of the poses beside the main one
STILL = 0.12  # metres; poses whose joints differ less, on average, are shown once


def thumbnail(asset: Asset, side: int = 256) -> ByteArray:
    """Draw an asset: a sphere of a material, a mesh in three-quarter view, the main poses of a clip, or a picture.

    Args:
        asset: of any kind that can be drawn.
        side: pixels.

    Returns:
        (side, side, 4) uint8 sRGB with alpha, transparent around the asset.

    Raises:
        InputError: a clip's skeleton lacks a joint of the humanoid, or a mesh has no faces.
    """
    if isinstance(asset, TextureSet):
        return sphere_cut_out(asset.reduced(TEXELS), side, samples=1)
    if isinstance(asset, Mesh):
        return render(asset, side)
    if isinstance(asset, MotionClip):
        return draw_poses(asset, side)
    picture = Image.fromarray(asset.pixels).convert("RGBA")
    picture.thumbnail((side, side))
    square = Image.new("RGBA", (side, side))
    square.paste(picture, ((side - picture.width) // 2, (side - picture.height) // 2))
    return np.asarray(square)


def draw_poses(clip: MotionClip, side: int) -> ByteArray:
    """Draw a clip's main pose into a (side, side, 4) picture, and behind it, fainter, one before and one after."""
    frames = main_frames(clip)
    facing = float(heading(clip.rotations[frames[0], 0].astype(np.float64)))
    ahead = np.array([math.sin(facing), 0, math.cos(facing)])
    body = body_of(replace(clip, translation=clip.translation[frames], rotations=clip.rotations[frames], contacts=None))
    places = clip.translation[frames].astype(np.float64) * (1, 0, 1)
    steps = APART * np.sign(np.array(frames) - frames[0])[:, None] * ahead
    body = Body(body.centres + (steps - places)[:, None, None], body.radii, body.colours)

    large = FACTOR * side
    edge = MARGIN * large
    camera = Camera(facing - math.radians(AZIMUTH), math.radians(PITCH)).fitted(
        body.centres.reshape(-1, 3),
        np.broadcast_to(body.radii, body.centres.shape[:-1]).ravel(),
        (edge, edge, large - edge, large - edge),
    )
    picture = Image.new("RGBA", (large, large))
    for frame in reversed(range(len(frames))):
        figure = Image.new("RGBA", (large, large))
        draw_figure(figure, body, frame, camera)
        if frame:
            figure.putalpha(figure.getchannel("A").point([round(FAINT * alpha) for alpha in range(256)]))
        picture.alpha_composite(figure)
    return np.asarray(picture.convert("RGBa").reduce(FACTOR).convert("RGBA"))


def main_frames(clip: MotionClip) -> list[int]:
    """Choose the frame that differs most from the clip's mean, then one before and one after it that differ from it."""
    places = positions(clip) - clip.translation[:, None] * (1, 0, 1)
    most = int(np.linalg.norm(places - places.mean(0), axis=-1).mean(1).argmax())
    away = np.linalg.norm(places - places[most], axis=-1).mean(1)
    parts = [(0, most), (most + 1, len(clip))]
    others = [start + int(away[start:stop].argmax()) for start, stop in parts if start < stop]
    return [most, *(frame for frame in others if away[frame] > STILL)]
