"""Find which axis of a file's motion points up: from its rest pose where that stands, and from the motion itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.floating]

# Name -> direction of the six axes that may point up.
AXES = {
    sign + name: factor * axis
    for name, axis in zip("XYZ", np.eye(3), strict=True)
    for sign, factor in (("", 1.0), ("-", -1.0))
}
NAMES = tuple(AXES)
DIRECTIONS = np.stack(list(AXES.values()), -1)
LEG = (("LowerLeg", "UpperLeg"), ("Foot", "LowerLeg"))
UPWARDS = 0.64  # least cosine between an axis and a direction that points along it
# Heights are relative to the figure's size: from the feet along the legs to the hips and the head, 1.4 m of an adult.
NEAR_FLOOR = 0.05  # height above the floor up to which the lowest joint rests on it
FLOOR_PERCENTILE = 5  # percentile of the lowest joint's heights that is the floor
AT_ZERO = (-0.035, 0.15)  # range of heights of a floor that is the world's ground
LIKELY = 0.8  # least share of frames in which a figure stands along an axis that is up
UNLIKELY = 0.5  # share of frames on a floor, below which the floor says nothing about the axis
# Scores for an axis where the rest pose doesn't stand. Y is the convention of all formats that are read, and Z the most
# common deviation. A figure that lies, rolls or stands on its hands has its floor across the right axis.
CONVENTION = {"Y": 1.5, "Z": 0.25}
SUPPORT, GROUND, REST = 1.5, 1.25, 1.25


@dataclass(frozen=True, eq=False)
class Evidence:
    """Evidence that each axis points up, as arrays (6,) in the order of NAMES.

    Attributes:
        upright_shares: Share of the frames in which the torso points along the axis, plus that of the legs; 0 to 2.
        supported: Share of the frames with a joint other than the head on the floor across the axis.
        grounded: Whether that floor is at 0.
    """

    upright_shares: FloatArray
    supported: FloatArray
    grounded: NDArray[np.bool_]


def choose_up_axis(
    column: Mapping[str, int], positions: FloatArray, rest_positions: FloatArray, rest: str | None
) -> tuple[str, str]:
    """Choose the axis that points up.

    Args:
        column: joint of the humanoid -> its index on axis m; hips, legs and head or neck are among them.
        positions: (f, m, 3) in any unit.
        rest_positions: (m, 3) at rest.
        rest: Axis along which the rest pose stands, one of NAMES, or None where it doesn't stand.

    Returns:
        One of NAMES, and the reason in words.
    """
    found = evidence(column, positions)
    standing = int(found.upright_shares.argmax())
    if rest is not None:
        i = NAMES.index(rest)
        stands = (
            found.upright_shares[standing] > 2 * LIKELY
            and found.supported[standing] > LIKELY
            and found.grounded[standing]
        )
        fits = found.supported[i] > UNLIKELY and (found.grounded[i] or not found.grounded[standing])
        if stands and standing != i and not fits:
            return NAMES[standing], "the figure stands along it, though not in the rest pose"
        return rest, "the rest pose stands along it"
    y = NAMES.index("Y")
    if found.supported[y] > LIKELY and found.grounded[y]:
        return "Y", "the motion stays on the ground, y = 0"
    scores = found.upright_shares + SUPPORT * found.supported + GROUND * found.grounded
    scores += REST * (upright_shares(column, rest_positions[None]) == 2)
    scores += [CONVENTION.get(name, 0.0) for name in NAMES]
    best = int(scores.argmax())
    return NAMES[best], "the motion stands on a floor across it" if found.supported[best] > UNLIKELY else "convention"


def evidence(column: Mapping[str, int], positions: FloatArray) -> Evidence:
    """Collect what the frames (f, m, 3) of a motion show about each axis; see `choose_up_axis`."""
    parts = [torso(column, positions), *(leg_part(column, positions, *ends) for ends in LEG)]
    size = sum(float(np.median(np.linalg.norm(part, axis=-1))) for part in parts)
    heights = positions @ DIRECTIONS
    lowest, held = heights.min(1), ~np.isin(heights.argmin(1), [column.get("head", -1), column.get("neck", -1)])
    floor = np.percentile(lowest, FLOOR_PERCENTILE, axis=0)
    supported = (held & (lowest <= floor + NEAR_FLOOR * size)).mean(0)
    low, high = (bound * size for bound in AT_ZERO)
    return Evidence(upright_shares(column, positions), supported, (low <= floor) & (floor <= high))


def upright_shares(column: Mapping[str, int], positions: FloatArray) -> FloatArray:
    """Return for each axis (6,) the share of frames in which the torso points along it, plus that of the legs."""
    found = np.zeros(len(NAMES))
    for way in (torso(column, positions), leg_part(column, positions, "Foot", "UpperLeg")):
        length = np.linalg.norm(way, axis=-1, keepdims=True)
        found += (way @ DIRECTIONS > UPWARDS * np.maximum(length, 1e-9)).mean(0)
    return found


def torso(column: Mapping[str, int], positions: FloatArray) -> FloatArray:
    """Return the vectors (f, 3) from the hips to the head, or to the neck where there is no head."""
    return positions[:, column["head" if "head" in column else "neck"]] - positions[:, column["hips"]]


def leg_part(column: Mapping[str, int], positions: FloatArray, low: str, high: str) -> FloatArray:
    """Return the vectors (f, 3) from one of the legs' joints to another, averaged over both sides."""
    low_place, high_place = (
        positions[:, [column[f"{side}{joint}"] for side in ("left", "right")]].mean(1) for joint in (low, high)
    )
    return high_place - low_place
