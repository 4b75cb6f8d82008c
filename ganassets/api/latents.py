"""Seed -> latent, with the same numbers on every platform, Python and numpy version, alone or in any batch.

numpy promises the raw 64-bit stream of its Philox bit generator, not the distributions on top, so the normals
are made here: two raw words give u1 in (0, 1] and u2 in [0, 1) from their upper 53 bits, and Box and Muller
(1958, "A note on the generation of random normal deviates") turn them into one pair of normals.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from .errors import InputError

MAX_SEED = 2**63 - 1
# One stream a purpose, so that a longer latent never shifts the choice of conditions.
LATENT_STREAM, CONDITION_STREAM, NOISE_STREAM = 0, 1, 2


def raw_words(seed: int, count: int, stream: int) -> NDArray[np.uint64]:
    """(count,) uint64 of the Philox stream with key (seed, stream) and counter 0."""
    if not 0 <= seed <= MAX_SEED:
        raise InputError(f"seed {seed} is outside 0..{MAX_SEED}.")
    generator = np.random.Philox(0)
    # The same as Philox(key=...), which asks the system for randomness that it doesn't use.
    generator.state = {
        **generator.state,
        "state": {"counter": np.zeros(4, np.uint64), "key": np.array([seed, stream], np.uint64)},
    }
    return generator.random_raw(count)


def uniforms(seed: int, count: int, stream: int) -> NDArray[np.float64]:
    """(count,) float64 in [0, 1): upper 53 bits of each raw word."""
    return (raw_words(seed, count, stream) >> np.uint64(11)).astype(np.float64) * 2.0**-53


def normals(seed: int, count: int, stream: int) -> NDArray[np.float32]:
    """(count,) float32 standard normals of a stream; fewer are a prefix of more."""
    pairs = (count + 1) // 2
    u = uniforms(seed, 2 * pairs, stream).reshape(pairs, 2)
    radius = np.sqrt(-2.0 * np.log1p(-u[:, 0]))
    angle = 2.0 * np.pi * u[:, 1]
    return np.stack([radius * np.cos(angle), radius * np.sin(angle)], 1).reshape(-1)[:count].astype(np.float32)


def latent(seed: int, z_dim: int) -> NDArray[np.float32]:
    """(z_dim,) float32 standard normals of a seed; a shorter latent is a prefix of a longer one."""
    return normals(seed, z_dim, LATENT_STREAM)


def noise_map(seed: int, channels: int, size: Sequence[int]) -> NDArray[np.float32]:
    """(channels, *size) float32 standard normals of a seed: what a size-free generator starts from."""
    return normals(seed, channels * int(np.prod(size)), NOISE_STREAM).reshape(channels, *size)


def latents(seeds: Sequence[int], z_dim: int) -> NDArray[np.float32]:
    """(n, z_dim) float32: the latent of each seed."""
    return np.stack([latent(seed, z_dim) for seed in seeds]) if seeds else np.zeros((0, z_dim), np.float32)


def condition_row(
    seed: int,
    rows: NDArray[np.float32],
    wanted: NDArray[np.float32],
    choices: NDArray[np.bool_] | None = None,
) -> NDArray[np.float32]:
    """A likely row of conditions for a seed that keeps to the user's wishes.

    The seed picks one of the manifest's rows, among those with the wished choices, whatever else is wished, so moving
    one slider leaves the person alone. The wishes are written over it, and the other columns, but for choices, move
    with them as far as the rows are correlated (x_b + C_ba C_aa^-1 (wish - x_a), the shift of a Gaussian's conditional
    mean), within the rows' range.

    Args:
        seed: of the asset.
        rows: (r, c) physical values.
        wanted: (c,) the user's values, NaN where there is no wish.
        choices: what choice_columns says of the rows, where it is known already.

    Returns:
        (c,) float32.
    """
    asked = np.isfinite(wanted)
    choices = choice_columns(rows) if choices is None else choices
    free = ~asked & ~choices
    rows = rows_with(rows, wanted, choices)
    row = rows[int(uniforms(seed, 1, CONDITION_STREAM)[0] * len(rows))].astype(np.float64)
    if asked.any() and free.any():
        table = rows.astype(np.float64)
        centred = (table - table.mean(0)) / np.maximum(table.std(0), 1e-9)
        # Shares that sum to 1 make columns dependent; the cut-off ignores that direction.
        slopes = np.linalg.lstsq(centred[:, asked], centred[:, free], rcond=1e-3)[0]
        step = ((wanted - row) / np.maximum(table.std(0), 1e-9))[asked]
        moved = row[free] + step @ slopes * table.std(0)[free]
        # Rounded, so that last bits of a platform's arithmetic don't matter.
        row[free] = np.clip(moved, table.min(0)[free], table.max(0)[free]).round(5)
    return np.where(asked, wanted, row).astype(np.float32)


def choice_columns(rows: NDArray[np.float32]) -> NDArray[np.bool_]:
    """(c,) which columns of rows (r, c) hold nothing but 0 and 1: choices and switches."""
    return ((rows == 0) | (rows == 1)).all(0)


def rows_with(
    rows: NDArray[np.float32], wanted: NDArray[np.float32], choices: NDArray[np.bool_] | None = None
) -> NDArray[np.float32]:
    """The rows that hold most of the wished choices (c,); all of them where no choice is wished."""
    wished = np.isfinite(wanted) & (choice_columns(rows) if choices is None else choices)
    if not wished.any():
        return rows
    misses = (rows[:, wished] != wanted[wished]).sum(1)
    return rows[misses == misses.min()]
