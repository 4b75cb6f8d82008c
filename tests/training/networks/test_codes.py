"""The generator with a learned code for each sample, and the projected discriminator."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from ganassets.training.networks import CodeGenerator, ProjectedDiscriminator, make_networks
from ganassets.training.networks.codes import draw_keys
from support.code_runs import CODE_PRESET, make_code_domain, make_pictures

SAMPLES = 12


@pytest.fixture
def generator() -> CodeGenerator:
    domain, _ = make_code_domain(make_pictures(SAMPLES, labels=True))
    torch.manual_seed(0)
    made, discriminator = make_networks(CODE_PRESET, domain, 2)
    assert isinstance(made, CodeGenerator) and isinstance(discriminator, ProjectedDiscriminator)
    return made


def conditions(*labels: int) -> torch.Tensor:
    return torch.eye(2)[list(labels)]


def test_keys_are_typical_latents() -> None:
    keys = draw_keys(50, 16, np.random.default_rng(0))
    assert keys.shape == (50, 16) and keys.dtype == np.float32
    np.testing.assert_allclose(np.square(keys[:, :8]).sum(1), 8, rtol=1e-5)
    np.testing.assert_allclose(np.square(keys[:, 8:]).sum(1), 8, rtol=1e-5)


def test_a_key_selects_the_codes_of_its_sample(generator: CodeGenerator) -> None:
    domain = generator.domain
    w = generator.mapping(domain.keys, domain.standardise(domain.key_conditions), torch.ones(1))
    codes = 3 * torch.cat([generator.shape_codes, generator.style_codes], 1)
    nearest = torch.cdist(w, codes).argmin(1)
    assert nearest.tolist() == list(range(SAMPLES))


def test_only_codes_of_the_requested_label_are_mixed(generator: CodeGenerator) -> None:
    z = torch.randn(5, CODE_PRESET.z_dim, generator=torch.Generator().manual_seed(1))
    first = generator.layered(z, conditions(0, 0, 0, 0, 0))
    with torch.no_grad():
        generator.shape_codes[generator.domain.key_conditions[:, 1] == 1] += 1
    assert torch.allclose(generator.layered(z, conditions(0, 0, 0, 0, 0)), first, atol=1e-4)
    assert not torch.allclose(generator.layered(z, conditions(1, 1, 1, 1, 1)), first, atol=0.1)


def test_shape_and_style_come_from_different_parts_of_z(generator: CodeGenerator) -> None:
    z = torch.randn(2, CODE_PRESET.z_dim, generator=torch.Generator().manual_seed(2))
    crossed = torch.cat([z[:1, : z.shape[1] // 2], z[1:, z.shape[1] // 2 :]], 1)
    w, mixed = generator.layered(z, conditions(0, 0))[:, 0], generator.layered(crossed, conditions(0))[:, 0]
    half = w.shape[1] // 2
    assert torch.allclose(mixed[0, :half], w[0, :half]) and torch.allclose(mixed[0, half:], w[1, half:])


def test_truncation_zero_gives_one_sample_for_all(generator: CodeGenerator) -> None:
    z = torch.randn(3, CODE_PRESET.z_dim)
    condition = generator.domain.standardise(conditions(0, 0, 0))
    w = generator.mapping(z, condition, torch.zeros(1))
    assert torch.allclose(w[0], w[1], atol=1e-5) and torch.allclose(w[0], w[2], atol=1e-5)


def test_samples_have_the_shape_of_the_data(generator: CodeGenerator) -> None:
    raw = generator.sample(torch.randn(3, CODE_PRESET.z_dim), conditions(0, 1, 0))
    assert raw["colour"].shape == (3, 4, 32, 32)
    alpha, colour = raw["colour"][:, 3:], raw["colour"][:, :3]
    assert alpha.min() >= 0 and alpha.max() <= 1 and colour.isfinite().all()


def test_codes_are_parameters_and_the_feature_network_is_not(generator: CodeGenerator) -> None:
    assert set(generator.sample_parameters) <= dict(generator.named_parameters()).keys()
    discriminator = ProjectedDiscriminator(generator.domain)
    assert all(name.startswith(("heads.", "domain.")) for name in discriminator.state_dict())
    assert {name for name, _ in discriminator.named_parameters()} <= discriminator.state_dict().keys()


def test_the_discriminator_is_the_same_in_every_process(generator: CodeGenerator) -> None:
    torch.manual_seed(1)
    first = ProjectedDiscriminator(generator.domain)
    torch.manual_seed(1)
    second = ProjectedDiscriminator(generator.domain)
    view = torch.randn(3, 4, 32, 32)
    scores = first(view, conditions(0, 0, 0))
    assert scores.shape == (3,) and torch.equal(scores, second(view, conditions(0, 1, 1)))


def test_few_codes_for_many_samples() -> None:
    data = make_pictures(SAMPLES)
    domain, full = make_code_domain(data, replace(CODE_PRESET, codes=5))
    assert len(domain.keys) == 5
    assert full.latents is not None and np.isfinite(full.latents).all(1).sum() == 5
