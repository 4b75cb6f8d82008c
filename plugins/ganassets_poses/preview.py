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
from ganassets.api.motion.animation import INK, animated_sheet, fitting, shot_of
from ganassets.api.motion.feet import ground_travel
from ganassets.api.motion.figure import SIDE_COLOURS, draw_figure
from ganassets.api.motion.floor import BACKDROP, FLOOR, GRID, draw_shadow, mixed, trails_of

FloatArray = NDArray[np.floating]

MAX_CLIPS = 64
# Of the animated sheet: clips, seconds of each, pixels of each, pictures a second.
MOST_ANIMATED, LONGEST, ANIMATED_SIZE, ANIMATED_FPS = 16, 10.0, 160, 12.0
POSES = 8  # of a strip
WIDTH, HEIGHT = 2400, 3600  # pixels of the largest sheet
TALLEST, LARGEST = 230, 480  # pixels of a strip, and of a single pose's picture
NARROW = 0.6  # from a pose to the next, of a strip's height; figures may reach over their neighbours
ACROSS = (POSES - 1) * NARROW + 1  # width of a strip, of its height
MOST_COLUMNS = 4
FACTOR = 2  # that pictures are drawn larger by
GAP = 6  # pixels between panels
LEAST_TRAVEL = 0.1  # metres that are told
PAPER, PALE = (28, 31, 38), (142, 150, 163)
STEPS = (0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0)  # metres of the squares below a way
LEAST_EXTENT, MOST_LINES = 1.2, 6  # metres of the smallest map, lines of its grid


def contact_sheet(clips: Sequence[MotionClip]) -> Image.Image:
    """Picture of the first 64 clips, at most 2400 x 3600: each with eight poses from left to right, its name, action,
    length and travel, and a map of its root and feet; clips of a single pose alone as a grid of figures.

    Args:
        clips: of humanoids.

    Raises:
        InputError: there is no clip, or a joint of the humanoid is missing.
    """
    if not clips:
        raise InputError("a contact sheet needs at least one clip; generate some first.")
    shown = clips[:MAX_CLIPS]
    return pose_sheet(shown) if all(len(clip) == 1 for clip in shown) else strip_sheet(shown)


def animation(clips: Sequence[MotionClip]) -> bytes | None:
    """Animated WebP of the first 16 clips that move and last no longer than 10 s, or None where none does."""
    moving = [clip for clip in clips if len(clip) > 1 and clip.seconds <= LONGEST][:MOST_ANIMATED]
    return animated_sheet(moving, math.ceil(math.sqrt(len(moving))), ANIMATED_SIZE, ANIMATED_FPS) if moving else None


def pose_sheet(clips: Sequence[MotionClip]) -> Image.Image:
    """Figures in a grid about as wide as high."""
    columns = math.ceil(math.sqrt(len(clips)))
    size = min(LARGEST, WIDTH // columns - GAP)
    return arranged([pose_panel(clip, size) for clip in clips], columns)


def strip_sheet(clips: Sequence[MotionClip]) -> Image.Image:
    """Strips in as many columns as make them largest."""
    columns = max(range(1, MOST_COLUMNS + 1), key=lambda columns: (strip_height(len(clips), columns), -columns))
    height = strip_height(len(clips), columns)
    return arranged([strip_panel(clip, height) for clip in clips], columns)


def strip_height(count: int, columns: int) -> int:
    """Pixels that the poses of a strip can have in height."""
    high = (HEIGHT - GAP) // -(-count // columns) - GAP
    wide = ((WIDTH - GAP) // columns - GAP) / (ACROSS + 1)
    return int(min(TALLEST, wide, high - line_height(high)))


def line_height(height: int) -> int:
    """Pixels of the line of text above a panel that high."""
    return round(1.7 * font_size(height))


def font_size(height: int) -> int:
    """Pixels of the letters of a panel that high."""
    return max(10, min(16, height // 12))


def arranged(panels: Sequence[Image.Image], columns: int) -> Image.Image:
    """Panels of one size row by row, with gaps around them."""
    width, height = panels[0].size
    rows = -(-len(panels) // columns)
    columns = min(columns, len(panels))
    sheet = Image.new("RGB", (columns * (width + GAP) + GAP, rows * (height + GAP) + GAP), PAPER)
    for i, panel in enumerate(panels):
        sheet.paste(panel, (GAP + i % columns * (width + GAP), GAP + i // columns * (height + GAP)))
    return sheet


def titled(picture: Image.Image, texts: Sequence[str]) -> Image.Image:
    """The picture below a line of texts, the first of which is bright; what doesn't fit is left out from the end."""
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
        text = fitting(text, font, room)
        draw.text((x, line / 2), text, colour, font, "lm")
        x += math.ceil(font.getlength(text)) + letters
    return panel


def captions(clip: MotionClip) -> list[str]:
    """Name, action, seconds, whether it loops, metres of travel if any; a single pose has the first two."""
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
    """The first pose on its floor."""
    return titled(next(shot_of(clip, np.zeros(1), size).pictures()), captions(clip))


def strip_panel(clip: MotionClip, height: int) -> Image.Image:
    """Poses side by side, and the map."""
    times = np.linspace(0, clip.seconds, POSES if len(clip) > 1 else 1)
    if clip.loop and len(clip) > 1:
        times = np.arange(POSES) * (clip.seconds / POSES)  # the closing pose is the first again
    poses = strip(clip, times, height)
    picture = Image.new("RGB", (poses.width + height, height), BACKDROP)
    picture.paste(poses, (0, 0))
    picture.paste(top_view(clip, height), (poses.width, 0))
    return titled(picture, captions(clip))


def strip(clip: MotionClip, times: FloatArray, height: int) -> Image.Image:
    """Picture of that height of the poses at moments, each over its own root, all at one scale."""
    rooted = replace(clip, translation=clip.translation * np.array([0, 1, 0], np.float32), loop=False)
    shot = shot_of(rooted, times, height)
    image = Image.new("RGB", (FACTOR * int(ACROSS * height), FACTOR * height), BACKDROP)
    draw = ImageDraw.Draw(image)
    cameras = [
        replace(camera, centre=(camera.centre[0] + i * NARROW * height, camera.centre[1])).enlarged(FACTOR)
        for i, camera in enumerate(shot.cameras)
    ]
    # The floor is a band that is lightest below the feet and fades to both sides.
    middle, reach = FACTOR * shot.cameras[0].centre[1], FACTOR * 0.2 * height
    for y in range(max(int(middle - reach), 0), min(int(middle + reach), image.height)):
        draw.line((0, y, image.width, y), mixed(BACKDROP, FLOOR, 1 - ((y - middle) / reach) ** 2))
    for frame, camera in enumerate(cameras):
        draw_shadow(image, shot.body, frame, camera)
    for frame, camera in enumerate(cameras):
        draw_figure(image, shot.body, frame, camera)
    return image.reduce(FACTOR)


def top_view(clip: MotionClip, size: int) -> Image.Image:
    """(size x size) map of the ways of the root (pale, a ring at its start) and of the feet over a grid; left is on the
    left of who faces +Z, which is up.
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
    draw.rounded_rectangle((inset, inset, side - inset, side - inset), 0.04 * side, mixed(BACKDROP, FLOOR, 0.6))
    first, last = (np.ceil((middle - extent / 2) / step), np.floor((middle + extent / 2) / step))
    for axis in (0, 1):
        for line in np.arange(first[axis], last[axis] + 1) * step:
            at = float(seen(np.array([line, line]))[axis])
            ends = (at, inset, at, side - inset) if axis == 0 else (inset, at, side - inset, at)
            draw.line(ends, mixed(FLOOR, GRID, 0.5), FACTOR)
    dot, thin = side / 70, max(side // 120, 1)
    draw.line(seen(root).ravel().tolist(), PALE, thin)
    for foot, colour in enumerate(SIDE_COLOURS.values()):
        pixels = seen(feet[:, foot])
        draw.line(pixels.ravel().tolist(), mixed(FLOOR, colour, 0.7), thin)
        for x, y in pixels[trails.stands[:, foot]].tolist():
            draw.ellipse((x - dot, y - dot, x + dot, y + dot), colour)
    x, y = seen(root[0]).tolist()
    draw.ellipse((x - 1.5 * dot, y - 1.5 * dot, x + 1.5 * dot, y + 1.5 * dot), None, INK, thin)
    return image.reduce(FACTOR)
