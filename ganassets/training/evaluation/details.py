"""Describe the details of single images by plain statistics: contrasts and edges at several scales. numpy only."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .measures import Features
from .structure import MIN_SIDE, edge_strength, halve, to_planes

LEVELS = 3
# Shares of the texels with weaker edges.
QUANTILES = (0.1, 0.5, 0.9, 0.99)
# Added before logarithms, as a share of black to white and as a share of the mean edge.
LEAST, LEAST_SHARE = 1e-3, 1e-2


def has_details(images: NDArray[np.float32]) -> bool:
    """Return whether (n, c, h, w) images are large enough to be described."""
    return min(images.shape[2:]) >= MIN_SIDE


def detail_features(images: NDArray[np.float32]) -> Features:
    """Describe images.

    For each scale, logarithms of: the strength of edges, quantiles of it in relation to its root mean square, and the
    contrast of neighbours along columns and rows. The quantiles tell sharp edges between flat areas from noise.

    Args:
        images: (n, c, h, w) in [0, 1], at least MIN_SIDE texels large.

    Returns:
        (n, d) float64.
    """
    planes, parts = to_planes(images).astype(np.float64), []
    for _ in range(LEVELS):
        edges = edge_strength(planes)
        strength = np.sqrt((edges**2).mean((1, 2))) + LEAST
        parts.append(np.log(strength))
        parts += [np.log(values / strength + LEAST_SHARE) for values in np.quantile(edges, QUANTILES, axis=(1, 2))]
        parts += [np.log(np.sqrt((np.diff(planes, axis=axis) ** 2).mean((1, 2))) + LEAST) for axis in (1, 2)]
        planes = halve(planes)
        if min(planes.shape[1:]) < MIN_SIDE:
            break
    return np.stack(parts, 1)
