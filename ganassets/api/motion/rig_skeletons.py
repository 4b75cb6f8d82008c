"""The humanoid's skeleton with the bone names, rest pose and bone axes of a rig."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..assets import Skeleton
from .rigs import Rig
from .rotations import conjugate, from_axis_angle, multiply, normalise, rotate
from .source_figure import SIDES, X, Y, Z, rotation_between_frames

FloatArray = NDArray[np.floating]

NO_ROTATION = np.array([0.0, 0, 0, 1])
A_POSE = np.radians(45)  # radians that the arms hang down
# Direction in the T-pose of bones without a single next joint; others point at their first child.
DIRECTIONS = {"head": Y, "leftHand": X, "rightHand": -X, "leftToes": Z, "rightToes": Z}


def make_rig_skeleton(skeleton: Skeleton, rig: Rig, axes: FloatArray) -> Skeleton:
    """Make a rig's skeleton from the humanoid's, below the rig's root if it has one.

    Args:
        skeleton: HUMANOID or HUMANOID_FINGERS.
        rig: Rig that gives the names, the rest pose and the root.
        axes: (j, 4) see `bone_axes`.
    """
    above = [max(parent, 0) for parent in skeleton.parents]
    offsets = rotate(conjugate(axes[above]), skeleton.offsets.astype(np.float64))
    offsets[0] = skeleton.offsets[0]
    rest = convert_to_bones(_rest_rotations(skeleton, rig.pose), skeleton, axes)
    names = tuple(rig.bone_name(joint) for joint in skeleton.names)
    parents = skeleton.parents
    if rig.root:
        names, parents = (rig.root, *names), (-1, *(parent + 1 for parent in parents))
        offsets, rest = np.concatenate([np.zeros((1, 3)), offsets]), np.concatenate([NO_ROTATION[None], rest])
    return Skeleton(names, parents, offsets.astype(np.float32), rest.astype(np.float32))


def bone_axes(skeleton: Skeleton, axes: str) -> FloatArray:
    """Return the world rotations (j, 4) of a rig's bones in the T-pose.

    Args:
        skeleton: The humanoid.
        axes: "x" or "y" for that axis along the bone and Z forwards (upwards where the bone points forwards), or
            "world" for all parallel to the world.
    """
    rotations = np.tile(NO_ROTATION, (len(skeleton.names), 1))
    if axes == "world":
        return rotations
    own = np.eye(3)[["x", "y"].index(axes)]
    along: dict[int, FloatArray] = {}
    for joint, parent in enumerate(skeleton.parents):
        along[joint] = normalise(_bone_direction(skeleton, joint, along.get(parent)))
        pole = Z if abs(along[joint][2]) < 0.8 else Y
        rotations[joint] = rotation_between_frames(own, Z, along[joint], pole)
    return rotations


def _bone_direction(skeleton: Skeleton, joint: int, parent_direction: FloatArray | None) -> FloatArray:
    """Return the direction (3,) of a bone in the T-pose; the last bone of a finger has that of its parent."""
    direction = DIRECTIONS.get(skeleton.names[joint])
    if direction is not None:
        return direction
    children = [i for i, parent in enumerate(skeleton.parents) if parent == joint]
    if children:
        return skeleton.offsets[children[0]].astype(np.float64)
    assert parent_direction is not None
    return parent_direction


def _rest_rotations(skeleton: Skeleton, pose: str) -> FloatArray:
    """Return the rotations (j, 4) of the humanoid's joints in their parents' frames in the rest pose "T" or "A"."""
    rotations = skeleton.rest_rotations.astype(np.float64)
    if pose == "A":
        for side, sign in zip(SIDES, (-1, 1), strict=True):
            rotations[skeleton.index(f"{side}UpperArm")] = from_axis_angle((0, 0, 1), sign * A_POSE)
    return rotations


def convert_to_bones(rotations: FloatArray, skeleton: Skeleton, axes: FloatArray) -> FloatArray:
    """Convert local rotations (..., j, 4) of the humanoid's joints to those of bones with axes (j, 4) of their own."""
    above = np.stack([axes[parent] if parent >= 0 else NO_ROTATION for parent in skeleton.parents])
    return multiply(multiply(conjugate(above), rotations), axes)
