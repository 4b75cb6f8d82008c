"""Compute the losses of a training step, from a batch to scalars; nothing here updates a network."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from ..api.spec import Preset
from .augmentation import (
    AdaptiveStrength,
    Augmentation,
    augment,
    concatenate_augmentations,
    draw_augmentation,
)
from .batches import Batch
from .distributed import DistributedContext
from .loss import Objective, gradient_penalty
from .networks import BaseDiscriminator, BaseGenerator, Domain


class StepLosses:
    """Losses of one generator and one discriminator.

    Args:
        generator: Network that makes fakes.
        discriminator: Network that scores views.
        domain: The plugin's domain.
        preset: Weights and intervals.
        objective: Adversarial losses.
        strength: Strength of the augmentation.
        noise: Random state of rolls and augmentations.
        context: Processes that train together.
    """

    def __init__(
        self,
        generator: BaseGenerator,
        discriminator: BaseDiscriminator,
        domain: Domain,
        preset: Preset,
        objective: Objective,
        strength: AdaptiveStrength,
        noise: torch.Generator,
        context: DistributedContext,
    ) -> None:
        self.generator, self.discriminator, self.domain = generator, discriminator, domain
        self.preset, self.objective, self.strength = preset, objective, strength
        self.noise, self.context = noise, context

    def regression(self, batch: Batch) -> tuple[Tensor, dict[str, Tensor]]:
        """Return the distance between fakes and the real samples of the same latents, as loss and as metrics."""
        distance = self.domain.distance(self.make_fakes(batch), self.crop_reals(batch)).mean()
        return distance, {"distance": distance}

    def adversarial_discriminator(
        self, batch: Batch, gamma: float, with_penalty: bool
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """Return the discriminator's loss and metrics.

        Args:
            batch: Real samples.
            gamma: Weight of the gradient penalty.
            with_penalty: Whether to add the penalty; it then stands for the steps of one penalty interval.
        """
        with torch.no_grad():
            real, fake = self.make_views(self.crop_reals(batch), self.make_fakes(batch), batch.tiles)
        views, conditions = torch.cat([real, fake]), torch.cat([batch.condition, batch.condition])
        augmentation = concatenate_augmentations(*self.draw_augmentations()) if self.strength.cap else None
        score = self.augmented_discriminator(augmentation)
        real_scores, fake_scores = score(views, conditions).chunk(2)
        loss = self.objective.discriminator(real_scores, fake_scores)
        gap = real_scores - fake_scores
        metrics = {"d_loss": loss, "d_gap": gap.mean(), "sign_mean": gap.sign().mean()}
        if with_penalty and self.objective.penalised:
            # The mean over both halves is half of R1 + R2: gamma / 2 (R1 + R2) = gamma * penalty.
            metrics["penalty"] = gradient_penalty(score, views, conditions)
            loss = loss + gamma * self.preset.penalty_interval * metrics["penalty"]
        return loss, metrics

    def adversarial_generator(self, batch: Batch) -> tuple[Tensor, dict[str, Tensor]]:
        """Return the generator's loss and metrics, with the distance to samples whose latents are known."""
        self.discriminator.requires_grad_(False)
        fakes, reals = self.make_fakes(batch), self.crop_reals(batch)
        real_view, fake_view = self.make_views(reals, fakes, batch.tiles)
        of_real, of_fake = self.draw_augmentations() if self.strength.cap else (None, None)
        fake_scores = self.augmented_discriminator(of_fake)(fake_view, batch.condition)
        with torch.no_grad():
            real_scores = self.augmented_discriminator(of_real)(real_view, batch.condition)
        # Restored before anything below can fail; the graph above was built without the discriminator's gradients.
        self.discriminator.requires_grad_(True)
        loss = self.objective.generator(real_scores, fake_scores)
        metrics = {"g_loss": loss}
        if batch.has_latents and self.preset.regression_weight:
            metrics["distance"] = self.domain.distance(fakes, reals).mean()
            loss = loss + self.preset.regression_weight * metrics["distance"]
        return loss, metrics

    def make_fakes(self, batch: Batch) -> dict[str, Tensor]:
        """Return raw fakes with the latents, conditions, noise and masks of a batch."""
        noise = batch.raw.get("noise")
        fakes = self.generator.sample(batch.z, batch.condition, noise)
        if noise is not None:
            fakes["noise"] = noise
        if not batch.tiles:
            fakes = self.crop_margin(fakes)
        if "mask" in batch.raw:
            fakes["mask"] = batch.raw["mask"]
        return fakes

    def crop_reals(self, batch: Batch) -> dict[str, Tensor]:
        """Return the raw real samples of a batch, with the part of the noise that belongs to them."""
        if batch.tiles or "noise" not in batch.raw:
            return batch.raw
        return batch.raw | self.crop_margin({"noise": batch.raw["noise"]})

    def crop_margin(self, raw: dict[str, Tensor]) -> dict[str, Tensor]:
        """Cut off the margin that the noise maps of crops have."""
        for axis in range(2, 2 + len(self.domain.wraps)):
            raw = {k: v.narrow(axis, self.domain.margin, self.domain.network_size) for k, v in raw.items()}
        return raw

    def make_views(self, reals: dict[str, Tensor], fakes: dict[str, Tensor], tiles: bool) -> tuple[Tensor, Tensor]:
        """Return the views of raw real samples and of raw fakes, rolled by the same amounts."""
        return self.roll_views((self.domain.view(reals), self.domain.view(fakes)), tiles)

    def roll_views(self, views: tuple[Tensor, Tensor], tiles: bool) -> tuple[Tensor, Tensor]:
        """Roll both views by the same random amounts, where a sample has neither borders nor a place of its own."""
        rolls = tiles and self.domain.size is None
        axes = [2 + axis for axis, wraps in enumerate(self.domain.wraps) if wraps and rolls]
        shifts = [int(torch.randint(views[0].shape[axis], (1,), generator=self.noise)) for axis in axes]
        return (views[0].roll(shifts, axes), views[1].roll(shifts, axes)) if axes else views

    def draw_augmentations(self) -> tuple[Augmentation, Augmentation]:
        """Draw the augmentations of this process's real and fake views."""
        rows = torch.arange(2 * self.preset.batch)
        full = draw_augmentation(self.domain, len(rows), self.strength.strength, self.noise)
        real, fake = (full.select(self.context.shard(half)) for half in rows.chunk(2))
        return real, fake

    def augmented_discriminator(self, augmentation: Augmentation | None) -> Callable[[Tensor, Tensor], Tensor]:
        """Return a function (views, conditions) -> scores that augments the views first."""
        if augmentation is None:
            return self.discriminator

        def score(view: Tensor, condition: Tensor) -> Tensor:
            return self.discriminator(augment(view, augmentation, self.domain), condition)

        return score
