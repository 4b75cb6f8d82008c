"""Find runs of frames in which something holds, average tracks over them, and fade corrections around them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.floating]
Bools = NDArray[np.bool_]


def last_true(marks: Bools) -> NDArray[np.intp]:
    """Return for each row (n, ...) the index of the last True at or before it, -1 for none."""
    rows = np.arange(len(marks)).reshape(-1, *[1] * (marks.ndim - 1))
    return np.maximum.accumulate(np.where(marks, rows, -1), 0)


def next_true(marks: Bools) -> NDArray[np.intp]:
    """Return for each row (n, ...) the index of the next True at or after it, n for none."""
    return len(marks) - 1 - last_true(marks[::-1])[::-1]


def run_means(values: FloatArray, runs: Bools, counted: Bools | None = None) -> FloatArray:
    """Return for each row the mean of values over its run of True, (n, c, k); rows outside of runs are meaningless.

    Args:
        values: (n, c, k).
        runs: (n, c).
        counted: (n, c) rows to average; all by default.
    """
    weight = (runs if counted is None else runs & counted)[..., None].astype(np.float64)
    first, end = last_true(~runs) + 1, next_true(~runs)
    sums = np.concatenate([values * weight, weight], -1).cumsum(0)
    sums = np.concatenate([np.zeros_like(sums[:1]), sums])
    sums = np.take_along_axis(sums, end[..., None], 0) - np.take_along_axis(sums, first[..., None], 0)
    return sums[..., :-1] / np.maximum(sums[..., -1:], 1)


def fade_runs(shift: FloatArray, stands: Bools, length: float) -> tuple[FloatArray, FloatArray]:
    """Fade the corrections of standing joints (smoothstep) over `length` frames before and after each run.

    Between two runs that are nearer than `length`, one correction fades into the other.

    Args:
        shift: (n, ..., 3) corrections, valid while joints stand.
        stands: (n, ...) whether a joint stands.
        length: Frames.

    Returns:
        (n, ..., 3) corrections and (n, ...) their weights, 1 while a joint stands.
    """
    rows = np.arange(len(stands)).reshape(-1, *[1] * (stands.ndim - 1))
    before, after = last_true(stands), next_true(stands)
    between_runs = (before >= 0) & (after < len(stands))
    lengths = np.maximum(np.where(between_runs, np.minimum(after - before, length), length), 1)
    faded, shares = np.zeros_like(shift), np.zeros(stands.shape)
    for run, known in ((before, before >= 0), (after, after < len(stands))):
        near = np.clip(1 - np.abs(rows - run) / lengths, 0, 1) * known
        share = near * near * (3 - 2 * near)
        at_run = np.take_along_axis(shift, np.clip(run, 0, len(stands) - 1)[..., None], 0)
        faded += share[..., None] * at_run
        shares += share
    return np.where(stands[..., None], shift, faded), np.where(stands, 1.0, shares)
