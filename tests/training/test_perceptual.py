"""Distances between images by pretrained features."""

from __future__ import annotations

import pytest
import torch

pytest.importorskip("efficientnet_lite_pytorch")
from ganassets.training.perceptual import (
    BLOCKS,
    PerceptualNetwork,
    feature_distance,
    random_directions,
    sliced_wasserstein,
    sliced_wasserstein_by_place,
)


def state(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def normals(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, generator=state(seed))


@pytest.fixture(scope="module")
def network() -> PerceptualNetwork:
    return PerceptualNetwork()


def test_features_get_coarser(network):
    found = network(torch.rand(2, 3, 64, 64))
    assert len(found) == 1 + len(BLOCKS)
    assert [f.shape[0] for f in found] == [2] * len(found) and [f.shape[-1] for f in found] == [32, 32, 16, 8, 4, 4]


def test_the_network_is_frozen_and_repeatable(network):
    images = torch.rand(1, 3, 32, 32, requires_grad=True)
    before = torch.random.get_rng_state()
    again = PerceptualNetwork()
    assert torch.equal(torch.random.get_rng_state(), before), "loading draws no random numbers"
    assert all(torch.equal(a, b) for a, b in zip(network(images), again(images), strict=True))
    network(images)[-1].sum().backward()
    assert images.grad is not None and images.grad.abs().sum() > 0
    assert not any(parameter.requires_grad for parameter in network.parameters())


def test_feature_distance_is_relative():
    a, b = [normals(2, 4, 8, 8)], [normals(2, 4, 8, 8, seed=1)]
    assert feature_distance(a, a) == 0
    torch.testing.assert_close(feature_distance([9 * a[0]], [9 * b[0]]), feature_distance(a, b), rtol=1e-4, atol=0)


def test_directions_have_unit_length():
    found = random_directions(5, 7, state(), normals(1))
    assert found.shape == (5, 7)
    torch.testing.assert_close(found.norm(dim=0), torch.ones(7))
    assert torch.equal(found, random_directions(5, 7, state(), normals(1)))


def test_wasserstein_ignores_places_and_order():
    a = normals(2, 6, 8, 8)
    shuffled = a.flatten(2)[:, :, torch.randperm(64, generator=state())].reshape(a.shape).flip(0)
    assert sliced_wasserstein(shuffled, a, state()) < 1e-10
    far = [sliced_wasserstein(a + shift, a, state()).item() for shift in (0.1, 0.5, 2.0)]
    assert 0 < far[0] < far[1] < far[2]
    torch.testing.assert_close(
        sliced_wasserstein(7 * (a + 0.5), 7 * a, state()), sliced_wasserstein(a + 0.5, a, state()), rtol=1e-3, atol=0
    )


def test_wasserstein_of_many_places_is_that_of_some():
    a, b = normals(1, 3, 100, 100), 1 + normals(1, 3, 100, 100, seed=1)
    few = sliced_wasserstein(a[..., :60, :60], b[..., :60, :60], state())
    assert sliced_wasserstein(a, b, state()).item() == pytest.approx(few.item(), rel=0.2)


def test_wasserstein_by_place_sees_places():
    a = normals(16, 4, 5, 5)
    assert sliced_wasserstein_by_place(a.flip(0), a, state()) < 1e-6, "the order of a batch doesn't count"
    mean = torch.zeros(1, 4, 5, 5)
    mean[..., 2, 2] = 5
    assert sliced_wasserstein_by_place(a + mean, a + mean.roll(1, 2), state()) > 0.1
    assert sliced_wasserstein_by_place(a + mean, a + mean, state()) < 1e-6
