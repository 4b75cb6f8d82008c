"""Structure of an inversion target: where its edges are sharp, and at which shifts it repeats. numpy only."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from ganassets.training.evaluation.structure import StructureReference, edge_strength, geometric_mean, halve

FloatArray = NDArray[np.floating]

LEVELS = 3
# Shares of the texels with weaker edges.
QUANTILES = (0.1, 0.5, 0.9, 0.99)
# Weakest edges that count, as a share of black to white.
LEAST_EDGE = 1e-3
# Longest shift at which repeats are compared, as a share of a side, and texels between shifts.
LONGEST, SHIFT_STEP = 1 / 2, 4
# Weight of these statistics beside colours and details, in which a map has about half as many numbers.
WEIGHT = 0.05
# Overlapping pieces of a map, which stand for the samples of StructureReference.
PIECES = 32


def describe_structure(plane: FloatArray) -> list[float]:
    """Compute statistics of a wrapping (h, w) map that noise with the same spectrum doesn't share.

    Returns:
        For each scale quantiles of the edges' strength in relation to its root mean square; then the autocorrelation
        of the map and of its edges, along columns and rows.
    """
    found: list[float] = []
    level = plane.astype(np.float64)
    edges = wrapped_edges(level)
    for _ in range(LEVELS):
        strength = wrapped_edges(level)
        found += (np.quantile(strength, QUANTILES) / (np.sqrt((strength**2).mean()) + LEAST_EDGE)).tolist()
        level = halve(level[None])[0]
    for values in (plane.astype(np.float64), edges):
        found += wrapped_correlation(values)
    return [WEIGHT * value for value in found]


def wrapped_edges(plane: FloatArray) -> FloatArray:
    """Return the (h, w) strength of edges of a wrapping map."""
    return edge_strength(np.pad(plane, 1, mode="wrap")[None])[0]


def wrapped_correlation(plane: FloatArray) -> list[float]:
    """Return the autocorrelation of a wrapping map along columns and rows; zeros for an even map."""
    centred = plane - plane.mean()
    power = np.abs(np.fft.rfft2(centred)) ** 2
    correlations = np.fft.irfft2(power, plane.shape)
    correlations = correlations / (correlations[0, 0] + plane.size * LEAST_EDGE**2)
    shifts = np.arange(SHIFT_STEP, int(min(plane.shape) * LONGEST) + 1, SHIFT_STEP)
    return [*correlations[shifts, 0].tolist(), *correlations[0, shifts].tolist()]


class MetStructure:
    """How much of a target's structure other maps have.

    Args:
        planes: (h, w) target maps by name, in which 0 to 1 is black to white.
    """

    def __init__(self, planes: Mapping[str, FloatArray]) -> None:
        self.references = {name: StructureReference(cut_pieces(plane)) for name, plane in planes.items()}

    def __call__(self, planes: Mapping[str, FloatArray]) -> float | None:
        """Return the share from 0, noise with the target's spectrum, to 1; None for targets without structure.

        Args:
            planes: (h, w) maps of the target's size, by the target's names.
        """
        shares = [reference.measure(cut_pieces(planes[name])).structure for name, reference in self.references.items()]
        share = geometric_mean(shares)
        return None if np.isnan(share) else share


def cut_pieces(plane: FloatArray) -> FloatArray:
    """Cut (PIECES, h / 2, w / 2) pieces out of a (h, w) map, at places that are the same for each map of that size.

    Even steps could all meet a pattern at the same point of its period.
    """
    h, w = (side // 2 for side in plane.shape)
    rng = np.random.default_rng(0)
    tops, lefts = (rng.integers(0, side - piece + 1, PIECES) for side, piece in zip(plane.shape, (h, w), strict=True))
    return np.stack([plane[y : y + h, x : x + w] for y, x in zip(tops, lefts, strict=True)])
