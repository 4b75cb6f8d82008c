"""Compare images with real ones by measures without a network: pyramids, and the structure of materials."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field

import numpy as np
from numpy.typing import NDArray

from ...api.spec import GeneratorSpec
from .pyramids import PyramidReference
from .structure import MIN_SIDE, StructureReference, StructureScores, to_planes

# Fewest samples of a category whose structure is compared on its own, and the most that are used.
LEAST_OF_CATEGORY, MOST_OF_CATEGORY = 8, 128


@dataclass(frozen=True)
class ImageMeasures:
    """Measures of images of one output in comparison with real ones.

    Attributes:
        pyramid: Sliced Wasserstein distance of patches, by the side of the level in pixels; see PyramidReference.
        structure: See StructureScores; means over the categories. None for outputs whose content has its place.
    """

    pyramid: dict[int, float] = field(default_factory=dict)
    structure: StructureScores | None = None


def category_labels(spec: GeneratorSpec, conditions: NDArray[np.float32]) -> NDArray[np.int64]:
    """Return (n,) a number for the categories of each sample; samples of the same categories have the same number.

    Args:
        spec: Generator whose conditions the columns are.
        conditions: (n, c) physical condition values.
    """
    labels, column = np.zeros(len(conditions), np.int64), 0
    for condition in spec.conditions:
        values = conditions[:, column : column + condition.width]
        column += condition.width
        if condition.choices:
            # A mixture has a category of its own.
            chosen = np.where(values.max(1) > 0.5, values.argmax(1), len(condition.choices))
            labels = labels * (len(condition.choices) + 1) + chosen
    return labels


class ImageReference:
    """Real images of one output to compare others with.

    Args:
        images: (n, 3, h, w) in [0, 1].
        labels: (n,) category of each.
        has_places: Whether the content has its place, as in a face. Without one the structure is compared too.
    """

    def __init__(self, images: NDArray[np.float32], labels: NDArray[np.int64], has_places: bool) -> None:
        self.pyramid = PyramidReference(images)
        self.structures: dict[int | None, StructureReference] = {}
        if has_places or len(images) < 2 or min(images.shape[2:]) < MIN_SIDE:
            return
        planes = to_planes(images)
        for label, index in groups_of(labels):
            if len(index) >= LEAST_OF_CATEGORY:
                self.structures[label] = StructureReference(planes[index[:MOST_OF_CATEGORY]])
        # None stands for all categories together, for those with too few samples.
        self.structures[None] = StructureReference(planes[:MOST_OF_CATEGORY])

    def measure(self, images: NDArray[np.float32], labels: NDArray[np.int64]) -> ImageMeasures:
        """Compare (m, 3, h, w) images of the same size and (m,) categories with the real ones."""
        if not self.structures:
            return ImageMeasures(self.pyramid.measure(images))
        planes, found, weights = to_planes(images), [], []
        for label, index in groups_of(labels):
            if label in self.structures and len(index) >= LEAST_OF_CATEGORY:
                found.append(self.structures[label].measure(planes[index[:MOST_OF_CATEGORY]]))
                weights.append(len(index))
        if not found:
            found, weights = [self.structures[None].measure(planes[:MOST_OF_CATEGORY])], [1]
        return ImageMeasures(self.pyramid.measure(images), mean_scores(found, weights))


def groups_of(labels: NDArray[np.int64]) -> Iterator[tuple[int, NDArray[np.int64]]]:
    """Yield each label and the indices that have it."""
    for label in np.unique(labels):
        yield int(label), np.flatnonzero(labels == label)


def mean_scores(scores: Sequence[StructureScores], weights: Sequence[int]) -> StructureScores:
    """Return the weighted means of scores, each without its NaN; NaN where all are."""
    means: dict[str, float] = {}
    for name in asdict(scores[0]):
        values = np.array([getattr(score, name) for score in scores])
        known = ~np.isnan(values)
        means[name] = float(np.average(values[known], weights=np.array(weights)[known])) if known.any() else np.nan
    return StructureScores(**means)


def record_structure(scores: Mapping[str, ImageMeasures]) -> dict[str, dict[str, float | None]]:
    """Return JSON-able structure scores by output; None in place of NaN."""
    return {
        name: {key: None if np.isnan(value) else value for key, value in asdict(measures.structure).items()}
        for name, measures in scores.items()
        if measures.structure is not None
    }
