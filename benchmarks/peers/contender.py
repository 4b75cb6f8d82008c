"""What takes part in a comparison, and the time it gets."""

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
        batch: images a step.
        precision: "float32" or "bfloat16".
    """

    batch: int
    precision: str

    @property
    def networks(self) -> tuple[Sequence[nn.Module], nn.Module]:
        """What is trained on the generator's side, and the discriminator."""
        ...

    def step(self, share: float) -> None:
        """Update the networks once; `share` of the time, in [0, 1), is over."""
        ...

    def samples(self, count: int) -> Mapping[str, torch.Tensor]:
        """(count, 3, size, size) in [0, 1] on the CPU, made by the "live" weights, by their "average", or by each."""
        ...


@dataclass(frozen=True)
class Race:
    """A contender after its time: steps it made, seconds it took, the last step to its end."""

    contender: Contender
    steps: int
    seconds: float

    @property
    def rate(self) -> float:
        """Images a second, preparation included."""
        return self.steps * self.contender.batch / self.seconds

    @property
    def parameters(self) -> tuple[int, int]:
        """Of the generator's side and of the discriminator."""
        generators, discriminator = self.contender.networks
        return sum(map(count_parameters, generators)), count_parameters(discriminator)


def clock_of(device: str) -> Callable[[], float]:
    """Seconds of this process: of its one thread on a CPU, where others' work must not count; else on the wall."""
    if device == "cpu":
        return time.process_time

    def wall() -> float:
        torch.cuda.synchronize()
        return time.perf_counter()

    return wall


def race(make: Callable[[], Contender], seconds: float, clock: Callable[[], float]) -> Race:
    """Make a contender and train it until the time is over."""
    start = clock()
    contender = make()
    steps = 0
    while (spent := clock() - start) < seconds:
        contender.step(spent / seconds)
        steps += 1
    return Race(contender, steps, clock() - start)


class Batches:
    """Random batches of images, on the device they are trained on."""

    def __init__(self, images: Images, device: str) -> None:
        self.images = torch.from_numpy(images).to(device)

    def draw(self, count: int) -> torch.Tensor:
        """(count, 3, size, size) in [0, 1]; the state is torch's own, as in the packages that are compared."""
        index = torch.randint(len(self.images), (count,)).to(self.images.device)
        return self.images[index].float() / 255
