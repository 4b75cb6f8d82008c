"""Generator and discriminator for signals of every kind."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from ganassets.training.networks import Generator, NetworkSettings, count_parameters
from support.domains import (
    KINDS,
    NETWORK_SIZE,
    STRIDE,
    ToyDomain,
    make_data,
    make_fit,
    make_inputs,
    make_networks,
    make_preset,
)

ALL = pytest.mark.parametrize("kind", list(KINDS))


def assert_close(found: Tensor, expected: Tensor) -> None:
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=1e-5)


@ALL
def test_shapes(kind):
    generator, discriminator = make_networks(kind)
    inputs = make_inputs(generator, 3)
    raw, facts = generator(*inputs), KINDS[kind]
    size = [facts["size"] or NETWORK_SIZE] * len(facts["wraps"])
    expected = {name: (3, c, *size) for name, c in facts["signals"].items()}
    expected |= {name: (3, k) for name, k in facts.get("vectors", {}).items()}
    assert {name: tuple(value.shape) for name, value in raw.items()} == expected
    assert all(bool(torch.isfinite(value).all()) and float(value.std()) > 1e-4 for value in raw.values())
    scores = discriminator(generator.domain.view(raw), inputs[1])
    assert scores.shape == (3,) and float(scores.std()) > 0


@ALL
def test_seeds_in_a_batch_do_not_touch(kind):
    generator, discriminator = make_networks(kind)
    inputs = make_inputs(generator, 5)
    together = generator(*inputs)
    alone = generator(*[t if t.shape == (1,) else t[2:3] for t in inputs])
    for name, value in alone.items():
        assert_close(value[0], together[name][2])
    view = generator.domain.view(together)
    assert_close(discriminator(view[2:3], inputs[1][2:3])[0], discriminator(view, inputs[1])[2])


@ALL
def test_truncation_pulls_to_the_centre_of_the_condition(kind):
    generator, _ = make_networks(kind)
    z, condition, one, zero, *noise = make_inputs(generator)
    centre = generator(torch.zeros_like(z), condition, one, zero, *noise)
    for name, value in generator(z, condition, torch.zeros(1), zero, *noise).items():
        assert_close(value, centre[name])
    full = generator(z, condition, one, zero, *noise)
    half = generator(z, condition, torch.full((1,), 0.5), zero, *noise)
    for name in centre:
        assert float((half[name] - centre[name]).norm()) < float((full[name] - centre[name]).norm())
    w = [generator.mapping(z, condition, torch.full((1,), t)) for t in (0.0, 0.5, 1.0)]
    assert_close(w[1], (w[0] + w[2]) / 2)


@ALL
def test_condition_counts_at_truncation_zero(kind):
    generator, _ = make_networks(kind)
    z, condition, _, zero, *noise = make_inputs(generator)
    first = generator(z, condition, torch.zeros(1), zero, *noise)
    second = generator(z, condition + 1, torch.zeros(1), zero, *noise)
    assert all(not torch.allclose(first[name], second[name], atol=1e-4) for name in first)


@ALL
def test_every_layer_reads_its_own_offset(kind):
    generator, _ = make_networks(kind)
    z, condition, one, zero, *noise = make_inputs(generator)
    plain = generator(z, condition, one, zero, *noise)
    sampled = generator.domain.finish(generator.sample(z, condition, *noise), condition)
    for name in plain:
        assert_close(sampled[name], plain[name])
    # Layer 0 feeds the linear model alone, where there is one.
    for layer in range(0 if generator.domain.linear is not None else 1, generator.layers):
        offset = zero.clone()
        offset[:, layer] = 0.5
        moved = generator(z, condition, one, offset, *noise)
        assert any(not torch.allclose(moved[name], plain[name], atol=1e-4) for name in plain), layer


def test_mixing_is_an_offset():
    """Coarse layers of one seed with fine layers of another: the difference of their w as an offset."""
    generator, _ = make_networks("loop")
    z, condition, one, zero, *_ = make_inputs(generator, 2)
    w = generator.mapping(z, generator.domain.standardise(condition), one)
    offset = zero.clone()
    offset[0] = w[1] - w[0]
    mixed, plain = generator(z, condition, one, offset), generator(z, condition, one, zero)
    assert_close(mixed["pose"][0], plain["pose"][1])


def test_starts_as_its_linear_model():
    generator, _ = make_networks("picture", trained=False)
    z, condition, one, zero, *_ = make_inputs(generator)
    domain = generator.domain
    assert domain.linear is not None
    expected = domain.linear(domain.linear.coefficients(z, domain.standardise(condition)))
    for name, value in generator(z, condition, one, zero).items():
        assert_close(value, expected[name])


@pytest.mark.parametrize("axis", [2, 3])
def test_noise_rolls_the_texture(axis):
    generator, _ = make_networks("tile")
    z, condition, one, zero, noise = make_inputs(generator)
    plain = generator(z, condition, one, zero, noise)
    rolled = generator(z, condition, one, zero, torch.roll(noise, 2 * STRIDE, axis))
    for name in plain:
        assert_close(rolled[name], torch.roll(plain[name], 2 * STRIDE, axis))


def test_repeated_noise_repeats_the_texture():
    """So a texture tiles exactly, and any size can be made: numbers read off the trunk do not change either."""
    generator, _ = make_networks("tile")
    z, condition, one, zero, noise = make_inputs(generator)
    plain = generator(z, condition, one, zero, noise)
    for repeats in ((2, 1), (1, 3)):
        larger = generator(z, condition, one, zero, noise.repeat(1, 1, *repeats))
        for name in plain:
            assert_close(larger[name], plain[name].repeat(1, 1, *repeats))


def test_parameters_are_counted():
    generator, _ = make_networks("loop")
    assert count_parameters(generator) == 0  # frozen
    generator.requires_grad_(True)
    assert count_parameters(generator) == sum(p.numel() for p in generator.parameters())


class Embedding(ToyDomain):
    """A domain that knows three numbers of a sample: linear in the latent, moved by the first slider."""

    def embedded_width(self, z_dim: int) -> int:
        """Return 3."""
        return 3

    def embed(self, z: Tensor, condition: Tensor) -> Tensor:
        """Return (n, 3) numbers."""
        return 2 * z[:, :3] + condition[:, :1]


def test_networks_read_the_latent_as_the_domain_transforms_it():
    """And nothing else of it: numbers that it leaves out change nothing."""
    domain = Embedding("loop", make_fit("loop", make_data("loop"), make_preset()))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        generator = Generator(domain, NetworkSettings(8, 2, 12, 8, 16))
        for parameter in generator.parameters():
            parameter.data.add_(0.05 * torch.randn_like(parameter))
    generator.eval().requires_grad_(False)
    assert generator.full_w_dim == 12 + 3 + 2
    z, condition, one, zero = make_inputs(generator)
    w = generator.mapping(z, domain.standardise(condition), one)
    assert_close(w[:, 12:15], domain.embed(z, domain.standardise(condition)))
    assert_close(w[:, 15:], domain.standardise(condition))
    half = generator.mapping(z, domain.standardise(condition), 0.5 * one)
    assert_close(half[:, 12:15], domain.embed(0.5 * z, domain.standardise(condition)))
    made = generator(z, condition, one, zero)["pose"]
    other = z.clone()
    other[:, 3:] += 1
    assert_close(generator(other, condition, one, zero)["pose"], made)
    other[:, 0] += 1
    assert not torch.allclose(generator(other, condition, one, zero)["pose"], made, atol=1e-3)


def test_subpixels_are_made_where_they_are():
    """The last layer makes each of the four texels within one of its own, and nothing is interpolated between."""
    domain = ToyDomain("picture", make_fit("picture", make_data("picture"), make_preset()))
    domain.subpixel = True
    preset = make_preset()
    settings = NetworkSettings(preset.z_dim, 2, preset.w_dim, preset.width, preset.max_width)
    generator = Generator(domain, settings).requires_grad_(False)
    layer = generator.to_signals.conv
    assert domain.size == 2 * NETWORK_SIZE and domain.linear is not None and layer.bias is not None
    assert layer.weight.shape[0] == 3 * 4
    layer.bias.copy_(torch.arange(12.0))
    z, condition = make_inputs(generator)[:2]
    before = domain.linear(domain.linear.coefficients(z, domain.standardise(condition)))["albedo"]
    added = generator.sample(z, condition)["albedo"] - before
    down, along = torch.meshgrid(torch.arange(32), torch.arange(32), indexing="ij")
    for channel in range(3):
        expected = 4.0 * channel + 2 * (down % 2) + along % 2
        assert_close(added[:, channel], expected.expand(4, -1, -1))
    layer.weight[0].fill_(0.5)  # the first of the first channel alone
    changed = generator.sample(z, condition)["albedo"] - before - added
    assert changed[:, 0, ::2, ::2].abs().min() > 0
    changed[:, 0, ::2, ::2] = 0
    assert_close(changed, torch.zeros_like(changed))
