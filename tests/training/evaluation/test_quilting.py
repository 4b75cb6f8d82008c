"""Image quilting."""

from __future__ import annotations

import numpy as np
import pytest

from ganassets.training.evaluation.quilting import Quilter, mask_beyond_cut
from ganassets.training.evaluation.structure import StructureReference
from support.pattern_images import walls


def example(size: int = 64) -> np.ndarray:
    return np.repeat(walls(1, size)[0, ..., None], 2, 2) * np.array([1, 0.5], np.float32)


@pytest.mark.parametrize(("size", "patch", "overlap"), [(64, 32, 8), (40, 16, 4), (8, 16, 4)])
def test_a_quilt_is_made_of_the_example(size: int, patch: int, overlap: int):
    made = Quilter(example(), patch, overlap)(size, np.random.default_rng(0))
    assert made.shape == (size, size, 2)
    assert set(made[..., 0].ravel()) <= set(example()[..., 0].ravel())
    np.testing.assert_array_equal(made[..., 1], made[..., 0] * np.float32(0.5))


def test_the_same_state_gives_the_same_quilt():
    quilter = Quilter(example())
    first, again, other = (quilter(48, np.random.default_rng(seed)) for seed in (0, 0, 1))
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()


def test_an_example_of_one_patch():
    made = Quilter(example(32))(32, np.random.default_rng(0))
    np.testing.assert_array_equal(made, example(32))


def test_a_quilt_keeps_the_structure():
    quilter, rng = Quilter(example(128)), np.random.default_rng(0)
    made = np.stack([quilter(64, rng)[..., 0] for _ in range(12)])
    assert StructureReference(walls(12, 64, seed=3)).measure(made).structure > 0.6


def test_the_cut_follows_the_smallest_difference():
    difference = np.ones((5, 4), np.float32)
    difference[[0, 1, 2, 3, 4], [1, 1, 2, 3, 2]] = 0
    assert mask_beyond_cut(difference).sum(1).tolist() == [3, 3, 2, 1, 2]
