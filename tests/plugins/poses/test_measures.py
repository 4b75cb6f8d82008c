"""Measures of generated clips."""

from __future__ import annotations

import pytest

from ganassets.api.motion.editing import crop_clip
from ganassets.api.motion.measures import jerk, skating
from ganassets_poses.measures import clip_measures
from support.motion_clips import walk_clip


def test_means_over_clips():
    slow, fast = walk_clip(speed=0.8), walk_clip(speed=1.6)
    found = clip_measures([slow, fast])
    assert found.keys() == {"skating", "jerk", "loop gap", "seam"}
    assert found["skating"] == pytest.approx((skating(slow) + skating(fast)) / 2)
    assert found["jerk"] == pytest.approx((jerk(slow) + jerk(fast)) / 2)
    assert found["loop gap"] < 1e-6 and 0.2 < found["seam"] < 3


def test_what_does_not_loop_has_no_seam():
    once = walk_clip(loop=False)
    assert clip_measures([once]).keys() == {"skating", "jerk"}
    assert clip_measures([once, walk_clip()])["loop gap"] < 1e-6, "of loops only"
    broken = crop_clip(walk_clip(), 0, 40)
    assert not broken.loop and "loop gap" not in clip_measures([broken])
