"""Load the training modules, which need the packages of the extra "train". Importing this loads none of them."""

from __future__ import annotations

import importlib
import os
from typing import Any

from ..api.errors import GanassetsError


def load_training(module: str, function: str) -> Any:
    """Import a function that needs the packages of the extra "train".

    Args:
        module: Full name of the module.
        function: Name of the function.

    Raises:
        GanassetsError: The packages are not installed.
    """
    # By default OpenMP's threads spin while they wait, which makes a run several times slower on a busy machine.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    try:
        return getattr(importlib.import_module(module), function)
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("ganassets"):
            raise
        raise GanassetsError(
            f'this needs {error.name}, which is not installed; install it with pip install "ganassets[train]".'
        ) from error
