"""Distances between raw samples by the features of the pretrained network, over the images that a domain shows it."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from .networks import Domain
from .perceptual import feature_distance, load_perceptual, sliced_wasserstein

# Side of the patches of texels that are compared beside the features, for grain.
PATCH = 3
# Weight of the features of all images together, which keep the maps aligned, beside those of each image.
JOINT_WEIGHT = 0.5


class FeatureLosses:
    """Feature distances of one domain.

    Args:
        domain: Shows the feature network its images; see Domain.feature_views.
        state: Random state of directions and places.
    """

    def __init__(self, domain: Domain, state: torch.Generator) -> None:
        self.domain, self.state = domain, state
        self.network = load_perceptual(domain.condition_mean.device)

    def distance(self, fakes: dict[str, Tensor], reals: dict[str, Tensor]) -> Tensor:
        """Return the mean feature distance of raw samples, each with its own real one."""
        return feature_distance(*self._features(*map(self.domain.feature_views, (fakes, reals))))

    def matching(self, fakes: dict[str, Tensor], reals: dict[str, Tensor]) -> Tensor:
        """Return the distance between the distributions of features, and of patches of texels, over all places.

        Features of the same place in all images are also compared together, so that maps stay aligned.
        """
        views, real_views = map(self.domain.feature_views, (fakes, reals))
        found, expected = self._features(views, real_views)
        count = len(next(iter(fakes.values())))
        total = torch.zeros((), device=found[0].device)
        for a, b in zip(found, expected, strict=True):
            parts = list(zip(a.split(count), b.split(count), strict=True))
            total = total + sum(sliced_wasserstein(p, q, self.state) for p, q in parts) / len(parts)
            together, real_together = (torch.cat(x.split(count), 1) for x in (a, b))
            total = total + JOINT_WEIGHT * sliced_wasserstein(together, real_together, self.state)
        grain, real_grain = (patches(torch.cat(images, 1)) for images in (views, real_views))
        return (total + sliced_wasserstein(grain, real_grain, self.state)) / (len(found) + 1)

    def _features(self, views: list[Tensor], real_views: list[Tensor]) -> tuple[list[Tensor], list[Tensor]]:
        """Return the features of both, all images of a domain one after the other."""
        with torch.no_grad():
            expected = self.network(torch.cat(real_views))
        return self.network(torch.cat(views)), expected


def patches(images: Tensor) -> Tensor:
    """Return the (n, 9 c, h - 2, w - 2) patches of 3 x 3 texels of (n, c, h, w) images."""
    height, width = (side - PATCH + 1 for side in images.shape[2:])
    return functional.unfold(images, PATCH).reshape(len(images), -1, height, width)
