"""How a run comes on: what it makes against the samples it learns from, measured a dozen times while it trains."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...api.data import TrainingData
from ...api.errors import GanassetsError
from ...api.spec import GeneratorSpec
from ..snapshot import picture_of
from .feature_space import (
    IMAGE_AXES,
    OTHER_AXES,
    Coordinates,
    Outputs,
    Sight,
    Space,
    distances,
    is_picture,
    joined,
    usable_axes,
)
from .features import ImageFeatures
from .measures import Features, nearest, nearest_others, neighbourhoods, pairwise_distance
from .samples import fitted, outputs_of, present

MOST_REAL = 512
MOST_TRAINING = 4096
SNAPSHOT = 64  # samples whose nearest training samples are looked for
FEWEST = 32  # training samples of which a half can stand for the rest
COPY_PERCENTILE = 1.0
CHUNK = 64
STREAM = 1_000_004  # of the run's seed


@dataclass(frozen=True)
class Scores:
    """A set of samples against real ones; None where a set is too small for a measure.

    Attributes:
        distance: Frechet distance (see Monitor); smaller is nearer.
        precision, recall, density, coverage: see ganassets.evaluation.measures.Neighbourhoods.
        spread: mean distance between two samples by that between real ones; far below 1 is collapse.
        nearest: median distance of the first 64 to the nearest training sample (of real ones: the nearest other).
        copies: share of the 64 that lie nearer to one than 99 of 100 training samples lie to each other.
    """

    distance: float | None
    precision: float | None
    recall: float | None
    density: float | None
    coverage: float | None
    spread: float | None
    nearest: float | None
    copies: float | None


@dataclass(frozen=True)
class Measured(Scores):
    """Scores of a generator at a moment of its run.

    Attributes:
        compared_by: what distance is of, and where few samples limit it.
        nearest_real: median distance of a training sample to the nearest other.
        neighbours: (index of the nearest training sample, distance) of each of the first 64.
        floor: the same measures of real samples, as many; None where there are too few to take any away.
    """

    compared_by: str = ""
    nearest_real: float | None = None
    neighbours: tuple[tuple[int, float], ...] = field(default=(), repr=False)
    floor: Scores | None = None

    def record(self) -> dict[str, Any]:
        """JSON-able: six digits of each number, without what could not be measured."""
        return plain(asdict(self))


def plain(value: Any) -> Any:
    """Numbers with six digits, dicts without what is None or not finite, lists of tuples."""
    if isinstance(value, dict):
        return {key: plain(v) for key, v in value.items() if v is not None and finite(v)}
    if isinstance(value, tuple):
        return [plain(v) for v in value]
    return float(f"{value:.6g}") if isinstance(value, float) else value


def finite(value: Any) -> bool:
    """Whether a value is no number, or a finite one."""
    return not isinstance(value, float) or math.isfinite(value)


@dataclass(frozen=True, eq=False)
class Known:
    """What a monitor keeps of the training samples.

    Attributes:
        sight, space: what samples are compared by.
        training: coordinates of the training samples, of which the first are the reference.
        others: (n,) distance of each to the nearest other.
    """

    sight: Sight
    space: Space
    training: Coordinates
    others: Features


class Monitor:
    """Measures what a run makes. Real samples are looked at when first needed and kept; no random state but its own is
    touched, and the same outputs give the same measures.

    Distance is that of the first colour picture on features of EfficientNet-Lite0 (FD-EffNetLite0, see
    comparison). Of generators without one, and where that network is not installed, it is the mean over the outputs of
    Frechet distances on principal axes, as shares of the real variance; of plugins with features of
    their own the same of these. Everything else is measured on all outputs together, each weighing the same. Outputs
    that some training samples lack are left out, and maps other than colours of which nothing is aligned.

    Args:
        spec: the generator.
        domain: its torch part, on any device.
        data: what the run learns from.
        seed: of which samples stand for the data where there are many.
        most: real samples to compare with; half of the data at most, where a half can stand for the rest.
        most_training: training samples among which the nearest is looked for.
    """

    def __init__(
        self,
        spec: GeneratorSpec,
        domain: Any,
        data: TrainingData,
        seed: int,
        most: int = MOST_REAL,
        most_training: int = MOST_TRAINING,
    ) -> None:
        self.spec, self.domain, self.data = spec, domain, data
        self.index = np.random.default_rng([seed, STREAM]).permutation(len(data))[:most_training]
        self.reference_count = min(most, len(self.index) // 2) if len(self.index) >= FEWEST else len(self.index)
        self.floors: dict[int, Scores | None] = {}

    def measure(self, outputs: Outputs, conditions: NDArray[np.float32]) -> Measured:
        """Measures of samples that the generator made; 256 are enough, the first 64 are the snapshot's.

        Args:
            outputs: physical, (n, ...) by name. Larger ones than training samples, as size-free generators make them,
                are cut to their middle.
            conditions: (n, c) physical.
        """
        known, count = self.known, len(conditions)
        if self.domain.size is None:
            size = (self.domain.network_size,) * len(self.domain.wraps)
            outputs = {name: fitted(array, size) for name, array in outputs.items()}
        made = joined([known.space(known.sight(*part)) for part in in_chunks(outputs, conditions)])
        if count not in self.floors:
            self.floors[count] = self.floor(count)
        away, which = nearest(known.training.joint, made.joint[:SNAPSHOT])
        return Measured(
            **asdict(self.scores(made, away)),
            compared_by=self.compared_by(count),
            nearest_real=median(known.others),
            neighbours=tuple((int(self.index[i]), float(d)) for i, d in zip(which, away, strict=True)),
            floor=self.floors[count],
        )

    def neighbour_outputs(self, measured: Measured) -> tuple[dict[str, NDArray[np.float32]], NDArray[np.float32]]:
        """Outputs by name, and (n, c) conditions, of the nearest training samples."""
        index = np.array([index for index, _ in measured.neighbours], np.int64)
        return outputs_of(self.domain, self.data, index), self.data.conditions[index]

    @cached_property
    def known(self) -> Known:
        """The training samples, looked at once."""
        sight = self.sight()
        raw = list(self.real_features(sight, self.index[: self.reference_count]))
        reference = {name: np.concatenate([some[name] for some in raw]) for name in raw[0]}
        space = Space(reference, sight.pictures())
        rest = self.real_features(sight, self.index[self.reference_count :])
        training = joined([space(reference), *map(space, rest)])
        return Known(sight, space, training, nearest_others(training.joint))

    def real_features(self, sight: Sight, index: NDArray[np.int64]) -> Iterator[dict[str, Features]]:
        """Features of training samples, some at a time, because their outputs are many times larger."""
        for start in range(0, len(index), CHUNK):
            some = index[start : start + CHUNK]
            yield sight(outputs_of(self.domain, self.data, some), self.data.conditions[some])

    def sight(self) -> Sight:
        """What there is to compare in every training sample."""
        lacking = {name for name, has in present(self.domain, self.data).items() if not has.all()}
        names = [o.name for o in self.spec.outputs
                 if o.name not in lacking and (o.unit == "sRGB" or not is_picture(self.spec, o))]  # fmt: skip
        sight = Sight(self.spec, None, names)
        if not any(is_picture(self.spec, o) for o in self.spec.outputs if o.name in names):
            return sight
        try:
            return replace(sight, extractor=ImageFeatures().to(self.domain.condition_mean.device))
        except GanassetsError:  # the extra "evaluate" is not installed; compared_by says what is measured without it
            return sight

    def scores(self, made: Coordinates, away: Features) -> Scores:
        """Of samples against the reference; (64,) distances of the first of them to the nearest training sample."""
        known = self.known
        reference = known.training[: self.reference_count]
        distance, spread, near = None, None, None
        if min(len(reference), len(made)) > 1:
            near = neighbourhoods(reference.joint, made.joint)
            by_name, pictures = dict(distances(reference, made)), known.sight.pictures()
            distance = by_name[pictures[0]] if pictures else float(np.mean(list(by_name.values())))
            real = pairwise_distance(reference.joint)
            spread = pairwise_distance(made.joint) / real if real else None
        others = known.others[np.isfinite(known.others)]
        return Scores(
            distance=distance,
            **(asdict(near) if near else dict.fromkeys(("precision", "recall", "density", "coverage"))),
            spread=spread,
            nearest=median(away),
            copies=float((away < np.percentile(others, COPY_PERCENTILE)).mean()) if len(others) else None,
        )

    def floor(self, count: int) -> Scores | None:
        """Of as many real samples that are not of the reference, as far as there are so many."""
        other = slice(self.reference_count, self.reference_count + count)
        made = self.known.training[other]
        return self.scores(made, self.known.others[other][:SNAPSHOT]) if len(made) else None

    def compared_by(self, count: int) -> str:
        """What distance is of, for so many generated samples."""
        sight, parts = self.known.sight, self.known.training.parts
        name = next(iter(sight.pictures() or parts))
        if sight.pictures():
            what = f"FD-EffNetLite0 of {name}"
        elif self.spec.features is not None:
            what = f"Frechet distance of the features of {self.spec.name}"
        else:
            what = f"Frechet distance on principal axes of {', '.join(parts)}"
        axes = usable_axes(parts[name].shape[1], self.reference_count, count)
        most = min(IMAGE_AXES if sight.pictures() else OTHER_AXES, len(self.known.space.axes[name].mean))
        return f"{what}, {axes} axes, {self.reference_count} real samples" if axes < most else what


def in_chunks(outputs: Outputs, conditions: NDArray[np.float32]) -> Iterator[tuple[Outputs, NDArray[np.float32]]]:
    """Samples some at a time."""
    for start in range(0, len(conditions), CHUNK):
        some = slice(start, start + CHUNK)
        yield {name: array[some] for name, array in outputs.items()}, conditions[some]


def median(values: Features) -> float | None:
    """Median, or None where it is not finite: a sample that has no other."""
    found = float(np.median(values))
    return found if math.isfinite(found) else None


def pairs_picture(
    spec: GeneratorSpec,
    outputs: Outputs,
    conditions: NDArray[np.float32],
    neighbours: Outputs,
    neighbour_conditions: NDArray[np.float32],
) -> bytes | None:
    """PNG of samples, each followed by its nearest training sample; None where there is nothing to show.

    Drawn as snapshots are. Where a generator makes more around a sample than training samples have, these go on as if
    they wrapped, so that both are drawn alike.

    Args:
        spec: the generator.
        outputs, conditions: of n or more generated samples.
        neighbours, neighbour_conditions: of n training samples, see Monitor.neighbour_outputs.
    """
    count = len(neighbour_conditions)

    def paired(a: NDArray[np.float32], b: NDArray[np.float32]) -> NDArray[np.float32]:
        return np.stack([a[:count], b], 1).reshape(2 * count, *a.shape[1:])

    arrays = {name: paired(array, fitted(neighbours[name], array.shape[2:])) for name, array in outputs.items()}
    return picture_of(spec, arrays, paired(conditions, neighbour_conditions))
