"""Rotations: compared with scipy, and inverses."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation, Slerp

from ganassets.api.motion.rotations import (
    conjugate,
    degrees_between,
    from_6d,
    from_axis_angle,
    from_euler,
    from_matrix,
    heading,
    make_continuous,
    multiply,
    normalise,
    rotate,
    shortest_rotation,
    slerp,
    to_6d,
    to_euler,
    to_matrix,
)

ORDERS = ["".join(order) for order in itertools.permutations("XYZ")]
SEEDS = st.integers(0, 2**32 - 1)
quick = settings(max_examples=25, deadline=None)


def some(seed: int, count: int = 20) -> np.ndarray:
    """Return (count, 4) unit quaternions, which include half turns about the axes."""
    q = normalise(np.random.default_rng(seed).normal(size=(count, 4)))
    q[:4] = np.eye(4)
    return q


def directions(seed: int, count: int = 20) -> np.ndarray:
    """Return (count, 3) unit vectors."""
    return normalise(np.random.default_rng(seed).normal(size=(count, 3)))


def same(a: np.ndarray, b: np.ndarray, degrees: float = 1e-5) -> bool:
    """Return whether quaternions are the same rotations."""
    return bool(degrees_between(a, b).max() < degrees)


@quick
@given(SEEDS)
def test_products_and_turned_vectors_are_those_of_scipy(seed: int) -> None:
    a, b, v = some(seed), some(seed + 1), directions(seed)
    assert same(multiply(a, b), (Rotation.from_quat(a) * Rotation.from_quat(b)).as_quat())
    np.testing.assert_allclose(rotate(a, v), Rotation.from_quat(a).apply(v), atol=1e-12)
    np.testing.assert_allclose(rotate(conjugate(a), rotate(a, v)), v, atol=1e-12)


@quick
@given(SEEDS)
def test_matrices_are_those_of_scipy_and_come_back(seed: int) -> None:
    q = some(seed)
    np.testing.assert_allclose(to_matrix(q), Rotation.from_quat(q).as_matrix(), atol=1e-12)
    assert same(from_matrix(to_matrix(q)), q)
    assert same(from_6d(to_6d(q)), q)


@quick
@given(SEEDS, st.floats(0.1, 10))
def test_six_numbers_need_not_be_orthonormal(seed: int, scale: float) -> None:
    six = to_6d(some(seed))
    skewed = scale * six + np.concatenate([np.zeros_like(six[:, :3]), 0.5 * six[:, :3]], 1)
    assert same(from_6d(skewed), from_6d(six))


@quick
@given(SEEDS, st.floats(0, 1))
def test_slerp_is_that_of_scipy(seed: int, share: float) -> None:
    a, b = some(seed), some(seed + 1)
    b[0] = -a[0]  # the same rotation with the other sign
    b[1] = normalise(a[1] + 1e-6)
    expected = [
        Slerp([0, 1], Rotation.from_quat(np.stack(pair)))([share]).as_quat()[0] for pair in zip(a, b, strict=True)
    ]
    assert same(slerp(a, b, share), np.array(expected), 1e-4)


@quick
@given(SEEDS)
def test_slerp_ends_at_its_ends_and_stays_unit(seed: int) -> None:
    a, b = some(seed).astype(np.float32), some(seed + 1).astype(np.float32)
    shares = np.linspace(0, 1, 7)[:, None]
    between_them = slerp(a, b, shares)
    assert between_them.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(between_them, axis=-1), 1, atol=1e-5)
    assert same(between_them[0], a, 0.1) and same(between_them[-1], b, 0.1)


@pytest.mark.parametrize("order", ORDERS)
def test_euler_angles_are_those_of_scipy(order: str) -> None:
    angles = np.random.default_rng(3).uniform(-180, 180, (200, 3))
    q = from_euler(order, angles)
    assert same(q, Rotation.from_euler(order, angles, degrees=True).as_quat())
    found = to_euler(order, q)
    assert np.abs(found[:, 1]).max() <= 90
    np.testing.assert_allclose(found, Rotation.from_quat(q).as_euler(order, degrees=True), atol=1e-6)


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("middle", [90.0, -90.0])
def test_euler_angles_at_the_poles_give_the_rotation_back(order: str, middle: float) -> None:
    first, last = np.random.default_rng(4).uniform(-180, 180, (2, 50))
    q = from_euler(order, np.stack([first, np.full(50, middle), last], -1))
    assert same(from_euler(order, to_euler(order, q)), q, 1e-4)


def test_euler_orders_may_have_any_number_of_axes() -> None:
    assert same(from_euler("Y", np.array([[30.0]])), from_axis_angle((0, 1, 0), np.radians([30.0])))
    assert same(from_euler("", np.zeros((2, 0))), np.array([0.0, 0, 0, 1]))


@quick
@given(SEEDS)
def test_between_brings_a_direction_onto_the_other_the_shortest_way(seed: int) -> None:
    a, b = directions(seed), directions(seed + 1)
    a[:3] = np.eye(3)
    b[:3] = -np.eye(3)
    b[3] = a[3]
    turn = shortest_rotation(3 * a, 0.5 * b)
    np.testing.assert_allclose(rotate(turn, a), b, atol=1e-7)
    angle = np.degrees(np.arctan2(np.linalg.norm(np.cross(a, b), axis=-1), (a * b).sum(-1)))
    np.testing.assert_allclose(degrees_between(turn, np.array([0.0, 0, 0, 1])), angle, atol=1e-5)


@quick
@given(SEEDS)
def test_continuous_signs_are_nearest_and_change_no_rotation(seed: int) -> None:
    steps = np.random.default_rng(seed).normal(size=(30, 3, 4)).cumsum(0)
    q = normalise(steps)
    flipped = q * np.random.default_rng(seed + 1).choice([-1.0, 1.0], (30, 3, 1))
    found = make_continuous(flipped)
    assert ((found[1:] * found[:-1]).sum(-1) >= 0).all()
    assert same(found, q)
    np.testing.assert_array_equal(found[0], flipped[0])


def test_nothing_becomes_no_rotation() -> None:
    np.testing.assert_array_equal(normalise(np.zeros((2, 4))), [[0, 0, 0, 1]] * 2)
    assert normalise(np.zeros((2, 4), np.float32)).dtype == np.float32


def test_small_and_large_angles_are_measured() -> None:
    angles = np.array([0, 1e-6, 0.01, 90, 179.999, 180])
    found = degrees_between(np.array([0.0, 0, 0, 1]), from_axis_angle((0, 0, 1), np.radians(angles)))
    np.testing.assert_allclose(found, angles, atol=1e-9)


@pytest.mark.parametrize("degrees", [-170.0, -90.0, 0.0, 30.0, 135.0])
def test_heading_is_the_turn_from_z_to_x(degrees: float) -> None:
    q = multiply(from_axis_angle((0, 1, 0), np.radians(degrees)), from_axis_angle((1, 0, 0), 0.4))
    assert np.degrees(heading(q)) == pytest.approx(degrees)
