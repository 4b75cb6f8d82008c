"""Distances between two sets of feature vectors. numpy and scipy only."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.distance import cdist

from ...api.errors import GanassetsError

Features = NDArray[np.float64]

PRECISION_NEIGHBOURS, DENSITY_NEIGHBOURS = 3, 5  # as their papers recommend
BLOCK = 512  # rows whose distances are held at once
SAME = 1e-6  # of the reference's extent: nearer samples are the same one twice


def check_finite(*sets: Features) -> None:
    """GanassetsError where features hold numbers that are not finite, of which most measures would make sound ones."""
    if not all(np.isfinite(features).all() for features in sets):
        raise GanassetsError("samples can't be measured, because some of their numbers are not finite.")


def principal_axes(reference: Features, count: int) -> tuple[Features, Features]:
    """Mean (d,) and the `count` principal directions (d, count) of reference features (n, d)."""
    check_finite(reference)
    mean = reference.mean(0)
    _, _, directions = np.linalg.svd(reference - mean, full_matrices=False)
    return mean, directions[:count].T


def frechet_distance(a: Features, b: Features) -> float:
    """Squared Frechet distance between the Gaussians fitted to (n, d) and (m, d) features.

    |mu_a - mu_b|^2 + tr(A + B - 2 (A B)^(1/2)) (Dowson and Landau 1982). Needs n, m well above d.
    """
    check_finite(a, b)
    cov_a, cov_b = (np.atleast_2d(np.cov(x, rowvar=False)) for x in (a, b))
    # The root's trace is the sum of the roots of the product's eigenvalues, real and positive but for rounding.
    root_trace = np.sqrt(np.maximum(np.linalg.eigvals(cov_a @ cov_b).real, 0)).sum()
    return float(((a.mean(0) - b.mean(0)) ** 2).sum() + np.trace(cov_a) + np.trace(cov_b) - 2 * root_trace)


@dataclass(frozen=True)
class Neighbourhoods:
    """Measures by nearest neighbours; how high they get for real samples depends on how many these are.

    Attributes:
        precision: share of fakes inside one of the real samples' balls, which reach their third neighbours.
        recall: share of real samples inside one of the fakes' balls.
        density: how many real samples' balls, which reach their fifth neighbours, a fake lies in, by five; about 1 for
            real ones, and above for fakes that keep to the middle of them.
        coverage: share of those balls with a fake in them.
    """

    precision: float
    recall: float
    density: float
    coverage: float


def neighbourhoods(real: Features, fake: Features) -> Neighbourhoods:
    """Of fakes (m, d) among real samples (n, d), n and m at least 2. Sets with fewer neighbours than a measure needs
    take all they have.

    Precision and recall: Kynkaanniemi et al. (2019), "Improved Precision and Recall Metric for Assessing Generative
    Models". Density and coverage: Naeem et al. (2020), "Reliable Fidelity and Diversity Metrics for Generative Models".
    """
    check_finite(real, fake)
    across = cdist(real, fake)
    real_radii, fake_radii = np.sort(cdist(real, real), axis=1), np.sort(cdist(fake, fake), axis=1)
    k, few, of_fakes = (
        min(count, len(radii) - 1)
        for count, radii in (
            (DENSITY_NEIGHBOURS, real_radii),
            (PRECISION_NEIGHBOURS, real_radii),
            (PRECISION_NEIGHBOURS, fake_radii),
        )
    )
    inside = across <= real_radii[:, k, None]
    return Neighbourhoods(
        precision=float((across <= real_radii[:, few, None]).any(0).mean()),
        recall=float((across <= fake_radii[:, of_fakes]).any(1).mean()),
        density=float(inside.sum(0).mean() / k),
        coverage=float(inside.any(1).mean()),
    )


def pairwise_distance(features: Features) -> float:
    """Mean distance between two different members of (n, d): small against real pairs means collapse."""
    check_finite(features)
    distances = cdist(features, features)
    return float(distances.sum() / (len(features) * (len(features) - 1)))


def nearest(known: Features, features: Features) -> tuple[Features, NDArray[np.int64]]:
    """(m,) distances from features (m, d) to the nearest of (n, d) known ones, and (m,) which these are."""
    check_finite(known, features)
    distances, which = np.empty(len(features)), np.empty(len(features), np.int64)
    for start in range(0, len(features), BLOCK):
        block = cdist(features[start : start + BLOCK], known)
        which[start : start + BLOCK] = block.argmin(1)
        distances[start : start + BLOCK] = block.min(1)
    return distances, which


def nearest_others(features: Features) -> Features:
    """(n,) distance from each of (n, d) to the nearest that is another; a sample that is there twice is no other."""
    check_finite(features)
    same = SAME * float(np.sqrt(features.var(0).sum()))
    distances = np.empty(len(features))
    for start in range(0, len(features), BLOCK):
        block = cdist(features[start : start + BLOCK], features)
        distances[start : start + BLOCK] = np.where(block > same, block, np.inf).min(1)
    return distances
