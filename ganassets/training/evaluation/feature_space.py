"""What samples are compared by: features of their outputs, and coordinates that are fitted to a reference set."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional

from ...api.plugin_calls import find_features
from ...api.spec import GeneratorSpec, Output
from .features import ImageFeatures, image_features, robust_range, scaled_pictures
from .measures import Features, frechet_distance, principal_axes

IMAGE_AXES, OTHER_AXES = 64, 32
SAMPLES_PER_AXIS = 4  # below which a covariance says more of the draw than of the set
THUMBNAIL = 32  # pixels of pictures that are compared without a network that sees them

Outputs = Mapping[str, NDArray[np.float32]]


def is_picture(spec: GeneratorSpec, output: Output) -> bool:
    """Whether samples of an output are compared as pictures: colours, and maps of which nothing is aligned because the
    signals wrap along every axis.
    """
    shown = output.unit == "sRGB" or all(spec.wraps)
    return spec.features is None and output.axes == ("channel", "height", "width") and shown


@dataclass(frozen=True, eq=False)
class Sight:
    """Features of samples by what is compared: outputs, or the kind of asset where the plugin has its own features.

    Attributes:
        spec: the generator.
        extractor: features of pictures, or None: these are compared as vectors, at THUMBNAIL pixels.
        names: outputs that are compared.
        ranges: what is black and what is white in maps that are no colours, by output.
    """

    spec: GeneratorSpec
    extractor: ImageFeatures | None
    names: Collection[str]
    ranges: Mapping[str, tuple[float, float]] = field(default_factory=dict)

    def pictures(self) -> list[str]:
        """Outputs whose features are those of EfficientNet-Lite0."""
        if self.extractor is None:
            return []
        return [o.name for o in self.spec.outputs if o.name in self.names and is_picture(self.spec, o)]

    def __call__(self, outputs: Outputs, conditions: NDArray[np.float32]) -> dict[str, Features]:
        """(n, d) features of samples with (n, c) physical conditions."""
        if self.spec.features is not None:
            return {self.spec.asset_kind: find_features(self.spec, outputs, conditions)}
        return {o.name: self.of_output(o, outputs[o.name]) for o in self.spec.outputs if o.name in self.names}

    def of_output(self, output: Output, values: NDArray[np.float32]) -> Features:
        """(n, d) features of an output (n, ...)."""
        if is_picture(self.spec, output):
            if self.extractor is not None:
                low, high = self.ranges.get(output.name, (0.0, 1.0))
                return image_features(self.extractor, scaled_pictures(values, low, high))
            values = thumbnails(values)
        return values.reshape(len(values), -1).astype(np.float64)


def ranges_of(spec: GeneratorSpec, outputs: Outputs) -> dict[str, tuple[float, float]]:
    """Black and white of maps that are no colours, by output, as all but their outermost values lie between."""
    return {o.name: robust_range(outputs[o.name]) for o in spec.outputs if is_picture(spec, o) and o.unit != "sRGB"}


def thumbnails(pictures: NDArray[np.float32]) -> NDArray[np.float32]:
    """(n, c, h, w) pictures of at most THUMBNAIL pixels a side: means of the pixels of larger ones."""
    size = (min(pictures.shape[2], THUMBNAIL), min(pictures.shape[3], THUMBNAIL))
    return functional.adaptive_avg_pool2d(torch.from_numpy(np.array(pictures)), size).numpy()


@dataclass(frozen=True, eq=False)
class Axes:
    """Principal axes of one of the things compared.

    Attributes:
        mean: (d,) of the reference's features.
        directions: (d, k), one less than there are reference samples at most.
        scale: what coordinates are divided by.
        balance: root of the total variance of the reference's coordinates, by which each of the things compared weighs
            the same in joint measures.
    """

    mean: Features
    directions: Features
    scale: float
    balance: float


@dataclass(frozen=True, eq=False)
class Coordinates:
    """Where samples lie.

    Attributes:
        parts: (n, k) along the principal axes, by what is compared.
        joint: (n, m) all of them side by side, each weighing the same, and of each the length of what the axes leave
            over: distances to samples in the span of the axes are exact, as they are to few reference samples.
    """

    parts: dict[str, Features]
    joint: Features

    def __len__(self) -> int:
        return len(self.joint)

    def __getitem__(self, index: Any) -> Coordinates:
        """Some of the samples, by slice or index."""
        return Coordinates({name: part[index] for name, part in self.parts.items()}, self.joint[index])


def joined(parts: Collection[Coordinates]) -> Coordinates:
    """All samples of some sets, one set after the other."""
    names = next(iter(parts)).parts
    return Coordinates(
        {name: np.concatenate([one.parts[name] for one in parts]) for name in names},
        np.concatenate([one.joint for one in parts]),
    )


class Space:
    """Coordinates fitted to the features of a reference set.

    Args:
        reference: (n, d) features by what is compared.
        pictures: which of these are of EfficientNet-Lite0. They get IMAGE_AXES and keep their scale, so that distances
            compare with others' figures. The rest get OTHER_AXES and are scaled to unit total variance, which makes a
            distance a share of it.
    """

    def __init__(self, reference: Mapping[str, Features], pictures: Collection[str]) -> None:
        self.axes = {name: fitted_axes(raw, name in pictures) for name, raw in reference.items()}

    def __call__(self, features: Mapping[str, Features]) -> Coordinates:
        """Coordinates of (n, d) features by what is compared."""
        parts, joint = {}, []
        for name, axes in self.axes.items():
            centred = features[name] - axes.mean
            along = centred @ axes.directions
            over = np.linalg.norm(centred - along @ axes.directions.T, axis=1, keepdims=True)
            parts[name] = along / axes.scale
            joint.append(np.concatenate([along, over], 1) / (axes.scale * axes.balance))
        return Coordinates(parts, np.concatenate(joint, 1))


def fitted_axes(raw: Features, picture: bool) -> Axes:
    """Axes of (n, d) features of a reference set."""
    mean, directions = principal_axes(raw, min(IMAGE_AXES if picture else OTHER_AXES, len(raw) - 1))
    along = (raw - mean) @ directions
    scale = 1.0 if picture else float(np.sqrt((along**2).sum(1).mean())) or 1.0
    return Axes(mean, directions, scale, float(np.sqrt((along / scale).var(0).sum())) or 1.0)


def usable_axes(axes: int, *counts: int) -> int:
    """How many of the first principal axes sets of so many samples allow a Frechet distance on, at least 1."""
    return max(min(axes, min(counts) // SAMPLES_PER_AXIS), 1)


def distances(reference: Coordinates, other: Coordinates) -> Iterator[tuple[str, float]]:
    """Frechet distance of two sets by what is compared, on as many axes as they allow; both have two samples or more,
    of which some differ.
    """
    for name, part in reference.parts.items():
        count = usable_axes(part.shape[1], len(reference), len(other))
        yield name, frechet_distance(part[:, :count], other.parts[name][:, :count])
