"""Training samples as arrays. numpy only."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..errors import InputError


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
        problems: files that were left out, each with the reason.
        latents: (n, k) float32 latents of samples that are a known function of latent, conditions and noise; NaN where
            they are not; None when none is. k is at most z_dim.
        noise_seeds: (n,) int64 seeds of the noise maps that size-free samples were made from.
        masks: (n, k) float32 what a sample has of what the discriminator may see, in the order of the plugin's domain.
        tiles: (n,) bool whether a sample wraps as the spec says, or is a crop; None when all do.
        notes: lines about the data for the user.
    """

    signals: dict[str, NDArray]
    vectors: dict[str, NDArray[np.float32]]
    conditions: NDArray[np.float32]
    name: str
    licence: str
    source: str
    problems: tuple[tuple[str, str], ...] = ()
    latents: NDArray[np.float32] | None = None
    noise_seeds: NDArray[np.int64] | None = None
    masks: NDArray[np.float32] | None = None
    tiles: NDArray[np.bool_] | None = None
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        extras = (a for a in (self.latents, self.noise_seeds, self.masks, self.tiles) if a is not None)
        lengths = {len(a) for a in (*self.signals.values(), *self.vectors.values(), self.conditions, *extras)}
        if len(lengths) != 1 or lengths == {0}:
            raise InputError("training data needs at least one sample, and as many in each of its arrays.")

    def __len__(self) -> int:
        return len(self.conditions)

    def batch(self, index: NDArray[np.int64]) -> tuple[dict[str, NDArray], dict[str, NDArray], NDArray[np.float32]]:
        """Signals in [0, 1] (float32), vectors and conditions of the samples at index (b,)."""
        signals = {name: as_float(array[index]) for name, array in self.signals.items()}
        return signals, {name: array[index] for name, array in self.vectors.items()}, self.conditions[index]


def as_float(array: NDArray) -> NDArray[np.float32]:
    """float32; uint8 is divided by 255, other numbers keep their value."""
    if array.dtype == np.uint8:
        return array.astype(np.float32) * np.float32(1 / 255)
    return array.astype(np.float32, copy=False)
