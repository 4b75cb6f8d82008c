"""Feet on the ground: which stand, where the ground is, how fast it goes by, and legs bent so that feet stay put.

For clips on the humanoid (ganassets.api.motion.skeletons). The ground is y = 0.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ..assets import MotionClip, Skeleton
from .kinematics import positions
from .rotations import conjugate, make_continuous, multiply, normalise, rotate, shortest_rotation
from .skeletons import FOOT_HEIGHT, TOES_HEIGHT

FloatArray = NDArray[np.floating]
Bools = NDArray[np.bool_]

UP = np.array([0, 1, 0], np.float32)
STANDING = np.array([FOOT_HEIGHT, TOES_HEIGHT] * 2)  # metres, of CONTACTS
# A joint stands once it is this near the ground (metres above its standing height) and this slow (m/s, and a share of
# the body's speed, as runners' feet roll faster), and goes on standing until it passes the second limits.
TOUCHES, LEAVES = (0.03, 0.3, 0.05), (0.04, 0.4, 0.05)

# Metres from a joint to the skin below it where a body lies or kneels, by joint without its side; FINGER for others.
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
# Of a loop laid end to end: an ankle may stand for nearly a lap beyond the middle one, and the ball of its foot, which
# says where, for another.
LAPS = 5
LIES = 0.05  # metres: other joints no higher than this above the feet carry the body too
STEEPEST, SLOPE_ROUNDS = 0.04, 5  # metres a metre that a floor may rise by, and rounds in which that is found
HARDLY = 0.2  # metres: figures that stay within that show no slope

IN_PLACE = 0.5  # metres within which the root of a clip in place stays
NEAR = 0.03  # metres above the height that both feet come down to within which a foot stands
SLOWEST = 0.25  # m/s: less than this is swaying, not walking
SLIDES = 0.25  # share of the mean velocity that a foot must have, along it, to agree with it
AGREEMENT, BOTH = 0.65, 0.22  # shares of the steps that must agree: of all, and of each foot

EXTENSION = 0.98  # share of its length to which a leg may be stretched beyond what the clip does
LOWERING, SINKING = 0.15, 0.15  # metres that the hips may be lowered, seconds over which that is smoothed both ways
# Metres above the other foot up to which a foot stands by its height alone; and above its standing height, where the
# travel of whole steps is looked for.
ABREAST, LOW_STEP = 0.01, 0.05
MOST_MATCHED = 0.25  # share of its speed by which a gait may be made faster or slower
FORWARD = 0.01  # share of the knee's forward direction that decides where a straight leg bends


@dataclass(frozen=True)
class LegPose:
    """Both legs of a clip: left, right; of each: upper leg, lower leg, foot, toes. float64.

    Attributes:
        joints: (2, 4) their indices in the skeleton.
        places: (f, 2, 4, 3) world positions in metres.
        turns: (f, 2, 4, 4) world rotations.
    """

    joints: NDArray[np.intp]
    places: FloatArray
    turns: FloatArray


def leg_pose(clip: MotionClip) -> LegPose:
    """Forward kinematics of the legs alone, both at once."""
    joints = leg_joints(clip.skeleton)
    offsets = clip.skeleton.offsets[joints].astype(np.float64)
    local = clip.rotations[:, joints].astype(np.float64)
    turn = clip.rotations[:, :1].astype(np.float64)
    place = clip.translation[:, None].astype(np.float64)
    places, turns = [], []
    for bone in range(joints.shape[1]):
        place = place + rotate(turn, offsets[:, bone])
        turn = multiply(turn, local[:, :, bone])
        places.append(place)
        turns.append(turn)
    return LegPose(joints, np.stack(places, 2), np.stack(turns, 2))


def leg_joints(skeleton: Skeleton) -> NDArray[np.intp]:
    """(2, 4) indices of left and right upper leg, lower leg, foot and toes."""
    bones = ("UpperLeg", "LowerLeg", "Foot", "Toes")
    return np.array([[skeleton.index(side + bone) for bone in bones] for side in ("left", "right")], np.intp)


def foot_positions(clip: MotionClip) -> FloatArray:
    """(f, 4, 3) world positions of CONTACTS in metres."""
    return leg_pose(clip).places[:, :, 2:].reshape(len(clip), 4, 3)


def unroll_loop(clip: MotionClip, track: NDArray, travel: FloatArray | float = 0.0) -> NDArray:
    """A track of a loop LAPS times after each other (LAPS (f - 1), ...), that of another clip as it is.

    Args:
        clip: what the track belongs to.
        track: (f, ...) one entry a frame.
        travel: what is added with every lap.
    """
    if not clip.loop or len(clip) == 1:
        return track
    lap = track[:-1]
    rounds = range(-(LAPS // 2), LAPS // 2 + 1)
    return np.concatenate([lap if track.dtype == bool else lap + k * travel for k in rounds])


def middle_lap(clip: MotionClip, track: NDArray) -> NDArray:
    """(f, ...) of what unroll_loop() made."""
    first = LAPS // 2 * (len(clip) - 1)
    return track[first : first + len(clip)] if clip.loop and len(clip) > 1 else track


def ground_travel(clip: MotionClip) -> FloatArray:
    """(3,) metres along the ground from the first frame to the last."""
    return (clip.translation[-1] - clip.translation[0]).astype(np.float64) * [1, 0, 1]


def last_true(marks: Bools) -> NDArray[np.intp]:
    """(n, ...) row of the last True at or before each row, -1 for none."""
    rows = np.arange(len(marks)).reshape(-1, *[1] * (marks.ndim - 1))
    return np.maximum.accumulate(np.where(marks, rows, -1), 0)


def next_true(marks: Bools) -> NDArray[np.intp]:
    """(n, ...) row of the next True at or after each row, n for none."""
    return len(marks) - 1 - last_true(marks[::-1])[::-1]


def find_contacts(clip: MotionClip) -> Bools:
    """(f, 4) which of CONTACTS stand on the ground: near it and slow.

    A run of frames within LEAVES counts if some frame of it is within TOUCHES; single frames (at 30 a second) that
    differ from both neighbours are overruled. Loops are judged across their seam. The clip must stand on the ground
    (`put_on_ground`) and travel as its feet say (`restore_travel`).
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


def _windows(track: NDArray, reach: int) -> NDArray:
    """(n, ..., 2 reach + 1) each row with its neighbours, the ends repeated."""
    padded = np.pad(track, [(reach, reach), *[(0, 0)] * (track.ndim - 1)], mode="edge")
    return np.lib.stride_tricks.sliding_window_view(padded, 2 * reach + 1, 0)


def put_on_ground(clip: MotionClip) -> MotionClip:
    """The clip moved up or down so that it stands, or lies, on y = 0.

    Each frame's lowest joint is found, less its standing height (feet) or the flesh around it (all others, and feet
    too while the body lies or kneels); the ground is the median of those that are within 4 cm of the lowest twentieth.
    A jump thus stays in the air, and one bad frame doesn't matter. Floors of motion capture are often aslant by a
    centimetre a metre: the height follows such a slope, poses don't. A loop is moved as a whole.
    """
    names = clip.skeleton.names
    feet = leg_joints(clip.skeleton)[:, 2:].ravel()
    flesh = np.array([FLESH.get(name.removeprefix("left").removeprefix("right"), FINGER) for name in names])
    height = positions(clip)[..., 1]
    standing = (height[:, feet] - STANDING).min(1)
    others = np.delete(height - flesh, feet, 1).min(1)
    lying = np.minimum(others, (height - flesh)[:, feet].min(1))
    lowest = np.where(others < standing + LIES, lying, standing)
    ground = np.zeros(len(clip)) if clip.loop else _slope(clip.translation[:, [0, 2]].astype(np.float64), lowest)
    above = lowest - ground
    ground = ground + np.median(above[_near_lowest(above)])
    return replace(clip, translation=clip.translation - ground[:, None].astype(np.float32) * UP)


def _near_lowest(heights: FloatArray) -> Bools:
    """(n,) which of heights are no more than 4 cm above the lowest twentieth."""
    return heights <= np.percentile(heights, 5) + 0.04


def _slope(place: FloatArray, lowest: FloatArray) -> FloatArray:
    """(f,) metres by which an even floor aslant rises below a figure, from its mean place on; zeros where it is steeper
    than STEEPEST, which is no floor, or goes hardly anywhere.

    Least squares with a penalty on the slope, of the frames that are lowest above the floor found before.

    Args:
        place: (f, 2) metres on the ground.
        lowest: (f,) height of the lowest joint.
    """
    place = place - place.mean(0)
    rise, slope = np.zeros(len(place)), np.zeros(2)
    for _ in range(SLOPE_ROUNDS):
        low = _near_lowest(lowest - rise)
        beside = place[low] - place[low].mean(0)
        spread = beside.T @ beside + low.sum() * HARDLY**2 * np.eye(2)
        slope = np.linalg.solve(spread, beside.T @ lowest[low])
        rise = place @ slope
    return rise if np.linalg.norm(slope) < STEEPEST else np.zeros(len(place))


def restore_travel(clip: MotionClip) -> MotionClip:
    """The clip with the travel that its feet show, where it was made in place: a walk whose feet slide backwards.

    The root is given the constant velocity along the ground that makes the standing foot stand still. A foot stands
    from one frame to the next if it is the lower one and near the height that both feet come down to. The velocity is
    the median of those that agree about the direction. Unchanged are clips that travel by themselves, that slide no
    faster than swaying figures do, and whose feet don't agree, or don't slide both.
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
    """(f, 2) which feet stand, left and right, by their heights alone: ankle and ball are less than `low` metres above
    their standing heights, and the other foot is no more than ABREAST lower. One that swings past the standing one low
    over the ground doesn't stand.

    Args:
        place: (f, 4, 3) of CONTACTS, see foot_places.
        low: metres.
    """
    height = place.reshape(-1, 2, 2, 3)[..., 1] - STANDING[:2]
    lowest = height.min(-1)
    return np.all(height < low, axis=-1) & (lowest <= lowest.min(-1, keepdims=True) + ABREAST)


def match_travel(clip: MotionClip) -> MotionClip:
    """A gait that travels as fast as its feet say: the median velocity over the ground of feet that stand is taken off
    its own, up to MOST_MATCHED of that. For clips that go straight on, such as loops.
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
    """The clip with its standing feet held in place, by bending the legs.

    Of each run of contact frames the ankle, or the ball of the foot, is held at its mean place and standing height;
    where both stand, the foot lies flat. Before and after the run the correction fades. Joints of the feet below their
    standing height are raised. Legs too short for that are stretched softly, the hips lowered before that. Loops stay
    loops.

    Args:
        clip: with contacts, or they are found.
        blend: seconds over which a correction fades.

    Returns:
        A clip with the contacts that were used; all but the legs and the height of the root is the same.
    """
    contacts = find_contacts(clip) if clip.contacts is None else clip.contacts
    pose = leg_pose(clip)
    hip, knee, ankle, ball = np.moveaxis(pose.places, 2, 0)
    new_ankle, foot = _foot_targets(clip, pose, contacts, blend)

    sole = np.linalg.norm(clip.skeleton.offsets[pose.joints[:, 3]].astype(np.float64), axis=1)[:, None]
    upper, lower = np.linalg.norm(clip.skeleton.offsets[pose.joints[:, 1:3]].astype(np.float64), axis=-1).T
    length = upper + lower
    reach = np.minimum(np.maximum(np.linalg.norm(ankle - hip, axis=-1), EXTENSION * length), 0.9998 * length)
    drop = _lowering(clip, hip - new_ankle, reach)
    new_hip = hip - drop[:, None, None] * UP

    toward = new_ankle - new_hip
    distance = np.linalg.norm(toward, axis=-1)
    room = 0.9999 * length - reach
    softened = np.where(distance > reach, reach + room * -np.expm1(-np.maximum(distance - reach, 0) / room), distance)
    softened = np.maximum(softened, np.abs(upper - lower) + 1e-3)
    toward = normalise(toward)
    along = (softened**2 + upper**2 - lower**2) / (2 * softened)  # law of cosines: the knee's foot on the line
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
    """Places (f, 2, 3) that the ankles shall have and unit directions (f, 2, 3) from there to the balls of the feet."""
    frames = len(clip)
    travel = ground_travel(clip)
    place = unroll_loop(clip, pose.places[:, :, 2:], travel)
    stands = unroll_loop(clip, contacts.reshape(frames, 2, 2))
    if travel.any():  # nothing can stand all the time on ground that goes by
        stands = stands & ~(stands.all(0) & clip.loop)

    ankle, ball = place[:, :, 0], place[:, :, 1]
    flat = np.all(stands, axis=-1)
    sole = float(np.linalg.norm(clip.skeleton.offsets[pose.joints[0, 3]]))
    level = float(np.sqrt(sole**2 - (FOOT_HEIGHT - TOES_HEIGHT) ** 2))  # between both joints, on the ground
    held_ball = _run_means(ball, stands[..., 1])
    forward = (ball - ankle) * [1, 0, 1]
    mean_ankle = _run_means(ankle, stands[..., 0])
    # An ankle stands where the ball of its foot says, if that stands too in some frame of its run.
    ball_there = _run_means(held_ball, stands[..., 0], flat)
    forward_there = _run_means(normalise(forward), stands[..., 0], flat)
    known = _run_means(flat[..., None].astype(float), stands[..., 0]) > 0
    held_ankle = np.where(known, ball_there - level * normalise(forward_there), mean_ankle)
    held = np.stack([held_ankle, held_ball], 2)
    held[..., 1] = STANDING[:2]

    shift, share = (middle_lap(clip, track) for track in _faded(held - place, stands, blend * clip.fps))
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


def _run_means(values: FloatArray, runs: Bools, counted: Bools | None = None) -> FloatArray:
    """(n, c, k) mean of values over the run of True that a row is in (rows outside of runs are meaningless).

    Args:
        values: (n, c, k).
        runs: (n, c).
        counted: (n, c) rows that count; all by default.
    """
    weight = (runs if counted is None else runs & counted)[..., None].astype(np.float64)
    first, end = last_true(~runs) + 1, next_true(~runs)
    sums = np.concatenate([values * weight, weight], -1).cumsum(0)
    sums = np.concatenate([np.zeros_like(sums[:1]), sums])
    sums = np.take_along_axis(sums, end[..., None], 0) - np.take_along_axis(sums, first[..., None], 0)
    return sums[..., :-1] / np.maximum(sums[..., -1:], 1)


def _faded(shift: FloatArray, stands: Bools, length: float) -> tuple[FloatArray, FloatArray]:
    """Corrections as they are while joints stand, and fading (smoothstep) over `length` frames before and after.

    Between two runs nearer than that one goes over into the other.

    Returns:
        (n, ..., 3) corrections and (n, ...) their shares, 1 while a joint stands.
    """
    rows = np.arange(len(stands)).reshape(-1, *[1] * (stands.ndim - 1))
    before, after = last_true(stands), next_true(stands)
    between_runs = (before >= 0) & (after < len(stands))
    lengths = np.maximum(np.where(between_runs, np.minimum(after - before, length), length), 1)
    faded, shares = np.zeros_like(shift), np.zeros(stands.shape)
    for run, known in ((before, before >= 0), (after, after < len(stands))):
        near = np.clip(1 - np.abs(rows - run) / lengths, 0, 1) * known
        share = near * near * (3 - 2 * near)
        at_run = np.take_along_axis(shift, np.clip(run, 0, len(stands) - 1)[..., None], 0)
        faded += share[..., None] * at_run
        shares += share
    return np.where(stands[..., None], shift, faded), np.where(stands, 1.0, shares)


def _lowering(clip: MotionClip, up: FloatArray, reach: FloatArray) -> FloatArray:
    """(f,) metres by which the hips must be lowered, smooth in time.

    Args:
        clip: whose hips.
        up: (f, 2, 3) from the ankles' new places to the hip joints.
        reach: (f, 2) how far the ankles may be from the hip joints.
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
    """(f, 2, 3) unit vectors across `toward` in which the knees lie: where they are, never behind the leg.

    Straight legs bend forward, along the upper leg's own +Z.
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
