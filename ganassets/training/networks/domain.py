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
        stride: of a size-free generator: samples between its coarsest cells, a power of two; sizes are multiples of it.
        noise_channels: of a size-free generator's noise map.
        white_channels: how many of them, the first, are white; they keep their variance when they are averaged.
        margin: of a size-free generator: samples, a multiple of the stride, that are made on both sides of a training
            sample that doesn't wrap and cut off again; stride where a domain says nothing.
        view_channels: channels of the discriminator's view.
        view_size: its samples along every axis; network_size where a domain says nothing.
        linear: the linear model that the networks are a residual on, or None.
        subpixel: whether the last layer makes all samples of a picture that lie within one of network_size, instead of
            one that is interpolated. For pictures of a fixed size, in which detail has its place.
        colours: channels of the view that are colours about zero, which augmentation may change.
        moves: whether augmentation may shift and mirror samples, because no place in them has a meaning of its own.
    """

    signals: dict[str, int]
    vectors: dict[str, int]
    wraps: tuple[bool, ...]
    size: int | None
    network_size: int
    stride: int = 1
    noise_channels: int = 0
    white_channels: int = 0
    view_channels: int
    linear: LinearModel | None
    subpixel: bool = False
    colours: tuple[int, ...] = ()
    moves: bool = False
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

    @property
    def view_size(self) -> int:
        """Samples along every axis of the view."""
        return self.network_size

    @property
    def margin(self) -> int:
        """Samples made and cut off on both sides of a training sample that doesn't wrap."""
        return self.stride

    def embedded_width(self, z_dim: int) -> int:
        """Width of what embed gives."""
        return z_dim

    def embed(self, z: Tensor, condition: Tensor) -> Tensor:
        """(n, embedded_width) what the networks read of a latent (n, z_dim) under standardised conditions (n, c),
        linear in z. A domain that knows how samples of a kind vary says it here.
        """
        del condition
        return z

    def unstandardise(self, condition: Tensor) -> Tensor:
        """(n, c) physical condition values of standardised ones."""
        return condition * self.condition_std + self.condition_mean

    def centre(self, residual: dict[str, Tensor], condition: Tensor) -> dict[str, Tensor]:
        """Raw sample from the networks' signals, which start at zero, and physical conditions (n, c), where there is
        no linear model to start from.
        """
        del condition
        return residual

    def mask(self, raw: dict[str, Tensor]) -> dict[str, Tensor]:
        """(n, 1, ...) by output name: 1 where a sample has that output, 0 where its data lack it; see
        TrainingData.masks. Outputs that all samples have need not be named.
        """
        del raw
        return {}

    def distance(self, a: dict[str, Tensor], b: dict[str, Tensor]) -> Tensor:
        """(n,) how far two raw samples are apart, for samples that can be reproduced: mean difference of the views."""
        return (self.view(a) - self.view(b)).abs().flatten(1).mean(1)

    def combine(self, linear: dict[str, Tensor], residual: dict[str, Tensor]) -> dict[str, Tensor]:
        """Raw sample from the linear model's signals and vectors and the networks' residual signals."""
        return linear | {name: linear[name] + value for name, value in residual.items()}

    def finish(self, raw: dict[str, Tensor], condition: Tensor) -> dict[str, Tensor]:
        """Outputs of the model file, in the spec's units and ranges, from physical conditions (n, c)."""
        raise NotImplementedError

    def view(self, raw: dict[str, Tensor]) -> Tensor:
        """(n, view_channels, *view_size): what the discriminator judges, about unit variance. The signals as they are
        where a domain says nothing.

        Of a size-free generator, raw also has "noise", the map that the sample belongs to, and "mask" where the data
        have masks: rows of TrainingData.masks.
        """
        return torch.cat([raw[name] for name in self.signals], 1)
