"""Fit the linear model that networks of aligned data start from: mean, principal components, linear coefficients.

Data in several groups are not one Gaussian, and samples of a single Gaussian would look like none of the groups. With
`clusters`, the first latents choose among cluster centres by a softmax, so interpolation between two latents stays
continuous; the other latents vary the sample around its centre.
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

# Most samples that principal components are computed from.
FIT_SAMPLES = 2048
# Most components, as a share of the samples; with more, the model's samples are blends of single training samples.
MAX_COMPONENT_SHARE = 1 / 3
# Share of the largest variance below which a component is rounding error of float32.
RANK_TOLERANCE = 1e-6
# Samples that are converted to floats at a time.
CHUNK = 256
# Least mean number of samples in a cluster.
CLUSTER_MEMBERS = 8
# Standard deviation of the noise in a logistic choice.
CHOICE_NOISE = 1.3
# Temperature of the softmax; the nearest centre gets about nine tenths of the weight.
CHOICE_SOFTNESS = 0.1
# Weight decay of the logistic regression of clusters on conditions.
CHOICE_DECAY = 1.0
# Arrays of a LinearFit that describe its clusters.
CLUSTER_ARRAYS = ("centres", "directions", "choice_offset", "choice_slope")
# Arrays of a LinearFit that describe the samples with learned codes.
KEY_ARRAYS = ("keys", "key_conditions", "start_codes")


@dataclass(frozen=True, eq=False)
class LinearFit:
    """A linear Gaussian model of samples given their conditions.

    Attributes:
        means: (channels, *size) float32 by signal.
        bases: (k, channels, *size) float32 by signal: principal components times their standard deviations. Their size
            may be a fraction of the mean's.
        vectors: Widths of the vectors by name, in the order of the coefficients.
        condition_mean: (c,) means of the physical condition columns.
        condition_std: (c,) standard deviations of the same.
        offset: (m,) coefficients at z = 0 and mean conditions: the components of all signals, then the vectors.
        from_latent: (z_dim, m) coefficients per latent.
        from_condition: (c, m) coefficients per standardised condition.
        constants: Arrays that the plugin's dataset made for its domain, by name.
        centres: (k, m) offsets of the coefficients by cluster; k is 0 for a single Gaussian.
        directions: (k, CHOOSING) unit vectors; the first latents choose the cluster with the nearest direction.
        choice_offset: (k,) log-likelihoods of the clusters at mean conditions, up to a constant.
        choice_slope: (c, k) their change per standardised condition.
        keys: (k, z_dim) latents of the samples with learned codes; empty without any.
        key_conditions: (k, c) physical conditions of these samples.
        start_codes: (k, w_dim / 2) codes of these samples before training.
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
    keys: NDArray[np.float32] = field(default_factory=lambda: np.zeros((0, 0), np.float32))
    key_conditions: NDArray[np.float32] = field(default_factory=lambda: np.zeros((0, 0), np.float32))
    start_codes: NDArray[np.float32] = field(default_factory=lambda: np.zeros((0, 0), np.float32))


def flatten_samples(array: NDArray, factor: int) -> NDArray[np.float32]:
    """Reduce each axis of (n, channels, *size) samples by a factor, as means of neighbours; returns (n, features)."""
    values = as_float(array)
    for axis in range(2, array.ndim) if factor > 1 else ():
        shape = values.shape
        values = values.reshape(*shape[:axis], shape[axis] // factor, factor, *shape[axis + 1 :]).mean(axis + 1)
    return values.reshape(len(values), -1)


def principal_components(
    array: NDArray, count: int, rng: np.random.Generator, factor: int = 1
) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]:
    """Compute principal components of samples.

    Args:
        array: (n, channels, *size) samples.
        count: Number of components k; fewer when there are few samples or they vary in few directions.
        rng: Random state that picks at most FIT_SAMPLES samples.
        factor: Divisor of the size of the components.

    Returns:
        Mean (channels, *size), basis (k, channels, *size / factor) scaled so that scores have unit variance, and scores
        (n, k).
    """
    picked = np.sort(rng.permutation(len(array))[:FIT_SAMPLES])
    chunks = [picked[i : i + CHUNK] for i in range(0, len(picked), CHUNK)]
    mean = np.sum([as_float(array[chunk]).sum(0) for chunk in chunks], 0) / np.float32(len(picked))
    flat = np.concatenate([flatten_samples(array[chunk], factor) for chunk in chunks])
    middle = flat.mean(0)
    flat -= middle
    values, vectors = np.linalg.eigh(flat @ flat.T)
    count = min(count, max(int(len(picked) * MAX_COMPONENT_SHARE), 1))
    order = np.argsort(values)[::-1][:count]
    order = order[values[order] >= RANK_TOLERANCE * values.max()]  # the rest is rounding error
    directions = (vectors[:, order].T @ flat) / np.sqrt(np.maximum(values[order], 1e-12))[:, None]
    scores = project_samples(array, middle, directions, factor)
    spread = np.maximum(scores.std(0), 1e-6)
    size = [length // factor for length in array.shape[2:]]
    return mean, (directions * spread[:, None]).reshape(-1, array.shape[1], *size), scores / spread


def project_samples(
    array: NDArray, mean: NDArray[np.float32], directions: NDArray[np.float32], factor: int
) -> NDArray[np.float32]:
    """Return (n, k) scores of (n, channels, *size) samples, reduced by a factor, on (k, features) directions."""
    chunks = (flatten_samples(array[i : i + CHUNK], factor) for i in range(0, len(array), CHUNK))
    return np.concatenate([(chunk - mean) @ directions.T for chunk in chunks]).astype(np.float32, copy=False)


def linear_latents(fit: LinearFit, data: TrainingData) -> NDArray[np.float32]:
    """Return the latents at which the linear model comes nearest to the samples.

    The latents that choose a sample's cluster lie in the middle of all latents that choose it.

    Args:
        fit: Linear model.
        data: Samples that it was fitted to.

    Returns:
        (n, z_dim), with NaN in columns that the model doesn't use because it has fewer directions than z_dim.
    """
    columns = []
    for name, basis in fit.bases.items():
        flat, factor = basis.reshape(len(basis), -1), fit.means[name].shape[-1] // basis.shape[-1]
        dual = flat / np.maximum(np.square(flat).sum(1, keepdims=True), 1e-12)
        mean = flatten_samples(fit.means[name][None], factor)[0]
        columns.append(project_samples(data.signals[name], mean, dual, factor))
    columns += list(data.vectors.values())
    standard = (data.conditions - fit.condition_mean) / fit.condition_std
    residual = np.concatenate(columns, 1) - fit.offset - standard @ fit.from_condition
    strength = np.square(fit.from_latent).sum(1)
    used = strength > 1e-6 * strength.max()
    latents = np.full((len(data), len(strength)), np.nan, np.float32)
    if len(fit.centres):
        white = np.where(used, 1 / np.maximum(strength, 1e-12), 0) ** 0.5
        white_residual, white_centres = (rows @ fit.from_latent.T * white for rows in (residual, fit.centres))
        label = cdist(white_residual, white_centres).argmin(1)
        latents[:, :CHOOSING] = CHOOSING**0.5 * fit.directions[label]
        likelihood = fit.choice_offset + standard @ fit.choice_slope
        logits = likelihood + CHOICE_NOISE * latents[:, :CHOOSING] @ fit.directions.T
        residual = residual - softmax(logits / CHOICE_SOFTNESS, 1) @ fit.centres
    latents[:, used] = residual @ fit.from_latent[used].T / strength[used]
    return latents


def fit_linear(
    data: TrainingData,
    z_dim: int,
    components: int,
    rng: np.random.Generator,
    clusters: int = 0,
    basis_size: int = 0,
) -> LinearFit:
    """Fit the linear model.

    Scores and vectors are regressed on the standardised conditions. The covariance of the residuals is factored along
    its largest directions, so that standard normal latents give residuals of the data's covariance.

    Args:
        data: Training samples.
        z_dim: Number of latents.
        components: Principal components of each signal; 0 for the statistics of the conditions alone.
        rng: Random state.
        clusters: Number of clusters of the residuals; 0 for a single Gaussian.
        basis_size: Samples along every axis of the components; 0 for the samples' own size.
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
    # Columns that sum to 1 are linearly dependent; the cut-off keeps their weights from growing without bound.
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
    widths = {name: array.shape[1] for name, array in data.vectors.items()}
    offset, from_latent, from_condition = (a.astype(np.float32) for a in (solution[-1], loadings, solution[:-1]))
    return LinearFit(means, bases, widths, mean, std, offset, from_latent, from_condition, data.constants, **mixture)


def fit_clusters(
    residual: NDArray[np.float64], conditions: NDArray[np.float64], count: int, rng: np.random.Generator
) -> tuple[dict[str, NDArray], NDArray[np.float64]]:
    """Cluster residuals by k-means after whitening, and regress the clusters on the conditions.

    Args:
        residual: (n, m) residuals.
        conditions: (n, c + 1) standardised conditions, with 1 in the last column.
        count: Number of clusters; fewer when some end empty.
        rng: Random state.

    Returns:
        Arrays of LinearFit's clusters by name, and (n, m) residuals from the cluster centres.
    """
    values, vectors = np.linalg.eigh(residual.T @ residual / len(residual))
    white = residual @ vectors / np.sqrt(np.maximum(values, 1e-9 * values.max() + 1e-12))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about empty clusters
        _, label = kmeans2(white, count, minit="++", rng=rng)
    _, label = np.unique(label, return_inverse=True)  # without empty clusters
    found = label.max() + 1
    members = np.bincount(label, minlength=found)
    centres = np.stack([np.bincount(label, column, found) for column in residual.T], 1) / members[:, None]
    weights = fit_choice(conditions, label, found)
    directions = rng.normal(size=(found, CHOOSING))
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    choice = {"centres": centres, "directions": directions, "choice_offset": weights[-1], "choice_slope": weights[:-1]}
    return choice, residual - centres[label]


def fit_choice(conditions: NDArray[np.float64], label: NDArray[np.int64], count: int) -> NDArray[np.float64]:
    """Fit a multinomial logistic regression of (n,) labels on (n, c + 1) conditions; returns (c + 1, count) weights."""
    targets = np.zeros((len(label), count))
    targets[np.arange(len(label)), label] = 1

    def loss(flat: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        weights = flat.reshape(-1, count)
        logarithms = log_softmax(conditions @ weights, 1)
        slope = conditions.T @ (np.exp(logarithms) - targets) + CHOICE_DECAY * weights
        return float(CHOICE_DECAY / 2 * (flat**2).sum() - (logarithms * targets).sum()), slope.ravel()

    start = np.zeros(conditions.shape[1] * count)
    return minimize(loss, start, jac=True, method="L-BFGS-B", options={"maxiter": 60}).x.reshape(-1, count)


class LinearModel(nn.Module):
    """The fitted linear model as fixed buffers.

    Bases are stored as 8-bit numbers with a scale per component, so that many components fit in a small model file; the
    rounding error is below half a percent of a component's largest value. The directions that choose clusters are
    stored as columns, (CHOOSING, k), because export renames arrays that it has to transpose.
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
        """Return (n, width) coefficients from (n, z_dim) latents and (n, c) standardised conditions."""
        linear = self.offset + z @ self.from_latent + condition @ self.from_condition
        return linear + self.centre(z, condition) if self.chooses else linear

    def centre(self, z: Tensor, condition: Tensor) -> Tensor:
        """Return (n, width) offsets of the cluster that the first latents choose."""
        likelihood = self.choice_offset + condition @ self.choice_slope
        logits = likelihood + CHOICE_NOISE * z[:, :CHOOSING] @ self.directions
        return (logits / CHOICE_SOFTNESS).softmax(1) @ self.centres

    def forward(self, coefficients: Tensor) -> dict[str, Tensor]:
        """Return signals (n, channels, *size) and vectors (n, k) from (n, width) coefficients."""
        parts = named_parts(coefficients, self.widths)
        for name in self.counts:
            mean, basis = self.get_buffer(f"mean_{name}"), self.get_buffer(f"basis_{name}").float()
            weighted = parts[name] * self.get_buffer(f"scale_{name}")
            signal = (weighted @ basis).reshape(-1, *self.shapes[name])
            while signal.shape[-1] < mean.shape[-1]:
                signal = smooth_upsample(signal, [False] * (signal.ndim - 2))
            parts[name] = mean + signal
        return parts
