"""The linear model that aligned data starts from: mean, principal components, coefficients linear in the latent.

Data that fall into groups are no single Gaussian, and samples of one would look like none of them. With `clusters` the
first latents choose among centres, softly, so that what lies between two latents passes through all that lies between;
the other latents vary the sample around its centre.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.cluster.vq import kmeans2
from scipy.optimize import minimize
from scipy.spatial.distance import cdist
from scipy.special import log_softmax, softmax
from torch import Tensor, nn

from ...api.data import TrainingData, as_float, condition_statistics
from ...api.spec import CHOOSING
from .layers import named_parts, smooth_upsample

FIT_SAMPLES = 2048
MOST_COMPONENTS = 1 / 3  # by the number of samples; with more, what the model makes is blends of single samples
RANK_TOLERANCE = 1e-6  # of the largest variance, below which float32 tells no component
CHUNK = 256  # samples that are floats at a time
CLUSTER_MEMBERS = 8  # samples of each, on the average, at least
CHOICE_NOISE = 1.3  # standard deviation of a logistic choice's noise
CHOICE_SOFTNESS = 0.1  # the nearest centre weighs some nine tenths
CHOICE_DECAY = 1.0  # of the weights by which conditions choose


@dataclass(frozen=True, eq=False)
class LinearFit:
    """A linear Gaussian model of samples given their conditions.

    Attributes:
        means: by signal, (channels, *size) float32.
        bases: by signal, (k, channels, *size) float32: principal components times their standard deviation; of a
            size that may be a fraction of the mean's.
        vectors: names and widths of the vectors, in the order of the coefficients.
        condition_mean, condition_std: (c,) of the physical condition columns.
        offset: (m,) coefficients at z = 0 and mean conditions; m = all signals' k, then the vectors.
        from_latent: (z_dim, m).
        from_condition: (c, m), for standardised conditions.
        constants: arrays that the plugin's dataset made for its domain, by name.
        centres: (k, m) what is added to the coefficients of each cluster; k is 0 for a single Gaussian.
        directions: (k, CHOOSING) unit vectors: which of the first latents choose which cluster.
        choice_offset, choice_slope: (k,) and (c, k) logarithms of how likely a cluster is, given conditions.
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
    centres: NDArray[np.float32] = field(default_factory=lambda: np.zeros((0, 0), np.float32))
    directions: NDArray[np.float32] = field(default_factory=lambda: np.zeros((0, CHOOSING), np.float32))
    choice_offset: NDArray[np.float32] = field(default_factory=lambda: np.zeros(0, np.float32))
    choice_slope: NDArray[np.float32] = field(default_factory=lambda: np.zeros((0, 0), np.float32))


def rows_of(array: NDArray, factor: int) -> NDArray[np.float32]:
    """(n, features) of samples (n, channels, *size), each axis reduced by a factor: means of neighbours."""
    values = as_float(array)
    for axis in range(2, array.ndim) if factor > 1 else ():
        shape = values.shape
        values = values.reshape(*shape[:axis], shape[axis] // factor, factor, *shape[axis + 1 :]).mean(axis + 1)
    return values.reshape(len(values), -1)


def principal_components(
    array: NDArray, count: int, rng: np.random.Generator, factor: int = 1
) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]:
    """Mean (*shape), basis (k, channels, *size / factor) scaled to unit scores, and scores (n, k) of samples.

    The samples are (n, *shape); k is count, or less where there are few samples or they vary in few ways.
    """
    pick = np.sort(rng.permutation(len(array))[:FIT_SAMPLES])
    chunks = [pick[i : i + CHUNK] for i in range(0, len(pick), CHUNK)]
    mean = np.sum([as_float(array[chunk]).sum(0) for chunk in chunks], 0) / np.float32(len(pick))
    flat = np.concatenate([rows_of(array[chunk], factor) for chunk in chunks])
    middle = flat.mean(0)
    flat -= middle
    values, vectors = np.linalg.eigh(flat @ flat.T)
    count = min(count, max(int(len(pick) * MOST_COMPONENTS), 1))
    order = np.argsort(values)[::-1][:count]
    order = order[values[order] >= RANK_TOLERANCE * values.max()]  # the rest is rounding
    directions = (vectors[:, order].T @ flat) / np.sqrt(np.maximum(values[order], 1e-12))[:, None]
    scores = projected(array, middle, directions, factor)
    spread = np.maximum(scores.std(0), 1e-6)
    size = [length // factor for length in array.shape[2:]]
    return mean, (directions * spread[:, None]).reshape(-1, array.shape[1], *size), scores / spread


def projected(
    array: NDArray, mean: NDArray[np.float32], directions: NDArray[np.float32], factor: int
) -> NDArray[np.float32]:
    """(n, k) scores of samples (n, channels, *size), reduced by a factor, on directions (k, features) from a mean."""
    chunks = (rows_of(array[i : i + CHUNK], factor) for i in range(0, len(array), CHUNK))
    return np.concatenate([(chunk - mean) @ directions.T for chunk in chunks]).astype(np.float32, copy=False)


def linear_latents(fit: LinearFit, data: TrainingData) -> NDArray[np.float32]:
    """(n, z_dim) latents at which the linear model comes nearest to the samples it was fitted to.

    NaN in the columns that the model doesn't read, because it has fewer directions than z_dim. What chooses a sample's
    cluster lies in the middle of all latents that choose it.
    """
    columns = []
    for name, basis in fit.bases.items():
        flat, factor = basis.reshape(len(basis), -1), fit.means[name].shape[-1] // basis.shape[-1]
        dual = flat / np.maximum(np.square(flat).sum(1, keepdims=True), 1e-12)
        columns.append(projected(data.signals[name], rows_of(fit.means[name][None], factor)[0], dual, factor))
    columns += list(data.vectors.values())
    standard = (data.conditions - fit.condition_mean) / fit.condition_std
    residual = np.concatenate(columns, 1) - fit.offset - standard @ fit.from_condition
    strength = np.square(fit.from_latent).sum(1)
    read = strength > 1e-6 * strength.max()
    latents = np.full((len(data), len(strength)), np.nan, np.float32)
    if len(fit.centres):
        white = np.where(read, 1 / np.maximum(strength, 1e-12), 0) ** 0.5
        near = lambda rows: rows @ fit.from_latent.T * white  # noqa: E731
        label = cdist(near(residual), near(fit.centres)).argmin(1)
        latents[:, :CHOOSING] = CHOOSING**0.5 * fit.directions[label]
        likely = fit.choice_offset + standard @ fit.choice_slope
        chosen = likely + CHOICE_NOISE * latents[:, :CHOOSING] @ fit.directions.T
        residual = residual - softmax(chosen / CHOICE_SOFTNESS, 1) @ fit.centres
    latents[:, read] = residual @ fit.from_latent[read].T / strength[read]
    return latents


def fit_linear(
    data: TrainingData,
    z_dim: int,
    components: int,
    rng: np.random.Generator,
    clusters: int = 0,
    basis_size: int = 0,
) -> LinearFit:
    """Fit the linear model; without components it holds the conditions' statistics alone.

    Scores and vectors are regressed on the standardised conditions; the residuals' covariance is factored, so that
    standard normal z gives residuals with the data's covariance (its largest directions, as many as there are latents).

    Args:
        data: the samples.
        z_dim: latents.
        components: principal components of each signal.
        rng: random state.
        clusters: groups that the residuals fall into; 0 for a single Gaussian.
        basis_size: samples of every axis of the components; 0 for as many as the samples have.
    """
    means, bases, columns = {}, {}, []
    for name, array in data.signals.items() if components else ():
        factor = array.shape[-1] // basis_size if basis_size else 1
        means[name], bases[name], scores = principal_components(array, components, rng, factor)
        columns.append(scores)
    columns += [array for array in data.vectors.values() if components]
    targets = np.concatenate(columns, 1).astype(np.float64) if columns else np.zeros((len(data), 0))
    mean, std = condition_statistics(data.conditions)
    conditions = np.column_stack([(data.conditions - mean) / std, np.ones(len(data))]).astype(np.float64)
    # Shares that sum to 1 make columns dependent; the cut-off keeps their weights from cancelling hugely.
    solution = np.linalg.lstsq(conditions, targets, rcond=1e-3)[0]
    residual = (targets - conditions @ solution).astype(np.float64)
    mixture = {}
    clusters = min(clusters, len(data) // CLUSTER_MEMBERS)
    if clusters and columns:
        choice, residual = fit_clusters(residual, conditions, clusters, rng)
        mixture = {name: array.astype(np.float32) for name, array in choice.items()}
    first = CHOOSING if mixture else 0
    values, vectors = np.linalg.eigh(residual.T @ residual / len(data))
    order = np.argsort(values)[::-1][: z_dim - first]
    loadings = np.zeros((z_dim, targets.shape[1]))
    loadings[first : first + len(order)] = (vectors[:, order] * np.sqrt(np.maximum(values[order], 0))).T
    as32 = lambda a: a.astype(np.float32)  # noqa: E731
    widths = {name: array.shape[1] for name, array in data.vectors.items()}
    weights = as32(solution[-1]), as32(loadings), as32(solution[:-1])
    return LinearFit(means, bases, widths, mean, std, *weights, data.constants, **mixture)


def fit_clusters(
    residual: NDArray[np.float64], conditions: NDArray[np.float64], count: int, rng: np.random.Generator
) -> tuple[dict[str, NDArray], NDArray[np.float64]]:
    """Clusters by k-means on whitened residuals (n, m), chosen by conditions (n, c + 1) whose last column is 1.

    Returns:
        LinearFit's arrays about clusters by name, and the residuals (n, m) from their centres.
    """
    values, vectors = np.linalg.eigh(residual.T @ residual / len(residual))
    white = residual @ vectors / np.sqrt(np.maximum(values, 1e-9 * values.max() + 1e-12))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about clusters that end empty
        _, label = kmeans2(white, count, minit="++", rng=rng)
    _, label = np.unique(label, return_inverse=True)  # without clusters that ended empty
    found = label.max() + 1
    members = np.bincount(label, minlength=found)
    centres = np.stack([np.bincount(label, column, found) for column in residual.T], 1) / members[:, None]
    weights = choice_weights(conditions, label, found)
    directions = rng.normal(size=(found, CHOOSING))
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    choice = {"centres": centres, "directions": directions, "choice_offset": weights[-1], "choice_slope": weights[:-1]}
    return choice, residual - centres[label]


def choice_weights(conditions: NDArray[np.float64], label: NDArray[np.int64], count: int) -> NDArray[np.float64]:
    """(c + 1, count) weights of a multinomial logistic regression of labels (n,) on conditions (n, c + 1)."""
    wanted = np.zeros((len(label), count))
    wanted[np.arange(len(label)), label] = 1

    def loss(flat: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        weights = flat.reshape(-1, count)
        logarithms = log_softmax(conditions @ weights, 1)
        slope = conditions.T @ (np.exp(logarithms) - wanted) + CHOICE_DECAY * weights
        return float(CHOICE_DECAY / 2 * (flat**2).sum() - (logarithms * wanted).sum()), slope.ravel()

    start = np.zeros(conditions.shape[1] * count)
    return minimize(loss, start, jac=True, method="L-BFGS-B", options={"maxiter": 60}).x.reshape(-1, count)


CLUSTER_ARRAYS = ("centres", "directions", "choice_offset", "choice_slope")


class LinearModel(nn.Module):
    """The fitted model as fixed buffers. Bases are kept as 8-bit numbers with a scale for each component, so that
    many of them fit in a small model file; the rounding is below a thousandth of full scale. The directions that choose
    clusters are kept as columns, (CHOOSING, k), because export would rename what it has to transpose.
    """

    offset: Tensor
    from_latent: Tensor
    from_condition: Tensor
    centres: Tensor
    directions: Tensor
    choice_offset: Tensor
    choice_slope: Tensor

    def __init__(self, fit: LinearFit) -> None:
        super().__init__()
        self.counts = {name: len(basis) for name, basis in fit.bases.items()}
        self.widths = self.counts | fit.vectors
        self.shapes = {name: basis.shape[1:] for name, basis in fit.bases.items()}
        for name, basis in fit.bases.items():
            flat = torch.tensor(basis).flatten(1)
            scale = flat.abs().amax(1).clamp_min(1e-12) / 127
            self.register_buffer(f"mean_{name}", torch.tensor(fit.means[name]))
            self.register_buffer(f"basis_{name}", (flat / scale[:, None]).round().to(torch.int8))
            self.register_buffer(f"scale_{name}", scale)
        self.register_buffer("offset", torch.tensor(fit.offset))
        self.register_buffer("from_latent", torch.tensor(fit.from_latent))
        self.register_buffer("from_condition", torch.tensor(fit.from_condition))
        self.chooses = len(fit.centres) > 0
        for name in CLUSTER_ARRAYS if self.chooses else ():
            array = getattr(fit, name)
            self.register_buffer(name, torch.tensor(array.T.copy() if name == "directions" else array))

    @property
    def width(self) -> int:
        """Number of coefficients."""
        return sum(self.widths.values())

    def coefficients(self, z: Tensor, condition: Tensor) -> Tensor:
        """(n, width) of (n, z_dim) and standardised (n, c)."""
        given = self.offset + z @ self.from_latent + condition @ self.from_condition
        return given + self.centre(z, condition) if self.chooses else given

    def centre(self, z: Tensor, condition: Tensor) -> Tensor:
        """(n, width) what the cluster that the first latents choose adds."""
        likely = self.choice_offset + condition @ self.choice_slope
        chosen = likely + CHOICE_NOISE * z[:, :CHOOSING] @ self.directions
        return (chosen / CHOICE_SOFTNESS).softmax(1) @ self.centres

    def forward(self, coefficients: Tensor) -> dict[str, Tensor]:
        """Signals (n, channels, *size) and vectors (n, k) of (n, width) coefficients."""
        parts = named_parts(coefficients, self.widths)
        for name in self.counts:
            mean, basis = self.get_buffer(f"mean_{name}"), self.get_buffer(f"basis_{name}").float()
            weighted = parts[name] * self.get_buffer(f"scale_{name}")
            signal = (weighted @ basis).reshape(-1, *self.shapes[name])
            while signal.shape[-1] < mean.shape[-1]:
                signal = smooth_upsample(signal, [False] * (signal.ndim - 2))
            parts[name] = mean + signal
        return parts
