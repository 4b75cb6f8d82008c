"""The domain of heads."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from ganassets.training.networks import fit_linear
from ganassets_faces import SPEC
from ganassets_faces.basis import load_basis
from ganassets_faces.domain import DETAIL_SCALE, VIEW_METRES, FacesDomain
from ganassets_faces.texels import border_fade, texel_map

TINY = replace(SPEC.presets[0], size=64, network_size=32, samples=48, components=6, z_dim=16)


@pytest.fixture(scope="module")
def made():
    data = SPEC.dataset(TINY, {}, 0, lambda done, total: None)
    return data, SPEC.domain(TINY, fit_linear(data, TINY.z_dim, TINY.components, np.random.default_rng(0)))


def raw_of(data, count: int = 4) -> dict[str, torch.Tensor]:
    signals, vectors, _ = data.batch(np.arange(count))
    return {name: torch.from_numpy(array) for name, array in (signals | vectors).items()}


def test_domain_matches_the_spec(made):
    _, domain = made
    assert isinstance(domain, FacesDomain)
    assert domain.wraps == SPEC.wraps and domain.size == 64 and domain.network_size == 32
    assert domain.linear is not None and domain.linear.width == 6 + len(load_basis().components)


def test_outputs_are_the_sampled_heads(made):
    data, domain = made
    outputs, basis = domain.finish(raw_of(data), torch.from_numpy(data.conditions[:4])), load_basis()
    assert list(outputs) == [output.name for output in SPEC.outputs]
    points = basis.points(data.vectors["shape"][:4])
    np.testing.assert_allclose(outputs["positions"].numpy(), points[:, : basis.vertex_count], atol=1e-4)
    np.testing.assert_allclose(outputs["joints"].numpy(), points[:, basis.vertex_count :], atol=1e-4)
    np.testing.assert_allclose(outputs["albedo"].numpy(), data.signals["albedo"][:4] / 255, atol=1e-6)


def test_outputs_keep_to_the_ranges(made):
    data, domain = made
    raw = raw_of(data)
    outputs = domain.finish(
        {"albedo": raw["albedo"] * 9 - 4, "shape": raw["shape"]}, torch.from_numpy(data.conditions[:4])
    )
    for output in SPEC.outputs:
        assert output.low is not None and output.high is not None
        assert outputs[output.name].min() >= output.low and outputs[output.name].max() <= output.high


def test_networks_paint_inside_the_island_only(made):
    data, domain = made
    raw = raw_of(data)
    painted = domain.combine(raw, {"albedo": torch.ones(4, 3, 64, 64)})
    assert torch.equal(painted["shape"], raw["shape"])
    change = (painted["albedo"] - raw["albedo"]).numpy()
    np.testing.assert_allclose(change, np.broadcast_to(border_fade(64), change.shape), atol=1e-6)


def test_view_shows_skin_and_displacement(made):
    data, domain = made
    raw = raw_of(data)
    view = domain.view(raw)
    assert view.shape == (4, domain.view_channels, 32, 32)
    halved = raw["albedo"].reshape(4, 3, 32, 2, 32, 2).mean((3, 5))
    torch.testing.assert_close(view[:, :3], (halved - 0.5) * 5)
    basis = load_basis()
    moved = (basis.points(data.vectors["shape"][:1])[0] - basis.mean)[: basis.vertex_count]
    expected = texel_map(32).interpolate(moved).transpose(2, 0, 1) / VIEW_METRES
    np.testing.assert_allclose(view[0, 3:6].numpy(), expected, atol=1e-2)


def test_view_shows_the_detail_that_lies_within_its_texels(made):
    data, domain = made
    raw = raw_of(data)
    detail = domain.view(raw)[:, 6:].reshape(4, 3, 2, 2, 32, 32)
    halved = raw["albedo"].reshape(4, 3, 32, 2, 32, 2).mean((3, 5))
    for down in range(2):
        for along in range(2):
            expected = (raw["albedo"][:, :, down::2, along::2] - halved) * DETAIL_SCALE
            torch.testing.assert_close(detail[:, :, down, along], expected)
    torch.testing.assert_close(detail.mean((2, 3)), torch.zeros(4, 3, 32, 32), atol=1e-5, rtol=0)


def test_skins_of_the_network_size_have_no_detail():
    preset = replace(TINY, size=32)
    data = SPEC.dataset(preset, {}, 0, lambda done, total: None)
    domain = SPEC.domain(preset, fit_linear(data, preset.z_dim, preset.components, np.random.default_rng(0)))
    assert domain.view(raw_of(data)).shape == (4, 6, 32, 32) == (4, domain.view_channels, 32, 32)


def test_view_has_about_unit_variance(made):
    data, domain = made
    view = domain.view(raw_of(data, 48))
    spread = view.std((0, 2, 3))
    assert (spread[:6] > 0.2).all() and (spread < 5).all()
    assert (spread[6:] > 0.05).all() and spread[6:].square().mean() < 1, "there are many channels of detail"


def test_gradient_reaches_skin_and_shape(made):
    data, domain = made
    raw = {name: value.requires_grad_() for name, value in raw_of(data).items()}
    domain.view(raw).square().sum().backward()
    assert all(value.grad is not None and float(value.grad.abs().sum()) > 0 for value in raw.values())
