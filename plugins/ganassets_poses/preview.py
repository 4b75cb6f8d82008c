"""Contact sheet of motion: a strip of poses for each clip, and its way over the ground seen from above."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from ganassets.api.assets import MotionClip
from ganassets.api.errors import InputError
from ganassets.api.motion.animation import INK, animated_sheet, framed_body, shorten, shot_of
from ganassets.api.motion.feet import ground_travel
from ganassets.api.motion.figure import FEW_SHADES, SHADES, SIDE_COLOURS, draw_figure
from ganassets.api.motion.floor import BACKDROP, CONTOURS, FEW_CONTOURS, FLOOR, GRID, blend, draw_shadow, trails_of

FloatArray = NDArray[np.floating]

MAX_CLIPS = 64
MOST_ANIMATED = 1  # clips; encoding a grid of them takes longer than generating them
LONGEST, ANIMATED_SIZE, ANIMATED_FPS = 10.0, 160, 12.0  # seconds, pixels, pictures a second of the animated sheet
POSES, FEWER_POSES = 8, 4  # in a strip of up to MANY_CLIPS clips, and of more
MANY_CLIPS = 16
WIDTH, HEIGHT = 2400, 3600  # pixels of the largest sheet
TALLEST, LOWER, LARGEST = 230, 100, 480  # pixels of a strip of few and of many clips, and of a single pose's picture
NARROW = 0.6  # distance from one pose to the next, in heights of the strip; figures may reach over their neighbors
MOST_COLUMNS = 4
FACTOR = 2  # pictures are drawn larger by this factor, then reduced
GAP = 6  # pixels between panels
LEAST_TRAVEL = 0.1  # metres; captions leave shorter travels out
PAPER, PALE = (28, 31, 38), (142, 150, 163)
STEPS = (0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0)  # metres, sides of a map's squares
LEAST_EXTENT, MOST_LINES = 1.2, 6  # metres that the smallest map shows, lines of its grid


def contact_sheet(clips: Sequence[MotionClip]) -> Image.Image:
    """Draw the first 64 clips, at most 2400 x 3600 pixels.

    A clip has eight poses from left to right (four where there are more than 16 clips), its name, action, length and
    travel, and a map of its root and feet. Clips of a single pose alone become a grid of figures.

    Args:
        clips: Clips of humanoids.

    Raises:
        InputError: There is no clip, or a joint of the humanoid is missing.
    """
    if not clips:
        raise InputError("a contact sheet needs at least one clip; generate some first.")
    shown = clips[:MAX_CLIPS]
    return pose_sheet(shown) if all(len(clip) == 1 for clip in shown) else strip_sheet(shown)


def animation(clips: Sequence[MotionClip]) -> bytes | None:
    """Encode a single clip as an animated WebP; None for several, or one that doesn't move or is longer than 10 s."""
    if len(clips) > MOST_ANIMATED or any(len(clip) == 1 or clip.seconds > LONGEST for clip in clips):
        return None
    return animated_sheet(clips, MOST_ANIMATED, ANIMATED_SIZE, ANIMATED_FPS)


def pose_sheet(clips: Sequence[MotionClip]) -> Image.Image:
    """Draw figures in a grid about as wide as high."""
    columns = math.ceil(math.sqrt(len(clips)))
    size = min(LARGEST, WIDTH // columns - GAP)
    return arrange([pose_panel(clip, size) for clip in clips], columns)


def strip_sheet(clips: Sequence[MotionClip]) -> Image.Image:
    """Draw strips in as many columns as make them largest."""
    columns = max(range(1, MOST_COLUMNS + 1), key=lambda columns: (strip_height(len(clips), columns), -columns))
    height = strip_height(len(clips), columns)
    return arrange([strip_panel(clip, height, pose_count(len(clips))) for clip in clips], columns)


def pose_count(clips: int) -> int:
    """Poses in each strip of a sheet of that many clips."""
    return POSES if clips <= MANY_CLIPS else FEWER_POSES


def strip_width(poses: int) -> float:
    """Width of a strip without its map, in heights."""
    return (poses - 1) * NARROW + 1


def strip_height(clips: int, columns: int) -> int:
    """Pixels that the poses of a strip can have in height on a sheet of that many clips."""
    high = (HEIGHT - GAP) // -(-clips // columns) - GAP
    wide = ((WIDTH - GAP) // columns - GAP) / (strip_width(pose_count(clips)) + 1)
    return int(min(TALLEST if clips <= MANY_CLIPS else LOWER, wide, high - line_height(high)))


def line_height(height: int) -> int:
    """Pixels of the line of text above a panel that high."""
    return round(1.7 * font_size(height))


def font_size(height: int) -> int:
    """Pixels of the letters of a panel that high."""
    return max(10, min(16, height // 12))


def arrange(panels: Sequence[Image.Image], columns: int) -> Image.Image:
    """Lay panels of one size out row by row, with gaps around them."""
    width, height = panels[0].size
    rows = -(-len(panels) // columns)
    columns = min(columns, len(panels))
    sheet = Image.new("RGB", (columns * (width + GAP) + GAP, rows * (height + GAP) + GAP), PAPER)
    for i, panel in enumerate(panels):
        sheet.paste(panel, (GAP + i % columns * (width + GAP), GAP + i // columns * (height + GAP)))
    return sheet


def add_title(picture: Image.Image, texts: Sequence[str]) -> Image.Image:
    """Put the picture below a line of texts: the first is bright, and the last ones are left out where room ends."""
    width, height = picture.size
    line = line_height(height)
    panel = Image.new("RGB", (width, height + line), BACKDROP)
    panel.paste(picture, (0, line))
    draw = ImageDraw.Draw(panel)
    letters = font_size(height)
    font = ImageFont.load_default(letters)
    x = letters // 2
    for text, colour in zip(texts, (INK, *[PALE] * len(texts)), strict=False):
        room = width - letters // 2 - x
        if colour == PALE and font.getlength(text) > room:
            break
        text = shorten(text, font, room)
        draw.text((x, line / 2), text, colour, font, "lm")
        x += math.ceil(font.getlength(text)) + letters
    return panel


def captions(clip: MotionClip) -> list[str]:
    """List name, action, seconds, whether the clip loops, metres of travel; a single pose has the first two."""
    actions = {key.partition(":")[2]: share for key, share in clip.provenance.sliders.items() if key[:7] == "action:"}
    action = max(actions, key=lambda name: actions[name]) if any(actions.values()) else ""
    texts = [clip.name, *([action] if action else [])]
    if len(clip) == 1:
        return texts
    travel = float(np.linalg.norm(ground_travel(clip)))
    return [
        *texts,
        f"{clip.seconds:.1f} s",
        *(["loop"] if clip.loop else []),
        *([f"{travel:.1f} m"] if travel >= LEAST_TRAVEL else []),
    ]


def pose_panel(clip: MotionClip, size: int) -> Image.Image:
    """Draw the first pose on its floor."""
    return add_title(next(shot_of(clip, np.zeros(1), size).pictures()), captions(clip))


def strip_panel(clip: MotionClip, height: int, count: int = POSES) -> Image.Image:
    """Draw that many poses side by side, and the map."""
    times = np.linspace(0, clip.seconds, count if len(clip) > 1 else 1)
    if clip.loop and len(clip) > 1:
        # The last pose is the first again. Many loops are two repetitions: an odd number of steps shows no pose twice.
        times = np.arange(count) * (clip.seconds / (count | 1))
    width = int(strip_width(count) * height)
    picture = Image.new("RGB", (width + height, height), BACKDROP)
    picture.paste(draw_strip(clip, times, (width, height)), (0, 0))
    picture.paste(top_view(clip, height), (width, 0))
    return add_title(picture, captions(clip))


def draw_strip(clip: MotionClip, times: FloatArray, size: tuple[int, int]) -> Image.Image:
    """Draw the poses at moments into a picture of that width and height, each over its own root, all at one scale."""
    width, height = size
    rooted = replace(clip, translation=clip.translation * np.array([0, 1, 0], np.float32), loop=False)
    body, cameras = framed_body(rooted, times, height)
    middle, reach = FACTOR * cameras[0].centre[1], FACTOR * 0.2 * height
    image = Image.new("RGB", (FACTOR * width, FACTOR * height), BACKDROP)
    draw = ImageDraw.Draw(image)
    cameras = [
        replace(camera, centre=(camera.centre[0] + i * NARROW * height, camera.centre[1])).enlarged(FACTOR)
        for i, camera in enumerate(cameras)
    ]
    # The floor is a band that is lightest below the feet and fades to both sides.
    for y in range(max(int(middle - reach), 0), min(int(middle + reach), image.height)):
        draw.line((0, y, image.width, y), blend(BACKDROP, FLOOR, 1 - ((y - middle) / reach) ** 2))
    shades, contours = (SHADES, CONTOURS) if height > LOWER else (FEW_SHADES, FEW_CONTOURS)
    for frame, camera in enumerate(cameras):
        draw_shadow(image, body, frame, camera, contours)
    for frame, camera in enumerate(cameras):
        draw_figure(image, body, frame, camera, shades)
    return image.reduce(FACTOR)


def top_view(clip: MotionClip, size: int) -> Image.Image:
    """Draw a (size x size) map of the paths of the root and the feet over a grid.

    The root is pale, with a ring at its start. +Z points up, and the left of a figure that faces it is on the left.
    """
    side = FACTOR * size
    image = Image.new("RGB", (side, side), BACKDROP)
    draw = ImageDraw.Draw(image)
    trails = trails_of(clip)
    root = clip.translation[:, [0, 2]].astype(np.float64)
    feet = trails.points[..., [0, 2]]
    ground = np.concatenate([root[:, None], feet], 1).reshape(-1, 2)
    low, high = ground.min(0), ground.max(0)
    middle, extent = (low + high) / 2, max(float((high - low).max()) * 1.15, LEAST_EXTENT)
    scale = 0.92 * side / extent
    inset = 0.04 * side

    def seen(points: FloatArray) -> FloatArray:
        """Pixels of x and z in metres."""
        return side / 2 - (points - middle) * scale

    step = next((step for step in STEPS if extent / step <= MOST_LINES), extent)
    draw.rounded_rectangle((inset, inset, side - inset, side - inset), 0.04 * side, blend(BACKDROP, FLOOR, 0.6))
    first, last = (np.ceil((middle - extent / 2) / step), np.floor((middle + extent / 2) / step))
    for axis in (0, 1):
        for line in np.arange(first[axis], last[axis] + 1) * step:
            at = float(seen(np.array([line, line]))[axis])
            ends = (at, inset, at, side - inset) if axis == 0 else (inset, at, side - inset, at)
            draw.line(ends, blend(FLOOR, GRID, 0.5), FACTOR)
    dot, thin = side / 70, max(side // 120, 1)
    draw.line(seen(root).ravel().tolist(), PALE, thin)
    for foot, colour in enumerate(SIDE_COLOURS.values()):
        pixels = seen(feet[:, foot])
        draw.line(pixels.ravel().tolist(), blend(FLOOR, colour, 0.7), thin)
        for x, y in pixels[trails.stands[:, foot]].tolist():
            draw.ellipse((x - dot, y - dot, x + dot, y + dot), colour)
    x, y = seen(root[0]).tolist()
    draw.ellipse((x - 1.5 * dot, y - 1.5 * dot, x + 1.5 * dot, y + 1.5 * dot), None, INK, thin)
    return image.reduce(FACTOR)
