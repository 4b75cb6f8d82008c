"""Motion clips to compare: real ones, a model's, of a linear model, and blends of real ones; by action, loops apart."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.distance import cdist

from ganassets.api.assets import MotionClip
from ganassets.api.motion.editing import placed
from ganassets.api.motion.feet import grounded, held_feet
from ganassets.api.motion.measures import motion_features
from ganassets.api.spec import GeneratorSpec
from ganassets.inference.model import Model
from ganassets.inference.request import GenerationRequest
from ganassets.inference.resolve import generate
from ganassets.training.evaluation.measures import Features
from ganassets_poses.actions import NAMES
from ganassets_poses.dataset import read_units, window
from ganassets_poses.signals import REST_HEIGHT, ROOT_SCALE, ROTATION_SCALE, Signals, clip_of, unstacked
from ganassets_poses.structure import FPS
from ganassets_poses.units import Unit, laid_together

FloatArray = NDArray[np.floating]
Cell = tuple[str, bool]  # action, and whether it repeats
Windows = dict[Cell, Features]

SECONDS = 2.0  # that loops last, about: they hold whole repetitions
WINDOW = 64  # frames of what the linear model learns
RIDGE = 0.1  # of the classifier
WINDOWS, AXES = 512, 64  # of each cell that the linear model is fitted to; its principal axes
# What makes signals about unit variance, and a figure at rest 0.
SCALE = np.concatenate([ROOT_SCALE, np.full(132, ROTATION_SCALE), np.full(4, 0.5)])[:, None]
REST = np.concatenate([[0, 0, 0, REST_HEIGHT], np.tile(np.eye(3)[:2].ravel(), 22), np.full(4, 0.5)])[:, None]


@dataclass(frozen=True, eq=False)
class Clips:
    """A row of the tables: clips by cell; real ones are called after the recording that they are of."""

    by_cell: Mapping[Cell, Sequence[MotionClip]]

    @cached_property
    def windows(self) -> dict[Cell, list[Features]]:
        """Features of each clip, see motion_features."""
        return {cell: [motion_features([clip]) for clip in clips] for cell, clips in self.by_cell.items()}

    @cached_property
    def features(self) -> Windows:
        """Of all clips of each cell."""
        return {cell: np.concatenate(windows) for cell, windows in self.windows.items()}

    def halves(self, rng: np.random.Generator) -> tuple[Windows, Windows]:
        """Features of half of the recordings of each cell and of the others; the odd one by chance."""
        found: tuple[Windows, Windows] = {}, {}
        for cell, clips in self.by_cell.items():
            names = sorted({clip.name for clip in clips})
            count = (len(names) + int(rng.integers(2))) // 2
            chosen = set(rng.permutation(names)[:count].tolist())
            for half, inside in zip(found, (True, False), strict=True):
                parts = [
                    f for f, clip in zip(self.windows[cell], clips, strict=True) if (clip.name in chosen) == inside
                ]
                if parts:
                    half[cell] = np.concatenate(parts)
        return found


def by_cell(units: Sequence[Unit]) -> dict[Cell, list[Unit]]:
    """Units of each cell."""
    found: dict[Cell, list[Unit]] = defaultdict(list)
    for unit in units:
        found[unit.action.name, unit.loop].append(unit)
    return dict(found)


def units_in(folder: Path) -> list[Unit]:
    """All repetitions and single actions of real motion, which begin alike; anything but steps with the right side."""
    return laid_together(read_units(folder, None, [])[0])


def recordings(units: Sequence[Unit]) -> int:
    """How many recordings units are of."""
    return len({unit.source for unit in units})


def chances(units: Sequence[Unit]) -> FloatArray:
    """(n,) every recording that units are of counts alike."""
    count = Counter(unit.source for unit in units)
    shares = np.array([1 / count[unit.source] for unit in units])
    return shares / shares.sum()


def some_of(units: Sequence[Unit], count: int, rng: np.random.Generator) -> list[Unit]:
    """No more than `count` of the units, each once."""
    if count >= len(units):
        return list(units)
    return [units[i] for i in rng.choice(len(units), count, False, chances(units))]


def real_clip(unit: Unit) -> MotionClip:
    """A unit as it was recorded, a loop for about SECONDS."""
    count = max(round(SECONDS * unit.tempo), 1) if unit.loop else 1
    signals = unit.signals
    repeated = Signals(*(np.tile(part, count) for part in (signals.root, signals.rotations, signals.contacts)))
    return clip_of(repeated, unit.source, FPS, unit.loop)


def real_clips(units: Mapping[Cell, Sequence[Unit]]) -> Clips:
    """Units as they were recorded."""
    return Clips({cell: [real_clip(unit) for unit in some] for cell, some in units.items()})


def cleaned(clip: MotionClip) -> MotionClip:
    """A clip with all that the plugin's decoder mends."""
    return held_feet(placed(grounded(clip)))


def made_clips(
    model: Model, spec: GeneratorSpec, counts: Mapping[Cell, int], first_seed: int, truncation: float, **settings: Any
) -> Clips:
    """What `ganassets generate` makes of each cell, with the right side as the real ones."""
    made: dict[Cell, list[MotionClip]] = {}
    for (action, loop), count in counts.items():
        chosen = {"mirror": "no", "seconds": SECONDS if loop else 0.0, **settings}
        request = GenerationRequest(
            model=str(model.path),
            seeds=range(first_seed, first_seed + count),
            truncation=truncation,
            conditions={"action": action, "loop": loop},
            settings=chosen,
        )
        made[action, loop] = [clip for batch in generate(model, spec, request) for clip in batch]  # pyright: ignore
    return Clips(made)


def gaussian_clips(units: Sequence[Unit], count: int, rng: np.random.Generator) -> list[MotionClip]:
    """Windows drawn from a Gaussian over the principal axes of the units' windows; they never loop."""
    drawn = rng.choice(len(units), WINDOWS, p=chances(units))
    table = np.stack([((window(units[i], WINDOW, rng).signals.stacked() - REST) / SCALE).ravel() for i in drawn])
    mean = table.mean(0)
    _, values, axes = np.linalg.svd(table - mean, full_matrices=False)
    scores = rng.normal(size=(count, AXES)) * values[:AXES] / np.sqrt(WINDOWS)
    made = (mean + scores @ axes[:AXES]).reshape(count, -1, WINDOW) * SCALE + REST
    return [cleaned(clip_of(unstacked(values), "", FPS, False)) for values in made]


def blended_clips(units: Sequence[Unit], count: int, rng: np.random.Generator) -> list[MotionClip]:
    """Two units half and half, from where their repetitions begin alike."""
    pairs = [rng.choice(len(units), 2, len(units) < 2, chances(units)) for _ in range(count)]
    return [blended(units[a], units[b]) for a, b in pairs]


def blended(a: Unit, b: Unit) -> MotionClip:
    """Both half and half, each at the pace that makes them last as long as each other."""
    tempo = (a.tempo + b.tempo) / 2
    repetitions = max(round(SECONDS * tempo), 1) if a.loop else 1
    frames = round(repetitions * FPS / tempo)
    turns = np.arange(frames) * repetitions / frames
    both = [at_pace(unit.at(turns), repetitions * len(unit.signals) / frames).stacked() for unit in (a, b)]
    return cleaned(clip_of(unstacked((both[0] + both[1]) / 2), "", FPS, a.loop))


def at_pace(signals: Signals, pace: float) -> Signals:
    """Signals whose frames were taken `pace` as far apart."""
    return replace(signals, root=signals.root * np.array([pace, pace, pace, 1], np.float32)[:, None])


class ActionClassifier:
    """Kernel ridge regression of actions on features, with a Gaussian kernel as wide as half of the windows are apart.

    All actions weigh the same, however many windows they have.
    """

    def __init__(self, windows: Windows) -> None:
        self.features = np.concatenate(list(windows.values()))
        labels = np.concatenate([np.full(len(rows), NAMES.index(action)) for (action, _), rows in windows.items()])
        squares = cdist(self.features, self.features, "sqeuclidean")
        self.scale = float(np.median(squares))
        count = np.bincount(labels, minlength=len(NAMES))[labels]
        kernel = np.exp(-squares / self.scale)
        kernel[np.diag_indices(len(kernel))] += RIDGE * count / len(labels) * len(np.unique(labels))
        self.weights = np.linalg.solve(kernel, np.eye(len(NAMES))[labels])

    def seen(self, windows: Windows) -> dict[Cell, float]:
        """Share of windows that are seen as what they should be."""
        return {cell: float((self(features) == NAMES.index(cell[0])).mean()) for cell, features in windows.items()}

    def __call__(self, features: Features) -> NDArray[np.intp]:
        """(n,) index of each window's action in actions.NAMES."""
        kernel = np.exp(-cdist(features, self.features, "sqeuclidean") / self.scale)
        return (kernel @ self.weights).argmax(1)
