"""Draw clips as animations: the camera follows the figure, and the animation of a loop loops too."""

from __future__ import annotations

import io
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from ..assets import MotionClip
from ..errors import InputError
from .editing import blur_track, sample_clip
from .feet import ground_travel
from .figure import Body, Camera, body_of, body_size, draw_figure
from .floor import BACKDROP, Grid, Trails, backdrop, draw_floor_grid, draw_shadow, draw_trails, grid_of, trails_of
from .rotations import heading

FloatArray = NDArray[np.floating]

# Degrees about Y from the direction that the figure faces in the first frame to the camera. A figure that walks ahead
# walks to the right in the picture.
VIEWS = {"three-quarter": -38.0, "front": 0.0, "side": -90.0}
PITCH = 17.0  # degrees that it looks down
SMOOTHING = 0.3  # seconds, standard deviation of the Gaussian that smooths the path of the camera
# Points that the camera always sees, metres from the root on the floor.
ROOM = ((-0.42, 0.0, 0.0), (0.42, 0.0, 0.0), (0.0, 0.0, 0.42), (0.0, 0.0, -0.42), (0.0, 1.75, 0.0))
MARGINS = (0.05, 0.05, 0.95, 0.9)  # left, upper, right and lower edge of the figure, in picture sizes
PAUSE = 0.6  # seconds that the last pose of a one-shot clip stays
MOST_PICTURES, MOST_PIXELS = 3600, 200_000_000  # in an animation, and in all its pictures together (600 MB)
SMALL = 200  # pixels; pictures up to this size are smoothed more
QUALITY, EFFORT = 80, 2  # WebP settings: 0 to 100, 0 to 6
INK = (206, 211, 220)


@dataclass(frozen=True, eq=False)
class Shot:
    """A clip that is ready to be drawn at some times.

    Attributes:
        body: The figure at each time.
        times: (n,) seconds.
        cameras: (n,) cameras, in pixels of the picture.
        grid: Lines on the floor.
        trails: Paths of the feet.
        size: Pixels of the square picture.
    """

    body: Body
    times: FloatArray
    cameras: tuple[Camera, ...]
    grid: Grid
    trails: Trails
    size: int

    def pictures(self) -> Iterator[Image.Image]:
        """Draw the (size x size) RGB picture of each time."""
        factor = 3 if self.size <= SMALL else 2
        side = factor * self.size
        cameras = [camera.enlarged(factor) for camera in self.cameras]
        ground = backdrop((side, side), cameras[0])
        for frame, camera in enumerate(cameras):
            image = ground.copy()
            draw_shadow(image, self.body, frame, camera)
            draw_floor_grid(image, camera, self.grid)
            draw_trails(image, self.trails, float(self.times[frame]), camera)
            draw_figure(image, self.body, frame, camera)
            yield image.reduce(factor)


def shot_of(clip: MotionClip, times: FloatArray, size: int, view: str = "three-quarter") -> Shot:
    """Prepare a clip to be drawn at some times; see framed_body.

    >>> from ganassets.api.motion.editing import rest_clip
    >>> from ganassets.api.motion.skeletons import HUMANOID
    >>> shot = shot_of(rest_clip(HUMANOID), np.array([0.0]), size=64)
    >>> [picture.size for picture in shot.pictures()]
    [(64, 64)]
    """
    body, cameras = framed_body(clip, times, size, view)
    return Shot(body, times, cameras, grid_of(clip), trails_of(clip), size)


def framed_body(
    clip: MotionClip, times: FloatArray, size: int, view: str = "three-quarter"
) -> tuple[Body, tuple[Camera, ...]]:
    """Place the figure of a clip and the cameras that follow it.

    Args:
        clip: Clip of a humanoid.
        times: (n,) seconds from its first frame, at least one.
        size: Pixels of the square picture.
        view: Key of VIEWS.

    Returns:
        The figure at each of the times, and a camera for each.

    Raises:
        InputError: A joint of the humanoid is missing.

    >>> from ganassets.api.motion.editing import rest_clip
    >>> from ganassets.api.motion.skeletons import HUMANOID
    >>> body, cameras = framed_body(rest_clip(HUMANOID), np.array([0.0]), size=64)
    >>> len(body.centres), len(cameras)
    (1, 1)
    """
    body = body_of(sample_clip(clip, times))
    targets = followed_points(clip, times)
    yaw = float(heading(clip.rotations[0, 0].astype(np.float64))) + math.radians(VIEWS[view])
    camera = Camera(yaw, math.radians(PITCH))
    room = body_size(clip.skeleton) * np.array(ROOM)
    centres = (body.centres - targets[:, None, None]).reshape(-1, 3)
    radii = np.broadcast_to(body.radii, body.centres.shape[:-1]).ravel()
    left, upper, right, lower = (size * edge for edge in MARGINS)
    camera = camera.fitted(
        np.concatenate([centres, room]), np.concatenate([radii, np.zeros(len(room))]), (left, upper, right, lower)
    )
    return body, tuple(replace(camera, target=(x, y, z)) for x, y, z in targets.tolist())


def followed_points(clip: MotionClip, times: FloatArray) -> FloatArray:
    """Return the points (n, 3) on the floor above which the camera looks.

    They travel evenly with a loop, and follow the smoothed root of other clips.
    """
    place = clip.translation.astype(np.float64) * (1, 0, 1)
    if clip.loop and len(clip) > 1:
        even = np.linspace(0, 1, len(clip))[:, None] * ground_travel(clip)
        return (place - even)[:-1].mean(0) + np.outer(times / clip.seconds, ground_travel(clip))
    steps = np.arange(len(clip)) / clip.fps
    smooth: FloatArray = blur_track(place, SMOOTHING * clip.fps)
    return np.stack([np.interp(times, steps, smooth[:, axis]) for axis in range(3)], -1)


def moments(clip: MotionClip, fps: float) -> tuple[FloatArray, list[float]]:
    """Choose the times to show a clip at: (n,) seconds, and how long each picture stays.

    The last frame of a loop is its first again and isn't shown; the last pose of another clip stays a little longer.

    >>> from ganassets.api.motion.editing import rest_clip
    >>> from ganassets.api.motion.skeletons import HUMANOID
    >>> second = sample_clip(rest_clip(HUMANOID), np.zeros(31))  # 31 frames, 30 a second
    >>> times, stays = moments(second, fps=4)
    >>> times.tolist(), stays
    ([0.0, 0.25, 0.5, 0.75, 1.0], [0.25, 0.25, 0.25, 0.25, 0.6])
    """
    if len(clip) == 1:
        return np.zeros(1), [1.0]
    count = max(round(clip.seconds * fps), 1)
    stay = clip.seconds / count
    if clip.loop:
        return np.arange(count) * stay, [stay] * count
    return np.linspace(0, clip.seconds, count + 1), [stay] * count + [PAUSE]


def ticks(stays: Sequence[float], unit: float) -> list[int]:
    """Round durations in seconds to whole units, at least 1 each, so that sums are off by half a unit at most.

    >>> ticks([1 / 30, 1 / 30, 1 / 30], unit=0.01)
    [3, 4, 3]
    """
    ends = np.maximum(np.rint(np.cumsum(stays) / unit).astype(int), np.arange(1, len(stays) + 1))
    return np.diff(ends, prepend=0).tolist()


def check_length(pictures: int, width: int, height: int) -> None:
    """Raise InputError if an animation of that many pictures of that size is too long.

    >>> check_length(pictures=100_000, width=640, height=480)
    Traceback (most recent call last):
        ...
    ganassets.api.errors.InputError: an animation of 100000 pictures of 640 x 480 px is too long; ...
    """
    if pictures > MOST_PICTURES or pictures * width * height > MOST_PIXELS:
        raise InputError(
            f"an animation of {pictures} pictures of {width} x {height} px is too long; "
            "take a smaller size or fewer pictures a second, or shorten the clip."
        )


def encode_frames(pictures: Sequence[Image.Image], stays: Sequence[float], exif: Image.Exif | None = None) -> bytes:
    """Encode an animated WebP that repeats forever; stays are the seconds that each picture is shown.

    >>> pictures = [Image.new("RGB", (8, 8), colour) for colour in ("black", "white")]
    >>> webp = encode_frames(pictures, stays=[0.5, 0.25])
    >>> Image.open(io.BytesIO(webp)).n_frames
    2
    """
    file = io.BytesIO()
    pictures[0].save(
        file,
        "WEBP",
        save_all=True,
        append_images=pictures[1:],
        duration=ticks(stays, 1e-3),
        loop=0,
        quality=QUALITY,
        method=EFFORT,
        exif=exif or Image.Exif(),
    )
    return file.getvalue()


def shared_length(lengths: Sequence[float]) -> float:
    """Find the duration in seconds, from the longest length to twice that, nearest to whole rounds of all lengths.

    Clips that play for that long together need to be sped up or slowed down least.
    """
    candidates = np.linspace(1, 2, 41) * max(lengths)
    rounds = candidates[:, None] / np.asarray(lengths)
    off = np.log(np.maximum(np.rint(rounds), 1) / rounds)
    return float(candidates[(off**2).sum(1).argmin()])


def animated_sheet(clips: Sequence[MotionClip], columns: int, size: int = 160, fps: float = 15.0) -> bytes:
    """Encode an animated WebP of clips in a grid, each with its name; all of them play whole rounds.

    Args:
        clips: Clips of humanoids, row by row.
        columns: Cells in a row.
        size: Pixels of a cell without the line for the name.
        fps: Pictures a second.

    Raises:
        InputError: There is no clip, a joint of the humanoid is missing, or the sheet would be too large.

    >>> from ganassets.api.motion.editing import rest_clip
    >>> from ganassets.api.motion.skeletons import HUMANOID
    >>> sheet = animated_sheet([rest_clip(HUMANOID)] * 3, columns=2, size=100, fps=5)
    >>> Image.open(io.BytesIO(sheet)).size
    (200, 234)
    """
    if not clips:
        raise InputError("an animated sheet needs at least one clip; generate some first.")
    columns = min(columns, len(clips))
    rows = -(-len(clips) // columns)
    letters = max(10, size // 14)
    font = ImageFont.load_default(letters)
    strip = round(1.7 * letters)
    rounds = [sum(moments(clip, fps)[1]) for clip in clips]
    length = shared_length([seconds for clip, seconds in zip(clips, rounds, strict=True) if len(clip) > 1] or [1.0])
    count = max(round(length * fps), 1)
    check_length(count, columns * size, rows * (size + strip))
    sheets = [Image.new("RGB", (columns * size, rows * (size + strip)), BACKDROP) for _ in range(count)]
    for i, (clip, seconds) in enumerate(zip(clips, rounds, strict=True)):
        x, y = i % columns * size, i // columns * (size + strip)
        repeats = max(round(length / seconds), 1)
        times = np.arange(count) * (repeats / count) % 1 * seconds
        shot = shot_of(clip, np.minimum(times, clip.seconds), size)
        name = shorten(clip.name, font, size - strip // 2)
        for sheet, picture in zip(sheets, shot.pictures(), strict=True):
            sheet.paste(picture, (x, y))
            ImageDraw.Draw(sheet).text((x + size // 2, y + size + strip // 2), name, INK, font, "mm")
    return encode_frames(sheets, [length / count] * count)


def shorten(text: str, font: ImageFont.FreeTypeFont | ImageFont.ImageFont, width: float) -> str:
    """Shorten a text that is wider than that many pixels.

    >>> font = ImageFont.load_default(12)
    >>> shorten("walk", font, width=200)
    'walk'
    >>> shorten("walk, slow, along a wall", font, width=60).endswith("...")
    True
    """
    if font.getlength(text) <= width:
        return text
    while text and font.getlength(text + "...") > width:
        text = text[:-1]
    return text + "..."
