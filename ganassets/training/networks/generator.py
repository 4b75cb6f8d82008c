"""The core's generator: from latents to w, then residual networks on a linear model, then physical outputs."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager

import torch
from torch import Tensor, nn

from .base import BaseGenerator, NetworkSettings
from .domain import Domain
from .layers import Block, Conv, Dense, downsample, leaky, named_parts, smooth_upsample, upsample
from .linear import LinearModel

BASE_SIZE = 8
HEAD_WIDTH = 256
STYLE_GAIN = 0.3
# First doublings of a size-free generator, which interpolate; steps between its coarsest cells would show as blocks.
SMOOTH = 2


class NoiseInput(nn.Module):
    """Input of the noise map at one level of a size-free generator: a mix of its channels, modulated by w."""

    def __init__(self, domain: Domain, w_dim: int, channels: int) -> None:
        super().__init__()
        self.mix = Conv(domain.noise_channels, channels, domain.wraps, 1)
        self.style = Dense(w_dim, 2 * channels, gain=STYLE_GAIN)

    def forward(self, noise: Tensor, w: Tensor, autocast: Callable[[], AbstractContextManager]) -> Tensor:
        """Map a (n, noise_channels, *size) noise map and (n, w) to (n, channels, *size) features."""
        style = self.style(w)
        style = style.reshape(*style.shape, *[1] * (noise.ndim - 2))
        scale, shift = style.chunk(2, 1)
        with autocast():
            return self.mix(noise) * (1 + scale) + shift


class Generator(BaseGenerator):
    """The core's generator.

    w is the concatenation of a two-layer mapping of (z, condition), of z as the domain embeds it, and of the
    standardised condition. Layer 0, which makes the linear model's sample, reads the last two parts; each block, in
    layers 1 and up, reads all of w. Truncation pulls w towards its value at z = 0 under the same condition, so sliders
    keep their effect.
    """

    noise_scale: Tensor

    def __init__(self, domain: Domain, settings: NetworkSettings) -> None:
        # Only convolutions use autocast: in the small dense layers bfloat16 saves no time and costs accuracy.
        super().__init__(domain, settings)
        self.map_first = Dense(self.embedded_width + settings.c_dim, settings.w_dim)
        self.map_second = Dense(settings.w_dim, settings.w_dim)
        full_w = self.full_w_dim
        size = BASE_SIZE if domain.size is not None else domain.network_size // domain.stride
        channels = settings.channels(size, domain.network_size)
        self.entries = nn.ModuleList()
        if domain.size is None:
            # The mean of 2 or 4 white samples keeps its variance when it is scaled by the root of their number.
            scale = torch.ones(domain.noise_channels, *[1] * len(domain.wraps))
            scale[: domain.white_channels] = 2.0 ** (len(domain.wraps) / 2)
            self.register_buffer("noise_scale", scale, persistent=False)
            self.entries.append(NoiseInput(domain, full_w, channels))
        else:
            self.start_constant = nn.Parameter(torch.randn(1, channels, *[size] * len(domain.wraps)))
        self.blocks = nn.ModuleList([Block(channels, domain.wraps)])
        self.styles = nn.ModuleList([Dense(full_w, channels, gain=STYLE_GAIN)])
        self.narrow = nn.ModuleList()
        # Numbers rather than signals: corrections of the linear model's coefficients, which include the vectors, or the
        # vectors themselves.
        numbers = domain.linear.width if domain.linear is not None else sum(domain.vectors.values())
        if numbers:
            self.head_first = Dense(channels + full_w, HEAD_WIDTH)
            self.head_second = Dense(HEAD_WIDTH, numbers, gain=0.0)
        while size < domain.network_size:
            size *= 2
            following = settings.channels(size, domain.network_size)
            self.narrow.append(Conv(channels, following, domain.wraps, 1) if following != channels else nn.Identity())
            channels = following
            if domain.size is None:
                self.entries.append(NoiseInput(domain, full_w, channels))
            self.blocks.append(Block(channels, domain.wraps))
            self.styles.append(Dense(full_w, channels, gain=STYLE_GAIN))
        # It starts at zero, so the untrained generator is the linear model.
        self.factor = domain.size // domain.network_size if domain.subpixel and domain.size else 1
        within = self.factor ** len(domain.wraps)
        self.to_signals = Conv(channels, within * sum(domain.signals.values()), domain.wraps, 1, gain=0.0)

    @property
    def full_w_dim(self) -> int:
        """Length of w."""
        return self.settings.w_dim + self.embedded_width + self.settings.c_dim

    @property
    def embedded_width(self) -> int:
        """Length of an embedded latent."""
        return self.domain.embedded_width(self.settings.z_dim)

    @property
    def layers(self) -> int:
        """Number of layers that read w: layer 0, then the blocks."""
        return 1 + len(self.blocks)

    def mapping(self, z: Tensor, condition: Tensor, truncation: Tensor) -> Tensor:
        """Map (n, z_dim), standardised (n, c_dim) and (1,) to (n, w)."""

        def map_latent(latent: Tensor) -> Tensor:
            embedded = self.domain.embed(latent, condition)
            return self.map_second(leaky(self.map_first(torch.cat([embedded, condition], 1))))

        centre = map_latent(torch.zeros_like(z))
        embedded = self.domain.embed(truncation * z, condition)
        return torch.cat([centre + truncation * (map_latent(z) - centre), embedded, condition], 1)

    @property
    def reach(self) -> int:
        """Largest distance, in samples, over which the noise map of a size-free generator affects a sample.

        A block reaches 2 samples of its level, and an interpolating doubling 1 sample of the level that it doubles. One
        coarsest cell is added, because a sample may lie anywhere in its cell.
        """
        strides = [self.domain.stride >> level for level in range(len(self.blocks))]
        return sum(2 * stride for stride in strides) + sum(strides[:SMOOTH]) + strides[0]

    def trunk(self, w: Tensor, noise: Tensor | None) -> Tensor:
        """Return features at the base size from (n, layers, w), and from the noise map at that size if there is one."""
        style = self.styles[0](w[:, 1])
        if noise is None:
            x = self.start_constant.expand(w.shape[0], *self.start_constant.shape[1:])
        else:
            x = self.entries[0](noise, w[:, 1], self.autocast)
        with self.autocast():
            return self.blocks[0](x, style)

    def pyramid(self, noise: Tensor) -> list[Tensor]:
        """Average the noise map to the size of each block, coarsest first."""
        levels = [noise]
        for _ in self.narrow:
            levels.append(downsample(levels[-1]) * self.noise_scale)
        return levels[::-1]

    def numbers(self, features: Tensor, w: Tensor) -> Tensor:
        """Return (n, numbers) read from the trunk's features."""
        pooled = leaky(features).flatten(2).mean(2).float()
        return self.head_second(leaky(self.head_first(torch.cat([pooled, w[:, 1]], 1))))

    def refine_coefficients(self, linear: LinearModel, w: Tensor, correction: Tensor) -> Tensor:
        """Return (n, width) coefficients of the linear model with the trunk's correction added."""
        return linear.coefficients(*self.read_layer_zero(w)) + correction

    def read_layer_zero(self, w: Tensor) -> tuple[Tensor, Tensor]:
        """Return the (n, embedded_width) latent and (n, c) standardised condition that layer 0 reads."""
        settings = self.settings
        start = settings.w_dim + self.embedded_width
        return w[:, 0, settings.w_dim : start], w[:, 0, start:]

    def synthesis(self, w: Tensor, noise: Tensor | None = None) -> dict[str, Tensor]:
        """Generate raw samples from (n, layers, w), and from noise maps if there are any."""
        domain = self.domain
        levels = self.pyramid(noise) if noise is not None else []
        x = features = self.trunk(w, levels[0] if levels else None)
        styles = [style(w[:, 2 + i]) for i, style in enumerate(list(self.styles)[1:])]
        with self.autocast():
            for i, (narrow, style) in enumerate(zip(self.narrow, styles, strict=True), start=1):
                x = smooth_upsample(narrow(x), domain.wraps) if levels and i <= SMOOTH else upsample(narrow(x))
                if levels:
                    x = x + self.entries[i](levels[i], w[:, 1 + i], self.autocast)
                x = self.blocks[i](x, style)
            signals = self.to_signals(leaky(x))
        signals = signals.float()
        if self.factor > 1:
            signals = nn.functional.pixel_shuffle(signals, self.factor)
        size = domain.network_size * self.factor
        while domain.size is not None and size < domain.size:
            signals = smooth_upsample(signals, domain.wraps)
            size *= 2
        residual = named_parts(signals, domain.signals)
        if domain.linear is not None:
            coefficients = self.refine_coefficients(domain.linear, w, self.numbers(features, w))
            return domain.combine(domain.linear(coefficients), residual)
        if domain.vectors:
            residual |= named_parts(self.numbers(features, w), domain.vectors)
        return domain.centre(residual, domain.unstandardise(self.read_layer_zero(w)[1]))
