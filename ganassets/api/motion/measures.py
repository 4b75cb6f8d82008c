"""Measures of motion clips: skating feet, gaps of loops, jerk, bone lengths; features to compare sets of clips.

Frechet distance, precision, recall and mean distance of the features are in ganassets.training.evaluation.measures.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from ..assets import MotionClip
from ..errors import InputError
from ..latents import standard_normals
from .editing import resample_clip
from .feet import STANDING, find_standing_feet, foot_positions, ground_travel
from .kinematics import positions
from .rotations import conjugate, degrees_between, from_axis_angle, heading, multiply, rotate
from .skeletons import HUMANOID

FloatArray = NDArray[np.floating]
Features = NDArray[np.float64]

FPS = 30.0  # frame rate at which skating and features are measured
SKID, LOW = 0.025, 0.05  # metres: movement per frame of a sliding foot; height of a standing one
WINDOW, STRIDE = 32, 16  # frames at FPS
FEATURES, FEATURE_SEED, FEATURE_STREAM = 64, 2023, 16
BLOCK = 1024  # number of rows whose distances are in memory at once
VELOCITY_WEIGHT = 0.2  # metres per m/s


def skating(clip: MotionClip) -> float:
    """Return the share of frames with a foot on the ground in which a foot slides, 0 to 1; 0 without such frames.

    A foot is on the ground from one frame to the next if it stands in both (see `find_standing_feet`, up to LOW above
    its standing height). It slides if both of its joints move more than SKID along the ground meanwhile, at FPS frames
    per second (other clips are resampled). Heights are used instead of the clip's own contacts, so wrong contacts can't
    hide skating. The limits are those of Karunratanakul et al. 2023, "Guided Motion Diffusion".

    >>> from ganassets.api.motion.editing import rest_clip, sample_clip
    >>> from ganassets.api.motion.skeletons import HUMANOID
    >>> clip = sample_clip(rest_clip(HUMANOID), np.zeros(31))
    >>> clip.translation[:16, 2] += np.linspace(0, 1, 16)  # both feet slide for half a second
    >>> round(skating(clip), 1)
    0.5
    """
    place = foot_positions(resample_clip(clip, FPS))
    stands = find_standing_feet(place, LOW)
    down = stands[:-1] & stands[1:]
    moved = np.linalg.norm(np.diff(place[..., [0, 2]], axis=0), axis=-1)
    slides = np.all(moved.reshape(-1, 2, 2) > SKID, axis=-1)
    return float((down & slides).sum() / max(down.sum(), 1))


def loop_gap(clip: MotionClip) -> tuple[float, float]:
    """Measure how far a clip is from a perfect loop.

    Returns:
        Pose gap: the largest difference between first and last frame of a joint's rotation (radians) or of the root's
            height (metres); the position on the ground is ignored.
        velocity gap: the largest difference between the last step and the first, which follows it, of a joint's
            rotation (radians per frame) or of the root's position (metres per frame).

    >>> from ganassets.api.motion.editing import rest_clip, sample_clip
    >>> from ganassets.api.motion.skeletons import HUMANOID
    >>> clip = sample_clip(rest_clip(HUMANOID), np.zeros(31))
    >>> clip.translation[-1, 1] += 0.125  # the last frame is 12.5 cm higher than the first
    >>> [round(gap, 3) for gap in loop_gap(clip)]
    [0.125, 0.125]
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
    """Measure the change of movement at a loop's seam relative to the mean change from frame to frame; 1 is no seam.

    The change is the mean angle over joints between successive steps' rotations (radians) plus the same of the root's
    steps (metres).

    >>> from ganassets.api.motion.editing import rest_clip, sample_clip
    >>> from ganassets.api.motion.skeletons import HUMANOID
    >>> angle = np.linspace(0, 2 * np.pi, 61)
    >>> clip = sample_clip(rest_clip(HUMANOID), np.zeros(61))
    >>> clip.translation[:, [0, 2]] = np.stack([np.cos(angle), np.sin(angle)], 1)  # round in a circle
    >>> round(loop_seam(clip), 1)
    1.0
    """
    rotations = clip.rotations.astype(np.float64)
    turns = multiply(conjugate(rotations[:-1]), rotations[1:])
    steps = np.diff(clip.translation.astype(np.float64), axis=0)
    change = np.radians(degrees_between(np.roll(turns, 1, 0), turns)).mean(1)
    change += np.linalg.norm(steps - np.roll(steps, 1, 0), axis=1)
    return float(change[0] / max(change.mean(), 1e-9))


def jerk(clip: MotionClip) -> float:
    """Return the mean length of the third derivative of the joints' positions in m/s^3.

    Loops are continued over their seam. It is 0 for clips of fewer than four frames.

    >>> from ganassets.api.motion.editing import rest_clip, sample_clip
    >>> from ganassets.api.motion.skeletons import HUMANOID
    >>> clip = sample_clip(rest_clip(HUMANOID), np.zeros(31))
    >>> jerk(clip)
    0.0
    >>> clip.translation[15] += 0.01  # one frame is off by 1.7 cm
    >>> round(jerk(clip))
    134
    """
    place = positions(clip)
    if clip.loop and len(clip) > 1:
        place = np.concatenate([place, place[1:3] + ground_travel(clip)])
    if len(place) < 4:
        return 0.0
    return float(np.linalg.norm(np.diff(place, n=3, axis=0), axis=-1).mean() * clip.fps**3)


def bone_length_error(clip: MotionClip) -> float:
    """Return the largest difference in metres between a bone's length in a clip and in its skeleton."""
    place = positions(clip)
    bones = np.linalg.norm(place[:, 1:] - place[:, list(clip.skeleton.parents[1:])], axis=-1)
    rest = np.linalg.norm(clip.skeleton.offsets[1:].astype(np.float64), axis=-1)
    return float(np.abs(bones - rest).max(initial=0))


def penetration(clip: MotionClip) -> float:
    """Return the largest depth in metres of the feet's joints below their standing height; 0 if they never sink."""
    return float(max((STANDING - foot_positions(clip)[..., 1]).max(), 0))


@lru_cache(maxsize=1)
def feature_projection() -> FloatArray:
    """Return the frozen random matrix (WINDOW * 22 * 6, FEATURES) float64 that projects windows to features.

    Its entries are normal. Lengths are kept up to a factor: a sum over frames and joints becomes a mean.
    """
    rows = WINDOW * len(HUMANOID.names) * 6
    matrix = standard_normals(FEATURE_SEED, rows * FEATURES, FEATURE_STREAM).reshape(rows, FEATURES).astype(np.float64)
    return matrix / np.sqrt(FEATURES * WINDOW * len(HUMANOID.names))


def motion_features(clips: Sequence[MotionClip]) -> Features:
    """Return features (n, FEATURES), one row for each window of WINDOW frames at FPS, STRIDE frames apart.

    A window holds for each frame the positions of the body's joints relative to the point on the ground below the root,
    along its heading, and their velocities over the ground in the same axes, times VELOCITY_WEIGHT. Start and direction
    of a clip therefore don't matter. Loops continue over their seam; other clips that are too short stay in their last
    pose.

    A frozen random matrix projects the windows. It keeps distances (Johnson and Lindenstrauss 1984) and needs no data
    to be fitted to, so features of different data sets can be compared. Unlike principal axes it doesn't hide defects
    that good data lacks.

    >>> from ganassets.api.motion.editing import rest_clip
    >>> from ganassets.api.motion.skeletons import HUMANOID
    >>> motion_features([rest_clip(HUMANOID)]).shape
    (1, 64)
    """
    if not clips:
        raise InputError("there are no clips to measure.")
    rows = [_windows(clip).reshape(-1, len(feature_projection())) @ feature_projection() for clip in clips]
    return np.concatenate(rows)


def _windows(clip: MotionClip) -> FloatArray:
    """Return the windows (n, WINDOW, j, 6) of a clip: positions and weighted velocities."""
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
    """Return positions and velocities (f, j, 6) of the body's joints along the root's heading.

    Positions are relative to the root's point on the ground; velocities lead to the next frame and are weighted.
    """
    place = positions(clip)[:, [clip.skeleton.index(name) for name in HUMANOID.names]]
    velocity = np.zeros_like(place)
    velocity[:-1] = np.diff(place, axis=0) * clip.fps
    velocity[-1] = velocity[-2] if len(clip) > 1 else 0
    turn = from_axis_angle((0, 1, 0), -heading(clip.rotations[:, 0].astype(np.float64)))[:, None]
    beside = place - place[:, :1] * [1, 0, 1]
    return np.concatenate([rotate(turn, beside), rotate(turn, velocity) * VELOCITY_WEIGHT], -1)


def nearest_rows(real: Features, made: Features) -> tuple[NDArray[np.float64], NDArray[np.intp]]:
    """Return for each row of `made` the distance to the nearest row of `real`, and that row's index.

    Generated windows that are nearer than real ones are to each other are copies.

    Args:
        real: (n, k) features.
        made: (m, k) features.

    Returns:
        (m,) distances and (m,) indices.
    """
    distances = np.empty(len(made))
    rows = np.empty(len(made), np.intp)
    for start in range(0, len(made), BLOCK):
        block = _distances(made[start : start + BLOCK], real)
        rows[start : start + BLOCK] = block.argmin(1)
        distances[start : start + BLOCK] = block.min(1)
    return distances, rows


def coverage(real: Features, made: Features, neighbours: int = 5) -> float:
    """Return the share of real rows with a generated row within the distance of their `neighbours`-th nearest real row.

    Naeem et al. 2020, "Reliable Fidelity and Diversity Metrics for Generative Models".

    Args:
        real: (n, k) features.
        made: (m, k) features.
        neighbours: Less than n.

    Raises:
        InputError: There are too few real rows.
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
    """Return the Euclidean distances (n, m) between the rows of two arrays."""
    squares = (a**2).sum(1)[:, None] + (b**2).sum(1) - 2 * a @ b.T
    return np.sqrt(np.maximum(squares, 0))
