"""Write a clip as BVH: the hierarchy with its offsets, then a line of channels for each frame.

A joint of BVH has no rotation at rest: its frame is parallel to the world's there. Therefore the rotations are
converted from the skeleton's frames to such frames; the positions of the joints stay the same.
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
from ganassets.api.motion.mannequin import VRM
from ganassets.api.motion.retarget import to_rig
from ganassets.api.motion.rigs import RIGS
from ganassets.api.motion.rotations import IDENTITY, conjugate, multiply, to_euler
from ganassets.api.motion.skeletons import HEAD_TOP

FloatArray = NDArray[np.floating]

UNITS = {"m": (1.0, 5), "cm": (100.0, 3)}  # units in a metre, and decimals that keep a hundredth of a millimetre
ORDER = "ZXY"  # axes of the Euler angles
DEGREE_DECIMALS = 4
# Ends of the last bones at rest: metres from their joints, in the world.
TOES = (0.0, 0.0, 0.07)
ENDS = {"head": (0.0, HEAD_TOP, 0.0), "leftToes": TOES, "rightToes": TOES}
END_LENGTH = 0.7  # length of the other last bones (hands, fingers), as a share of the bone before


def export_clip(asset: MotionClip, options: Mapping[str, Any]) -> dict[str, bytes]:
    """Write a clip as one BVH file. BVH has no comments, so the provenance lies in a JSON file beside it.

    Args:
        asset: The clip.
        options: Values of `ganassets_bvh.EXPORTER.options`.

    Raises:
        InputError: The clip's skeleton is not a humanoid and another rig is asked for.
    """
    name = f"{asset.name}.bvh"
    return {name: encode_clip(asset, options).encode(), **asset.provenance.sidecar(name)}


def encode_clip(clip: MotionClip, options: Mapping[str, Any]) -> str:
    """Write the text of a BVH file."""
    if options["root"] == "in-place":
        clip = remove_travel(clip)
    rig, (scale, decimals) = options["rig"], UNITS[options["unit"]]
    if rig != VRM:
        clip = to_rig(clip, rig)
    order = depth_first(clip.skeleton.parents)
    positions = round_values(clip.translation * scale, decimals)
    angles = round_values(euler_angles(clip)[:, order].reshape(len(clip), -1), DEGREE_DECIMALS)
    line = " ".join([f"%.{decimals}f"] * 3 + [f"%.{DEGREE_DECIMALS}f"] * angles.shape[1]) + "\n"
    rows = np.concatenate([positions, angles], 1)
    return "".join(
        [
            "HIERARCHY\n",
            encode_hierarchy(clip.skeleton, rig, scale, decimals),
            f"MOTION\nFrames: {len(clip)}\nFrame Time: {1 / clip.fps:.10g}\n",
            (line * len(rows)) % tuple(rows.ravel().tolist()),
        ]
    )


def round_values(values: FloatArray, decimals: int) -> FloatArray:
    """Round values to decimals, without negative zeros."""
    return np.round(values.astype(np.float64), decimals) + 0.0


def child_joints(parents: tuple[int, ...], joint: int) -> list[int]:
    """List the children of a joint."""
    return [child for child, parent in enumerate(parents) if parent == joint]


def depth_first(parents: tuple[int, ...], joint: int = 0) -> list[int]:
    """List a joint and all its descendants in the order of the file."""
    return [joint, *(below for child in child_joints(parents, joint) for below in depth_first(parents, child))]


@lru_cache(32)  # many clips share a skeleton
def encode_hierarchy(skeleton: Skeleton, rig: str, scale: float, decimals: int) -> str:
    """Write the lines of the joints.

    The root is at the origin, because some programs add its offset to its motion and others don't.

    Args:
        skeleton: The joints.
        rig: Rig whose bone names the skeleton has.
        scale: Units in a metre.
        decimals: Decimals of the lengths.
    """
    ends = {RIGS[rig].bone_name(joint): end for joint, end in ENDS.items()}
    positions = rest_pose(skeleton)[0]
    offsets = positions - positions[[0, *skeleton.parents[1:]]]

    def vector(metres: FloatArray) -> str:
        return " ".join(f"{value:.{decimals}f}" for value in round_values(metres * scale, decimals).tolist())

    def lines(joint: int, indent: str) -> Iterator[str]:
        name = "_".join(skeleton.names[joint].split())
        rotations = " ".join(f"{axis}rotation" for axis in ORDER)
        yield f"{indent}{'JOINT' if joint else 'ROOT'} {name}\n{indent}{{\n"
        yield f"{indent}\tOFFSET {vector(offsets[joint])}\n"
        channels = f"3 {rotations}" if joint else f"6 Xposition Yposition Zposition {rotations}"
        yield f"{indent}\tCHANNELS {channels}\n"
        children = child_joints(skeleton.parents, joint)
        for child in children:
            yield from lines(child, indent + "\t")
        if not children:
            end = vector(np.array(ends.get(skeleton.names[joint], offsets[joint] * END_LENGTH)))
            yield f"{indent}\tEnd Site\n{indent}\t{{\n{indent}\t\tOFFSET {end}\n{indent}\t}}\n"
        yield f"{indent}}}\n"

    return "".join(lines(0, ""))


def euler_angles(clip: MotionClip) -> FloatArray:
    """Compute the Euler angles of joints whose frames are parallel to the world's at rest.

    With W a joint's world rotation at rest and G that in a frame of the clip, G W^-1 rotates the joint away from rest.
    Relative to its parent P that is W_P (G_P^-1 G) W^-1, whose middle is the clip's rotation.

    Returns:
        (f, j, 3) degrees about the axes of ORDER.
    """
    rest = rest_pose(clip.skeleton)[1]
    above = np.concatenate([IDENTITY[None].astype(np.float64), rest[list(clip.skeleton.parents[1:])]])
    rotations = multiply(multiply(above, clip.rotations.astype(np.float64)), conjugate(rest))
    return unwrap_angles(to_euler(ORDER, rotations))


def unwrap_angles(angles: FloatArray) -> FloatArray:
    """Choose Euler angles of the same rotations so that each frame is nearest to the one before, the first to 0.

    (a, b, c) and (a + 180, 180 - b, c + 180) are one rotation if the first and the last axis differ.

    Args:
        angles: (f, ..., 3) degrees.
    """
    other = angles * [1, -1, 1] + 180
    before = np.concatenate([np.zeros_like(angles[:1]), angles[:-1]])
    swaps = abs(wrap_degrees(other - before)).sum(-1) < abs(wrap_degrees(angles - before)).sum(-1)
    odd = np.cumsum(swaps, 0) % 2 == 1
    return np.unwrap(wrap_degrees(np.where(odd[..., None], other, angles)), period=360, axis=0)


def wrap_degrees(degrees: FloatArray) -> FloatArray:
    """Bring angles into -180..180."""
    return degrees - 360 * np.round(degrees / 360)
