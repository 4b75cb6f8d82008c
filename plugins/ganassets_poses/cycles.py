"""Find repetitions and single actions in recorded motion by the similarity of its poses (numpy only)."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from ganassets.api.assets import CONTACTS
from ganassets.api.motion.editing import blur_track
from ganassets.api.motion.kinematics import world_pose
from ganassets.api.motion.rotations import from_6d
from ganassets.api.motion.skeletons import HUMANOID

from .actions import Action
from .signals import Signals, unstack_signals
from .structure import FPS

FloatArray = NDArray[np.floating]

ALIKE = 0.05  # most metres between the joints of two poses, on average, for a loop to jump from one to the other
ALIKE_SHARE = 0.35  # most of the same, as a share of the mean distance between poses of the take
LEAST_MOVE = 0.03  # least metres, on average, that joints move in half a repetition
LIVELY = 0.8  # least activity of a repetition other than steps, as a share of the take's mean activity
SAME = 0.012  # most metres, on average, between identical repetitions
MATCH_FRAMES = 5  # poses are compared with their neighbours, so that their movement is similar too
LONGEST_ONCE = 150  # frames; longer takes show several actions
SHORTEST_ONCE = 18  # frames
REST_SIGMA = 6  # frames; smooths activity to find moments of rest
PEAK_SIGMA = 2  # frames; smooths activity to find the liveliest moment
QUIET = 0.25  # share of the largest activity below which the ends of a single action are quiet
LEAD = 6  # quiet frames to keep at both ends
PHASES = 48  # samples per repetition for alignment
ROUNDS = 6  # iterations of alignment


def local_positions(signals: Signals) -> FloatArray:
    """Return the joints' positions (f, 22, 3) in metres, relative to where the figure stands and faces."""
    rotations = from_6d(signals.rotation_columns())
    root = np.zeros((len(signals), 3), np.float32)
    root[:, 1] = signals.root[3]
    return world_pose(HUMANOID, root, rotations)[0].astype(np.float32)


def pose_distance(a: FloatArray, b: FloatArray) -> FloatArray:
    """Return the mean distance (...) in metres between the joints (..., 22, 3) of two poses."""
    return np.linalg.norm(a - b, axis=-1).mean(-1)


def find_repetitions(places: FloatArray, action: Action) -> list[tuple[int, int]]:
    """Find repetitions in a take: spans whose end has a similar pose to their first frame.

    Args:
        places: (f, 22, 3) see `local_positions`.
        action: Action that gives the shortest and the longest repetition.

    Returns:
        First frame and end of each.
    """
    frames = len(places)
    lags = np.arange(int(action.shortest * FPS), min(int(action.longest * FPS), frames - MATCH_FRAMES) + 1)
    if not len(lags):
        return []
    table = np.full((frames, len(lags)), np.inf)
    box = np.ones(MATCH_FRAMES) / MATCH_FRAMES
    for i, lag in enumerate(lags):
        smooth = np.convolve(pose_distance(places[lag:], places[:-lag]), box, mode="valid")
        table[MATCH_FRAMES // 2 : MATCH_FRAMES // 2 + len(smooth), i] = smooth
    limit = min(ALIKE, ALIKE_SHARE * float(np.mean(table[np.isfinite(table)])))
    activity = pose_distance(places[1:], places[:-1])
    found, start = [], MATCH_FRAMES // 2
    while start < frames:
        best = float(table[start].min())
        if not best < limit:
            start += 3
            continue
        lag = int(lags[np.flatnonzero(table[start] <= 1.2 * best + 0.004)[0]])
        moves = pose_distance(places[start + lag // 2], places[start]) > LEAST_MOVE
        lively = activity[start : start + lag].mean() >= LIVELY * activity.mean()
        if moves if action.gait else lively:
            found.append((start, start + lag))
        start += max(lag // 2, 3)
    return found


def find_shortest_period(places: FloatArray, action: Action) -> int:
    """Return the frames of the shortest repetition of a loop; all of its frames where it has none.

    Args:
        places: (f, 22, 3) see `local_positions`.
        action: Action that gives the shortest repetition.
    """
    frames = len(places)
    for count in range(frames // max(int(action.shortest * FPS), 2), 1, -1):
        period = round(frames / count)
        if abs(frames - count * period) <= 1 and pose_distance(np.roll(places, -period, 0), places).mean() < SAME:
            return period
    return frames


def close_loop(signals: Signals, start: int, stop: int) -> Signals:
    """Return frames start to stop - 1 as a loop.

    The difference between the frame at stop and the first one is distributed over all frames.
    """
    values = signals.stack()
    gap = values[:, stop % len(signals)] - values[:, start]
    share = np.arange(stop - start, dtype=np.float32) / (stop - start)
    looped = values[:, start:stop] - gap[:, None] * share
    looped[-len(CONTACTS) :] = looped[-len(CONTACTS) :].clip(0, 1)
    return unstack_signals(looped)


def find_single_actions(places: FloatArray, contacts: FloatArray) -> list[tuple[int, int]]:
    """Find single actions: the whole of a short take, or the spans between moments of rest of a longer one.

    They start and end on the ground.

    Args:
        places: (f, 22, 3) see `local_positions`.
        contacts: (4, f).

    Returns:
        First frame and end of each.
    """
    frames = len(places)
    if frames <= LONGEST_ONCE:
        spans = [(0, frames)]
    else:
        activity = joint_activity(places, REST_SIGMA)
        inner = (activity[1:-1] <= activity[:-2]) & (activity[1:-1] < activity[2:])
        rests = [0, *(np.flatnonzero(inner) + 1).tolist(), frames - 1]
        quiet = np.median(activity)
        rests = [r for r in rests if r in (0, frames - 1) or activity[r] < quiet]
        spans = [(a, b) for a, b in pairwise(rests) if b > a and activity[a:b].max() > 1.5 * quiet]
    low = places[:, 0, 1] < 0.6
    grounded = (contacts > 0.5).any(0) | low
    return [(a, b) for a, b in spans if SHORTEST_ONCE <= b - a <= LONGEST_ONCE and grounded[a] and grounded[b - 1]]


def joint_activity(places: FloatArray, sigma: int) -> FloatArray:
    """Return the mean speed (f - 1,) of the joints in m/s, smoothed by `sigma` frames."""
    return blur_track(pose_distance(places[1:], places[:-1]) * FPS, sigma)


def centre_action(signals: Signals, places: FloatArray) -> Signals:
    """Trim a single action and centre it on its liveliest moment.

    Quiet frames at the ends are cut off, and the shorter side is extended by standing still.
    """
    activity = joint_activity(places, PEAK_SIGMA)
    peak = int(activity.argmax())
    lively = np.flatnonzero(activity > QUIET * activity[peak])
    first, last = max(lively[0] - LEAD, 0), min(lively[-1] + LEAD, len(signals) - 1)
    reach = max(peak - first, last - peak, SHORTEST_ONCE // 2)
    frames = np.arange(peak - reach, peak + reach + 1)
    values = signals.stack()[:, frames.clip(first, last)]
    values[:3] *= (frames >= first) & (frames <= last)
    return unstack_signals(values)


def sample_signals(signals: Signals, times: FloatArray, wraps: bool) -> Signals:
    """Return signals at fractional frames (n,), interpolated linearly; clamped to the ends unless they wrap."""
    values, frames = signals.stack(), len(signals)
    times = times % frames if wraps else times.clip(0, frames - 1)
    before = np.minimum(times.astype(np.intp), frames - 1)
    after = (before + 1) % frames if wraps else np.minimum(before + 1, frames - 1)
    share = (times - before).astype(np.float32)
    return unstack_signals(values[:, before] * (1 - share) + values[:, after] * share)


def align_cycles(cycles: Sequence[FloatArray], template: FloatArray | None = None) -> tuple[FloatArray, FloatArray]:
    """Find starts of the repetitions at which all match best, and their mean.

    Args:
        cycles: (PHASES, 22, 3) each.
        template: (PHASES, 22, 3) to align with first; by default the cycle nearest to the median.

    Returns:
        (n,) starts as shares of a repetition in [0, 1), and the mean (PHASES, 22, 3).
    """
    table = np.stack(cycles).reshape(len(cycles), PHASES, -1)
    spectra = np.fft.rfft(table, axis=1)
    if template is None:
        middle = np.median(table, 0)
        template = table[np.square(table - middle).sum((1, 2)).argmin()]
    mean = template.reshape(PHASES, -1)
    shifts = np.zeros(len(table), np.intp)
    for _ in range(ROUNDS):
        alike = np.fft.irfft((spectra * np.fft.rfft(mean, axis=0).conj()).sum(2), n=PHASES, axis=1)
        shifts = alike.argmax(1)
        moved = table[np.arange(len(table))[:, None], (np.arange(PHASES) + shifts[:, None]) % PHASES]
        mean = moved.mean(0)
    return shifts / PHASES, mean.reshape(PHASES, *cycles[0].shape[1:])
