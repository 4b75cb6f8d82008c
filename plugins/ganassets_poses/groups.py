"""Linear Gaussian models of how the motions of each group vary, fitted to few samples (numpy only)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.floating]

RIDGE = 3.0  # strength of the prior that conditions change nothing, in samples


@dataclass(frozen=True, eq=False)
class GroupModels:
    """Coordinates of a sample are means + conditions @ slopes + z @ loadings of its group, with z standard normal.

    Attributes:
        means: (g, k) float32.
        slopes: (g, c, k) float32, for standardised conditions.
        loadings: (g, z_dim, k) float32; rows beyond the span of a group's samples are 0.
    """

    means: NDArray[np.float32]
    slopes: NDArray[np.float32]
    loadings: NDArray[np.float32]

    def latents(self, coordinates: FloatArray, sliders: FloatArray, groups: NDArray[np.intp]) -> NDArray[np.float32]:
        """Return the latents (n, z_dim) that give these coordinates; NaN for components that change nothing.

        Where a group has a single sample, its first component is 0, so that the sample counts as known.

        Args:
            coordinates: (n, k).
            sliders: (n, c) standardised conditions.
            groups: (n,) indices.
        """
        found = np.full((len(coordinates), self.loadings.shape[1]), np.nan, np.float32)
        for i, group in enumerate(groups):
            rest = coordinates[i] - self.means[group] - sliders[i] @ self.slopes[group]
            rows = np.flatnonzero(np.abs(self.loadings[group]).sum(1) > 0)
            loadings = self.loadings[group][rows]
            # The rows are orthogonal.
            found[i, rows] = (loadings @ rest) / np.square(loadings).sum(1)
            if not len(rows):
                found[i, 0] = 0
        return found


def principal_coordinates(features: NDArray[np.float32], count: int) -> NDArray[np.float32]:
    """Return coordinates (n, count) of features (n, d) along their principal axes.

    They are divided by the standard deviation along the first axis.
    """
    centred = (features - features.mean(0)).astype(np.float64)
    left, values, _ = np.linalg.svd(centred, full_matrices=False)
    coordinates = left[:, :count] * values[:count]
    # The standard deviation of identical samples is 0.
    return (coordinates / max(coordinates[:, 0].std(), 1e-6)).astype(np.float32)


def fit_groups(
    coordinates: FloatArray, sliders: FloatArray, groups: NDArray[np.intp], weights: FloatArray, count: int, z_dim: int
) -> GroupModels:
    """Fit a model to every group that has samples.

    Args:
        coordinates: (n, k).
        sliders: (n, c) standardised conditions.
        groups: (n,) indices below count.
        weights: (n,) weight of a sample in its group.
        count: Number of groups.
        z_dim: Most directions in which a group varies.
    """
    k, c = coordinates.shape[1], sliders.shape[1]
    means, slopes, loadings = np.zeros((count, k)), np.zeros((count, c, k)), np.zeros((count, z_dim, k))
    for group in np.unique(groups):
        index = groups == group
        weight = weights[index] / weights[index].sum()
        x, y = sliders[index], coordinates[index]
        x_mean, y_mean = weight @ x, weight @ y
        x, y = x - x_mean, y - y_mean
        slopes[group] = np.linalg.solve((x.T * weight) @ x + RIDGE / index.sum() * np.eye(c), (x.T * weight) @ y)
        means[group] = y_mean - x_mean @ slopes[group]
        rest = y - x @ slopes[group]
        values, vectors = np.linalg.eigh((rest.T * weight) @ rest)
        order = np.argsort(values)[::-1][: min(z_dim, index.sum() - 1)]
        order = order[values[order] > 1e-6 * max(values.max(), 1e-12)]
        loadings[group, : len(order)] = (vectors[:, order] * np.sqrt(values[order])).T
    return GroupModels(*(array.astype(np.float32) for array in (means, slopes, loadings)))
