"""The core's discriminator: one score per sample, given its conditions."""

from __future__ import annotations

from torch import Tensor, nn

from .base import BaseDiscriminator, NetworkSettings
from .domain import Domain
from .layers import Block, Conv, Dense, downsample, leaky

LAST_SIZE = 4


class Discriminator(BaseDiscriminator):
    """Residual blocks at halving sizes, then a score plus a projection on the conditions.

    Source: Miyato and Koyama (2018), "cGANs with Projection Discriminator".
    """

    def __init__(self, domain: Domain, settings: NetworkSettings) -> None:
        super().__init__()
        self.domain = domain
        size = domain.view_size
        channels = settings.channels(size, size)
        self.from_view = Conv(domain.view_channels, channels, domain.wraps)
        self.blocks, self.widen = nn.ModuleList(), nn.ModuleList()
        while size > LAST_SIZE:
            size //= 2
            following = settings.channels(size, domain.view_size)
            self.blocks.append(Block(channels, domain.wraps))
            self.widen.append(Conv(channels, following, domain.wraps, 1) if following != channels else nn.Identity())
            channels = following
        self.last = Conv(channels, channels, domain.wraps)
        self.features = Dense(channels * LAST_SIZE ** len(domain.wraps), channels)
        self.score = Dense(channels, 1)
        self.embed = Dense(settings.c_dim, channels) if settings.c_dim else None

    def forward(self, view: Tensor, condition: Tensor) -> Tensor:
        """Return (n,) scores of (n, view_channels, *view_size) views under (n, c_dim) physical conditions."""
        with self.autocast():
            x = self.from_view(view)
            for block, widen in zip(self.blocks, self.widen, strict=True):
                x = widen(downsample(block(x)))
            x = leaky(self.last(leaky(x)))
        features = leaky(self.features(x.float().flatten(1)))
        score = self.score(features).squeeze(1)
        if self.embed is not None:
            embedded = self.embed(self.domain.standardise(condition))
            score = score + (embedded * features).sum(1) / features.shape[1] ** 0.5
        return score
