"""Measure what a run generates against the samples that it learns from, about a dozen times while it trains."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...api.data import TrainingData
from ...api.errors import GanassetsError
from ...api.outputs import Output
from ...api.spec import GeneratorSpec
from ..networks import Domain
from ..snapshot import draw_samples
from .feature_space import (
    IMAGE_AXES,
    MAIN,
    OTHER_AXES,
    FeatureCoordinates,
    FeatureExtractor,
    FeatureSpace,
    Outputs,
    SampleFeatures,
    concatenate_coordinates,
    concatenate_features,
    frechet_distances,
    is_compared_as_image,
    usable_axes,
)
from .features import ImageFeatures
from .image_measures import ImageMeasures, ImageReference, category_labels
from .measures import Features, nearest, nearest_others, neighbourhoods, pairwise_distance
from .pyramids import mean_level
from .samples import compute_real_outputs, find_present_outputs, match_size

# Most real samples in the reference set.
MAX_REFERENCE = 512
# Most training samples that nearest neighbours are searched in.
MAX_SEARCHED = 4096
# Number of generated samples whose nearest training samples are found.
SEARCHES = 64
# Fewest training samples of which a half can stand for the rest.
MIN_SPLIT = 32
# Percentile of the distances between training samples below which a generated sample counts as a copy.
COPY_PERCENTILE = 1.0
# Most samples of a set whose images are compared without a network.
MAX_IMAGES = 256
# Number of samples whose outputs are in memory at a time.
CHUNK = 64
# Random stream of the reference set, beside the run's seed.
STREAM = 1_000_004


@dataclass(frozen=True)
class SampleScores:
    """Scores of a set of samples against real ones; None when a set is too small for a measure.

    Attributes:
        distance: Frechet distance (see Monitor); smaller is nearer.
        precision: See Neighbourhoods.
        recall: See Neighbourhoods.
        density: See Neighbourhoods.
        coverage: See Neighbourhoods.
        spread: Mean distance between two samples, divided by the same of real ones; far below 1 is mode collapse.
        nearest: Median distance of the first 64 to the nearest training sample; for real ones, to the nearest other.
        copies: Share of the 64 that are nearer to a training sample than 99 of 100 training samples are to another.
        pyramid: Sliced Wasserstein distance of patches of the first colour image, see PyramidReference; no network.
        structure: See StructureScores; of the first colour image, if its content has no place of its own.
        peaks: See StructureScores.
    """

    distance: float | None
    precision: float | None
    recall: float | None
    density: float | None
    coverage: float | None
    spread: float | None
    nearest: float | None
    copies: float | None
    pyramid: float | None = None
    structure: float | None = None
    peaks: float | None = None


@dataclass(frozen=True)
class GeneratorScores(SampleScores):
    """Scores of a generator at a moment of its run.

    Attributes:
        compared_by: Features that `distance` compares, and how few samples limit it.
        nearest_real: Median distance of a training sample to the nearest other.
        neighbours: (index of the nearest training sample, distance) of each of the first 64.
        floor: Scores of as many other real samples; None when there are too few to hold any back.
    """

    compared_by: str = ""
    nearest_real: float | None = None
    neighbours: tuple[tuple[int, float], ...] = field(default=(), repr=False)
    floor: SampleScores | None = None

    def record(self) -> dict[str, Any]:
        """Return a JSON-able dict with six digits of each number, without what could not be measured."""
        return to_record(asdict(self))


def to_record(value: Any) -> Any:
    """Round numbers to six digits, drop None and what is not finite from dicts, and turn tuples into lists."""
    if isinstance(value, dict):
        return {key: to_record(v) for key, v in value.items() if v is not None and not is_not_finite(v)}
    if isinstance(value, tuple):
        return [to_record(v) for v in value]
    return float(f"{value:.6g}") if isinstance(value, float) else value


def is_not_finite(value: Any) -> bool:
    """Return whether a value is a number that is infinite or NaN."""
    return isinstance(value, float) and not math.isfinite(value)


@dataclass(frozen=True, eq=False)
class RealFeatures:
    """Features of the training samples, computed once per run.

    Attributes:
        extractor: Extracts features of samples.
        feature_space: Coordinates fitted to the reference set.
        coordinates: Coordinates of the training samples; the first are the reference set.
        other_distances: (n,) distance of each training sample to the nearest other.
        images: The reference set's images of the first output that is one; None without any.
    """

    extractor: FeatureExtractor
    feature_space: FeatureSpace
    coordinates: FeatureCoordinates
    other_distances: Features
    images: ImageReference | None


class Monitor:
    """Measures what a run generates.

    The features of real samples are computed on first use and kept. The monitor uses no random state but its own, and
    the same outputs get the same scores.

    The distance is that of the first colour image on features of EfficientNet-Lite0 (FD-EffNetLite0, see comparison).
    For generators without one, and without that network, it is the mean over the outputs of Frechet distances on
    principal axes, as shares of the real variance; for plugins with features of their own, the mean over these. All
    other scores are of all outputs together, each with the same weight. Outputs that some training samples lack are
    left out, and so are maps without alignment other than colours.

    Args:
        spec: Generator of the run.
        domain: The plugin's domain, on any device.
        data: Training samples.
        seed: Random seed, by which samples are picked when there are many.
        max_reference: Most real samples to compare with; at most half of the data if a half can stand for the rest.
        max_searched: Most training samples among which the nearest is searched.
    """

    def __init__(
        self,
        spec: GeneratorSpec,
        domain: Domain,
        data: TrainingData,
        seed: int,
        max_reference: int = MAX_REFERENCE,
        max_searched: int = MAX_SEARCHED,
    ) -> None:
        self.spec = spec if data.conditions_of is None else replace(spec, conditions=data.conditions_of)
        self.domain, self.data = domain, data
        self.index = np.random.default_rng([seed, STREAM]).permutation(len(data))[:max_searched]
        count = len(self.index)
        self.reference_count = min(max_reference, count // 2) if count >= MIN_SPLIT else count
        self.floors: dict[int, SampleScores | None] = {}

    def measure(self, outputs: Outputs, conditions: NDArray[np.float32]) -> GeneratorScores:
        """Measure generated samples.

        Args:
            outputs: (n, ...) in physical units by name; n of 256 is enough, and the first 64 are the snapshot's. Larger
                ones than training samples, as size-free generators make them, are cropped to their middle.
            conditions: (n, c) physical condition values.
        """
        real, count = self.real_features, len(conditions)
        if self.domain.size is None:
            size = (self.domain.network_size,) * len(self.domain.wraps)
            outputs = {name: match_size(array, size) for name, array in outputs.items()}
        fakes = concatenate_coordinates(
            [real.feature_space(real.extractor(*part)) for part in split_into_chunks(outputs, conditions)]
        )
        if count not in self.floors:
            self.floors[count] = self.measure_floor(count)
        distances, index = nearest(real.coordinates.joint, fakes.joint[:SEARCHES])
        return GeneratorScores(
            **asdict(self.score(fakes, distances, self.measure_image(outputs, conditions))),
            compared_by=self.describe_distance(count),
            nearest_real=finite_median(real.other_distances),
            neighbours=tuple((int(self.index[i]), float(d)) for i, d in zip(index, distances, strict=True)),
            floor=self.floors[count],
        )

    def neighbour_outputs(self, scores: GeneratorScores) -> tuple[dict[str, NDArray[np.float32]], NDArray[np.float32]]:
        """Return outputs by name, and (n, c) conditions, of the nearest training samples."""
        index = np.array([index for index, _ in scores.neighbours], np.int64)
        return compute_real_outputs(self.domain, self.data, index), self.data.conditions[index]

    def similar_outputs(
        self, conditions: NDArray[np.float32]
    ) -> tuple[dict[str, NDArray[np.float32]], NDArray[np.float32]]:
        """Return outputs by name, and (n, c) conditions, of the training samples with the most similar conditions.

        No sample is returned twice unless there are fewer than asked for.

        Args:
            conditions: (n, c) physical condition values.
        """
        known = self.data.conditions[self.index].astype(np.float64)
        scale = np.maximum(known.std(0), 1e-6)
        uses = np.zeros(len(known))
        chosen = np.zeros(len(conditions), np.int64)
        for i, row in enumerate(conditions):
            distances = np.abs((known - row) / scale).sum(1)
            chosen[i] = np.lexsort((distances, uses))[0]
            uses[chosen[i]] += 1
        index = self.index[chosen]
        return compute_real_outputs(self.domain, self.data, index), self.data.conditions[index]

    @cached_property
    def real_features(self) -> RealFeatures:
        """Features of the training samples."""
        extractor = self.make_extractor()
        reference = concatenate_features(
            list(self.extract_real_features(extractor, self.index[: self.reference_count]))
        )
        feature_space = FeatureSpace(reference, extractor.image_names())
        rest = self.extract_real_features(extractor, self.index[self.reference_count :])
        coordinates = concatenate_coordinates([feature_space(reference), *map(feature_space, rest)])
        return RealFeatures(
            extractor, feature_space, coordinates, nearest_others(coordinates.joint), self.read_images(extractor)
        )

    def read_images(self, extractor: FeatureExtractor) -> ImageReference | None:
        """Return the images of the reference set; None when no output is compared as an image."""
        output = first_image(extractor)
        if output is None:
            return None
        index = self.index[: min(self.reference_count, MAX_IMAGES)]
        outputs = compute_real_outputs(self.domain, self.data, index)
        labels = category_labels(self.spec, self.data.conditions[index])
        return ImageReference(extractor.to_images(output, outputs[output.name]), labels, not all(self.spec.wraps))

    def measure_image(self, outputs: Outputs, conditions: NDArray[np.float32]) -> ImageMeasures | None:
        """Compare the first image of samples with the reference set's; None without one.

        Args:
            outputs: (n, ...) by name, of the size of training samples.
            conditions: (n, c) physical condition values.
        """
        real = self.real_features
        output = first_image(real.extractor)
        if output is None or real.images is None:
            return None
        images = real.extractor.to_images(output, outputs[output.name][:MAX_IMAGES])
        return real.images.measure(images, category_labels(self.spec, conditions[:MAX_IMAGES]))

    def extract_real_features(self, extractor: FeatureExtractor, index: NDArray[np.int64]) -> Iterator[SampleFeatures]:
        """Yield features of training samples in chunks, because their outputs are many times larger."""
        for start in range(0, len(index), CHUNK):
            chunk = index[start : start + CHUNK]
            yield extractor(compute_real_outputs(self.domain, self.data, chunk), self.data.conditions[chunk])

    def make_extractor(self) -> FeatureExtractor:
        """Build the extractor for the outputs that every training sample has."""
        present = find_present_outputs(self.domain, self.data)
        incomplete = {name for name, has in present.items() if not has.all()}
        compared = [
            o
            for o in self.spec.outputs
            if o.name not in incomplete and (o.unit == "sRGB" or not is_compared_as_image(self.spec, o))
        ]
        extractor = FeatureExtractor(self.spec, None, [o.name for o in compared])
        if not any(is_compared_as_image(self.spec, o) for o in compared):
            return extractor
        try:
            return replace(extractor, image_network=ImageFeatures().to(self.domain.condition_mean.device))
        except GanassetsError:  # without the extra "evaluate"; describe_distance says what is measured instead
            return extractor

    def score(self, samples: FeatureCoordinates, distances: Features, image: ImageMeasures | None) -> SampleScores:
        """Score samples against the reference set.

        Args:
            samples: Coordinates of the samples.
            distances: (64,) distances of the first of them to the nearest training sample.
            image: Measures of their first image.
        """
        real = self.real_features
        reference = real.coordinates[: self.reference_count]
        distance, spread, around = None, None, None
        if min(len(reference), len(samples)) > 1:
            around = neighbourhoods(list(reference.views.values()), list(samples.views.values()))
            by_name, images = dict(frechet_distances(reference, samples)), real.extractor.image_names()
            distance = by_name[images[0]] if images else float(np.mean(list(by_name.values())))
            real_spread = pairwise_distance(reference.joint)
            spread = pairwise_distance(samples.joint) / real_spread if real_spread else None
        others = real.other_distances[np.isfinite(real.other_distances)]
        return SampleScores(
            distance=distance,
            **(asdict(around) if around else dict.fromkeys(("precision", "recall", "density", "coverage"))),
            spread=spread,
            nearest=finite_median(distances),
            copies=float((distances < np.percentile(others, COPY_PERCENTILE)).mean()) if len(others) else None,
            pyramid=mean_level(image.pyramid) if image else None,
            structure=known(image.structure.structure) if image and image.structure else None,
            peaks=known(image.structure.peaks) if image and image.structure else None,
        )

    def measure_floor(self, count: int) -> SampleScores | None:
        """Score up to `count` real samples outside the reference set; None when there are none."""
        rows = slice(self.reference_count, self.reference_count + count)
        samples = self.real_features.coordinates[rows]
        if not len(samples):
            return None
        index = self.index[rows][:MAX_IMAGES]
        image = None
        if self.real_features.images is not None:
            outputs = compute_real_outputs(self.domain, self.data, index)
            image = self.measure_image(outputs, self.data.conditions[index])
        return self.score(samples, self.real_features.other_distances[rows][:SEARCHES], image)

    def describe_distance(self, count: int) -> str:
        """Return the features that the distance compares, and whether `count` generated samples limit its axes."""
        real = self.real_features
        images, parts = real.extractor.image_names(), real.coordinates.parts[MAIN]
        name = next(iter(images or parts))
        if images:
            text = f"FD-EffNetLite0 of {name}"
        elif self.spec.features is not None:
            text = f"Frechet distance of the features of {self.spec.name}"
        else:
            text = f"Frechet distance on principal axes of {', '.join(parts)}"
        axes = usable_axes(parts[name].shape[1], self.reference_count, count)
        most = min(IMAGE_AXES if images else OTHER_AXES, len(real.feature_space.axes[MAIN][name].mean))
        return f"{text}, {axes} axes, {self.reference_count} real samples" if axes < most else text


def first_image(extractor: FeatureExtractor) -> Output | None:
    """Return the first output that is compared as an image; None without one."""
    spec = extractor.spec
    return next((o for o in spec.outputs if o.name in extractor.names and is_compared_as_image(spec, o)), None)


def known(value: float) -> float | None:
    """Return a value, and None for NaN."""
    return None if math.isnan(value) else value


def split_into_chunks(
    outputs: Outputs, conditions: NDArray[np.float32]
) -> Iterator[tuple[Outputs, NDArray[np.float32]]]:
    """Yield outputs and conditions of some samples at a time."""
    for start in range(0, len(conditions), CHUNK):
        rows = slice(start, start + CHUNK)
        yield {name: array[rows] for name, array in outputs.items()}, conditions[rows]


def finite_median(values: Features) -> float | None:
    """Return the median; None when it is not finite, because a sample has no other."""
    median = float(np.median(values))
    return median if math.isfinite(median) else None


def draw_nearest_pairs(
    spec: GeneratorSpec,
    outputs: Mapping[str, NDArray[np.float32]],
    conditions: NDArray[np.float32],
    neighbours: Outputs,
    neighbour_conditions: NDArray[np.float32],
) -> bytes | None:
    """Draw generated samples, each followed by its nearest training sample, in the same way as a snapshot.

    When the generator makes a margin around its samples, training samples are continued as if they wrapped, so that
    both have the same size.

    Args:
        spec: Generator of the samples.
        outputs: (m, ...) outputs of m >= n generated samples by name.
        conditions: (m, c) physical condition values.
        neighbours: (n, ...) outputs of training samples, see Monitor.neighbour_outputs.
        neighbour_conditions: (n, c) physical condition values.

    Returns:
        A PNG; None when no output can be shown.
    """
    count = len(neighbour_conditions)

    def interleave(a: NDArray[np.float32], b: NDArray[np.float32]) -> NDArray[np.float32]:
        return np.stack([a[:count], b], 1).reshape(2 * count, *a.shape[1:])

    pairs = {name: interleave(array, match_size(neighbours[name], array.shape[2:])) for name, array in outputs.items()}
    return draw_samples(spec, pairs, interleave(conditions, neighbour_conditions))
