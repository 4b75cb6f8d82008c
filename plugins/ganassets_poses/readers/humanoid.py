"""Read motion files of the DeepMimic humanoid, as in pybullet: JSON with a row of 44 numbers per frame.

Peng et al. 2018, "DeepMimic: Example-Guided Deep Reinforcement Learning of Physics-Based Character Skills".
"""

from __future__ import annotations

import json
from typing import Any

import numpy as np

from ganassets.api.errors import InputError
from ganassets.api.motion.rotations import FloatArray, from_axis_angle, normalise
from ganassets.api.motion.take import Take

from .forward import identity_rotations, world_transforms
from .keys import sample_keys
from .limits import check_motion_size, check_numbers, frame_rate

LARGEST = 8 * 2**20  # bytes
# Joint, parent, position in the parent's frame in metres, and how many numbers of a frame rotate it: 4 for a quaternion
# (w, x, y, z), 1 for an angle about +Z in radians. The model faces +X, its right side is +Z, arms and legs hang down.
JOINTS = (
    ("root", "", (0.0, 0.0, 0.0), 4),
    ("chest", "root", (0.0, 0.236151, 0.0), 4),
    ("neck", "chest", (0.0, 0.223894, 0.0), 4),
    ("right_hip", "root", (0.0, 0.0, 0.084887), 4),
    ("right_knee", "right_hip", (0.0, -0.421546, 0.0), 1),
    ("right_ankle", "right_knee", (0.0, -0.40987, 0.0), 4),
    ("right_shoulder", "chest", (-0.02405, 0.2435, 0.18311), 4),
    ("right_elbow", "right_shoulder", (0.0, -0.274788, 0.0), 1),
    ("right_wrist", "right_elbow", (0.0, -0.258947, 0.0), 0),
    ("left_hip", "root", (0.0, 0.0, -0.084887), 4),
    ("left_knee", "left_hip", (0.0, -0.421546, 0.0), 1),
    ("left_ankle", "left_knee", (0.0, -0.40987, 0.0), 4),
    ("left_shoulder", "chest", (-0.02405, 0.2435, -0.18311), 4),
    ("left_elbow", "left_shoulder", (0.0, -0.274788, 0.0), 1),
    ("left_wrist", "left_elbow", (0.0, -0.258947, 0.0), 0),
)
NAMES = tuple(name for name, _, _, _ in JOINTS)
PARENTS = tuple(NAMES.index(parent) if parent else -1 for _, parent, _, _ in JOINTS)
FIRST_TURN = 4  # first column of rotations, after the frame's duration and the root's position
COLUMNS = FIRST_TURN + sum(count for *_, count in JOINTS)
UNEVEN = 1e-3  # most difference between durations of frames, as a share, for an even frame rate


def read_humanoid(content: str | bytes, name: str) -> tuple[Take, bool]:
    """Read a clip, in metres.

    Args:
        content: Content of the file.
        name: Name of the take.

    Returns:
        The clip, and whether it loops: then its first frame follows its last, moved on.

    Raises:
        InputError: The file is invalid.
    """
    document = parse_object(content)
    rows = frame_rows(document.get("Frames"))
    check_motion_size(len(JOINTS), len(rows))
    times = np.concatenate([[0.0], np.cumsum(rows[:-1, 0])])
    steps = rows[:-1, 0] if len(rows) > 1 else rows[:, 0]
    step = float(np.median(steps))
    fps = frame_rate(step)
    places, turns = rows[:, 1:FIRST_TURN], joint_rotations(rows)
    if np.ptp(steps) > UNEVEN * step:
        places, turns = resample_evenly(times, places, turns, fps)
    shifts = np.array([[place for _, _, place, _ in JOINTS]])
    translations = np.repeat(shifts, len(places), 0)
    translations[:, 0] = places
    positions, rotations = world_transforms(PARENTS, translations, turns)
    rest, unturned = world_transforms(PARENTS, shifts, identity_rotations(1, len(JOINTS)))
    return Take(name, NAMES, PARENTS, rest[0], unturned[0], fps, positions, rotations), document.get("Loop") == "wrap"


def parse_object(content: str | bytes) -> dict[str, Any]:
    """Parse the file's JSON object."""
    if len(content) > LARGEST:
        raise InputError(f"more than {LARGEST // 2**20} MB; cut it into shorter clips")
    try:
        document = json.loads(content)
    except (ValueError, RecursionError):
        raise InputError("not a JSON file") from None
    if not isinstance(document, dict):
        raise InputError('not a motion file: it needs "Frames"')
    return document


def frame_rows(frames: object) -> FloatArray:
    """Return the numbers (f, 44) of the frames."""
    try:
        rows = np.array(frames, np.float64)
    except (ValueError, TypeError, OverflowError):
        rows = np.zeros(0)
    if rows.shape[1:] != (COLUMNS,):
        raise InputError(f'"Frames" should be rows of {COLUMNS} numbers, those of the DeepMimic humanoid')
    check_numbers(rows, "the frames")
    if (rows[:, 0] < 0).any():
        raise InputError("a frame's duration is below 0")
    return rows


def joint_rotations(rows: FloatArray) -> FloatArray:
    """Return the rotations (f, j, 4) in the parents' frames."""
    turns = identity_rotations(len(rows), len(JOINTS))
    column = FIRST_TURN
    for joint, (*_, count) in enumerate(JOINTS):
        if count == 4:
            turns[:, joint] = normalise(np.roll(rows[:, column : column + 4], -1, axis=1))
        elif count == 1:
            turns[:, joint] = from_axis_angle((0, 0, 1), rows[:, column])
        column += count
    return turns


def resample_evenly(
    times: FloatArray, places: FloatArray, turns: FloatArray, fps: float
) -> tuple[FloatArray, FloatArray]:
    """Resample frames at an even rate.

    Args:
        times: (f,) seconds.
        places: (f, 3) of the root.
        turns: (f, j, 4) of the joints.
        fps: Frames per second of the result.

    Returns:
        Places and turns.
    """
    count = int(times[-1] * fps + 1e-6) + 1
    check_motion_size(len(JOINTS), count)
    moments = np.arange(count) / fps
    joints = [sample_keys(times, turns[:, joint], moments, "LINEAR", turns=True) for joint in range(len(JOINTS))]
    return sample_keys(times, places, moments, "LINEAR", turns=False), np.stack(joints, 1)
