"""Motion of any humanoid onto ours, and ours onto the rigs of the tools.

All rest frames of our humanoid are parallel to the world's, so a joint's world rotation is the turn of its bone from
the T-pose. What a source needs for that is one rotation a joint: its world rotation in the T-pose, the reference.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from ..assets import MotionClip, Skeleton
from ..errors import InputError
from ..rig_options import RIG_NAMES
from .kinematics import local_rotations, rest_pose, world_pose
from .rigs import RIGS, Rig, recognise_bones
from .rotations import (
    conjugate,
    degrees_between,
    from_axis_angle,
    from_matrix,
    make_continuous,
    multiply,
    normalise,
    rotate,
    shortest_rotation,
    slerp,
    to_matrix,
)
from .skeletons import FINGERS, HUMANOID, HUMANOID_FINGERS, MIDDLE
from .take import Take
from .up_axis import AXES, choose_up_axis

FloatArray = NDArray[np.floating]

X, Y, Z = np.eye(3)
UP = (0.0, 1.0, 0.0)
NO_TURN = np.array([0.0, 0, 0, 1])
SIDES = ("left", "right")
TORSO = tuple(name for name, _, _ in MIDDLE)
TRUNK = TORSO[:4]
# The joint that a limb's bone points at.
AIMS = {"UpperArm": "LowerArm", "LowerArm": "Hand", "UpperLeg": "LowerLeg", "LowerLeg": "Foot"} | {
    f"{finger}{bone}": f"{finger}{after}" for finger, bones, *_ in FINGERS for bone, after in pairwise(bones)
}
# Limbs that bend about one axis, and that axis as they hang: elbows bend forwards, knees backwards.
HINGES = (("UpperArm", "LowerArm", "Hand", -X), ("UpperLeg", "LowerLeg", "Foot", X))
HINGE_PRIOR = 0.1  # a limb that never bends takes its axis from the body
STANDING = np.cos(np.radians(50))  # how far from upright a rest pose may be
# Degrees within which measured axes are taken for those of the bone's frame: of torso and shoulders, whose frames
# needn't be parallel to the body, and of limbs and heads, which may be turned to a side all clip long.
NEAR_AXES, NEAR_LIMB_AXES = 12.0, 45.0
ALONG = 0.999  # cosine from which on a bone lies along an axis of its frame
LOW_FOOT = 25  # percentile of an ankle's heights up to which the foot stands
FLAT = np.radians((-60, 5))  # pitch that feet may have as they stand
STRETCHED = 75  # percentile of the torso's length from which on it counts as straight
A_POSE = np.radians(45)
LEG = 0.84  # metres from the humanoid's upper leg to its foot
SOCKET = np.array([0, -0.03, 0])  # between the upper legs, from the hips
SOCKET_HEIGHT = 0.92
GROUNDED = (-0.02, 0.25)  # heights of the lowest foot joint, in leg lengths, at which a rest pose is on the ground


@dataclass(frozen=True)
class _Figure:
    """A source's mapped joints: the named columns of arrays, turned so that Y is up.

    Attributes:
        column: joint of the humanoid -> its column.
        rest: (m, 3) positions at rest.
        rest_turns: (m, 4) world rotations at rest.
        positions: (f, m, 3).
        turns: (f, m, 4) world rotations.
    """

    column: Mapping[str, int]
    rest: FloatArray
    rest_turns: FloatArray
    positions: FloatArray
    turns: FloatArray

    def turned(self, q: FloatArray) -> _Figure:
        """All of it turned by one quaternion."""
        return _Figure(
            self.column,
            rotate(q, self.rest),
            multiply(q, self.rest_turns),
            rotate(q, self.positions),
            multiply(q, self.turns),
        )

    def has(self, *joints: str) -> bool:
        """Whether all of these joints are mapped."""
        return all(joint in self.column for joint in joints)

    def at_rest(self, joint: str) -> FloatArray:
        """(3,) its position at rest."""
        return self.rest[self.column[joint]]

    def to(self, start: str, end: str) -> FloatArray:
        """(3,) from one joint to another at rest."""
        return self.at_rest(end) - self.at_rest(start)

    def path(self, joint: str) -> FloatArray:
        """(f, 3) its positions."""
        return self.positions[:, self.column[joint]]

    def turn(self, joint: str) -> FloatArray:
        """(f, 4) its world rotations."""
        return self.turns[:, self.column[joint]]

    def seen_from(self, joint: str, vectors: FloatArray) -> FloatArray:
        """(3,) the mean over the frames of world vectors (f, 3) in a joint's own frame."""
        return rotate(conjugate(self.turn(joint)), vectors).mean(0)

    def offset(self, start: str, end: str) -> FloatArray:
        """(3,) place of another joint in a joint's own frame, the mean over the frames."""
        return self.seen_from(start, self.path(end) - self.path(start))


def _basis(first: FloatArray, second: FloatArray) -> FloatArray:
    """(3, 3) whose columns are the first direction, the second made square to it, and their cross product."""
    a = normalise(first)
    b = normalise(second - (a * second).sum() * a)
    return np.stack([a, b, np.cross(a, b)], -1)


def _frame(first: FloatArray, second: FloatArray, first_to: FloatArray, second_to: FloatArray) -> FloatArray:
    """(4,) the turn that brings the direction first onto first_to, and second as near to second_to as it may."""
    return from_matrix(_basis(first_to, second_to) @ _basis(first, second).T)


def _mean_turn(q: FloatArray) -> FloatArray:
    """(4,) mean of quaternions (f, 4): the largest eigenvector of the sum of their squares (Markley et al. 2007,
    "Averaging Quaternions").
    """
    return np.linalg.eigh(q.T @ q)[1][:, -1]


def _offset(joint: str) -> FloatArray:
    """(3,) a joint of the humanoid in its parent's frame."""
    return HUMANOID_FINGERS.offsets[HUMANOID_FINGERS.index(joint)].astype(np.float64)


def _side(joint: str) -> tuple[str, str]:
    """("left", "UpperArm") of leftUpperArm, ("", joint) in the middle."""
    side = next((side for side in SIDES if joint.startswith(side)), "")
    return side, joint[len(side) :]


def _figure(take: Take, bones: Mapping[str, str]) -> _Figure:
    """The mapped joints of a take in its own axes."""
    picked = [take.names.index(bone) for bone in bones.values()]
    return _Figure(
        {joint: i for i, joint in enumerate(bones)},
        take.rest_positions[picked],
        normalise(take.rest_rotations[picked]),
        take.positions[:, picked],
        normalise(take.rotations[:, picked]),
    )


def _rest_up(figure: _Figure) -> str:
    """Name of the axis nearest to the way from feet to hips at rest."""
    rise = figure.to("leftFoot", "leftUpperLeg") + figure.to("rightFoot", "rightUpperLeg")
    return max(AXES, key=lambda name: float((AXES[name] * rise).sum()))


def _to_y_up(up: str) -> FloatArray:
    """(4,) the turn that brings an axis, one of up_axis.NAMES, onto Y."""
    return shortest_rotation(AXES[up], Y)


def find_up_axis(take: Take, bones: Mapping[str, str] | None = None) -> tuple[str, str]:
    """The axis of a take that points up, one of up_axis.NAMES, and how that was decided; see `choose_up_axis`.

    Raises:
        InputError: the skeleton isn't recognised (see `recognise_bones`).
    """
    figure = _figure(take, recognise_bones(take.names, bones))
    rest = _rest_up(figure)
    stands = _stands(figure.turned(_to_y_up(rest)))
    return choose_up_axis(figure.column, figure.positions, figure.rest, rest if stands else None)


def _leftwards(figure: _Figure) -> FloatArray:
    """(3,) from right to left at rest, level, of hips and arms together."""
    hips, arms = (normalise(figure.to(f"right{part}", f"left{part}")) for part in ("UpperLeg", "UpperArm"))
    return (hips + arms) * (1, 0, 1)


def _facing(figure: _Figure) -> FloatArray:
    """(4,) the turn about Y after which a figure faces +Z at rest."""
    left = _leftwards(figure)
    return from_axis_angle(UP, np.arctan2(left[2], left[0]))


def _stands(figure: _Figure) -> bool:
    """Whether the rest pose is a standing one: legs down, head up, hips and arms the same way round, toes ahead."""
    top = "head" if figure.has("head") else "neck"
    hips, arms = (figure.to(f"right{part}", f"left{part}") for part in ("UpperLeg", "UpperArm"))
    pairs = [(figure.to("hips", top), Y), (hips, arms)]
    for side in SIDES:
        pairs += [(figure.to(f"{side}{part}", f"{side}{AIMS[part]}"), -Y) for part in ("UpperLeg", "LowerLeg")]
    cosines = [float((normalise(a) * normalise(b)).sum()) for a, b in pairs]
    forwards = np.cross(_leftwards(figure), Y)
    toes = [figure.to(f"{side}Foot", f"{side}Toes") for side in SIDES if figure.has(f"{side}Toes")]
    return min(cosines) > STANDING and all((toe * forwards).sum() >= 0 for toe in toes)


def _spread(turns: Mapping[str, FloatArray]) -> dict[str, FloatArray]:
    """World rotations of the whole torso from those that are known: what is missing between two lies evenly between
    them; above the last of the trunk it goes with the trunk, so that the arms do; a missing head with the neck.
    """
    found = dict(turns)
    top = [joint for joint in TRUNK if joint in found][-1]
    for joint in TRUNK[TRUNK.index(top) + 1 :]:
        found[joint] = found[top]
    found.setdefault("head", found.get("neck", found["upperChest"]))
    known = [i for i, joint in enumerate(TORSO) if joint in found]
    for low, high in pairwise(known):
        for i in range(low + 1, high):
            found[TORSO[i]] = slerp(found[TORSO[low]], found[TORSO[high]], (i - low) / (high - low))
    return found


def _aligned_axes(q: FloatArray, most: float) -> FloatArray:
    """The quaternion (4,), or the nearest of the 24 turns of axes onto axes when that is within most degrees."""
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
    return near if degrees_between(q, near) < most else q


class _Axes:
    """Axes of a figure's joints as they are measured, each a turn (4,) from the joint's own frame to the humanoid's.

    Bones' frames are often made parallel to the body in some pose, so what is measured is moved onto the frame's axes
    when these are near; then all clips of one skeleton get the same.
    """

    def __init__(self, figure: _Figure) -> None:
        self.figure = figure
        self.found: dict[str, FloatArray] = {}

    def set(self, joint: str, q: FloatArray) -> None:
        """Take a joint's axes as measured, or those of its frame that are near."""
        skewed = joint in TORSO[:-1] or joint.endswith("Shoulder")
        self.found[joint] = _aligned_axes(q, NEAR_AXES if skewed else NEAR_LIMB_AXES)

    def world(self, joint: str) -> FloatArray:
        """(f, 4) a measured joint's turns from the T-pose."""
        return multiply(self.figure.turn(joint), conjugate(self.found[joint]))

    def follow(self, joint: str, turns: FloatArray) -> None:
        """Set a joint's axes to what makes it turn, in the mean over the frames, as turns (f, 4) do."""
        self.set(joint, conjugate(_mean_turn(multiply(conjugate(self.figure.turn(joint)), turns))))


def _measure_torso(axes: _Axes, chest: str) -> None:
    """Of hips and chest by the joints of both sides and the line of the straight torso, of others by what lies between
    these; of shoulders by the chest.
    """
    figure = axes.figure
    rise = figure.path("neck" if figure.has("neck") else "head") - _sockets(figure.positions, figure)
    length = np.linalg.norm(rise, axis=-1)
    rise = rise * (length >= np.percentile(length, STRETCHED))[:, None]
    for joint, part in (("hips", "UpperLeg"), (chest, "UpperArm")):
        across = figure.seen_from(joint, figure.path(f"left{part}") - figure.path(f"right{part}"))
        axes.set(joint, _frame(across, figure.seen_from(joint, rise), X, Y))
    between_them = _spread({"hips": axes.world("hips"), chest: axes.world(chest)})
    for joint in (*TORSO, "leftShoulder", "rightShoulder"):
        if figure.has(joint) and joint not in axes.found:
            axes.follow(joint, between_them.get(joint, between_them["upperChest"]))


def _measure_limb(axes: _Axes, joints: tuple[str, str, str], body: FloatArray, axis: FloatArray) -> None:
    """Of a limb's two bones by where they point and the axis about which they bend.

    Args:
        axes: of the joints so far.
        joints: of the upper bone, the lower bone and the end.
        body: (f, 3) where that axis is of a limb that hangs straight, in the world.
        axis: (3,) the same axis in the T-pose.
    """
    figure = axes.figure
    upper, lower, end = joints
    first, second = (normalise(figure.path(b) - figure.path(a)) for a, b in ((upper, lower), (lower, end)))
    bend = np.cross(first, second)
    hinge = bend * np.linalg.norm(bend, axis=-1, keepdims=True) + HINGE_PRIOR * body
    for joint, after in ((upper, lower), (lower, end)):
        axes.set(joint, _frame(figure.offset(joint, after), figure.seen_from(joint, hinge), _offset(lower), axis))


def _measure_foot(axes: _Axes, foot: str, toes: str, across: FloatArray) -> None:
    """Of a foot by where its toes are. A frame that has an axis along the bone isn't parallel to the world while the
    foot is flat; then the pitch is that of the foot as it stands.

    Args:
        axes: of the joints so far.
        foot, toes: the joints.
        across: (f, 3) to the left of the lower leg, in the world.
    """
    figure = axes.figure
    offset, across = figure.offset(foot, toes), figure.seen_from(foot, across)
    if not np.linalg.norm(offset) or np.abs(normalise(offset)).max() < ALONG:
        axes.set(foot, _frame(offset, across, _offset(toes), X))
        return
    heights = figure.path(foot)[:, 1]
    low = heights <= np.percentile(heights, LOW_FOOT)
    way = normalise(figure.path(toes) - figure.path(foot))[low]
    pitch = np.arcsin(np.median(way[:, 1]))
    aim = np.array([0, np.sin(pitch), np.cos(pitch)]) if FLAT[0] < pitch < FLAT[1] else _offset(toes)
    axes.found[foot] = _frame(offset, across, aim, X)


def _measured_rest(figure: _Figure) -> _Figure:
    """The figure with a rest pose of its own making, for files whose zero pose isn't one: near the T-pose, facing +Z,
    with each joint's axes as they are measured over the frames where the joints beside it are.
    """
    axes = _Axes(figure)
    chest = [joint for joint in TRUNK if figure.has(joint)][-1]
    _measure_torso(axes, chest)
    for side in SIDES:
        for upper, lower, end, hang in HINGES:
            joints = (f"{side}{upper}", f"{side}{lower}", f"{side}{end}")
            if figure.has(*joints):
                on_arm = upper == "UpperArm"
                body = rotate(axes.world(chest if on_arm else "hips"), hang)
                _measure_limb(axes, joints, body, np.cross(_offset(joints[1]), Z) if on_arm else hang)
    for joint in figure.column:
        side, part = _side(joint)
        toes = f"{side}Toes"
        if part == "Foot" and figure.has(toes):
            _measure_foot(axes, joint, toes, rotate(axes.world(f"{side}LowerLeg"), X))
        elif joint not in axes.found:  # hands, toes, fingers
            axes.follow(joint, axes.world(_below(joint, axes.found)))
    rest = {"hips": np.zeros(3)}
    for joint in list(figure.column)[1:]:
        below = _below(joint, figure.column)
        rest[joint] = rest[below] + rotate(axes.found[below], figure.offset(below, joint))
    return replace(
        figure,
        rest=np.stack([rest[joint] for joint in figure.column]),
        rest_turns=np.stack([axes.found[joint] for joint in figure.column]),
    )


def _below(joint: str, known: Iterable[str]) -> str:
    """The nearest of a joint's ancestors in the humanoid that is known."""
    known = set(known)
    names, parents = HUMANOID_FINGERS.names, HUMANOID_FINGERS.parents
    i = parents[names.index(joint)]
    while names[i] not in known:
        i = parents[i]
    return names[i]


def _to_t_pose(figure: _Figure) -> dict[str, FloatArray]:
    """(4,) turns of the joints from the rest pose, which stands and faces +Z, to the T-pose.

    Limbs and fingers are swung the shortest way onto the T-pose's directions, starting from where their parents went.
    Torso and shoulders stay: how their joints lie is anatomy, not pose. Of feet only the way they point is undone:
    a foot that stands flat stands flat, wherever its toes' joint is.
    """
    swings: dict[str, FloatArray] = {}
    for joint in figure.column:
        side, part = _side(joint)
        aim = f"{side}{AIMS.get(part, '')}"
        swing = swings[_below(joint, swings)] if side and part not in ("UpperLeg", "Foot") else NO_TURN
        palm = [f"{side}{finger}Proximal" for finger in ("Middle", "Index", "Little")]
        if part in AIMS and figure.has(aim):
            swing = multiply(shortest_rotation(rotate(swing, figure.to(joint, aim)), _offset(aim)), swing)
        elif part == "Hand" and figure.has(*palm):
            middle, index, little = palm
            across = _offset(index) - _offset(little)
            swing = _frame(figure.to(joint, middle), figure.to(little, index), _offset(middle), across)
        elif part == "Foot" and figure.has(f"{side}Toes"):
            toes = figure.to(joint, f"{side}Toes")
            swing = from_axis_angle(UP, -np.arctan2(toes[0], toes[2]))
        swings[joint] = swing
    return swings


def _scales(figure: _Figure) -> FloatArray:
    """(3,) metres of the humanoid for a unit of the source.

    Along the ground by the legs' length, so that standing feet stay where they are; upwards by the height of the hips,
    so that the figure stands and lies on the ground whatever its proportions. A rest pose with its feet on the ground
    tells the height; otherwise the humanoid's proportions do.
    """
    leg = _leg(figure)
    ends = [joint for side in SIDES for joint in (f"{side}Foot", f"{side}Toes") if figure.has(joint)]
    lowest = min(float(figure.at_rest(joint)[1]) for joint in ends) / leg
    socket = float(_sockets(figure.rest, figure)[1])
    height = socket if GROUNDED[0] < lowest < GROUNDED[1] else leg * SOCKET_HEIGHT / LEG
    return np.array([LEG / leg, SOCKET_HEIGHT / height, LEG / leg])


def _leg(figure: _Figure) -> float:
    """Mean length of the legs from hip to ankle; InputError when there is none."""
    bones = [(f"{side}{part}", f"{side}{AIMS[part]}") for side in SIDES for part in ("UpperLeg", "LowerLeg")]
    leg = sum(float(np.linalg.norm(figure.to(*bone))) for bone in bones) / 2
    if not leg > 0:
        raise InputError("the motion's legs have no length; is its skeleton whole?")
    return leg


def _sockets(positions: FloatArray, figure: _Figure) -> FloatArray:
    """(..., 3) between the upper legs, of positions (..., m, 3)."""
    return positions[..., [figure.column[f"{side}UpperLeg"] for side in SIDES], :].mean(-2)


def to_humanoid(
    take: Take,
    bones: Mapping[str, str] | None = None,
    fingers: bool = False,
    name: str | None = None,
    up: str | None = None,
) -> MotionClip:
    """A file's motion on our humanoid: the same directions of the limbs, the size of an adult, metres, Y up.

    Args:
        take: motion of any humanoid skeleton, in any unit, with any axis up, facing anywhere at rest.
        bones: the user's own map, joint of the humanoid -> bone of the file, for what `recognise_bones` doesn't find.
        fingers: whether to keep the fingers' joints (HUMANOID_FINGERS).
        name: of the clip; the take's own by default.
        up: axis of the take that points up, one of up_axis.NAMES; None looks for it, see `find_up_axis`.

    Returns:
        a clip on HUMANOID, contacts unknown, not looping. Its ground is the source's, y = 0.

    Raises:
        InputError: the skeleton isn't recognised (see `recognise_bones`) or has no legs.
    """
    figure = _figure(take, recognise_bones(take.names, bones)).turned(_to_y_up(up or find_up_axis(take, bones)[0]))
    figure = figure.turned(_facing(figure)) if _stands(figure) else _measured_rest(figure)
    swings = _to_t_pose(figure)
    turns = {
        joint: multiply(figure.turn(joint), conjugate(multiply(swings[joint], figure.rest_turns[i])))
        for joint, i in figure.column.items()
    }
    skeleton = HUMANOID_FINGERS if fingers else HUMANOID
    turns |= _spread({joint: turns[joint] for joint in TORSO if joint in turns})
    for joint in skeleton.names:
        if joint not in turns:
            turns[joint] = turns[_below(joint, turns)]
    place = _sockets(figure.positions, figure) * _scales(figure) - rotate(turns["hips"], SOCKET)
    local = local_rotations(skeleton.parents, np.stack([turns[joint] for joint in skeleton.names], -2))
    return MotionClip(
        name or take.name, skeleton, take.fps, place.astype(np.float32), make_continuous(local).astype(np.float32)
    )


def to_skeleton(clip: MotionClip, target: Take, bones: Mapping[str, str] | None = None) -> Take:
    """A clip of our humanoid on any other humanoid skeleton: the opposite of to_humanoid.

    Limbs point where the clip's do, whatever pose the target rests in. The humanoid's T-pose stands where the target
    rests, on the same ankles; how far the hips move from there goes by the length of the legs, so that feet that stand
    stay where they are. Joints that are not mapped keep to their parents; those above the hips don't move.

    Args:
        clip: on HUMANOID or HUMANOID_FINGERS.
        target: its rest pose alone counts, which must be a standing one; any unit, any axis up, facing anywhere.
        bones: the user's own map, joint of the humanoid -> name of the target's joint.

    Returns:
        the target's joints in the clip's frames, in the target's unit and axes.

    Raises:
        InputError: the target isn't recognised (see `recognise_bones`), has no legs or doesn't stand; or the clip is on
            another skeleton.
    """
    check_humanoid(clip)
    found = recognise_bones(target.names, bones)
    figure = _figure(target, found)
    turned = _to_y_up(_rest_up(figure))
    figure = figure.turned(turned)
    if not _stands(figure):
        raise InputError(f"{target.name} doesn't stand upright in its rest pose; put a clip on one that does.")
    facing = _facing(figure)
    figure, back = figure.turned(facing), conjugate(multiply(facing, turned))
    swings = _to_t_pose(figure)
    places, turns = world_pose(clip.skeleton, clip.translation.astype(np.float64), clip.rotations.astype(np.float64))
    turn = dict(zip(clip.skeleton.names, np.moveaxis(turns, 1, 0), strict=True))
    rotations = {
        found[joint]: multiply(back, multiply(turn[joint], multiply(swings[joint], figure.rest_turns[i])))
        for joint, i in figure.column.items()
        if joint in turn
    }
    leg, socket = _leg(figure), _sockets(figure.rest, figure)
    ankles = (figure.at_rest("leftFoot") + figure.at_rest("rightFoot")) / 2
    straight = np.array([socket[0], ankles[1] + leg, socket[2]])
    moved = (places[:, 0] + rotate(turn["hips"], SOCKET) - (0, SOCKET_HEIGHT, 0)) * (leg / LEG)
    hips = straight + moved + rotate(turn["hips"], figure.at_rest("hips") - socket)
    return _followed(target, clip, rotations, found["hips"], rotate(back, hips))


def _followed(target: Take, clip: MotionClip, rotations: Mapping[str, FloatArray], hips: str, way: FloatArray) -> Take:
    """A target's joints, of which some have world rotations (f, 4) and one has places (f, 3); all others follow."""
    rest, resting = target.rest_positions, normalise(target.rest_rotations)
    placed: list[FloatArray] = []
    turned: list[FloatArray] = []
    for joint, (name, parent) in enumerate(zip(target.names, target.parents, strict=True)):
        place, turn = np.broadcast_to(rest[joint], way.shape), np.broadcast_to(resting[joint], (len(way), 4))
        if parent >= 0:
            since_rest = multiply(turned[parent], conjugate(resting[parent]))
            place = placed[parent] + rotate(since_rest, rest[joint] - rest[parent])
            turn = multiply(since_rest, resting[joint])
        placed.append(way if name == hips else place)
        turned.append(rotations.get(name, turn))
    return replace(
        target,
        name=clip.name,
        rest_rotations=resting,
        fps=clip.fps,
        positions=np.stack(placed, 1),
        rotations=normalise(np.stack(turned, 1)),
    )


def to_take(clip: MotionClip) -> Take:
    """A clip as if it had been read from a file."""
    skeleton = clip.skeleton
    places, turns = rest_pose(skeleton)
    moved, turned = world_pose(skeleton, clip.translation.astype(np.float64), clip.rotations.astype(np.float64))
    rest = places.astype(np.float64), turns.astype(np.float64)
    world = moved.astype(np.float64), turned.astype(np.float64)
    return Take(clip.name, skeleton.names, skeleton.parents, *rest, clip.fps, *world)


# Where bones without a single next joint point in the T-pose; others point at their first child.
POINTS = {"head": Y, "leftHand": X, "rightHand": -X, "leftToes": Z, "rightToes": Z}


def _bone_axes(skeleton: Skeleton, axes: str) -> FloatArray:
    """(j, 4) rest rotations of a rig's bones in the T-pose: that axis along the bone, Z forwards (upwards where the
    bone itself points forwards), or all parallel to the world's.
    """
    turns = np.tile(NO_TURN, (len(skeleton.names), 1))
    if axes == "world":
        return turns
    own, along = np.eye(3)[["x", "y"].index(axes)], {}
    for joint, parent in enumerate(skeleton.parents):
        children = [i for i, above in enumerate(skeleton.parents) if above == joint]
        towards = POINTS.get(skeleton.names[joint])
        if towards is None:  # a finger's last bone goes on as the one before
            towards = skeleton.offsets[children[0]].astype(np.float64) if children else along[parent]
        along[joint] = normalise(towards)
        pole = Z if abs(along[joint][2]) < 0.8 else Y
        turns[joint] = _frame(own, Z, along[joint], pole)
    return turns


def _rest_turns(skeleton: Skeleton, pose: str) -> FloatArray:
    """(j, 4) rotations of the humanoid's joints in their parents' frames, of a rig's rest pose "T" or "A"."""
    turns = skeleton.rest_rotations.astype(np.float64)
    if pose == "A":
        for side, sign in zip(SIDES, (-1, 1), strict=True):
            turns[skeleton.index(f"{side}UpperArm")] = from_axis_angle((0, 0, 1), sign * A_POSE)
    return turns


def _rigged(skeleton: Skeleton, rig: Rig, axes: FloatArray) -> Skeleton:
    """The humanoid with a rig's names, rest pose and bone axes (j, 4), under the rig's root if it has one."""
    above = [max(parent, 0) for parent in skeleton.parents]
    offsets = rotate(conjugate(axes[above]), skeleton.offsets.astype(np.float64))
    offsets[0] = skeleton.offsets[0]
    rest = _in_bones(_rest_turns(skeleton, rig.pose), skeleton, axes)
    names = tuple(rig.bone_name(joint) for joint in skeleton.names)
    parents = skeleton.parents
    if rig.root:
        names, parents = (rig.root, *names), (-1, *(parent + 1 for parent in parents))
        offsets, rest = np.concatenate([np.zeros((1, 3)), offsets]), np.concatenate([NO_TURN[None], rest])
    return Skeleton(names, parents, offsets.astype(np.float32), rest.astype(np.float32))


def _in_bones(turns: FloatArray, skeleton: Skeleton, axes: FloatArray) -> FloatArray:
    """(..., j, 4) rotations of our humanoid's joints as those of bones with axes (j, 4) of their own."""
    above = np.stack([axes[parent] if parent >= 0 else NO_TURN for parent in skeleton.parents])
    return multiply(multiply(conjugate(above), turns), axes)


def check_humanoid(clip: MotionClip) -> None:
    """InputError unless a clip is on HUMANOID or HUMANOID_FINGERS."""
    if clip.skeleton.names not in (HUMANOID.names, HUMANOID_FINGERS.names):
        raise InputError(f"{clip.name} is not on the humanoid's skeleton, so it can't be put on a rig.")


def to_rig(clip: MotionClip, rig: str, axes: str = "") -> MotionClip:
    """A clip of our humanoid on a rig's skeleton: its names, hierarchy, rest pose and bone axes; every joint is where
    it was. A root above the hips stays upright and carries their movement, since only roots of clips move.

    Args:
        clip: on HUMANOID or HUMANOID_FINGERS.
        rig: one of RIG_NAMES.
        axes: of the bones (see Rig), where they aren't to be the rig's own.

    Raises:
        InputError: no such rig, or the clip is on another skeleton.
    """
    if rig not in RIG_NAMES:
        raise InputError(f"there is no rig {rig!r} to write; choose one of {', '.join(RIG_NAMES)}.")
    check_humanoid(clip)
    row, skeleton = RIGS[rig], clip.skeleton
    bone_axes = _bone_axes(skeleton, axes or row.axes)
    turns = _in_bones(clip.rotations.astype(np.float64), skeleton, bone_axes)
    place = clip.translation.astype(np.float64)
    if row.root:
        turns = np.concatenate([np.broadcast_to(NO_TURN, (len(clip), 1, 4)), turns], 1)
        place = place - skeleton.offsets[0]
    return replace(
        clip,
        skeleton=_rigged(skeleton, row, bone_axes),
        translation=place.astype(np.float32),
        rotations=make_continuous(normalise(turns)).astype(np.float32),
    )
