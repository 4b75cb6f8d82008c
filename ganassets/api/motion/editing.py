"""Edit motion clips: resample, crop, mirror, place. Pure functions that return new clips."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..assets import MotionClip, Skeleton
from ..errors import InputError
from .rotations import from_axis_angle, heading, make_continuous, multiply, normalise, rotate, slerp

FloatArray = NDArray[np.floating]


def sample_clip(clip: MotionClip, times: FloatArray) -> MotionClip:
    """Return a clip with the poses of other moments, at the same frame rate.

    Args:
        clip: Clip of any skeleton.
        times: (f,) seconds from its first frame; clamped to its start and end.

    >>> from ganassets.api.motion.skeletons import HUMANOID
    >>> path = np.array([[0, 1, 0], [0, 1, 1]], np.float32)
    >>> clip = replace(sample_clip(rest_clip(HUMANOID), np.zeros(2)), translation=path)
    >>> sample_clip(clip, np.array([0.5 / 30])).translation.round(3).tolist()
    [[0.0, 1.0, 0.5]]
    """
    place = np.clip(times * clip.fps, 0, len(clip) - 1)
    before = np.minimum(place.astype(np.intp), max(len(clip) - 2, 0))
    after = np.minimum(before + 1, len(clip) - 1)
    share = (place - before).astype(np.float32)
    moved = clip.translation[before] * (1 - share[:, None]) + clip.translation[after] * share[:, None]
    turned = slerp(clip.rotations[before], clip.rotations[after], share[:, None])
    nearest = np.where(share < 0.5, before, after)
    return replace(
        clip,
        translation=moved.astype(np.float32),
        rotations=make_continuous(turned).astype(np.float32),
        contacts=None if clip.contacts is None else clip.contacts[nearest],
        loop=False,
    )


def resample_clip(clip: MotionClip, fps: float) -> MotionClip:
    """Change a clip's frame rate; rotations are interpolated by slerp.

    The last frame stays the last. The clip is therefore played slightly faster or slower where its duration is not a
    whole number of new frames.

    >>> from ganassets.api.motion.skeletons import HUMANOID
    >>> clip = sample_clip(rest_clip(HUMANOID), np.zeros(31))  # 31 frames, 30 a second
    >>> len(resample_clip(clip, fps=60))
    61
    """
    if not 0 < fps < float("inf"):
        raise InputError("the frame rate must be above 0 frames per second.")
    if fps == clip.fps or len(clip) == 1:
        return replace(clip, fps=fps)
    count = max(round(clip.seconds * fps), 1)
    return replace(sample_clip(clip, np.linspace(0, clip.seconds, count + 1)), fps=fps, loop=clip.loop)


def crop_clip(clip: MotionClip, start: int, stop: int) -> MotionClip:
    """Return frames start to stop - 1; the result loops only if it is the whole clip.

    >>> from ganassets.api.motion.skeletons import HUMANOID
    >>> clip = sample_clip(rest_clip(HUMANOID), np.zeros(31))
    >>> len(crop_clip(clip, 10, 20))
    10
    """
    if not 0 <= start < stop <= len(clip):
        raise InputError(f"frames {start} to {stop} are out of range; the clip has {len(clip)} frames.")
    return replace(
        clip,
        translation=clip.translation[start:stop],
        rotations=clip.rotations[start:stop],
        contacts=None if clip.contacts is None else clip.contacts[start:stop],
        loop=clip.loop and stop - start == len(clip),
    )


def opposite_joint(name: str) -> str:
    """Return the name of a humanoid's joint on the other side of the body; of a joint in the middle its own.

    >>> opposite_joint("leftHand"), opposite_joint("hips")
    ('rightHand', 'hips')
    """
    for side, other in (("left", "right"), ("right", "left")):
        if name.startswith(side):
            return other + name[len(side) :]
    return name


def mirror_clip(clip: MotionClip) -> MotionClip:
    """Exchange left and right: reflect the clip at the plane x = 0.

    The skeleton must be symmetric, with joints named left... and right..., and with rest frames parallel to the world.

    >>> from ganassets.api.motion.skeletons import HUMANOID
    >>> clip = replace(rest_clip(HUMANOID), translation=np.array([[0.5, 1, 0]], np.float32))
    >>> mirror_clip(clip).translation.tolist()
    [[-0.5, 1.0, 0.0]]
    """
    names = clip.skeleton.names
    swap = [clip.skeleton.index(opposite_joint(name)) for name in names]
    rotations = clip.rotations[:, swap] * np.array([1, -1, -1, 1], np.float32)
    contacts = None if clip.contacts is None else clip.contacts[:, [2, 3, 0, 1]]
    return replace(
        clip,
        translation=clip.translation * np.array([-1, 1, 1], np.float32),
        rotations=make_continuous(rotations),
        contacts=contacts,
    )


def place_at_origin(clip: MotionClip) -> MotionClip:
    """Move and turn a clip so that it starts above the origin and faces +Z.

    >>> from ganassets.api.motion.skeletons import HUMANOID
    >>> clip = replace(rest_clip(HUMANOID), translation=np.array([[0.5, 1, 2]], np.float32))
    >>> place_at_origin(clip).translation.tolist()
    [[0.0, 1.0, 0.0]]
    """
    turn = from_axis_angle((0, 1, 0), -float(heading(clip.rotations[0, 0].astype(np.float64)))).astype(np.float32)
    start = clip.translation[0] * np.array([1, 0, 1], np.float32)
    rotations = clip.rotations.copy()
    rotations[:, 0] = normalise(multiply(turn, rotations[:, 0]))
    return replace(clip, translation=rotate(turn, clip.translation - start), rotations=make_continuous(rotations))


def remove_travel(clip: MotionClip) -> MotionClip:
    """Return the clip in place.

    A loop loses the uniform motion along the ground from its first frame to its last. Other clips lose all motion along
    the ground.

    >>> from ganassets.api.motion.skeletons import HUMANOID
    >>> path = np.array([[0, 1, 0], [0, 1, 0.5], [0, 1, 1]], np.float32)
    >>> clip = replace(sample_clip(rest_clip(HUMANOID), np.zeros(3)), translation=path)
    >>> remove_travel(clip).translation.tolist()
    [[0.0, 1.0, 0.0], [0.0, 1.0, 0.0], [0.0, 1.0, 0.0]]
    """
    ground = np.array([1, 0, 1], np.float32)
    if not clip.loop:
        return replace(clip, translation=clip.translation * (1 - ground))
    share = np.linspace(0, 1, len(clip), dtype=np.float32)[:, None]
    travel = (clip.translation[-1] - clip.translation[0]) * ground
    return replace(clip, translation=clip.translation - share * travel)


def blur_track(track: NDArray[np.number], sigma: float, wraps: bool = False) -> NDArray[Any]:
    """Smooth a track along time with Gaussian weights; returns as many frames (f, ...).

    Args:
        track: (f, ...) real or complex.
        sigma: Standard deviation in frames; weights are cut off at three times that.
        wraps: Whether the frame after the last is the first; otherwise the first and last frames are repeated.

    >>> blur_track(np.array([1.0, 0.0, 0.0, 0.0, 0.0]), sigma=1).round(2).tolist()
    [0.7, 0.3, 0.06, 0.0, 0.0]
    >>> blur_track(np.array([1.0, 0.0, 0.0, 0.0, 0.0]), sigma=1, wraps=True).round(2).tolist()
    [0.4, 0.24, 0.06, 0.06, 0.24]
    """
    reach = int(np.ceil(3 * sigma))
    weights = np.exp(-0.5 * (np.arange(-reach, reach + 1) / sigma) ** 2)
    padded = np.pad(track, [(reach, reach)] + [(0, 0)] * (track.ndim - 1), mode="wrap" if wraps else "edge")
    return np.apply_along_axis(np.convolve, 0, padded, weights / weights.sum(), mode="valid")


def rest_clip(skeleton: Skeleton, fps: float = 30.0) -> MotionClip:
    """Return a clip of one frame that shows a skeleton at rest.

    >>> from ganassets.api.motion.skeletons import HUMANOID
    >>> clip = rest_clip(HUMANOID)
    >>> len(clip), clip.rotations.shape
    (1, (1, 22, 4))
    """
    return MotionClip("rest", skeleton, fps, skeleton.offsets[:1].copy(), skeleton.rest_rotations[None].copy())
