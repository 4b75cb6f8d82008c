"""Models of groups: coordinates from latents, and latents from coordinates."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ganassets_poses.groups import GroupModels, fit_groups, principal_coordinates

K, C, Z_DIM, COUNT = 5, 2, 4, 4


def drawn(seed: int, sizes: list[int]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return coordinates, conditions and groups of the given numbers of samples per group."""
    rng = np.random.default_rng(seed)
    groups = np.repeat(np.arange(len(sizes)), sizes)
    n = len(groups)
    sliders = rng.normal(size=(n, C))
    return 2 * rng.normal(size=(n, K)) + 3 * groups[:, None] + sliders @ rng.normal(size=(C, K)), sliders, groups


def formula(fit: GroupModels, z: np.ndarray, sliders: np.ndarray, groups: np.ndarray) -> np.ndarray:
    """Coordinates as the docstring says."""
    return np.stack(
        [
            fit.means[g] + x @ fit.slopes[g] + np.nan_to_num(latent) @ fit.loadings[g]
            for g, x, latent in zip(groups, sliders, z, strict=True)
        ]
    )


@settings(max_examples=30)
@given(st.integers(0, 2**32), st.lists(st.integers(0, 4), min_size=1, max_size=COUNT).filter(any))
def test_latents_give_the_coordinates_back(seed, sizes):
    """Groups with no more samples than components of the latent are reproduced exactly."""
    coordinates, sliders, groups = drawn(seed, sizes)
    fit = fit_groups(coordinates, sliders, groups, np.ones(len(groups)), COUNT, Z_DIM)
    z = fit.latents(coordinates, sliders, groups)
    np.testing.assert_allclose(formula(fit, z, sliders, groups), coordinates, atol=1e-3)


@settings(max_examples=30)
@given(st.integers(0, 2**32), st.integers(1, 4))
def test_numbers_that_change_nothing_are_free(seed, size):
    coordinates, sliders, groups = drawn(seed, [size])
    fit = fit_groups(coordinates, sliders, groups, np.ones(size), COUNT, Z_DIM)
    z = fit.latents(coordinates, sliders, groups)
    used = np.abs(fit.loadings[0]).sum(1) > 0
    assert used.sum() == size - 1
    assert np.isfinite(z[:, used]).all()
    assert np.isnan(z[:, max(size - 1, 1) :]).all()
    free = z.copy()
    free[:, ~used] = np.random.default_rng(seed).normal(size=free[:, ~used].shape)
    np.testing.assert_allclose(formula(fit, free, sliders, groups), coordinates, atol=1e-3)


def test_a_group_of_one_is_known():
    """Any latent gives it; one component is set, which marks the sample as known."""
    coordinates, sliders, groups = drawn(0, [1, 3])
    fit = fit_groups(coordinates, sliders, groups, np.ones(4), COUNT, Z_DIM)
    assert not fit.loadings[0].any()
    z = fit.latents(coordinates, sliders, groups)
    assert np.isfinite(z).any(1).all()
    np.testing.assert_allclose(fit.means[0] + sliders[0] @ fit.slopes[0], coordinates[0], atol=1e-5)


def test_latents_are_about_standard_normal():
    coordinates, sliders, groups = drawn(1, [400])
    fit = fit_groups(coordinates, sliders, groups, np.ones(400), 1, K)
    z = fit.latents(coordinates, sliders, groups)
    np.testing.assert_allclose(z.mean(0), 0, atol=0.02)
    np.testing.assert_allclose(np.cov(z.T), np.eye(K), atol=0.05)


def test_sliders_explain_what_they_move():
    rng = np.random.default_rng(2)
    sliders = rng.normal(size=(300, C))
    slopes = rng.normal(size=(C, K))
    fit = fit_groups(sliders @ slopes + 1, sliders, np.zeros(300, np.intp), np.ones(300), 1, Z_DIM)
    np.testing.assert_allclose(fit.slopes[0], slopes, atol=0.05)
    np.testing.assert_allclose(fit.means[0], 1, atol=0.05)
    few = fit_groups((sliders @ slopes)[:3], sliders[:3], np.zeros(3, np.intp), np.ones(3), 1, Z_DIM)
    assert np.abs(few.slopes[0]).sum() < np.abs(slopes).sum(), "few samples have less weight"


def test_weights_count_as_samples():
    coordinates, sliders, groups = drawn(3, [3])
    weighted = fit_groups(coordinates, 0 * sliders, groups, np.array([2.0, 1, 1]), 1, Z_DIM)
    np.testing.assert_allclose(weighted.means[0], (2 * coordinates[0] + coordinates[1] + coordinates[2]) / 4, atol=1e-5)


def test_groups_without_samples_are_zero():
    coordinates, sliders, groups = drawn(4, [0, 3])
    fit = fit_groups(coordinates, sliders, groups, np.ones(3), COUNT, Z_DIM)
    for array in (fit.means, fit.slopes, fit.loadings):
        assert array.dtype == np.float32 and len(array) == COUNT
        assert array[1].any() and not array[[0, 2, 3]].any()


@settings(max_examples=30)
@given(st.integers(0, 2**32), st.integers(3, 12), st.integers(1, 20))
def test_principal_coordinates(seed, n, d):
    features = np.random.default_rng(seed).normal(size=(n, d)).astype(np.float32)
    made = principal_coordinates(features, 64)
    assert made.shape == (n, min(n, d))
    spread = made.std(0)
    assert spread[0] == pytest.approx(1, rel=1e-4) and (np.diff(spread) < 1e-4).all()
    # Distances between samples are kept, but for the unit.
    pairs = np.linalg.norm(features[:, None] - features, axis=-1)
    found = np.linalg.norm(made[:, None] - made, axis=-1)
    scale = pairs.max() / found.max()
    np.testing.assert_allclose(found * scale, pairs, atol=1e-3 * pairs.max())


@pytest.mark.parametrize("n", [1, 2])
def test_identical_samples_have_coordinates(n):
    assert not principal_coordinates(np.ones((n, 6), np.float32), 4).any()
