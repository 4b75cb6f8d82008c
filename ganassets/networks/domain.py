"""What a plugin brings to the networks: which signals there are, what the discriminator sees, what the model gives."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from .linear import LinearFit, LinearModel


class Domain(nn.Module):
    """Base of a plugin's torch part. A raw sample is a dict: signals (n, c, *size) and vectors (n, k) by name.

    Attributes:
        signals: channels of each signal.
        vectors: width of each vector.
        wraps: whether each axis of the signals wraps.
        size: samples of every signal axis; None for a size-free generator, which starts from a noise map.
        network_size: size at which the networks work (for a size-free generator: of a training sample).
        view_channels: channels of the discriminator's view.
        linear: the linear model that the networks are a residual on, or None.
    """

    signals: dict[str, int]
    vectors: dict[str, int]
    wraps: tuple[bool, ...]
    size: int | None
    network_size: int
    view_channels: int
    linear: LinearModel | None
    condition_mean: Tensor
    condition_std: Tensor

    def __init__(self, fit: LinearFit) -> None:
        super().__init__()
        self.register_buffer("condition_mean", torch.tensor(fit.condition_mean))
        self.register_buffer("condition_std", torch.tensor(fit.condition_std))
        self.linear = LinearModel(fit) if fit.means else None

    def standardise(self, condition: Tensor) -> Tensor:
        """(n, c) physical condition values to about zero mean and unit variance."""
        return (condition - self.condition_mean) / self.condition_std

    def combine(self, linear: dict[str, Tensor], residual: dict[str, Tensor]) -> dict[str, Tensor]:
        """Raw sample from the linear model's signals and vectors and the networks' residual signals."""
        return linear | {name: linear[name] + value for name, value in residual.items()}

    def finish(self, raw: dict[str, Tensor]) -> dict[str, Tensor]:
        """Outputs of the model file, in the spec's units and ranges."""
        raise NotImplementedError

    def view(self, raw: dict[str, Tensor]) -> Tensor:
        """(n, view_channels, *network_size): what the discriminator judges, about unit variance."""
        raise NotImplementedError
