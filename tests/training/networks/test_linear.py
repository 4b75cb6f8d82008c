"""The linear model of aligned data."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy.stats import norm

from ganassets.api.data import TrainingData
from ganassets.api.spec import CHOOSING
from ganassets.training.networks import LinearFit, LinearModel, fit_linear, linear_latents
from ganassets.training.networks.linear import CLUSTER_MEMBERS, principal_components
from support.domains import make_data

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
    assert len(fit.bases["map"]) == 2 and fit.from_latent.shape == (40, 4)
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


LUMP, WITHIN = 3.0, 0.3  # how far the lumps' middles are from zero, and their standard deviation


def lumps(places: np.ndarray, conditions: np.ndarray, seed: int = 0) -> TrainingData:
    """Pictures of one pattern times a number near each sample's place, with a little of a second pattern."""
    rng = np.random.default_rng(seed)
    first, second = np.random.default_rng(99).normal(size=(2, 1, SIDE, SIDE))
    along = places + WITHIN * rng.normal(size=len(places))
    signal = along[:, None, None, None] * first + 0.2 * rng.normal(size=(len(places), 1, 1, 1)) * second
    return TrainingData(
        {"map": signal.astype(np.float32)}, {}, np.asarray(conditions, np.float32).reshape(len(places), -1), "l", "", ""
    )


def place_of(made: np.ndarray) -> np.ndarray:
    """Return (n,) coefficients of the first pattern in pictures."""
    patterns = np.random.default_rng(99).normal(size=(2, SIDE * SIDE))
    return np.linalg.lstsq(patterns.T, made.reshape(len(made), -1).T, rcond=None)[0][0]


def places_made(fit: LinearFit, conditions: np.ndarray, n: int = 4000) -> np.ndarray:
    """Return (n,) places of samples of a fit; the conditions repeat in turn."""
    model, state = LinearModel(fit), torch.Generator().manual_seed(1)
    z = torch.randn(n, len(fit.from_latent), generator=state)
    standard = (np.resize(conditions, (n, conditions.shape[1])) - fit.condition_mean) / fit.condition_std
    return place_of(model(model.coefficients(z, torch.from_numpy(standard.astype(np.float32))))["map"].numpy())


def share_within(places: np.ndarray, middle: float) -> float:
    """Return the share of places within three standard deviations of a lump's middle."""
    return float((np.abs(places - middle) < 3 * WITHIN).mean())


def test_samples_of_clusters_lie_in_the_lumps():
    """Those of a single Gaussian of the same covariance lie between them and beyond, too."""
    places = LUMP * np.sign(np.random.default_rng(0).normal(size=N))
    data = lumps(places, np.random.default_rng(1).normal(size=N))
    shares = {}
    for clusters in (0, 2):
        fit = fit_linear(data, Z + CHOOSING, 2, np.random.default_rng(0), clusters)
        made = places_made(fit, data.conditions)
        assert made.std() == pytest.approx(LUMP, rel=0.1)
        shares[clusters] = [share_within(made, middle) for middle in (-LUMP, LUMP)]
    single = np.diff(norm.cdf((np.array([LUMP - 3 * WITHIN, LUMP + 3 * WITHIN])) / np.hypot(LUMP, WITHIN)))[0]
    assert shares[0] == pytest.approx([single, single], abs=0.04) and sum(shares[0]) < 0.35
    assert min(shares[2]) > 0.35 and sum(shares[2]) > 0.8


def test_between_two_latents_lies_all_that_lies_between():
    """The choice is soft: no sample jumps."""
    places = LUMP * np.sign(np.random.default_rng(0).normal(size=N))
    fit = fit_linear(lumps(places, np.zeros(N)), Z + CHOOSING, 2, np.random.default_rng(0), 2)
    model, ends = LinearModel(fit), np.zeros((2, Z + CHOOSING), np.float32)
    ends[:, :CHOOSING] = 4 * (fit.directions - fit.directions.mean(0))
    steps = torch.linspace(0, 1, 400)[:, None]
    z = (1 - steps) * torch.from_numpy(ends[:1]) + steps * torch.from_numpy(ends[1:])
    made = place_of(model(model.coefficients(z, torch.zeros(400, 1)))["map"].numpy())
    assert np.abs(np.ptp(made)) > 1.5 * LUMP and np.abs(np.diff(made)).max() < 0.2 * LUMP


def test_conditions_choose_clusters():
    """Place samples of the first kind in one lump, of the second in two lumps about it; no line separates them."""
    rng = np.random.default_rng(0)
    second = rng.random(N) < 0.5
    places = np.where(second, LUMP * np.sign(rng.normal(size=N)), 0.0)
    fit = fit_linear(lumps(places, second), Z + CHOOSING, 2, np.random.default_rng(0), 6)
    first_kind, second_kind = (places_made(fit, np.array([[kind]], np.float32)) for kind in (0.0, 1.0))
    assert share_within(first_kind, 0) > 0.8
    assert share_within(second_kind, 0) < 0.2
    assert min(share_within(second_kind, middle) for middle in (-LUMP, LUMP)) > 0.3


@pytest.mark.parametrize("clusters", [0, 5])
@pytest.mark.parametrize("basis_size", [0, 16])
def test_latents_give_the_samples_back(clusters, basis_size):
    """All but the detail that a smaller basis leaves out; from other latents come other samples."""
    data = make_data("picture", 256)
    fit = fit_linear(data, 40, 6, np.random.default_rng(0), clusters, basis_size)
    assert fit.bases["albedo"].shape[-1] == (basis_size or 32)
    model, latents = LinearModel(fit), linear_latents(fit, data)
    read = np.all(np.isfinite(latents), axis=0)
    np.testing.assert_array_equal(np.isfinite(latents).any(0), read, "a column is read of all samples, or of none")
    assert not clusters or read[:CHOOSING].tolist() == [True] * CHOOSING
    z = np.where(read, latents, np.random.default_rng(1).normal(size=latents.shape)).astype(np.float32)
    standard = torch.from_numpy((data.conditions - fit.condition_mean) / fit.condition_std)
    made = model(model.coefficients(torch.from_numpy(z), standard))
    others = model(model.coefficients(torch.from_numpy(z[::-1].copy()), standard))
    spread = {name: value - value.mean(0) for name, value in (data.signals | data.vectors).items()}
    for name, array in (data.signals | data.vectors).items():
        error = {key: np.linalg.norm(raw[name].numpy() - array) for key, raw in (("own", made), ("others", others))}
        size = np.linalg.norm(spread[name])
        assert error["own"] < (0.1 if basis_size and name == "albedo" else 0.02) * size, name
        assert error["others"] > 0.3 * size


def test_latents_of_the_samples_are_about_normal():
    latents = linear_latents(fit_linear(gaussian(), Z, 3, np.random.default_rng(0)), gaussian())
    read = np.all(np.isfinite(latents), axis=0)
    assert read.sum() == 4, "3 factors, and the vector's own variation"
    np.testing.assert_allclose(latents[:, read].mean(0), 0, atol=0.05)
    np.testing.assert_allclose(np.cov(latents[:, read], rowvar=False), np.eye(4), atol=0.05)


def some_of(data: TrainingData, index: np.ndarray) -> TrainingData:
    signals, vectors = ({k: v[index] for k, v in part.items()} for part in (data.signals, data.vectors))
    return replace(data, signals=signals, vectors=vectors, conditions=data.conditions[index])


@pytest.mark.parametrize(
    ("index", "most"),
    [
        (np.arange(CLUSTER_MEMBERS - 1), 0),  # too few
        (np.arange(5 * CLUSTER_MEMBERS), 5),
        (np.zeros(64, np.int64), 8),  # all the same
        (np.arange(64) % 3, 3),  # fewer different ones than clusters
    ],
)
def test_as_many_clusters_as_the_data_allow(index, most):
    data = some_of(gaussian(), index)
    fit = fit_linear(data, Z + CHOOSING, 3, np.random.default_rng(0), clusters=32)
    assert len(fit.centres) <= most
    arrays = (fit.offset, fit.from_latent, fit.from_condition, fit.centres, fit.choice_offset, fit.choice_slope)
    assert all(np.isfinite(array).all() for array in arrays)
    model = LinearModel(fit)
    made = model(model.coefficients(torch.randn(3, Z + CHOOSING), torch.zeros(3, 1)))
    assert all(torch.isfinite(value).all() for value in made.values())
