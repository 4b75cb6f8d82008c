"""The noise map along time: white noise for what varies freely, then phase and progress, which say where in a
repetition or in a single action a frame is. numpy only.
"""

from __future__ import annotations

import hashlib

import numpy as np
from numpy.typing import NDArray

from ganassets.api.latents import normals, uniforms

from .actions import condition_column

FloatArray = NDArray[np.float32]

FPS = 30.0
STRIDE = 8
MARGIN = 24  # frames made and cut off on both sides of what happens once, or is cut from a longer motion
WHITE = 6
CHANNELS = (*(f"white-{i}" for i in range(WHITE)), "cosine", "sine", "progress")
WHITE_STREAM, PHASE_STREAM = 24, 25  # of the seed


def noise_map(seed: int, row: FloatArray, frames: int) -> FloatArray:
    """(9, frames) float32: white noise; cosine and sine of the phase; progress.

    Of a loop the phase goes through a whole number of repetitions, so the map wraps. Of what happens once, MARGIN
    frames at both ends stand still before its beginning and after its end.

    Args:
        seed: of the asset.
        row: (c,) physical conditions.
        frames: a multiple of STRIDE.
    """
    white = normals(seed, WHITE * frames, WHITE_STREAM).reshape(WHITE, frames)
    if is_loop(row):
        start = float(uniforms(seed, 1, PHASE_STREAM)[0])
        share = np.arange(frames) / frames
        return np.concatenate([white, loop_structure(start + count_repetitions(row, frames) * share)])
    inside = np.arange(frames) - MARGIN
    return np.concatenate([white, single_structure(inside / (frames - 2 * MARGIN))])


def loop_structure(turns: NDArray[np.floating]) -> FloatArray:
    """(3, f) cosine, sine and progress (which is 0) of phases in turns (f,)."""
    angle = 2 * np.pi * turns
    return np.stack([np.cos(angle), np.sin(angle), np.zeros_like(angle)]).astype(np.float32)


def single_structure(share: NDArray[np.floating]) -> FloatArray:
    """(3, f) of shares of a single action (f,), below 0 before it and above 1 after it; its phase goes once around."""
    held = np.clip(share, 0, 1)
    angle = 2 * np.pi * held
    return np.stack([np.cos(angle), np.sin(angle), 2 * held - 1]).astype(np.float32)


def is_loop(row: FloatArray) -> bool:
    """Whether conditions say that the motion repeats."""
    return bool(row[condition_column("loop")] >= 0.5)


def tempo_of(row: FloatArray) -> float:
    """Repetitions a second, or 1 / the duration of what happens once."""
    return float(row[condition_column("tempo")])


def count_repetitions(row: FloatArray, frames: int) -> int:
    """Whole repetitions in a loop of so many frames at the tempo of the conditions, at least 1."""
    return max(round(tempo_of(row) * frames / FPS), 1)


def noise_digest() -> str:
    """SHA-256 of pinned noise maps: a model file works with the maps that it was trained with alone."""
    row = np.zeros(condition_column("tempo") + 1, np.float32)
    row[condition_column("tempo")] = 1.3
    once = noise_map(7, row, 64)
    row[condition_column("loop")] = 1
    made = np.concatenate([once, noise_map(7, row, 64)])
    # Rounded, because the last bits of cosines differ between platforms.
    return hashlib.sha256(np.rint(made.astype(np.float64) * 64).astype("<i4").tobytes()).hexdigest()
