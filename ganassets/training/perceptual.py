"""Compare images by the features of a frozen pretrained network (EfficientNet-Lite0), with gradients.

A fresh discriminator needs far more images than a laptop sees in an evening. These features know edges, corners,
textures and parts already, so distances between them teach from the first step.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import torch
from torch import Tensor, nn
from torch.nn import functional

from .pretrained import load_efficientnet

# Blocks after which features are read, beside the stem: at 1/2, 1/4, 1/8, 1/16 and 1/16 of the input's size.
BLOCKS = (0, 2, 4, 7, 10)
# Positions that are compared at most; more would cost sorting time and change little.
MOST_POSITIONS = 4096
# Random directions of a sliced distance.
DIRECTIONS = 32
TINY = 1e-6


class PerceptualNetwork(nn.Module):
    """The first blocks of the pretrained network, frozen."""

    def __init__(self, blocks: Sequence[int] = BLOCKS) -> None:
        super().__init__()
        network = load_efficientnet()
        self.blocks_read = tuple(blocks)
        self.stem, self.norm = network._conv_stem, network._bn0
        self.blocks = nn.ModuleList(list(network._blocks)[: max(blocks) + 1])
        self.eval().requires_grad_(False)
        self.to(memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue]

    def forward(self, images: Tensor) -> list[Tensor]:
        """Return feature maps (n, c, h, w) of (n, 3, h, w) images in [0, 1], the finest first."""
        x = ((images * 255 - 127) / 128).contiguous(memory_format=torch.channels_last)
        x = functional.relu6(self.norm(self.stem(x)))
        found = [x]
        for index, block in enumerate(self.blocks):
            x = block(x)
            if index in self.blocks_read:
                found.append(x)
        return found


@cache
def load_perceptual(device: torch.device) -> PerceptualNetwork:
    """Return the feature network on a device; it is loaded once in a process.

    Raises:
        GanassetsError: Its packages are not installed.
    """
    return PerceptualNetwork().to(device)


def feature_distance(fake: Sequence[Tensor], real: Sequence[Tensor]) -> Tensor:
    """Return the mean over levels of the mean absolute difference of features, relative to their size."""
    parts = [(a - b).abs().mean() / (b.abs().mean() + TINY) for a, b in zip(fake, real, strict=True)]
    return torch.stack(parts).mean()


def random_directions(channels: int, count: int, state: torch.Generator, like: Tensor) -> Tensor:
    """Return (channels, count) random unit vectors."""
    directions = torch.randn(channels, count, generator=state)
    return functional.normalize(directions, dim=0).to(like)


def sliced_wasserstein(fake: Tensor, real: Tensor, state: torch.Generator) -> Tensor:
    """Compare the distributions of feature vectors over all images and places.

    Source: Heitz et al. (2021), "A Sliced Wasserstein Loss for Neural Texture Synthesis". Along random directions both
    sets are sorted; the distance is the mean squared difference, relative to the variance of the real features.

    Args:
        fake: (n, c, h, w) features.
        real: The same shape.
        state: Random state of directions and places.
    """
    channels = fake.shape[1]
    a, b = (x.permute(0, 2, 3, 1).reshape(-1, channels) for x in (fake, real))
    if len(a) > MOST_POSITIONS:
        a, b = (x[torch.randperm(len(x), generator=state)[:MOST_POSITIONS].to(x.device)] for x in (a, b))
    directions = random_directions(channels, min(channels, DIRECTIONS), state, a)
    difference = (a @ directions).sort(0).values - (b @ directions).sort(0).values
    return difference.square().mean() / (b.var(0).mean() + TINY)


def sliced_wasserstein_by_place(fake: Tensor, real: Tensor, state: torch.Generator) -> Tensor:
    """Compare the distributions of feature vectors over the images of a batch, each place with itself.

    For pictures whose parts have their place, such as faces. The result is relative to the size of real features.

    Args:
        fake: (n, c, h, w) features.
        real: The same shape.
        state: Random state of the directions.
    """
    directions = random_directions(fake.shape[1], min(fake.shape[1], DIRECTIONS // 4), state, fake)
    a, b = (torch.einsum("nchw,ck->nkhw", x, directions).sort(0).values for x in (fake, real))
    return (a - b).abs().mean() / (b.abs().mean() + TINY)
