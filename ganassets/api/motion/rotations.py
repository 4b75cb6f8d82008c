"""Rotations as unit quaternions (x, y, z, w) in arrays (..., 4), and conversion to and from other forms."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.floating]

IDENTITY = np.array([0, 0, 0, 1], np.float32)
AXES = "XYZ"
SMALL = 1e-8


def normalise(q: FloatArray) -> FloatArray:
    """Scale quaternions (or vectors) to unit length; those of almost zero length become the last unit vector.

    >>> normalise(np.array([[0.0, 3, 0, 4], [0, 0, 0, 0]])).tolist()
    [[0.0, 0.6, 0.0, 0.8], [0.0, 0.0, 0.0, 1.0]]
    """
    length = np.sqrt(np.einsum("...i,...i->...", q, q))[..., None]  # quicker than numpy's norm
    if (length > SMALL).all():
        return q / length
    last = np.zeros(q.shape[-1], q.dtype)
    last[-1] = 1
    return np.where(length > SMALL, q / np.maximum(length, SMALL), last).astype(q.dtype)


def conjugate(q: FloatArray) -> FloatArray:
    """Return the inverses of unit quaternions.

    >>> conjugate(np.array([0.1, 0.5, 0.5, 0.7])).tolist()
    [-0.1, -0.5, -0.5, 0.7]
    """
    return q * np.array([-1, -1, -1, 1], q.dtype)


def multiply(a: FloatArray, b: FloatArray) -> FloatArray:
    """Return the products a b (Hamilton), which rotate by b and then by a; broadcasts.

    >>> eighth = from_axis_angle((0, 1, 0), np.pi / 4)
    >>> float(degrees_between(IDENTITY, multiply(eighth, eighth)).round(3))
    90.0
    """
    ax, ay, az, aw = (a[..., i] for i in range(4))
    bx, by, bz, bw = (b[..., i] for i in range(4))
    return stack_last(
        aw * bx + ax * bw + ay * bz - az * by,
        aw * by - ax * bz + ay * bw + az * bx,
        aw * bz + ax * by - ay * bx + az * bw,
        aw * bw - ax * bx - ay * by - az * bz,
    )


def stack_last(*parts: FloatArray) -> FloatArray:
    """Stack n arrays (...) along a new last axis, (..., n); faster than np.stack."""
    made = np.empty((*parts[0].shape, len(parts)), parts[0].dtype)
    for i, part in enumerate(parts):
        made[..., i] = part
    return made


def cross(a: FloatArray, b: FloatArray) -> FloatArray:
    """Return cross products (..., 3); broadcasts, faster than np.cross.

    >>> cross(np.array([1.0, 0.0, 0.0]), np.array([0.0, 1.0, 0.0])).tolist()
    [0.0, 0.0, 1.0]
    """
    ax, ay, az = (a[..., i] for i in range(3))
    bx, by, bz = (b[..., i] for i in range(3))
    return stack_last(ay * bz - az * by, az * bx - ax * bz, ax * by - ay * bx)


def rotate(q: FloatArray, v: FloatArray) -> FloatArray:
    """Rotate vectors (..., 3) by quaternions (..., 4); broadcasts.

    >>> quarter = from_axis_angle((0, 1, 0), np.pi / 2)
    >>> rotate(quarter, np.array([0.0, 0, 1])).round(3).tolist()
    [1.0, 0.0, 0.0]
    """
    xyz, w = q[..., :3], q[..., 3:]
    across = 2 * cross(xyz, v)
    return v + w * across + cross(xyz, across)


def from_axis_angle(axis: Sequence[float], angle: FloatArray | float) -> FloatArray:
    """Return the rotations (..., 4) about a unit axis (3,) by angles (...) in radians.

    >>> from_axis_angle((0, 1, 0), np.pi / 2).round(3).tolist()
    [0.0, 0.707, 0.0, 0.707]
    """
    half = np.asarray(angle, np.float64)[..., None] / 2
    return np.concatenate([np.sin(half) * np.asarray(axis, np.float64), np.cos(half)], -1)


def shortest_rotation(a: FloatArray, b: FloatArray) -> FloatArray:
    """Return the shortest rotations (..., 4) from directions a to directions b; any half turn for opposite ones.

    Args:
        a: (..., 3) vectors of any length.
        b: (..., 3) vectors of any length; broadcasts with a.
    """
    a, b = normalise(np.asarray(a, np.float64)), normalise(np.asarray(b, np.float64))
    a, b = np.broadcast_arrays(a, b)
    w = 1 + (a * b).sum(-1, keepdims=True)
    least = np.eye(3)[np.abs(a).argmin(-1)]
    half_turn = np.concatenate([normalise(cross(a, least)), np.zeros_like(w)], -1)
    return np.where(w > 1e-9, normalise(np.concatenate([cross(a, b), np.maximum(w, 1e-9)], -1)), half_turn)


def slerp(a: FloatArray, b: FloatArray, share: FloatArray | float) -> FloatArray:
    """Interpolate from a (share 0) to b (share 1) along the shorter way, at constant angular speed.

    Shoemake 1985, "Animating Rotation with Quaternion Curves".

    Args:
        a: (..., 4) quaternions.
        b: (..., 4) quaternions.
        share: (...) in [0, 1]; broadcasts.

    >>> quarter = from_axis_angle((0, 1, 0), np.pi / 2)
    >>> float(degrees_between(IDENTITY, slerp(IDENTITY.astype(float), quarter, 0.25)).round(3))
    22.5
    """
    share = np.asarray(share, a.dtype)[..., None]
    cosine = (a * b).sum(-1, keepdims=True)
    b = np.where(cosine < 0, -b, b)
    angle = np.arccos(np.clip(np.abs(cosine), 0, 1))
    sine = np.sin(angle)
    far = sine > 1e-4
    safe = np.where(far, sine, 1)
    first = np.where(far, np.sin((1 - share) * angle) / safe, 1 - share)
    second = np.where(far, np.sin(share * angle) / safe, share)
    return normalise(first * a + second * b)


def make_continuous(q: FloatArray) -> FloatArray:
    """Choose the signs of quaternions (f, ..., 4) so that each frame is nearest to the one before.

    >>> make_continuous(np.array([[0.5, 0.5, 0.5, 0.5], [-0.5, -0.5, -0.5, -0.5]])).tolist()
    [[0.5, 0.5, 0.5, 0.5], [0.5, 0.5, 0.5, 0.5]]
    """
    turns = (q[1:] * q[:-1]).sum(-1) < 0
    odd = np.concatenate([np.zeros((1, *turns.shape[1:]), bool), np.cumsum(turns, 0) % 2 == 1])
    return np.where(odd[..., None], -q, q)


def degrees_between(a: FloatArray, b: FloatArray) -> FloatArray:
    """Return the angles (...) of the rotations from a to b, 0 to 180 degrees; precise for small angles.

    >>> quarter = from_axis_angle((0, 1, 0), np.pi / 2)
    >>> float(degrees_between(IDENTITY, quarter).round(3))
    90.0
    """
    turn = multiply(conjugate(np.asarray(a, np.float64)), np.asarray(b, np.float64))
    return np.degrees(2 * np.arctan2(np.linalg.norm(turn[..., :3], axis=-1), np.abs(turn[..., 3])))


def to_matrix(q: FloatArray) -> FloatArray:
    """Return rotation matrices (..., 3, 3).

    >>> to_matrix(np.array([0.0, 1, 0, 0])).tolist()  # half a turn about Y
    [[-1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, -1.0]]
    """
    x, y, z, w = (q[..., i] for i in range(4))
    return stack_last(
        *(1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)),
        *(2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)),
        *(2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)),
    ).reshape(*x.shape, 3, 3)


def from_matrix(m: FloatArray) -> FloatArray:
    """Return the quaternions (..., 4) of rotation matrices (..., 3, 3).

    The largest of the four numbers determines the others (Shepperd 1978, "Quaternion from Rotation Matrix").

    >>> from_matrix(np.array([[0.0, 0, 1], [0, 1, 0], [-1, 0, 0]])).round(3).tolist()  # about Y
    [0.0, 0.707, 0.0, 0.707]
    """
    d0, d1, d2 = m[..., 0, 0], m[..., 1, 1], m[..., 2, 2]
    a, b, c = m[..., 2, 1] - m[..., 1, 2], m[..., 0, 2] - m[..., 2, 0], m[..., 1, 0] - m[..., 0, 1]
    xy, xz, yz = m[..., 0, 1] + m[..., 1, 0], m[..., 0, 2] + m[..., 2, 0], m[..., 1, 2] + m[..., 2, 1]
    candidates = stack_last(
        *(1 + d0 - d1 - d2, xy, xz, a),
        *(xy, 1 - d0 + d1 - d2, yz, b),
        *(xz, yz, 1 - d0 - d1 + d2, c),
        *(a, b, c, 1 + d0 + d1 + d2),
    ).reshape(-1, 4, 4)
    largest = stack_last(d0 - d1 - d2, d1 - d0 - d2, d2 - d0 - d1, d0 + d1 + d2).argmax(-1)
    chosen = candidates[np.arange(len(candidates)), largest.ravel()]
    return normalise(chosen.reshape(*d0.shape, 4))


def from_6d(x: FloatArray) -> FloatArray:
    """Return the quaternions (..., 4) of the first two columns (..., 6) of rotation matrices.

    The columns are made orthonormal (Zhou et al. 2019, "On the Continuity of Rotation Representations in Neural
    Networks").

    >>> from_6d(np.array([2.0, 0, 0, 1, 3, 0])).round(3).tolist()  # neither unit length nor orthogonal
    [0.0, 0.0, 0.0, 1.0]
    """
    first = normalise(x[..., :3])
    second = x[..., 3:] - (first * x[..., 3:]).sum(-1, keepdims=True) * first
    second = normalise(second)
    return from_matrix(np.stack([first, second, cross(first, second)], -1))


def to_6d(q: FloatArray) -> FloatArray:
    """Return the first two columns (..., 6) of the rotation matrices, one after the other.

    >>> to_6d(np.array([0.0, 1, 0, 0])).tolist()  # half a turn about Y
    [-1.0, 0.0, 0.0, 0.0, 1.0, 0.0]
    """
    matrix = to_matrix(q)
    return np.concatenate([matrix[..., 0], matrix[..., 1]], -1)


def from_euler(order: str, degrees: FloatArray) -> FloatArray:
    """Return the quaternions (..., 4) of rotations about axes of the rotating frame.

    Args:
        order: Any number of the letters X, Y, Z, the outermost first: "ZXY" is Rz Rx Ry, as in BVH.
        degrees: (..., len(order)).

    >>> from_euler("ZXY", np.array([0, 0, 90])).round(3).tolist()  # about Y
    [0.0, 0.707, 0.0, 0.707]
    """
    angles = np.radians(np.asarray(degrees, np.float64))
    q = np.broadcast_to(np.array([0.0, 0, 0, 1]), (*angles.shape[:-1], 4))
    for i, letter in enumerate(order):
        q = multiply(q, from_axis_angle(np.eye(3)[AXES.index(letter)], angles[..., i]))
    return q


def to_euler(order: str, q: FloatArray) -> FloatArray:
    """Return the degrees (..., 3) that `from_euler` converts back to q.

    The middle angle is in -90..90. At its ends, where the other two are not unique, the last one is 0.

    Args:
        order: Three different letters of X, Y, Z.
        q: (..., 4).

    >>> to_euler("ZXY", from_euler("ZXY", np.array([10, 20, 30]))).round(3).tolist()
    [10.0, 20.0, 30.0]
    """
    i, j, k = (AXES.index(letter) for letter in order)
    sign = 1.0 if (j - i) % 3 == 1 else -1.0
    m = to_matrix(np.asarray(q, np.float64))
    middle = np.arcsin(np.clip(sign * m[..., i, k], -1, 1))
    pole = np.abs(m[..., i, k]) > 1 - 1e-12
    first = np.where(
        pole, np.arctan2(sign * m[..., k, j], m[..., j, j]), np.arctan2(-sign * m[..., j, k], m[..., k, k])
    )
    last = np.where(pole, 0.0, np.arctan2(-sign * m[..., i, j], m[..., i, i]))
    return np.degrees(np.stack([first, middle, last], -1))


def heading(q: FloatArray) -> FloatArray:
    """Return how far a body is rotated about Y, seen from above, in radians (...): 0 faces +Z, pi / 2 faces +X.

    It follows the left side, which stays level when the body bends or lies prone.

    Args:
        q: (..., 4) rotations of the hips.
    """
    left = rotate(q, np.array([1, 0, 0], q.dtype))
    return np.arctan2(-left[..., 2], left[..., 0])
