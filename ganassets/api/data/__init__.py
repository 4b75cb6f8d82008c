"""Training samples as arrays. numpy only."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..errors import ContractError
from .records import FileRecord

if TYPE_CHECKING:
    from ..spec import Condition

# What a sample may have beside signals, vectors and conditions.
PER_SAMPLE = ("latents", "noise_seeds", "masks", "tiles", "structure")


@dataclass(frozen=True, eq=False)
class TrainingData:
    """Samples of one generator, all aligned: sample i of every array belongs together.

    Attributes:
        signals: by name, (n, channels, *size) uint8 (255 stands for 1.0), float16 or float32.
        vectors: by name, (n, k) float32 of about unit variance.
        conditions: (n, c) float32 physical values, columns in the order of the spec's conditions.
        name: what the data is, for the model's card.
        licence: of the data.
        source: where it comes from.
        files: what became of each file, those left out as well; empty where the data are no files.
        latents: (n, k) float32 latents of samples that are a known function of latent, conditions and noise; NaN where
            a number is free, all NaN where nothing is known; None when nothing is of any sample. k is at most z_dim.
        noise_seeds: (n,) int64 seeds of the noise maps that size-free samples were made from.
        masks: (n, k) float32 what a sample has of what the discriminator may see, in the order of the plugin's domain.
        tiles: (n,) bool whether a sample wraps as the spec says, or is a crop; None when all do.
        structure: (n, k, *size) float32 what the last k channels of the noise map hold for a size-free sample, where
            its seed doesn't say it; of samples that don't tile with the domain's margin around them.
        constants: arrays that the plugin's domain is made with, by name (see LinearFit).
        notes: lines about the data for the user.
        conditions_of: sliders and categories that the data alone know, such as labels; the columns of conditions are
            theirs. None where they are the spec's.
    """

    signals: dict[str, NDArray]
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
    constants: dict[str, NDArray[np.float32]] = field(default_factory=dict)
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
        """Files, or parts of them, that were left out, each with the reason."""
        return tuple((record.label, record.reason) for record in self.files if not record.use)

    def batch(self, index: NDArray[np.int64]) -> tuple[dict[str, NDArray], dict[str, NDArray], NDArray[np.float32]]:
        """Signals in [0, 1] (float32), vectors and conditions of the samples at index (b,)."""
        signals = {name: as_float(array[index]) for name, array in self.signals.items()}
        return signals, {name: array[index] for name, array in self.vectors.items()}, self.conditions[index]


def as_float(array: NDArray) -> NDArray[np.float32]:
    """float32; uint8 is divided by 255, other numbers keep their value."""
    if array.dtype == np.uint8:
        return array.astype(np.float32) * np.float32(1 / 255)
    return array.astype(np.float32, copy=False)


def condition_statistics(conditions: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """(c,) mean and standard deviation of conditions (n, c); 1 for a constant, which must not blow up when it is set
    otherwise.
    """
    std = conditions.std(0)
    return conditions.mean(0), np.where(std > 1e-3, std, 1).astype(np.float32)
