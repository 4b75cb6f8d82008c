"""Draw a humanoid for pictures: a shaded mannequin of balls and tapered capsules.

Pillow paints the parts from back to front. Draw two or three times larger and reduce the picture for smooth edges.
Colours are sRGB; the left limbs are warm, the right ones cool.

This figure is not the mesh of mannequin.py, which goes into files with a rig and the same two materials for both sides.
Pillow paints all 160 polygons of this one in two thirds of the time that rasterizer.py needs to find which of the 3,904
triangles of that one are seen. This one also shows the sides, and needs no skinning.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from ..assets import MotionClip, Skeleton
from .kinematics import rest_pose, world_pose
from .rotations import conjugate, multiply, rotate

FloatArray = NDArray[np.floating]
Colour = tuple[int, int, int]

MIDDLE, NOSE = (216, 220, 228), (236, 200, 120)
SIDE_COLOURS: dict[str, Colour] = {"left": (242, 140, 88), "right": (88, 160, 242)}

# Each part of the body is the convex hull of balls. A ball has a joint, its centre in metres from that joint at rest
# (axes parallel to the world's), and a radius, for an adult of 1.72 m. The right side mirrors the left.
Ball = tuple[str, tuple[float, float, float], float]
CENTRAL_PARTS: tuple[tuple[Colour, tuple[Ball, ...]], ...] = (
    (
        MIDDLE,
        (
            ("hips", (0.075, -0.035, 0.0), 0.095),
            ("hips", (-0.075, -0.035, 0.0), 0.095),
            ("hips", (0.05, 0.06, 0.0), 0.085),
            ("hips", (-0.05, 0.06, 0.0), 0.085),
        ),
    ),
    (
        MIDDLE,
        (
            ("hips", (0.0, 0.07, 0.0), 0.1),
            ("spine", (0.035, 0.02, 0.0), 0.085),
            ("spine", (-0.035, 0.02, 0.0), 0.085),
            ("chest", (0.0, 0.03, 0.005), 0.1),
        ),
    ),
    (
        MIDDLE,
        (
            ("upperChest", (0.11, 0.085, -0.01), 0.068),
            ("upperChest", (-0.11, 0.085, -0.01), 0.068),
            ("upperChest", (0.0, 0.12, -0.01), 0.065),
            ("chest", (0.05, 0.01, 0.015), 0.09),
            ("chest", (-0.05, 0.01, 0.015), 0.09),
        ),
    ),
    (MIDDLE, (("neck", (0.0, -0.03, 0.0), 0.058), ("head", (0.0, 0.02, 0.0), 0.054))),
    (MIDDLE, (("head", (0.0, 0.095, 0.005), 0.102), ("head", (0.0, 0.04, 0.03), 0.078))),
    (NOSE, (("head", (0.0, 0.08, 0.095), 0.02), ("head", (0.0, 0.062, 0.116), 0.021))),
)
SIDE_PARTS: tuple[tuple[Ball, ...], ...] = (
    (("UpperArm", (0.0, 0.0, 0.0), 0.062), ("LowerArm", (0.0, 0.0, 0.0), 0.042)),
    (("LowerArm", (0.01, 0.0, 0.0), 0.043), ("Hand", (0.0, 0.0, 0.0), 0.03)),
    (("Hand", (0.03, 0.0, 0.01), 0.034), ("Hand", (0.09, 0.0, 0.0), 0.036), ("Hand", (0.15, 0.0, 0.0), 0.018)),
    (("UpperLeg", (0.0, -0.03, 0.0), 0.088), ("LowerLeg", (0.0, 0.0, 0.0), 0.057)),
    (
        ("LowerLeg", (0.0, -0.01, 0.0), 0.057),
        ("LowerLeg", (0.0, -0.13, -0.015), 0.055),
        ("Foot", (0.0, 0.02, 0.0), 0.037),
    ),
    (("Foot", (0.0, -0.04, -0.035), 0.038), ("Foot", (0.0, 0.0, 0.01), 0.042), ("Toes", (0.0, 0.012, 0.0), 0.032)),
    (("Toes", (0.0, 0.01, 0.0), 0.031), ("Toes", (0.0, 0.002, 0.065), 0.022)),
)
LEG_LENGTH = 0.84  # metres from hip to ankle of that adult

# Shades of a part, painted one within the other: share of the radius taken off, and brightness, above 1 towards white.
SHADES = (
    (-0.05, 0.5),
    (0.06, 0.68),
    (0.16, 0.78),
    (0.27, 0.86),
    (0.39, 0.93),
    (0.52, 0.98),
    (0.66, 1.03),
    (0.8, 1.08),
)
FEW_SHADES = SHADES[::2]
TO_LIGHT = np.array([-0.46, -0.62])  # direction in the picture, in radii taken off
DIRECTIONS = 26  # points in an outline
FAR_SHADE = 0.3  # loss of brightness for each metre that a part is behind the middle of the figure


@dataclass(frozen=True)
class Camera:
    """A pinhole camera that looks at a point.

    Attributes:
        yaw: Radians about Y that the camera stands at: 0 on +Z, pi / 2 on +X.
        pitch: Radians that it looks down.
        distance: Metres from the target.
        focal: Pixels per metre at a distance of one metre.
        centre: Pixels to the right and down where the target is in the picture.
        target: (3,) metres, the point that it looks at.
    """

    yaw: float
    pitch: float
    distance: float = 6.0
    focal: float = 1.0
    centre: tuple[float, float] = (0.0, 0.0)
    target: tuple[float, float, float] = (0.0, 0.0, 0.0)

    def project(self, points: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Project points (..., 3) in metres.

        Returns:
            (..., 2) pixels to the right and down, and (...) pixels that a metre has at each point.
        """
        sy, cy, sp, cp = math.sin(self.yaw), math.cos(self.yaw), math.sin(self.pitch), math.cos(self.pitch)
        axes = np.array([[cy, 0, -sy], [-sp * sy, cp, -sp * cy], [cp * sy, sp, cp * cy]])  # right, up, to the camera
        seen = (points - np.asarray(self.target)) @ axes.T
        scale = self.focal / np.maximum(self.distance - seen[..., 2], 0.1 * self.distance)
        return seen[..., :2] * scale[..., None] * (1, -1) + self.centre, scale

    def enlarged(self, factor: float) -> Camera:
        """Return the camera of a picture that is larger by a factor."""
        x, y = self.centre
        return replace(self, focal=self.focal * factor, centre=(x * factor, y * factor))

    def fitted(self, points: FloatArray, radii: FloatArray | float, box: tuple[float, float, float, float]) -> Camera:
        """Move the picture so that balls just fill a box (left, upper, right, lower) in it, centered."""
        seen, scale = replace(self, focal=1.0, centre=(0.0, 0.0)).project(points)
        reach = (scale * radii)[..., None]
        low = (seen - reach).reshape(-1, 2).min(0)
        high = (seen + reach).reshape(-1, 2).max(0)
        left, upper, right, lower = box
        focal = float(min((right - left) / (high[0] - low[0]), (lower - upper) / (high[1] - low[1])))
        x, y = (low + high) / 2 * focal
        return replace(self, focal=focal, centre=((left + right) / 2 - float(x), (upper + lower) / 2 - float(y)))


@dataclass(frozen=True, eq=False)
class Body:
    """The balls of a figure in every frame.

    Attributes:
        centres: (f, p, b, 3) metres; parts with fewer balls repeat their last one.
        radii: (p, b) metres.
        colours: (p, 3) sRGB, 0 to 255.
    """

    centres: FloatArray
    radii: FloatArray
    colours: FloatArray


def body_parts() -> list[tuple[Colour, tuple[Ball, ...]]]:
    """Return the parts of the body with the colour of their side."""
    parts = list(CENTRAL_PARTS)
    for side, sign in (("left", 1), ("right", -1)):
        for balls in SIDE_PARTS:
            placed = tuple((side + joint, (sign * x, y, z), radius) for joint, (x, y, z), radius in balls)
            parts.append((SIDE_COLOURS[side], placed))
    return parts


def body_size(skeleton: Skeleton) -> float:
    """Size of a skeleton relative to an adult of 1.72 m, by the length of its left leg."""
    shin, foot = (skeleton.offsets[skeleton.index(name)] for name in ("leftLowerLeg", "leftFoot"))
    return float(np.linalg.norm(shin) + np.linalg.norm(foot)) / LEG_LENGTH


def body_of(clip: MotionClip) -> Body:
    """Place the figure in each frame of a clip.

    Raises:
        InputError: A joint of the humanoid is missing.
    """
    skeleton, size = clip.skeleton, body_size(clip.skeleton)
    placed, turned = world_pose(skeleton, clip.translation.astype(np.float64), clip.rotations.astype(np.float64))
    turned = multiply(turned, conjugate(rest_pose(skeleton)[1]))  # since rest, so that its frames don't matter
    parts = body_parts()
    most = max(len(balls) for _, balls in parts)
    table = [[*balls, *[balls[-1]] * (most - len(balls))] for _, balls in parts]
    joints = [[skeleton.index(joint) for joint, _, _ in row] for row in table]
    offsets = size * np.array([[offset for _, offset, _ in row] for row in table])
    return Body(
        placed[:, joints] + rotate(turned[:, joints], offsets),
        size * np.array([[radius for _, _, radius in row] for row in table]),
        np.array([colour for colour, _ in parts], np.float64),
    )


def hulls(centres: FloatArray, radii: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Find the convex hulls of discs, by their support points in DIRECTIONS directions.

    Args:
        centres: (..., b, 2) centres of the discs.
        radii: (..., b) radii of the discs.

    Returns:
        Centre (..., DIRECTIONS, 2) and radius (..., DIRECTIONS) of the disc that reaches farthest each way; the hull's
        point is centre + radius * unit_circle().
    """
    reach = centres @ unit_circle().T + radii[..., None]
    farthest = reach.argmax(-2)[..., None, :]
    radius = np.take_along_axis(np.broadcast_to(radii[..., None], reach.shape), farthest, -2)[..., 0, :]
    return np.take_along_axis(centres, np.moveaxis(farthest, -2, -1), -2), radius


def unit_circle(count: int = DIRECTIONS) -> FloatArray:
    """Return unit vectors (count, 2), evenly spaced around a circle."""
    angles = np.arange(count) * (2 * np.pi / count)
    return np.stack([np.cos(angles), np.sin(angles)], -1)


def draw_figure(
    image: Image.Image, body: Body, frame: int, camera: Camera, shades: Sequence[tuple[float, float]] = SHADES
) -> None:
    """Paint the mannequin of one frame.

    Args:
        image: RGB, painted on.
        body: Figures of all frames.
        frame: Index of the frame.
        camera: Its pixels are those of the image.
        shades: See SHADES; small figures need FEW_SHADES.

    >>> from ganassets.api.motion.animation import framed_body
    >>> from ganassets.api.motion.editing import rest_clip
    >>> from ganassets.api.motion.skeletons import HUMANOID
    >>> image = Image.new("RGB", (64, 64))
    >>> body, cameras = framed_body(rest_clip(HUMANOID), np.array([0.0]), size=64)
    >>> draw_figure(image, body, 0, cameras[0])
    >>> image.getbbox() is not None
    True
    """
    seen, scale = camera.project(body.centres[frame])
    centre, radius = hulls(seen, body.radii * scale)
    shrunk, brightness = np.array(shades).T
    reach = radius[:, None, :, None] * ((1 - shrunk[:, None, None]) * unit_circle() + shrunk[:, None, None] * TO_LIGHT)
    outlines = (centre[:, None] + reach).reshape(*reach.shape[:2], -1).tolist()
    depth = (camera.focal / scale).mean(-1)
    lit = np.clip(1 - FAR_SHADE * (depth - depth.mean()), 0.75, 1.05)
    colours = shade_colours(body.colours[:, None], brightness[:, None] * lit[:, None, None]).tolist()
    draw = ImageDraw.Draw(image)
    for part in np.argsort(-depth, kind="stable"):
        for outline, colour in zip(outlines[part], colours[part], strict=True):
            draw.polygon(outline, tuple(colour))


def shade_colours(colours: FloatArray, brightness: FloatArray) -> NDArray[np.int64]:
    """Make colours (..., 3) darker by a brightness (..., 1) below 1, and nearer to white above."""
    white = np.clip(brightness - 1, 0, 1) * 2
    return np.rint(colours * np.minimum(brightness, 1) * (1 - white) + 255 * white).astype(np.int64)
