"""Repetitions and single actions in recorded motion, found by how alike its poses are. numpy only."""

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

ALIKE = 0.05  # metres between the joints of two poses, on average, at which one may follow the other
ALIKE_SHARE = 0.35  # and no more than this share of what poses of the take are apart
LEAST_MOVE = 0.03  # metres that joints are away half a repetition later, on average
LIVELY = 0.8  # of anything but steps: share of the take's mean activity that a repetition has at least
SAME = 0.012  # metres between repetitions that are one and the same
MATCH_FRAMES = 5  # poses are compared with their neighbours, so that they move alike too
LONGEST_ONCE = 150  # frames; longer takes hold several actions
SHORTEST_ONCE = 18
REST_SIGMA = 6  # frames over which activity is smoothed
PEAK_SIGMA = 2
QUIET = 0.25  # share of the most activity below which the ends of a single action are quiet
LEAD = 6  # quiet frames that are kept at both ends
PHASES = 48  # samples of a repetition that are laid over each other
ROUNDS = 6


def local_positions(signals: Signals) -> FloatArray:
    """(f, 22, 3) metres: joints relative to where the figure stands and faces."""
    rotations = from_6d(signals.rotation_columns())
    root = np.zeros((len(signals), 3), np.float32)
    root[:, 1] = signals.root[3]
    return world_pose(HUMANOID, root, rotations)[0].astype(np.float32)


def pose_distance(a: FloatArray, b: FloatArray) -> FloatArray:
    """(...) metres between joints (..., 22, 3), on average."""
    return np.linalg.norm(a - b, axis=-1).mean(-1)


def find_repetitions(places: FloatArray, action: Action) -> list[tuple[int, int]]:
    """First frames and ends of repetitions in a take: the pose at the end is about that of the first frame.

    Args:
        places: (f, 22, 3).
        action: how long repetitions are.
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
    """Frames of the shortest repetition that a loop (f, 22, 3) consists of; all of them where it has no shorter one."""
    frames = len(places)
    for count in range(frames // max(int(action.shortest * FPS), 2), 1, -1):
        period = round(frames / count)
        if abs(frames - count * period) <= 1 and pose_distance(np.roll(places, -period, 0), places).mean() < SAME:
            return period
    return frames


def close_loop(signals: Signals, start: int, stop: int) -> Signals:
    """Frames start to stop - 1 as a loop: what the frame at stop differs by from the first is taken off evenly."""
    values = signals.stack()
    gap = values[:, stop % len(signals)] - values[:, start]
    share = np.arange(stop - start, dtype=np.float32) / (stop - start)
    looped = values[:, start:stop] - gap[:, None] * share
    looped[-len(CONTACTS) :] = looped[-len(CONTACTS) :].clip(0, 1)
    return unstack_signals(looped)


def find_single_actions(places: FloatArray, contacts: FloatArray) -> list[tuple[int, int]]:
    """First frames and ends of what happens once: the whole of a short take, or what lies between moments of rest.

    They begin and end on the ground.

    Args:
        places: (f, 22, 3).
        contacts: (4, f).
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
    """(f - 1,) m/s at which joints move on average, smoothed over so many frames."""
    return blur_track(pose_distance(places[1:], places[:-1]) * FPS, sigma)


def centre_action(signals: Signals, places: FloatArray) -> Signals:
    """What happens once, with the moment when most moves in the middle: ends at which little moves are cut off, and the
    shorter side is held still.
    """
    activity = joint_activity(places, PEAK_SIGMA)
    peak = int(activity.argmax())
    lively = np.flatnonzero(activity > QUIET * activity[peak])
    first, last = max(lively[0] - LEAD, 0), min(lively[-1] + LEAD, len(signals) - 1)
    reach = max(peak - first, last - peak, SHORTEST_ONCE // 2)
    wanted = np.arange(peak - reach, peak + reach + 1)
    values = signals.stack()[:, wanted.clip(first, last)]
    values[:3] *= (wanted >= first) & (wanted <= last)
    return unstack_signals(values)


def sample_signals(signals: Signals, times: FloatArray, wraps: bool) -> Signals:
    """Signals at fractional frames (n,), linear in between; held to both ends unless they wrap."""
    values, frames = signals.stack(), len(signals)
    times = times % frames if wraps else times.clip(0, frames - 1)
    before = np.minimum(times.astype(np.intp), frames - 1)
    after = (before + 1) % frames if wraps else np.minimum(before + 1, frames - 1)
    share = (times - before).astype(np.float32)
    return unstack_signals(values[:, before] * (1 - share) + values[:, after] * share)


def align_cycles(cycles: Sequence[FloatArray], template: FloatArray | None = None) -> tuple[FloatArray, FloatArray]:
    """Where each of the repetitions begins so that all lie over each other best, and their mean.

    Args:
        cycles: (PHASES, 22, 3) each.
        template: to lay them over first; None takes the one that all are nearest to.

    Returns:
        (n,) shares of a repetition in [0, 1), and (PHASES, 22, 3).
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
