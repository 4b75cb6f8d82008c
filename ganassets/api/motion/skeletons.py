"""The humanoid skeleton of all generated motion: joints of VRM's and Godot's humanoid, T-pose, facing +Z."""

from __future__ import annotations

import numpy as np

from ..assets import Skeleton

# Joint, parent, and position in the parent's frame in metres, of an adult of 1.72 m. At rest all frames are parallel to
# the world. Left is +X; right joints mirror the left ones.
MIDDLE = (
    ("hips", "", (0.0, 0.95, 0.0)),
    ("spine", "hips", (0.0, 0.09, 0.0)),
    ("chest", "spine", (0.0, 0.12, 0.0)),
    ("upperChest", "chest", (0.0, 0.12, 0.0)),
    ("neck", "upperChest", (0.0, 0.16, 0.0)),
    ("head", "neck", (0.0, 0.09, 0.01)),
)
SIDE = (
    ("Shoulder", "upperChest", (0.03, 0.12, 0.0)),
    ("UpperArm", "Shoulder", (0.13, 0.0, 0.0)),
    ("LowerArm", "UpperArm", (0.28, 0.0, 0.0)),
    ("Hand", "LowerArm", (0.25, 0.0, 0.0)),
    ("UpperLeg", "hips", (0.09, -0.03, 0.0)),
    ("LowerLeg", "UpperLeg", (0.0, -0.43, 0.0)),
    ("Foot", "LowerLeg", (0.0, -0.41, 0.0)),
    ("Toes", "Foot", (0.0, -0.06, 0.14)),
)
# Finger, its bones, position in the hand's frame, direction, and lengths of all its bones but the last, in metres.
FINGERS = (
    ("Thumb", ("Metacarpal", "Proximal", "Distal"), (0.025, -0.01, 0.025), (0.7, 0.0, 0.714), (0.04, 0.03)),
    ("Index", ("Proximal", "Intermediate", "Distal"), (0.09, 0.0, 0.025), (1.0, 0.0, 0.0), (0.038, 0.022)),
    ("Middle", ("Proximal", "Intermediate", "Distal"), (0.092, 0.0, 0.004), (1.0, 0.0, 0.0), (0.042, 0.026)),
    ("Ring", ("Proximal", "Intermediate", "Distal"), (0.088, 0.0, -0.016), (1.0, 0.0, 0.0), (0.039, 0.024)),
    ("Little", ("Proximal", "Intermediate", "Distal"), (0.08, 0.0, -0.034), (1.0, 0.0, 0.0), (0.03, 0.018)),
)
HEAD_TOP = 0.19  # metres above the head joint
FOOT_HEIGHT, TOES_HEIGHT = 0.08, 0.02  # metres above the ground of a standing foot's joints


def make_skeleton(fingers: bool) -> Skeleton:
    """Make the humanoid with its 22 body joints, and with the 30 joints of the fingers if asked for."""
    names: list[str] = []
    parents: list[int] = []
    offsets: list[tuple[float, float, float]] = []

    def add(name: str, parent: str, offset: tuple[float, float, float]) -> None:
        parents.append(names.index(parent) if parent else -1)
        names.append(name)
        offsets.append(offset)

    for name, parent, offset in MIDDLE:
        add(name, parent, offset)
    for side, sign in (("left", 1), ("right", -1)):
        central = [name for name, _, _ in MIDDLE]
        for name, parent, (x, y, z) in SIDE:
            add(side + name, parent if parent in central else side + parent, (sign * x, y, z))
    for side, sign in (("left", 1), ("right", -1)) if fingers else ():
        for finger, bones, (x, y, z), direction, lengths in FINGERS:
            parent, offset = f"{side}Hand", (sign * x, y, z)
            for bone, length in zip(bones, (*lengths, 0.0), strict=True):
                add(f"{side}{finger}{bone}", parent, offset)
                parent = f"{side}{finger}{bone}"
                offset = (sign * direction[0] * length, direction[1] * length, direction[2] * length)
    rest = np.tile(np.array([0, 0, 0, 1], np.float32), (len(names), 1))
    return Skeleton(tuple(names), tuple(parents), np.array(offsets, np.float32), rest)


HUMANOID = make_skeleton(fingers=False)
HUMANOID_FINGERS = make_skeleton(fingers=True)
