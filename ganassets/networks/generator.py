"""The generator: latent -> w -> residual networks on a linear model -> outputs in physical units."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from .domain import Domain
from .layers import Block, Conv, Dense, leaky, named_parts, smooth_upsample, upsample
from .linear import LinearModel

BASE_SIZE = 8
HEAD_WIDTH = 256
STYLE_GAIN = 0.3


@dataclass(frozen=True)
class NetworkSettings:
    """Sizes of the networks; see ganassets.spec.Preset."""

    z_dim: int
    c_dim: int
    w_dim: int
    width: int
    max_width: int

    def channels(self, size: int, full: int) -> int:
        """Channels at a size, doubling at each halving from full."""
        return min(self.width * full // size, self.max_width)


class Generator(nn.Module):
    """One graph for sampling, truncation, mixing, sliders and inversion.

    w is the concatenation of a two-layer mapping of (z, condition), of z and of the standardised condition: the
    linear model reads the latter two (in its own layer, 0), each block reads all of it (layers 1 and up). Truncation
    t pulls w towards its value at z = 0 under the same condition, so sliders keep their effect.
    """

    def __init__(self, domain: Domain, settings: NetworkSettings) -> None:
        super().__init__()
        self.domain = domain
        self.settings = settings
        # Context for the convolutions alone: in the small dense parts bfloat16 gains no time and costs accuracy.
        self.autocast: Callable[[], AbstractContextManager] = nullcontext
        self.map_first = Dense(settings.z_dim + settings.c_dim, settings.w_dim)
        self.map_second = Dense(settings.w_dim, settings.w_dim)
        full_w = self.full_w_dim
        size = BASE_SIZE
        channels = settings.channels(size, domain.network_size)
        if domain.size is None:
            self.start_noise = Conv(settings.width, channels, domain.wraps, 1)
        else:
            self.start_constant = nn.Parameter(torch.randn(1, channels, *[size] * len(domain.wraps)))
        self.blocks = nn.ModuleList([Block(channels, domain.wraps)])
        self.styles = nn.ModuleList([Dense(full_w, channels, gain=STYLE_GAIN)])
        self.narrow = nn.ModuleList()
        # What the trunk says about numbers rather than pictures: corrections of the linear model's coefficients (the
        # vectors are among them), or the vectors themselves.
        numbers = domain.linear.width if domain.linear is not None else sum(domain.vectors.values())
        if numbers:
            self.head_first = Dense(channels + full_w, HEAD_WIDTH)
            self.head_second = Dense(HEAD_WIDTH, numbers, gain=0.0)
        while size < domain.network_size:
            size *= 2
            following = settings.channels(size, domain.network_size)
            self.narrow.append(Conv(channels, following, domain.wraps, 1) if following != channels else nn.Identity())
            channels = following
            self.blocks.append(Block(channels, domain.wraps))
            self.styles.append(Dense(full_w, channels, gain=STYLE_GAIN))
        # Starts at zero: before training, the generator is the linear model.
        self.to_signals = Conv(channels, sum(domain.signals.values()), domain.wraps, 1, gain=0.0)

    @property
    def full_w_dim(self) -> int:
        """Length of w."""
        return self.settings.w_dim + self.settings.z_dim + self.settings.c_dim

    @property
    def layers(self) -> int:
        """Layers that read a w each: the linear model, then the blocks."""
        return 1 + len(self.blocks)

    def mapping(self, z: Tensor, condition: Tensor, truncation: Tensor) -> Tensor:
        """(n, w) from (n, z_dim), standardised (n, c_dim) and (1,)."""

        def mapped(latent: Tensor) -> Tensor:
            return self.map_second(leaky(self.map_first(torch.cat([latent, condition], 1))))

        centre = mapped(torch.zeros_like(z))
        return torch.cat([centre + truncation * (mapped(z) - centre), truncation * z, condition], 1)

    def trunk(self, w: Tensor, noise: Tensor | None) -> Tensor:
        """Features at the base size, of (n, layers, w) [and a noise map]."""
        style = self.styles[0](w[:, 1])
        with self.autocast():
            if noise is None:
                x = self.start_constant.expand(w.shape[0], *self.start_constant.shape[1:])
            else:
                x = self.start_noise(noise)
            return self.blocks[0](x, style)

    def numbers(self, features: Tensor, w: Tensor) -> Tensor:
        """(n, numbers) read off the trunk's features."""
        pooled = leaky(features).flatten(2).mean(2).float()
        return self.head_second(leaky(self.head_first(torch.cat([pooled, w[:, 1]], 1))))

    def refined(self, linear: LinearModel, w: Tensor, correction: Tensor) -> Tensor:
        """(n, width) coefficients of the linear model, corrected by the trunk."""
        settings = self.settings
        start = settings.w_dim + settings.z_dim
        latent, condition = w[:, 0, settings.w_dim : start], w[:, 0, start:]
        return linear.coefficients(latent, condition) + correction

    def synthesis(self, w: Tensor, noise: Tensor | None = None) -> dict[str, Tensor]:
        """Raw sample of (n, layers, w) [and a (n, width, *base size) noise map]."""
        domain = self.domain
        x = features = self.trunk(w, noise)
        styles = [style(w[:, 2 + i]) for i, style in enumerate(list(self.styles)[1:])]
        with self.autocast():
            for narrow, block, style in zip(self.narrow, list(self.blocks)[1:], styles, strict=True):
                x = block(upsample(narrow(x)), style)
            signals = self.to_signals(leaky(x))
        signals = signals.float()
        size = domain.network_size
        while domain.size is not None and size < domain.size:
            signals = smooth_upsample(signals, domain.wraps)
            size *= 2
        residual = named_parts(signals, domain.signals)
        if domain.linear is not None:
            return domain.combine(domain.linear(self.refined(domain.linear, w, self.numbers(features, w))), residual)
        if domain.vectors:
            residual |= named_parts(self.numbers(features, w), domain.vectors)
        return residual

    def layered(self, z: Tensor, condition: Tensor) -> Tensor:
        """(n, layers, w) for training, from physical conditions, without truncation."""
        w = self.mapping(z, self.domain.standardise(condition), torch.ones(1, device=z.device))
        return w[:, None].expand(-1, self.layers, -1)

    def noise(self, count: int, state: torch.Generator) -> Tensor | None:
        """(count, width, *base size) normals that a size-free generator starts from; None for the others."""
        if self.domain.size is not None:
            return None
        return torch.randn(count, self.settings.width, *[BASE_SIZE] * len(self.domain.wraps), generator=state)

    def sample(self, z: Tensor, condition: Tensor, noise: Tensor | None = None) -> dict[str, Tensor]:
        """Raw sample for training, from physical conditions."""
        return self.synthesis(self.layered(z, condition), noise)

    def forward(
        self, z: Tensor, condition: Tensor, truncation: Tensor, w_offset: Tensor, noise: Tensor | None = None
    ) -> dict[str, Tensor]:
        """The model file's graph: (n, z_dim), (n, c_dim) physical, (1,), (n, layers, w) -> outputs by name."""
        w = self.mapping(z, self.domain.standardise(condition), truncation)
        return self.domain.finish(self.synthesis(w[:, None] + w_offset, noise))
