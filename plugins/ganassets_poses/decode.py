"""Model outputs -> motion clips: loops closed, feet held, ground at 0. numpy only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from ganassets.api.assets import MotionClip, Provenance
from ganassets.api.latents import uniforms
from ganassets.api.motion.editing import crop_clip, mirror_clip, place_at_origin, resample_clip
from ganassets.api.motion.feet import find_standing_feet, foot_positions, hold_feet, match_travel, put_on_ground

from .actions import ACTIONS
from .signals import Signals, clip_from_signals, signals_of_sample, smooth_signals, stretch_loop
from .structure import FPS, MARGIN, STRIDE

MIRROR_STREAM = 26  # of the seed
TURNS = 20.0  # degrees/s of the slider above which the side matters
REPETITIONS = 2  # of a loop, where the user doesn't say how long it is


def steps_wanted(settings: Mapping[str, Any], loop: bool, tempo: float) -> int:
    """Steps from frame to frame that a clip takes at 30 a second.

    Args:
        settings: "seconds"; 0 for about as long as it takes, such that it is played as the network makes it.
        loop: whether it repeats.
        tempo: repetitions a second, or 1 / its duration.
    """
    if settings["seconds"]:
        return max(round(settings["seconds"] * FPS), 2)
    return round_to_strides((REPETITIONS if loop else 1) / tempo * FPS, loop) - (not loop)


def steps_made(wanted: int, loop: bool) -> int:
    """Frames of the noise map for a clip of so many steps: a multiple of the stride, margins around what is once."""
    return round_to_strides(wanted, loop) + (0 if loop else 2 * MARGIN)


def round_to_strides(steps: float, loop: bool) -> int:
    """Frames, a multiple of the stride, with about so many steps; a loop's last step leads to its first frame."""
    return max(round((steps + (not loop)) / STRIDE), 1) * STRIDE


def decode_clips(
    arrays: Mapping[str, np.ndarray],
    names: Sequence[str],
    provenances: Sequence[Provenance],
    settings: Mapping[str, Any],
) -> list[MotionClip]:
    """Clips from `root` (n, 4, f), `rotations` (n, 132, f) and `contacts` (n, 4, f), see ganassets_poses.signals."""
    return [
        decode_clip(signals_of_sample(arrays, i), name, origin, settings)
        for i, (name, origin) in enumerate(zip(names, provenances, strict=True))
    ]


def decode_clip(signals: Signals, name: str, provenance: Provenance, settings: Mapping[str, Any]) -> MotionClip:
    """One clip of (channels, f) signals."""
    loop = provenance.sliders["loop"] >= 0.5
    steps = steps_wanted(settings, loop, provenance.sliders["tempo"])
    signals = smooth_signals(signals, loop)
    # Lengths that are no multiple of the network's stride are played a little faster or slower.
    if loop:
        clip = clip_from_signals(stretch_loop(signals, steps), name, FPS, True)
    else:
        clip = clip_from_signals(signals.slice(MARGIN, len(signals) - MARGIN), name, FPS, False)
        clip = resample_clip(replace(clip, fps=FPS * (len(clip) - 1) / steps), FPS)
    if is_mirrored(settings["mirror"], provenance):
        clip = mirror_clip(clip)
    clip = replace(place_at_origin(put_on_ground(clip)), provenance=provenance)
    if settings["hold-feet"]:
        clip = steady_feet(clip)
    if settings["pose"] >= 0:
        clip = extract_pose(clip, settings["pose"])
    return clip if settings["fps"] == FPS else resample_clip(clip, settings["fps"])


def is_mirrored(wish: str, provenance: Provenance) -> bool:
    """Whether left and right are exchanged: "yes", "no", or as the seed has it. Gaits come with both sides leading from
    the network, and what turns goes to the side that was asked for.
    """
    if wish != "seed":
        return wish == "yes"
    if is_gait(provenance) or abs(provenance.sliders["turn"]) > TURNS:
        return False
    last, share = provenance.morph or (provenance.seed, 0.0)
    return bool(uniforms(last if share > 0.5 else provenance.seed, 1, MIRROR_STREAM)[0] < 0.5)


def is_gait(provenance: Provenance) -> bool:
    """Whether a clip shows steps on the ground, mostly."""
    steps = (action for action in ACTIONS if action.gait and action.on_feet)
    return sum(provenance.sliders[f"action:{action.name}"] for action in steps) >= 0.5


def steady_feet(clip: MotionClip) -> MotionClip:
    """A clip that is on the ground with its feet held where the network says that they stand, and where they are low;
    the travel of steps is matched to the feet first.
    """
    sliders = clip.provenance.sliders
    low = sum(sliders[f"action:{action.name}"] * action.low for action in ACTIONS)
    clip = match_travel(clip) if clip.loop and is_gait(clip.provenance) else clip
    stands = find_standing_feet(foot_positions(clip), low).repeat(2, axis=1)
    assert clip.contacts is not None
    return hold_feet(replace(clip, contacts=clip.contacts | stands))


def extract_pose(clip: MotionClip, share: float) -> MotionClip:
    """One frame of a clip, the share of it in [0, 1] that is over, above the origin and facing +Z."""
    frame = round(share * (len(clip) - 1))
    return place_at_origin(crop_clip(clip, frame, frame + 1))
