"""Features by which samples are compared: how the body moves, not the channels themselves (numpy only)."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from ganassets.api.motion.measures import motion_features

from .signals import clip_from_signals, signals_of_sample
from .structure import FPS


def window_features(arrays: Mapping[str, NDArray[np.floating]], _conditions: object) -> NDArray[np.float64]:
    """Return features (n, k) of samples: those of all windows of a sample, one after the other (see `motion_features`).

    Args:
        arrays: `root` (n, 4, f), `rotations` (n, 132, f) and `contacts` (n, 4, f), see ganassets_poses.signals: f
            frames without margins, not treated as loops.
    """
    clips = [clip_from_signals(signals_of_sample(arrays, i), "", FPS, False) for i in range(len(arrays["root"]))]
    return motion_features(clips).reshape(len(clips), -1)
