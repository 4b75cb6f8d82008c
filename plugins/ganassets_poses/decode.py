"""Decode model outputs to motion clips: close loops, put figures on the ground, hold feet (numpy only)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ganassets.api.assets import MotionClip
from ganassets.api.latents import uniforms
from ganassets.api.motion.editing import crop_clip, mirror_clip, place_at_origin, resample_clip
from ganassets.api.motion.feet import find_standing_feet, foot_positions, hold_feet, match_travel, put_on_ground
from ganassets.api.provenance import Provenance

from .actions import ACTIONS
from .signals import Signals, clip_from_signals, signals_of_sample, smooth_signals, stretch_loop
from .structure import FPS, MARGIN, STRIDE, is_loop, tempo_of

MIRROR_STREAM = 26  # random stream of the seed
TURNS = 20.0  # degrees/s; above this value of the condition "turn" a clip isn't mirrored
REPETITIONS = 2  # repetitions of a loop without a given length


def clip_steps(settings: Mapping[str, Any], loop: bool, tempo: float) -> int:
    """Return the number of steps from frame to frame of a clip at 30 frames per second.

    Args:
        settings: "seconds"; 0 for about the clip's natural length, rounded so that it needs no stretching.
        loop: Whether it repeats.
        tempo: Repetitions per second, or 1 / duration.
    """
    if settings["seconds"]:
        return max(round(settings["seconds"] * FPS), 2)
    return round_to_strides((REPETITIONS if loop else 1) / tempo * FPS, loop) - (not loop)


def network_steps(steps: int, loop: bool) -> int:
    """Return the frames of the noise map for a clip: a multiple of the stride, with margins around a single action.

    Args:
        steps: Steps of the clip, see `clip_steps`.
        loop: Whether it repeats.
    """
    return round_to_strides(steps, loop) + (0 if loop else 2 * MARGIN)


def round_to_strides(steps: float, loop: bool) -> int:
    """Round a number of steps to whole strides of frames; a loop has a frame per step, another clip one more."""
    return max(round((steps + (not loop)) / STRIDE), 1) * STRIDE


def map_size(settings: Mapping[str, Any], row: NDArray[np.float32], _info: object) -> tuple[int]:
    """Return the size (frames,) of the noise map under settings and conditions (c,); the stride is always STRIDE."""
    loop = is_loop(row)
    return (network_steps(clip_steps(settings, loop, tempo_of(row)), loop),)


def decode_clips(
    arrays: Mapping[str, np.ndarray],
    _manifest: object,
    names: Sequence[str],
    provenances: Sequence[Provenance],
    settings: Mapping[str, Any],
) -> list[MotionClip]:
    """Decode samples to clips.

    Args:
        arrays: `root` (n, 4, f), `rotations` (n, 132, f) and `contacts` (n, 4, f), see ganassets_poses.signals.
        names: Names of the clips.
        provenances: Provenances of the clips.
        settings: Values of the plugin's settings.
    """
    return [
        decode_clip(signals_of_sample(arrays, i), name, origin, settings)
        for i, (name, origin) in enumerate(zip(names, provenances, strict=True))
    ]


def decode_clip(signals: Signals, name: str, provenance: Provenance, settings: Mapping[str, Any]) -> MotionClip:
    """Decode the signals of one clip."""
    loop = provenance.sliders["loop"] >= 0.5
    steps = clip_steps(settings, loop, provenance.sliders["tempo"])
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


def is_mirrored(setting: str, provenance: Provenance) -> bool:
    """Return whether left and right are exchanged: as set, or as the seed decides.

    The seed doesn't decide for gaits, which the network makes with either foot leading, nor for clips that turn, which
    turn to the side that was asked for.

    Args:
        setting: "yes", "no" or "seed".
        provenance: Provenance of the clip.
    """
    if setting != "seed":
        return setting == "yes"
    if is_gait(provenance) or abs(provenance.sliders["turn"]) > TURNS:
        return False
    last, share = provenance.morph or (provenance.seed, 0.0)
    return bool(uniforms(last if share > 0.5 else provenance.seed, 1, MIRROR_STREAM)[0] < 0.5)


def is_gait(provenance: Provenance) -> bool:
    """Return whether a clip shows mostly steps on the ground."""
    steps = (action for action in ACTIONS if action.gait and action.on_feet)
    return sum(provenance.sliders[f"action:{action.name}"] for action in steps) >= 0.5


def steady_feet(clip: MotionClip) -> MotionClip:
    """Hold the feet of a clip where they stand: where the network says so, and where they are low.

    In a looping gait the travel is matched to the feet first.

    Args:
        clip: On the ground, with contacts.
    """
    sliders = clip.provenance.sliders
    low = sum(sliders[f"action:{action.name}"] * action.low for action in ACTIONS)
    clip = match_travel(clip) if clip.loop and is_gait(clip.provenance) else clip
    stands = find_standing_feet(foot_positions(clip), low).repeat(2, axis=1)
    assert clip.contacts is not None
    return hold_feet(replace(clip, contacts=clip.contacts | stands))


def extract_pose(clip: MotionClip, share: float) -> MotionClip:
    """Return one frame of a clip, at a share of its duration in [0, 1], above the origin and facing +Z."""
    frame = round(share * (len(clip) - 1))
    return place_at_origin(crop_clip(clip, frame, frame + 1))
