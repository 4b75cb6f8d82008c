"""Train a generator and a discriminator step by step."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ..api.data import TrainingData
from ..api.spec import NoiseMap, Preset
from .augmentation import AdaptiveStrength
from .batches import Batch, BatchSampler, group_samples
from .distributed import DistributedContext, check_batch_size
from .loss import OBJECTIVES
from .networks import Domain, OwnNetworks, ProjectedDiscriminator, make_networks
from .perceptual_losses import PerceptualLosses
from .plugin_domain import make_normal_noise
from .schedule import ADAM_BETA2, Schedule, schedule
from .settings import Hardware
from .step_losses import StepLosses
from .trainer_state import TrainerParts, collect_state, restore_state
from .weight_average import copy_for_average, update_average


class NotFiniteError(ArithmeticError):
    """A loss or a gradient is not finite; no network was updated with it."""


class Trainer:
    """Networks, optimisers and random states of one run; touches neither files nor the clock.

    Args:
        preset: Sizes and rates.
        domain: The plugin's domain.
        data: Training samples.
        objective: Key of OBJECTIVES.
        hardware: Device, threads and precision.
        seed: Random seed of initial weights, batches and latents.
        noise_map: Makes the noise maps of a size-free generator, see GeneratorSpec.noise; None for normals.
        networks: Builds the plugin's own networks, see GeneratorSpec.networks; None for the core's.
        context: Processes that train together; None for this one alone.

    Attributes:
        average: Moving average of the generator, which is exported.
        sampler: Draws batches.
        losses: Computes the losses of a step.
        augmentation: Strength of the augmentation.
        step_count: Steps done.
        images: Real images seen, by all processes.
        rate_scale: Factor of both learning rates, below 1 after rollbacks.
        rollbacks: Number of returns to a checkpoint.

    Raises:
        InputError: The processes can't share the batch evenly.
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
        context: DistributedContext | None = None,
    ) -> None:
        groups = group_samples(data)
        self.context = context or DistributedContext()
        check_batch_size(preset.batch, self.context.world_size)
        if not any(group.has_latents for group in groups):
            preset = replace(preset, regression=0.0)
        if preset.codes:
            preset = replace(preset, paired=0.0)  # mixtures of codes have no real sample of their own
        self.preset, self.domain, self.hardware = preset, domain, hardware
        self.device = torch.device(hardware.device)
        self._build_networks(data.conditions.shape[1], networks, seed)
        noise_map = noise_map or make_normal_noise(domain)
        self.sampler = BatchSampler(preset, domain, data, groups, noise_map, self.context, self.device, seed)
        self.augmentation = AdaptiveStrength(preset.augmentation)
        self.losses = StepLosses(
            self.generator,
            self.discriminator,
            domain,
            preset,
            OBJECTIVES[objective],
            self.augmentation,
            self.sampler.latent_state,
            self.context,
        )
        self.perceptual_losses = None
        if isinstance(self.discriminator, ProjectedDiscriminator):
            self.perceptual_losses = PerceptualLosses(self.losses, self.discriminator)
        self.step_count = 0
        self.images = 0
        self.rate_scale = 1.0
        self.rollbacks = 0

    def _build_networks(self, conditions: int, networks: OwnNetworks | None, seed: int) -> None:
        """Build networks, their average and their optimisers."""
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            generator, discriminator = make_networks(self.preset, self.domain, conditions, networks)
        self.generator, self.discriminator = generator.to(self.device), discriminator.to(self.device)
        if self.hardware.channels_last and len(self.domain.wraps) == 2:
            self.generator.to(memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue]
            self.discriminator.to(memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue]
        self.average = copy_for_average(self.generator)
        self.generator.autocast = self.discriminator.autocast = self.autocast
        self.generator_optimiser = make_optimiser(self.generator)
        self.discriminator_optimiser = make_optimiser(self.discriminator)

    def autocast(self) -> torch.autocast:
        """Return the context in which the networks run: bfloat16 where the hardware was chosen to use it."""
        return torch.autocast(self.device.type, torch.bfloat16, enabled=self.hardware.precision == "bfloat16")

    @property
    def progress(self) -> float:
        """Share of the run that is done, in [0, 1]."""
        return min(self.images / (self.preset.kimg * 1000), 1.0)

    def step(self) -> dict[str, float]:
        """Update the networks once.

        Returns:
            Losses, and the penalty in steps that compute it, as means over all processes.

        Raises:
            NotFiniteError: A loss or a gradient is not finite.
        """
        now = schedule(self.preset, self.progress)
        self._set_rates(now)
        regressing = now.discriminator_rate == 0
        with torch.no_grad():
            batch = self.sampler.draw(require_latents=self.needs_latents(regressing))
        if self.perceptual_losses is not None:
            metrics = self.perceptual_step(self.perceptual_losses, batch, reproduces_only=regressing)
        elif regressing:
            metrics = self.regression_step(batch)
        else:
            metrics = self.discriminator_step(batch, now.gamma)
            if now.generator_rate > 0:
                metrics |= self.generator_step(batch)
        update_average(self.average, self.generator, now.ema_decay)
        self.step_count += 1
        self.images += self.preset.batch
        return self._finish_metrics(metrics)

    def needs_latents(self, regressing: bool) -> bool:
        """Return whether a step can use only samples whose latents are known."""
        if self.perceptual_losses is not None:
            return True
        return regressing and not self.preset.matching_weight

    def _set_rates(self, now: Schedule) -> None:
        """Set the optimisers' rates by the schedule."""
        for group in self.generator_optimiser.param_groups:
            group["lr"], group["betas"] = self.rate_scale * now.generator_rate, (now.beta1, ADAM_BETA2)
        for group in self.discriminator_optimiser.param_groups:
            group["lr"] = self.rate_scale * now.discriminator_rate

    def regression_step(self, batch: Batch) -> dict[str, Tensor]:
        """Update the generator towards samples whose latents are known, or towards the features of others."""
        loss, metrics = self.losses.regression(batch)
        self.update(self.generator_optimiser, loss)
        return metrics

    def discriminator_step(self, batch: Batch, gamma: float) -> dict[str, Tensor]:
        """Update the discriminator; every penalty_interval steps with the gradient penalty."""
        with_penalty = self.step_count % self.preset.penalty_interval == 0
        loss, metrics = self.losses.adversarial_discriminator(batch, gamma, with_penalty)
        self.update(self.discriminator_optimiser, loss)
        return metrics

    def generator_step(self, batch: Batch) -> dict[str, Tensor]:
        """Update the generator by the adversarial loss."""
        loss, metrics = self.losses.adversarial_generator(batch)
        self.update(self.generator_optimiser, loss)
        return metrics

    def perceptual_step(self, losses: PerceptualLosses, known: Batch, reproduces_only: bool) -> dict[str, Tensor]:
        """Update the networks towards samples with codes and, unless it only reproduces them, towards the data."""
        if reproduces_only:
            step = losses.reproduction(known)
        else:
            with torch.no_grad():
                other = self.sampler.draw()
            step = losses.full(known, other)
        self.update(self.generator_optimiser, step.generator)
        if step.discriminator is not None:
            self.update(self.discriminator_optimiser, step.discriminator)
        return step.metrics

    def update(self, optimiser: torch.optim.Optimizer, loss: Tensor) -> None:
        """Take one step of an optimiser, by the gradients' mean over all processes.

        Raises:
            NotFiniteError: A gradient is not finite; no parameter was changed.
        """
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        gradients = gradients_of(optimiser)
        self.context.average(gradients)
        if not torch.isfinite(torch.nn.utils.get_total_norm(gradients)):
            raise NotFiniteError
        optimiser.step()

    def _finish_metrics(self, metrics: dict[str, Tensor]) -> dict[str, float]:
        """Average metrics over all processes, and adapt the augmentation by `sign_mean`, which is left out."""
        stacked = torch.stack([value.detach().float() for value in metrics.values()])
        self.context.average([stacked])
        numbers = dict(zip(metrics, stacked.tolist(), strict=True))
        if not all(map(math.isfinite, numbers.values())):
            raise NotFiniteError
        sign_mean = numbers.pop("sign_mean", None)
        if self.augmentation.cap and sign_mean is not None:
            self.augmentation.update(sign_mean, self.preset.batch / (self.preset.kimg * 1000))
            numbers["augmentation"] = self.augmentation.strength
        return numbers

    @torch.no_grad()
    def snapshot(self, z: Tensor, condition: Tensor, batch: int = 16) -> dict[str, np.ndarray]:
        """Run the averaged generator at truncation 1, with the noise of seeds 0 to n - 1.

        Args:
            z: (n, z_dim) latents.
            condition: (n, c) physical condition values.
            batch: Samples at a time.

        Returns:
            Outputs by name, (n, ...) float32. Those of a size-free generator keep the domain's margin on all sides.
        """
        zero = torch.zeros(1, self.generator.layers, self.generator.full_w_dim, device=self.device)
        one = torch.ones(1, device=self.device)
        maps: tuple[Tensor, ...] = ()
        if self.domain.size is None:
            size = (self.domain.network_size + 2 * self.domain.margin,) * len(self.domain.wraps)
            rows = enumerate(condition.numpy())
            maps = (torch.from_numpy(np.stack([self.sampler.noise_map(seed, row, size) for seed, row in rows])),)
        parts: list[dict[str, Tensor]] = []
        for i in range(0, len(z), batch):
            latent, given, *noise = (t[i : i + batch].to(self.device) for t in (z, condition, *maps))
            parts.append(self.average(latent, given, one, zero, *noise))
        return {name: torch.cat([p[name] for p in parts]).float().cpu().numpy() for name in parts[0]}

    def parts(self) -> TrainerParts:
        """Return the parts whose state a checkpoint holds."""
        modules = {"generator": self.generator, "discriminator": self.discriminator, "average": self.average}
        optimisers = {"adam_g": self.generator_optimiser, "adam_d": self.discriminator_optimiser}
        return TrainerParts(modules, optimisers, self.sampler, self.augmentation)

    def state(self) -> tuple[dict[str, Tensor], dict[str, Any]]:
        """Return everything that a resumed run restores: tensors by name, and a JSON-able dict."""
        tensors, numbers = collect_state(self.parts())
        counters = {
            "step_count": self.step_count,
            "images": self.images,
            "rate_scale": self.rate_scale,
            "rollbacks": self.rollbacks,
        }
        return tensors, counters | numbers

    def restore(self, tensors: dict[str, Tensor], numbers: dict[str, Any]) -> None:
        """Restore what `state` returned.

        Raises:
            InputError: The tensors don't fit the networks.
        """
        restore_state(self.parts(), tensors, numbers)
        self.step_count, self.images = numbers["step_count"], numbers["images"]
        # Checkpoints of the first version have no rollbacks.
        self.rate_scale, self.rollbacks = numbers.get("rate_scale", 1.0), numbers.get("rollbacks", 0)


def make_optimiser(network: torch.nn.Module) -> torch.optim.Adam:
    """Build Adam for a network; the schedule sets its rate."""
    return torch.optim.Adam(list(network.parameters()), lr=0.0, betas=(0.0, ADAM_BETA2), eps=1e-8)


def gradients_of(optimiser: torch.optim.Optimizer) -> Sequence[Tensor]:
    """Return the gradients of an optimiser's parameters, of those that have one."""
    parameters = [p for group in optimiser.param_groups for p in group["params"]]
    return [p.grad for p in parameters if p.grad is not None]
