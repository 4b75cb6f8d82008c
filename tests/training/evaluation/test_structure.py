"""The structure of materials: walls have it, noise with the same spectrum does not."""

from __future__ import annotations

from dataclasses import asdict

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from ganassets.training.evaluation.structure import (
    StructureReference,
    autocorrelate,
    describe_surface,
    edge_strength,
    find_peaks,
    geometric_mean,
    met_peaks,
    power_spectrum,
    randomize_phases,
    to_planes,
)
from support.pattern_images import checkers, clouds, stripes, walls

COUNT, SIZE = 24, 64


def noise_like(planes: np.ndarray, seed: int = 1) -> np.ndarray:
    return randomize_phases(planes.astype(np.float64), np.random.default_rng(seed))


@given(arrays.arrays(np.float64, (2, 5, 6), elements=st.floats(-1, 1, width=16)))
def test_autocorrelation_by_its_definition(planes: np.ndarray):
    """Each shift is a mean of products over the texels that overlap."""
    found = autocorrelate(planes)
    centred = planes - planes.mean((1, 2), keepdims=True)
    variance = (centred**2).mean((1, 2)).sum()
    if variance < 1e-9:
        return
    assert found.shape == (3, 7) and found[0, 3] == pytest.approx(1)
    for down in range(3):
        for across in range(-3, 3):
            ahead = centred[:, down:, max(across, 0) : 6 + min(across, 0)]
            behind = centred[:, : 5 - down, max(-across, 0) : 6 - max(across, 0)]
            expected = (ahead * behind).mean((1, 2)).sum() / variance
            assert found[down, 3 + across] == pytest.approx(expected, abs=1e-6)


def test_the_power_is_in_decibels():
    planes = clouds(4, SIZE)
    louder = power_spectrum(10 * planes) - power_spectrum(planes)
    np.testing.assert_allclose(louder[~np.isnan(louder)], 20, atol=0.1)
    across, along = power_spectrum(stripes(4, SIZE, 16)), power_spectrum(stripes(4, SIZE, 16).transpose(0, 2, 1))
    assert np.nanargmax(across[2]) != np.nanargmax(along[2]), "horizontal and vertical stripes differ"


def test_brightness_is_a_plane():
    grey = np.random.default_rng(0).random((2, 1, 8, 8)).astype(np.float32)
    np.testing.assert_allclose(to_planes(np.repeat(grey, 3, 1)), grey[:, 0], atol=1e-6)
    np.testing.assert_array_equal(to_planes(grey), grey[:, 0])


@settings(max_examples=20)
@given(st.integers(0, 2**32 - 1))
def test_random_phases_keep_the_spectrum(seed: int):
    wrapping = np.tile(np.random.default_rng(seed).random((2, 8, 8)), (1, 2, 2))
    noise = noise_like(wrapping, seed)
    # The periodic component of a tile differs from it near the border only; its mean stays.
    np.testing.assert_allclose(noise.mean((1, 2)), wrapping.mean((1, 2)), atol=1e-9)
    assert np.isrealobj(noise) and noise.shape == wrapping.shape
    before, after = (np.abs(np.fft.rfft2(planes)) for planes in (wrapping, noise))
    assert np.corrcoef(before.ravel(), after.ravel())[0, 1] > 0.95


def test_edges_are_the_length_of_the_slope():
    y, x = np.mgrid[:8, :8]
    np.testing.assert_allclose(edge_strength((3.0 * x + 4.0 * y)[None]), 5)


def test_stripes_repeat_at_their_period():
    peaks = find_peaks(autocorrelate(stripes(COUNT, SIZE, 16)))
    assert {row for row, _, _ in peaks} == {16}
    assert find_peaks(autocorrelate(np.random.default_rng(0).random((COUNT, SIZE, SIZE)))) == []
    assert find_peaks(autocorrelate(np.full((2, SIZE, SIZE), 0.5))) == []


@pytest.mark.parametrize(("period", "low", "high"), [(16, 0.95, 1.0), (11, 0.0, 0.3), (24, 0.0, 0.3)])
def test_peaks_are_met_at_their_place_only(period: int, low: float, high: float):
    peaks = find_peaks(autocorrelate(stripes(COUNT, SIZE, 16)))
    assert low <= met_peaks(peaks, autocorrelate(stripes(COUNT, SIZE, period, seed=5))) <= high


@pytest.mark.parametrize("make", [walls, lambda n, size, seed: checkers(n, size, 16, seed)])
def test_structure_of_a_material(make):
    real = StructureReference(make(COUNT, SIZE, seed=0))
    other = make(COUNT, SIZE, seed=9)
    found = real.measure(other)
    assert found.structure > 0.8 and found.peaks > 0.8 and found.edges > 0.8
    for noise in (noise_like(other), clouds(COUNT, SIZE, 1), clouds(COUNT, SIZE, 2), clouds(COUNT, SIZE, 0)):
        score = real.measure(noise)
        assert score.structure < 0.2 and score.edges < 0.2
        assert score.autocorrelation > found.autocorrelation
    assert real.measure(noise_like(other)).spectrum < real.measure(clouds(COUNT, SIZE, 2)).spectrum


def test_another_wall_has_other_repeats():
    real = StructureReference(walls(COUNT, SIZE))
    wider = real.measure(walls(COUNT, SIZE, course=17, brick=40, seed=3))
    assert wider.peaks < 0.5 and wider.structure < 0.7


def test_noise_has_no_structure_to_meet():
    """Of a material that is noise, nobody can say that its structure is missing."""
    real = StructureReference(clouds(COUNT, SIZE, 1))
    found = real.measure(clouds(COUNT, SIZE, 1, seed=1))
    assert np.isnan(found.structure) and np.isnan(found.peaks) and np.isnan(found.edges)
    assert found.spectrum < 3


def test_even_maps():
    flat, wall = np.full((COUNT, SIZE, SIZE), 0.5, np.float32), walls(COUNT, SIZE)
    assert StructureReference(wall).measure(flat).structure == 0
    assert np.isnan(StructureReference(flat).measure(wall).structure)
    assert np.isfinite(StructureReference(flat).measure(wall).spectrum)


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 2**32 - 1), st.sampled_from([16, 17, 32]), st.integers(2, 5))
def test_scores_are_shares_or_unknown(seed: int, size: int, count: int):
    rng = np.random.default_rng(seed)
    a, b = rng.random((2, count, size, size)) ** rng.integers(1, 9)
    for name, value in asdict(StructureReference(a).measure(b)).items():
        assert np.isnan(value) or value >= 0
        assert np.isnan(value) or value <= 1 or name in ("spectrum", "autocorrelation")


def test_the_same_maps_get_the_same_scores():
    real, other = walls(8, 32), walls(8, 32, seed=2)
    assert StructureReference(real).measure(other) == StructureReference(real).measure(other)
    moved = describe_surface(other[::-1])
    np.testing.assert_allclose(moved.brightness, describe_surface(other).brightness, atol=1e-6)


@given(st.lists(st.floats(0, 1) | st.just(float("nan")), max_size=4))
def test_geometric_mean(values: list[float]):
    known = [value for value in values if not np.isnan(value)]
    found = geometric_mean(values)
    assert np.isnan(found) if not known else min(known) - 1e-9 <= found <= max(known) + 1e-9
