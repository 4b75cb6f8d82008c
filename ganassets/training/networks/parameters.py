"""Count a network's parameters and load them from tensors by name."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor, nn

from ...api.errors import InputError


def count_parameters(module: nn.Module) -> int:
    """Return the number of trainable numbers of a module."""
    return sum(p.numel() for p in module.parameters() if p.requires_grad)


def load_parameters(
    module: nn.Module, tensors: Mapping[str, Tensor], prefix: str, source: str = "the checkpoint"
) -> None:
    """Copy the tensors named prefix + parameter into a network.

    Args:
        module: Network to fill.
        tensors: Tensors by name; others than the network's are ignored.
        prefix: Start of the names of this network's tensors.
        source: Where the tensors come from, for the error message.

    Raises:
        InputError: A tensor is missing or has another shape.
    """
    for key, parameter in module.named_parameters():
        tensor = tensors.get(prefix + key)
        if tensor is None or tensor.shape != parameter.shape:
            raise InputError(f"{source} does not fit this network ({prefix + key}).")
        parameter.data.copy_(tensor)
