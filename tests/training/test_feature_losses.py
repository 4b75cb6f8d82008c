"""Feature losses of a domain: pairs and distributions, of separate images and of all together."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
import torch

pytest.importorskip("efficientnet_lite_pytorch")
from ganassets.training.feature_losses import FeatureLosses, patches

SIZE = 32


def feature_views(raw: dict[str, torch.Tensor]) -> list[torch.Tensor]:
    """Return the two images of a toy domain."""
    return [raw["a"], raw["b"]]


DOMAIN: Any = SimpleNamespace(condition_mean=torch.zeros(1), feature_views=feature_views)


@pytest.fixture(scope="module")
def losses() -> FeatureLosses:
    return FeatureLosses(DOMAIN, torch.Generator().manual_seed(0))


def checks(period: int, shift: int = 0, count: int = 2) -> torch.Tensor:
    """Return (n, 3, h, w) checkerboards."""
    row, column = torch.meshgrid(torch.arange(SIZE), torch.arange(SIZE), indexing="ij")
    plane = ((row + shift) // period + (column + shift) // period) % 2
    return plane.float().expand(count, 3, -1, -1).clone()


def raw(a: torch.Tensor, b: torch.Tensor) -> dict[str, torch.Tensor]:
    return {"a": a, "b": b}


def test_equal_samples_have_no_distance(losses):
    same = raw(checks(4), checks(8))
    assert losses.distance(same, same) == 0 and losses.matching(same, same) == 0


def test_a_distance_sees_places_and_matching_does_not(losses):
    real, moved = raw(checks(4), checks(8)), raw(checks(4, 2), checks(8, 4))
    other = raw(torch.rand(2, 3, SIZE, SIZE), torch.rand(2, 3, SIZE, SIZE))
    assert losses.distance(moved, real) > 0.1
    assert losses.matching(moved, real) < 0.2 * losses.matching(other, real)


def test_matching_sees_maps_that_are_not_aligned(losses):
    """The images have the same patches, but not at the same places."""
    state = torch.Generator().manual_seed(3)
    plane = (torch.rand(4, 1, SIZE // 4, SIZE // 4, generator=state) > 0.5).float()
    plane = plane.repeat_interleave(4, 2).repeat_interleave(4, 3).expand(-1, 3, -1, -1)
    real = raw(plane, 1 - plane)
    aligned, apart = raw(plane.flip(2), 1 - plane.flip(2)), raw(plane, 1 - plane.roll(13, 2))
    assert losses.matching(apart, real) > 1.5 * losses.matching(aligned, real)


def test_gradients_reach_the_fakes_alone(losses):
    fake = torch.rand(2, 3, SIZE, SIZE, requires_grad=True)
    real = torch.rand(2, 3, SIZE, SIZE, requires_grad=True)
    (losses.matching(raw(fake, fake), raw(real, real)) + losses.distance(raw(fake, fake), raw(real, real))).backward()
    assert fake.grad is not None and fake.grad.isfinite().all() and fake.grad.abs().sum() > 0
    assert all(parameter.grad is None for parameter in losses.network.parameters())


def test_patches():
    images = torch.arange(2 * 3 * 5 * 4, dtype=torch.float32).reshape(2, 3, 5, 4)
    found = patches(images)
    assert found.shape == (2, 27, 3, 2)
    torch.testing.assert_close(found[1, :, 2, 1], images[1, :, 2:5, 1:4].reshape(-1))
