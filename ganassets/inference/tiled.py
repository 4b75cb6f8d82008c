"""A large map in windows that overlap, where memory is short: the same result as in one piece. numpy only."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float32]


@dataclass(frozen=True)
class Span:
    """A window's part of one axis: samples `start` to `stop` of the result, computed with `margin` on both sides."""

    start: int
    stop: int
    margin: int


def spans(length: int, window: int, stride: int, reach: int) -> list[Span]:
    """Windows along one axis; all they compute starts and ends on a multiple of stride.

    Args:
        length: of the axis, a multiple of stride.
        window: samples to compute at once, margins included; as few as the margins leave one stride between them.
        stride: of the generator.
        reach: samples that the generator looks beyond a sample, see Generator.reach.
    """
    margin = -(-reach // stride) * stride
    core = max((window - 2 * margin) // stride * stride, stride)
    if length <= core + 2 * margin:  # the whole is no more than a window
        return [Span(0, length, 0)]
    cells, count = length // stride, -(-length // core)
    core = -(-cells // count) * stride  # even windows overlap least
    return [Span(start, min(start + core, length), margin) for start in range(0, length, core)]


def windows(size: Sequence[int], window: int, stride: int, reach: int) -> Iterator[tuple[Span, ...]]:
    """All windows of a map of that size."""
    return itertools.product(*(spans(length, window, stride, reach) for length in size))


def run_in_windows(
    run: Callable[[FloatArray], Mapping[str, FloatArray]],
    noise: FloatArray,
    window: int,
    stride: int,
    reach: int,
) -> dict[str, FloatArray]:
    """Outputs of a size-free generator for a wrapping noise map.

    Args:
        run: noise maps (n, channels, *part) -> outputs (n, channels, *part) by name.
        noise: (n, channels, *size).
        window: samples of an axis to compute at once.
        stride, reach: of the generator.
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
