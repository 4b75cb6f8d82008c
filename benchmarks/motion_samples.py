"""Sets of motion clips to compare, by action and loop: real, of a model, of a linear model, and blends of real ones."""

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
from ganassets.api.motion.editing import place_at_origin
from ganassets.api.motion.feet import hold_feet, put_on_ground
from ganassets.api.motion.measures import motion_features
from ganassets.api.spec import GeneratorSpec
from ganassets.inference.model import Model
from ganassets.inference.request import GenerationRequest
from ganassets.inference.resolve import generate_assets
from ganassets.training.evaluation.measures import Features
from ganassets_poses.actions import ACTION_NAMES
from ganassets_poses.dataset import draw_window, read_segments
from ganassets_poses.segments import Segment, align_segments
from ganassets_poses.signals import REST_HEIGHT, ROOT_SCALE, ROTATION_SCALE, Signals, clip_from_signals, unstack_signals
from ganassets_poses.structure import FPS

FloatArray = NDArray[np.floating]
Cell = tuple[str, bool]  # action, and whether it loops
Windows = dict[Cell, Features]

SECONDS = 2.0  # approximate duration of loops, which hold whole repetitions
WINDOW = 64  # frames of a window of the linear model
# Ridge penalty of the classifier.
RIDGE = 0.1
WINDOWS, AXES = 512, 64  # number of windows to fit the linear model of a cell to, and its principal axes
# Scale and offset that give signals about unit variance, and 0 for a figure at rest.
SCALE = np.concatenate([ROOT_SCALE, np.full(132, ROTATION_SCALE), np.full(4, 0.5)])[:, None]
REST = np.concatenate([[0, 0, 0, REST_HEIGHT], np.tile(np.eye(3)[:2].ravel(), 22), np.full(4, 0.5)])[:, None]


@dataclass(frozen=True, eq=False)
class Clips:
    """A row of the tables: clips by cell; real ones have the name of their recording."""

    by_cell: Mapping[Cell, Sequence[MotionClip]]

    @cached_property
    def windows(self) -> dict[Cell, list[Features]]:
        """Features of each clip, see `motion_features`."""
        return {cell: [motion_features([clip]) for clip in clips] for cell, clips in self.by_cell.items()}

    @cached_property
    def features(self) -> Windows:
        """Features of all clips of each cell."""
        return {cell: np.concatenate(windows) for cell, windows in self.windows.items()}

    def halves(self, rng: np.random.Generator) -> tuple[Windows, Windows]:
        """Split the recordings of each cell at random; return the features of both halves."""
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


def by_cell(segments: Sequence[Segment]) -> dict[Cell, list[Segment]]:
    """Group segments by cell."""
    found: dict[Cell, list[Segment]] = defaultdict(list)
    for segment in segments:
        found[segment.action.name, segment.loop].append(segment)
    return dict(found)


def segments_in(folder: Path) -> list[Segment]:
    """Return all segments of real motion in a folder, aligned; those other than steps are right-handed."""
    return align_segments(read_segments(folder, None, [])[0])


def recordings(segments: Sequence[Segment]) -> int:
    """Return the number of recordings of segments."""
    return len({segment.source for segment in segments})


def chances(segments: Sequence[Segment]) -> FloatArray:
    """Return probabilities (n,) of drawing segments that are equal for all recordings."""
    count = Counter(segment.source for segment in segments)
    shares = np.array([1 / count[segment.source] for segment in segments])
    return shares / shares.sum()


def some_of(segments: Sequence[Segment], count: int, rng: np.random.Generator) -> list[Segment]:
    """Return at most `count` of the segments, without repetition."""
    if count >= len(segments):
        return list(segments)
    return [segments[i] for i in rng.choice(len(segments), count, False, chances(segments))]


def real_clip(segment: Segment) -> MotionClip:
    """Return a segment as it was recorded; a loop is repeated for about SECONDS."""
    count = max(round(SECONDS * segment.tempo), 1) if segment.loop else 1
    signals = segment.signals
    repeated = Signals(*(np.tile(part, count) for part in (signals.root, signals.rotations, signals.contacts)))
    return clip_from_signals(repeated, segment.source, FPS, segment.loop)


def real_clips(segments: Mapping[Cell, Sequence[Segment]]) -> Clips:
    """Return segments as they were recorded."""
    return Clips({cell: [real_clip(segment) for segment in some] for cell, some in segments.items()})


def cleaned(clip: MotionClip) -> MotionClip:
    """Return a clip with the corrections of the plugin's decoder."""
    return hold_feet(place_at_origin(put_on_ground(clip)))


def made_clips(
    model: Model, spec: GeneratorSpec, counts: Mapping[Cell, int], first_seed: int, truncation: float, **settings: Any
) -> Clips:
    """Generate clips of each cell as `ganassets generate` does, right-handed like the real ones."""
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
        made[action, loop] = [clip for batch in generate_assets(model, spec, request) for clip in batch]  # pyright: ignore
    return Clips(made)


def gaussian_clips(segments: Sequence[Segment], count: int, rng: np.random.Generator) -> list[MotionClip]:
    """Draw windows from a Gaussian over the principal axes of the segments' windows; they never loop."""
    drawn = rng.choice(len(segments), WINDOWS, p=chances(segments))
    table = np.stack([((draw_window(segments[i], WINDOW, rng).signals.stack() - REST) / SCALE).ravel() for i in drawn])
    mean = table.mean(0)
    _, values, axes = np.linalg.svd(table - mean, full_matrices=False)
    scores = rng.normal(size=(count, AXES)) * values[:AXES] / np.sqrt(WINDOWS)
    made = (mean + scores @ axes[:AXES]).reshape(count, -1, WINDOW) * SCALE + REST
    return [cleaned(clip_from_signals(unstack_signals(values), "", FPS, False)) for values in made]


def blended_clips(segments: Sequence[Segment], count: int, rng: np.random.Generator) -> list[MotionClip]:
    """Blend random pairs of aligned segments half and half."""
    pairs = [rng.choice(len(segments), 2, len(segments) < 2, chances(segments)) for _ in range(count)]
    return [blended(segments[a], segments[b]) for a, b in pairs]


def blended(a: Segment, b: Segment) -> MotionClip:
    """Blend two segments half and half, at the pace at which both have the same duration."""
    tempo = (a.tempo + b.tempo) / 2
    repetitions = max(round(SECONDS * tempo), 1) if a.loop else 1
    frames = round(repetitions * FPS / tempo)
    turns = np.arange(frames) * repetitions / frames
    both = [at_pace(segment.sample(turns), repetitions * len(segment.signals) / frames).stack() for segment in (a, b)]
    return cleaned(clip_from_signals(unstack_signals((both[0] + both[1]) / 2), "", FPS, a.loop))


def at_pace(signals: Signals, pace: float) -> Signals:
    """Return signals at a multiple of their pace."""
    return replace(signals, root=signals.root * np.array([pace, pace, pace, 1], np.float32)[:, None])


class ActionClassifier:
    """Kernel ridge regression of actions on features.

    The width of the Gaussian kernel is the median distance of windows. All actions have the same weight, for any number
    of windows.
    """

    def __init__(self, windows: Windows) -> None:
        self.features = np.concatenate(list(windows.values()))
        labels = np.concatenate(
            [np.full(len(rows), ACTION_NAMES.index(action)) for (action, _), rows in windows.items()]
        )
        squares = cdist(self.features, self.features, "sqeuclidean")
        self.scale = float(np.median(squares))
        count = np.bincount(labels, minlength=len(ACTION_NAMES))[labels]
        kernel = np.exp(-squares / self.scale)
        kernel[np.diag_indices(len(kernel))] += RIDGE * count / len(labels) * len(np.unique(labels))
        self.weights = np.linalg.solve(kernel, np.eye(len(ACTION_NAMES))[labels])

    def seen(self, windows: Windows) -> dict[Cell, float]:
        """Return the share of windows of each cell that are classified correctly."""
        return {
            cell: float((self(features) == ACTION_NAMES.index(cell[0])).mean()) for cell, features in windows.items()
        }

    def __call__(self, features: Features) -> NDArray[np.intp]:
        """Return the index (n,) of each window's action in actions.ACTION_NAMES."""
        kernel = np.exp(-cdist(features, self.features, "sqeuclidean") / self.scale)
        return (kernel @ self.weights).argmax(1)
