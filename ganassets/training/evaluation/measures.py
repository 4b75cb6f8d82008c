"""Measure distances between two sets of feature vectors, with numpy and scipy only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.distance import cdist

from ...api.errors import GanassetsError

Features = NDArray[np.float64]

# As the papers recommend.
PRECISION_NEIGHBOURS, DENSITY_NEIGHBOURS = 3, 5
# Rows whose distances are in memory at a time.
BLOCK = 512
# Distance below which two samples count as the same one, as a share of the set's extent.
SAME = 1e-6


def check_finite(*sets: Features) -> None:
    """Raise GanassetsError when features are not finite, because most measures would hide that."""
    if not all(np.isfinite(features).all() for features in sets):
        raise GanassetsError("samples can't be measured, because some of their numbers are not finite.")


def principal_axes(reference: Features, count: int) -> tuple[Features, Features]:
    """Return the mean (d,) and the first `count` principal directions (d, count) of reference features (n, d)."""
    check_finite(reference)
    mean = reference.mean(0)
    _, _, directions = np.linalg.svd(reference - mean, full_matrices=False)
    return mean, directions[:count].T


def frechet_distance(a: Features, b: Features) -> float:
    """Return the squared Frechet distance between the Gaussians fitted to two sets.

    |mu_a - mu_b|^2 + tr(A + B - 2 (A B)^(1/2)) (Dowson and Landau 1982). Needs n and m well above d.

    Args:
        a: (n, d) features.
        b: (m, d) features.
    """
    check_finite(a, b)
    cov_a, cov_b = (np.atleast_2d(np.cov(x, rowvar=False)) for x in (a, b))
    # The root's trace is the sum of the roots of the product's eigenvalues, which are positive apart from rounding.
    root_trace = np.sqrt(np.maximum(np.linalg.eigvals(cov_a @ cov_b).real, 0)).sum()
    return float(((a.mean(0) - b.mean(0)) ** 2).sum() + np.trace(cov_a) + np.trace(cov_b) - 2 * root_trace)


@dataclass(frozen=True)
class Neighbourhoods:
    """Measures by nearest neighbours; their values for real samples depend on the size of the sets.

    A neighbourhood of a sample is a ball in each view; a sample is in it if it is in all of these balls.

    Attributes:
        precision: Share of fakes in the neighbourhood of a real sample, which reaches to its third neighbour.
        recall: Share of real samples in the neighbourhood of a fake.
        density: Mean number of real neighbourhoods, which reach to the fifth neighbour, around a fake, divided by the
            number around a real sample. It is about 1 for real samples, and higher for fakes that stay in the middle of
            them.
        coverage: Share of those neighbourhoods with a fake in them.
    """

    precision: float
    recall: float
    density: float
    coverage: float


def neighbourhoods(real: Features | Sequence[Features], fake: Features | Sequence[Features]) -> Neighbourhoods:
    """Measure fakes among real samples by nearest neighbours.

    A set with fewer neighbours than a measure needs uses all it has. Precision and recall: Kynkaanniemi et al. (2019),
    "Improved Precision and Recall Metric for Assessing Generative Models". Density and coverage: Naeem et al. (2020),
    "Reliable Fidelity and Diversity Metrics for Generative Models".

    With features of one kind the measures are theirs. Among few samples of many kinds the balls are as wide as the
    kinds are apart. Noise, whose features lie between all kinds, is then in many balls: it gets a precision of 0.8 and
    a density of 2. Views that see different things disagree about whose neighbour noise is, so a fake must be near the
    same real sample in all of them.

    Args:
        real: (n, d) features, n at least 2; or several views of the same samples, (n, d_i) each.
        fake: (m, d) features, m at least 2; or the same views, (m, d_i) each.
    """
    real, fake = ([given] if isinstance(given, np.ndarray) else list(given) for given in (real, fake))
    check_finite(*real, *fake)
    across = [cdist(a, b) for a, b in zip(real, fake, strict=True)]
    within = [cdist(a, a) for a in real]
    real_radii = [np.sort(distances, axis=1) for distances in within]
    fake_radii = [np.sort(cdist(b, b), axis=1) for b in fake]
    k, few = (min(count, len(real[0]) - 1) for count in (DENSITY_NEIGHBOURS, PRECISION_NEIGHBOURS))
    of_fakes = min(PRECISION_NEIGHBOURS, len(fake[0]) - 1)

    def contains(distances: Sequence[NDArray], radii: Sequence[NDArray], count: int) -> NDArray[np.bool_]:
        inside = [d <= r[:, count, None] for d, r in zip(distances, radii, strict=True)]
        return np.all(inside, axis=0)

    inside = contains(across, real_radii, k)
    # In one view there are k others in a neighbourhood. In several, the sample itself is not counted.
    usual = k if len(real) == 1 else contains(within, real_radii, k).sum() / len(real[0]) - 1
    return Neighbourhoods(
        precision=float(contains(across, real_radii, few).any(0).mean()),
        recall=float(contains([d.T for d in across], fake_radii, of_fakes).any(0).mean()),
        density=float(inside.sum(0).mean() / (usual or 1)),
        coverage=float(inside.any(1).mean()),
    )


def pairwise_distance(features: Features) -> float:
    """Return the mean distance between two members of (n, d); far below that of real samples is mode collapse."""
    check_finite(features)
    distances = cdist(features, features)
    return float(distances.sum() / (len(features) * (len(features) - 1)))


def nearest(references: Features, features: Features) -> tuple[Features, NDArray[np.int64]]:
    """Return (m,) distances from features (m, d) to the nearest of (n, d) references, and (m,) their indices."""
    check_finite(references, features)
    distances, index = np.empty(len(features)), np.empty(len(features), np.int64)
    for start in range(0, len(features), BLOCK):
        block = cdist(features[start : start + BLOCK], references)
        index[start : start + BLOCK] = block.argmin(1)
        distances[start : start + BLOCK] = block.min(1)
    return distances, index


def nearest_others(features: Features) -> Features:
    """Return (n,) distances from each of (n, d) to its nearest other; a repeated sample is not another one."""
    check_finite(features)
    same = SAME * float(np.sqrt(features.var(0).sum()))
    distances = np.empty(len(features))
    for start in range(0, len(features), BLOCK):
        block = cdist(features[start : start + BLOCK], features)
        distances[start : start + BLOCK] = np.where(block > same, block, np.inf).min(1)
    return distances
