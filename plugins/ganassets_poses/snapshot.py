"""Pictures of samples during training (numpy and pillow only)."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from PIL.Image import Image

from ganassets.api.assets import MotionClip
from ganassets.api.motion.editing import place_at_origin

from .actions import ACTION_NAMES
from .preview import contact_sheet
from .signals import clip_from_signals, signals_of_sample
from .structure import FPS, MARGIN, is_loop

MOST = 16  # samples in a picture


def snapshot(arrays: Mapping[str, np.ndarray], conditions: np.ndarray) -> Image:
    """Draw a contact sheet of the first samples as the networks make them, without corrections.

    Args:
        arrays: `root`, `rotations` and `contacts`, (n, channels, f).
        conditions: (n, c) in physical units.
    """
    return contact_sheet([raw_clip(arrays, i, conditions[i]) for i in range(min(MOST, len(conditions)))])


def raw_clip(arrays: Mapping[str, np.ndarray], index: int, row: np.ndarray) -> MotionClip:
    """Return a sample as a clip, named after its action."""
    signals = signals_of_sample(arrays, index)
    loop = is_loop(row)
    if not loop:
        signals = signals.slice(MARGIN, len(signals) - MARGIN)
    return place_at_origin(clip_from_signals(signals, ACTION_NAMES[int(row[: len(ACTION_NAMES)].argmax())], FPS, loop))
