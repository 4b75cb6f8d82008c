"""The base class of a plugin's torch part: its signals, the discriminator's view of them, and the model's outputs."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from .linear import LinearFit, LinearModel


class Domain(nn.Module):
    """Base class of a plugin's torch part.

    A raw sample is a dict of signals, (n, c, *size), and vectors, (n, k), by name.

    Attributes:
        signals: Channels by signal.
        vectors: Width by vector.
        wraps: Whether each axis of the signals wraps.
        size: Samples along every axis of the signals; None for a size-free generator, which starts from a noise map.
        network_size: Size at which the networks work; for a size-free generator, the size of a training sample.
        stride: For a size-free generator: samples between its coarsest cells, a power of two. Sizes are multiples of
            it.
        noise_channels: Channels of a size-free generator's noise map.
        white_channels: Number of them, from the first, that are white noise; they keep their variance when averaged.
        margin: For a size-free generator: samples, a multiple of the stride, that are made and cropped on both sides of
            a training sample that doesn't wrap. Default: the stride.
        view_channels: Channels of the discriminator's view.
        view_size: Samples along every axis of the view. Default: network_size.
        linear: Linear model to which the networks add, or None.
        subpixel: Whether the last layer makes all samples of an image within one of network_size, instead of one that
            is interpolated. For images of a fixed size whose details have their place.
        colours: Channels of the view that are colours about zero, which augmentation may change.
        moves: Whether augmentation may shift and mirror samples, because no place in them has a meaning of its own.
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
        """Scale (n, c) physical condition values to about zero mean and unit variance."""
        return (condition - self.condition_mean) / self.condition_std

    @property
    def view_size(self) -> int:
        """Samples along every axis of the view."""
        return self.network_size

    @property
    def margin(self) -> int:
        """Samples that are made and cropped on both sides of a training sample that doesn't wrap."""
        return self.stride

    def embedded_width(self, z_dim: int) -> int:
        """Return the width of an embedded latent."""
        return z_dim

    def embed(self, z: Tensor, condition: Tensor) -> Tensor:
        """Embed latents for the networks; override it when the variation of a category of samples is known.

        Args:
            z: (n, z_dim) latents.
            condition: (n, c) standardised condition values.

        Returns:
            (n, embedded_width), linear in z.
        """
        del condition
        return z

    def unstandardise(self, condition: Tensor) -> Tensor:
        """Return (n, c) physical condition values from standardised ones."""
        return condition * self.condition_std + self.condition_mean

    def centre(self, residual: dict[str, Tensor], condition: Tensor) -> dict[str, Tensor]:
        """Return raw samples from the networks' signals when there is no linear model.

        Args:
            residual: Signals of the networks, zero when untrained, and vectors.
            condition: (n, c) physical condition values.
        """
        del condition
        return residual

    def mask(self, raw: dict[str, Tensor]) -> dict[str, Tensor]:
        """Return which samples have which outputs; see TrainingData.masks.

        Args:
            raw: Raw samples with "mask".

        Returns:
            (n, 1, ...) by output name: 1 if a sample has the output, 0 if its data lack it. Outputs that all samples
            have may be left out.
        """
        del raw
        return {}

    def distance(self, a: dict[str, Tensor], b: dict[str, Tensor]) -> Tensor:
        """Return (n,) distances between raw samples; by default the mean absolute difference of their views."""
        return (self.view(a) - self.view(b)).abs().flatten(1).mean(1)

    def combine(self, linear: dict[str, Tensor], residual: dict[str, Tensor]) -> dict[str, Tensor]:
        """Add the networks' residual signals to the linear model's sample."""
        return linear | {name: linear[name] + value for name, value in residual.items()}

    def finish(self, raw: dict[str, Tensor], condition: Tensor) -> dict[str, Tensor]:
        """Return the outputs of the model file in the spec's units and ranges.

        Args:
            raw: Raw samples.
            condition: (n, c) physical condition values.
        """
        raise NotImplementedError

    def view(self, raw: dict[str, Tensor]) -> Tensor:
        """Return the discriminator's view, of about unit variance; by default the signals.

        Args:
            raw: Raw samples. For a size-free generator with their "noise" maps, and with "mask", rows of
                TrainingData.masks, when the data have masks.

        Returns:
            (n, view_channels, *view_size).
        """
        return torch.cat([raw[name] for name in self.signals], 1)
