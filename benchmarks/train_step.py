"""Measure the speed of a training step on the CPU, and of several ways to upsample.

Usage: [OMP_WAIT_POLICY=passive] python benchmarks/train_step.py [ROUNDS]

Complete steps of the faces' quick preset (both networks, optimisers, EMA, penalty at its interval) on random samples
of the right shapes, for each precision, number of threads and memory format. Prints markdown tables of the best
round, because other programs on the machine can only make a round slower.
"""

from __future__ import annotations

import itertools
import os
import sys
import time
from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from ganassets.api.data import TrainingData
from ganassets.api.registry import load_generator
from ganassets.api.spec import GeneratorSpec, Preset
from ganassets.training.hardware import apply_hardware
from ganassets.training.networks import LinearFit, fit_linear
from ganassets.training.networks.layers import upsample
from ganassets.training.settings import Hardware
from ganassets.training.trainer import Trainer

SAMPLES = 256
# Shape of the input of the generator's last block.
UPSAMPLED = (16, 32, 32, 32)
REPEATS = 20
THREADS = (1, 2)
FORMS = {
    "float32, contiguous": (torch.float32, torch.contiguous_format),
    "float32, channels last": (torch.float32, torch.channels_last),
    "bfloat16, channels last": (torch.bfloat16, torch.channels_last),
}
HARDWARE = [
    Hardware("cpu", threads, precision, channels_last)
    for precision, threads, channels_last in itertools.product(("float32", "bfloat16"), THREADS, (True, False))
]


def random_heads(spec: GeneratorSpec, preset: Preset) -> TrainingData:
    """Make noise with the shapes of the faces' samples."""
    rng = np.random.default_rng(0)
    albedo = rng.integers(0, 256, (SAMPLES, 3, preset.size, preset.size), np.uint8)
    shape = rng.normal(size=(SAMPLES, 64)).astype(np.float32)
    width = sum(max(len(condition.choices), 1) for condition in spec.conditions)
    conditions = rng.uniform(size=(SAMPLES, width)).astype(np.float32)
    return TrainingData({"albedo": albedo}, {"shape": shape}, conditions, "noise", "CC0-1.0", "random numbers")


def make_trainer(
    spec: GeneratorSpec, preset: Preset, fit: LinearFit, data: TrainingData, hardware: Hardware
) -> Trainer:
    """Build a trainer in the middle of its run, where both networks learn."""
    apply_hardware(hardware)
    trainer = Trainer(preset, spec.domain(preset, fit), data, "rpgan", hardware, seed=0)
    trainer.images = int(preset.kimg * 500)
    return trainer


def images_per_second(trainer: Trainer) -> float:
    """Measure images per second over two penalty intervals."""
    apply_hardware(trainer.hardware)
    steps = 2 * trainer.preset.penalty_interval
    trainer.step()  # warms up after another trainer
    start = time.perf_counter()
    for _ in range(steps):
        trainer.step()
    return steps * trainer.preset.batch / (time.perf_counter() - start)


def expand(x: Tensor) -> Tensor:
    """Upsample by nearest neighbour, repeating along new axes."""
    n, c, h, w = x.shape
    return x[:, :, :, None, :, None].expand(n, c, h, 2, w, 2).reshape(n, c, 2 * h, 2 * w)


def stack(x: Tensor) -> Tensor:
    """Upsample by nearest neighbour, stacking each axis with itself."""
    for axis in (2, 3):
        x = torch.stack([x, x], axis + 1).flatten(axis, axis + 1)
    return x


def conv_transpose(x: Tensor) -> Tensor:
    """Upsample by nearest neighbour, with a transposed convolution of each channel with ones."""
    return functional.conv_transpose2d(x, x.new_ones(x.shape[1], 1, 2, 2), stride=2, groups=x.shape[1])


def bilinear(x: Tensor) -> Tensor:
    """Upsample by bilinear interpolation."""
    return functional.interpolate(x, scale_factor=2, mode="bilinear")


UPSAMPLERS: dict[str, Callable[[Tensor], Tensor]] = {
    "interpolate, nearest (used)": upsample,
    "stack + flatten": stack,
    "expand + reshape": expand,
    "interpolate, bilinear": bilinear,
    "conv_transpose2d": conv_transpose,
}


def upsample_milliseconds(
    layer: Callable[[Tensor], Tensor], dtype: torch.dtype, memory_format: torch.memory_format
) -> tuple[float, float]:
    """Measure the least milliseconds of the forward and of the backward pass."""
    x = torch.zeros(UPSAMPLED).to(dtype=dtype, memory_format=memory_format).requires_grad_()
    gradient = torch.zeros_like(layer(x))
    forward = backward = float("inf")
    for _ in range(REPEATS):
        start = time.perf_counter()
        y = layer(x)
        middle = time.perf_counter()
        y.backward(gradient)
        forward, backward = min(forward, middle - start), min(backward, time.perf_counter() - middle)
    return forward * 1e3, backward * 1e3


def print_table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print a markdown table."""
    for row in (head, ["---"] * len(head), *rows):
        print(f"| {' | '.join(row)} |")
    print()


def main() -> None:
    """Measure, and print tables."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 3
    spec = load_generator("faces")
    preset = spec.preset("quick")
    data = random_heads(spec, preset)
    fit = fit_linear(data, preset.z_dim, preset.components, np.random.default_rng(0))
    trainers = [make_trainer(spec, preset, fit, data, hardware) for hardware in HARDWARE]
    best = [0.0] * len(trainers)
    for _ in range(rounds):
        best = [max(found, images_per_second(trainer)) for found, trainer in zip(best, trainers, strict=True)]
    waits = os.environ.get("OMP_WAIT_POLICY", "not set")
    print(f"Training step of faces {preset.name}, best of {rounds} rounds, torch {torch.__version__},")
    print(f"OMP_WAIT_POLICY {waits}:\n")
    print_table(
        ("precision", "threads", "channels last", "img/s"),
        [
            (h.precision, str(h.threads), "yes" if h.channels_last else "no", f"{speed:.1f}")
            for h, speed in zip(HARDWARE, best, strict=True)
        ],
    )
    apply_hardware(Hardware("cpu", 1, "float32", True))
    print(f"Upsampling {' x '.join(map(str, UPSAMPLED))}, one thread, forward + backward in ms:\n")
    rows = []
    for name, layer in UPSAMPLERS.items():
        times = [upsample_milliseconds(layer, *form) for form in FORMS.values()]
        rows.append((name, *(f"{forward:.2f} + {backward:.2f}" for forward, backward in times)))
    print_table(("way", *FORMS), rows)


if __name__ == "__main__":
    main()
