"""Interpolate between key frames."""

from __future__ import annotations

import numpy as np

from ganassets.api.motion.rotations import FloatArray, normalise, slerp

# Common frame rates, in frames per second. A whole multiple of a file's own rate does no harm.
RATES = (24.0, 25.0, 30.0, 48.0, 50.0, 60.0, 100.0, 120.0)
DEFAULT_RATE = 30.0
SLACK = 0.02  # most distance of a key from a frame, in frames
EARLY = 1e-5  # seconds; most rounding error of a moment that should be that of a key


def find_frame_rate(times: FloatArray) -> float:
    """Return the lowest common frame rate with a frame at every key time (k,), counted from the first; otherwise 30."""
    for rate in RATES:
        frames = (times - times[0]) * rate
        if np.abs(frames - np.rint(frames)).max() <= SLACK:
            return rate
    return DEFAULT_RATE


def sample_keys(times: FloatArray, keys: FloatArray, moments: FloatArray, how: str, turns: bool) -> FloatArray:
    """Interpolate values at given moments; the first and last keys are held.

    Args:
        times: (k,) seconds, not decreasing.
        keys: (k, c) values; for CUBICSPLINE (k, 3, c): in-tangent, value, out-tangent.
        moments: (f,) seconds.
        how: "LINEAR" (rotations by slerp), "STEP" or "CUBICSPLINE" (cubic Hermite spline, tangents per second).
        turns: Whether the values are quaternions.

    Returns:
        (f, c).
    """
    before = np.clip(np.searchsorted(times, moments + EARLY, side="right") - 1, 0, len(times) - 1)
    after = np.minimum(before + 1, len(times) - 1)
    span = times[after] - times[before]
    share = np.clip((moments - times[before]) / np.maximum(span, EARLY), 0, 1)[:, None]
    if how == "CUBICSPLINE":
        values = hermite(keys[before, 1], keys[before, 2], keys[after, 0], keys[after, 1], share, span[:, None])
    elif how == "STEP":
        values = keys[before]
    elif turns:
        return slerp(normalise(keys[before]), normalise(keys[after]), share[:, 0])
    else:
        values = keys[before] * (1 - share) + keys[after] * share
    return normalise(values) if turns else values


def hermite(
    a: FloatArray, leaving: FloatArray, arriving: FloatArray, b: FloatArray, t: FloatArray, span: FloatArray
) -> FloatArray:
    """Evaluate a cubic Hermite spline from a to b (glTF 2.0 specification, appendix C.5).

    Args:
        a: First value.
        leaving: Out-tangent of a.
        arriving: In-tangent of b.
        b: Last value.
        t: Share in [0, 1].
        span: Seconds from a to b.
    """
    t2, t3 = t * t, t * t * t
    ends = (2 * t3 - 3 * t2 + 1) * a + (3 * t2 - 2 * t3) * b
    return ends + span * ((t3 - 2 * t2 + t) * leaving + (t3 - t2) * arriving)
