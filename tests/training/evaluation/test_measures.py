"""Distances, shares and neighbours against known answers."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

from ganassets.training.evaluation.measures import (
    frechet_distance,
    nearest,
    nearest_others,
    neighbourhoods,
    pairwise_distance,
    principal_axes,
)


def normals(n: int, mean: list[float], std: list[float], seed: int) -> np.ndarray:
    return np.random.default_rng(seed).normal(mean, std, (n, len(mean)))


def whitened(n: int, dimensions: int, seed: int) -> np.ndarray:
    """Draw (n, d) samples whose mean is exactly 0 and covariance exactly 1."""
    x = np.random.default_rng(seed).normal(size=(n, dimensions))
    x -= x.mean(0)
    return x @ np.linalg.inv(np.linalg.cholesky(np.cov(x, rowvar=False))).T


def test_frechet_distance_of_known_gaussians():
    """Diagonal covariances: |mean difference|^2 + sum of (std - std)^2."""
    x = whitened(500, 3, 0)
    a, b = x * [1, 2, 3], whitened(400, 3, 1) * [2, 2, 1] + [3, 0, -4]
    assert frechet_distance(a, b) == pytest.approx(25 + 1 + 0 + 4, abs=1e-6)
    assert frechet_distance(b, a) == pytest.approx(30, abs=1e-6)
    assert frechet_distance(a, a) == pytest.approx(0, abs=1e-6)


def test_frechet_distance_of_correlated_gaussians():
    """Compute tr(A + B - 2 (A B)^1/2) by the symmetric form of the root."""
    from scipy.linalg import sqrtm

    rng = np.random.default_rng(0)
    p, q = rng.normal(size=(2, 4, 4))
    a, b = whitened(300, 4, 1) @ p, whitened(300, 4, 2) @ q
    cov_a, cov_b = p.T @ p, q.T @ q
    root = np.real(sqrtm(cov_a))
    expected = np.trace(cov_a + cov_b - 2 * np.real(sqrtm(root @ cov_b @ root)))
    assert frechet_distance(a, b) == pytest.approx(expected, rel=1e-6)


def test_frechet_distance_of_a_collapsed_set():
    a = whitened(200, 3, 0)
    assert frechet_distance(a, np.zeros((50, 3))) == pytest.approx(3, abs=1e-6), "all variance is missing"


def test_precision_and_recall():
    a, b = normals(300, [0, 0], [1, 1], 0), normals(300, [0, 0], [1, 1], 1)
    same, far, drawn = neighbourhoods(a, a), neighbourhoods(a, a + 100), neighbourhoods(a, b)
    assert (same.precision, same.recall, same.coverage) == (1, 1, 1)
    assert (far.precision, far.recall, far.density, far.coverage) == (0, 0, 0, 0)
    assert min(drawn.precision, drawn.recall) > 0.9
    half = b[b[:, 0] > 0]
    found = neighbourhoods(a, half)
    assert found.precision > 0.9 and 0.4 < found.recall < 0.75, "a set that covers half of the data"
    turned = neighbourhoods(half, a)
    assert turned.recall > 0.9 and 0.4 < turned.precision < 0.75


def test_density_and_coverage_by_hand():
    """Eight real points a metre apart: a ball reaches the fifth neighbour."""
    real = np.arange(8.0)[:, None]
    radii = np.array([5, 4, 3, 3, 3, 3, 4, 5])
    fake = np.array([[-4.5], [3.4]])
    inside = np.abs(real - fake.T) <= radii[:, None]
    assert inside.sum(0).tolist() == [1, 8]
    found = neighbourhoods(real, fake)
    assert found.density == pytest.approx((1 + 8) / 2 / 5)
    assert found.coverage == 1
    far = neighbourhoods(real, np.array([[-4.5], [30.0]]))
    assert far.density == pytest.approx(1 / 2 / 5) and far.coverage == pytest.approx(1 / 8)


def test_density_is_about_one_and_not_moved_by_an_outlier():
    a, b = normals(400, [0, 0], [1, 1], 0), normals(400, [0, 0], [1, 1], 1)
    assert neighbourhoods(a, b).density == pytest.approx(1, abs=0.1)
    assert neighbourhoods(a, b).coverage > 0.9
    wide, other = np.random.default_rng(2).normal(size=(2, 300, 30))
    assert neighbourhoods(wide, other / 3).density > 3 > neighbourhoods(wide, other).density, "only the middle is made"
    with_outlier = np.concatenate([a, [[60.0, 0]]])
    stray = np.array([[30.0, 0], [31.0, 0]])
    assert neighbourhoods(with_outlier, stray).density == pytest.approx(1 / 5), "precision would be 1"


def test_a_collapsed_set():
    a = normals(300, [0, 0], [1, 1], 0)
    one = a[:1] + normals(300, [0, 0], [1e-3, 1e-3], 1)
    found = neighbourhoods(a, one)
    assert found.recall < 0.05 and found.coverage < 0.1
    assert pairwise_distance(one) / pairwise_distance(a) < 0.01


def test_sets_smaller_than_their_neighbourhoods():
    found = neighbourhoods(np.array([[0.0], [1.0]]), np.array([[0.5], [9.0]]))
    assert found.precision == 0.5 and found.coverage == 1 and found.density == 1


def test_nearest():
    distances, which = nearest(np.array([[0.0], [4.0], [9.0]]), np.array([[3.0], [9.0]] * 300))
    assert distances.tolist() == [1, 0] * 300 and which.tolist() == [1, 2] * 300


def test_the_nearest_other_is_not_the_same_one_again():
    others = nearest_others(np.array([[0.0], [0.0], [4.0], [9.0]]))
    assert others.tolist() == [4, 4, 4, 5]
    assert np.isinf(nearest_others(np.zeros((1, 3)))).all()


def test_agrees_with_torchmetrics():
    pytest.importorskip("torchmetrics")
    import torch
    from torchmetrics.image.fid import FrechetInceptionDistance

    class Given(torch.nn.Identity):
        num_features = 4

    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(200, 4)) @ rng.normal(size=(4, 4)), rng.normal(size=(150, 4)) + 0.3
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        metric = FrechetInceptionDistance(Given(), input_img_size=(1, 1, 4)).set_dtype(torch.float64)
    metric.update(torch.from_numpy(a), real=True)
    metric.update(torch.from_numpy(b), real=False)
    assert frechet_distance(a, b) == pytest.approx(float(metric.compute()), rel=1e-5)


def test_pairwise_distance():
    assert pairwise_distance(np.array([[0.0], [1.0], [3.0]])) == pytest.approx(2)
    assert pairwise_distance(np.ones((5, 2))) == 0


def test_principal_axes():
    mean, axes = principal_axes(normals(4000, [5, -2, 0], [0.1, 3, 1], 0), 2)
    np.testing.assert_allclose(mean, [5, -2, 0], atol=0.2)
    np.testing.assert_allclose(np.abs(axes), [[0, 0], [1, 0], [0, 1]], atol=0.1)
    np.testing.assert_allclose(axes.T @ axes, np.eye(2), atol=1e-9)


def kinds(n: int, seed: int, dimensions: int = 40) -> np.ndarray:
    """Draw two samples each of n kinds that are far apart in all directions, as few crops of many materials are."""
    centres = np.random.default_rng(0).normal(size=(n, dimensions))
    return np.repeat(centres, 2, 0) + 0.5 * np.random.default_rng(seed).normal(size=(2 * n, dimensions))


def test_what_lies_between_all_kinds_is_near_none_of_them():
    """Noise is in the wide balls of a view; views that disagree about whose neighbour it is refuse it."""
    real, other = kinds(60, 1), kinds(60, 2)
    noise = 0.3 * np.random.default_rng(3).normal(size=(120, 40))
    assert neighbourhoods(real, noise).precision > 0.8 and neighbourhoods(real, noise).density > 1.5, "praised"
    views = [real, kinds(60, 4), kinds(60, 5)]
    # The noise resembles one kind in the second view, and another one in the third.
    noise_views = [noise, np.roll(kinds(60, 6), 10, 0), np.roll(kinds(60, 7), 20, 0)]
    found = neighbourhoods(views, [other, kinds(60, 8), kinds(60, 9)])
    refused = neighbourhoods(views, noise_views)
    assert found.precision > 0.8 and 0.7 < found.density < 1.7
    assert refused.precision < 0.3 * found.precision and refused.density < 0.3 * found.density
    assert refused.coverage < 0.3 * found.coverage


def test_one_view_is_the_published_measure():
    a, b = normals(100, [0, 0], [1, 1], 0), normals(80, [0.5, 0], [1, 1], 1)
    assert neighbourhoods([a], [b]) == neighbourhoods(a, b) == neighbourhoods([a, a], [b, b])
