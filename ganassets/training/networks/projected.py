"""A discriminator that reads the features of a frozen pretrained network (Projected GAN)."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from ..perceptual import load_perceptual
from .base import BaseDiscriminator
from .domain import Domain

# Channels of a head, and the size of the map of scores that it ends with.
HEAD_CHANNELS, LAST_SIZE = 32, 4
# Features larger than this are averaged to half their size first.
LARGE = 32
# Seed of the fixed mixing of channels, which is the same in every run.
MIXING_SEED = 1
# Brightness behind transparent pixels.
GREY = 0.5
# Images of noise that the spread of features is measured on.
NOISE_IMAGES = 4


class FeatureHead(nn.Module):
    """Scores of places from one level of features, whose channels are mixed at random first.

    The mixing keeps a head from looking at the few channels that tell most.

    Args:
        channels: Channels of the features.
        size: Places along each axis of the features.
        level: Number of the level, for the random mixing.
    """

    mixing: Tensor

    def __init__(self, channels: int, size: int, level: int) -> None:
        super().__init__()
        state = torch.Generator().manual_seed(MIXING_SEED + level)
        mixing = torch.randn(channels, HEAD_CHANNELS, generator=state) / math.sqrt(channels)
        self.register_buffer("mixing", mixing, persistent=False)
        self.halves = size > LARGE
        size //= 2 if self.halves else 1
        layers: list[nn.Module] = []
        while size > LAST_SIZE:
            layers += [nn.Conv2d(HEAD_CHANNELS, HEAD_CHANNELS, 4, 2, 1), nn.LeakyReLU(0.2)]
            size //= 2
        layers += [nn.Conv2d(HEAD_CHANNELS, HEAD_CHANNELS, 3, 1, 1), nn.LeakyReLU(0.2), nn.Conv2d(HEAD_CHANNELS, 1, 1)]
        self.layers = nn.Sequential(*layers)

    def forward(self, features: Tensor) -> Tensor:
        """Return (n, places) scores of (n, channels, h, w) features."""
        if self.halves:
            features = functional.avg_pool2d(features, 2)
        # A product of matrices, because torch's 1 x 1 convolution of features in this memory format is slow.
        mixed = (features.movedim(1, -1) @ self.mixing).movedim(-1, 1)
        return self.layers(mixed).flatten(1)


class ProjectedDiscriminator(BaseDiscriminator):
    """Heads on several levels of the features of an image.

    The feature network is no part of the module, so checkpoints don't hold it.

    Source: Sauer et al. (2021), "Projected GANs Converge Faster".

    Args:
        domain: Domain with images, see Domain.images.
    """

    def __init__(self, domain: Domain) -> None:
        super().__init__()
        assert domain.size is not None
        self.domain = domain
        levels = features_of_noise(domain.size)
        self.spreads = [float(level.std()) for level in levels]
        self.heads = nn.ModuleList(FeatureHead(f.shape[1], f.shape[2], i) for i, f in enumerate(levels))

    def scores(self, features: Sequence[Tensor]) -> Tensor:
        """Return (n, places) scores of the places of all levels of features of images."""
        levels = zip(self.heads, features, self.spreads, strict=True)
        return torch.cat([head(level / spread) for head, level, spread in levels], 1)

    def forward(self, view: Tensor, condition: Tensor) -> Tensor:
        """Return (n,) scores of (n, view_channels, *view_size) views, whatever their conditions."""
        del condition
        images = self.domain.images(view, view.new_full((len(view), 3, 1, 1), GREY))
        return self.scores(load_perceptual(view.device)(images)).mean(1)


def features_of_noise(size: int) -> list[Tensor]:
    """Return features of images of uniform noise, always the same."""
    state = torch.Generator().manual_seed(MIXING_SEED)
    with torch.no_grad():
        return load_perceptual(torch.device("cpu"))(torch.rand(NOISE_IMAGES, 3, size, size, generator=state))
