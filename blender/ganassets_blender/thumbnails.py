"""Draw thumbnails of assets for Blender's Asset Browser and the panel, with numpy and Pillow only."""

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

MAX_TEXELS = 512  # side of a material; larger ones are reduced
SUPERSAMPLING = 3  # scale at which a clip is drawn before it is reduced
AZIMUTH, PITCH = 58.0, 9.0  # degrees between the camera and the figure's front, and downwards
MARGIN = 0.03  # relative to the image's side
POSE_DISTANCE = 0.42  # metres between poses
# Opacity of all poses except the main one.
FAINT_OPACITY = 0.42
MIN_DIFFERENCE = 0.12  # metres; poses whose joints are closer on average are not drawn


def draw_thumbnail(asset: Asset, side: int = 256) -> ByteArray:
    """Draw an asset: a material on a sphere, a mesh in three-quarter view, some poses of a clip, or an image itself.

    Args:
        asset: the asset.
        side: side of the thumbnail in pixels.

    Returns:
        (side, side, 4) uint8 sRGB with a transparent background.

    Raises:
        InputError: a clip's skeleton lacks a joint of the humanoid, or a mesh has no faces.
    """
    if isinstance(asset, TextureSet):
        return sphere_cut_out(asset.reduced(MAX_TEXELS), side, samples=1)
    if isinstance(asset, Mesh):
        return render(asset, side)
    if isinstance(asset, MotionClip):
        return draw_poses(asset, side)
    image = Image.fromarray(asset.pixels).convert("RGBA")
    image.thumbnail((side, side))
    square = Image.new("RGBA", (side, side))
    square.paste(image, ((side - image.width) // 2, (side - image.height) // 2))
    return np.asarray(square)


def draw_poses(clip: MotionClip, side: int) -> ByteArray:
    """Draw a clip's main pose, and behind it, fainter, a pose before and one after it; returns (side, side, 4)."""
    frames = choose_frames(clip)
    facing = float(heading(clip.rotations[frames[0], 0].astype(np.float64)))
    ahead = np.array([math.sin(facing), 0, math.cos(facing)])
    body = body_of(replace(clip, translation=clip.translation[frames], rotations=clip.rotations[frames], contacts=None))
    places = clip.translation[frames].astype(np.float64) * (1, 0, 1)
    steps = POSE_DISTANCE * np.sign(np.array(frames) - frames[0])[:, None] * ahead
    body = Body(body.centres + (steps - places)[:, None, None], body.radii, body.colours)

    large = SUPERSAMPLING * side
    edge = MARGIN * large
    camera = Camera(facing - math.radians(AZIMUTH), math.radians(PITCH)).fitted(
        body.centres.reshape(-1, 3),
        np.broadcast_to(body.radii, body.centres.shape[:-1]).ravel(),
        (edge, edge, large - edge, large - edge),
    )
    image = Image.new("RGBA", (large, large))
    for frame in reversed(range(len(frames))):
        figure = Image.new("RGBA", (large, large))
        draw_figure(figure, body, frame, camera)
        if frame:
            figure.putalpha(figure.getchannel("A").point([round(FAINT_OPACITY * alpha) for alpha in range(256)]))
        image.alpha_composite(figure)
    return np.asarray(image.convert("RGBa").reduce(SUPERSAMPLING).convert("RGBA"))


def choose_frames(clip: MotionClip) -> list[int]:
    """Choose the frame that is farthest from the mean pose, then one before and one after it if they differ enough."""
    places = positions(clip) - clip.translation[:, None] * (1, 0, 1)
    most = int(np.linalg.norm(places - places.mean(0), axis=-1).mean(1).argmax())
    away = np.linalg.norm(places - places[most], axis=-1).mean(1)
    parts = [(0, most), (most + 1, len(clip))]
    others = [start + int(away[start:stop].argmax()) for start, stop in parts if start < stop]
    return [most, *(frame for frame in others if away[frame] > MIN_DIFFERENCE)]
