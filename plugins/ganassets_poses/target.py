"""Inversion targets: clips that a model of motion should match."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ganassets.api.assets import MotionClip
from ganassets.api.data.records import FileRecord
from ganassets.api.errors import InputError
from ganassets.api.motion.editing import place_at_origin, sample_clip
from ganassets.api.motion.kinematics import positions
from ganassets.api.motion.retarget import to_humanoid
from ganassets.api.spec import Target

from .readers import find_motion

FRAMES = 24  # moments at which clips are compared
SHORTEST, LONGEST = 0.2, 20.0  # seconds
CENTIMETRES = 100.0


def clip_target(path: Path) -> Target:
    """Return the first clip of a file as a target; InputError where it has none, or it is too short or too long."""
    records: list[FileRecord] = []
    found, *others = find_motion(path, records)
    note = f"{path.name} holds {len(others) + 1} clips; this is the first, {found.take.name}." if others else ""
    clip = to_humanoid(found.take, up=found.labels.up)
    if not SHORTEST <= clip.seconds <= LONGEST:
        raise InputError(f"{path} lasts {clip.seconds:.3g} s; cut out {SHORTEST:g} to {LONGEST:g} s of it.")
    settings = {"seconds": round(clip.seconds, 3), "mirror": "no", "pose": -1.0}
    return Target(
        comparable_positions,
        comparable_positions([clip])[0],
        "cm",
        settings=settings,
        draft={"hold-feet": False},
        note=note,
    )


def comparable_positions(clips: Sequence[MotionClip]) -> NDArray[np.float32]:
    """Return the joints' positions (n, k) in centimetres at FRAMES evenly spaced moments of clips.

    The clips are moved so that they start above the origin and face +Z.
    """
    found = []
    for clip in clips:
        moments = np.linspace(0, clip.seconds, FRAMES) if len(clip) > 1 else np.zeros(FRAMES)
        found.append(positions(place_at_origin(sample_clip(clip, moments))).ravel() * CENTIMETRES)
    return np.stack(found).astype(np.float32)
