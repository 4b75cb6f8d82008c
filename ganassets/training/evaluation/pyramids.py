"""Compare images by the sliced Wasserstein distance of patches on Laplacian pyramids, without any network.

Source: Karras et al. (2018), "Progressive Growing of GANs for Improved Quality, Stability, and Variation", section 5.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

# Side of a patch, patches per image and level, and random directions.
PATCH, PATCHES, DIRECTIONS = 7, 32, 128
# Smallest side of a level, in pixels.
MIN_SIDE = 16
# Most images of a set that are compared.
MOST_IMAGES = 512
# Smallest standard deviation of a channel, as a share of black to white, that differences are relative to.
LEAST_SPREAD = 2e-3
PERCENT = 100.0
# Weights of the blur before an image is halved.
BLUR = (1 / 16, 4 / 16, 6 / 16, 4 / 16, 1 / 16)


def blur(images: Tensor) -> Tensor:
    """Blur (n, c, h, w) images with binomial weights; borders are reflected."""
    channels = images.shape[1]
    weights = images.new_tensor(BLUR)
    kernel = torch.outer(weights, weights).expand(channels, 1, 5, 5)
    return functional.conv2d(functional.pad(images, (2, 2, 2, 2), mode="reflect"), kernel, groups=channels)


def laplacian_pyramid(images: Tensor) -> list[Tensor]:
    """Return the details of (n, c, h, w) images at each scale, the finest first; the last level is what remains."""
    levels = []
    while min(images.shape[-2:]) >= 2 * MIN_SIDE:
        smaller = blur(images)[..., ::2, ::2]
        larger = functional.interpolate(smaller, images.shape[-2:], mode="bilinear", align_corners=False)
        levels.append(images - larger)
        images = smaller
    return [*levels, images]


def draw_patches(images: Tensor, rng: np.random.Generator) -> Tensor:
    """Draw (n * PATCHES, c, PATCH, PATCH) patches of (n, c, h, w) images at random places."""
    n, _, h, w = images.shape
    side = min(PATCH, h, w)
    windows = images.unfold(2, side, 1).unfold(3, side, 1)
    which = np.repeat(np.arange(n), PATCHES)
    top, left = rng.integers(0, h - side + 1, len(which)), rng.integers(0, w - side + 1, len(which))
    return windows[which, :, top, left]


class PyramidReference:
    """Real images to compare others with.

    Args:
        images: (n, c, h, w) in [0, 1].
        seed: Seed of places and directions.
    """

    def __init__(self, images: NDArray[np.float32], seed: int = 0) -> None:
        self.seed = seed
        self.sides: list[int] = []
        self.spreads: list[tuple[Tensor, Tensor]] = []
        self.patches: list[Tensor] = []
        for number, level in enumerate(self.levels(images)):
            patches = draw_patches(level, np.random.default_rng([seed, number]))
            mean = patches.mean((0, 2, 3), keepdim=True)
            std = patches.std((0, 2, 3), keepdim=True).clamp_min(LEAST_SPREAD)
            self.sides.append(min(level.shape[-2:]))
            self.spreads.append((mean, std))
            self.patches.append(self.standardise(patches, number))

    @staticmethod
    def levels(images: NDArray[np.float32]) -> list[Tensor]:
        """Return the pyramid of at most MOST_IMAGES images."""
        return laplacian_pyramid(torch.from_numpy(np.array(images[:MOST_IMAGES], np.float32)))

    def standardise(self, patches: Tensor, number: int) -> Tensor:
        """Return (n, d) patches in units of the real images' deviations on that level."""
        mean, std = self.spreads[number]
        return ((patches - mean) / std).flatten(1)

    @torch.no_grad()
    def measure(self, images: NDArray[np.float32]) -> dict[int, float]:
        """Return the distance of (m, c, h, w) images of the same size by the side of the level, the finest first.

        A distance is the mean difference of sorted projections, in per cent of the real images' standard deviation.
        Unlike Karras et al., both sets are scaled by the real ones, so other colours and contrasts count.
        """
        found = {}
        for number, level in enumerate(self.levels(images)):
            # Other places than those of the reference, so that the reference itself isn't at 0.
            patches = self.standardise(draw_patches(level, np.random.default_rng([self.seed, number, 1])), number)
            found[self.sides[number]] = PERCENT * sliced_distance(self.patches[number], patches, self.seed + number)
        return found


def sliced_distance(a: Tensor, b: Tensor, seed: int) -> float:
    """Return the mean 1-Wasserstein distance of (n, d) and (m, d) vectors along random directions."""
    state = torch.Generator().manual_seed(seed)
    directions = functional.normalize(torch.randn(a.shape[1], DIRECTIONS, generator=state), dim=0)
    x, y = ((vectors @ directions).sort(0).values for vectors in (a, b))
    if len(x) != len(y):
        count = min(len(x), len(y))
        x, y = (functional.interpolate(v.T[None], count, mode="linear")[0].T for v in (x, y))
    return float((x - y).abs().mean())


def mean_level(distances: Mapping[int, float]) -> float:
    """Return the mean over the levels."""
    return float(np.mean(list(distances.values())))
