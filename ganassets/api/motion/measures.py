"""How good motion clips are: feet that slide, loops that jump, bones that stretch; features to compare sets of clips.

Frechet distance, precision, recall and mean distance of the features are in ganassets.training.evaluation.measures.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from ..assets import MotionClip
from ..errors import InputError
from ..latents import normals
from .editing import resample_clip
from .feet import STANDING, find_standing_feet, foot_positions, ground_travel
from .kinematics import positions
from .rotations import conjugate, degrees_between, from_axis_angle, heading, multiply, rotate
from .skeletons import HUMANOID

FloatArray = NDArray[np.floating]
Features = NDArray[np.float64]

FPS = 30.0  # at which skating and features are measured
SKID, LOW = 0.025, 0.05  # metres: a frame at FPS, above the standing height
WINDOW, STRIDE = 32, 16  # frames at FPS
FEATURES, FEATURE_SEED, FEATURE_STREAM = 64, 2023, 16
BLOCK = 1024  # rows whose distances are held at once
VELOCITY_WEIGHT = 0.2  # seconds: an m/s counts as so many metres


def skating(clip: MotionClip) -> float:
    """Share of the frames with a foot on the ground in which it slides, 0 to 1; 0 if no foot is ever on the ground.

    A foot is on the ground from one frame to the next if it stands in both by its height (see standing_feet, up to LOW
    above its standing height): one that swings past the standing one low over the ground doesn't slide. It slides if
    both joints move more than SKID along the ground meanwhile, at FPS frames a second (other clips are resampled).
    Heights decide, not the clip's own contacts, so labels can't hide anything. The limits are those of Karunratanakul
    et al. 2023, "Guided Motion Diffusion".
    """
    place = foot_positions(resample_clip(clip, FPS))
    stands = find_standing_feet(place, LOW)
    down = stands[:-1] & stands[1:]
    moved = np.linalg.norm(np.diff(place[..., [0, 2]], axis=0), axis=-1)
    slides = np.all(moved.reshape(-1, 2, 2) > SKID, axis=-1)
    return float((down & slides).sum() / max(down.sum(), 1))


def loop_gap(clip: MotionClip) -> tuple[float, float]:
    """How far a clip is from a perfect loop: gaps of pose and of velocity.

    Returns:
        The largest difference of a joint's rotation (radians) or of the root's height (metres) between the first and
        the last frame; the largest difference of the same, per frame, between the last step and the first, which
        follows it. Place on the ground doesn't count in the first; its velocity does in the second.
    """
    rotations = clip.rotations.astype(np.float64)
    turned = np.radians(degrees_between(rotations[0], rotations[-1])).max()
    pose = max(float(turned), abs(float(clip.translation[-1, 1] - clip.translation[0, 1])))
    if len(clip) < 2:
        return pose, 0.0
    last, first = (multiply(conjugate(rotations[i]), rotations[i + 1]) for i in (-2, 0))
    step = np.diff(clip.translation.astype(np.float64), axis=0)
    velocity = max(np.radians(degrees_between(last, first)).max(), np.linalg.norm(step[-1] - step[0]))
    return pose, float(velocity)


def loop_seam(clip: MotionClip) -> float:
    """How much more a loop's movement changes at its seam than from frame to frame elsewhere; 1 is no seam.

    The mean over joints of the angle between one step's turn and the next one's (radians), and the same of the root's
    steps (metres), where the last frame meets the first, by their mean over all frames.
    """
    rotations = clip.rotations.astype(np.float64)
    turns = multiply(conjugate(rotations[:-1]), rotations[1:])
    steps = np.diff(clip.translation.astype(np.float64), axis=0)
    change = np.radians(degrees_between(np.roll(turns, 1, 0), turns)).mean(1)
    change += np.linalg.norm(steps - np.roll(steps, 1, 0), axis=1)
    return float(change[0] / max(change.mean(), 1e-9))


def jerk(clip: MotionClip) -> float:
    """Mean length of the third derivative of the joints' positions in m/s^3; loops go on over their seam. 0 for clips
    of less than four frames.
    """
    place = positions(clip)
    if clip.loop and len(clip) > 1:
        place = np.concatenate([place, place[1:3] + ground_travel(clip)])
    if len(place) < 4:
        return 0.0
    return float(np.linalg.norm(np.diff(place, n=3, axis=0), axis=-1).mean() * clip.fps**3)


def bone_length_error(clip: MotionClip) -> float:
    """Largest difference in metres of a distance between joint and parent from the skeleton's own."""
    place = positions(clip)
    bones = np.linalg.norm(place[:, 1:] - place[:, list(clip.skeleton.parents[1:])], axis=-1)
    rest = np.linalg.norm(clip.skeleton.offsets[1:].astype(np.float64), axis=-1)
    return float(np.abs(bones - rest).max(initial=0))


def penetration(clip: MotionClip) -> float:
    """Metres by which the lowest joint of the feet ever is below its standing height; 0 if none is."""
    return float(max((STANDING - foot_positions(clip)[..., 1]).max(), 0))


@lru_cache(maxsize=1)
def feature_projection() -> FloatArray:
    """(WINDOW * 22 * 6, FEATURES) float64 normals, the same for ever: a window's numbers to features. Lengths are kept
    but for the mean over the window's frames and joints that stands for the sum.
    """
    rows = WINDOW * len(HUMANOID.names) * 6
    matrix = normals(FEATURE_SEED, rows * FEATURES, FEATURE_STREAM).reshape(rows, FEATURES).astype(np.float64)
    return matrix / np.sqrt(FEATURES * WINDOW * len(HUMANOID.names))


def motion_features(clips: Sequence[MotionClip]) -> Features:
    """(n, FEATURES) one row for each window of WINDOW frames at FPS, STRIDE frames apart, of all clips.

    Of each frame: the body joints' positions as seen from the place on the ground below the root, along its heading,
    and their velocities over the ground in the same axes (VELOCITY_WEIGHT). Where a clip starts and which way it goes
    therefore doesn't matter. Windows are projected by a frozen random matrix, which keeps distances (Johnson and
    Lindenstrauss 1984) and, unlike principal axes of some data, needs none, so that numbers of different data and
    times can be compared, and sees defects that good data doesn't have. Loops run on over their seam, other clips
    that are too short stay in their last pose.
    """
    if not clips:
        raise InputError("there are no clips to measure.")
    rows = [_windows(clip).reshape(-1, len(feature_projection())) @ feature_projection() for clip in clips]
    return np.concatenate(rows)


def _windows(clip: MotionClip) -> FloatArray:
    """(n, WINDOW, j, 6) positions and weighted velocities of a clip."""
    track = _heading_track(resample_clip(clip, FPS))
    if clip.loop and len(track) > 1:
        starts = np.arange(0, len(track) - 1, STRIDE)
        return track[(starts[:, None] + np.arange(WINDOW)) % (len(track) - 1)]
    if len(track) < WINDOW:
        rest = np.repeat(track[-1:], WINDOW - len(track), 0)
        rest[..., 3:] = 0
        track = np.concatenate([track, rest])
    starts = np.arange(0, len(track) - WINDOW + 1, STRIDE)
    return track[starts[:, None] + np.arange(WINDOW)]


def _heading_track(clip: MotionClip) -> FloatArray:
    """(f, j, 6) positions of the body's joints beside the root's place on the ground, and velocities to the next frame,
    both along the root's heading.
    """
    place = positions(clip)[:, [clip.skeleton.index(name) for name in HUMANOID.names]]
    velocity = np.zeros_like(place)
    velocity[:-1] = np.diff(place, axis=0) * clip.fps
    velocity[-1] = velocity[-2] if len(clip) > 1 else 0
    turn = from_axis_angle((0, 1, 0), -heading(clip.rotations[:, 0].astype(np.float64)))[:, None]
    beside = place - place[:, :1] * [1, 0, 1]
    return np.concatenate([rotate(turn, beside), rotate(turn, velocity) * VELOCITY_WEIGHT], -1)


def nearest_rows(real: Features, made: Features) -> tuple[NDArray[np.float64], NDArray[np.intp]]:
    """Of each row of made (m, k) the distance to the nearest row of real (n, k), and which that is. Made ones that are
    nearer than real ones are to each other are copies.
    """
    distances = np.empty(len(made))
    rows = np.empty(len(made), np.intp)
    for start in range(0, len(made), BLOCK):
        block = _distances(made[start : start + BLOCK], real)
        rows[start : start + BLOCK] = block.argmin(1)
        distances[start : start + BLOCK] = block.min(1)
    return distances, rows


def coverage(real: Features, made: Features, neighbours: int = 5) -> float:
    """Share of real rows (n, k) that have a made one (m, k) no farther away than their own `neighbours`-th real one.

    Naeem et al. 2020, "Reliable Fidelity and Diversity Metrics for Generative Models".
    """
    if not 0 < neighbours < len(real):
        raise InputError(f"coverage needs more than {neighbours} real rows, not {len(real)}.")
    covered = 0
    for start in range(0, len(real), BLOCK):
        block = real[start : start + BLOCK]
        radius = np.partition(_distances(block, real), neighbours, 1)[:, neighbours]
        covered += int((_distances(block, made).min(1) <= radius).sum())
    return covered / len(real)


def _distances(a: Features, b: Features) -> NDArray[np.float64]:
    """(n, m) Euclidean distances between the rows of two arrays."""
    squares = (a**2).sum(1)[:, None] + (b**2).sum(1) - 2 * a @ b.T
    return np.sqrt(np.maximum(squares, 0))
