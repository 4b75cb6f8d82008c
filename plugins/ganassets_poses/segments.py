"""Segments: the repetitions and single actions that a model learns from, with the conditions that describe them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ganassets.api.assets import MotionClip
from ganassets.api.motion.editing import resample_clip
from ganassets.api.motion.feet import find_contacts, put_on_ground, restore_travel
from ganassets.api.motion.measures import skating
from ganassets.api.motion.rotations import degrees_between
from ganassets.api.motion.skeletons import HUMANOID

from .actions import ACTION_NAMES, ACTIONS, COLUMNS, CONDITIONS, Action
from .cycles import (
    PEAK_SIGMA,
    PHASES,
    align_cycles,
    centre_action,
    close_loop,
    find_repetitions,
    find_shortest_period,
    find_single_actions,
    joint_activity,
    local_positions,
    sample_signals,
)
from .signals import PLACE_SCALE, REST_HEIGHT, ROOT_SCALE, ROTATION_SCALE, Signals, clip_from_signals, signals_from_clip
from .structure import FPS

FloatArray = NDArray[np.floating]

LEAST_ACTIVITY = 0.4  # m/s; least mean speed of the joints at the liveliest moment of a single action
MOST_SKATING = 0.3  # most of the frames, as a share, in which a foot on the ground slides
STILL = 0.002  # metres; joints of a take that holds one pose move less on average
LOOP_DEGREES = 6.0  # most degrees between the first and last rotation of a joint in a loop
LOOP_HEIGHT = 0.03  # most metres between the first and last height in a loop
FEATURE_PHASES = 24  # moments in the features of a segment
TEMPI = next((condition.low, condition.high) for condition in CONDITIONS if condition.name == "tempo")
ENDS = ("Hand", "Foot")


@dataclass(frozen=True, eq=False)
class Segment:
    """One repetition, or one single action.

    Attributes:
        source: File and clip that it comes from.
        action: Its action.
        loop: Whether it repeats.
        style: One of actions.STYLES.
        signals: Its frames at 30 per second.
        start: Share of a repetition at which all repetitions of the same kind start.
    """

    source: str
    action: Action
    loop: bool
    style: str
    signals: Signals
    start: float = 0.0

    @property
    def group(self) -> int:
        """Index of the group that it varies with, see PosesDomain.embed."""
        return self.loop * len(ACTION_NAMES) + ACTION_NAMES.index(self.action.name)

    @property
    def tempo(self) -> float:
        """Repetitions per second, or 1 / duration."""
        return FPS / len(self.signals)

    def condition_row(self, pace: float = 1.0) -> NDArray[np.float32]:
        """Return its conditions (c,) when it is played `pace` times as fast."""
        mean = self.signals.root.mean(1)
        values = {
            f"action:{self.action.name}": 1.0,
            "loop": float(self.loop),
            f"style:{self.style}": 1.0,
            "speed": mean[0] * pace,
            "turn": np.degrees(mean[2]) * pace,
            "tempo": self.tempo * pace,
        }
        return np.array([values.get(column, 0.0) for column in COLUMNS], np.float32)

    def sample(self, turns: FloatArray) -> Signals:
        """Return the signals at given moments; a single action stands still before and after.

        Args:
            turns: (n,) phases in repetitions, or shares of the duration of a single action.
        """
        frames = (turns + self.start if self.loop else turns) * len(self.signals)
        found = sample_signals(self.signals, frames, self.loop)
        if self.loop:
            return found
        root = found.root.copy()
        root[:3] *= (turns >= 0) & (turns < 1)
        return replace(found, root=root)

    def features(self) -> NDArray[np.float32]:
        """Return the features that distinguish it from others of its group.

        They are its root, rotations and positions at FEATURE_PHASES moments, less what its conditions say.
        """
        turns = (np.arange(FEATURE_PHASES) + (0 if self.loop else 0.5)) / FEATURE_PHASES
        signals = self.sample(turns)
        root = signals.root / np.array(ROOT_SCALE, np.float32)[:, None]
        root[[0, 2]] -= root[[0, 2]].mean(1, keepdims=True)
        root[3] -= REST_HEIGHT / ROOT_SCALE[3]
        places = local_positions(signals).reshape(FEATURE_PHASES, -1).T / PLACE_SCALE
        return np.concatenate([root, signals.rotations / ROTATION_SCALE, places]).ravel().astype(np.float32)


def prepare_clip(clip: MotionClip, gait: bool) -> MotionClip:
    """Return a clip at 30 frames per second, on the ground, with contacts, and with travel if it is a gait."""
    clip = put_on_ground(resample_clip(clip, FPS))
    clip = restore_travel(clip) if gait else clip
    return replace(clip, contacts=find_contacts(clip))


def ends_in_start_pose(clip: MotionClip) -> bool:
    """Return whether the last pose of a clip is about the same as its first."""
    apart = degrees_between(clip.rotations[0], clip.rotations[-1])
    return float(apart[1:].max()) < LOOP_DEGREES and abs(float(np.ptp(clip.translation[[0, -1], 1]))) < LOOP_HEIGHT


def find_segments(clip: MotionClip, action: Action, style: str, looping: bool | None) -> list[Segment]:
    """Find the segments of a clip.

    Those of a gait come with their mirror image. Any other is mirrored if necessary so that its right side does more;
    the seed decides whether an asset is mirrored.

    Args:
        clip: On the humanoid.
        action: Its action.
        style: One of actions.STYLES.
        looping: Whether it is known to loop; None to detect it.
    """
    if len(clip) < 8:
        return []
    clip = replace(clip, loop=looping is not False and ends_in_start_pose(clip))
    clip = prepare_clip(clip, action.gait and action.on_feet)
    signals = signals_from_clip(clip)
    places = local_positions(signals)
    if np.linalg.norm(places - places.mean(0), axis=-1).mean() < STILL:
        return []
    if clip.loop:
        # A clip that ends in the pose of its start may be a loop as well as a single action.
        repeated, single = [close_loop(signals, 0, find_shortest_period(places, action))], [(0, len(signals))]
    else:
        # A clip that is labelled as a loop is closed even where its ends differ.
        spans = find_repetitions(places, action) or ([(0, len(signals) - 1)] if looping else [])
        repeated = [close_loop(signals, start, stop) for start, stop in spans if stop < len(signals)]
        single = find_single_actions(places, signals.contacts)
    parts = [(part, True) for part in repeated]
    if action.once:
        parts += [(centre_action(signals.slice(*span), places[slice(*span)]), False) for span in single]
    return [
        Segment(clip.name, action, loop, style, side)
        for part, loop in parts
        if shows_action(part, action, loop)
        for side in ((part, part.mirror()) if action.gait else (make_right_handed(part),))
    ]


def shows_action(signals: Signals, action: Action, loop: bool) -> bool:
    """Return whether signals show an action properly.

    They do if tempo and speed are in range, the joints are lively enough, and the feet of a gait don't slide.
    """
    if not TEMPI[0] <= FPS / len(signals) <= TEMPI[1]:
        return False
    if not action.slowest <= signals.root[0].mean() <= action.fastest:
        return False
    if action.gait and action.on_feet and skating(clip_from_signals(signals, "", FPS, loop)) > MOST_SKATING:
        return False
    least = action.liveliest if loop else max(action.liveliest, LEAST_ACTIVITY)
    return bool(joint_activity(local_positions(signals), PEAK_SIGMA).max() >= least)


def make_right_handed(signals: Signals) -> Signals:
    """Return the signals or their mirror image, whichever moves the right arm and leg more."""
    places = local_positions(signals)
    moved = np.linalg.norm(np.diff(places, axis=0), axis=-1).sum(0)
    left, right = (sum(moved[HUMANOID.names.index(side + end)] for end in ENDS) for side in ("left", "right"))
    return signals if right >= left else signals.mirror()


def align_segments(segments: Sequence[Segment]) -> list[Segment]:
    """Return the segments with starts so that all repetitions of an action start in the same phase.

    The steps of all gaits share that phase.
    """
    turns = np.arange(PHASES) / PHASES
    made = dict(enumerate(segments))
    stride: FloatArray | None = None
    gaits_first = sorted(ACTIONS, key=lambda action: (not action.gait, action.name != "walk"))
    for action in gaits_first:
        index = [i for i, segment in enumerate(segments) if segment.loop and segment.action is action]
        if not index:
            continue
        cycles = [local_positions(segments[i].sample(turns)) for i in index]
        starts, mean = align_cycles(cycles, stride if action.gait else None)
        stride = mean if stride is None and action.gait else stride
        made |= {i: replace(segments[i], start=float(start)) for i, start in zip(index, starts, strict=True)}
    return [made[i] for i in range(len(segments))]
