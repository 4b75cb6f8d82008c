"""Motion clips for tests: a walk of sines, smooth random motion of any skeleton, and folded rest poses."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ganassets.api.assets import MotionClip, Skeleton
from ganassets.api.motion.kinematics import local_rotations, positions, rest_pose, world_pose
from ganassets.api.motion.rotations import (
    conjugate,
    from_axis_angle,
    from_matrix,
    make_continuous,
    multiply,
    normalise,
    rotate,
)
from ganassets.api.motion.skeletons import FOOT_HEIGHT, HUMANOID
from ganassets.api.motion.take import Take
from ganassets.api.provenance import Provenance

PROVENANCE = Provenance(
    generator="poses 1.0",
    model_digest="cd" * 32,
    seed=7,
    truncation=0.85,
    sliders={"speed": 1.3, "energy": 0.5},
    licence="CC0-1.0",
    software="ganassets 0.1.0",
)
X, Y, Z = (1, 0, 0), (0, 1, 0), (0, 0, 1)
CADENCE = 1.0  # strides (two steps) per second
STEPS = (("left", 1), ("right", -1))


def walk_clip(frames: int = 61, fps: float = 30.0, loop: bool = True, speed: float = 1.3) -> MotionClip:
    """A walk along +Z on HUMANOID: legs and arms swing, the pelvis sways, the lower foot stays about on the ground.

    Args:
        frames: at least 2; a loop holds a whole number of strides, at least one, in (frames - 1) / fps seconds.
        fps: frames per second.
        loop: whether to walk whole strides; else the cadence is CADENCE and the clip ends anywhere.
        speed: metres per second.
    """
    seconds = (frames - 1) / fps
    strides = max(round(seconds * CADENCE), 1) if loop else seconds * CADENCE
    phase = 2 * np.pi * strides * np.linspace(0, 1, frames)
    # A planted foot moves back as fast as the body moves forward: metres before and behind the hips.
    reach = speed * seconds / strides / (2 * np.pi)
    swing = np.arcsin(np.clip(reach / 0.84, -0.8, 0.8))
    turns = {
        "hips": from_axis_angle(Y, 0.09 * np.sin(phase)),
        "spine": from_axis_angle(Y, -0.09 * np.sin(phase)),
        "upperChest": from_axis_angle(Y, -0.07 * np.sin(phase)),
    }
    for side, sign in STEPS:
        leg = sign * np.sin(phase)  # 1: the leg is in front
        lifted = np.maximum(sign * np.cos(phase), 0) ** 2  # while it swings to the front
        hip, knee = -swing * leg - 0.35 * lifted, 0.08 + 0.85 * lifted
        turns[f"{side}UpperLeg"] = from_axis_angle(X, hip)
        turns[f"{side}LowerLeg"] = from_axis_angle(X, knee)
        turns[f"{side}Foot"] = from_axis_angle(X, -hip - knee - 0.25 * np.maximum(leg, 0) + 0.3 * np.maximum(-leg, 0))
        turns[f"{side}UpperArm"] = multiply(
            from_axis_angle(X, 0.45 * leg), from_axis_angle(Z, np.full(frames, -sign * 1.3))
        )
        turns[f"{side}LowerArm"] = from_axis_angle(Y, -sign * (0.35 - 0.15 * leg))
    rotations = np.tile(np.array([0.0, 0, 0, 1]), (frames, len(HUMANOID.names), 1))
    for name, turn in turns.items():
        rotations[:, HUMANOID.index(name)] = turn
    if loop:
        rotations[-1] = rotations[0]
    rotations = make_continuous(normalise(rotations)).astype(np.float32)

    feet = [HUMANOID.index(f"{side}Foot") for side, _ in STEPS]
    travel = np.linspace(0, speed * seconds, frames)
    sway = 0.02 * np.sin(phase)
    standing = np.stack([sway, np.zeros(frames), travel], -1)
    lowest = world_pose(HUMANOID, standing, rotations.astype(np.float64))[0][:, feet, 1].min(1)
    standing[:, 1] = FOOT_HEIGHT - lowest
    clip = MotionClip("walk", HUMANOID, fps, standing.astype(np.float32), rotations, loop=loop, provenance=PROVENANCE)
    down = positions(clip)[:, feet, 1] < FOOT_HEIGHT + 0.02
    contacts = down[:, [0, 0, 1, 1]]
    return MotionClip(clip.name, HUMANOID, fps, clip.translation, rotations, contacts, loop, PROVENANCE)


def random_clip(rng: np.random.Generator, frames: int, skeleton: Skeleton = HUMANOID) -> MotionClip:
    """Smooth motion at 30 frames per second around the rest pose, up to half turns, that wanders over the ground.

    Args:
        rng: random generator.
        frames: at least 1.
        skeleton: of the clip.
    """
    joints = len(skeleton.names)
    times = np.arange(frames)[:, None, None] / 30.0

    def smooth(count: int, width: int) -> np.ndarray:
        """Return (frames, count, width) sums of three slow sines, about -1 to 1."""
        size, strength = (3, 1, count, width), rng.normal(0, 0.4, (3, 1, count, width))
        angle = 2 * np.pi * rng.uniform(0.1, 1, size) * times + rng.uniform(0, 2 * np.pi, size)
        return (strength * np.sin(angle)).sum(0)

    turns = np.concatenate([smooth(joints, 3), np.ones((frames, joints, 1))], -1)
    rotations = make_continuous(normalise(multiply(skeleton.rest_rotations.astype(np.float64), normalise(turns))))
    moved = skeleton.offsets[0] + smooth(1, 3)[:, 0] * [1.0, 0.2, 1.0]
    return MotionClip(
        "random", skeleton, 30.0, moved.astype(np.float32), rotations.astype(np.float32), provenance=PROVENANCE
    )


def turned_skeleton(rng: np.random.Generator, skeleton: Skeleton = HUMANOID) -> Skeleton:
    """The same joints at the same positions at rest, but with frames rotated at random."""
    places, _ = rest_pose(skeleton)
    world = normalise(rng.normal(size=(len(places), 4)))
    above = list(skeleton.parents[1:])
    offsets = places.copy()
    offsets[1:] = rotate(conjugate(world[above]), places[1:] - places[above])
    local = local_rotations(skeleton.parents, world)
    return Skeleton(skeleton.names, skeleton.parents, offsets.astype(np.float32), local.astype(np.float32))


def folded(take: Take) -> Take:
    """Change the frames of joints so that bones lie along +X of their own frames, as some exporters write them.

    The joints stay in the same places in every frame; the zero pose is folded along +X.
    """
    axes = np.stack([bone_axes(take, joint) for joint in range(len(take.names))])
    rest = np.zeros_like(take.rest_positions)
    for joint, parent in enumerate(take.parents):
        if parent >= 0:
            offset = take.rest_positions[joint] - take.rest_positions[parent]
            rest[joint] = rest[parent] + rotate(conjugate(axes[parent]), offset)
    rotations = normalise(multiply(multiply(take.rotations, conjugate(take.rest_rotations)), axes))
    unturned = np.tile(np.array([0.0, 0, 0, 1]), (len(axes), 1))
    return replace(take, rest_positions=rest, rest_rotations=unturned, rotations=rotations)


def bone_axes(take: Take, joint: int) -> np.ndarray:
    """Return the (4,) rotation that points X along the bone to its only child, upwards with several or none."""
    below = [i for i, parent in enumerate(take.parents) if parent == joint]
    way = take.rest_positions[below[0]] - take.rest_positions[joint] if len(below) == 1 else np.array(Y)
    first = normalise(way) if np.linalg.norm(way) else np.array(Y)
    second = normalise(np.cross(X if abs(first[0]) < 0.9 else Z, first))
    return from_matrix(np.stack([first, second, np.cross(first, second)], 1))


def to_take(clip: MotionClip) -> Take:
    """Convert a clip to a take, as if it had been read from a file."""
    skeleton = clip.skeleton
    places, turns = rest_pose(skeleton)
    moved, turned = world_pose(skeleton, clip.translation.astype(np.float64), clip.rotations.astype(np.float64))
    rest = places.astype(np.float64), turns.astype(np.float64)
    world = moved.astype(np.float64), turned.astype(np.float64)
    return Take(clip.name, skeleton.names, skeleton.parents, *rest, clip.fps, *world)
