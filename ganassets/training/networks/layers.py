"""Layers for 1-D signals (time) and 2-D signals (height and width), whose axes wrap or not."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import accumulate

import torch
from torch import Tensor, nn
from torch.nn import functional


def wrap_pad(x: Tensor, wraps: Sequence[bool], amount: int) -> Tensor:
    """Pad the wrapping axes of (n, c, *size) circularly by `amount` at both ends.

    It is written with slices and a concatenation, because many runtimes lack ONNX's Pad with mode "wrap".
    """
    for axis, wrapping in enumerate(wraps, start=2):
        if wrapping:
            length = x.shape[axis]
            x = torch.cat([x.narrow(axis, length - amount, amount), x, x.narrow(axis, 0, amount)], axis)
    return x


class Conv(nn.Module):
    """Convolution over 1 or 2 axes that keeps the size: wrapping axes are padded circularly, others with zeros."""

    def __init__(self, inputs: int, outputs: int, wraps: Sequence[bool], kernel: int = 3, *, gain: float = 1.0) -> None:
        super().__init__()
        self.wraps = tuple(wraps)
        self.reach = kernel // 2
        padding = tuple(0 if wrapping else self.reach for wrapping in wraps)
        if len(wraps) == 1:
            self.conv = nn.Conv1d(inputs, outputs, kernel, padding=padding[0])
        else:
            self.conv = nn.Conv2d(inputs, outputs, kernel, padding=(padding[0], padding[1]))
        nn.init.normal_(self.conv.weight, std=gain / math.sqrt(inputs * kernel ** len(wraps)))
        if self.conv.bias is not None:
            nn.init.zeros_(self.conv.bias)

    def forward(self, x: Tensor) -> Tensor:
        """Map (n, inputs, *size) to (n, outputs, *size)."""
        return self.conv(wrap_pad(x, self.wraps, self.reach) if self.reach else x)


def upsample(x: Tensor) -> Tensor:
    """Double each axis of (n, c, *size) by nearest neighbour, the fastest way in channels-last memory."""
    return functional.interpolate(x, scale_factor=2.0, mode="nearest")


def smooth_upsample(x: Tensor, wraps: Sequence[bool]) -> Tensor:
    """Double each axis of (n, c, *size) by linear interpolation (3/4 and 1/4); edges are repeated or wrapped."""
    for axis, wrapping in enumerate(wraps, start=2):
        length = x.shape[axis]
        first, last = x.narrow(axis, 0, 1), x.narrow(axis, length - 1, 1)
        before, after = (last, first) if wrapping else (first, last)
        left = torch.cat([before, x.narrow(axis, 0, length - 1)], axis)
        right = torch.cat([x.narrow(axis, 1, length - 1), after], axis)
        x = torch.stack([0.75 * x + 0.25 * left, 0.75 * x + 0.25 * right], axis + 1).flatten(axis, axis + 1)
    return x


def downsample(x: Tensor) -> Tensor:
    """Halve each axis of (n, c, *size) by means of neighbours."""
    return functional.avg_pool1d(x, 2) if x.ndim == 3 else functional.avg_pool2d(x, 2)


def coarse_and_fine(image: Tensor, factor: int) -> tuple[Tensor, Tensor]:
    """Split images into coarse means and fine differences.

    Args:
        image: (n, c, h, w).
        factor: Samples along each side of a mean; divides h and w.

    Returns:
        (n, c, h / factor, w / factor) means, and (n, c * factor**2, h / factor, w / factor) differences of the samples
        from their mean.
    """
    coarse = functional.avg_pool2d(image, factor)
    detail = image - functional.interpolate(coarse, scale_factor=factor, mode="nearest")
    return coarse, functional.pixel_unshuffle(detail, factor)


def named_parts(x: Tensor, widths: Mapping[str, int]) -> dict[str, Tensor]:
    """Split (n, c, ...) into consecutive channels by name.

    It is written with slices, because ONNX's version converter can't convert Split to the opsets of game engines.

    Args:
        x: (n, c, ...).
        widths: Number of channels by name.
    """
    starts = accumulate(widths.values(), initial=0)
    return {name: x.narrow(1, start, width) for (name, width), start in zip(widths.items(), starts, strict=False)}


def leaky(x: Tensor) -> Tensor:
    """Apply a leaky ReLU of slope 0.2, scaled to keep the variance of a normal input."""
    return functional.leaky_relu(x, 0.2) * math.sqrt(2 / (1 + 0.2**2))


class Dense(nn.Module):
    """Linear layer with normal initialisation of a gain."""

    def __init__(self, inputs: int, outputs: int, *, gain: float = 1.0) -> None:
        super().__init__()
        self.linear = nn.Linear(inputs, outputs)
        nn.init.normal_(self.linear.weight, std=gain / math.sqrt(inputs))
        nn.init.zeros_(self.linear.bias)

    def forward(self, x: Tensor) -> Tensor:
        """Map (n, inputs) to (n, outputs)."""
        return self.linear(x)


class Block(nn.Module):
    """Residual block of two convolutions; the second starts at zero, so an untrained block is the identity."""

    def __init__(self, channels: int, wraps: Sequence[bool]) -> None:
        super().__init__()
        self.first = Conv(channels, channels, wraps)
        self.second = Conv(channels, channels, wraps, gain=0.0)

    def forward(self, x: Tensor, style: Tensor | None = None) -> Tensor:
        """Transform (n, channels, *size); with a (n, channels) style, the input's channels are scaled by 1 + style."""
        y = leaky(x)
        if style is not None:
            y = y * (1 + style).to(y.dtype).reshape(*y.shape[:2], *[1] * (y.ndim - 2))
        return x + self.second(leaky(self.first(y)))
