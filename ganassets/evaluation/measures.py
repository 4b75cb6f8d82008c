"""Distances between two sets of feature vectors. numpy and scipy only."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.distance import cdist

Features = NDArray[np.float64]


def principal_axes(reference: Features, count: int) -> tuple[Features, Features]:
    """Mean (d,) and the `count` principal directions (d, count) of reference features (n, d)."""
    mean = reference.mean(0)
    _, _, directions = np.linalg.svd(reference - mean, full_matrices=False)
    return mean, directions[:count].T


def frechet_distance(a: Features, b: Features) -> float:
    """Squared Frechet distance between the Gaussians fitted to (n, d) and (m, d) features.

    |mu_a - mu_b|^2 + tr(A + B - 2 (A B)^(1/2)) (Dowson and Landau 1982). Needs n, m well above d.
    """
    cov_a, cov_b = np.cov(a, rowvar=False), np.cov(b, rowvar=False)
    # The root's trace is the sum of the roots of the product's eigenvalues, real and positive but for rounding.
    root_trace = np.sqrt(np.maximum(np.linalg.eigvals(cov_a @ cov_b).real, 0)).sum()
    return float(((a.mean(0) - b.mean(0)) ** 2).sum() + np.trace(cov_a) + np.trace(cov_b) - 2 * root_trace)


def precision_recall(real: Features, fake: Features, neighbours: int = 3) -> tuple[float, float]:
    """Share of fakes inside the real set's k-nearest-neighbour balls, and the reverse.

    Kynkaanniemi et al. (2019), "Improved Precision and Recall Metric for Assessing Generative Models".
    """

    def covered(centres: Features, points: Features) -> float:
        radius = np.sort(cdist(centres, centres), axis=1)[:, neighbours]
        return float((cdist(points, centres) <= radius).any(1).mean())

    return covered(real, fake), covered(fake, real)


def pairwise_distance(features: Features) -> float:
    """Mean distance between two different members of (n, d): small against real pairs means collapse."""
    distances = cdist(features, features)
    return float(distances.sum() / (len(features) * (len(features) - 1)))
