"""Feet on the ground: find contacts, place clips on the ground, restore travel, and hold standing feet by bending legs.

For clips on the humanoid (ganassets.api.motion.skeletons). The ground is y = 0.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..assets import MotionClip, Skeleton
from .frame_runs import fade_runs, last_true, next_true, run_means
from .kinematics import positions
from .rotations import conjugate, make_continuous, multiply, normalise, rotate, shortest_rotation
from .skeletons import FOOT_HEIGHT, TOES_HEIGHT

FloatArray = NDArray[np.floating]
Bools = NDArray[np.bool_]

UP = np.array([0, 1, 0], np.float32)
STANDING = np.array([FOOT_HEIGHT, TOES_HEIGHT] * 2)  # metres above the ground of CONTACTS while they stand
# Limits of a standing joint: height in metres above its standing height, and speed in m/s and as a share of the body's
# speed (the feet of runners roll faster). A joint stands from when it is within TOUCHES until it leaves LEAVES.
TOUCHES, LEAVES = (0.03, 0.3, 0.05), (0.04, 0.4, 0.05)

# Joint without its side -> metres from the joint to the skin below it while the body lies or kneels. FINGER is for all
# other joints.
FLESH = {
    "hips": 0.10,
    "spine": 0.10,
    "chest": 0.11,
    "upperChest": 0.11,
    "neck": 0.06,
    "head": 0.09,
    "Shoulder": 0.06,
    "UpperArm": 0.05,
    "LowerArm": 0.04,
    "Hand": 0.03,
    "UpperLeg": 0.09,
    "LowerLeg": 0.055,
    "Foot": 0.05,
    "Toes": 0.02,
}
FINGER = 0.01
# Repetitions of a loop that are laid end to end. On both sides of the middle one an ankle may stand for nearly a whole
# repetition, and the ball of its foot, which determines its position, for another.
LAPS = 5
LIES = 0.05  # metres above the feet up to which other joints carry the body too
STEEPEST, SLOPE_ROUNDS = 0.04, 5  # largest slope of a floor in metres per metre; iterations to find it
HARDLY = 0.2  # metres; a figure that moves less shows no slope (ridge of the regression)

IN_PLACE = 0.5  # metres within which the root of a clip in place stays
NEAR = 0.03  # metres above the lowest height of both feet, up to which a foot stands
SLOWEST = 0.25  # m/s; slower sliding is swaying, not walking
SLIDES = 0.25  # least share of the mean velocity that a foot's velocity has along it, to agree with it
AGREEMENT, BOTH = 0.65, 0.22  # least shares of frames that agree: of both feet together, and of each foot

EXTENSION = 0.98  # share of its length to which a leg may be stretched where the clip doesn't stretch it more
LOWERING, SINKING = 0.15, 0.15  # most metres to lower the hips; seconds over which that is smoothed on both sides
# Metres: of a foot above the other one while both stand; and of a standing foot above its standing height, where the
# travel of a gait is matched.
ABREAST, LOW_STEP = 0.01, 0.05
MOST_MATCHED = 0.25  # share of its speed by which a gait may be made faster or slower
FORWARD = 0.01  # weight of the knee's forward direction; decides where a straight leg bends


@dataclass(frozen=True)
class LegPose:
    """Both legs of a clip, float64. Axes of the arrays: left and right; then upper leg, lower leg, foot and toes.

    Attributes:
        joints: (2, 4) indices of the joints in the skeleton.
        places: (f, 2, 4, 3) world positions in metres.
        turns: (f, 2, 4, 4) world rotations.
    """

    joints: NDArray[np.intp]
    places: FloatArray
    turns: FloatArray


def leg_pose(clip: MotionClip) -> LegPose:
    """Return the legs' world positions and rotations."""
    joints = leg_joints(clip.skeleton)
    offsets = clip.skeleton.offsets[joints].astype(np.float64)
    local = clip.rotations[:, joints].astype(np.float64)
    turn = clip.rotations[:, :1].astype(np.float64)
    place = clip.translation[:, None].astype(np.float64)
    places: list[FloatArray] = []
    turns: list[FloatArray] = []
    for bone in range(joints.shape[1]):
        place = place + rotate(turn, offsets[:, bone])
        turn = multiply(turn, local[:, :, bone])
        places.append(place)
        turns.append(turn)
    return LegPose(joints, np.stack(places, 2), np.stack(turns, 2))


def leg_joints(skeleton: Skeleton) -> NDArray[np.intp]:
    """Return the indices (2, 4) of upper leg, lower leg, foot and toes on the left and on the right."""
    bones = ("UpperLeg", "LowerLeg", "Foot", "Toes")
    return np.array([[skeleton.index(side + bone) for bone in bones] for side in ("left", "right")], np.intp)


def foot_positions(clip: MotionClip) -> FloatArray:
    """Return the world positions (f, 4, 3) of CONTACTS in metres.

    >>> from ganassets.api.assets import CONTACTS
    >>> from ganassets.api.motion.editing import rest_clip
    >>> from ganassets.api.motion.skeletons import HUMANOID
    >>> heights = foot_positions(rest_clip(HUMANOID))[0, :, 1]
    >>> dict(zip(CONTACTS, heights.round(2).tolist(), strict=True))
    {'leftFoot': 0.08, 'leftToes': 0.02, 'rightFoot': 0.08, 'rightToes': 0.02}
    """
    return leg_pose(clip).places[:, :, 2:].reshape(len(clip), 4, 3)


def unroll_loop(clip: MotionClip, track: NDArray[Any], travel: FloatArray | float = 0.0) -> NDArray[Any]:
    """Repeat a loop's track LAPS times, (LAPS (f - 1), ...); other clips' tracks are returned as they are.

    Args:
        clip: The clip of the track.
        track: (f, ...) one entry per frame.
        travel: Added with each repetition.
    """
    if not clip.loop or len(clip) == 1:
        return track
    lap = track[:-1]
    rounds = range(-(LAPS // 2), LAPS // 2 + 1)
    return np.concatenate([lap if track.dtype == bool else lap + k * travel for k in rounds])


def middle_lap(clip: MotionClip, track: NDArray[Any]) -> NDArray[Any]:
    """Return the middle repetition (f, ...) of a track that `unroll_loop` made."""
    first = LAPS // 2 * (len(clip) - 1)
    return track[first : first + len(clip)] if clip.loop and len(clip) > 1 else track


def ground_travel(clip: MotionClip) -> FloatArray:
    """Return the vector (3,) along the ground from the first frame to the last in metres.

    >>> from ganassets.api.motion.editing import rest_clip, sample_clip
    >>> from ganassets.api.motion.skeletons import HUMANOID
    >>> path = np.array([[0, 1, 0], [0.5, 1.25, 2]], np.float32)
    >>> ground_travel(replace(sample_clip(rest_clip(HUMANOID), np.zeros(2)), translation=path)).tolist()
    [0.5, 0.0, 2.0]
    """
    return (clip.translation[-1] - clip.translation[0]).astype(np.float64) * [1, 0, 1]


def find_contacts(clip: MotionClip) -> Bools:
    """Find which of CONTACTS (f, 4) stand on the ground: those that are near it and slow.

    Frames within LEAVES count where a frame of their run is within TOUCHES. Single frames (at 30 per second) that
    differ from both neighbours are flipped. Loops are judged across their seam. The clip must stand on the ground (see
    `put_on_ground`) and travel as its feet move (see `restore_travel`).

    >>> from ganassets.api.motion.editing import rest_clip
    >>> from ganassets.api.motion.skeletons import HUMANOID
    >>> find_contacts(rest_clip(HUMANOID)).tolist()
    [[True, True, True, True]]
    """
    if len(clip) == 1:
        return foot_positions(clip)[..., 1] - STANDING < TOUCHES[0]
    travel = ground_travel(clip)
    place = unroll_loop(clip, foot_positions(clip), travel)
    root = unroll_loop(clip, clip.translation.astype(np.float64), travel) * [1, 0, 1]
    height = place[..., 1] - STANDING
    speed = np.linalg.norm(np.gradient(place, axis=0), axis=-1) * clip.fps
    pace = np.linalg.norm(np.gradient(root, axis=0), axis=-1, keepdims=True) * clip.fps
    pace = _windows(pace, round(clip.fps / 4)).mean(-1)
    firm, loose = ((height < low) & (speed < slow + share * pace) for low, slow, share in (TOUCHES, LEAVES))
    held = (last_true(firm) > last_true(~loose)) | (next_true(firm) < next_true(~loose))
    return middle_lap(clip, _windows(held, round(clip.fps / 30)).mean(-1) > 0.5)


def _windows(track: NDArray[Any], reach: int) -> NDArray[Any]:
    """Return each row with its neighbours (n, ..., 2 reach + 1); the first and last rows are repeated."""
    padded = np.pad(track, [(reach, reach), *[(0, 0)] * (track.ndim - 1)], mode="edge")
    return np.lib.stride_tricks.sliding_window_view(padded, 2 * reach + 1, 0)


def put_on_ground(clip: MotionClip) -> MotionClip:
    """Move a clip up or down so that it stands, or lies, on y = 0.

    The height of each frame is that of its lowest joint, less the joint's standing height (feet) or the flesh around it
    (all other joints, and feet too while the body lies or kneels). The ground is the median of the heights within 4 cm
    of the lowest twentieth. So a jump stays in the air, and one bad frame doesn't matter. Floors of motion capture
    often slope by a centimetre per metre: heights follow such a slope, poses don't. A loop is moved as a whole.

    >>> from ganassets.api.motion.editing import rest_clip
    >>> from ganassets.api.motion.skeletons import HUMANOID
    >>> clip = rest_clip(HUMANOID)
    >>> raised = replace(clip, translation=clip.translation + np.array([0, 1, 0], np.float32))
    >>> [round(float(c.translation[0, 1]), 2) for c in (clip, raised, put_on_ground(raised))]
    [0.95, 1.95, 0.95]
    """
    names = clip.skeleton.names
    feet = leg_joints(clip.skeleton)[:, 2:].ravel()
    flesh = np.array([FLESH.get(name.removeprefix("left").removeprefix("right"), FINGER) for name in names])
    height = positions(clip)[..., 1]
    standing: FloatArray = (height[:, feet] - STANDING).min(1)
    others: FloatArray = np.delete(height - flesh, feet, 1).min(1)
    lying: FloatArray = np.minimum(others, (height - flesh)[:, feet].min(1))
    lowest = np.where(others < standing + LIES, lying, standing)
    ground = np.zeros(len(clip)) if clip.loop else _slope(clip.translation[:, [0, 2]].astype(np.float64), lowest)
    above = lowest - ground
    ground = ground + np.median(above[_near_lowest(above)])
    return replace(clip, translation=clip.translation - ground[:, None].astype(np.float32) * UP)


def _near_lowest(heights: FloatArray) -> Bools:
    """Return which of the heights (n,) are no more than 4 cm above the lowest twentieth."""
    return heights <= np.percentile(heights, 5) + 0.04


def _slope(place: FloatArray, lowest: FloatArray) -> FloatArray:
    """Return the height (f,) in metres of a sloping floor below a figure, relative to its mean.

    It is 0 where the slope is larger than STEEPEST.

    Args:
        place: (f, 2) metres on the ground.
        lowest: (f,) height of the lowest joint.
    """
    place = place - place.mean(0)
    rise, slope = np.zeros(len(place)), np.zeros(2)
    for _ in range(SLOPE_ROUNDS):
        low = _near_lowest(lowest - rise)
        beside: FloatArray = place[low] - place[low].mean(0)
        spread: FloatArray = beside.T @ beside + low.sum() * HARDLY**2 * np.eye(2)
        moment: FloatArray = beside.T @ lowest[low]
        slope = np.linalg.solve(spread, moment)
        rise = place @ slope
    return rise if np.linalg.norm(slope) < STEEPEST else np.zeros(len(place))


def restore_travel(clip: MotionClip) -> MotionClip:
    """Give a clip that was animated in place the travel that its feet show: a walk whose feet slide backwards.

    The root gets the constant velocity along the ground at which the standing foot doesn't slide. A foot stands from
    one frame to the next where it is the lower one and near the lowest height of both feet. The velocity is the median
    of those that agree in direction. A clip is returned unchanged where it travels already, where it slides no faster
    than a swaying figure, and where its feet don't agree or don't both slide.

    >>> from ganassets.api.motion.editing import rest_clip, sample_clip
    >>> from ganassets.api.motion.skeletons import HUMANOID
    >>> clip = sample_clip(rest_clip(HUMANOID), np.zeros(31))
    >>> clip.translation[:, 2] += np.linspace(0, 1, 31)
    >>> restore_travel(clip) is clip  # it travels already
    True
    """
    wandering = np.linalg.norm(np.ptp(clip.translation[:, [0, 2]], axis=0))
    if len(clip) < 4 or wandering > IN_PLACE:
        return clip
    place = foot_positions(clip)
    height = place[..., 1] - STANDING
    height = np.maximum(height[:-1], height[1:])
    lower = height.argmin(1)[:, None]
    lowest = np.take_along_axis(height, lower, 1)[:, 0]
    stands = lowest <= max(height[:, :2].min(), height[:, 2:].min()) + NEAR
    step = np.take_along_axis(np.diff(place, axis=0), lower[..., None], 1)[:, 0]
    velocity = step[stands][:, [0, 2]] * clip.fps
    mean = velocity.mean(0)
    agrees = velocity @ mean > SLIDES * (mean @ mean)
    left = lower[stands, 0] < 2
    if np.linalg.norm(mean) < SLOWEST or agrees.mean() < AGREEMENT:
        return clip
    if min((agrees & left).mean(), (agrees & ~left).mean()) < BOTH:
        return clip
    typical = np.median(velocity[agrees], 0)
    moved = clip.translation.astype(np.float64)
    moved[:, [0, 2]] -= np.arange(len(clip))[:, None] / clip.fps * typical
    return replace(clip, translation=moved.astype(np.float32))


def find_standing_feet(place: FloatArray, low: float) -> Bools:
    """Find which feet (f, 2) stand, left and right, by their heights alone.

    Ankle and ball of a standing foot are less than `low` metres above their standing heights, and the other foot is no
    more than ABREAST lower. So a foot that swings low over the ground past the standing one doesn't count.

    Args:
        place: (f, 4, 3) positions of CONTACTS, see `foot_positions`.
        low: Metres.

    >>> from ganassets.api.motion.editing import rest_clip
    >>> from ganassets.api.motion.skeletons import HUMANOID
    >>> place = foot_positions(rest_clip(HUMANOID))
    >>> place[:, :2, 1] += 0.1  # the left foot is lifted by 10 cm
    >>> find_standing_feet(place, low=0.05).tolist()
    [[False, True]]
    """
    height = place.reshape(-1, 2, 2, 3)[..., 1] - STANDING[:2]
    lowest = height.min(-1)
    return np.all(height < low, axis=-1) & (lowest <= lowest.min(-1, keepdims=True) + ABREAST)


def match_travel(clip: MotionClip) -> MotionClip:
    """Match the speed of a gait to its feet, for clips that go straight on, such as loops.

    The median velocity over the ground of standing feet is subtracted from that of the root, up to a share of
    MOST_MATCHED of the root's speed.

    >>> from ganassets.api.motion.editing import rest_clip, sample_clip
    >>> from ganassets.api.motion.skeletons import HUMANOID
    >>> clip = sample_clip(rest_clip(HUMANOID), np.zeros(31))
    >>> clip.translation[:, 2] += np.linspace(0, 1, 31)  # standing feet slide by 1 m
    >>> ground_travel(match_travel(clip)).round(2).tolist()
    [0.0, 0.0, 0.75]
    """
    place = foot_positions(clip)
    stands = find_standing_feet(place, LOW_STEP)
    stays = stands[:-1] & stands[1:]
    if stays.sum() < 2:
        return clip
    step = np.diff(place.reshape(-1, 2, 2, 3), axis=0).mean(2)
    slide = np.median(step[stays], axis=0) * [1, 0, 1]
    most = MOST_MATCHED * np.linalg.norm(ground_travel(clip)) / (len(clip) - 1)
    slide *= min(1.0, most / max(float(np.linalg.norm(slide)), 1e-9))
    moved = clip.translation - np.arange(len(clip))[:, None] * slide
    return replace(clip, translation=moved.astype(np.float32))


def hold_feet(clip: MotionClip, blend: float = 0.15) -> MotionClip:
    """Hold the standing feet of a clip in place by bending its legs.

    In each run of contact frames the ankle, or the ball of the foot, stays at its mean position and standing height.
    Where both stand, the foot lies flat. Before and after the run the correction fades. Joints of the feet below their
    standing height are raised. Where a leg is too short, the hips are lowered first, then the leg is stretched softly.
    Loops stay loops.

    Args:
        clip: Contacts are found where it has none.
        blend: Seconds over which a correction fades.

    Returns:
        The clip with the contacts that were used; only the legs and the height of the root differ.

    >>> from ganassets.api.motion.editing import rest_clip, sample_clip
    >>> from ganassets.api.motion.skeletons import HUMANOID
    >>> clip = sample_clip(rest_clip(HUMANOID), np.zeros(31))
    >>> clip.translation[:, 0] += np.linspace(-0.02, 0.02, 31)  # standing, but sliding by 4 cm
    >>> held = hold_feet(clip)
    >>> [float(np.ptp(foot_positions(c)[:, :2, 0], axis=0).max().round(3)) for c in (clip, held)]
    [0.04, 0.0]
    """
    contacts = find_contacts(clip) if clip.contacts is None else clip.contacts
    pose = leg_pose(clip)
    hip, knee, ankle, ball = np.moveaxis(pose.places, 2, 0)
    new_ankle, foot = _foot_targets(clip, pose, contacts, blend)

    sole = np.linalg.norm(clip.skeleton.offsets[pose.joints[:, 3]].astype(np.float64), axis=1)[:, None]
    upper, lower = np.linalg.norm(clip.skeleton.offsets[pose.joints[:, 1:3]].astype(np.float64), axis=-1).T
    length = upper + lower
    reach: FloatArray = np.minimum(
        np.maximum(np.linalg.norm(ankle - hip, axis=-1), EXTENSION * length), 0.9998 * length
    )
    drop = _lowering(clip, hip - new_ankle, reach)
    new_hip = hip - drop[:, None, None] * UP

    toward = new_ankle - new_hip
    distance: FloatArray = np.linalg.norm(toward, axis=-1)
    room = 0.9999 * length - reach
    softened = np.where(distance > reach, reach + room * -np.expm1(-np.maximum(distance - reach, 0) / room), distance)
    softened = np.maximum(softened, np.abs(upper - lower) + 1e-3)
    toward = normalise(toward)
    along = (softened**2 + upper**2 - lower**2) / (2 * softened)  # law of cosines: projection of the knee on the line
    across = np.sqrt(np.maximum(upper**2 - along**2, 0))
    pole = _knee_direction(pose, toward)
    to_knee = along[..., None] * toward + across[..., None] * pole
    to_ankle = softened[..., None] * toward - to_knee

    before = np.stack([knee - hip, ankle - knee, ball - ankle], 2)
    after = np.stack([to_knee, to_ankle, foot * sole], 2)
    turns = multiply(shortest_rotation(before, after), pose.turns[:, :, :3])
    above = np.concatenate([np.broadcast_to(clip.rotations[:, None, :1], turns[:, :, :1].shape), turns[:, :, :2]], 2)
    local = normalise(multiply(conjugate(above), turns))
    rotations = clip.rotations.copy()
    rotations[:, pose.joints[:, :3]] = local
    translation = clip.translation - drop[:, None].astype(np.float32) * UP
    return replace(clip, translation=translation, rotations=make_continuous(rotations), contacts=contacts)


def _foot_targets(clip: MotionClip, pose: LegPose, contacts: Bools, blend: float) -> tuple[FloatArray, FloatArray]:
    """Return target positions (f, 2, 3) of the ankles and unit directions (f, 2, 3) from them to the balls of the feet.

    Args:
        clip: Clip that gives travel, loop and frame rate.
        pose: Pose of its legs.
        contacts: (f, 4) which of CONTACTS stand.
        blend: Seconds over which a correction fades.
    """
    frames = len(clip)
    travel = ground_travel(clip)
    place = unroll_loop(clip, pose.places[:, :, 2:], travel)
    stands = unroll_loop(clip, contacts.reshape(frames, 2, 2))
    if travel.any():  # in a loop that travels, no joint can stand all the time
        stands = stands & ~(stands.all(0) & clip.loop)

    ankle, ball = place[:, :, 0], place[:, :, 1]
    flat = np.all(stands, axis=-1)
    sole = float(np.linalg.norm(clip.skeleton.offsets[pose.joints[0, 3]]))
    level = float(np.sqrt(sole**2 - (FOOT_HEIGHT - TOES_HEIGHT) ** 2))  # distance of both joints along the ground
    held_ball = run_means(ball, stands[..., 1])
    forward = (ball - ankle) * [1, 0, 1]
    mean_ankle = run_means(ankle, stands[..., 0])
    # The ball of the foot determines where the ankle stands, if both stand in some frame of the ankle's run.
    ball_there = run_means(held_ball, stands[..., 0], flat)
    forward_there = run_means(normalise(forward), stands[..., 0], flat)
    known = run_means(flat[..., None].astype(float), stands[..., 0]) > 0
    held_ankle = np.where(known, ball_there - level * normalise(forward_there), mean_ankle)
    held = np.stack([held_ankle, held_ball], 2)
    held[..., 1] = STANDING[:2]

    shift, share = (middle_lap(clip, track) for track in fade_runs(held - place, stands, blend * clip.fps))
    aim = pose.places[:, :, 2:] + shift
    aim[..., 1] = np.maximum(aim[..., 1], STANDING[:2])
    foot = normalise(aim[:, :, 1] - aim[:, :, 0])
    on_ball = share[:, :, 1, None]
    new_ankle = (1 - on_ball) * aim[:, :, 0] + on_ball * (aim[:, :, 1] - sole * foot)
    new_ankle[..., 1] = np.maximum(new_ankle[..., 1], FOOT_HEIGHT)
    up = np.clip(foot[..., 1], (TOES_HEIGHT - new_ankle[..., 1]) / sole, 1)
    above = normalise(foot * [1, 0, 1]) * np.sqrt(1 - up**2)[..., None]
    above[..., 1] = up
    return new_ankle, above


def _lowering(clip: MotionClip, up: FloatArray, reach: FloatArray) -> FloatArray:
    """Return how far (f,) the hips must be lowered in metres, smooth in time.

    Args:
        clip: Clip that gives loop and frame rate.
        up: (f, 2, 3) from the target ankles to the hip joints.
        reach: (f, 2) largest distance of an ankle from its hip joint.
    """
    level = up[..., 0] ** 2 + up[..., 2] ** 2
    missing = up[..., 1] - np.sqrt(np.maximum(reach**2 - level, 0))
    missing = np.clip(missing.max(1), 0, LOWERING)
    if missing.max() < 1e-6:
        return np.zeros(len(clip))
    width = max(round(SINKING * clip.fps), 1)
    enough = _windows(unroll_loop(clip, missing), width).max(-1)
    return middle_lap(clip, _windows(enough, width).mean(-1))


def _knee_direction(pose: LegPose, toward: FloatArray) -> FloatArray:
    """Return the unit vectors (f, 2, 3), perpendicular to `toward`, in whose directions the knees lie.

    Knees stay where they are, but never behind the leg. Straight legs bend forward, along the upper leg's own +Z.

    Args:
        pose: Pose of the legs.
        toward: (f, 2, 3) unit vectors from the hip joints to the target ankles.
    """
    hip, knee, ankle = pose.places[:, :, 0], pose.places[:, :, 1], pose.places[:, :, 2]

    def across(vector: FloatArray, axis: FloatArray) -> FloatArray:
        return vector - (vector * axis).sum(-1, keepdims=True) * axis

    line = normalise(ankle - hip)
    bent = across(normalise(knee - hip), line)
    ahead = normalise(across(rotate(pose.turns[:, :, 0], np.array([0.0, 0, 1])), line))
    forward = (bent * ahead).sum(-1, keepdims=True)
    bent = bent + (np.abs(forward) - forward + FORWARD) * ahead
    return normalise(across(rotate(shortest_rotation(line, toward), bent), toward))
