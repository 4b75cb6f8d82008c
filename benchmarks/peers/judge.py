"""Measure how near samples are to the training images, and whether they copy them."""

from __future__ import annotations

import numpy as np
import torch
from images import Images
from PIL import Image

from ganassets.training.evaluation.features import ImageFeatures, image_features
from ganassets.training.evaluation.measures import (
    frechet_distance,
    nearest,
    nearest_others,
    neighbourhoods,
    pairwise_distance,
    principal_axes,
)

SAMPLES = 256
# Number of principal axes of the reference; few images don't determine the covariance of more.
AXES = 64
# Number of samples in a grid.
SHOWN = 32


class SampleJudge:
    """Measure samples against a reference (n, 3, size, size) uint8, the same for every contender."""

    def __init__(self, reference: Images) -> None:
        self.network = ImageFeatures()
        self.real = image_features(self.network, (reference / 255).astype(np.float32))
        self.mean, self.axes = principal_axes(self.real, AXES)
        self.apart = nearest_others(self.real)

    def measures(self, samples: torch.Tensor) -> dict[str, float]:
        """Measure (n, 3, size, size) samples in [0, 1].

        - "fd": Frechet distance of the features along the reference's axes. The other measures use all dimensions,
          because along the axes of few images everything looks as near to them as they are to each other.
        - "precision" and "recall": see Neighbourhoods.
        - "spread": mean distance between two samples, divided by that of two real images.
        - "nearest": median distance to the nearest training image, divided by that of real images to each other.
        - "copies": share of samples nearer to a training image than all but 1 % of real images are to another.
        """
        fake = image_features(self.network, samples.numpy())
        along = [(features - self.mean) @ self.axes for features in (self.real, fake)]
        near, _ = nearest(self.real, fake)
        around = neighbourhoods(self.real, fake)
        values = {
            "fd": frechet_distance(*along),
            "precision": around.precision,
            "recall": around.recall,
            "spread": pairwise_distance(fake) / pairwise_distance(self.real),
            "nearest": np.median(near) / np.median(self.apart),
            "copies": (near < np.percentile(self.apart, 1)).mean(),
        }
        return {name: round(float(value), 4) for name, value in values.items()}


def draw_grid(samples: torch.Tensor, columns: int = 8) -> Image.Image:
    """Draw the first samples, row by row."""
    rows = [torch.cat(list(row), 2) for row in samples[:SHOWN].split(columns)]
    sheet = torch.cat(rows, 1)
    return Image.fromarray((sheet * 255).round().byte().permute(1, 2, 0).numpy())
