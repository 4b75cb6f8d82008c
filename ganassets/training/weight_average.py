"""The exponential moving average (EMA) of a generator's weights, which is what a run exports."""

from __future__ import annotations

import copy

import torch
from torch import nn

from .networks import BaseGenerator


def copy_for_average(generator: BaseGenerator) -> BaseGenerator:
    """Return a copy of the generator that takes no gradients."""
    return copy.deepcopy(generator).requires_grad_(False)


@torch.no_grad()
def update_average(average: nn.Module, network: nn.Module, decay: float) -> None:
    """Move each averaged weight towards the network's by 1 - decay."""
    for slow, fast in zip(average.parameters(), network.parameters(), strict=True):
        slow.lerp_(fast, 1 - decay)
