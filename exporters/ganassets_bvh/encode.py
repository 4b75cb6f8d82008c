"""A clip as BVH: the hierarchy with its offsets, then a line of channels for each frame.

A joint of BVH has no rotation at rest, so its frame is parallel to the world's there. The angles are turned from the
skeleton's frames into those; the positions of the joints stay the same.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ganassets.api.assets import MotionClip, Skeleton
from ganassets.api.motion.editing import remove_travel
from ganassets.api.motion.kinematics import rest_pose
from ganassets.api.motion.retarget import to_rig
from ganassets.api.motion.rigs import RIGS
from ganassets.api.motion.rotations import IDENTITY, conjugate, multiply, to_euler
from ganassets.api.motion.skeletons import HEAD_TOP

FloatArray = NDArray[np.floating]

VRM = "vrm"  # the rig that clips are on already
# Units a metre, and decimals that hold a hundredth of a millimetre.
UNITS = {"m": (1.0, 5), "cm": (100.0, 3)}
ORDER = "ZXY"
DEGREE_DECIMALS = 4
# Ends of the last bones at rest: metres in the world from their joints.
TOES = (0.0, 0.0, 0.07)
ENDS = {"head": (0.0, HEAD_TOP, 0.0), "leftToes": TOES, "rightToes": TOES}
LAST = 0.7  # of the bone before: how far hands and fingers go on


def encode_clip(clip: MotionClip, options: Mapping[str, Any]) -> str:
    """Text of the file."""
    if options["root"] == "in-place":
        clip = remove_travel(clip)
    rig, (scale, decimals) = options["rig"], UNITS[options["unit"]]
    if rig != VRM:
        clip = to_rig(clip, rig)
    order = depth_first(clip.skeleton.parents)
    places = fixed(clip.translation * scale, decimals)
    angles = fixed(angles_of(clip)[:, order].reshape(len(clip), -1), DEGREE_DECIMALS)
    line = " ".join([f"%.{decimals}f"] * 3 + [f"%.{DEGREE_DECIMALS}f"] * angles.shape[1]) + "\n"
    rows = np.concatenate([places, angles], 1)
    return "".join(
        [
            "HIERARCHY\n",
            hierarchy(clip.skeleton, rig, scale, decimals),
            f"MOTION\nFrames: {len(clip)}\nFrame Time: {1 / clip.fps:.10g}\n",
            (line * len(rows)) % tuple(rows.ravel().tolist()),
        ]
    )


def fixed(values: FloatArray, decimals: int) -> FloatArray:
    """Values rounded, without negative zeros."""
    return np.round(values.astype(np.float64), decimals) + 0.0


def children_of(parents: tuple[int, ...], joint: int) -> list[int]:
    """Joints right below a joint."""
    return [child for child, parent in enumerate(parents) if parent == joint]


def depth_first(parents: tuple[int, ...], joint: int = 0) -> list[int]:
    """A joint and all below it in the order of the file."""
    return [joint, *(below for child in children_of(parents, joint) for below in depth_first(parents, child))]


@lru_cache(32)  # of skeletons, which many clips share
def hierarchy(skeleton: Skeleton, rig: str, scale: float, decimals: int) -> str:
    """Lines of the joints. The root stands at the origin, because some programs add its offset to its motion and others
    don't.

    Args:
        skeleton: the joints.
        rig: that its names are of.
        scale: units a metre.
        decimals: of the lengths.
    """
    # Those not named here go on as the bone before.
    ends = {RIGS[rig].bone_name(joint): end for joint, end in ENDS.items()}
    places = rest_pose(skeleton)[0]
    offsets = places - places[[0, *skeleton.parents[1:]]]

    def vector(metres: FloatArray) -> str:
        return " ".join(f"{value:.{decimals}f}" for value in fixed(metres * scale, decimals).tolist())

    def lines(joint: int, indent: str) -> Iterator[str]:
        name = "_".join(skeleton.names[joint].split())
        rotations = " ".join(f"{axis}rotation" for axis in ORDER)
        yield f"{indent}{'JOINT' if joint else 'ROOT'} {name}\n{indent}{{\n"
        yield f"{indent}\tOFFSET {vector(offsets[joint])}\n"
        channels = f"3 {rotations}" if joint else f"6 Xposition Yposition Zposition {rotations}"
        yield f"{indent}\tCHANNELS {channels}\n"
        children = children_of(skeleton.parents, joint)
        for child in children:
            yield from lines(child, indent + "\t")
        if not children:
            end = vector(np.array(ends.get(skeleton.names[joint], offsets[joint] * LAST)))
            yield f"{indent}\tEnd Site\n{indent}\t{{\n{indent}\t\tOFFSET {end}\n{indent}\t}}\n"
        yield f"{indent}}}\n"

    return "".join(lines(0, ""))


def angles_of(clip: MotionClip) -> FloatArray:
    """(f, j, 3) degrees about ORDER's axes of joints whose frames are parallel to the world's at rest.

    With W a joint's world rotation at rest and G in the frame, G W^-1 turns it away from rest. Between a joint and its
    parent P that leaves W_P (G_P^-1 G) W^-1, the middle of which is the clip's rotation.
    """
    rest = rest_pose(clip.skeleton)[1]
    above = np.concatenate([IDENTITY[None].astype(np.float64), rest[list(clip.skeleton.parents[1:])]])
    turns = multiply(multiply(above, clip.rotations.astype(np.float64)), conjugate(rest))
    return unwrapped(to_euler(ORDER, turns))


def unwrapped(angles: FloatArray) -> FloatArray:
    """(f, ..., 3) degrees of the same rotations such that each frame is nearest to the one before it, the first to 0.

    (a, b, c) and (a + 180, 180 - b, c + 180) are one rotation about three axes whose first and last are not the same.
    """
    other = angles * [1, -1, 1] + 180
    before = np.concatenate([np.zeros_like(angles[:1]), angles[:-1]])
    swaps = abs(around(other - before)).sum(-1) < abs(around(angles - before)).sum(-1)
    odd = np.cumsum(swaps, 0) % 2 == 1
    return np.unwrap(around(np.where(odd[..., None], other, angles)), period=360, axis=0)


def around(degrees: FloatArray) -> FloatArray:
    """The same angles in -180..180."""
    return degrees - 360 * np.round(degrees / 360)
