"""The joints of a source skeleton that are recognised as joints of the humanoid, and the geometry of its rest pose."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from ..errors import InputError
from .rotations import conjugate, from_axis_angle, from_matrix, multiply, normalise, rotate, shortest_rotation, slerp
from .skeletons import FINGERS, HUMANOID_FINGERS, MIDDLE
from .take import Take
from .up_axis import AXES

FloatArray = NDArray[np.floating]

X, Y, Z = np.eye(3)
UP = (0.0, 1.0, 0.0)
SIDES = ("left", "right")
TORSO = tuple(name for name, _, _ in MIDDLE)
TRUNK = TORSO[:4]
# Joint of a limb or finger -> the joint that its bone points at.
AIMS = {"UpperArm": "LowerArm", "LowerArm": "Hand", "UpperLeg": "LowerLeg", "LowerLeg": "Foot"} | {
    f"{finger}{bone}": f"{finger}{after}" for finger, bones, *_ in FINGERS for bone, after in pairwise(bones)
}
STANDING = np.cos(np.radians(50))  # least cosine between a bone of a standing rest pose and its upright direction


@dataclass(frozen=True)
class SourceFigure:
    """A source's mapped joints in a common frame. Axis m runs over the mapped joints.

    Attributes:
        column: joint of the humanoid -> its index on axis m.
        rest: (m, 3) positions at rest.
        rest_rotations: (m, 4) world rotations at rest.
        positions: (f, m, 3) positions.
        rotations: (f, m, 4) world rotations.
    """

    column: Mapping[str, int]
    rest: FloatArray
    rest_rotations: FloatArray
    positions: FloatArray
    rotations: FloatArray

    def rotated(self, q: FloatArray) -> SourceFigure:
        """Return the whole figure rotated by one quaternion (4,)."""
        return SourceFigure(
            self.column,
            rotate(q, self.rest),
            multiply(q, self.rest_rotations),
            rotate(q, self.positions),
            multiply(q, self.rotations),
        )

    def has(self, *joints: str) -> bool:
        """Return whether all of these joints are mapped."""
        return all(joint in self.column for joint in joints)

    def rest_position(self, joint: str) -> FloatArray:
        """Return a joint's position (3,) at rest."""
        return self.rest[self.column[joint]]

    def rest_vector(self, start: str, end: str) -> FloatArray:
        """Return the vector (3,) from one joint to another at rest."""
        return self.rest_position(end) - self.rest_position(start)

    def path(self, joint: str) -> FloatArray:
        """Return a joint's positions (f, 3)."""
        return self.positions[:, self.column[joint]]

    def rotation(self, joint: str) -> FloatArray:
        """Return a joint's world rotations (f, 4)."""
        return self.rotations[:, self.column[joint]]

    def mean_local(self, joint: str, vectors: FloatArray) -> FloatArray:
        """Return the mean (3,) over the frames of world vectors (f, 3) in a joint's own frame."""
        return rotate(conjugate(self.rotation(joint)), vectors).mean(0)

    def mean_offset(self, start: str, end: str) -> FloatArray:
        """Return the mean position (3,) over the frames of one joint in another joint's own frame."""
        return self.mean_local(start, self.path(end) - self.path(start))


def make_source_figure(take: Take, bones: Mapping[str, str]) -> SourceFigure:
    """Select the mapped joints of a take, in the take's own axes.

    Args:
        take: Motion of any humanoid.
        bones: joint of the humanoid -> name of the take's joint.
    """
    picked = [take.names.index(bone) for bone in bones.values()]
    return SourceFigure(
        {joint: i for i, joint in enumerate(bones)},
        take.rest_positions[picked],
        normalise(take.rest_rotations[picked]),
        take.positions[:, picked],
        normalise(take.rotations[:, picked]),
    )


def rest_up_axis(figure: SourceFigure) -> str:
    """Return the name of the axis nearest to the direction from feet to hips at rest."""
    rise = figure.rest_vector("leftFoot", "leftUpperLeg") + figure.rest_vector("rightFoot", "rightUpperLeg")
    return max(AXES, key=lambda name: float((AXES[name] * rise).sum()))


def rotation_to_y_up(up: str) -> FloatArray:
    """Return the rotation (4,) that brings an axis, one of up_axis.NAMES, onto Y."""
    return shortest_rotation(AXES[up], Y)


def rotation_to_face_z(figure: SourceFigure) -> FloatArray:
    """Return the rotation (4,) about Y after which a figure faces +Z at rest."""
    left = _leftwards(figure)
    return from_axis_angle(UP, np.arctan2(left[2], left[0]))


def _leftwards(figure: SourceFigure) -> FloatArray:
    """Return the horizontal vector (3,) from right to left at rest, of hips and arms together."""
    hips, arms = (normalise(figure.rest_vector(f"right{part}", f"left{part}")) for part in ("UpperLeg", "UpperArm"))
    return (hips + arms) * (1, 0, 1)


def is_standing(figure: SourceFigure) -> bool:
    """Return whether the rest pose stands along Y: legs down, head up, hips and arms the same way round, toes ahead."""
    top = "head" if figure.has("head") else "neck"
    hips, arms = (figure.rest_vector(f"right{part}", f"left{part}") for part in ("UpperLeg", "UpperArm"))
    pairs = [(figure.rest_vector("hips", top), Y), (hips, arms)]
    for side in SIDES:
        pairs += [(figure.rest_vector(f"{side}{part}", f"{side}{AIMS[part]}"), -Y) for part in ("UpperLeg", "LowerLeg")]
    cosines = [float((normalise(a) * normalise(b)).sum()) for a, b in pairs]
    forwards = np.cross(_leftwards(figure), Y)
    toes = [figure.rest_vector(f"{side}Foot", f"{side}Toes") for side in SIDES if figure.has(f"{side}Toes")]
    return min(cosines) > STANDING and all((toe * forwards).sum() >= 0 for toe in toes)


def leg_length(figure: SourceFigure) -> float:
    """Return the mean length of the legs from hip joint to ankle; InputError where it is 0."""
    bones = [(f"{side}{part}", f"{side}{AIMS[part]}") for side in SIDES for part in ("UpperLeg", "LowerLeg")]
    length = sum(float(np.linalg.norm(figure.rest_vector(*bone))) for bone in bones) / 2
    if not length > 0:
        raise InputError("the motion's legs have no length; is its skeleton whole?")
    return length


def hip_centre(positions: FloatArray, figure: SourceFigure) -> FloatArray:
    """Return the points (..., 3) midway between the hip joints, of positions (..., m, 3)."""
    return positions[..., [figure.column[f"{side}UpperLeg"] for side in SIDES], :].mean(-2)


def split_side(joint: str) -> tuple[str, str]:
    """Split a joint's name into side and part: ("left", "UpperArm") of leftUpperArm, ("", joint) in the middle."""
    side = next((side for side in SIDES if joint.startswith(side)), "")
    return side, joint[len(side) :]


def humanoid_offset(joint: str) -> FloatArray:
    """Return the position (3,) of a joint of the humanoid in its parent's frame."""
    return HUMANOID_FINGERS.offsets[HUMANOID_FINGERS.index(joint)].astype(np.float64)


def nearest_ancestor(joint: str, known: Iterable[str]) -> str:
    """Return the nearest of a joint's ancestors in the humanoid that is among the known joints."""
    known = set(known)
    names, parents = HUMANOID_FINGERS.names, HUMANOID_FINGERS.parents
    i = parents[names.index(joint)]
    while names[i] not in known:
        i = parents[i]
    return names[i]


def fill_torso(rotations: Mapping[str, FloatArray]) -> dict[str, FloatArray]:
    """Complete the world rotations of the torso.

    A joint between two known ones is interpolated between them. Joints above the last known one of the trunk move with
    it, and so do the arms. A missing head moves with the neck.

    Args:
        rotations: joint -> (f, 4), of joints of the torso; the hips are among them.
    """
    found = dict(rotations)
    top = [joint for joint in TRUNK if joint in found][-1]
    for joint in TRUNK[TRUNK.index(top) + 1 :]:
        found[joint] = found[top]
    found.setdefault("head", found.get("neck", found["upperChest"]))
    known = [i for i, joint in enumerate(TORSO) if joint in found]
    for low, high in pairwise(known):
        for i in range(low + 1, high):
            found[TORSO[i]] = slerp(found[TORSO[low]], found[TORSO[high]], (i - low) / (high - low))
    return found


def rotation_between_frames(
    first: FloatArray, second: FloatArray, first_to: FloatArray, second_to: FloatArray
) -> FloatArray:
    """Return the rotation (4,) that brings one pair of directions onto another.

    The first direction is met exactly, the second as nearly as the angle between them allows.
    """
    return from_matrix(_orthonormal_basis(first_to, second_to) @ _orthonormal_basis(first, second).T)


def _orthonormal_basis(first: FloatArray, second: FloatArray) -> FloatArray:
    """Return (3, 3) with the columns first, second made perpendicular to it (Gram-Schmidt), and their cross product."""
    a = normalise(first)
    b = normalise(second - (a * second).sum() * a)
    return np.stack([a, b, np.cross(a, b)], -1)
