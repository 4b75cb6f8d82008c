"""Motion as stored in a file: any skeleton, any unit, and joints that may move relative to each other."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..arrays import check_array
from ..errors import InputError


@dataclass(frozen=True, eq=False)
class Take:
    """World transforms of the joints in a file's clip. Rotations are unit quaternions (x, y, z, w).

    Attributes:
        name: Name of the clip.
        names: Names of the joints, as in the file; parents come before their children.
        parents: Index of each joint's parent, -1 for a root; there may be several roots.
        rest_positions: (j, 3) float64 positions at rest (as far as known the file's T- or A-pose), in the file's unit.
        rest_rotations: (j, 4) float64 world rotations at rest.
        fps: Frames per second.
        positions: (f, j, 3) float64 in the file's unit.
        rotations: (f, j, 4) float64 world rotations.
        note: An irregularity of the file in one sentence without its full stop, or "".

    >>> places, turns = np.array([[0.0, 36, 0]]), np.array([[0.0, 0, 0, 1]])  # one joint, in inches
    >>> take = Take("still", ("hips",), (-1,), places, turns, 30.0, np.stack([places] * 2), np.stack([turns] * 2))
    >>> take.positions.shape
    (2, 1, 3)
    """

    name: str
    names: tuple[str, ...]
    parents: tuple[int, ...]
    rest_positions: NDArray[np.float64]
    rest_rotations: NDArray[np.float64]
    fps: float
    positions: NDArray[np.float64]
    rotations: NDArray[np.float64]
    note: str = ""

    def __post_init__(self) -> None:
        j, f = len(self.names), len(self.positions)
        if not j or not f:
            raise InputError(f"{self.name} has no joints or no frames.")
        if len(self.parents) != j or any(parent >= i for i, parent in enumerate(self.parents)):
            raise InputError(f"{self.name}: a joint's parent must come before it.")
        if not 0 < self.fps < float("inf"):
            raise InputError(f"{self.name}: the frame rate must be above 0 frames per second.")
        check_array("rest_positions", self.rest_positions, "float64", (j, 3))
        check_array("rest_rotations", self.rest_rotations, "float64", (j, 4))
        check_array("positions", self.positions, "float64", (f, j, 3))
        check_array("rotations", self.rotations, "float64", (f, j, 4))
