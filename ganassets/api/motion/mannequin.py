"""A mannequin that plays clips, as a skinned mesh: tubes around the bones and dark balls around the joints.

All parts but the torso are rigid, so no pose can crease or thin them. The dimensions are those of an adult of 1.72 m.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ..assets import MotionClip, Skeleton
from .editing import rest_clip
from .kinematics import rest_pose, world_pose
from .retarget import to_rig
from .rigs import RIGS
from .rotations import conjugate, multiply, normalise, rotate
from .skeletons import HEAD_TOP
from .skeletons import SIDE as SIDE_JOINTS

FloatArray = NDArray[np.floating]
IntArray = NDArray[np.integer]
Vector = tuple[float, float, float]
# A cross-section: position along the bone (0 at its joint, 1 at its end), half width, half thickness, and shift to the
# front, or upwards where the bone is horizontal. All but the position in metres.
Row = tuple[float, float, float, float]

VRM = "vrm"  # name of the rig that is the humanoid itself
BODY, JOINTS = 0, 1  # indices of materials
SURFACES = (("body", (0.46, 0.47, 0.49), 0.55), ("joints", (0.045, 0.05, 0.06), 0.4))  # name, linear RGB, roughness
BODY_JOINTS = {name for name, _, _ in SIDE_JOINTS}


@dataclass(frozen=True)
class BodyPart:
    """A closed tube along a bone.

    Attributes:
        joints: Joints that move it; the first one where the tube starts, each further one from the middle of its bone
            on.
        end: Where position 1 is: a joint, or metres from the first joint.
        rows: Cross-sections.
        domes: Heights in metres of the domes at both ends.
        sides: Number of corners of a cross-section.
        steps: Number of cross-sections of a dome.
        power: Exponent of the superellipse that a cross-section is; 2 is an ellipse, more is nearer to a rectangle.
        material: BODY or JOINTS.
    """

    joints: tuple[str, ...]
    end: str | Vector
    rows: tuple[Row, ...]
    domes: tuple[float, float]
    sides: int = 10
    steps: int = 1
    power: float = 2.0
    material: int = BODY


def ball(joint: str, radius: float, sides: int = 12) -> BodyPart:
    """Make a dark ball around a joint: two cross-sections next to its equator, and domes on both sides."""
    place, wide = radius * math.sin(BALL_LATITUDE), radius * math.cos(BALL_LATITUDE)
    rows = ((-place, wide, wide, 0.0), (place, wide, wide, 0.0))
    return BodyPart((joint,), (0.0, 1.0, 0.0), rows, (radius - place, radius - place), sides, material=JOINTS)


BALL_LATITUDE = math.radians(18)

CENTRAL = (
    BodyPart(
        ("hips", "spine", "chest", "upperChest"),
        "neck",
        (
            (-0.17, 0.070, 0.075, 0.0),
            (-0.09, 0.138, 0.108, -0.008),
            (0.01, 0.160, 0.116, -0.010),
            (0.11, 0.150, 0.107, -0.004),
            (0.23, 0.132, 0.095, 0.003),
            (0.34, 0.126, 0.091, 0.006),
            (0.46, 0.136, 0.098, 0.007),
            (0.58, 0.150, 0.108, 0.007),
            (0.70, 0.161, 0.111, 0.003),
            (0.81, 0.162, 0.102, -0.004),
            (0.90, 0.146, 0.084, -0.010),
            (0.97, 0.104, 0.066, -0.011),
            (1.03, 0.066, 0.057, -0.008),
        ),
        (0.03, 0.01),
        sides=20,
        power=2.3,
    ),
    BodyPart(
        ("neck",),
        "head",
        ((-0.4, 0.055, 0.056, -0.006), (0.4, 0.049, 0.051, -0.002), (1.1, 0.047, 0.051, 0.004)),
        (0.02, 0.02),
        material=JOINTS,
    ),
    BodyPart(
        ("head",),
        (0.0, HEAD_TOP, 0.0),
        (
            (-0.12, 0.028, 0.034, 0.050),
            (-0.02, 0.047, 0.060, 0.031),
            (0.15, 0.063, 0.080, 0.016),
            (0.35, 0.074, 0.094, 0.008),
            (0.55, 0.079, 0.099, 0.002),
            (0.72, 0.075, 0.094, -0.002),
        ),
        (0.012, 0.053),
        sides=16,
        steps=2,
        power=2.15,
    ),
    BodyPart(  # the nose
        ("head",),
        (0.0, HEAD_TOP, 0.0),
        ((0.22, 0.012, 0.014, 0.100), (0.27, 0.014, 0.018, 0.103), (0.46, 0.008, 0.010, 0.096)),
        (0.004, 0.02),
        sides=6,
    ),
)
# Parts of the left side, which are mirrored for the right. A limb ends just outside of the surface of the joint's ball.
SIDE = (
    BodyPart(
        ("Shoulder",),
        "UpperArm",
        ((0.2, 0.032, 0.024, -0.006), (0.78, 0.036, 0.036, 0.0)),
        (0.02, 0.01),
        sides=8,
        steps=0,
        material=JOINTS,
    ),
    ball("UpperArm", 0.057),
    BodyPart(
        ("UpperArm",),
        "LowerArm",
        ((0.13, 0.047, 0.050, 0.0), (0.36, 0.049, 0.050, 0.0), (0.7, 0.041, 0.042, 0.0), (0.92, 0.036, 0.037, 0.0)),
        (0.008, 0.006),
    ),
    ball("LowerArm", 0.040),
    BodyPart(
        ("LowerArm",),
        "Hand",
        ((0.09, 0.037, 0.036, 0.0), (0.30, 0.042, 0.040, 0.0), (0.65, 0.035, 0.032, 0.0), (0.93, 0.028, 0.023, 0.0)),
        (0.006, 0.006),
    ),
    ball("Hand", 0.026, 8),
    ball("UpperLeg", 0.080),
    BodyPart(
        ("UpperLeg",),
        "LowerLeg",
        (
            (0.07, 0.077, 0.083, 0.0),
            (0.33, 0.077, 0.083, 0.004),
            (0.65, 0.063, 0.067, 0.004),
            (0.935, 0.051, 0.053, 0.0),
        ),
        (0.01, 0.008),
    ),
    ball("LowerLeg", 0.056),
    BodyPart(
        ("LowerLeg",),
        "Foot",
        (
            (0.07, 0.051, 0.053, 0.0),
            (0.28, 0.053, 0.059, -0.011),
            (0.6, 0.043, 0.047, -0.009),
            (0.93, 0.032, 0.036, -0.003),
        ),
        (0.008, 0.006),
    ),
    ball("Foot", 0.038, 8),
    BodyPart(
        ("Foot",),
        (0.0, 0.0, 0.14),
        (
            (-0.36, 0.030, 0.030, -0.046),
            (0.0, 0.036, 0.041, -0.038),
            (0.45, 0.041, 0.033, -0.046),
            (0.96, 0.046, 0.024, -0.056),
        ),
        (0.016, 0.016),
        power=2.5,
    ),
    BodyPart(
        ("Toes",),
        (0.0, 0.0, 0.07),
        ((0.0, 0.046, 0.021, 0.001), (0.5, 0.045, 0.019, -0.001), (0.85, 0.036, 0.015, -0.004)),
        (0.016, 0.014),
        power=2.5,
    ),
)
MITTEN = (
    BodyPart(
        ("Hand",),
        (0.17, 0.0, 0.0),
        (
            (0.06, 0.026, 0.018, 0.0),
            (0.28, 0.040, 0.018, 0.0),
            (0.55, 0.043, 0.016, -0.001),
            (0.85, 0.036, 0.012, -0.006),
        ),
        (0.012, 0.016),
        power=2.5,
    ),
    BodyPart(
        ("Hand",),
        (0.06, -0.012, 0.065),
        ((0.35, 0.016, 0.016, 0.0), (1.0, 0.012, 0.012, 0.0)),
        (0.014, 0.012),
        sides=6,
    ),
)
# The hand of a skeleton with fingers, which ends at the knuckles.
PALM = (
    BodyPart(
        ("Hand",),
        (0.09, 0.0, 0.0),
        ((0.1, 0.026, 0.018, 0.0), (0.5, 0.040, 0.018, 0.0), (0.95, 0.044, 0.014, -0.002)),
        (0.012, 0.012),
        power=2.5,
    ),
)
FINGER = ((0.0, 0.009, 0.009, 0.0), (1.0, 0.008, 0.008, 0.0))
FINGER_TIP = 0.7  # length of a fingertip relative to the bone before it


@dataclass(frozen=True, eq=False)
class Mannequin:
    """A skinned mannequin at rest.

    Attributes:
        positions: (v, 3) float32 metres.
        normals: (v, 3) float32 unit vectors.
        joints: (v, 4) uint8 indices of the skeleton's joints.
        weights: (v, 4) float32, rows sum to 1.
        triangles: (t, 3) uint16 vertex indices for each material, counter-clockwise seen from outside.

    >>> from ganassets.api.motion.skeletons import HUMANOID
    >>> mannequin = make_mannequin(HUMANOID)
    >>> corners, starts, materials = mannequin.polygons()
    >>> mannequin.positions.shape, len(starts), sorted(set(materials.tolist()))
    ((2020, 3), 3904, [0, 1])
    """

    positions: FloatArray
    normals: FloatArray
    joints: IntArray
    weights: FloatArray
    triangles: tuple[IntArray, IntArray]

    def polygons(self) -> tuple[IntArray, IntArray, IntArray]:
        """Return all faces in one list.

        Returns:
            (3 * t,) int32 vertices, (t,) int32 index of each face's first vertex there, and (t,) int32 materials.
        """
        counts = [len(triangles) for triangles in self.triangles]
        corners = np.concatenate(self.triangles).ravel().astype(np.int32)
        starts = np.arange(0, len(corners), 3, dtype=np.int32)
        return corners, starts, np.repeat(np.arange(len(counts), dtype=np.int32), counts)


def make_mannequin_for_rig(skeleton: Skeleton, rig: str) -> Mannequin:
    """Make the mannequin of a humanoid in a rig's rest pose, skinned to the rig's joints; see `make_mannequin`.

    >>> from ganassets.api.motion.skeletons import HUMANOID
    >>> mannequin = make_mannequin_for_rig(HUMANOID, "unreal")
    >>> mannequin.positions.shape, mannequin.joints.shape
    ((2020, 3), (2020, 4))
    """
    mannequin = make_mannequin(skeleton)
    if rig == VRM:
        return mannequin
    written = [RIGS[rig].bone_name(name) for name in skeleton.names]
    return rebind(mannequin, written, to_rig(rest_clip(skeleton), rig))


def make_mannequin(skeleton: Skeleton, without: Collection[str] = ()) -> Mannequin:
    """Make the mannequin of a humanoid, with fingers if the skeleton has them.

    Args:
        skeleton: The humanoid, in T-pose at rest.
        without: Joints whose parts are left out.

    Raises:
        InputError: One of the humanoid's joints is missing.

    >>> from ganassets.api.motion.skeletons import HUMANOID
    >>> for mannequin in (make_mannequin(HUMANOID), make_mannequin(HUMANOID, without=("head",))):
    ...     len(mannequin.positions), round(float(mannequin.positions[:, 1].max()), 2)
    (2020, 1.72)
    (1826, 1.56)
    """
    places = rest_pose(skeleton)[0]
    kept = [part for part in parts_of(skeleton) if part.joints[0] not in without]
    parts = [(part, *tube(part, skeleton, places)) for part in kept]
    starts = np.cumsum([0, *(len(positions) for _, positions, _ in parts)])
    positions = np.concatenate([positions for _, positions, _ in parts])
    joints, weights = zip(*(skin(part, skeleton, places, positions) for part, positions, _ in parts), strict=True)
    triangles = tuple(
        np.concatenate(
            [corners + start for (part, _, corners), start in zip(parts, starts, strict=False) if part.material == k]
        ).astype(np.uint16)
        for k in (BODY, JOINTS)
    )
    return Mannequin(
        positions.astype(np.float32),
        vertex_normals(positions, np.concatenate(triangles)).astype(np.float32),
        np.concatenate(joints),
        np.concatenate(weights),
        (triangles[0], triangles[1]),
    )


def parts_of(skeleton: Skeleton) -> list[BodyPart]:
    """Return all parts of a skeleton's mannequin, with the joints' full names."""
    fingers = {name.removeprefix("left") for name in skeleton.names if name.startswith("left")} - BODY_JOINTS
    side = [*SIDE, *(PALM if fingers else MITTEN), *(finger_part(skeleton, name) for name in sorted(fingers))]
    return [*CENTRAL, *(on_side(part, *which) for which in (("left", 1), ("right", -1)) for part in side)]


def finger_part(skeleton: Skeleton, name: str) -> BodyPart:
    """Make the part of a finger's bone; the last bone has the direction of the one before."""
    joint = skeleton.index("left" + name)
    after = skeleton.offsets[[k for k, parent in enumerate(skeleton.parents) if parent == joint]]
    x, y, z = (after[0] if len(after) else skeleton.offsets[joint] * FINGER_TIP).tolist()
    return BodyPart((name,), (x, y, z), FINGER, (0.008, 0.008), sides=5, steps=0)


def on_side(part: BodyPart, side: str, sign: int) -> BodyPart:
    """Return a side's part with full joint names, mirrored for the right.

    Args:
        part: Part of the left side.
        side: "left" or "right".
        sign: 1 on the left, -1 on the right.
    """
    end = side + part.end if isinstance(part.end, str) else (sign * part.end[0], part.end[1], part.end[2])
    return replace(part, joints=tuple(side + joint for joint in part.joints), end=end)


def axis_of(part: BodyPart, skeleton: Skeleton, places: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return the start (3,) of a part's bone, and the vector (3,) from there to its end, in metres."""
    start = places[skeleton.index(part.joints[0])]
    end = places[skeleton.index(part.end)] - start if isinstance(part.end, str) else np.array(part.end)
    return start, end


def tube(part: BodyPart, skeleton: Skeleton, places: FloatArray) -> tuple[FloatArray, IntArray]:
    """Return a part's vertices (v, 3) and triangles (t, 3).

    The vertices are those of the cross-sections, one after the other, then the two poles.
    """
    start, end = axis_of(part, skeleton, places)
    length = float(np.linalg.norm(end))
    along = end / length
    front = np.array([0.0, 0, 1]) if abs(along[1]) > 0.7 else np.array([0.0, 1, 0])
    front -= along * (front @ along)
    front /= np.linalg.norm(front)
    across = np.cross(front, along)
    rows = domed(part, length)
    angle = np.arange(part.sides) * 2 * np.pi / part.sides
    x, y = (np.sign(f) * abs(f) ** (2 / part.power) for f in (np.cos(angle), np.sin(angle)))
    place, wide, thick, shift = rows.T[:, :, None]
    rings = start + place[..., None] * end + (wide * x)[..., None] * across + (thick * y + shift)[..., None] * front
    ends = np.array(part.rows)[[0, -1]]
    poles = start + along * (ends[:, :1] * length + [[-part.domes[0]], [part.domes[1]]]) + ends[:, 3:] * front
    count, sides = len(rows), part.sides
    ring = np.arange(count * sides).reshape(count, sides)
    after = np.roll(ring, -1, 1)
    a, b, c, d = ring[:-1], after[:-1], after[1:], ring[1:]
    quads = np.stack([np.stack([a, b, c], -1), np.stack([a, c, d], -1)]).reshape(-1, 3)
    first = np.stack([np.full(sides, count * sides), after[0], ring[0]], -1)
    last = np.stack([np.full(sides, count * sides + 1), ring[-1], after[-1]], -1)
    return np.concatenate([rings.reshape(-1, 3), poles]), np.concatenate([quads, first, last])


def domed(part: BodyPart, length: float) -> FloatArray:
    """Return a part's cross-sections (n, 4), those of the domes at both ends included.

    Args:
        part: The part.
        length: Length of its bone in metres.
    """
    rows = np.array(part.rows)
    latitudes = np.linspace(0, np.pi / 2, part.steps + 2)[1:-1, None]
    start, stop = (np.repeat(rows[[k]], part.steps, 0) for k in (0, -1))
    for end, height in ((start, -part.domes[0]), (stop, part.domes[1])):
        end[:, :1] += height / length * np.sin(latitudes)
        end[:, 1:3] *= np.cos(latitudes)
    return np.concatenate([start[::-1], rows, stop])


def skin(part: BodyPart, skeleton: Skeleton, places: FloatArray, positions: FloatArray) -> tuple[IntArray, FloatArray]:
    """Return joints (v, 4) uint8 and weights (v, 4) float32 of a part's vertices.

    A part with several joints blends between the two whose bones' middles are nearest on either side.

    Args:
        part: The part.
        skeleton: The humanoid.
        places: (j, 3) positions of the joints at rest.
        positions: (v, 3) of the vertices.
    """
    start, end = axis_of(part, skeleton, places)
    chain = np.array([skeleton.index(joint) for joint in part.joints])
    heights = np.append((places[chain] - start) @ end, end @ end)
    middles = (heights[:-1] + heights[1:]) / 2
    place = np.interp((positions - start) @ end, middles, np.arange(len(chain)))
    lower = np.floor(place).astype(int)
    share = place - lower
    joints, weights = np.zeros((len(positions), 4), np.uint8), np.zeros((len(positions), 4), np.float32)
    joints[:, 0], weights[:, 0] = chain[lower], 1 - share
    joints[:, 1], weights[:, 1] = chain[np.minimum(lower + 1, len(chain) - 1)], share
    joints[weights == 0] = 0  # glTF requires joint 0 where the weight is 0
    return joints, weights


def rebind(mannequin: Mannequin, names: Sequence[str], rig: MotionClip) -> Mannequin:
    """Bind a mannequin to another skeleton, in that skeleton's rest pose.

    Args:
        mannequin: Mannequin in the pose of the rig's first frame.
        names: Names of the rig's joints that replace the mannequin's, in their order.
        rig: A clip of the other skeleton; only its first frame is used.
    """
    skeleton = rig.skeleton
    joint = np.array([skeleton.index(name) for name in names])[mannequin.joints]
    places, turns = world_pose(skeleton, rig.translation[0].astype(np.float64), rig.rotations[0].astype(np.float64))
    rest_places, rest_turns = rest_pose(skeleton)
    change = normalise(multiply(rest_turns, conjugate(turns)))
    weights = mannequin.weights[..., None]
    away = rotate(change[joint], mannequin.positions[:, None] - places[joint]) + rest_places[joint]
    normals = normalise((rotate(change[joint], mannequin.normals[:, None]) * weights).sum(1))
    joint[mannequin.weights == 0] = 0  # see `skin`
    return replace(
        mannequin,
        positions=(away * weights).sum(1).astype(np.float32),
        normals=normals.astype(np.float32),
        joints=joint.astype(np.uint8),
    )


def vertex_normals(positions: FloatArray, triangles: IntArray) -> FloatArray:
    """Return the unit normals (v, 3) of vertices: means of the surrounding triangles' normals, weighted by area.

    >>> corners = np.array([[0.0, 0, 0], [1, 0, 0], [0, 1, 0]])
    >>> vertex_normals(corners, np.array([[0, 1, 2]])).tolist()
    [[0.0, 0.0, 1.0], [0.0, 0.0, 1.0], [0.0, 0.0, 1.0]]
    """
    a, b, c = positions[triangles].transpose(1, 0, 2)
    outward = np.cross(b - a, c - a)
    normals = np.zeros_like(positions)
    for corner in triangles.T:
        np.add.at(normals, corner, outward)
    return normals / np.linalg.norm(normals, axis=1, keepdims=True)
