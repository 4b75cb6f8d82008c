"""Cells of exemplars: cutting, joining, principal components and whole codes."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ganassets_textures.exemplars.cells import (
    CELL,
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
    assert (np.diff(basis.spread) <= 0).all()
    coefficients = (cells - basis.mean) @ basis.components
    np.testing.assert_allclose(coefficients.std(0), basis.spread, rtol=1e-3)


@given(st.integers(0, 99), st.floats(0.01, 1))
def test_codes_are_whole_and_within_half_a_step(seed, step):
    cells = np.random.default_rng(seed).normal(size=(60, VALUES)).astype(np.float32)
    basis = fit_basis(cells, VALUES)
    coefficients = (cells - basis.mean) @ basis.components
    scale = np.full(VALUES, max(step, np.abs(coefficients).max() / LARGEST_CODE), np.float32)
    codes = encode_cells(cells, basis, scale)
    assert np.array_equal(codes, np.rint(codes)) and np.abs(codes).max() <= LARGEST_CODE
    assert (np.abs(codes * scale - coefficients) <= scale / 2 * 1.001 + 1e-5).all()
    restored = codes * scale @ basis.components.T + basis.mean
    assert np.sqrt(((restored - cells) ** 2).sum(1)).max() <= np.sqrt(VALUES) * scale.max() / 2 * 1.01


def test_codes_out_of_range_are_clipped():
    basis = fit_basis(RNG.normal(size=(50, VALUES)).astype(np.float32), 4)
    codes = encode_cells(np.full((1, VALUES), 99, np.float32), basis, np.full(4, 1e-3, np.float32))
    assert np.abs(codes).max() == LARGEST_CODE


def test_levels_are_the_means_of_the_decoded_maps():
    basis = fit_basis(RNG.normal(size=(200, VALUES)).astype(np.float32), 8)
    scale = RNG.random(8, np.float32) * 0.1
    factors, mean = level_matrix(basis, scale, 8)
    codes = RNG.integers(-100, 100, (5, 8)).astype(np.float32)
    decoded = (codes * scale) @ basis.components.T + basis.mean
    expected = decoded.reshape(5, MAP_CHANNELS, -1).mean(2)
    np.testing.assert_allclose(codes @ factors + mean, expected, atol=1e-4)
    assert factors.shape == (8, MAP_CHANNELS) and mean == pytest.approx(basis.mean.reshape(MAP_CHANNELS, -1).mean(1))
