"""The generator of materials from exemplars: a layout of the exemplars' cells, decoded and completed by a network."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from ganassets.training.networks import BaseGenerator, NetworkSettings
from ganassets.training.networks.layers import Block, Conv, Dense, downsample, leaky, named_parts, upsample

from .cells import BLEND, CELL, MAP_CHANNELS, OFFSETS, OTHER, PLACE, VALUES, WHITE
from .decoder import read_decoder
from .domain import ExemplarDomain

# Channels and number of blocks at a cell, at half a cell, and at a texel.
CHANNELS, BLOCKS = (96, 48, 24), (3, 2, 1)
STYLE_GAIN, OUTPUT_GAIN = 0.3, 0.25
WRAPS = (True, True)


class Level(nn.Module):
    """Residual blocks at one size, with the noise of that size, modulated by w."""

    def __init__(self, before: int, channels: int, blocks: int, w_dim: int) -> None:
        super().__init__()
        self.narrow = Conv(before, channels, WRAPS, 1)
        self.noise = Conv(1, channels, WRAPS, 1)
        self.blocks = nn.ModuleList([Block(channels, WRAPS) for _ in range(blocks)])
        self.styles = nn.ModuleList([Dense(w_dim, channels, gain=STYLE_GAIN) for _ in range(blocks)])

    def forward(self, x: Tensor, noise: Tensor, w: Tensor) -> Tensor:
        """Map (n, before, h, w), a (n, 1, h, w) noise map and (n, w) to (n, channels, h, w)."""
        x = self.narrow(x) + self.noise(noise)
        for block, style in zip(self.blocks, self.styles, strict=True):
            x = block(x, style(w))
        return x


class ExemplarGenerator(BaseGenerator):
    """Decodes a layout of the exemplars' cells.

    The principal components of the cells give a first picture, whose untrained completion is zero. The network adds
    what the components lack, closes seams, and varies grain with the noise.
    """

    domain: ExemplarDomain

    def __init__(self, domain: ExemplarDomain, settings: NetworkSettings) -> None:
        super().__init__(domain, settings)
        self.map_first = Dense(settings.z_dim + settings.c_dim, settings.w_dim)
        self.map_second = Dense(settings.w_dim, settings.w_dim)
        self.entry = Conv(VALUES + 1, CHANNELS[0], WRAPS)
        before = (CHANNELS[0], *CHANNELS[:-1])
        self.levels = nn.ModuleList(
            [Level(*sizes, self.full_w_dim) for sizes in zip(before, CHANNELS, BLOCKS, strict=True)]
        )
        self.to_maps = Conv(CHANNELS[-1], MAP_CHANNELS, WRAPS, gain=0.0)

    @property
    def full_w_dim(self) -> int:
        """Length of w."""
        return self.settings.w_dim

    @property
    def layers(self) -> int:
        """Number of layers that read w: one for each level."""
        return len(CHANNELS)

    @property
    def reach(self) -> int:
        """Texels over which the noise map affects a texel: the convolutions' reach at each level, and one cell."""
        strides = [CELL >> level for level in range(len(CHANNELS))]
        return strides[0] + sum(2 * blocks * stride for blocks, stride in zip(BLOCKS, strides, strict=True)) + 1 + CELL

    def mapping(self, z: Tensor, condition: Tensor, truncation: Tensor) -> Tensor:
        """Map (n, z_dim), standardised (n, c_dim) and (1,) to (n, w)."""

        def map_latent(latent: Tensor) -> Tensor:
            return self.map_second(leaky(self.map_first(torch.cat([latent, condition], 1))))

        centre = map_latent(torch.zeros_like(z))
        return centre + truncation * (map_latent(z) - centre)

    def synthesis(self, w: Tensor, noise: Tensor | None = None) -> dict[str, Tensor]:
        """Generate raw samples from (n, layers, w) and (n, noise_channels, h, w) noise maps."""
        assert noise is not None
        coarse = noise[:, :, ::CELL, ::CELL]
        blend = noise[:, BLEND]
        first, second = (self.domain.maps_at(coarse[:, channel]) for channel in (PLACE, OTHER))
        start = first + blend * (second - first) + spread_cells(coarse[:, OFFSETS])
        return named_parts(start + self.complete(start, blend, noise[:, WHITE], w), self.domain.signals)

    def complete(self, start: Tensor, blend: Tensor, white: Tensor, w: Tensor) -> Tensor:
        """Return the (n, 6, h, w) maps to add to the first picture.

        Args:
            start: (n, 6, h, w) first picture.
            blend: (n, 1, h, w) share of the second cell, which shows where seams are.
            white: (n, 1, h, w) white noise.
            w: (n, layers, w).
        """
        seam = functional.avg_pool2d(4 * blend * (1 - blend), CELL)
        cells = functional.pixel_unshuffle(start, CELL)
        fine = [white]
        while len(fine) < len(CHANNELS):
            fine.append(2 * downsample(fine[-1]))  # the mean of four keeps its variance
        with self.autocast():
            x = self.entry(torch.cat([cells, seam], 1))
            for index, level in enumerate(self.levels):
                x = level(upsample(x) if index else x, fine[-1 - index], w[:, index])
            completion = self.to_maps(leaky(x))
        return OUTPUT_GAIN * completion.float()


def spread_cells(values: Tensor) -> Tensor:
    """Enlarge (n, c, rows, columns) from cells to texels by linear interpolation, wrapping."""
    wrapped = functional.pad(values, (1, 1, 1, 1), mode="circular")
    larger = functional.interpolate(wrapped, scale_factor=float(CELL), mode="bilinear", align_corners=False)
    return larger[:, :, CELL:-CELL, CELL:-CELL]


def make_exemplar_generator(domain: ExemplarDomain, settings: NetworkSettings) -> ExemplarGenerator:
    """Build a generator that starts from the decoder that ships with the plugin."""
    generator = ExemplarGenerator(domain, settings)
    parameters = dict(generator.named_parameters())
    with torch.no_grad():
        for name, array in read_decoder().items():
            parameters[name].copy_(torch.from_numpy(array))
    return generator
