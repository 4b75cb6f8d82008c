"""Augmentation of what the discriminator sees, real and made alike, with a strength that adapts.

Karras et al. (2020), "Training Generative Adversarial Networks with Limited Data": as long as every change is left out
often enough, a generator can't make its samples look changed and still match the real ones. Hence the cap on the
strength, which is the share of samples that each change is made to.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from .networks import Domain

SHIFT = 1 / 8  # of the size, at most
BRIGHTNESS, CONTRAST, SATURATION = 0.5, 0.3, 0.5  # standard deviations; contrast and saturation are of logarithms
# The discriminator tells its own real samples from fakes this much more often than not before it counts as overfitted.
TARGET = 0.6
MEMORY = 0.95  # of the running mean of that, for each step
RISE = 0.1  # share of the run in which the strength can go from nothing to its cap


@dataclass(frozen=True)
class Change:
    """What is done to each of n views.

    Attributes:
        shifts: (n, axes) int64 samples along each axis.
        mirrored: (n,) bool along the last axis.
        contrast, saturation: (n, 1) factors of colours.
        brightness: (n, 1) added to colours.
    """

    shifts: Tensor
    mirrored: Tensor
    contrast: Tensor
    saturation: Tensor
    brightness: Tensor

    def of(self, rows: Tensor) -> Change:
        """The change of some of the views."""
        return Change(*(getattr(self, name)[rows] for name in self.__dataclass_fields__))


def draw_change(domain: Domain, count: int, strength: float, noise: torch.Generator) -> Change:
    """A random change of `count` views; each part is made to a share `strength` of them."""
    size, axes = domain.view_size, len(domain.wraps)

    def chosen(allowed: bool) -> Tensor:
        return (torch.rand(count, generator=noise) < strength) & allowed

    def spread(scale: float) -> Tensor:
        normals = torch.randn(count, generator=noise)
        return torch.where(chosen(bool(domain.colours)), scale * normals, 0.0)[:, None]

    most = int(size * SHIFT) if domain.moves else 0
    shifts = torch.randint(-most, most + 1, (count, axes), generator=noise)
    shifts = torch.where(chosen(domain.moves)[:, None], shifts, 0)
    mirrored = chosen(domain.moves) & (torch.rand(count, generator=noise) < 0.5)
    return Change(shifts, mirrored, spread(CONTRAST).exp(), spread(SATURATION).exp(), spread(BRIGHTNESS))


def joined(first: Change, second: Change) -> Change:
    """The changes of two sets of views, one after the other."""
    return Change(*(torch.cat([getattr(first, k), getattr(second, k)]) for k in Change.__dataclass_fields__))


def changed(view: Tensor, change: Change, domain: Domain) -> Tensor:
    """Views (n, channels, *size) with a change made: geometry on all channels, colour on colours alone."""
    change = Change(*(getattr(change, name).to(view.device) for name in Change.__dataclass_fields__))
    if domain.moves:
        view = moved(view, change, domain.wraps)
    if domain.colours:
        inside = list(domain.colours)
        colour = recoloured(view[:, inside], change)
        others = [c for c in range(view.shape[1]) if c not in domain.colours]
        order = torch.argsort(torch.tensor(inside + others, device=view.device))
        view = torch.cat([colour, view[:, others]], 1)[:, order]
    return view


def moved(view: Tensor, change: Change, wraps: tuple[bool, ...]) -> Tensor:
    """Views shifted, and mirrored along the last axis; what doesn't wrap repeats its border."""
    for axis, circular in enumerate(wraps):
        size = view.shape[2 + axis]
        place = torch.arange(size, device=view.device)[None] - change.shifts[:, axis, None]
        place = place % size if circular else place.clamp(0, size - 1)
        if axis == len(wraps) - 1:
            place = torch.where(change.mirrored[:, None], place.flip(1), place)
        shape = [len(view), 1, *[1] * len(wraps)]
        shape[2 + axis] = size
        view = view.gather(2 + axis, place.reshape(shape).expand_as(view))
    return view


def recoloured(colour: Tensor, change: Change) -> Tensor:
    """(n, channels, *size) colours about zero with brightness, contrast and saturation changed."""
    shape = (len(colour), 1, *[1] * (colour.ndim - 2))
    grey = colour.mean(1, keepdim=True)
    colour = grey + (colour - grey) * change.saturation.reshape(shape)
    return colour * change.contrast.reshape(shape) + change.brightness.reshape(shape)


@dataclass
class Adaptation:
    """The strength, which follows how well the discriminator tells its own real samples from fakes.

    Attributes:
        cap: most that it may become; 0 for no augmentation.
        strength: share of samples that each change is made to.
        told: running mean over steps of sign(real score - fake score), in [-1, 1].
    """

    cap: float
    strength: float = 0.0
    told: float = 0.0

    def update(self, told: float, share: float) -> None:
        """After a step.

        Args:
            told: mean of sign(real score - fake score) over its pairs.
            share: of the run that the step was.
        """
        self.told = MEMORY * self.told + (1 - MEMORY) * told
        change = self.cap * share / RISE * (1 if self.told > TARGET else -1)
        self.strength = min(max(self.strength + change, 0.0), self.cap)
