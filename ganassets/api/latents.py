"""Latents, noise maps and condition rows of seeds.

A seed gives the same numbers on every platform, Python and numpy version, alone or in any batch. numpy guarantees the
raw 64-bit stream of its Philox bit generator, but not the distributions on top, so normals are computed here: two raw
words give u1 in (0, 1] and u2 in [0, 1) from their upper 53 bits, and the transform of Box and Muller (1958, "A note on
the generation of random normal deviates") turns these into a pair of normals.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import numpy as np
from numpy.typing import NDArray

from .errors import InputError

MAX_SEED = 2**63 - 1
# One stream per purpose, so that a longer latent never changes the choice of conditions.
LATENT_STREAM, CONDITION_STREAM, NOISE_STREAM = 0, 1, 2


def raw_words(seed: int, count: int, stream: int) -> NDArray[np.uint64]:
    """Return raw random words of the Philox stream with key (seed, stream) and counter 0.

    Args:
        seed: Random seed, 0 to MAX_SEED.
        count: Number of words.
        stream: Number of the stream; plugins take their own above 15.

    Returns:
        (count,) uint64.

    Raises:
        InputError: The seed is out of range.
    """
    if not 0 <= seed <= MAX_SEED:
        raise InputError(f"seed {seed} is outside 0..{MAX_SEED}.")
    generator = np.random.Philox(0)
    # The same as Philox(key=...), which would ask the system for unused entropy.
    generator.state = {
        **generator.state,
        "state": {"counter": np.zeros(4, np.uint64), "key": np.array([seed, stream], np.uint64)},
    }
    return generator.random_raw(count)


def uniforms(seed: int, count: int, stream: int) -> NDArray[np.float64]:
    """Return (count,) float64 uniform numbers in [0, 1): the upper 53 bits of each raw word; see raw_words.

    >>> uniforms(7, 3, stream=16).round(3).tolist()
    [0.387, 0.202, 0.107]
    """
    return (raw_words(seed, count, stream) >> np.uint64(11)).astype(np.float64) * 2.0**-53


def standard_normals(seed: int, count: int, stream: int) -> NDArray[np.float32]:
    """Return (count,) float32 standard normals; fewer are a prefix of more. See raw_words.

    >>> standard_normals(7, 4, stream=16).astype(float).round(3).tolist()
    [0.293, 0.945, 0.009, 0.475]
    >>> standard_normals(7, 2, stream=16).astype(float).round(3).tolist()
    [0.293, 0.945]
    """
    pairs = (count + 1) // 2
    u = uniforms(seed, 2 * pairs, stream).reshape(pairs, 2)
    radius = np.sqrt(-2.0 * np.log1p(-u[:, 0]))
    angle = 2.0 * np.pi * u[:, 1]
    return np.stack([radius * np.cos(angle), radius * np.sin(angle)], 1).reshape(-1)[:count].astype(np.float32)


def latent(seed: int, z_dim: int) -> NDArray[np.float32]:
    """Return the latent z of a seed; a shorter latent is a prefix of a longer one.

    Args:
        seed: Random seed, 0 to MAX_SEED.
        z_dim: Size of the latent.

    Returns:
        (z_dim,) float32 standard normals.

    >>> latent(7, 64).shape
    (64,)
    >>> bool((latent(7, 64)[:3] == latent(7, 3)).all())
    True
    """
    return standard_normals(seed, z_dim, LATENT_STREAM)


def normal_noise_map(seed: int, channels: int, size: Sequence[int]) -> NDArray[np.float32]:
    """Return the noise map of a seed that a size-free generator starts from.

    Args:
        seed: Random seed, 0 to MAX_SEED.
        channels: Number of channels.
        size: Samples along each axis.

    Returns:
        (channels, *size) float32 standard normals.

    >>> normal_noise_map(7, 3, (16, 32)).shape
    (3, 16, 32)
    """
    return standard_normals(seed, channels * int(np.prod(size)), NOISE_STREAM).reshape(channels, *size)


def latents(seeds: Sequence[int], z_dim: int) -> NDArray[np.float32]:
    """Return the (n, z_dim) float32 latents of n seeds."""
    return np.stack([latent(seed, z_dim) for seed in seeds]) if seeds else np.zeros((0, z_dim), np.float32)


def condition_row(
    seed: int,
    rows: NDArray[np.float32],
    values: NDArray[np.float32],
    choices: NDArray[np.bool_] | None = None,
) -> NDArray[np.float32]:
    """Return a likely combination of conditions for a seed, with the values that the user set.

    The seed picks one of the manifest's rows with the user's choices, independent of sliders, so moving one slider
    keeps the person. The user's values replace those of the row. The other sliders move with them as far as the rows
    are correlated, within the rows' range: x_b + C_ba C_aa^-1 (value - x_a), the shift of a Gaussian's conditional
    mean.

    Args:
        seed: Seed of the asset.
        rows: (r, c) float32 physical values of the manifest.
        values: (c,) float32 values that the user set; NaN where none is set.
        choices: (c,) bool result of choice_columns, if it is known already.

    Returns:
        (c,) float32 physical values.
    """
    asked = np.isfinite(values)
    choices = choice_columns(rows) if choices is None else choices
    free = ~asked & ~choices
    rows = rows_with(rows, values, choices)
    row = rows[int(uniforms(seed, 1, CONDITION_STREAM)[0] * len(rows))].astype(np.float64)
    if asked.any() and free.any():
        table = rows.astype(np.float64)
        centred = (table - table.mean(0)) / np.maximum(table.std(0), 1e-9)
        # Shares that sum to 1 make columns dependent; the cut-off ignores that direction.
        solution = cast(
            "tuple[NDArray[np.float64], ...]", np.linalg.lstsq(centred[:, asked], centred[:, free], rcond=1e-3)
        )
        slopes = solution[0]
        step = ((values - row) / np.maximum(table.std(0), 1e-9))[asked]
        moved = row[free] + step @ slopes * table.std(0)[free]
        # Rounded, because the last bits differ between platforms.
        row[free] = np.clip(moved, table.min(0)[free], table.max(0)[free]).round(5)
    return np.where(asked, values, row).astype(np.float32)


def choice_columns(rows: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Return (c,) bool: which columns of (r, c) rows hold only 0 and 1, which are choices and switches."""
    return ((rows == 0) | (rows == 1)).all(0)


def rows_with(
    rows: NDArray[np.float32], values: NDArray[np.float32], choices: NDArray[np.bool_] | None = None
) -> NDArray[np.float32]:
    """Return the rows that match most of the user's choices; all rows if no choice is set. See condition_row."""
    chosen = np.isfinite(values) & (choice_columns(rows) if choices is None else choices)
    if not chosen.any():
        return rows
    misses = (rows[:, chosen] != values[chosen]).sum(1)
    return rows[misses == misses.min()]
