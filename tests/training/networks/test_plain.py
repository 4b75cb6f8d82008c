"""Networks that a plugin brings: they train, truncate and export as the core's do."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from ganassets.api.data import TrainingData
from ganassets.api.errors import InputError
from ganassets.api.spec import Preset
from ganassets.training.networks import (
    Discriminator,
    Domain,
    Generator,
    NetworkSettings,
    PlainDiscriminator,
    PlainGenerator,
    fit_linear,
    make_networks,
)
from ganassets.training.onnx_export import PARITY_LATENTS, TOLERANCE, measure_parity, to_onnx, w_statistics
from ganassets.training.trainer import Trainer
from support.domains import CPU, make_preset, make_spec

SIZE = 7  # no power of two
PRESET = make_preset(size=SIZE, network_size=SIZE, components=0, kimg=0.8, objective="nonsaturating")
DATA = TrainingData(
    {name: np.random.default_rng(0).random((64, 1, SIZE, SIZE)).astype(np.float32) for name in ("light", "dark")},
    {},
    np.zeros((64, 0), np.float32),
    "noise",
    "CC0-1.0",
    "computed",
)


class Light(Domain):
    """Two signals of a size that the core's networks can't make."""

    signals, vectors, wraps = {"light": 1, "dark": 1}, {}, (False, False)
    size, network_size, view_channels = SIZE, SIZE, 2

    def view(self, raw: dict[str, Tensor]) -> Tensor:
        """Both of them."""
        return torch.cat(list(raw.values()), 1)

    def finish(self, raw: dict[str, Tensor], condition: Tensor) -> dict[str, Tensor]:
        """Outputs, as they are."""
        return raw


def make_light() -> Light:
    return Light(fit_linear(DATA, PRESET.z_dim, 0, np.random.default_rng(0)))


def make_plain(preset: Preset, domain: Domain, settings: NetworkSettings) -> tuple[PlainGenerator, PlainDiscriminator]:
    """The smallest pair."""
    shape = (2, SIZE, SIZE)
    generator = nn.Sequential(nn.Linear(settings.z_dim, 2 * SIZE**2), nn.Unflatten(1, shape))
    return PlainGenerator(domain, settings, generator), PlainDiscriminator(
        nn.Sequential(nn.Flatten(), nn.Linear(2 * SIZE**2, 1))
    )


@pytest.fixture
def plain() -> PlainGenerator:
    torch.manual_seed(0)
    generator, _ = make_networks(PRESET, make_light(), 0, make_plain)
    assert isinstance(generator, PlainGenerator)
    return generator.eval().requires_grad_(False)


def inputs_of(generator: PlainGenerator, n: int = 3) -> list[Tensor]:
    """Return z, no conditions, truncation 1 and no offset."""
    z = torch.randn(n, generator.settings.z_dim, generator=torch.Generator().manual_seed(1))
    return [z, torch.zeros(n, 0), torch.ones(1), torch.zeros(1, generator.layers, generator.full_w_dim)]


def test_the_network_makes_the_signals(plain):
    z, *rest = inputs_of(plain)
    made = plain(z, *rest)
    assert {name: tuple(value.shape) for name, value in made.items()} == dict.fromkeys(
        ("light", "dark"), (3, 1, SIZE, SIZE)
    )
    torch.testing.assert_close(torch.cat(list(made.values()), 1), plain.network(z))
    torch.testing.assert_close(plain.sample(z, rest[0])["dark"], made["dark"])


def test_truncation_scales_the_latent_and_an_offset_adds_to_it(plain):
    z, condition, _, zero = inputs_of(plain)
    half = plain(z, condition, torch.full((1,), 0.5), zero)["light"]
    torch.testing.assert_close(half, plain(z / 2, condition, torch.ones(1), zero)["light"])
    moved = plain(z, condition, torch.ones(1), z[:, None].flip(0))["light"]
    torch.testing.assert_close(moved, plain(z + z.flip(0), condition, torch.ones(1), zero)["light"])


def test_export_of_networks_without_conditions(plain):
    pytest.importorskip("onnxruntime")
    parity = measure_parity(plain, to_onnx(plain).SerializeToString(), np.zeros((5, 0), np.float32))
    assert parity.latents == PARITY_LATENTS and max(parity.max_abs_difference.values()) <= TOLERANCE
    statistics = w_statistics(plain, np.zeros((5, 0), np.float32))
    assert len(statistics.mean) == PRESET.z_dim
    np.testing.assert_allclose([statistics.mean, statistics.std], [[0] * 8, [1] * 8], atol=0.1)


def test_both_networks_train_and_come_back():
    def make() -> Trainer:
        return Trainer(PRESET, make_light(), DATA, PRESET.objective, CPU, 0, networks=make_plain)

    trainer = make()
    before = {name: value.clone() for name, value in trainer.state()[0].items() if name.startswith(("gen", "dis"))}
    metrics: dict[str, float] = {}
    while trainer.progress < 1:
        metrics = trainer.step()
    assert "penalty" not in metrics and np.isfinite(metrics["g_loss"])
    tensors, numbers = trainer.state()
    assert len(before) == 4 and not any(torch.equal(value, tensors[name]) for name, value in before.items())
    other = make()
    other.restore(tensors, numbers)
    z = torch.ones(2, PRESET.z_dim)
    np.testing.assert_array_equal(
        other.snapshot(z, torch.zeros(2, 0))["light"], trainer.snapshot(z, torch.zeros(2, 0))["light"]
    )


def test_a_plugin_without_networks_gets_the_cores():
    spec = make_spec("loop", make_preset(), lambda *a: DATA)
    assert spec.networks is None
    domain = spec.domain(spec.presets[0], fit_linear(DATA, 8, 0, np.random.default_rng(0)))
    generator, discriminator = make_networks(spec.presets[0], domain, 2)
    assert type(generator) is Generator and type(discriminator) is Discriminator
    assert replace(spec, networks=make_plain).networks is make_plain


def test_running_statistics_are_refused():
    def own(preset: Preset, domain: Domain, settings: NetworkSettings) -> tuple[PlainGenerator, PlainDiscriminator]:
        generator, _ = make_plain(preset, domain, settings)
        return generator, PlainDiscriminator(nn.Sequential(nn.Flatten(), nn.BatchNorm1d(2 * SIZE**2)))

    with pytest.raises(InputError, match=r"network\.1\.running_mean.*running statistics"):
        make_networks(PRESET, make_light(), 0, own)
