"""Measures of generated clips: skating feet, gaps of loops, jerk (numpy only)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ganassets.api.assets import MotionClip
from ganassets.api.motion.measures import jerk, loop_gap, loop_seam, skating


def clip_measures(clips: Sequence[MotionClip]) -> dict[str, float]:
    """Return measures by name.

    Returns:
        "skating": mean share of frames in which a standing foot slides. "jerk": median in m/s^3. Of loops, "loop gap":
        largest change of a pose from the last frame to the first (radians, metres), and "seam": mean change of movement
        there relative to that between other frames, 1 for none.
    """
    measures = {
        "skating": float(np.mean([skating(clip) for clip in clips])),
        "jerk": float(np.median([jerk(clip) for clip in clips])),
    }
    loops = [clip for clip in clips if clip.loop]
    if loops:
        measures["loop gap"] = max(loop_gap(clip)[0] for clip in loops)
        measures["seam"] = float(np.mean([loop_seam(clip) for clip in loops]))
    return measures
