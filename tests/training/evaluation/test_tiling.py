"""Measures of tiling against maps whose seams are known."""

from __future__ import annotations

import numpy as np
import pytest

from ganassets.training.evaluation.tiling import equivariance, largest_difference, normal_agreement, seam_ratio


def waves(n: int = 1) -> np.ndarray:
    """Return (n, 1, 32, 48) float32 signals that wrap."""
    y, x = np.arange(32)[:, None] / 32, np.arange(48)[None] / 48
    phase = np.linspace(0, 1, n, endpoint=False)[:, None, None]
    return np.sin(2 * np.pi * (8 * y + 8 * x + phase)).astype(np.float32)[:, None]


def test_wrapping_signals_have_no_seam():
    ratios = seam_ratio(np.random.default_rng(0).normal(size=(500, 2, 16, 24)).astype(np.float32))
    assert ratios.shape == (500,) and ratios.mean() == pytest.approx(1, abs=0.01)


def test_a_seam_is_found_on_either_axis():
    columns = np.zeros((1, 2, 4, 8), np.float32)
    columns[..., 4:] = 1
    # Two lines of 8 columns change, one of them is the border; rows don't change: (1 + 0) / (2 / 8 + 0).
    assert seam_ratio(columns)[0] == pytest.approx(4)
    assert seam_ratio(columns.transpose(0, 1, 3, 2))[0] == pytest.approx(4)
    assert seam_ratio(np.roll(columns, 1, 3))[0] == 0, "the border lies within the even part"


def test_lines_of_the_stride_are_compared_with_each_other():
    """Cells of 4 texels, each even, show at every line of the stride, and no more at the border."""
    cells = np.random.default_rng(0).random((2000, 1, 4, 6)).astype(np.float32).repeat(4, 2).repeat(4, 3)
    assert seam_ratio(cells, 4).mean() == pytest.approx(1, abs=0.02)
    assert seam_ratio(cells).mean() == pytest.approx(4, abs=0.1)
    seam = cells.copy()
    seam[:, :, :4] += 2
    seam[:, :, -4:] -= 2
    assert seam_ratio(seam, 4).mean() > 1.5


def test_a_pattern_moved_at_random_has_a_mean_of_one():
    """A joint that is always at the border counts as a seam; moved maps show that it is none."""
    rng = np.random.default_rng(0)
    joints = waves(400)
    joints[:, :, 0] = 3
    assert seam_ratio(joints).mean() > 2
    moved = np.stack([np.roll(one, rng.integers(0, (32, 48)), (1, 2)) for one in joints])
    assert seam_ratio(moved).mean() == pytest.approx(1, abs=0.05)


def test_constant_maps_have_no_ratio():
    maps = np.concatenate([waves(), np.full((1, 1, 32, 48), 0.3, np.float32)])
    assert np.isnan(seam_ratio(maps)).tolist() == [False, True]


def test_normals_of_the_height_agree():
    """A slope of 1 to the right leans the normal by 45 degrees to the left; down the rows it leans up."""
    height = 0.01 * np.minimum(np.arange(8), np.arange(8)[::-1])[None].repeat(8, 0).astype(np.float32)
    leaning = np.zeros((8, 8, 3), np.float32)
    leaning[..., 2] = 0.5**0.5
    leaning[:, 1:3, 0], leaning[:, 5:7, 0] = -(0.5**0.5), 0.5**0.5
    leaning[:, [0, 3, 4, 7]] = [0, 0, 1]
    # At the ridge and the valley the two neighbours on either side are half a step apart.
    for column, x in ((0, -1), (3, -1), (4, 1), (7, 1)):
        leaning[:, column] = np.array([x * 0.5, 0, 1]) / np.hypot(0.5, 1)
    assert normal_agreement(height, leaning, 0.01) < 1e-6
    turned = leaning[..., [1, 0, 2]].transpose(1, 0, 2) * np.array([1, -1, 1], np.float32)
    assert normal_agreement(height.T.copy(), turned, 0.01) < 1e-6
    assert normal_agreement(height.T.copy(), turned * np.array([1, -1, 1], np.float32), 0.01) == pytest.approx(2**0.5)
    assert normal_agreement(height, leaning, 0.02) > 0.2, "another texel size is another slope"


def blurred(noise: np.ndarray) -> dict[str, np.ndarray]:
    return {"map": noise + np.roll(noise, 1, 2)}


def position(noise: np.ndarray) -> dict[str, np.ndarray]:
    return {"map": noise + np.arange(noise.shape[3], dtype=np.float32) % 4}


def test_equivariance():
    noise = np.random.default_rng(0).normal(size=(2, 3, 8, 16)).astype(np.float32)
    assert equivariance(blurred, noise, (4, 8)) == 0
    assert equivariance(position, noise, (4, 8)) < 1e-6, "parts that repeat with the stride"
    assert equivariance(position, noise, (4, 1)) == pytest.approx(3)


def test_largest_difference():
    a = {"x": np.zeros((2, 2), np.float32), "y": np.ones(3, np.float32)}
    assert largest_difference(a, a) == 0
    assert largest_difference(a, {"x": a["x"], "y": np.array([1, 1, -1], np.float32)}) == 2
