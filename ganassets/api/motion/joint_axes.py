"""Estimate the rest pose of a figure from its motion, for files without a standing rest pose."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from .rotations import conjugate, degrees_between, from_matrix, multiply, normalise, rotate, to_matrix
from .source_figure import (
    SIDES,
    TORSO,
    TRUNK,
    SourceFigure,
    X,
    Y,
    Z,
    fill_torso,
    hip_centre,
    humanoid_offset,
    nearest_ancestor,
    rotation_between_frames,
    split_side,
)

FloatArray = NDArray[np.floating]

# Limbs with a hinge: upper joint, lower joint, end, and the axis of the hinge while the limb hangs down. Elbows bend
# forwards, knees backwards.
HINGES = (("UpperArm", "LowerArm", "Hand", -X), ("UpperLeg", "LowerLeg", "Foot", X))
HINGE_PRIOR = 0.1  # weight of the body's axis in that of a limb; decides where a limb never bends
# Degrees within which measured axes are moved onto the axes of the bone's frame. Frames of torso and shoulders are
# often not parallel to the body; limbs and heads may be turned to one side throughout a clip.
NEAR_AXES, NEAR_LIMB_AXES = 12.0, 45.0
ALONG = 0.999  # least cosine between a bone and an axis of its frame that lies along it
LOW_FOOT = 25  # percentile of an ankle's heights below which the foot stands
FLAT = np.radians((-60, 5))  # radians: range of pitch of a standing foot
STRETCHED = 75  # percentile of the torso's length above which it is straight


class JointAxes:
    """Measured axes of a figure's joints: rotations (4,) from a joint's own frame to the humanoid's.

    Frames of bones are usually parallel to the body in some pose. Measured axes near those of the frame are moved onto
    them, so that all clips of one skeleton get the same axes.
    """

    def __init__(self, figure: SourceFigure) -> None:
        self.figure = figure
        self.found: dict[str, FloatArray] = {}

    def set(self, joint: str, q: FloatArray) -> None:
        """Set a joint's axes to measured ones, or to those of its frame where they are near."""
        skewed = joint in TORSO[:-1] or joint.endswith("Shoulder")
        self.found[joint] = _snap_to_axes(q, NEAR_AXES if skewed else NEAR_LIMB_AXES)

    def world(self, joint: str) -> FloatArray:
        """Return the rotations (f, 4) of a measured joint from the T-pose."""
        return multiply(self.figure.rotation(joint), conjugate(self.found[joint]))

    def follow(self, joint: str, rotations: FloatArray) -> None:
        """Set a joint's axes so that on average over the frames it rotates from the T-pose by `rotations` (f, 4)."""
        self.set(joint, conjugate(_mean_rotation(multiply(conjugate(self.figure.rotation(joint)), rotations))))


def estimate_rest_pose(figure: SourceFigure) -> SourceFigure:
    """Return the figure with a rest pose that is estimated from its motion: near the T-pose and facing +Z.

    Each joint's axes are measured over all frames, from the positions of the joints around it.

    Args:
        figure: Figure with Y up.
    """
    axes = JointAxes(figure)
    chest = [joint for joint in TRUNK if figure.has(joint)][-1]
    _measure_torso(axes, chest)
    for side in SIDES:
        for upper, lower, end, hinge in HINGES:
            joints = (f"{side}{upper}", f"{side}{lower}", f"{side}{end}")
            if figure.has(*joints):
                on_arm = upper == "UpperArm"
                body = rotate(axes.world(chest if on_arm else "hips"), hinge)
                _measure_limb(axes, joints, body, np.cross(humanoid_offset(joints[1]), Z) if on_arm else hinge)
    for joint in figure.column:
        side, part = split_side(joint)
        toes = f"{side}Toes"
        if part == "Foot" and figure.has(toes):
            _measure_foot(axes, joint, toes, rotate(axes.world(f"{side}LowerLeg"), X))
        elif joint not in axes.found:  # hands, toes, fingers
            axes.follow(joint, axes.world(nearest_ancestor(joint, axes.found)))
    rest = {"hips": np.zeros(3)}
    for joint in list(figure.column)[1:]:
        parent = nearest_ancestor(joint, figure.column)
        rest[joint] = rest[parent] + rotate(axes.found[parent], figure.mean_offset(parent, joint))
    return replace(
        figure,
        rest=np.stack([rest[joint] for joint in figure.column]),
        rest_rotations=np.stack([axes.found[joint] for joint in figure.column]),
    )


def _measure_torso(axes: JointAxes, chest: str) -> None:
    """Measure the axes of torso and shoulders.

    Those of hips and chest come from the joints on both sides and from the line of the straight torso. The rest of the
    torso follows both, and the shoulders follow the chest.

    Args:
        axes: Axes to extend.
        chest: The highest mapped joint of the trunk.
    """
    figure = axes.figure
    rise = figure.path("neck" if figure.has("neck") else "head") - hip_centre(figure.positions, figure)
    length = np.linalg.norm(rise, axis=-1)
    rise = rise * (length >= np.percentile(length, STRETCHED))[:, None]
    for joint, part in (("hips", "UpperLeg"), (chest, "UpperArm")):
        across = figure.mean_local(joint, figure.path(f"left{part}") - figure.path(f"right{part}"))
        axes.set(joint, rotation_between_frames(across, figure.mean_local(joint, rise), X, Y))
    filled = fill_torso({"hips": axes.world("hips"), chest: axes.world(chest)})
    for joint in (*TORSO, "leftShoulder", "rightShoulder"):
        if figure.has(joint) and joint not in axes.found:
            axes.follow(joint, filled.get(joint, filled["upperChest"]))


def _measure_limb(axes: JointAxes, joints: tuple[str, str, str], body: FloatArray, axis: FloatArray) -> None:
    """Measure the axes of a limb's two bones, from their directions and the axis of their hinge.

    Args:
        axes: Axes to extend.
        joints: Joints of the upper bone, the lower bone and the end.
        body: (f, 3) world axis of the hinge where the limb is straight.
        axis: (3,) axis of the hinge in the T-pose.
    """
    figure = axes.figure
    upper, lower, end = joints
    first, second = (normalise(figure.path(b) - figure.path(a)) for a, b in ((upper, lower), (lower, end)))
    bend = np.cross(first, second)
    hinge = bend * np.linalg.norm(bend, axis=-1, keepdims=True) + HINGE_PRIOR * body
    aim = humanoid_offset(lower)
    for joint, after in ((upper, lower), (lower, end)):
        direction = figure.mean_offset(joint, after)
        axes.set(joint, rotation_between_frames(direction, figure.mean_local(joint, hinge), aim, axis))


def _measure_foot(axes: JointAxes, foot: str, toes: str, across: FloatArray) -> None:
    """Measure the axes of a foot, from the position of its toes.

    A frame with an axis along the bone is not parallel to the world while the foot is flat; then the pitch is that of
    the foot while it stands.

    Args:
        axes: Axes to extend.
        foot: The foot's joint.
        toes: The joint of its toes.
        across: (f, 3) world vector to the left of the lower leg.
    """
    figure = axes.figure
    offset, across = figure.mean_offset(foot, toes), figure.mean_local(foot, across)
    if not np.linalg.norm(offset) or np.abs(normalise(offset)).max() < ALONG:
        axes.set(foot, rotation_between_frames(offset, across, humanoid_offset(toes), X))
        return
    heights = figure.path(foot)[:, 1]
    low = heights <= np.percentile(heights, LOW_FOOT)
    direction = normalise(figure.path(toes) - figure.path(foot))[low]
    pitch = np.arcsin(np.median(direction[:, 1]))
    aim = np.array([0, np.sin(pitch), np.cos(pitch)]) if FLAT[0] < pitch < FLAT[1] else humanoid_offset(toes)
    axes.found[foot] = rotation_between_frames(offset, across, aim, X)


def _mean_rotation(q: FloatArray) -> FloatArray:
    """Return the mean (4,) of quaternions (f, 4), which may have either sign.

    It is the largest eigenvector of the sum of their outer products (Markley et al. 2007, "Averaging Quaternions").
    """
    return np.linalg.eigh(q.T @ q)[1][:, -1]


def _snap_to_axes(q: FloatArray, limit: float) -> FloatArray:
    """Return the nearest of the 24 rotations of axes onto axes, or the quaternion (4,) itself.

    Args:
        q: (4,) quaternion.
        limit: Degrees; at this distance or farther the quaternion itself is returned.
    """
    matrix = to_matrix(q)
    snapped = np.zeros((3, 3))
    first = int(np.abs(matrix).max(1).argmax())
    rest = [row for row in range(3) if row != first]
    column = int(np.abs(matrix[first]).argmax())
    others = [c for c in range(3) if c != column]
    second = others[int(np.abs(matrix[rest[0], others]).argmax())]
    third = 3 - column - second
    for row, c in ((first, column), (rest[0], second), (rest[1], third)):
        snapped[row, c] = np.sign(matrix[row, c]) or 1
    if np.linalg.det(snapped) < 0:
        return q
    near = from_matrix(snapped)
    return near if degrees_between(q, near) < limit else q
