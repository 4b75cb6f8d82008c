"""Train the contenders of a comparison for a fixed time."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import torch
from images import Images
from torch import nn

from ganassets.training.networks import count_parameters


class Contender(Protocol):
    """Networks in training.

    Attributes:
        batch: number of images in a step.
        precision: number format, "float32" or "bfloat16".
    """

    batch: int
    precision: str

    @property
    def networks(self) -> tuple[Sequence[nn.Module], nn.Module]:
        """Return the trained networks of the generator, and the discriminator."""
        ...

    def step(self, share: float) -> None:
        """Update the networks once; `share` is the share of the time that has passed, in [0, 1)."""
        ...

    def samples(self, count: int) -> Mapping[str, torch.Tensor]:
        """Generate (count, 3, size, size) samples in [0, 1] on the CPU by "live" weights, their "average", or both."""
        ...


@dataclass(frozen=True)
class TrainedContender:
    """A contender after its training, with the number of steps and the seconds until the last step ended."""

    contender: Contender
    steps: int
    seconds: float

    @property
    def rate(self) -> float:
        """Return images per second, including the preparation."""
        return self.steps * self.contender.batch / self.seconds

    @property
    def parameters(self) -> tuple[int, int]:
        """Return the numbers of trained parameters of the generator and of the discriminator."""
        generators, discriminator = self.contender.networks
        return sum(map(count_parameters, generators)), count_parameters(discriminator)


def choose_clock(device: str) -> Callable[[], float]:
    """Return a clock in seconds: processor time on a CPU, so that other programs don't count, else wall-clock time."""
    if device == "cpu":
        return time.process_time

    def read_wall_clock() -> float:
        torch.cuda.synchronize()
        return time.perf_counter()

    return read_wall_clock


def train_contender(build: Callable[[], Contender], seconds: float, clock: Callable[[], float]) -> TrainedContender:
    """Build a contender and train it until the time is over."""
    start = clock()
    contender = build()
    steps = 0
    while (spent := clock() - start) < seconds:
        contender.step(spent / seconds)
        steps += 1
    return TrainedContender(contender, steps, clock() - start)


class RandomBatches:
    """Draw random batches of images, on the training device."""

    def __init__(self, images: Images, device: str) -> None:
        self.images = torch.from_numpy(images).to(device)

    def draw(self, count: int) -> torch.Tensor:
        """Draw (count, 3, size, size) images in [0, 1] by torch's global random state, as the packages do."""
        index = torch.randint(len(self.images), (count,)).to(self.images.device)
        return self.images[index].float() / 255
