"""Convert clips to the networks' signals, relative to where the figure stands and faces, and back (numpy only)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ganassets.api.assets import CONTACTS, MotionClip
from ganassets.api.motion.editing import blur_track, opposite_joint
from ganassets.api.motion.rotations import from_6d, from_axis_angle, make_continuous, multiply, normalise, rotate, to_6d
from ganassets.api.motion.skeletons import HUMANOID

FloatArray = NDArray[np.floating]

JOINTS = len(HUMANOID.names)
ROOT = ("forward", "left", "turn", "height")  # m/s, m/s, rad/s, m
HEADING_SIGMA = 0.15  # seconds; the pelvis sways faster than a figure turns
# Signs of a rotation's two columns when it is reflected at x = 0.
MIRROR = np.array([[1, -1, -1], [-1, 1, 1]], np.float32)[:, :, None]
REST_HEIGHT = float(HUMANOID.offsets[0, 1])
# Scales of the networks' residuals, and divisors that give signals about unit variance.
ROOT_SCALE = (0.6, 0.3, 1.0, 0.1)
ROTATION_SCALE, PLACE_SCALE = 0.3, 0.25


@dataclass(frozen=True, eq=False)
class Signals:
    """Frames of a motion; every frame holds the step to the next one.

    Attributes:
        root: (4, f) float32: velocity forwards and to the left in m/s, turning to the left in rad/s, height of the hips
            in metres.
        rotations: (132, f) float32: the 22 joints' rotations as two columns each; the hips' relative to the heading.
        contacts: (4, f) float32 in [0, 1]: whether ganassets.api.assets.CONTACTS stand on the ground.
    """

    root: NDArray[np.float32]
    rotations: NDArray[np.float32]
    contacts: NDArray[np.float32]

    def __len__(self) -> int:
        return self.root.shape[1]

    def slice(self, start: int, stop: int) -> Signals:
        """Return frames start to stop - 1."""
        return Signals(self.root[:, start:stop], self.rotations[:, start:stop], self.contacts[:, start:stop])

    def mirror(self) -> Signals:
        """Exchange left and right."""
        swap = [HUMANOID.index(opposite_joint(name)) for name in HUMANOID.names]
        columns = self.rotations.reshape(JOINTS, 2, 3, -1)[swap] * MIRROR
        root = self.root * np.array([1, -1, -1, 1], np.float32)[:, None]
        return Signals(root, columns.reshape(6 * JOINTS, -1), self.contacts[[2, 3, 0, 1]])

    def rotation_columns(self) -> NDArray[np.float32]:
        """Return the two columns of each rotation, (f, 22, 6)."""
        return np.moveaxis(self.rotations.reshape(JOINTS, 6, -1), (0, 1), (1, 2))

    def stack(self) -> NDArray[np.float32]:
        """Return all signals as one array (140, f)."""
        return np.concatenate([self.root, self.rotations, self.contacts])


PARTS = ("root", "rotations", "contacts")


def signals_of_sample(arrays: Mapping[str, np.ndarray], index: int) -> Signals:
    """Return one sample of `root`, `rotations` and `contacts`, (n, channels, f) each, of outputs or training data."""
    return Signals(*(arrays[name][index] for name in PARTS))


def unstack_signals(values: FloatArray) -> Signals:
    """Return the signals of an array (140, f), with rotations made orthonormal again."""
    root, rotations, contacts = np.split(values.astype(np.float32), [len(ROOT), len(ROOT) + 6 * JOINTS])
    return Signals(root, orthonormalise(rotations), contacts)


def orthonormalise(rotations: FloatArray) -> NDArray[np.float32]:
    """Return rotations (132, f) with orthonormal columns."""
    columns = np.moveaxis(rotations.reshape(JOINTS, 6, -1), 1, -1)
    return flatten_rotations(to_6d(from_6d(columns)))


def flatten_rotations(columns: FloatArray) -> NDArray[np.float32]:
    """Reshape columns (22, f, 6) to (132, f)."""
    return np.ascontiguousarray(np.moveaxis(columns, -1, 1).reshape(6 * JOINTS, -1), np.float32)


def smooth_headings(rotations: FloatArray, fps: float, wraps: bool) -> NDArray[np.float64]:
    """Return the figure's heading (f,) in radians to the left of +Z, continuous and smoothed along time.

    It follows the hips' left-right axis, which stays level when somebody bends, falls or rolls over. Moments when that
    axis is upright count little.

    Args:
        rotations: (f, 4) of the hips.
        fps: Frames per second.
        wraps: Whether the frame after the last is the first.
    """
    left = rotate(rotations.astype(np.float64), np.array([1.0, 0, 0]))
    direction = left[:, 0] - 1j * left[:, 2]
    smooth = blur_track(direction, HEADING_SIGMA * fps, wraps)
    return np.unwrap(np.angle(np.where(np.abs(smooth) > 1e-6, smooth, 1.0)))


def signals_from_clip(clip: MotionClip) -> Signals:
    """Convert a clip on the humanoid to signals; one frame fewer, because each holds the step to the next.

    Args:
        clip: Clip with at least two frames; contacts are 0 where it has none.
    """
    last = len(clip) - 1
    angles = smooth_headings(clip.rotations[:last, 0] if clip.loop else clip.rotations[:, 0], clip.fps, clip.loop)
    if clip.loop:
        turned = np.angle(np.exp(1j * (angles[0] - angles[-1])))
        angles = np.append(angles, angles[-1] + turned)
    turn = np.diff(angles) * clip.fps
    angles = angles[:last]
    back = from_axis_angle((0, 1, 0), -angles)
    step = np.diff(clip.translation.astype(np.float64), axis=0) * clip.fps
    step = rotate(back, step)
    local = clip.rotations[:last].astype(np.float64)
    local[:, 0] = normalise(multiply(back, local[:, 0]))
    root = np.stack([step[:, 2], step[:, 0], turn, clip.translation[:last, 1]])
    contacts = np.zeros((last, len(CONTACTS))) if clip.contacts is None else clip.contacts[:last]
    return Signals(
        root.astype(np.float32), flatten_rotations(np.moveaxis(to_6d(local), 1, 0)), contacts.T.astype(np.float32)
    )


def smooth_signals(signals: Signals, wraps: bool) -> Signals:
    """Smooth signals along time with the weights 1/8, 6/8, 1/8.

    This halves trembling from frame to frame, which bodies don't show. Motion below 5 Hz loses less than 13 %.
    """
    values = np.pad(signals.stack(), ((0, 0), (1, 1)), mode="wrap" if wraps else "edge")
    return unstack_signals((values[:, :-2] + 6 * values[:, 1:-1] + values[:, 2:]) / 8)


def stretch_loop(loop: Signals, frames: int) -> Signals:
    """Change the number of frames of a loop, and its speed accordingly, by its Fourier series, which has no seam."""
    if frames == len(loop):
        return loop
    spectrum = np.fft.rfft(loop.stack(), axis=1)[:, : (min(frames, len(loop)) + 1) // 2]
    values = np.fft.irfft(spectrum, n=frames, axis=1) * (frames / len(loop))
    values[:3] *= len(loop) / frames
    values[-len(CONTACTS) :] = values[-len(CONTACTS) :].clip(0, 1)
    return unstack_signals(values)


def clip_from_signals(signals: Signals, name: str, fps: float, loop: bool) -> MotionClip:
    """Convert signals to a clip that starts at the origin and faces +Z on average.

    A loop of f frames becomes f + 1, the last like the first; its net turn is removed evenly.
    """
    forward, left, turn, height = signals.root.astype(np.float64)
    if loop:
        turn = turn - turn.mean()
    angles = np.concatenate([[0.0], np.cumsum(turn) / fps])[: len(signals) + loop]
    step = np.stack([left, np.zeros_like(left), forward], -1)[: len(angles) - 1] / fps
    step = rotate(from_axis_angle((0, 1, 0), angles[:-1]), step)
    ground = np.concatenate([np.zeros((1, 3)), np.cumsum(step, 0)])
    frames = np.arange(len(angles)) % len(signals)
    ground[:, 1] = height[frames]
    rotations = from_6d(signals.rotation_columns()[frames].astype(np.float64))
    rotations[:, 0] = normalise(multiply(from_axis_angle((0, 1, 0), angles), rotations[:, 0]))
    return MotionClip(
        name,
        HUMANOID,
        fps,
        ground.astype(np.float32),
        make_continuous(rotations).astype(np.float32),
        signals.contacts.T[frames] > 0.5,
        loop,
    )
