"""Compare the networks of a first GAN with the core's, on the same digits in the same seconds of one CPU thread.

Usage: python benchmarks/digits.py [--seconds 36] [--seeds 3] [--sheets DIR]

Needs examples/digits installed (pip install ./examples/digits). 4000 digits are for training, and 1000 others are the
reference; the row "real" compares 1000 training digits with them. Prints a markdown table of means over the seeds, with
their range; --sheets writes an image of 64 digits of each row's first seed.

Three small classifiers are trained on the 4000 digits. "readable" is the share of samples for which all three agree and
their mean probability is high; "classes" is exp(entropy) of the predicted classes, at most 10.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from scipy.stats import entropy
from tables import print_table, say
from torch import Tensor, nn
from torch.nn import functional

from ganassets.api.data import TrainingData
from ganassets.api.registry import load_generator
from ganassets.api.spec import GeneratorSpec, Preset
from ganassets.training.evaluation.features import ImageFeatures, image_features
from ganassets.training.evaluation.measures import frechet_distance, neighbourhoods, pairwise_distance, principal_axes
from ganassets.training.hardware import apply_hardware
from ganassets.training.networks import Domain, LinearFit, count_parameters, fit_linear
from ganassets.training.settings import Hardware
from ganassets.training.trainer import Trainer

Digits = NDArray[np.float32]  # (n, 1, 28, 28) in [0, 1]
SPEC, SIDE = load_generator("digits"), 28
HELD_OUT = 1000
HARDWARE = Hardware("cpu", 1, "float32", True)
# Number of principal axes of the features.
AXES = 64
PACE_SECONDS = 4.0
CLASSIFIERS, EPOCHS, SURE = 3, 8, 0.9
# Border in pixels, and side of the squares that become channels; see FoldedDigits.
PAD, FOLD = 2, 4
COLUMNS, CELL = 16, 2 * SIDE


class FoldedDigits(Domain):
    """Digits for networks whose sizes are powers of two.

    A border of 2 pixels is added, and cropped from the outputs. Each square of pixels becomes one position with as many
    channels, which saves time.
    """

    signals, vectors, wraps = {"ink": FOLD**2}, {}, (False, False)
    size = network_size = (SIDE + 2 * PAD) // FOLD
    view_channels = FOLD**2

    def finish(self, raw: dict[str, Tensor], condition: Tensor) -> dict[str, Tensor]:
        """Return the digits without their border."""
        del condition
        return {"colour": functional.pixel_shuffle(raw["ink"], FOLD)[:, :, PAD:-PAD, PAD:-PAD].clamp(0, 1)}

    def view(self, raw: dict[str, Tensor]) -> Tensor:
        """Return (n, channels, *size) of about unit variance."""
        return (raw["ink"] - 0.5) * 3


def fold_digits(data: TrainingData) -> TrainingData:
    """Convert samples for FoldedDigits."""
    ink = functional.pad(torch.from_numpy(data.signals["ink"]), (PAD,) * 4)
    return replace(data, signals={"ink": functional.pixel_unshuffle(ink, FOLD).numpy()})


def keep_digits(data: TrainingData) -> TrainingData:
    """Return the digits as they are."""
    return data


@dataclass(frozen=True)
class Contestant:
    """A way to generate digits.

    Attributes:
        name: Name in the table.
        sheet: Name of its image.
        spec: Its generator.
        prepare: Converts the digits to its samples.
    """

    name: str
    sheet: str
    spec: GeneratorSpec
    prepare: Callable[[TrainingData], TrainingData] = keep_digits

    @property
    def preset(self) -> Preset:
        """Return the only preset."""
        return self.spec.presets[0]


CORE = Preset(
    "core", "For the table.", size=8, network_size=8, kimg=1, components=48, width=48, max_width=64, z_dim=64,
    w_dim=64, batch=32, gamma=30.0, learning_rate=2e-3,
)  # fmt: skip
OURS = replace(SPEC.presets[0], objective="rpgan", gamma=10.0, learning_rate=1e-3)
CONTESTANTS = (
    Contestant("first GAN", "first", SPEC),
    Contestant("its networks, our training", "first-ours", replace(SPEC, presets=(OURS,))),
    Contestant(
        "our networks and training",
        "ours",
        replace(SPEC, presets=(CORE,), networks=None, domain=lambda preset, fit: FoldedDigits(fit)),
        fold_digits,
    ),
)


def split_digits(data: TrainingData, rng: np.random.Generator) -> tuple[TrainingData, NDArray[np.int64], Digits]:
    """Return training digits in random order, their labels, and 1000 other digits."""
    order = rng.permutation(len(data))
    test, train_index = order[:HELD_OUT], order[HELD_OUT:]
    ink = data.signals["ink"]
    # The data are in the order of their classes, which are equally large.
    labels = np.arange(len(data)) * 10 // len(data)
    train = replace(data, signals={"ink": ink[train_index]}, conditions=data.conditions[train_index])
    return train, labels[train_index], (ink[test] / 255).astype(np.float32)


def make_trainer(one: Contestant, data: TrainingData, kimg: float, seed: int) -> Trainer:
    """Build an untrained trainer."""
    preset = replace(one.preset, kimg=kimg)
    fit: LinearFit = fit_linear(data, preset.z_dim, preset.components, np.random.default_rng(seed))
    domain = one.spec.domain(preset, fit)
    return Trainer(preset, domain, data, preset.objective, HARDWARE, seed, networks=one.spec.networks)


def train_for(one: Contestant, data: TrainingData, seconds: float, seed: int) -> tuple[Trainer, float]:
    """Train for about some seconds of CPU time, and return the trainer and the seconds that it took.

    The length of the run is computed from the speed of a short run before it.
    """
    trial = make_trainer(one, data, 1e6, seed)
    trial.images = 10**8  # past the part in which the discriminator learns alone
    start = time.process_time()
    while time.process_time() - start < PACE_SECONDS:
        trial.step()
    per_second = (trial.images - 10**8) / (time.process_time() - start)
    trainer = make_trainer(one, data, per_second * seconds / 1000, seed)
    start = time.process_time()
    while trainer.progress < 1:
        trainer.step()
    return trainer, time.process_time() - start


def generate_digits(trainer: Trainer, count: int) -> Digits:
    """Generate digits with the averaged generator, from normals of numpy."""
    z = np.random.default_rng(1).standard_normal((count, trainer.preset.z_dim)).astype(np.float32)
    return trainer.snapshot(torch.from_numpy(z), torch.zeros(count, 0))["colour"][:, :1]


def make_classifier(digits: Digits, labels: NDArray[np.int64], seed: int) -> nn.Sequential:
    """Train a small convolutional classifier on digits that are shifted by up to 2 pixels."""
    torch.manual_seed(seed)
    network = nn.Sequential(
        *(nn.Conv2d(1, 16, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Conv2d(16, 32, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Flatten(), nn.Linear(32 * 49, 64), nn.ReLU(), nn.Dropout(0.3), nn.Linear(64, 10)),
    )
    optimiser = torch.optim.Adam(network.parameters(), 2e-3)
    images, targets = torch.from_numpy(digits), torch.from_numpy(labels)
    for _ in range(EPOCHS):
        for index in torch.randperm(len(images)).split(64):
            shift = torch.randint(-2, 3, (2,)).tolist()
            loss = functional.cross_entropy(network(images[index].roll(shift, (2, 3))), targets[index])
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
    return network.eval()


@torch.no_grad()
def classify(classifiers: Sequence[nn.Sequential], digits: Digits) -> tuple[float, float, NDArray[np.float64]]:
    """Return the readable share, exp(entropy) of the classes, and (n, 64) features of the first classifier."""
    images = torch.from_numpy(digits)
    chances = torch.stack([network(images).softmax(1) for network in classifiers])
    votes, mean = chances.argmax(2), chances.mean(0)
    readable = (votes == votes[0]).all(0) & (mean.amax(1) > SURE)
    classes = np.exp(entropy(np.bincount(mean.argmax(1).numpy(), minlength=10)))
    return float(readable.float().mean()), float(classes), classifiers[0][:-2](images).double().numpy()


class DigitMeasures:
    """Compares digits with real ones outside the training set."""

    def __init__(self, real: Digits, classifiers: Sequence[nn.Sequential]) -> None:
        self.classifiers, self.extractor = classifiers, ImageFeatures()
        self.real_images, self.real_classes = self.image_features(real), classify(classifiers, real)[2]
        self.mean, self.axes = principal_axes(self.real_images, AXES)

    def image_features(self, digits: Digits) -> NDArray[np.float64]:
        """Return (n, 1280) features of EfficientNet-Lite0."""
        return image_features(self.extractor, np.repeat(digits, 3, 1))

    def measures(self, digits: Digits) -> dict[str, float]:
        """Return the numbers of a row by column."""
        real, made = ((f - self.mean) @ self.axes for f in (self.real_images, self.image_features(digits)))
        readable, classes, read = classify(self.classifiers, digits)
        near = neighbourhoods(real, made)
        return {
            "FD-EffNetLite0": frechet_distance(real, made),
            "FD, classifier": frechet_distance(self.real_classes, read),
            "precision": near.precision,
            "recall": near.recall,
            "coverage": near.coverage,
            "spread": pairwise_distance(made) / pairwise_distance(real),
            "readable": readable,
            "classes": classes,
        }


def draw_sheet(digits: Digits) -> Image.Image:
    """Draw the first 64 digits, black on white."""
    rows = digits[: 4 * COLUMNS].reshape(4, COLUMNS, SIDE, SIDE).transpose(0, 2, 1, 3).reshape(4 * SIDE, -1)
    ink = Image.fromarray(np.uint8(255 - np.rint(255 * rows)))
    return ink.resize((COLUMNS * CELL, 4 * CELL), Image.Resampling.NEAREST)


def summarize(name: str, found: Sequence[Mapping[str, float]]) -> dict[str, str]:
    """Return a row of the table: each column's mean, and its range if there are several values."""

    def format_cell(values: list[float]) -> str:
        mean = f"{np.mean(values):.3g}"
        return mean if len(values) == 1 else f"{mean} ({min(values):.3g} to {max(values):.3g})"

    return {"": name} | {column: format_cell([one[column] for one in found]) for column in found[0]}


def main() -> None:
    """Train, compare, and print tables."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--seconds", type=float, default=36.0)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--sheets", type=Path)
    options: Any = parser.parse_args()
    apply_hardware(HARDWARE)
    digits = SPEC.dataset(SPEC.presets[0], {}, 0, lambda done, total: None)
    data, labels, real = split_digits(digits, np.random.default_rng(0))
    seen = (data.signals["ink"] / 255).astype(np.float32)
    classifiers = [make_classifier(seen, labels, seed) for seed in range(CLASSIFIERS)]
    judge = DigitMeasures(real, classifiers)
    sheets, costs = {"real": draw_sheet(real)}, []
    rows = [summarize("real", [judge.measures(seen[:HELD_OUT])])]
    for one in CONTESTANTS:
        found: list[dict[str, float]] = []
        for seed in range(options.seeds):
            trainer, seconds = train_for(one, one.prepare(data), options.seconds, seed)
            made = generate_digits(trainer, HELD_OUT)
            sheets.setdefault(one.sheet, draw_sheet(made))
            found.append(judge.measures(made))
            costs.append(
                {
                    "": f"{one.name}, seed {seed}",
                    "CPU s": f"{seconds:.0f}",
                    "img/s": f"{trainer.images / seconds:.0f}",
                    "epochs": f"{trainer.images / len(data):.0f}",
                    "generator": f"{count_parameters(trainer.generator):,}",
                    "discriminator": f"{count_parameters(trainer.discriminator):,}",
                }
            )
        rows.append(summarize(one.name, found))
    print_table(rows)
    say("Cost of each run, on one thread:")
    print_table(costs)
    for name, picture in sheets.items() if options.sheets else ():
        picture.save(options.sheets / f"digits-{name}.png")


if __name__ == "__main__":
    main()
