"""The interface of generators and discriminators, the core's and plugins' own."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from .domain import Domain


@dataclass(frozen=True)
class NetworkSettings:
    """Sizes of the networks; see ganassets.api.spec.Preset.

    Attributes:
        z_dim: Length of z.
        c_dim: Number of condition columns.
        w_dim: Length of the mapping's part of w.
        width: Channels at the full size.
        max_width: Most channels at any size.
    """

    z_dim: int
    c_dim: int
    w_dim: int
    width: int
    max_width: int

    def channels(self, size: int, full: int) -> int:
        """Return the channels at a size; they double with each halving of the full size."""
        return min(self.width * full // size, self.max_width)


class BaseGenerator(nn.Module):
    """A generator whose one graph serves sampling, truncation, style mixing, sliders and inversion by changes of w.

    A subclass defines `full_w_dim`, `layers`, `mapping` and `synthesis`. It may learn parameters only: checkpoints hold
    no buffers, such as the running statistics of batch normalisation.

    Attributes:
        domain: The plugin's domain.
        settings: Sizes.
        autocast: Context of lower precision, set by training; `synthesis` may run its layers in it.
        reach: Largest distance, in samples, over which the noise map of a size-free generator affects a sample.
        sample_parameters: Names of parameters that belong to single training samples; a run that starts from a model
            learns them from the beginning.
    """

    reach = 0
    sample_parameters: tuple[str, ...] = ()

    def __init__(self, domain: Domain, settings: NetworkSettings) -> None:
        super().__init__()
        self.domain = domain
        self.settings = settings
        self.autocast: Callable[[], AbstractContextManager] = nullcontext

    @property
    def full_w_dim(self) -> int:
        """Length of w."""
        raise NotImplementedError

    @property
    def layers(self) -> int:
        """Number of layers that read w."""
        raise NotImplementedError

    def mapping(self, z: Tensor, condition: Tensor, truncation: Tensor) -> Tensor:
        """Map latents to w.

        Args:
            z: (n, z_dim) latents.
            condition: (n, c_dim) standardised condition values.
            truncation: (1,) truncation.

        Returns:
            (n, w).
        """
        raise NotImplementedError

    def synthesis(self, w: Tensor, noise: Tensor | None = None) -> dict[str, Tensor]:
        """Generate raw samples.

        Args:
            w: (n, layers, w).
            noise: (n, noise_channels, *size) noise maps of a size-free generator.

        Returns:
            Signals and vectors by name.
        """
        raise NotImplementedError

    def layered(self, z: Tensor, condition: Tensor) -> Tensor:
        """Return (n, layers, w) without truncation, from physical condition values, for training."""
        w = self.mapping(z, self.domain.standardise(condition), torch.ones(1, device=z.device))
        return w[:, None].expand(-1, self.layers, -1)

    def sample(self, z: Tensor, condition: Tensor, noise: Tensor | None = None) -> dict[str, Tensor]:
        """Generate raw samples without truncation, from physical condition values, for training."""
        return self.synthesis(self.layered(z, condition), noise)

    def forward(
        self, z: Tensor, condition: Tensor, truncation: Tensor, w_offset: Tensor, noise: Tensor | None = None
    ) -> dict[str, Tensor]:
        """Compute the model file's graph.

        Args:
            z: (n, z_dim) latents.
            condition: (n, c_dim) physical condition values.
            truncation: (1,) truncation.
            w_offset: (n, layers, w) added to w.
            noise: (n, noise_channels, *size) noise maps of a size-free generator.

        Returns:
            Outputs by name.
        """
        w = self.mapping(z, self.domain.standardise(condition), truncation)
        return self.domain.finish(self.synthesis(w[:, None] + w_offset, noise), condition)


class BaseDiscriminator(nn.Module):
    """A discriminator with one score per sample; see BaseGenerator for what it may learn."""

    def __init__(self) -> None:
        super().__init__()
        self.autocast: Callable[[], AbstractContextManager] = nullcontext

    def forward(self, view: Tensor, condition: Tensor) -> Tensor:
        """Return (n,) scores (logits) of (n, view_channels, *view_size) views under (n, c_dim) physical conditions."""
        raise NotImplementedError
