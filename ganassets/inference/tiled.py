"""Tiled inference: run a size-free generator in overlapping windows, with the same result as in one piece."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float32]


@dataclass(frozen=True)
class Span:
    """A window along one axis: samples `start` to `stop` of the result, computed with a `margin` on both sides."""

    start: int
    stop: int
    margin: int


def spans(length: int, window: int, stride: int, reach: int) -> list[Span]:
    """Divide one axis into windows that start and end on multiples of the stride.

    Args:
        length: Length of the axis, in samples; a multiple of stride.
        window: Samples to compute at once, margins included; at least one stride between the margins is computed.
        stride: Stride of the generator, in samples.
        reach: Samples beyond an output sample that influence it; see Generator.reach.
    """
    margin = -(-reach // stride) * stride
    core = max((window - 2 * margin) // stride * stride, stride)
    if length <= core + 2 * margin:  # one window holds the whole axis
        return [Span(0, length, 0)]
    cells, count = length // stride, -(-length // core)
    core = -(-cells // count) * stride  # windows of equal size overlap least
    return [Span(start, min(start + core, length), margin) for start in range(0, length, core)]


def windows(size: Sequence[int], window: int, stride: int, reach: int) -> Iterator[tuple[Span, ...]]:
    """Return all windows of a map of a size."""
    return itertools.product(*(spans(length, window, stride, reach) for length in size))


def run_in_windows(
    run: Callable[[FloatArray], Mapping[str, FloatArray]],
    noise: FloatArray,
    window: int,
    stride: int,
    reach: int,
) -> dict[str, FloatArray]:
    """Run a size-free generator on a wrapping noise map, window by window.

    Args:
        run: noise maps (n, channels, *part) -> outputs (n, channels, *part) by name.
        noise: (n, channels, *size).
        window: Samples of an axis to compute at once.
        stride: Stride of the generator, in samples.
        reach: Samples beyond an output sample that influence it.

    Returns:
        Outputs (n, channels, *size) by name.
    """
    size = noise.shape[2:]
    out: dict[str, FloatArray] = {}
    for window_spans in windows(size, window, stride, reach):
        part = noise
        for axis, span in enumerate(window_spans, start=2):
            index = np.arange(span.start - span.margin, span.stop + span.margin) % noise.shape[axis]
            part = part.take(index, axis)
        inner = tuple(slice(span.margin, span.margin + span.stop - span.start) for span in window_spans)
        place = tuple(slice(span.start, span.stop) for span in window_spans)
        for name, values in run(part).items():
            whole = out.setdefault(name, np.empty((*values.shape[:2], *size), np.float32))
            whole[..., *place] = values[..., *inner]
    return out
