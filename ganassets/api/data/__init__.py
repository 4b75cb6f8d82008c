"""Training samples as arrays, and how to read them from files. Only numpy is needed here."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..conditions import Condition
from ..errors import ContractError
from .records import FileRecord

# Optional arrays with one row per sample, beside signals, vectors and conditions.
PER_SAMPLE = ("latents", "noise_seeds", "masks", "tiles", "structure")


@dataclass(frozen=True, eq=False)
class TrainingData:
    """Samples of one generator, all aligned: row i of every array belongs to sample i.

    Attributes:
        signals: Signals by name, (n, channels, *size) uint8 (255 stands for 1.0), float16 or float32.
        vectors: Vectors by name, (n, k) float32 of about unit variance.
        conditions: (n, c) float32 physical values, columns in the order of the spec's conditions.
        name: Name of the data, for the model's card.
        licence: Licence of the data.
        source: Origin of the data.
        latents: (n, k) float32, k at most z_dim: latents of samples that are a known function of latent, conditions
            and noise; NaN where a number is free, a row of NaN for an unknown sample; None if all are unknown.
        noise_seeds: (n,) int64 seeds of the noise maps that size-free samples were made from.
        masks: (n, k) float32 share of each of the domain's k views that a sample has, in the domain's order.
        tiles: (n,) bool: whether a sample wraps as the spec says, or is a crop; None when all wrap.
        structure: (n, k, *size) float32: last k channels of the noise map of a size-free sample whose seed doesn't
            determine them; for samples that don't tile, with the domain's margin around them.
        constants: Arrays for the plugin's domain, by name (see LinearFit).
        notes: Lines about the data for the user.
        conditions_of: Conditions that depend on the data, such as labels; the columns of `conditions` are theirs. None
            for those of the spec.
        files: One record for each file, used or left out; empty if the data are not files.

    Raises:
        ContractError: There is no sample, or the arrays have different lengths.

    >>> walls = np.full((2, 3, 8, 8), 255, np.uint8)
    >>> data = TrainingData({"albedo": walls}, {}, np.zeros((2, 1), np.float32), "walls", "CC0-1.0", "my camera")
    >>> signals, vectors, conditions = data.batch(np.array([1]))
    >>> len(data), signals["albedo"].shape, float(signals["albedo"].max())
    (2, (1, 3, 8, 8), 1.0)
    """

    signals: dict[str, NDArray[Any]]
    vectors: dict[str, NDArray[np.float32]]
    conditions: NDArray[np.float32]
    name: str
    licence: str
    source: str
    latents: NDArray[np.float32] | None = None
    noise_seeds: NDArray[np.int64] | None = None
    masks: NDArray[np.float32] | None = None
    tiles: NDArray[np.bool_] | None = None
    structure: NDArray[np.float32] | None = None
    constants: dict[str, NDArray[np.float32]] = field(default_factory=dict[str, NDArray[np.float32]])
    notes: tuple[str, ...] = ()
    conditions_of: tuple[Condition, ...] | None = None
    files: tuple[FileRecord, ...] = ()

    def __post_init__(self) -> None:
        extras = [getattr(self, name) for name in PER_SAMPLE if getattr(self, name) is not None]
        lengths = {len(a) for a in (*self.signals.values(), *self.vectors.values(), self.conditions, *extras)}
        if len(lengths) != 1 or lengths == {0}:
            raise ContractError("training data needs at least one sample, and as many in each of its arrays.")

    def __len__(self) -> int:
        return len(self.conditions)

    @property
    def problems(self) -> tuple[tuple[str, str], ...]:
        """Files and parts of files that were left out, each with the reason."""
        return tuple((record.label, record.reason) for record in self.files if not record.use)

    def batch(
        self, index: NDArray[np.int64]
    ) -> tuple[dict[str, NDArray[np.float32]], dict[str, NDArray[np.float32]], NDArray[np.float32]]:
        """Return the signals (float32, bytes scaled to [0, 1]), vectors and conditions of the samples at index (b,)."""
        signals = {name: as_float(array[index]) for name, array in self.signals.items()}
        return signals, {name: array[index] for name, array in self.vectors.items()}, self.conditions[index]


def as_float(array: NDArray[Any]) -> NDArray[np.float32]:
    """Return an array as float32; uint8 is divided by 255, other numbers keep their value."""
    if array.dtype == np.uint8:
        return array.astype(np.float32) * np.float32(1 / 255)
    return array.astype(np.float32, copy=False)


def condition_statistics(conditions: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return the (c,) mean and standard deviation of (n, c) conditions.

    The standard deviation of a constant column is given as 1: dividing by a tiny one would blow up other values.

    >>> mean, std = condition_statistics(np.array([[20, 1], [40, 1]], np.float32))
    >>> mean.tolist(), std.tolist()
    ([30.0, 1.0], [10.0, 1.0])
    """
    std = conditions.std(0)
    return conditions.mean(0), np.where(std > 1e-3, std, 1).astype(np.float32)
