"""The linear model of aligned data."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from ganassets.data import TrainingData
from ganassets.networks import LinearModel, fit_linear
from ganassets.networks.linear import principal_components

N, Z, SIDE = 1000, 12, 6


def gaussian(seed: int = 0, *, shares: bool = False) -> TrainingData:
    """A known Gaussian: signal (2 x 6 x 6) of 3 hidden factors, a vector of 2, both dependent on the conditions."""
    rng = np.random.default_rng(seed)
    fixed = np.random.default_rng(99)
    directions, centre = fixed.normal(size=(3, 2 * SIDE * SIDE)), fixed.normal(size=2 * SIDE * SIDE)
    age = rng.uniform(20, 60, N)
    conditions = np.column_stack([age, rng.dirichlet((1, 1, 1), N)]) if shares else np.column_stack([age])
    slope = (age - 40) / 10
    factors = rng.normal(size=(N, 3)) * [2, 1, 0.5] + slope[:, None] * [1, 0, 0.5]
    signal = (centre + factors @ directions).reshape(N, 2, SIDE, SIDE).astype(np.float32)
    vector = np.column_stack([factors[:, 0] + 0.5 * rng.normal(size=N), -slope]).astype(np.float32)
    return TrainingData({"map": signal}, {"shape": vector}, conditions.astype(np.float32), "g", "CC0-1.0", "")


def sample(data: TrainingData, components: int = 3, n: int = 4000, seed: int = 5) -> tuple[np.ndarray, np.ndarray]:
    """Draws of the fitted model under the data's conditions, everything flattened, and those conditions."""
    fit = fit_linear(data, Z, components, np.random.default_rng(0))
    model = LinearModel(fit)
    rng = np.random.default_rng(seed)
    conditions = data.conditions[rng.integers(0, len(data), n)]
    z = torch.from_numpy(rng.normal(size=(n, Z)).astype(np.float32))
    standard = torch.from_numpy((conditions - fit.condition_mean) / fit.condition_std)
    return flat({k: v.numpy() for k, v in model(model.coefficients(z, standard)).items()}), conditions


def flat(raw: dict[str, np.ndarray]) -> np.ndarray:
    return np.concatenate([value.reshape(len(value), -1) for value in raw.values()], 1)


def slope_on(values: np.ndarray, condition: np.ndarray) -> np.ndarray:
    """Least-squares slope of each column on a condition."""
    centred = condition - condition.mean()
    return centred @ values / (centred**2).sum()


@pytest.mark.parametrize("shares", [False, True])
def test_reproduces_a_gaussian(shares):
    data = gaussian(shares=shares)
    real = flat(data.signals | data.vectors)
    made, conditions = sample(data)
    size = np.sqrt(real.var(0).mean())
    assert np.abs(made.mean(0) - real.mean(0)).max() < 0.12 * size
    covariance = np.cov(real, rowvar=False)
    error = np.linalg.norm(np.cov(made, rowvar=False) - covariance) / np.linalg.norm(covariance)
    assert error < 0.1
    expected, found = slope_on(real, data.conditions[:, 0]), slope_on(made, conditions[:, 0])
    assert np.linalg.norm(found - expected) < 0.1 * np.linalg.norm(expected)


def test_dependent_conditions_give_no_huge_weights():
    fit = fit_linear(gaussian(shares=True), Z, 3, np.random.default_rng(0))
    assert fit.from_condition.shape == (4, 5)
    assert np.abs(fit.from_condition).max() < 2


def test_more_latents_or_components_than_the_data_has():
    data = gaussian()
    few = TrainingData(
        {"map": data.signals["map"][:7]}, {"shape": data.vectors["shape"][:7]}, data.conditions[:7], "g", "CC0-1.0", ""
    )
    fit = fit_linear(few, 40, 32, np.random.default_rng(0))
    assert len(fit.bases["map"]) == 6 and fit.from_latent.shape == (40, 8)
    assert all(np.isfinite(a).all() for a in (fit.offset, fit.from_latent, fit.from_condition, fit.bases["map"]))


def test_without_components_only_conditions_are_known():
    data = gaussian()
    fit = fit_linear(data, Z, 0, np.random.default_rng(0))
    assert not fit.means and fit.from_latent.shape == (Z, 0)
    np.testing.assert_allclose(fit.condition_mean, data.conditions.mean(0), rtol=1e-5)
    np.testing.assert_allclose(fit.condition_std, data.conditions.std(0), rtol=1e-5)


def test_constant_condition_stays_finite():
    data = gaussian()
    same = TrainingData(data.signals, data.vectors, np.full_like(data.conditions, 3), "g", "CC0-1.0", "")
    fit = fit_linear(same, Z, 3, np.random.default_rng(0))
    assert (fit.condition_std > 0).all() and np.abs(fit.from_condition).max() < 1e-3


def test_components_span_the_data():
    array = gaussian().signals["map"]
    mean, basis, scores = principal_components(array, 3, np.random.default_rng(0))
    back = mean + np.tensordot(scores, basis, 1)
    np.testing.assert_allclose(back, array, atol=1e-3 * np.abs(array).max())
    np.testing.assert_allclose(scores.std(0), 1, rtol=1e-4)
    gram = basis.reshape(3, -1) @ basis.reshape(3, -1).T
    assert np.abs(gram - np.diag(np.diag(gram))).max() < 1e-2 * gram.max()


def test_bytes_are_fractions_of_full_scale():
    rng = np.random.default_rng(0)
    bytes_ = rng.integers(0, 256, (50, 1, 4, 4), dtype=np.uint8)
    first = principal_components(bytes_, 2, np.random.default_rng(0))
    second = principal_components(bytes_.astype(np.float32) / 255, 2, np.random.default_rng(0))
    np.testing.assert_allclose(first[0], second[0], atol=1e-6)
    np.testing.assert_allclose(np.abs(first[1]), np.abs(second[1]), atol=1e-4)


def test_bases_in_8_bits_stay_within_half_a_step():
    fit = fit_linear(gaussian(), Z, 3, np.random.default_rng(0))
    model = LinearModel(fit)
    basis = fit.bases["map"].reshape(3, -1)
    assert model.get_buffer("basis_map").dtype == torch.int8
    kept = model.get_buffer("basis_map").numpy().astype(np.float64) * model.get_buffer("scale_map").numpy()[:, None]
    step = np.abs(basis).max(1, keepdims=True) / 127
    assert (np.abs(kept - basis) <= 0.501 * step).all()


def test_same_state_same_fit():
    first, second = (fit_linear(gaussian(), Z, 3, np.random.default_rng(0)) for _ in range(2))
    assert np.array_equal(first.from_latent, second.from_latent) and np.array_equal(first.offset, second.offset)
