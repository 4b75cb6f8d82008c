"""The noise map along time: white noise, then the structure of the motion, which is phase and progress (numpy only).

White noise varies what is free. Phase and progress say where in a repetition or in a single action a frame is.
"""

from __future__ import annotations

import hashlib

import numpy as np
from numpy.typing import NDArray

from ganassets.api.latents import standard_normals, uniforms

from .actions import condition_column

FloatArray = NDArray[np.float32]

FPS = 30.0
STRIDE = 8
MARGIN = 24  # frames generated and cut off on both sides of a single action or of a training sample
WHITE = 6  # channels of white noise
CHANNELS = (*(f"white-{i}" for i in range(WHITE)), "cosine", "sine", "progress")
WHITE_STREAM, PHASE_STREAM = 24, 25  # random streams of the seed


def motion_noise(seed: int, row: FloatArray, size: tuple[int, ...]) -> FloatArray:
    """Return the noise map (9, frames) float32: white noise, cosine and sine of the phase, progress.

    The phase of a loop goes through a whole number of repetitions, so the map wraps. In the map of a single action,
    MARGIN frames at both ends stand still before its start and after its end.

    Args:
        seed: Seed of the asset.
        row: (c,) conditions in physical units.
        size: (frames,), a multiple of STRIDE.
    """
    (frames,) = size
    white = standard_normals(seed, WHITE * frames, WHITE_STREAM).reshape(WHITE, frames)
    if is_loop(row):
        start = float(uniforms(seed, 1, PHASE_STREAM)[0])
        share = np.arange(frames) / frames
        return np.concatenate([white, loop_structure(start + count_repetitions(row, frames) * share)])
    inside = np.arange(frames) - MARGIN
    return np.concatenate([white, single_structure(inside / (frames - 2 * MARGIN))])


def loop_structure(turns: NDArray[np.floating]) -> FloatArray:
    """Return the structure (3, f) of a loop: cosine and sine of the phase, and progress, which is 0.

    Args:
        turns: (f,) phases in repetitions.
    """
    angle = 2 * np.pi * turns
    return np.stack([np.cos(angle), np.sin(angle), np.zeros_like(angle)]).astype(np.float32)


def single_structure(share: NDArray[np.floating]) -> FloatArray:
    """Return the structure (3, f) of a single action.

    The phase goes once around while progress goes from -1 to 1.

    Args:
        share: (f,) elapsed share of the action; below 0 before it and above 1 after it.
    """
    held = np.clip(share, 0, 1)
    angle = 2 * np.pi * held
    return np.stack([np.cos(angle), np.sin(angle), 2 * held - 1]).astype(np.float32)


def is_loop(row: FloatArray) -> bool:
    """Return whether conditions (c,) ask for a loop."""
    return bool(row[condition_column("loop")] >= 0.5)


def tempo_of(row: FloatArray) -> float:
    """Return the repetitions per second of conditions (c,), or 1 / duration of a single action."""
    return float(row[condition_column("tempo")])


def count_repetitions(row: FloatArray, frames: int) -> int:
    """Return the number of repetitions, at least 1, in a loop of a number of frames at the tempo of conditions (c,)."""
    return max(round(tempo_of(row) * frames / FPS), 1)


def noise_digest() -> str:
    """Return the SHA-256 of fixed noise maps; a model only works with the noise maps that it was trained with."""
    row = np.zeros(condition_column("tempo") + 1, np.float32)
    row[condition_column("tempo")] = 1.3
    once = motion_noise(7, row, (64,))
    row[condition_column("loop")] = 1
    made = np.concatenate([once, motion_noise(7, row, (64,))])
    # Rounded, because the last bits of cosines differ between platforms.
    return hashlib.sha256(np.rint(made.astype(np.float64) * 64).astype("<i4").tobytes()).hexdigest()


def static_digests() -> dict[str, str]:
    """Return the digests that models depend on, by name."""
    return {"noise": noise_digest()}
