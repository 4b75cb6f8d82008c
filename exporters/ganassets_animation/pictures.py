"""A motion clip as an animated picture file."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from typing import Any

import numpy as np
from PIL import Image

from ganassets.api.assets import MotionClip
from ganassets.api.motion.animation import check_length, encode_webp, moments, shot_of, ticks

# Numbers of EXIF's fields.
DESCRIPTION, SOFTWARE, COPYRIGHT = 270, 305, 33432
PALETTE_SAMPLES = 4  # pictures that the colours of a GIF are taken from
GIF_UNIT = 0.01  # seconds


def drawn(clip: MotionClip, options: Mapping[str, Any]) -> tuple[list[Image.Image], list[float]]:
    """The clip's pictures and the seconds that each stays; InputError when they are too many."""
    times, stays = moments(clip, options["fps"])
    check_length(len(times), options["size"], options["size"])
    return list(shot_of(clip, times, options["size"], options["view"]).pictures()), stays


def webp(clip: MotionClip, options: Mapping[str, Any]) -> bytes:
    """An animated WebP file that says where the clip comes from in its EXIF."""
    exif = Image.Exif()
    exif[DESCRIPTION] = json.dumps(clip.provenance.keywords(clip.name))
    exif[SOFTWARE], exif[COPYRIGHT] = clip.provenance.software, clip.provenance.licence
    pictures, stays = drawn(clip, options)
    return encode_webp(pictures, stays, exif)


def gif(clip: MotionClip, options: Mapping[str, Any]) -> bytes:
    """An animated GIF file, all of whose pictures share one palette, with a comment that says where the clip comes
    from.
    """
    pictures, stays = drawn(clip, options)
    samples = pictures[:: max(len(pictures) // PALETTE_SAMPLES, 1)]
    colours = Image.fromarray(np.concatenate([np.asarray(picture) for picture in samples]))
    palette = colours.quantize(255, Image.Quantize.MEDIANCUT)
    reduced = [picture.quantize(palette=palette, dither=Image.Dither.NONE) for picture in pictures]
    file = io.BytesIO()
    reduced[0].save(
        file,
        "GIF",
        save_all=True,
        append_images=reduced[1:],
        duration=[10 * tick for tick in ticks(stays, GIF_UNIT)],
        loop=0,
        comment=json.dumps(clip.provenance.keywords(clip.name)).encode(),
    )
    return file.getvalue()
