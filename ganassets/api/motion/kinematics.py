"""Forward kinematics: where the joints are."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from ..assets import MotionClip, Skeleton
from .rotations import conjugate, multiply, normalise, rotate

FloatArray = NDArray[np.floating]


def world_pose(skeleton: Skeleton, translation: FloatArray, rotations: FloatArray) -> tuple[FloatArray, FloatArray]:
    """World positions (..., j, 3) and rotations (..., j, 4) of the joints.

    Args:
        skeleton: the joints.
        translation: (..., 3) metres, place of the root.
        rotations: (..., j, 4) in the parents' frames.
    """
    turned: list[FloatArray] = []
    placed: list[FloatArray] = []
    offsets = skeleton.offsets.astype(rotations.dtype)
    for joint, parent in enumerate(skeleton.parents):
        local = rotations[..., joint, :]
        if parent < 0:
            turned.append(local)
            placed.append(np.broadcast_to(translation, (*local.shape[:-1], 3)))
        else:
            turned.append(multiply(turned[parent], local))
            placed.append(placed[parent] + rotate(turned[parent], offsets[joint]))
    return np.stack(placed, -2), np.stack(turned, -2)


def root_translations(clip: MotionClip, has_root: bool) -> list[FloatArray]:
    """(f, 3) float32 places in their parents' frames of the first joints. A root of the rig's own stays on the ground,
    where engines look for the travel, and the hips below it go up and down.
    """
    if not has_root:
        return [clip.translation]
    along, up = clip.translation.copy(), np.zeros_like(clip.translation)
    along[:, 1], up[:, 1] = 0, clip.translation[:, 1]
    return [along, clip.skeleton.offsets[1] + up]


def positions(clip: MotionClip) -> FloatArray:
    """(f, j, 3) world positions of a clip's joints in metres, float64."""
    return world_pose(clip.skeleton, clip.translation.astype(np.float64), clip.rotations.astype(np.float64))[0]


@lru_cache(32)  # of skeletons, which many clips share
def rest_pose(skeleton: Skeleton) -> tuple[FloatArray, FloatArray]:
    """World positions (j, 3) and rotations (j, 4) of the joints at rest, float64; not to be written to."""
    found = world_pose(skeleton, skeleton.offsets[0].astype(np.float64), skeleton.rest_rotations.astype(np.float64))
    for array in found:
        array.flags.writeable = False
    return found


def local_rotations(parents: tuple[int, ...], world: FloatArray) -> FloatArray:
    """(..., j, 4) rotations in the parents' frames of world rotations (..., j, 4)."""
    above = [parent if parent >= 0 else 0 for parent in parents]
    local = multiply(conjugate(world[..., above, :]), world)
    root = [joint for joint, parent in enumerate(parents) if parent < 0]
    local[..., root, :] = world[..., root, :]
    return normalise(local)
