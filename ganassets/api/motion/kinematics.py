"""Forward kinematics: positions and rotations of joints in the world."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from ..assets import MotionClip, Skeleton
from .rotations import conjugate, multiply, normalise, rotate

FloatArray = NDArray[np.floating]


def world_pose(skeleton: Skeleton, translation: FloatArray, rotations: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return world positions (..., j, 3) and rotations (..., j, 4) of the joints.

    Args:
        skeleton: The joints.
        translation: (..., 3) position of the root in metres.
        rotations: (..., j, 4) rotations in the parents' frames.

    >>> from ganassets.api.motion.skeletons import HUMANOID
    >>> places, rotations = world_pose(HUMANOID, np.array([0.0, 1.0, 2.0]), HUMANOID.rest_rotations)
    >>> places.shape, places[HUMANOID.index("hips")].tolist()
    ((22, 3), [0.0, 1.0, 2.0])
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
    """Return the translations (f, 3) float32, in their parents' frames, of the joints that an exporter has to animate.

    A rig's own root stays on the ground, where engines look for the travel, and the hips below it move up and down.

    Args:
        clip: Clip of any skeleton.
        has_root: Whether the first joint is a root on the ground above the hips.

    Returns:
        Those of the hips, or of the root and the hips.

    >>> from ganassets.api.motion.editing import rest_clip
    >>> from ganassets.api.motion.retarget import to_rig
    >>> from ganassets.api.motion.skeletons import HUMANOID
    >>> clip = to_rig(rest_clip(HUMANOID), "unreal")
    >>> root, hips = root_translations(clip, has_root=True)
    >>> root.shape, round(float(root[0, 1]), 2), round(float(hips[0, 1]), 2)
    ((1, 3), 0.0, 0.95)
    """
    if not has_root:
        return [clip.translation]
    along, up = clip.translation.copy(), np.zeros_like(clip.translation)
    along[:, 1], up[:, 1] = 0, clip.translation[:, 1]
    return [along, clip.skeleton.offsets[1] + up]


def positions(clip: MotionClip) -> FloatArray:
    """Return the world positions (f, j, 3) of a clip's joints in metres, float64.

    >>> from ganassets.api.motion.editing import rest_clip
    >>> from ganassets.api.motion.skeletons import HUMANOID
    >>> place = positions(rest_clip(HUMANOID))
    >>> place.shape, place[0, HUMANOID.index("head")].round(2).tolist()
    ((1, 22, 3), [0.0, 1.53, 0.01])
    """
    return world_pose(clip.skeleton, clip.translation.astype(np.float64), clip.rotations.astype(np.float64))[0]


@lru_cache(32)  # many clips share a skeleton
def rest_pose(skeleton: Skeleton) -> tuple[FloatArray, FloatArray]:
    """Return world positions (j, 3) and rotations (j, 4) of the joints at rest, float64 and read-only.

    >>> from ganassets.api.motion.skeletons import HUMANOID
    >>> places, rotations = rest_pose(HUMANOID)
    >>> places.shape, places[HUMANOID.index("leftHand")].round(2).tolist()
    ((22, 3), [0.69, 1.4, 0.0])
    """
    found = world_pose(skeleton, skeleton.offsets[0].astype(np.float64), skeleton.rest_rotations.astype(np.float64))
    for array in found:
        array.flags.writeable = False
    return found


def local_rotations(parents: tuple[int, ...], world: FloatArray) -> FloatArray:
    """Convert world rotations (..., j, 4) to rotations in the parents' frames.

    Args:
        parents: Index of each joint's parent, -1 for a root.
        world: (..., j, 4).
    """
    above = [parent if parent >= 0 else 0 for parent in parents]
    local = multiply(conjugate(world[..., above, :]), world)
    root = [joint for joint, parent in enumerate(parents) if parent < 0]
    local[..., root, :] = world[..., root, :]
    return normalise(local)
