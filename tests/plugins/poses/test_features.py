"""The features by which samples of poses are compared."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from ganassets.api.errors import InputError
from ganassets.api.motion.measures import FEATURES
from ganassets_poses import SPEC
from ganassets_poses.actions import COLUMNS
from ganassets_poses.features import window_features
from ganassets_poses.signals import Signals, signals_from_clip
from support.motion_clips import random_clip, walk_clip
from support.poses_data import turning

FRAMES = 64


def arrays_of(*samples: Signals) -> dict[str, np.ndarray]:
    """Samples as the networks give them, FRAMES long."""
    parts = [sample.slice(0, FRAMES) for sample in samples]
    return {name: np.stack([getattr(part, name) for part in parts]) for name in ("root", "rotations", "contacts")}


WALK = walk_clip(FRAMES + 1, loop=False)


def test_each_sample_has_a_row_of_its_own():
    other = signals_from_clip(random_clip(np.random.default_rng(0), FRAMES + 1))
    found = window_features(arrays_of(signals_from_clip(WALK), other), None)
    assert found.shape == (2, 3 * FEATURES), "windows of 32 frames, 16 apart"
    np.testing.assert_allclose(window_features(arrays_of(other), None)[0], found[1], atol=1e-12)


def test_where_a_figure_goes_does_not_matter_but_how_it_moves_does():
    turned = signals_from_clip(turning(WALK, np.full(len(WALK), 1.0)))
    slower = signals_from_clip(walk_clip(FRAMES + 1, loop=False, speed=0.9))
    same, turned, slower = window_features(arrays_of(signals_from_clip(WALK), turned, slower), None)
    np.testing.assert_allclose(turned, same, atol=1e-4)
    assert np.linalg.norm(slower - same) > 0.1


def test_windows_of_a_repeating_motion_do_not_count_as_loops():
    """A loop's conditions say that it repeats, but a window of it doesn't wrap."""
    arrays = arrays_of(signals_from_clip(WALK))
    rows = np.zeros((1, len(COLUMNS)), np.float32)
    assert SPEC.features is not None
    once = SPEC.features(arrays, rows)
    rows[0, COLUMNS.index("loop")] = 1
    np.testing.assert_array_equal(SPEC.features(arrays, rows), once)


def test_nothing_can_not_be_compared():
    with pytest.raises(InputError, match="no clips"):
        window_features({name: values[:0] for name, values in arrays_of(signals_from_clip(WALK)).items()}, None)


def test_needs_no_torch():
    code = "import sys, ganassets_poses.features; print('torch' in sys.modules)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "False"
