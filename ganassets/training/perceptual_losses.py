"""Compute the losses of a step that learns through pretrained features; nothing here updates a network."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from .augmentation import augment
from .batches import Batch
from .networks import ProjectedDiscriminator
from .perceptual import feature_distance, load_perceptual, sliced_wasserstein_by_place
from .step_losses import StepLosses

# Weight of the mean absolute difference of raw samples.
SAMPLE_WEIGHT = 3.0


@dataclass(frozen=True)
class PerceptualStep:
    """Losses of a step.

    Attributes:
        generator: Loss of the generator.
        discriminator: Loss of the discriminator; None in a step that only reproduces samples.
        metrics: Losses by name.
    """

    generator: Tensor
    discriminator: Tensor | None
    metrics: dict[str, Tensor]


class PerceptualLosses:
    """Losses of a generator with codes and a projected discriminator.

    The features of each image are computed once for all losses.

    Args:
        losses: Networks, domain, preset and random state of the run.
        discriminator: The run's discriminator.
    """

    def __init__(self, losses: StepLosses, discriminator: ProjectedDiscriminator) -> None:
        self.losses, self.discriminator = losses, discriminator
        self.domain, self.preset, self.noise = losses.domain, losses.preset, losses.noise

    def reproduction(self, known: Batch) -> PerceptualStep:
        """Return the losses of a step that reproduces samples with codes.

        Args:
            known: Samples with codes.
        """
        _, loss, metrics = self.reproduce(known, [])
        return PerceptualStep(loss, None, metrics)

    def full(self, known: Batch, other: Batch) -> PerceptualStep:
        """Return the losses of a step that also matches mixtures of codes to the data.

        Args:
            known: Samples with codes.
            other: Real samples with random latents.
        """
        of_real, of_fake = self.losses.draw_augmentations()
        views = self.domain.view(other.raw), self.domain.view(self.losses.make_fakes(other))
        background = self.draw_background(other.z)
        real, fake = (
            self.domain.images(augment(view, augmentation, self.domain), background)
            for view, augmentation in zip(views, (of_real, of_fake), strict=True)
        )
        fake_features, loss, metrics = self.reproduce(known, [fake])
        with torch.no_grad():
            real_features = self.extract(real)
        pairs = zip(fake_features, real_features, strict=True)
        metrics["matching"] = torch.stack([sliced_wasserstein_by_place(a, b, self.noise) for a, b in pairs]).mean()
        loss = loss + self.preset.matching_weight * metrics["matching"]
        self.discriminator.requires_grad_(False)
        metrics["g_loss"] = -self.discriminator.scores(fake_features).mean()
        self.discriminator.requires_grad_(True)
        loss = loss + self.preset.adversarial_weight * metrics["g_loss"]
        discriminator, scores = self.discriminate(real_features, [level.detach() for level in fake_features])
        return PerceptualStep(loss, discriminator, metrics | scores)

    def reproduce(self, known: Batch, others: Sequence[Tensor]) -> tuple[list[Tensor], Tensor, dict[str, Tensor]]:
        """Compare fakes with the real samples of the same codes.

        Args:
            known: Real samples.
            others: Other images, each (m, 3, size, size), whose features are computed together with those of the fakes.

        Returns:
            Features of the other images, loss, and metrics.
        """
        fakes = self.losses.make_fakes(known)
        background = self.draw_background(known.z)
        real, fake = (self.domain.images(self.domain.view(raw), background) for raw in (known.raw, fakes))
        features = self.extract(torch.cat([fake, *others]))
        with torch.no_grad():
            targets = self.extract(real)
        differences = [(fakes[name] - known.raw[name]).abs().mean() for name in self.domain.signals]
        metrics = {
            "distance": torch.stack(differences).mean(),
            "features": feature_distance([level[: len(fake)] for level in features], targets),
        }
        loss = SAMPLE_WEIGHT * metrics["distance"] + self.preset.feature_weight * metrics["features"]
        return [level[len(fake) :] for level in features], loss, metrics

    def discriminate(self, real: Sequence[Tensor], fake: Sequence[Tensor]) -> tuple[Tensor, dict[str, Tensor]]:
        """Return the hinge loss of the discriminator on features without gradients, and its metrics."""
        real_scores, fake_scores = self.discriminator.scores(real), self.discriminator.scores(fake)
        loss = functional.relu(1 - real_scores).mean() + functional.relu(1 + fake_scores).mean()
        gap = real_scores.mean(1) - fake_scores.mean(1)
        return loss, {"d_loss": loss, "d_gap": gap.mean(), "sign_mean": gap.sign().mean()}

    def extract(self, images: Tensor) -> list[Tensor]:
        """Return the pretrained features of images, the finest level first."""
        return load_perceptual(images.device)(images)

    def draw_background(self, z: Tensor) -> Tensor:
        """Draw (n, 3, 1, 1) random colours for (n, z_dim) latents, which show transparency to the feature network."""
        return torch.rand(len(z), 3, 1, 1, generator=self.noise).to(z)
