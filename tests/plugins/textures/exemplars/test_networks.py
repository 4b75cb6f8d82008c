"""The generator of exemplars: what it starts from, and exact rolling; test_end_to_end rolls the exported graph."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from ganassets.training.networks import NetworkSettings
from ganassets_textures import SPEC
from ganassets_textures.exemplars.cells import CELL, NOISE_CHANNELS, WHITE
from ganassets_textures.exemplars.decoder import read_decoder
from ganassets_textures.exemplars.networks import ExemplarGenerator
from ganassets_textures.exemplars.noise import exemplar_noise
from ganassets_textures.networks import MaterialGenerator, material_networks
from support.exemplars import bricks, condition_row, make_fit, stripes
from support.textures_domain import make_domain as make_painted_domain

PRESET = replace(SPEC.preset("material"), size=32, network_size=32)
SETTINGS = NetworkSettings(PRESET.z_dim, 2 + 6, PRESET.w_dim, PRESET.width, PRESET.max_width)


@pytest.fixture(scope="module")
def generator() -> ExemplarGenerator:
    torch.manual_seed(0)
    domain = SPEC.domain(PRESET, make_fit(bricks(), stripes()))
    made, _ = material_networks(PRESET, domain, SETTINGS)
    assert isinstance(made, ExemplarGenerator)
    return made.eval()


def run(generator: ExemplarGenerator, noise: np.ndarray, row: np.ndarray, seed: int = 0) -> dict[str, torch.Tensor]:
    """Return raw samples of one map."""
    z = torch.randn(1, PRESET.z_dim, generator=torch.Generator().manual_seed(seed))
    with torch.no_grad():
        w = generator.mapping(z, torch.from_numpy(row)[None], torch.ones(1))
        return generator.synthesis(w[:, None].expand(-1, generator.layers, -1), torch.from_numpy(noise)[None])


def noise_of(generator: ExemplarGenerator, row: np.ndarray, size: tuple[int, int] = (64, 48)) -> np.ndarray:
    return exemplar_noise(3, row, size, generator.domain.model_arrays())


@pytest.mark.parametrize("shift", [(CELL, 0), (0, CELL), (-2 * CELL, 5 * CELL)])
def test_rolling_the_noise_rolls_the_maps_exactly(generator, shift):
    row = condition_row(0.5, 0.5)
    noise = noise_of(generator, row)
    made = run(generator, noise, row)
    rolled = run(generator, np.roll(noise, shift, (1, 2)), row)
    for name, values in made.items():
        assert torch.equal(values.roll(shift, (2, 3)), rolled[name]), name


def test_it_starts_from_the_trained_decoder(generator):
    parameters = dict(generator.named_parameters())
    weights = read_decoder()
    assert weights and all(torch.equal(parameters[name], torch.from_numpy(w)) for name, w in weights.items())
    left = parameters.keys() - weights.keys()
    assert all(name.startswith("map_") for name in left), "only the mapping of latents and conditions is untrained"


def test_white_noise_and_latent_vary_grain_only(generator):
    row = condition_row(1, 0)
    noise = noise_of(generator, row)
    made = run(generator, noise, row)["albedo"]
    other = noise.copy()
    other[WHITE] = np.random.default_rng(9).normal(size=other[WHITE].shape)
    for found in (run(generator, other, row)["albedo"], run(generator, noise, row, seed=5)["albedo"]):
        assert (found - made).abs().mean() < 0.1 * made.std()


def test_it_reaches_as_far_as_it_says(generator):
    row = condition_row(1, 0)
    noise = noise_of(generator, row, (128, 128))
    changed = noise.copy()
    changed[:, 64:68, 64:68] += 1
    a, b = (run(generator, x, row)["albedo"][0] for x in (noise, changed))
    rows = (a != b).any(0).any(1).nonzero()[:, 0]
    assert 64 - int(rows.min()) <= generator.reach and int(rows.max()) - 67 <= generator.reach


def test_gradients_reach_every_weight(generator):
    row = condition_row(1, 0)
    noise = torch.from_numpy(noise_of(generator, row))[None]
    z = torch.randn(1, PRESET.z_dim)
    w = generator.mapping(z, torch.from_numpy(row)[None], torch.ones(1))
    made = generator.synthesis(w[:, None].expand(-1, generator.layers, -1), noise)
    torch.stack([values.square().mean() for values in made.values()]).sum().backward()
    assert [name for name, p in generator.named_parameters() if p.grad is None] == []
    generator.zero_grad()


def test_painted_materials_have_networks_of_their_own():
    domain = make_painted_domain()
    generator, _ = material_networks(SPEC.presets[0], domain, replace(SETTINGS, c_dim=len(domain.condition_mean)))
    assert type(generator) is MaterialGenerator
    assert domain.noise_channels != NOISE_CHANNELS
