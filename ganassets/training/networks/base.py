"""What training and export ask of a generator and of a discriminator, whoever wrote them."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from .domain import Domain


@dataclass(frozen=True)
class NetworkSettings:
    """Sizes of the networks; see ganassets.api.spec.Preset."""

    z_dim: int
    c_dim: int
    w_dim: int
    width: int
    max_width: int

    def channels(self, size: int, full: int) -> int:
        """Channels at a size, doubling at each halving from full."""
        return min(self.width * full // size, self.max_width)


class BaseGenerator(nn.Module):
    """One graph for sampling, truncation, mixing, sliders and inversion, all of which are changes of w.

    A subclass says how many layers read a w and how long it is, and gives `mapping` and `synthesis`. All that it learns
    is parameters: checkpoints hold no buffers, such as the running statistics of batch normalisation.

    Attributes:
        domain: the plugin's torch part.
        settings: sizes.
        autocast: context of lower precision, which training sets; `synthesis` may run its layers in it.
        reach: of a size-free generator: samples beyond which the noise map does not matter to a sample, at most.
    """

    reach = 0

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
        """Layers that read a w each."""
        raise NotImplementedError

    def mapping(self, z: Tensor, condition: Tensor, truncation: Tensor) -> Tensor:
        """(n, w) from (n, z_dim), standardised (n, c_dim) and (1,)."""
        raise NotImplementedError

    def synthesis(self, w: Tensor, noise: Tensor | None = None) -> dict[str, Tensor]:
        """Raw sample of (n, layers, w) [and a (n, noise_channels, *size) noise map]."""
        raise NotImplementedError

    def layered(self, z: Tensor, condition: Tensor) -> Tensor:
        """(n, layers, w) for training, from physical conditions, without truncation."""
        w = self.mapping(z, self.domain.standardise(condition), torch.ones(1, device=z.device))
        return w[:, None].expand(-1, self.layers, -1)

    def sample(self, z: Tensor, condition: Tensor, noise: Tensor | None = None) -> dict[str, Tensor]:
        """Raw sample for training, from physical conditions."""
        return self.synthesis(self.layered(z, condition), noise)

    def forward(
        self, z: Tensor, condition: Tensor, truncation: Tensor, w_offset: Tensor, noise: Tensor | None = None
    ) -> dict[str, Tensor]:
        """The model file's graph: (n, z_dim), (n, c_dim) physical, (1,), (n, layers, w) -> outputs by name."""
        w = self.mapping(z, self.domain.standardise(condition), truncation)
        return self.domain.finish(self.synthesis(w[:, None] + w_offset, noise), condition)


class BaseDiscriminator(nn.Module):
    """One score per sample; see BaseGenerator."""

    def __init__(self) -> None:
        super().__init__()
        self.autocast: Callable[[], AbstractContextManager] = nullcontext

    def forward(self, view: Tensor, condition: Tensor) -> Tensor:
        """(n,) scores, logits, of (n, view_channels, *view_size) views under physical conditions (n, c_dim)."""
        raise NotImplementedError
