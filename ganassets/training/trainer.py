"""The training step and everything that changes with it: networks, optimisers, their average, random state."""

from __future__ import annotations

import copy
import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ..data import TrainingData
from ..errors import InputError
from ..networks import Discriminator, Domain, Generator, NetworkSettings
from ..spec import Preset
from .objective import OBJECTIVES, gradient_penalty
from .settings import Hardware

# Shares of the run.
WARM_UP = 0.04  # the discriminator learns alone, then the generator's rate rises
EMA_HALF_LIFE = 0.05
BETA2 = 0.99
DISCRIMINATOR_RATE = 1.0  # times the generator's


@dataclass(frozen=True)
class Schedule:
    """Rates and weights at a moment of the run."""

    generator_rate: float
    discriminator_rate: float
    gamma: float
    ema_decay: float


def schedule(preset: Preset, progress: float) -> Schedule:
    """Schedules as functions of progress in [0, 1]: cosine to a quarter for rates, tenfold down for gamma."""
    cosine = 0.5 * (1 + math.cos(math.pi * min(progress, 1.0)))
    rate = preset.learning_rate * (0.25 + 0.75 * cosine)
    ramp = min(max(progress / WARM_UP - 1, 0.0), 1.0)
    half_life = max(EMA_HALF_LIFE * preset.kimg * 1000 / preset.batch, 1.0)
    return Schedule(rate * ramp, rate * DISCRIMINATOR_RATE, preset.gamma * 0.1**progress, 0.5 ** (1 / half_life))


class Trainer:
    """One run's state. Nothing here touches files or the clock.

    Args:
        preset: sizes and rates.
        domain: the plugin's torch part.
        data: training samples.
        objective: key of OBJECTIVES.
        hardware: device, threads, precision.
        seed: of initial weights, batches and latents.
    """

    def __init__(
        self,
        preset: Preset,
        domain: Domain,
        data: TrainingData,
        objective: str,
        hardware: Hardware,
        seed: int,
    ) -> None:
        self.preset, self.data, self.hardware = preset, data, hardware
        self.objective = OBJECTIVES[objective]
        self.device = torch.device(hardware.device)
        settings = NetworkSettings(preset.z_dim, data.conditions.shape[1], preset.w_dim, preset.width, preset.max_width)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.generator = Generator(domain, settings).to(self.device)
            self.discriminator = Discriminator(domain, settings).to(self.device)
        if hardware.channels_last and len(domain.wraps) == 2:
            self.generator.to(memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue]
            self.discriminator.to(memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue]
        self.domain = domain
        self.average = copy.deepcopy(self.generator).requires_grad_(False)
        self.generator.autocast = self.discriminator.autocast = self.autocast
        adam = {"lr": 0.0, "betas": (0.0, BETA2), "eps": 1e-8}
        self.generator_optimiser = torch.optim.Adam(trainable(self.generator), **adam)
        self.discriminator_optimiser = torch.optim.Adam(trainable(self.discriminator), **adam)
        self.batches = np.random.Generator(np.random.Philox(seed))
        self.noise = torch.Generator().manual_seed(seed)
        self.step_count = 0
        self.images = 0

    def autocast(self) -> torch.autocast:
        """Networks run in bfloat16 where the hardware was found to gain from it."""
        return torch.autocast(self.device.type, torch.bfloat16, enabled=self.hardware.precision == "bfloat16")

    def latent(self, count: int) -> Tensor:
        """(count, z_dim) normals from the run's own random state."""
        return torch.randn(count, self.preset.z_dim, generator=self.noise).to(self.device)

    def real_batch(self) -> tuple[Tensor, Tensor]:
        """View and conditions of a random batch of real samples."""
        index = self.batches.integers(0, len(self.data), self.preset.batch)
        signals, vectors, condition = self.data.batch(index)
        raw = {name: torch.from_numpy(a).to(self.device) for name, a in (signals | vectors).items()}
        return self.domain.view(raw), torch.from_numpy(condition).to(self.device)

    def fake_view(self, condition: Tensor) -> Tensor:
        """View of fresh fakes under the given conditions."""
        count = len(condition)
        noise = self.generator.noise(count, self.noise)
        raw = self.generator.sample(self.latent(count), condition, None if noise is None else noise.to(self.device))
        return self.domain.view(raw)

    @property
    def progress(self) -> float:
        """Share of the run that is done, in [0, 1]."""
        return min(self.images / (self.preset.kimg * 1000), 1.0)

    def step(self) -> dict[str, float]:
        """One step of both networks; returns the losses and the penalty (where it was computed)."""
        now = schedule(self.preset, self.progress)
        for group in self.generator_optimiser.param_groups:
            group["lr"] = now.generator_rate
        for group in self.discriminator_optimiser.param_groups:
            group["lr"] = now.discriminator_rate
        with torch.no_grad():
            real, condition = self.real_batch()
        metrics = self.discriminator_step(real, condition, now.gamma)
        if now.generator_rate > 0:
            metrics |= self.generator_step(real, condition)
        with torch.no_grad():
            for slow, fast in zip(trainable(self.average), trainable(self.generator), strict=True):
                slow.lerp_(fast, 1 - now.ema_decay)
        self.step_count += 1
        self.images += self.preset.batch
        return metrics

    def discriminator_step(self, real: Tensor, condition: Tensor, gamma: float) -> dict[str, float]:
        """Update the discriminator, every penalty_interval steps with the gradient penalty."""
        with torch.no_grad():
            fake = self.fake_view(condition)
        views, conditions = torch.cat([real, fake]), torch.cat([condition, condition])
        real_scores, fake_scores = self.discriminator(views, conditions).chunk(2)
        loss = self.objective.discriminator(real_scores, fake_scores)
        metrics = {"d_loss": loss, "d_gap": (real_scores - fake_scores).mean()}
        if self.objective.penalised and self.step_count % self.preset.penalty_interval == 0:
            # The mean over both halves is half of R1 + R2: gamma / 2 (R1 + R2) = gamma * penalty.
            metrics["penalty"] = gradient_penalty(self.discriminator, views, conditions)
            loss = loss + gamma * self.preset.penalty_interval * metrics["penalty"]
        self.discriminator_optimiser.zero_grad(set_to_none=True)
        loss.backward()
        self.discriminator_optimiser.step()
        return {name: float(value.detach()) for name, value in metrics.items()}

    def generator_step(self, real: Tensor, condition: Tensor) -> dict[str, float]:
        """Update the generator."""
        self.discriminator.requires_grad_(False)
        fake_scores = self.discriminator(self.fake_view(condition), condition)
        with torch.no_grad():
            real_scores = self.discriminator(real, condition)
        loss = self.objective.generator(real_scores, fake_scores)
        self.generator_optimiser.zero_grad(set_to_none=True)
        loss.backward()
        self.generator_optimiser.step()
        self.discriminator.requires_grad_(True)
        return {"g_loss": float(loss.detach())}

    @torch.no_grad()
    def snapshot(self, z: Tensor, condition: Tensor, batch: int = 16) -> dict[str, np.ndarray]:
        """Outputs of the averaged generator for fixed (n, z_dim) and physical (n, c)."""
        zero = torch.zeros(1, self.generator.layers, self.generator.full_w_dim, device=self.device)
        one = torch.ones(1, device=self.device)
        noise = self.average.noise(len(z), torch.Generator().manual_seed(0))
        maps = () if noise is None else (noise,)
        parts: list[dict[str, Tensor]] = []
        for i in range(0, len(z), batch):
            chunk, given, *start = (t[i : i + batch].to(self.device) for t in (z, condition, *maps))
            parts.append(self.average(chunk, given, one, zero, *start))
        return {name: torch.cat([p[name] for p in parts]).float().cpu().numpy() for name in parts[0]}

    def state(self) -> tuple[dict[str, Tensor], dict[str, Any]]:
        """Everything that --resume restores: tensors by name, and a JSON-able dict."""
        tensors: dict[str, Tensor] = {}
        for name, module in self.modules().items():
            tensors |= {f"{name}.{key}": value for key, value in module.named_parameters()}
        for name, optimiser in self.optimisers().items():
            for index, values in optimiser.state_dict()["state"].items():
                tensors |= {f"{name}.{index}.{key}": torch.as_tensor(value) for key, value in values.items()}
        tensors["noise_state"] = self.noise.get_state()
        numbers = {
            "step_count": self.step_count,
            "images": self.images,
            "batches_state": plain(self.batches.bit_generator.state),
        }
        return {key: value.detach().cpu().contiguous().clone() for key, value in tensors.items()}, numbers

    def restore(self, tensors: dict[str, Tensor], numbers: dict[str, Any]) -> None:
        """Take back what state() gave."""
        for name, module in self.modules().items():
            load_parameters(module, tensors, f"{name}.")
        for name, optimiser in self.optimisers().items():
            prefix, per_index = f"{name}.", {}
            for key, value in tensors.items():
                if key.startswith(prefix):
                    index, field = key[len(prefix) :].split(".")
                    per_index.setdefault(int(index), {})[field] = value
            optimiser.load_state_dict({"state": per_index, "param_groups": optimiser.state_dict()["param_groups"]})
        self.noise.set_state(tensors["noise_state"])
        self.batches.bit_generator.state = numbers["batches_state"]
        self.step_count, self.images = numbers["step_count"], numbers["images"]

    def modules(self) -> dict[str, torch.nn.Module]:
        """Networks by the name they have in a checkpoint."""
        return {"generator": self.generator, "discriminator": self.discriminator, "average": self.average}

    def optimisers(self) -> dict[str, torch.optim.Optimizer]:
        """Optimisers by the name they have in a checkpoint."""
        return {"adam_g": self.generator_optimiser, "adam_d": self.discriminator_optimiser}


def trainable(module: torch.nn.Module) -> list[torch.nn.Parameter]:
    """A network's parameters (the domain has buffers only)."""
    return list(module.parameters())


def load_parameters(module: torch.nn.Module, tensors: dict[str, Tensor], prefix: str) -> None:
    """Copy the tensors named prefix + parameter into a network; InputError when one is missing or misshapen."""
    for key, parameter in module.named_parameters():
        tensor = tensors.get(prefix + key)
        if tensor is None or tensor.shape != parameter.shape:
            raise InputError(f"the checkpoint does not fit this network ({prefix + key}).")
        parameter.data.copy_(tensor)


def plain(value: Any) -> Any:
    """numpy scalars and arrays in nested dicts turned into JSON's types."""
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, np.ndarray):
        return value.tolist()
    return value.item() if isinstance(value, np.generic) else value
