"""The training step and everything that changes with it: networks, optimisers, their average, random state."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ..api.data import TrainingData
from ..api.errors import InputError
from ..api.latents import noise_map as plain_noise_map
from ..api.spec import NoiseMap, Preset
from .augmentation import Adaptation, Change, changed, draw_change, joined
from .distributed import Team, check_share
from .loss import OBJECTIVES, gradient_penalty
from .networks import Domain, OwnNetworks, make_networks
from .settings import Hardware

# Shares of the run.
WARM_UP = 0.04  # the discriminator learns alone, then the generator's rate rises
EMA_HALF_LIFE = 0.05
BETA2 = 0.99
REGRESSION_BETA1 = 0.9  # momentum, which the adversarial part does without
DISCRIMINATOR_RATE = 1.0  # times the generator's


class NotFiniteError(ArithmeticError):
    """A loss or a gradient stopped being finite; no network has moved by it."""


@dataclass(frozen=True)
class Schedule:
    """Rates and weights at a moment of the run."""

    generator_rate: float
    discriminator_rate: float
    gamma: float
    ema_decay: float
    beta1: float = 0.0  # Adam's, of the generator


def schedule(preset: Preset, progress: float) -> Schedule:
    """Schedules as functions of progress in [0, 1]: cosine to a quarter for rates, tenfold down for gamma.

    While the generator regresses it alone learns, with a rate that falls to a tenth; then the adversarial part begins.
    """
    half_life = max(EMA_HALF_LIFE * preset.kimg * 1000 / preset.batch, 1.0)
    ema_decay = 0.5 ** (1 / half_life)
    if progress < preset.regression:
        part = progress / preset.regression
        rate = preset.regression_rate * (0.1 + 0.9 * cosine(part)) * min(part / WARM_UP + 0.01, 1.0)
        return Schedule(rate, 0.0, 0.0, ema_decay, REGRESSION_BETA1)
    adversarial = (progress - preset.regression) / (1 - preset.regression)
    rate = preset.learning_rate * (0.25 + 0.75 * cosine(adversarial))
    ramp = min(max(adversarial / WARM_UP - 1, 0.0), 1.0)
    return Schedule(rate * ramp, rate * DISCRIMINATOR_RATE, preset.gamma * 0.1**adversarial, ema_decay)


def cosine(part: float) -> float:
    """1 at the start, 0 at the end."""
    return 0.5 * (1 + math.cos(math.pi * min(part, 1.0)))


@dataclass(frozen=True)
class Batch:
    """Real samples that go through a step together.

    Attributes:
        raw: signals and vectors; of a size-free generator "noise" too, and "mask" where the data have masks.
        condition: (n, c) physical.
        z: (n, z_dim) latents that the fakes are made with.
        known: the samples are a known function of z, condition and noise.
        tiles: the samples wrap as the spec says.
    """

    raw: dict[str, Tensor]
    condition: Tensor
    z: Tensor
    known: bool
    tiles: bool


class Trainer:
    """One run's state. Nothing here touches files or the clock.

    Args:
        preset: sizes and rates.
        domain: the plugin's torch part.
        data: training samples.
        objective: key of OBJECTIVES.
        hardware: device, threads, precision.
        seed: of initial weights, batches and latents.
        noise_map: of a size-free generator, see GeneratorSpec.noise; None for plain normals.
        networks: of the plugin's own, see GeneratorSpec.networks; None for the core's.
        team: the processes that train together; None for this one alone.

    Raises:
        InputError: the batch can't be shared out evenly.
    """

    def __init__(
        self,
        preset: Preset,
        domain: Domain,
        data: TrainingData,
        objective: str,
        hardware: Hardware,
        seed: int,
        noise_map: NoiseMap | None = None,
        networks: OwnNetworks | None = None,
        team: Team | None = None,
    ) -> None:
        self.groups = groups_of(data)
        self.team = team or Team()
        check_share(preset.batch, self.team.size)
        if not any(group.known for group in self.groups):
            preset = replace(preset, regression=0.0)
        self.preset, self.data, self.hardware = preset, data, hardware
        self.noise_map = noise_map or (lambda seed, row, size: plain_noise_map(seed, domain.noise_channels, size))
        self.objective = OBJECTIVES[objective]
        self.device = torch.device(hardware.device)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            generator, discriminator = make_networks(preset, domain, data.conditions.shape[1], networks)
        self.generator, self.discriminator = generator.to(self.device), discriminator.to(self.device)
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
        self.augmentation = Adaptation(preset.augmentation)
        self.rate_scale = 1.0
        self.rollbacks = 0

    def autocast(self) -> torch.autocast:
        """Networks run in bfloat16 where the hardware was found to gain from it."""
        return torch.autocast(self.device.type, torch.bfloat16, enabled=self.hardware.precision == "bfloat16")

    def latent(self) -> Tensor:
        """(batch, z_dim) normals from the run's own random state, this process's rows of them."""
        return self.team.share(torch.randn(self.preset.batch, self.preset.z_dim, generator=self.noise)).to(self.device)

    def draw(self, only_known: bool = False) -> Batch:
        """A random batch of real samples, all known or not and all tiling or not.

        Args:
            only_known: leave out samples that can't be reproduced.
        """
        groups = [group for group in self.groups if group.known or not only_known]
        chances = np.array([len(group.index) for group in groups], np.float64)
        group = groups[int(self.batches.choice(len(groups), p=chances / chances.sum()))]
        index = self.team.share(group.index[self.batches.integers(0, len(group.index), self.preset.batch)])
        signals, vectors, condition = self.data.batch(index)
        raw = {name: torch.from_numpy(a).to(self.device) for name, a in (signals | vectors).items()}
        if self.data.masks is not None:
            raw["mask"] = torch.from_numpy(self.data.masks[index]).to(self.device)
        if self.domain.size is None:
            raw["noise"] = self.noise_of(index, condition, group.tiles)
        z = self.latent()
        known = group.known and (only_known or self.pairs())
        if known:
            assert self.data.latents is not None
            given = torch.from_numpy(self.data.latents[index]).to(self.device)
            given = torch.cat([given, torch.full_like(z[:, given.shape[1] :], torch.nan)], 1)
            z = torch.where(given.isnan(), z, given)
        return Batch(raw, torch.from_numpy(condition).to(self.device), z, known, group.tiles)

    def pairs(self) -> bool:
        """Whether samples whose latents are known meet the fakes of these latents in this step, not of others."""
        return self.preset.paired >= 1 or bool(self.batches.random() < self.preset.paired)

    def noise_of(self, index: np.ndarray, condition: np.ndarray, tiles: bool) -> Tensor:
        """Noise maps of samples; of crops with the domain's margin around them, because their borders don't wrap."""
        seeds = self.data.noise_seeds
        if seeds is None:
            numbers = self.team.share(self.batches.integers(0, 2**62, self.preset.batch))
        else:
            numbers = seeds[index]
        size = self.domain.network_size + (0 if tiles else 2 * self.domain.margin)
        size_of = (size,) * len(self.domain.wraps)
        maps = [self.noise_map(int(seed), row, size_of) for seed, row in zip(numbers, condition, strict=True)]
        noise = np.stack(maps)
        if self.data.structure is not None:
            structure = self.data.structure[index]
            noise[:, -structure.shape[1] :] = structure
        return torch.from_numpy(noise).to(self.device)

    def fake(self, batch: Batch) -> dict[str, Tensor]:
        """Raw fakes with the latents, conditions, noise and masks of a batch."""
        noise = batch.raw.get("noise")
        made = self.generator.sample(batch.z, batch.condition, noise)
        if noise is not None:
            made["noise"] = noise
        made = made if batch.tiles else self.cropped(made)
        if "mask" in batch.raw:
            made["mask"] = batch.raw["mask"]
        return made

    def cropped(self, raw: dict[str, Tensor]) -> dict[str, Tensor]:
        """Signals without the margin that noise_of adds."""
        for axis in range(2, 2 + len(self.domain.wraps)):
            raw = {k: v.narrow(axis, self.domain.margin, self.domain.network_size) for k, v in raw.items()}
        return raw

    def real(self, batch: Batch) -> dict[str, Tensor]:
        """Raw real samples of a batch, with the part of the noise that is theirs."""
        if batch.tiles or "noise" not in batch.raw:
            return batch.raw
        return batch.raw | self.cropped({"noise": batch.raw["noise"]})

    def views(self, real: dict[str, Tensor], made: dict[str, Tensor], tiles: bool) -> tuple[Tensor, Tensor]:
        """Views of raw real samples and of raw fakes, rolled alike."""
        return self.rolled((self.domain.view(real), self.domain.view(made)), tiles)

    def rolled(self, views: tuple[Tensor, Tensor], tiles: bool) -> tuple[Tensor, Tensor]:
        """Both views rolled by the same random amounts, where a sample has neither borders nor a place of its own."""
        free = tiles and self.domain.size is None
        axes = [2 + axis for axis, wraps in enumerate(self.domain.wraps) if wraps and free]
        shifts = [int(torch.randint(views[0].shape[axis], (1,), generator=self.noise)) for axis in axes]
        return (views[0].roll(shifts, axes), views[1].roll(shifts, axes)) if axes else views

    def draw_changes(self) -> tuple[Change, Change]:
        """Random augmentations of this process's real and of its fake views."""
        rows = torch.arange(2 * self.preset.batch)
        whole = draw_change(self.domain, len(rows), self.augmentation.strength, self.noise)
        real, fake = (whole.of(self.team.share(half)) for half in rows.chunk(2))
        return real, fake

    def judge(self, change: Change | None) -> Callable[[Tensor, Tensor], Tensor]:
        """(views, conditions) -> scores of the views with a change made to them."""
        if change is None:
            return self.discriminator
        return lambda view, condition: self.discriminator(changed(view, change, self.domain), condition)

    @property
    def progress(self) -> float:
        """Share of the run that is done, in [0, 1]."""
        return min(self.images / (self.preset.kimg * 1000), 1.0)

    def step(self) -> dict[str, float]:
        """One step of the networks; returns the losses and the penalty (where they were computed), over all processes.

        Raises:
            NotFiniteError: one of them, or a gradient, isn't finite.
        """
        now = schedule(self.preset, self.progress)
        for group in self.generator_optimiser.param_groups:
            group["lr"], group["betas"] = self.rate_scale * now.generator_rate, (now.beta1, BETA2)
        for group in self.discriminator_optimiser.param_groups:
            group["lr"] = self.rate_scale * now.discriminator_rate
        with torch.no_grad():
            batch = self.draw(only_known=now.discriminator_rate == 0)
        if now.discriminator_rate == 0:
            metrics = self.regression_step(batch)
        else:
            metrics = self.discriminator_step(batch, now.gamma)
            if now.generator_rate > 0:
                metrics |= self.generator_step(batch)
        with torch.no_grad():
            for slow, fast in zip(trainable(self.average), trainable(self.generator), strict=True):
                slow.lerp_(fast, 1 - now.ema_decay)
        self.step_count += 1
        self.images += self.preset.batch
        return self.over_all(metrics)

    def over_all(self, metrics: dict[str, Tensor]) -> dict[str, float]:
        """Metrics as numbers, their means over all processes."""
        together = torch.stack([value.detach().float() for value in metrics.values()])
        self.team.mean([together])
        numbers = dict(zip(metrics, together.tolist(), strict=True))
        if not all(map(math.isfinite, numbers.values())):
            raise NotFiniteError
        told = numbers.pop("told", None)
        if self.augmentation.cap and told is not None:
            self.augmentation.update(told, self.preset.batch / (self.preset.kimg * 1000))
            numbers["augmentation"] = self.augmentation.strength
        return numbers

    def regression_step(self, batch: Batch) -> dict[str, Tensor]:
        """Update the generator towards samples that it can reproduce."""
        distance = self.domain.distance(self.fake(batch), self.real(batch)).mean()
        self.update(self.generator_optimiser, distance)
        return {"distance": distance}

    def discriminator_step(self, batch: Batch, gamma: float) -> dict[str, Tensor]:
        """Update the discriminator, every penalty_interval steps with the gradient penalty."""
        with torch.no_grad():
            real, fake = self.views(self.real(batch), self.fake(batch), batch.tiles)
        views, conditions = torch.cat([real, fake]), torch.cat([batch.condition, batch.condition])
        change = None
        if self.augmentation.cap:
            of_real, of_fake = self.draw_changes()
            change = joined(of_real, of_fake)
        judge = self.judge(change)
        real_scores, fake_scores = judge(views, conditions).chunk(2)
        loss = self.objective.discriminator(real_scores, fake_scores)
        gap = real_scores - fake_scores
        metrics = {"d_loss": loss, "d_gap": gap.mean(), "told": gap.sign().mean()}
        if self.objective.penalised and self.step_count % self.preset.penalty_interval == 0:
            # The mean over both halves is half of R1 + R2: gamma / 2 (R1 + R2) = gamma * penalty.
            metrics["penalty"] = gradient_penalty(judge, views, conditions)
            loss = loss + gamma * self.preset.penalty_interval * metrics["penalty"]
        self.update(self.discriminator_optimiser, loss)
        return metrics

    def generator_step(self, batch: Batch) -> dict[str, Tensor]:
        """Update the generator; samples that it can reproduce also count by their distance."""
        self.discriminator.requires_grad_(False)
        made, real = self.fake(batch), self.real(batch)
        real_view, fake_view = self.views(real, made, batch.tiles)
        of_real, of_fake = self.draw_changes() if self.augmentation.cap else (None, None)
        fake_scores = self.judge(of_fake)(fake_view, batch.condition)
        with torch.no_grad():
            real_scores = self.judge(of_real)(real_view, batch.condition)
        self.discriminator.requires_grad_(True)  # of what is above it stays false, whatever happens below
        loss = self.objective.generator(real_scores, fake_scores)
        metrics = {"g_loss": loss}
        if batch.known and self.preset.regression_weight:
            metrics["distance"] = self.domain.distance(made, real).mean()
            loss = loss + self.preset.regression_weight * metrics["distance"]
        self.update(self.generator_optimiser, loss)
        return metrics

    def update(self, optimiser: torch.optim.Optimizer, loss: Tensor) -> None:
        """One step of an optimiser down a loss, by the mean gradient over all processes.

        Raises:
            NotFiniteError: a gradient isn't finite; no parameter has moved.
        """
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        parameters = [p for group in optimiser.param_groups for p in group["params"] if p.grad is not None]
        gradients = [p.grad for p in parameters if p.grad is not None]
        self.team.mean(gradients)
        if not torch.isfinite(torch.nn.utils.get_total_norm(gradients)):
            raise NotFiniteError
        optimiser.step()

    @torch.no_grad()
    def snapshot(self, z: Tensor, condition: Tensor, batch: int = 16) -> dict[str, np.ndarray]:
        """Outputs of the averaged generator for fixed (n, z_dim) and physical (n, c), and noise of seeds 0 to n - 1."""
        zero = torch.zeros(1, self.generator.layers, self.generator.full_w_dim, device=self.device)
        one = torch.ones(1, device=self.device)
        maps: tuple[Tensor, ...] = ()
        if self.domain.size is None:
            # With the margins that what doesn't wrap loses.
            size = (self.domain.network_size + 2 * self.domain.margin,) * len(self.domain.wraps)
            rows = enumerate(condition.numpy())
            maps = (torch.from_numpy(np.stack([self.noise_map(seed, row, size) for seed, row in rows])),)
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
            "augmentation": [self.augmentation.strength, self.augmentation.told],
            "rate_scale": self.rate_scale,
            "rollbacks": self.rollbacks,
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
        self.augmentation.strength, self.augmentation.told = numbers.get("augmentation", (0.0, 0.0))
        self.rate_scale, self.rollbacks = numbers.get("rate_scale", 1.0), numbers.get("rollbacks", 0)

    def modules(self) -> dict[str, torch.nn.Module]:
        """Networks by the name they have in a checkpoint."""
        return {"generator": self.generator, "discriminator": self.discriminator, "average": self.average}

    def optimisers(self) -> dict[str, torch.optim.Optimizer]:
        """Optimisers by the name they have in a checkpoint."""
        return {"adam_g": self.generator_optimiser, "adam_d": self.discriminator_optimiser}


@dataclass(frozen=True, eq=False)
class Group:
    """Indices of samples that may share a batch; see Batch."""

    index: np.ndarray
    known: bool
    tiles: bool


def groups_of(data: TrainingData) -> list[Group]:
    """Samples by whether they can be reproduced and whether they tile."""
    n = len(data)
    known = np.zeros(n, bool) if data.latents is None else np.isfinite(data.latents).any(1)
    tiles = np.ones(n, bool) if data.tiles is None else data.tiles
    groups = [Group(np.flatnonzero((known == k) & (tiles == t)), k, t) for k in (True, False) for t in (True, False)]
    return [group for group in groups if len(group.index)]


def trainable(module: torch.nn.Module) -> list[torch.nn.Parameter]:
    """A network's parameters (the domain has buffers only)."""
    return list(module.parameters())


def load_parameters(
    module: torch.nn.Module, tensors: dict[str, Tensor], prefix: str, what: str = "the checkpoint"
) -> None:
    """Copy the tensors named prefix + parameter into a network; InputError when one is missing or misshapen."""
    for key, parameter in module.named_parameters():
        tensor = tensors.get(prefix + key)
        if tensor is None or tensor.shape != parameter.shape:
            raise InputError(f"{what} does not fit this network ({prefix + key}).")
        parameter.data.copy_(tensor)


def plain(value: Any) -> Any:
    """Numpy scalars and arrays in nested dicts turned into JSON's types."""
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, np.ndarray):
        return value.tolist()
    return value.item() if isinstance(value, np.generic) else value
