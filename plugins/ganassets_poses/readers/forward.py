"""World transforms of joints whose transforms in a file are relative to their parents."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ganassets.api.motion.rotations import FloatArray, multiply, normalise, to_matrix

from .limits import check_numbers

Float64Array = NDArray[np.float64]


def world_transforms(
    parents: Sequence[int], translations: FloatArray, rotations: FloatArray, scales: FloatArray | None = None
) -> tuple[Float64Array, Float64Array]:
    """Return the world positions (f, j, 3) and rotations (f, j, 4) of all joints.

    Args:
        parents: Index of each joint's parent, -1 for a root; parents come before their children.
        translations: (f, j, 3) in the parents' frames; axis 0 broadcasts.
        rotations: (f, j, 4) in the parents' frames.
        scales: (f, j, 3) along the joints' own axes; they scale positions of descendants, not world rotations.

    Raises:
        InputError: Positions are out of range.
    """
    linear = to_matrix(np.asarray(rotations, np.float64))
    if scales is not None:
        linear = linear * scales[..., None, :]
    turned = np.array(rotations, np.float64)
    positions = np.array(np.broadcast_to(translations, (*rotations.shape[:2], 3)), np.float64)
    for joint, parent in enumerate(parents):
        if parent >= 0:
            with np.errstate(over="ignore", invalid="ignore"):  # products of scales may overflow
                positions[:, joint] = positions[:, parent] + transform_vectors(linear[:, parent], positions[:, joint])
                linear[:, joint] = linear[:, parent] @ linear[:, joint]
            turned[:, joint] = multiply(turned[:, parent], turned[:, joint])
    check_numbers(positions, "the joints' places")
    return positions, normalise(turned).astype(np.float64, copy=False)


def transform_vectors(matrices: FloatArray, vectors: FloatArray) -> FloatArray:
    """Multiply vectors (f, 3) by matrices (f, 3, 3)."""
    return np.einsum("fab,fb->fa", matrices, vectors)


def identity_rotations(*shape: int) -> Float64Array:
    """Return identity rotations (*shape, 4)."""
    return np.tile(np.array([0.0, 0, 0, 1]), (*shape, 1))
