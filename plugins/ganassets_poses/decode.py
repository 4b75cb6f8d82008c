"""Model outputs -> motion clips: loops closed, feet held, ground at 0. numpy only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from ganassets.assets import MotionClip, Provenance
from ganassets.latents import uniforms
from ganassets.motion.editing import cropped, mirrored, placed, resampled
from ganassets.motion.feet import grounded, held_feet

from .signals import Signals, clip_of
from .structure import FPS, MARGIN, STRIDE

MIRROR_STREAM = 26  # of the seed
REPETITIONS = 2  # of a loop, where the user doesn't say how long it is


def steps_wanted(settings: Mapping[str, Any], loop: bool, tempo: float) -> int:
    """Steps from frame to frame that a clip takes at 30 a second.

    Args:
        settings: "seconds", 0 for as long as it takes.
        loop: whether it repeats.
        tempo: repetitions a second, or 1 / its duration.
    """
    seconds = settings["seconds"] or (REPETITIONS if loop else 1) / tempo
    return max(round(seconds * FPS), 2)


def steps_made(wanted: int, loop: bool) -> int:
    """Frames of the noise map for a clip of so many steps: a multiple of the stride, margins around what is once."""
    if loop:
        return max(round(wanted / STRIDE), 1) * STRIDE
    return -(-(wanted + 2) // STRIDE) * STRIDE + 2 * MARGIN


def decode_clips(
    arrays: Mapping[str, np.ndarray],
    names: Sequence[str],
    provenances: Sequence[Provenance],
    settings: Mapping[str, Any],
) -> list[MotionClip]:
    """Clips from `root` (n, 4, f), `rotations` (n, 132, f) and `contacts` (n, 4, f), see ganassets_poses.signals."""
    return [
        decode_clip(Signals(arrays["root"][i], arrays["rotations"][i], arrays["contacts"][i]), name, origin, settings)
        for i, (name, origin) in enumerate(zip(names, provenances, strict=True))
    ]


def decode_clip(signals: Signals, name: str, provenance: Provenance, settings: Mapping[str, Any]) -> MotionClip:
    """One clip of (channels, f) signals."""
    loop = provenance.sliders["loop"] >= 0.5
    steps = steps_wanted(settings, loop, provenance.sliders["tempo"])
    if loop:
        # Lengths that are no multiple of the network's stride are played a little faster or slower.
        clip = clip_of(signals, name, FPS * len(signals) / steps, True)
        clip = resampled(clip, FPS)
    else:
        inside = signals.part(MARGIN, len(signals) - MARGIN)
        clip = clip_of(inside, name, FPS * (len(inside) - 1) / steps, False)
        clip = resampled(clip, FPS)
    if mirrors(settings["mirror"], provenance.seed):
        clip = mirrored(clip)
    clip = replace(placed(grounded(clip)), provenance=provenance)
    if settings["hold-feet"]:
        clip = held_feet(clip)
    if settings["pose"] >= 0:
        clip = pose_of(clip, settings["pose"])
    return clip if settings["fps"] == FPS else resampled(clip, settings["fps"])


def mirrors(wish: str, seed: int) -> bool:
    """Whether left and right are exchanged: "yes", "no", or as the seed has it."""
    return bool(uniforms(seed, 1, MIRROR_STREAM)[0] < 0.5) if wish == "seed" else wish == "yes"


def pose_of(clip: MotionClip, share: float) -> MotionClip:
    """One frame of a clip, the share of it in [0, 1] that is over, above the origin and facing +Z."""
    frame = round(share * (len(clip) - 1))
    return placed(cropped(clip, frame, frame + 1))
