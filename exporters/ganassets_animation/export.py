"""Write motion clips as animated WebP and GIF files."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from typing import Any

import numpy as np
from PIL import Image

from ganassets.api.assets import MotionClip
from ganassets.api.images.encoding import make_exif
from ganassets.api.motion.animation import check_length, encode_frames, moments, shot_of, ticks

PALETTE_SAMPLES = 4  # frames from which a GIF's palette is taken
GIF_TICK = 0.01  # seconds; the unit of a GIF's durations


def export_webp(asset: MotionClip, options: Mapping[str, Any]) -> dict[str, bytes]:
    """Write a clip as one animated WebP file with its provenance in EXIF.

    Args:
        asset: The clip.
        options: Values of `ganassets_animation.OPTIONS`.

    Raises:
        InputError: The animation would be too large.
    """
    frames, durations = draw_frames(asset, options)
    content = encode_frames(frames, durations, make_exif(asset.provenance.keywords(asset.name)))
    return {f"{asset.name}.webp": content}


def export_gif(asset: MotionClip, options: Mapping[str, Any]) -> dict[str, bytes]:
    """Write a clip as one animated GIF file with its provenance in a comment.

    Args:
        asset: The clip.
        options: Values of `ganassets_animation.OPTIONS`.

    Raises:
        InputError: The animation would be too large.
    """
    frames, durations = draw_frames(asset, options)
    return {f"{asset.name}.gif": encode_gif(frames, durations, asset.provenance.keywords(asset.name))}


def draw_frames(clip: MotionClip, options: Mapping[str, Any]) -> tuple[list[Image.Image], list[float]]:
    """Draw the frames of a clip; returns them and the seconds that each stays."""
    times, durations = moments(clip, options["fps"])
    check_length(len(times), options["size"], options["size"])
    return list(shot_of(clip, times, options["size"], options["view"]).pictures()), durations


def encode_gif(frames: list[Image.Image], durations: list[float], text: Mapping[str, str]) -> bytes:
    """Encode frames as an animated GIF that repeats forever; all frames share one palette.

    Args:
        frames: RGB images of one size.
        durations: Seconds that each frame stays.
        text: Text by keyword, stored as JSON in a comment.
    """
    samples = frames[:: max(len(frames) // PALETTE_SAMPLES, 1)]
    sheet = Image.fromarray(np.concatenate([np.asarray(frame) for frame in samples]))
    palette = sheet.quantize(255, Image.Quantize.MEDIANCUT)
    reduced = [frame.quantize(palette=palette, dither=Image.Dither.NONE) for frame in frames]
    file = io.BytesIO()
    reduced[0].save(
        file,
        "GIF",
        save_all=True,
        append_images=reduced[1:],
        duration=[10 * tick for tick in ticks(durations, GIF_TICK)],
        loop=0,
        comment=json.dumps(dict(text)).encode(),
    )
    return file.getvalue()
