"""Augment the discriminator's views, real and fake in the same way, with an adaptive strength.

Source: Karras et al. (2020), "Training Generative Adversarial Networks with Limited Data" (ADA). A generator does not
learn to make augmented samples as long as each augmentation is left out often enough, so the strength has a cap. The
strength is the probability of each augmentation.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import torch
from torch import Tensor

from .networks import Domain

# Largest shift, as a share of the size.
MAX_SHIFT = 1 / 8
# Standard deviations; those of contrast and saturation are of their logarithms.
BRIGHTNESS, CONTRAST, SATURATION = 0.5, 0.3, 0.5
# ADA's target of r_t: above it the discriminator counts as overfitted.
TARGET_SIGN_MEAN = 0.6
# Decay per step of the running mean of r_t.
SIGN_MEAN_DECAY = 0.95
# Share of the run in which the strength can rise from zero to its cap.
RISE = 0.1


@dataclass(frozen=True)
class Augmentation:
    """Random parameters of the augmentation of n views.

    Attributes:
        shifts: (n, axes) int64 samples along each axis.
        mirrored: (n,) bool, mirrored along the last axis.
        contrast: (n, 1) factors of colours.
        saturation: (n, 1) factors of colours.
        brightness: (n, 1) offsets of colours.
    """

    shifts: Tensor
    mirrored: Tensor
    contrast: Tensor
    saturation: Tensor
    brightness: Tensor

    def select(self, rows: Tensor) -> Augmentation:
        """Return the augmentation of some of the views."""
        return Augmentation(*(getattr(self, field.name)[rows] for field in fields(self)))

    def to(self, device: torch.device) -> Augmentation:
        """Return the same augmentation on a device."""
        return Augmentation(*(getattr(self, field.name).to(device) for field in fields(self)))


def draw_augmentation(domain: Domain, count: int, strength: float, noise: torch.Generator) -> Augmentation:
    """Draw the augmentation of `count` views.

    Args:
        domain: Says which augmentations its views allow.
        count: Number of views.
        strength: Probability of each part of the augmentation, in [0, 1].
        noise: Random state.
    """
    size, axes = domain.view_size, len(domain.wraps)

    def draw_mask(allowed: bool) -> Tensor:
        return (torch.rand(count, generator=noise) < strength) & allowed

    def draw_normals(scale: float) -> Tensor:
        normals = torch.randn(count, generator=noise)
        return torch.where(draw_mask(bool(domain.colours)), scale * normals, 0.0)[:, None]

    most = int(size * MAX_SHIFT) if domain.moves else 0
    shifts = torch.randint(-most, most + 1, (count, axes), generator=noise)
    shifts = torch.where(draw_mask(domain.moves)[:, None], shifts, 0)
    mirrored = draw_mask(domain.moves) & (torch.rand(count, generator=noise) < 0.5)
    return Augmentation(
        shifts, mirrored, draw_normals(CONTRAST).exp(), draw_normals(SATURATION).exp(), draw_normals(BRIGHTNESS)
    )


def concatenate_augmentations(first: Augmentation, second: Augmentation) -> Augmentation:
    """Return the augmentation of two sets of views, one set after the other."""
    return Augmentation(
        *(torch.cat([getattr(first, field.name), getattr(second, field.name)]) for field in fields(Augmentation))
    )


def augment(view: Tensor, augmentation: Augmentation, domain: Domain) -> Tensor:
    """Augment (n, channels, *size) views: geometry on all channels together, colour on the colours alone."""
    augmentation = augmentation.to(view.device)
    if domain.moves:
        view = shift_and_mirror(view, augmentation, domain.wraps)
    if domain.colours:
        colours = list(domain.colours)
        adjusted = adjust_colours(view[:, colours], augmentation)
        others = [c for c in range(view.shape[1]) if c not in domain.colours]
        order = torch.argsort(torch.tensor(colours + others, device=view.device))
        view = torch.cat([adjusted, view[:, others]], 1)[:, order]
    return view


def shift_and_mirror(view: Tensor, augmentation: Augmentation, wraps: tuple[bool, ...]) -> Tensor:
    """Shift views, and mirror them along the last axis; axes that don't wrap repeat their border."""
    for axis, wrapping in enumerate(wraps):
        size = view.shape[2 + axis]
        index = torch.arange(size, device=view.device)[None] - augmentation.shifts[:, axis, None]
        index = index % size if wrapping else index.clamp(0, size - 1)
        if axis == len(wraps) - 1:
            index = torch.where(augmentation.mirrored[:, None], index.flip(1), index)
        shape = [len(view), 1, *[1] * len(wraps)]
        shape[2 + axis] = size
        view = view.gather(2 + axis, index.reshape(shape).expand_as(view))
    return view


def adjust_colours(colours: Tensor, augmentation: Augmentation) -> Tensor:
    """Change brightness, contrast and saturation of (n, channels, *size) colours about zero."""
    shape = (len(colours), 1, *[1] * (colours.ndim - 2))
    grey = colours.mean(1, keepdim=True)
    colours = grey + (colours - grey) * augmentation.saturation.reshape(shape)
    return colours * augmentation.contrast.reshape(shape) + augmentation.brightness.reshape(shape)


@dataclass
class AdaptiveStrength:
    """Strength of the augmentation, adapted to how far the discriminator overfits.

    Attributes:
        cap: Largest strength; 0 for no augmentation.
        strength: Probability of each augmentation.
        sign_mean: Running mean over steps of sign(real score - fake score), in [-1, 1] (ADA's r_t).
    """

    cap: float
    strength: float = 0.0
    sign_mean: float = 0.0

    def update(self, sign_mean: float, share: float) -> None:
        """Adapt the strength after a step.

        Args:
            sign_mean: Mean of sign(real score - fake score) over the step's pairs.
            share: Share of the run that the step was.
        """
        self.sign_mean = SIGN_MEAN_DECAY * self.sign_mean + (1 - SIGN_MEAN_DECAY) * sign_mean
        direction = 1 if self.sign_mean > TARGET_SIGN_MEAN else -1
        change = self.cap * share / RISE * direction
        self.strength = min(max(self.strength + change, 0.0), self.cap)
