"""The generator of textures: exact rolling, the classes' shares, and the graph's layers."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from ganassets.training.networks import NetworkSettings
from ganassets_textures.materials import CLASSES, COLUMNS
from ganassets_textures.networks import ClassDense, MaterialGenerator, Mixer
from support.textures_domain import SIZE, make_domain, make_samples

SETTINGS = NetworkSettings(z_dim=16, c_dim=len(COLUMNS), w_dim=8, width=8, max_width=16)


@pytest.fixture(scope="module")
def generator() -> MaterialGenerator:
    torch.manual_seed(0)
    return MaterialGenerator(make_domain(), SETTINGS).requires_grad_(False)


def inputs(count: int = 2, size: int = SIZE) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Latents, conditions and noise maps."""
    state = torch.Generator().manual_seed(1)
    condition = torch.from_numpy(make_samples().conditions[:count])
    channels = make_domain().noise_channels
    return torch.randn(count, 16, generator=state), condition, torch.randn(count, channels, size, size, generator=state)


def test_moved_noise_moves_the_maps(generator):
    z, condition, noise = inputs()
    made = generator.sample(z, condition, noise)
    moved = generator.sample(z, condition, noise.roll((16, -32), (2, 3)))
    for name, values in made.items():
        torch.testing.assert_close(moved[name], values.roll((16, -32), (2, 3)), rtol=0, atol=1e-5)


def test_noise_beyond_the_reach_changes_nothing(generator):
    z, condition, noise = inputs(1, 192)
    other = noise.clone()
    other[..., 96, 96] += 3
    changed = [(generator.sample(z, condition, m)["albedo"]) for m in (noise, other)]
    rows = np.nonzero((changed[0] != changed[1]).any(1).any(0).any(1).numpy())[0]
    assert len(rows) and 96 - rows.min() <= generator.reach and rows.max() - 96 <= generator.reach


def test_every_layer_reads_w(generator):
    z, condition, noise = inputs()
    zero = torch.zeros(2, generator.layers, generator.full_w_dim)
    one = torch.ones(1)
    plain = generator(z, condition, one, zero, noise)
    for layer in range(generator.layers):
        offset = zero.clone()
        offset[:, layer, -len(COLUMNS) :] = 0.5
        assert not torch.equal(generator(z, condition, one, offset, noise)["albedo"], plain["albedo"]), layer


def test_truncation_keeps_the_conditions(generator):
    z, condition, _ = inputs()
    w = generator.mapping(z, generator.domain.standardise(condition), torch.zeros(1))
    torch.testing.assert_close(w, generator.mapping(-z, generator.domain.standardise(condition), torch.zeros(1)))
    assert w.shape == (2, generator.full_w_dim)


def test_matrices_are_mixed_by_the_shares():
    torch.manual_seed(0)
    dense = ClassDense(3, 4)
    shares = torch.eye(len(CLASSES))[:2]
    x = torch.randn(2, 3)
    first, second = dense(x[:1], shares[:1]), dense(x[:1], shares[1:])
    half = dense(x[:1], (shares[:1] + shares[1:]) / 2)
    torch.testing.assert_close(half, (first + second) / 2)


def test_a_mixer_works_within_texels_and_adds_to_a_base():
    torch.manual_seed(0)
    mixer = Mixer(3, 4, 5)
    x, w, shares = torch.randn(2, 3, 6, 8), torch.randn(2, 5), torch.eye(len(CLASSES))[:2]
    made = mixer(x, w, shares)
    assert made.shape == (2, 4, 6, 8)
    torch.testing.assert_close(mixer(x[:, :, 2:3, 3:4], w, shares), made[:, :, 2:3, 3:4])
    mixer = Mixer(3, 4)
    base = torch.randn(2, 4, 6, 8)
    torch.testing.assert_close(mixer(x, w, shares, base) - base, mixer(x, w, shares), atol=1e-5, rtol=1e-4)
