"""Sliced Wasserstein distances of patches on Laplacian pyramids."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from ganassets.training.evaluation.pyramids import PyramidReference, laplacian_pyramid, mean_level, sliced_distance
from support.pattern_images import clouds, tint, walls

RED, WHITE = (0.5, 0.2, 0.1), (0.9, 0.9, 0.8)


def bricks(seed: int, count: int = 16, size: int = 64) -> np.ndarray:
    return tint(walls(count, size, seed=seed), RED, WHITE)


@pytest.mark.parametrize(("size", "sides"), [(16, [16]), (64, [64, 32, 16]), (100, [100, 50, 25])])
def test_levels(size: int, sides: list[int]):
    levels = laplacian_pyramid(torch.rand(2, 3, size, size))
    assert [level.shape[-1] for level in levels] == sides
    even = laplacian_pyramid(torch.full((1, 3, size, size), 0.25))
    for detail in even[:-1]:
        torch.testing.assert_close(detail, torch.zeros_like(detail), atol=1e-5, rtol=0)
    torch.testing.assert_close(even[-1], torch.full_like(even[-1], 0.25))


def test_real_samples_are_nearer_than_noise():
    real = PyramidReference(bricks(0))
    same = real.measure(bricks(1))
    assert list(same) == [64, 32, 16]
    noise = real.measure(tint(clouds(16, 64, 1), RED, WHITE))
    assert mean_level(same) < 15 < 30 < mean_level(noise)


def test_other_colours_and_contrasts_count():
    real = PyramidReference(bricks(0))
    brighter, paler = (
        real.measure(changed.astype(np.float32)) for changed in (bricks(1) + 0.3, 0.5 + 0.3 * (bricks(1) - 0.5))
    )
    assert brighter[16] > 60 and brighter[64] == pytest.approx(real.measure(bricks(1))[64], abs=1)
    assert min(paler.values()) > 2 * max(real.measure(bricks(1)).values())


def test_lost_detail_shows_on_the_fine_level():
    sharp = bricks(1)
    blurred = np.mean([np.roll(sharp, (dy, dx), (2, 3)) for dy in range(3) for dx in range(3)], 0)
    found = PyramidReference(bricks(0)).measure(blurred)
    assert found[64] > 2 * found[16]


def test_it_is_deterministic_and_touches_no_random_state():
    state = torch.random.get_rng_state()
    real, other = bricks(0, 4), bricks(1, 7)
    assert PyramidReference(real).measure(other) == PyramidReference(real).measure(other)
    assert torch.equal(state, torch.random.get_rng_state())


def test_sets_of_different_sizes():
    x = torch.arange(1000.0)[:, None] / 1000
    assert sliced_distance(x, x[::2], 0) == pytest.approx(0, abs=2e-3)
    assert sliced_distance(x, x + 1, 0) == pytest.approx(1, abs=1e-5)


def test_an_even_map_is_no_division_by_nothing():
    flat = np.full((4, 3, 32, 32), 0.5, np.float32)
    assert mean_level(PyramidReference(flat).measure(flat)) == 0
    assert np.isfinite(mean_level(PyramidReference(flat).measure(bricks(0, 4, 32))))
