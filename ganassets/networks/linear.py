"""The linear model that aligned data starts from: mean, principal components, coefficients linear in the latent."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from ..data import TrainingData, as_float, condition_statistics
from .layers import named_parts

FIT_SAMPLES = 2048


@dataclass(frozen=True, eq=False)
class LinearFit:
    """A linear Gaussian model of samples given their conditions.

    Attributes:
        means: by signal, (channels, *size) float32.
        bases: by signal, (k, channels, *size) float32: principal components times their standard deviation.
        vectors: names and widths of the vectors, in the order of the coefficients.
        condition_mean, condition_std: (c,) of the physical condition columns.
        offset: (m,) coefficients at z = 0 and mean conditions; m = all signals' k, then the vectors.
        from_latent: (z_dim, m).
        from_condition: (c, m), for standardised conditions.
        constants: arrays that the plugin's dataset made for its domain, by name.
    """

    means: dict[str, NDArray[np.float32]]
    bases: dict[str, NDArray[np.float32]]
    vectors: dict[str, int]
    condition_mean: NDArray[np.float32]
    condition_std: NDArray[np.float32]
    offset: NDArray[np.float32]
    from_latent: NDArray[np.float32]
    from_condition: NDArray[np.float32]
    constants: dict[str, NDArray[np.float32]] = field(default_factory=dict)


def principal_components(
    array: NDArray, count: int, rng: np.random.Generator
) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]:
    """Mean (*shape), basis (count, *shape) scaled to unit scores, and scores (n, count) of (n, *shape) samples."""
    pick = np.sort(rng.permutation(len(array))[:FIT_SAMPLES])
    flat = as_float(array[pick]).reshape(len(pick), -1)
    mean = flat.mean(0)
    flat -= mean
    values, vectors = np.linalg.eigh(flat @ flat.T)
    count = min(count, len(pick) - 1)
    order = np.argsort(values)[::-1][:count]
    directions = (vectors[:, order].T @ flat) / np.sqrt(np.maximum(values[order], 1e-12))[:, None]
    scores = np.concatenate(
        [(as_float(array[i : i + 256]).reshape(-1, mean.size) - mean) @ directions.T for i in range(0, len(array), 256)]
    )
    spread = np.maximum(scores.std(0), 1e-6)
    shape = array.shape[1:]
    return mean.reshape(shape), (directions * spread[:, None]).reshape(-1, *shape), scores / spread


def fit_linear(data: TrainingData, z_dim: int, components: int, rng: np.random.Generator) -> LinearFit:
    """Fit the linear model; without components it holds the conditions' statistics alone.

    Scores and vectors are regressed on the standardised conditions; the residuals' covariance is factored, so that
    standard normal z gives residuals with the data's covariance (its z_dim largest directions).
    """
    means, bases, columns = {}, {}, []
    for name, array in data.signals.items() if components else ():
        means[name], bases[name], scores = principal_components(array, components, rng)
        columns.append(scores)
    columns += [array for array in data.vectors.values() if components]
    targets = np.concatenate(columns, 1).astype(np.float64) if columns else np.zeros((len(data), 0))
    mean, std = condition_statistics(data.conditions)
    conditions = np.column_stack([(data.conditions - mean) / std, np.ones(len(data))])
    # Shares that sum to 1 make columns dependent; the cut-off keeps their weights from cancelling hugely.
    solution = np.linalg.lstsq(conditions, targets, rcond=1e-3)[0]
    residual = targets - conditions @ solution
    values, vectors = np.linalg.eigh(residual.T @ residual / len(data))
    order = np.argsort(values)[::-1][:z_dim]
    loadings = np.zeros((z_dim, targets.shape[1]))
    loadings[: len(order)] = (vectors[:, order] * np.sqrt(np.maximum(values[order], 0))).T
    as32 = lambda a: a.astype(np.float32)  # noqa: E731
    widths = {name: array.shape[1] for name, array in data.vectors.items()}
    weights = as32(solution[-1]), as32(loadings), as32(solution[:-1])
    return LinearFit(means, bases, widths, mean, std, *weights, data.constants)


class LinearModel(nn.Module):
    """The fitted model as fixed buffers. Bases are kept as 8-bit numbers with a scale for each component, so that
    many of them fit in a small model file; the rounding is below a thousandth of full scale.
    """

    offset: Tensor
    from_latent: Tensor
    from_condition: Tensor

    def __init__(self, fit: LinearFit) -> None:
        super().__init__()
        self.counts = {name: len(basis) for name, basis in fit.bases.items()}
        self.widths = self.counts | fit.vectors
        for name, basis in fit.bases.items():
            flat = torch.tensor(basis).flatten(1)
            scale = flat.abs().amax(1).clamp_min(1e-12) / 127
            self.register_buffer(f"mean_{name}", torch.tensor(fit.means[name]))
            self.register_buffer(f"basis_{name}", (flat / scale[:, None]).round().to(torch.int8))
            self.register_buffer(f"scale_{name}", scale)
        self.register_buffer("offset", torch.tensor(fit.offset))
        self.register_buffer("from_latent", torch.tensor(fit.from_latent))
        self.register_buffer("from_condition", torch.tensor(fit.from_condition))

    @property
    def width(self) -> int:
        """Number of coefficients."""
        return sum(self.widths.values())

    def coefficients(self, z: Tensor, condition: Tensor) -> Tensor:
        """(n, width) of (n, z_dim) and standardised (n, c)."""
        return self.offset + z @ self.from_latent + condition @ self.from_condition

    def forward(self, coefficients: Tensor) -> dict[str, Tensor]:
        """Signals (n, channels, *size) and vectors (n, k) of (n, width) coefficients."""
        parts = named_parts(coefficients, self.widths)
        for name in self.counts:
            mean, basis = self.get_buffer(f"mean_{name}"), self.get_buffer(f"basis_{name}").float()
            weighted = parts[name] * self.get_buffer(f"scale_{name}")
            parts[name] = mean + (weighted @ basis).reshape(-1, *mean.shape)
        return parts
