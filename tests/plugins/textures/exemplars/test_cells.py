"""Cells of exemplars: cutting, joining, principal components and whole codes."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from ganassets_textures.exemplars.cells import (
    CELL,
    FINE_COMPONENTS,
    LARGEST_CODE,
    MAP_CHANNELS,
    VALUES,
    encode_cells,
    fit_basis,
    join_cells,
    level_matrix,
    split_cells,
)

RNG = np.random.default_rng(0)


@given(st.integers(1, 7), st.integers(1, 7), st.integers(0, 99))
def test_joining_inverts_cutting(rows, columns, seed):
    maps = np.random.default_rng(seed).random((MAP_CHANNELS, rows * CELL, columns * CELL), np.float32)
    cells = split_cells(maps)
    assert cells.shape == (rows, columns, VALUES)
    np.testing.assert_array_equal(join_cells(cells), maps)
    np.testing.assert_array_equal(cells[-1, -1].reshape(MAP_CHANNELS, CELL, CELL), maps[:, -CELL:, -CELL:])


def test_components_are_orthonormal_and_sorted():
    cells = RNG.normal(size=(500, VALUES)).astype(np.float32) * np.linspace(3, 0.1, VALUES, dtype=np.float32)
    basis = fit_basis(cells, 12)
    np.testing.assert_allclose(basis.components.T @ basis.components, np.eye(12), atol=1e-5)
    spread = ((cells - basis.mean) @ basis.components).std(0)
    assert (np.diff(spread) <= 0).all()


@given(st.integers(0, 99), st.floats(0.01, 30), st.integers(1, VALUES))
def test_codes_are_whole_and_close(seed, size, count):
    cells = np.random.default_rng(seed).normal(0, size, (60, VALUES)).astype(np.float32)
    basis = fit_basis(cells, count)
    encoded = encode_cells(cells, basis)
    assert np.array_equal(encoded.codes, np.rint(encoded.codes)) and np.abs(encoded.codes).max() <= LARGEST_CODE
    coefficients = (cells - basis.mean) @ basis.components
    step = np.abs(coefficients).max(0) / LARGEST_CODE
    left = np.abs((encoded.codes @ encoded.steps.T) @ basis.components - coefficients)
    assert (left <= step / 2 * 1.01 + 1e-5 * size).all()
    fine = left[:, :FINE_COMPONENTS]
    assert (fine <= step[:FINE_COMPONENTS] / 250 + 1e-4 * size).all(), "the first components have a second number"


def test_constant_cells():
    cells = np.full((9, VALUES), 0.25, np.float32)
    encoded = encode_cells(cells, fit_basis(cells, 16))
    np.testing.assert_allclose(encoded.codes @ encoded.steps.T + encoded.mean, cells, atol=1e-5)


def test_levels_are_the_means_of_the_decoded_maps():
    cells = RNG.normal(size=(200, VALUES)).astype(np.float32)
    encoded = encode_cells(cells, fit_basis(cells, 8))
    factors, mean = level_matrix(encoded, 8)
    decoded = encoded.codes[:, :8] @ encoded.steps[:, :8].T + encoded.mean
    expected = decoded.reshape(200, MAP_CHANNELS, -1).mean(2)
    np.testing.assert_allclose(encoded.codes[:, :8] @ factors + mean, expected, atol=1e-4)
    assert factors.shape == (8, MAP_CHANNELS)
