"""Draw the floor below a figure with Pillow.

A round patch of light moves with the camera. The grid on it, the figure's shadow and the trails of its feet move with
the world.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from ..assets import CONTACTS, MotionClip
from .feet import ground_travel
from .figure import DIRECTIONS, SIDE_COLOURS, Body, Camera, Colour, hulls, unit_circle
from .kinematics import positions

FloatArray = NDArray[np.floating]

BACKDROP, FLOOR, GRID, SHADOW = (40, 45, 54), (66, 73, 86), (98, 108, 124), (30, 33, 40)
RADIUS = 1.9  # metres of the patch of light
RINGS = 16  # steps of brightness from its middle to its edge
GRID_WIDTH, TRAIL_WIDTH, STANCE_RADIUS = 0.008, 0.012, 0.026  # metres
SEGMENTS = 14  # pieces of a grid line, which fades towards the edge of the patch
CONTOURS, FEW_CONTOURS = 6, 3  # steps of darkness in a shadow, and in one of a small figure
SOFT_HEIGHT = 0.3  # metres above the floor at which a part casts half of its shadow
TRAIL_SECONDS = 1.6  # time in which a trail fades
CELL = 0.5  # approximate side of a grid cell in metres
LEAST_TRAVEL = 0.5 * CELL  # metres per round from which on the grid moves below a loop


@dataclass(frozen=True)
class Grid:
    """Squares on the floor.

    Attributes:
        cell: Side of a square in metres.
        angle: Radians about Y between its lines and the axes.
        origin: x and z of one of its corners, metres.
    """

    cell: float = CELL
    angle: float = 0.0
    origin: tuple[float, float] = (0.0, 0.0)


@dataclass(frozen=True, eq=False)
class Trails:
    """Paths of the left and the right foot on the floor.

    Attributes:
        points: (f, 2, 3) metres, the points below the toes, y = 0.
        stands: (f, 2) whether the foot stands.
        fps: Frames a second.
        loop_step: (3,) metres that a loop travels per round; None for a clip that doesn't loop.
    """

    points: FloatArray
    stands: NDArray[np.bool_]
    fps: float
    loop_step: FloatArray | None

    def before(self, seconds: float) -> tuple[FloatArray, NDArray[np.bool_], FloatArray]:
        """Select the frames that are seen at a time; those of a loop reach back into earlier rounds.

        Returns:
            Points (n, 2, 3), stands (n, 2), and ages (n,) from 0, now, to 1, faded.
        """
        last = math.floor(seconds * self.fps + 1e-6)
        count = max(round(TRAIL_SECONDS * self.fps), 2)
        frames = np.arange(last - count + 1, last + 1)
        if self.loop_step is None:
            frames = frames[frames >= 0]
            return self.points[frames], self.stands[frames], (last - frames) / count
        rounds, place = np.divmod(frames, len(self.points) - 1)
        return self.points[place] + rounds[:, None, None] * self.loop_step, self.stands[place], (last - frames) / count


def trails_of(clip: MotionClip) -> Trails:
    """Find the trails of a clip's feet; in a clip without contacts, no foot stands.

    >>> from ganassets.api.motion.editing import rest_clip
    >>> from ganassets.api.motion.skeletons import HUMANOID
    >>> trails = trails_of(rest_clip(HUMANOID))
    >>> trails.points.shape, trails.stands.tolist()
    ((1, 2, 3), [[False, False]])
    """
    toes = [clip.skeleton.index(f"{side}Toes") for side in SIDE_COLOURS]
    stands = np.zeros((len(clip), 2), bool)
    if clip.contacts is not None:
        stands = np.stack(
            [clip.contacts[:, [name.startswith(side) for name in CONTACTS]].any(1) for side in SIDE_COLOURS], 1
        )
    loops = clip.loop and len(clip) > 1
    return Trails(positions(clip)[:, toes] * (1, 0, 1), stands, clip.fps, ground_travel(clip) if loops else None)


def grid_of(clip: MotionClip) -> Grid:
    """Choose a grid: a loop travels over it by whole cells, so that its picture loops too."""
    step = ground_travel(clip)
    length = float(np.linalg.norm(step))
    if not clip.loop or length < LEAST_TRAVEL:
        return Grid()
    origin = clip.translation[0]
    angle = math.atan2(step[0], step[2])
    return Grid(length / max(round(length / CELL), 1), angle, (float(origin[0]), float(origin[2])))


def blend(a: Colour, b: Colour, share: float) -> Colour:
    """Interpolate between the colours a (share 0) and b (share 1).

    >>> blend((0, 0, 0), (200, 100, 50), 0.25)
    (50, 25, 12)
    """
    red, green, blue = (round(x + (y - x) * share) for x, y in zip(a, b, strict=True))
    return red, green, blue


def floor_light(distance: float) -> float:
    """Light of the floor, 0 to 1, at a distance in metres from the middle of the patch."""
    outside = min(distance / RADIUS, 1.0)
    return 1 - outside**2


def patch_middle(camera: Camera) -> FloatArray:
    """Return the middle (3,) of the patch of light: the point on the floor below the camera's target."""
    return np.asarray(camera.target) * (1, 0, 1)


def backdrop(size: tuple[int, int], camera: Camera) -> Image.Image:
    """Draw the patch of light; it is the same for all cameras that differ in their target along the floor alone."""
    image = Image.new("RGB", size, BACKDROP)
    draw = ImageDraw.Draw(image)
    for radius in np.linspace(RADIUS, 0, RINGS, endpoint=False):
        points = patch_middle(camera) + float(radius) * on_floor(unit_circle(96))
        lit = floor_light(float(radius) - RADIUS / RINGS)
        draw.polygon(camera.project(points)[0].ravel().tolist(), blend(BACKDROP, FLOOR, lit))
    return image


def on_floor(ground: FloatArray) -> FloatArray:
    """Return the points (..., 3) on the floor at x and z (..., 2)."""
    return np.stack([ground[..., 0], np.zeros(ground.shape[:-1]), ground[..., 1]], -1)


def draw_floor_grid(image: Image.Image, camera: Camera, grid: Grid) -> None:
    """Paint the grid's lines within the patch."""
    sine, cosine = math.sin(grid.angle), math.cos(grid.angle)
    axes = np.array([[cosine, -sine], [sine, cosine]])  # x and z along each direction of the grid
    middle = axes @ (patch_middle(camera)[[0, 2]] - grid.origin)
    draw = ImageDraw.Draw(image)
    colours = [blend(BACKDROP, GRID, floor_light((ring + 0.5) * RADIUS / RINGS)) for ring in range(RINGS)]
    width = max(round(GRID_WIDTH * camera.focal / camera.distance), 1)
    for across in (0, 1):
        along = 1 - across
        first, last = ((middle[across] + sign * RADIUS) / grid.cell for sign in (-1, 1))
        for number in range(math.ceil(first), math.floor(last) + 1):
            line = number * grid.cell
            reach = math.sqrt(max(RADIUS**2 - (line - middle[across]) ** 2, 0))
            ends = np.linspace(-reach, reach, SEGMENTS + 1)
            ground = np.outer(ends + middle[along], axes[along]) + line * axes[across] + grid.origin
            seen = camera.project(on_floor(ground))[0].tolist()
            distances = np.hypot((ends[1:] + ends[:-1]) / 2, line - middle[across])
            rings: list[int] = (distances * (RINGS / RADIUS)).astype(int).tolist()
            for a, b, ring in zip(seen[:-1], seen[1:], rings, strict=True):
                draw.line((*a, *b), colours[ring], width)


def draw_shadow(image: Image.Image, body: Body, frame: int, camera: Camera, contours: int = CONTOURS) -> None:
    """Paint a soft shadow of light from above.

    The blob of a part is the darker and smaller, the nearer to the floor the part is. Where blobs meet, the darkest
    counts.

    >>> from ganassets.api.motion.animation import framed_body
    >>> from ganassets.api.motion.editing import rest_clip
    >>> from ganassets.api.motion.skeletons import HUMANOID
    >>> image = Image.new("RGB", (64, 64), FLOOR)
    >>> body, cameras = framed_body(rest_clip(HUMANOID), np.array([0.0]), size=64)
    >>> draw_shadow(image, body, 0, cameras[0])
    >>> image.getextrema()[0][0] < FLOOR[0]
    True
    """
    centres, radii = body.centres[frame], body.radii
    height = np.maximum(centres[..., 1].min(-1) - radii.min(-1), 0)
    dark = 1 / (1 + height / SOFT_HEIGHT)
    levels = np.arange(1, contours) / contours
    level, part = np.nonzero(dark > levels[:, None])  # the lightest first
    reach = (1.5 * radii + 0.35 * height[:, None])[part] * (1 - levels[level] / dark[part])[:, None]
    centre, radius = hulls(centres[part][..., [0, 2]], reach)
    outlines = camera.project(on_floor(centre + radius[..., None] * unit_circle()))[0]
    colours = [blend(FLOOR, SHADOW, share) for share in levels.tolist()]
    draw = ImageDraw.Draw(image)
    for outline, shade in zip(outlines.reshape(-1, 2 * DIRECTIONS).tolist(), level.tolist(), strict=True):
        draw.polygon(outline, colours[shade])


def draw_trails(image: Image.Image, trails: Trails, seconds: float, camera: Camera) -> None:
    """Paint the paths of the feet up to a time, with a dot for each frame in which a foot stands.

    The dots of a foot that slides become a smear.
    """
    points, stands, age = trails.before(seconds)
    seen, scale = camera.project(points)
    near = np.linalg.norm(points - patch_middle(camera), axis=-1) < RADIUS
    draw = ImageDraw.Draw(image)
    width = max(round(TRAIL_WIDTH * camera.focal / camera.distance), 1)
    flat = math.sin(camera.pitch)
    for side, colour in enumerate(SIDE_COLOURS.values()):
        shades = [blend(FLOOR, colour, 0.85 * (1 - old)) for old in age.tolist()]
        pixels = seen[:, side].tolist()
        for i in np.flatnonzero(near[1:, side] & near[:-1, side]):
            draw.line((*pixels[i], *pixels[i + 1]), shades[i + 1], width)
        for i in np.flatnonzero(stands[:, side] & near[:, side]):
            (x, y), r = pixels[i], STANCE_RADIUS * float(scale[i, side])
            draw.ellipse((x - r, y - r * flat, x + r, y + r * flat), shades[i])
