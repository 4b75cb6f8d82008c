"""Small domains for the tests of networks and training, one for each kind of signal that a plugin may have."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from ganassets.api.conditions import Condition
from ganassets.api.data import TrainingData
from ganassets.api.outputs import Output
from ganassets.api.spec import API_VERSION, GeneratorSpec, Preset
from ganassets.training.networks import Discriminator, Domain, Generator, LinearFit, NetworkSettings, fit_linear
from ganassets.training.settings import Hardware
from ganassets.training.trainer import Trainer

CPU = Hardware("cpu", 1, "float32", True)
# Signals of each kind, which axes wrap, and vectors.
KINDS: dict[str, dict[str, Any]] = {
    # a size-free texture: wraps both ways, starts from noise
    "tile": {"signals": {"albedo": 3, "height": 1}, "wraps": (True, True), "size": None},
    # a clip that loops, at twice the networks' size, without a linear model
    "loop": {"signals": {"pose": 4}, "wraps": (True,), "size": 32},
    # an aligned picture with numbers beside it, on a linear model
    "picture": {
        "signals": {"albedo": 3},
        "vectors": {"shape": 5},
        "wraps": (False, False),
        "size": 32,
        "components": 6,
    },
    # numbers and a signal without a linear model; one axis wraps
    "band": {"signals": {"depth": 2}, "vectors": {"shape": 3}, "wraps": (False, True), "size": 16},
}
NETWORK_SIZE = 16
# Of the size-free kind.
STRIDE, NOISE_CHANNELS = 4, 3


class ToyDomain(Domain):
    """A domain whose outputs are the raw sample and whose view contains all signals and vectors."""

    def __init__(self, kind: str, fit: LinearFit) -> None:
        super().__init__(fit)
        facts = KINDS[kind]
        self.signals, self.vectors = facts["signals"], facts.get("vectors", {})
        self.wraps, self.size, self.network_size = facts["wraps"], facts["size"], NETWORK_SIZE
        self.view_channels = sum(self.signals.values()) + sum(self.vectors.values())
        self.stride, self.noise_channels, self.white_channels = STRIDE, NOISE_CHANNELS, 2

    def finish(self, raw: dict[str, Tensor], condition: Tensor) -> dict[str, Tensor]:
        """Return the raw sample."""
        return raw

    def view(self, raw: dict[str, Tensor]) -> Tensor:
        """Return (n, view_channels, *network_size)."""
        pool = (nn.functional.avg_pool1d, nn.functional.avg_pool2d)[len(self.wraps) - 1]
        parts = []
        for name in self.signals:
            factor = raw[name].shape[-1] // self.network_size
            parts.append(pool(raw[name], factor) if factor > 1 else raw[name])
        size = parts[0].shape[2:]
        parts += [raw[name][..., *[None] * len(size)].expand(-1, -1, *size) for name in self.vectors]
        return torch.cat(parts, 1)


def make_preset(**changes: Any) -> Preset:
    """Make a preset of tiny networks."""
    facts = {"size": 32, "network_size": NETWORK_SIZE, "kimg": 1.0, "width": 8, "max_width": 16, "z_dim": 8}
    return Preset("toy", "For tests.", **{**facts, "w_dim": 12, "batch": 8, "samples": 64, **changes})


def make_data(kind: str, n: int = 64, seed: int = 0) -> TrainingData:
    """Make waves whose height is the first condition and whose phase varies by a third of a turn."""
    facts, rng = KINDS[kind], np.random.default_rng(seed)
    size = facts["size"] or NETWORK_SIZE
    height, phase = rng.uniform(0.5, 1.5, n), rng.uniform(0, 2 * np.pi / 3, n)
    time = np.linspace(0, 2 * np.pi, size, endpoint=False)

    def wave(channels: int) -> NDArray[np.float32]:
        shifts = np.arange(channels)[:, None] * 0.7
        along = height[:, None, None] * np.sin(time + shifts + phase[:, None, None])
        if len(facts["wraps"]) == 1:
            return along.astype(np.float32)
        across = np.cos(time)[:, None]
        return (along[:, :, None] * (1 + 0.3 * across)).astype(np.float32)

    signals = {name: wave(channels) for name, channels in facts["signals"].items()}
    widths = facts.get("vectors", {})
    angle = phase[:, None] + np.arange(max(widths.values(), default=0))
    vectors = {name: (height[:, None] * np.sin(angle[:, :width])).astype(np.float32) for name, width in widths.items()}
    conditions = np.column_stack([height, rng.uniform(0, 10, n)]).astype(np.float32)
    return TrainingData(signals, vectors, conditions, "waves", "CC0-1.0", "computed")


def make_fit(kind: str, data: TrainingData, preset: Preset) -> LinearFit:
    """Fit the linear model that a run of this kind starts from."""
    return fit_linear(data, preset.z_dim, KINDS[kind].get("components", 0), np.random.default_rng(0))


def make_domain(kind: str) -> ToyDomain:
    """Make a domain, fitted to its data."""
    return ToyDomain(kind, make_fit(kind, make_data(kind), make_preset()))


def make_networks(kind: str, seed: int = 0, *, trained: bool = True) -> tuple[Generator, Discriminator]:
    """Make networks of a domain; `trained` changes every weight, so that none is zero."""
    preset = make_preset()
    settings = NetworkSettings(preset.z_dim, 2, preset.w_dim, preset.width, preset.max_width)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        domain = make_domain(kind)
        networks = Generator(domain, settings), Discriminator(domain, settings)
        for parameter in (p for network in networks for p in network.parameters() if trained):
            parameter.data.add_(0.05 * torch.randn_like(parameter))
    for network in networks:
        network.eval().requires_grad_(False)
    return networks


def make_inputs(generator: Generator, n: int = 4, seed: int = 0, side: int = NETWORK_SIZE) -> list[Tensor]:
    """Make the inputs of a generator's graph: truncation 1, w_offset 0 and, if size-free, side x side noise maps."""
    state = torch.Generator().manual_seed(seed)
    z = torch.randn(n, generator.settings.z_dim, generator=state)
    condition = torch.rand(n, 2, generator=state) + 0.5
    inputs = [z, condition, torch.ones(1), torch.zeros(n, generator.layers, generator.full_w_dim)]
    if generator.domain.size is None:
        inputs.append(torch.randn(n, NOISE_CHANNELS, side, side, generator=state))
    return inputs


def make_trainer(
    kind: str, seed: int = 0, objective: str = "rpgan", hardware: Hardware = CPU, n: int = 64, **changes: Any
) -> Trainer:
    """Make an untrained trainer."""
    preset, data = make_preset(**changes), make_data(kind, n)
    return Trainer(preset, ToyDomain(kind, make_fit(kind, data, preset)), data, objective, hardware, seed)


def make_spec(
    kind: str, preset: Preset, dataset: Callable[..., TrainingData], conditions: tuple[Condition, ...] = ()
) -> GeneratorSpec:
    """Make a generator of waves with one preset."""
    return GeneratorSpec(
        name=kind,
        summary="Waves.",
        version="1.0",
        api_version=API_VERSION,
        asset_kind="mesh",
        outputs=(Output("albedo", ("channel", "height", "width"), "sRGB"),),
        conditions=conditions,
        wraps=KINDS[kind]["wraps"],
        presets=(preset,),
        dataset=dataset,
        domain=lambda preset, fit: ToyDomain(kind, fit),
        decode=lambda arrays, manifest, names, provenances, settings: [],
        preview=lambda assets: None,  # pyright: ignore[reportArgumentType]
    )
