"""Turn networks, optimisers and random states into a checkpoint's content, and restore them from it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from .augmentation import AdaptiveStrength
from .batches import BatchSampler
from .networks import load_parameters


@dataclass(frozen=True)
class TrainerParts:
    """The parts of a trainer whose state a checkpoint holds.

    Attributes:
        modules: Networks by their names in a checkpoint.
        optimisers: Optimisers by their names in a checkpoint.
        sampler: Random states of batches and latents.
        augmentation: Strength of the augmentation.
    """

    modules: Mapping[str, torch.nn.Module]
    optimisers: Mapping[str, torch.optim.Optimizer]
    sampler: BatchSampler
    augmentation: AdaptiveStrength


def collect_state(parts: TrainerParts) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Return tensors by name, and a JSON-able dict."""
    tensors: dict[str, Tensor] = {}
    for name, module in parts.modules.items():
        tensors |= {f"{name}.{key}": value for key, value in module.named_parameters()}
    for name, optimiser in parts.optimisers.items():
        for index, values in optimiser.state_dict()["state"].items():
            tensors |= {f"{name}.{index}.{key}": torch.as_tensor(value) for key, value in values.items()}
    tensors["noise_state"] = parts.sampler.latent_state.get_state()
    numbers = {
        "augmentation": [parts.augmentation.strength, parts.augmentation.sign_mean],
        "batches_state": to_json_types(parts.sampler.index_state.bit_generator.state),
    }
    return {key: value.detach().cpu().contiguous().clone() for key, value in tensors.items()}, numbers


def restore_state(parts: TrainerParts, tensors: Mapping[str, Tensor], numbers: Mapping[str, Any]) -> None:
    """Restore what `collect_state` returned.

    Raises:
        InputError: The tensors don't fit the networks.
    """
    for name, module in parts.modules.items():
        load_parameters(module, tensors, f"{name}.")
    for name, optimiser in parts.optimisers.items():
        load_optimiser(optimiser, tensors, f"{name}.")
    parts.sampler.latent_state.set_state(tensors["noise_state"])
    parts.sampler.index_state.bit_generator.state = numbers["batches_state"]
    # Checkpoints of the first version have no augmentation.
    parts.augmentation.strength, parts.augmentation.sign_mean = numbers.get("augmentation", (0.0, 0.0))


def load_optimiser(optimiser: torch.optim.Optimizer, tensors: Mapping[str, Tensor], prefix: str) -> None:
    """Load an optimiser's state from the tensors named prefix + index + "." + field."""
    state: dict[int, dict[str, Tensor]] = {}
    for key, value in tensors.items():
        if key.startswith(prefix):
            index, field = key[len(prefix) :].split(".")
            state.setdefault(int(index), {})[field] = value
    optimiser.load_state_dict({"state": state, "param_groups": optimiser.state_dict()["param_groups"]})


def to_json_types(value: Any) -> Any:
    """Convert numpy scalars and arrays in nested dicts to JSON's types."""
    if isinstance(value, dict):
        return {key: to_json_types(item) for key, item in value.items()}
    if isinstance(value, np.ndarray):
        return value.tolist()
    return value.item() if isinstance(value, np.generic) else value
