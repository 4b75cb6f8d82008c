"""Retarget motion: from any humanoid skeleton to ours, from ours to any other, and from ours to the rigs of the tools.

At rest all frames of our humanoid are parallel to the world. So a joint's world rotation is the rotation of its bone
from the T-pose. For a source skeleton it follows from one rotation per joint: its world rotation in the T-pose.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from ..assets import MotionClip
from ..errors import InputError
from ..rig_options import RIG_NAMES
from .joint_axes import estimate_rest_pose
from .kinematics import local_rotations, world_pose
from .rig_skeletons import NO_ROTATION, bone_axes, convert_to_bones, make_rig_skeleton
from .rigs import RIGS, recognise_bones
from .rotations import conjugate, from_axis_angle, make_continuous, multiply, normalise, rotate, shortest_rotation
from .skeletons import HUMANOID, HUMANOID_FINGERS
from .source_figure import (
    AIMS,
    SIDES,
    TORSO,
    UP,
    SourceFigure,
    fill_torso,
    hip_centre,
    humanoid_offset,
    is_standing,
    leg_length,
    make_source_figure,
    nearest_ancestor,
    rest_up_axis,
    rotation_between_frames,
    rotation_to_face_z,
    rotation_to_y_up,
    split_side,
)
from .take import Take
from .up_axis import choose_up_axis

FloatArray = NDArray[np.floating]

LEG = 0.84  # metres from the humanoid's upper leg to its foot
HIP_CENTRE = np.array([0, -0.03, 0])  # metres from the humanoid's hips to the point midway between its hip joints
HIP_CENTRE_HEIGHT = 0.92  # metres
GROUNDED = (-0.02, 0.25)  # heights of the lowest foot joint, in leg lengths, at which a rest pose is on the ground


def find_up_axis(take: Take, bones: Mapping[str, str] | None = None) -> tuple[str, str]:
    """Find the axis of a take that points up; see `choose_up_axis`.

    Args:
        take: Motion of any humanoid skeleton.
        bones: the user's own map, joint of the humanoid -> bone of the file.

    Returns:
        One of up_axis.NAMES, and the reason in words.

    Raises:
        InputError: The skeleton isn't recognised (see `recognise_bones`).

    >>> from ganassets.api.motion.kinematics import rest_pose
    >>> from ganassets.api.motion.skeletons import HUMANOID
    >>> from ganassets.api.motion.take import Take
    >>> places, turns = rest_pose(HUMANOID)
    >>> take = Take("still", HUMANOID.names, HUMANOID.parents, places, turns, 30.0, places[None], turns[None])
    >>> axis, reason = find_up_axis(take)
    >>> axis
    'Y'
    """
    figure = make_source_figure(take, recognise_bones(take.names, bones))
    rest = rest_up_axis(figure)
    stands = is_standing(figure.rotated(rotation_to_y_up(rest)))
    return choose_up_axis(figure.column, figure.positions, figure.rest, rest if stands else None)


def to_humanoid(
    take: Take,
    bones: Mapping[str, str] | None = None,
    fingers: bool = False,
    name: str | None = None,
    up: str | None = None,
) -> MotionClip:
    """Retarget a file's motion to our humanoid: limbs have the same directions, an adult's size, metres, Y up.

    Args:
        take: Motion of any humanoid skeleton, in any unit, with any axis up, facing anywhere at rest.
        bones: the user's own map, joint of the humanoid -> bone of the file, for bones that `recognise_bones` doesn't
            find.
        fingers: Whether to keep the fingers' joints (HUMANOID_FINGERS).
        name: Name of the clip; the take's own by default.
        up: Axis of the take that points up, one of up_axis.NAMES; None to find it, see `find_up_axis`.

    Returns:
        A clip on HUMANOID, contacts unknown, not looping. Its ground is the source's, y = 0.

    Raises:
        InputError: The skeleton isn't recognised (see `recognise_bones`) or has no legs.

    >>> from ganassets.api.motion.kinematics import rest_pose
    >>> from ganassets.api.motion.skeletons import HUMANOID
    >>> from ganassets.api.motion.take import Take
    >>> places, turns = rest_pose(HUMANOID)
    >>> inches = places / 0.0254
    >>> take = Take("still", HUMANOID.names, HUMANOID.parents, inches, turns, 30.0, inches[None], turns[None])
    >>> clip = to_humanoid(take)
    >>> len(clip), round(float(clip.translation[0, 1]), 2)  # metres
    (1, 0.95)
    """
    figure = make_source_figure(take, recognise_bones(take.names, bones))
    figure = figure.rotated(rotation_to_y_up(up or find_up_axis(take, bones)[0]))
    figure = figure.rotated(rotation_to_face_z(figure)) if is_standing(figure) else estimate_rest_pose(figure)
    swings = _swings_to_t_pose(figure)
    rotations = {
        joint: multiply(figure.rotation(joint), conjugate(multiply(swings[joint], figure.rest_rotations[i])))
        for joint, i in figure.column.items()
    }
    skeleton = HUMANOID_FINGERS if fingers else HUMANOID
    rotations |= fill_torso({joint: rotations[joint] for joint in TORSO if joint in rotations})
    for joint in skeleton.names:
        if joint not in rotations:
            rotations[joint] = rotations[nearest_ancestor(joint, rotations)]
    position = hip_centre(figure.positions, figure) * _scales(figure) - rotate(rotations["hips"], HIP_CENTRE)
    local = local_rotations(skeleton.parents, np.stack([rotations[joint] for joint in skeleton.names], -2))
    return MotionClip(
        name or take.name, skeleton, take.fps, position.astype(np.float32), make_continuous(local).astype(np.float32)
    )


def _swings_to_t_pose(figure: SourceFigure) -> dict[str, FloatArray]:
    """Return the rotations (4,) of the joints from the rest pose to the T-pose.

    Limbs and fingers swing the shortest way onto the T-pose's directions, after their parents' swing. Torso and
    shoulders stay as they are: the directions of their bones are anatomy, not pose. Feet only turn about the vertical:
    a foot that stands flat stays flat, at whatever height its toes' joint is.

    Args:
        figure: Its rest pose stands and faces +Z.
    """
    swings: dict[str, FloatArray] = {}
    for joint in figure.column:
        side, part = split_side(joint)
        aim = f"{side}{AIMS.get(part, '')}"
        swing = swings[nearest_ancestor(joint, swings)] if side and part not in ("UpperLeg", "Foot") else NO_ROTATION
        palm = [f"{side}{finger}Proximal" for finger in ("Middle", "Index", "Little")]
        if part in AIMS and figure.has(aim):
            direction = rotate(swing, figure.rest_vector(joint, aim))
            swing = multiply(shortest_rotation(direction, humanoid_offset(aim)), swing)
        elif part == "Hand" and figure.has(*palm):
            middle, index, little = palm
            across = humanoid_offset(index) - humanoid_offset(little)
            swing = rotation_between_frames(
                figure.rest_vector(joint, middle), figure.rest_vector(little, index), humanoid_offset(middle), across
            )
        elif part == "Foot" and figure.has(f"{side}Toes"):
            toes = figure.rest_vector(joint, f"{side}Toes")
            swing = from_axis_angle(UP, -np.arctan2(toes[0], toes[2]))
        swings[joint] = swing
    return swings


def _scales(figure: SourceFigure) -> FloatArray:
    """Return the factors (3,) from the source's unit to metres of the humanoid.

    Along the ground it is the ratio of leg lengths, so that standing feet stay where they are. Upwards it is the ratio
    of hip heights, so that the figure stands and lies on the ground whatever its proportions. The hip height is that of
    the rest pose where its feet are on the ground; otherwise it follows from the leg length by the humanoid's
    proportions.
    """
    leg = leg_length(figure)
    ends = [joint for side in SIDES for joint in (f"{side}Foot", f"{side}Toes") if figure.has(joint)]
    lowest = min(float(figure.rest_position(joint)[1]) for joint in ends) / leg
    centre = float(hip_centre(figure.rest, figure)[1])
    height = centre if GROUNDED[0] < lowest < GROUNDED[1] else leg * HIP_CENTRE_HEIGHT / LEG
    return np.array([LEG / leg, HIP_CENTRE_HEIGHT / height, LEG / leg])


def to_skeleton(clip: MotionClip, target: Take, bones: Mapping[str, str] | None = None) -> Take:
    """Retarget a clip of our humanoid to any other humanoid skeleton, the inverse of `to_humanoid`.

    Limbs have the directions of the clip's, for any rest pose of the target. The humanoid's T-pose is placed on the
    ankles of that rest pose. From there the hips move in proportion to the length of the legs, so that standing
    feet stay where they are. Joints that are not mapped follow their parents; those above the hips don't move.

    Args:
        clip: On HUMANOID or HUMANOID_FINGERS.
        target: Only its rest pose is used, which must be a standing one; any unit, any axis up, facing anywhere.
        bones: the user's own map, joint of the humanoid -> name of the target's joint.

    Returns:
        The target's joints in the clip's frames, in the target's unit and axes.

    Raises:
        InputError: The target isn't recognised (see `recognise_bones`), has no legs or doesn't stand; or the clip is on
            another skeleton.
    """
    check_humanoid(clip)
    found = recognise_bones(target.names, bones)
    figure = make_source_figure(target, found)
    upright = rotation_to_y_up(rest_up_axis(figure))
    figure = figure.rotated(upright)
    if not is_standing(figure):
        raise InputError(f"{target.name} doesn't stand upright in its rest pose; put a clip on one that does.")
    facing = rotation_to_face_z(figure)
    figure, back = figure.rotated(facing), conjugate(multiply(facing, upright))
    swings = _swings_to_t_pose(figure)
    positions, turns = world_pose(clip.skeleton, clip.translation.astype(np.float64), clip.rotations.astype(np.float64))
    turn = dict(zip(clip.skeleton.names, np.moveaxis(turns, 1, 0), strict=True))
    rotations = {
        found[joint]: multiply(back, multiply(turn[joint], multiply(swings[joint], figure.rest_rotations[i])))
        for joint, i in figure.column.items()
        if joint in turn
    }
    leg, centre = leg_length(figure), hip_centre(figure.rest, figure)
    ankles = (figure.rest_position("leftFoot") + figure.rest_position("rightFoot")) / 2
    straight = np.array([centre[0], ankles[1] + leg, centre[2]])
    moved = (positions[:, 0] + rotate(turn["hips"], HIP_CENTRE) - (0, HIP_CENTRE_HEIGHT, 0)) * (leg / LEG)
    hips = straight + moved + rotate(turn["hips"], figure.rest_position("hips") - centre)
    return _pose_target(target, clip, rotations, found["hips"], rotate(back, hips))


def _pose_target(
    target: Take, clip: MotionClip, rotations: Mapping[str, FloatArray], hips: str, hip_positions: FloatArray
) -> Take:
    """Pose a target skeleton; joints without a given rotation follow their parents.

    Args:
        target: Target that gives the rest pose.
        clip: Clip that gives name and frame rate.
        rotations: joint of the target -> world rotations (f, 4).
        hips: Name of the target's hips.
        hip_positions: (f, 3) world positions of the hips.
    """
    rest, resting = target.rest_positions, normalise(target.rest_rotations)
    frames = len(hip_positions)
    placed: list[FloatArray] = []
    turned: list[FloatArray] = []
    for joint, (name, parent) in enumerate(zip(target.names, target.parents, strict=True)):
        position, turn = np.broadcast_to(rest[joint], (frames, 3)), np.broadcast_to(resting[joint], (frames, 4))
        if parent >= 0:
            since_rest = multiply(turned[parent], conjugate(resting[parent]))
            position = placed[parent] + rotate(since_rest, rest[joint] - rest[parent])
            turn = multiply(since_rest, resting[joint])
        placed.append(hip_positions if name == hips else position)
        turned.append(rotations.get(name, turn))
    return replace(
        target,
        name=clip.name,
        rest_rotations=resting,
        fps=clip.fps,
        positions=np.stack(placed, 1),
        rotations=normalise(np.stack(turned, 1)),
    )


def check_humanoid(clip: MotionClip) -> None:
    """Raise InputError unless a clip is on HUMANOID or HUMANOID_FINGERS."""
    if clip.skeleton.names not in (HUMANOID.names, HUMANOID_FINGERS.names):
        raise InputError(f"{clip.name} is not on the humanoid's skeleton, so it can't be put on a rig.")


def to_rig(clip: MotionClip, rig: str, axes: str = "") -> MotionClip:
    """Convert a clip of our humanoid to a rig's skeleton: its names, hierarchy, rest pose and bone axes.

    Every joint keeps its position. A root above the hips stays upright and carries the translation, since only the root
    of a clip is translated.

    Args:
        clip: On HUMANOID or HUMANOID_FINGERS.
        rig: One of RIG_NAMES.
        axes: Axes of the bones, see Rig; "" for the rig's own.

    Raises:
        InputError: No such rig, or the clip is on another skeleton.

    >>> from ganassets.api.motion.editing import rest_clip
    >>> from ganassets.api.motion.skeletons import HUMANOID
    >>> to_rig(rest_clip(HUMANOID), "unreal").skeleton.names[:3]
    ('root', 'pelvis', 'spine_01')
    """
    if rig not in RIG_NAMES:
        raise InputError(f"there is no rig {rig!r} to write; choose one of {', '.join(RIG_NAMES)}.")
    check_humanoid(clip)
    row, skeleton = RIGS[rig], clip.skeleton
    bones = bone_axes(skeleton, axes or row.axes)
    rotations = convert_to_bones(clip.rotations.astype(np.float64), skeleton, bones)
    translation = clip.translation.astype(np.float64)
    if row.root:
        rotations = np.concatenate([np.broadcast_to(NO_ROTATION, (len(clip), 1, 4)), rotations], 1)
        translation = translation - skeleton.offsets[0]
    return replace(
        clip,
        skeleton=make_rig_skeleton(skeleton, row, bones),
        translation=translation.astype(np.float32),
        rotations=make_continuous(normalise(rotations)).astype(np.float32),
    )
