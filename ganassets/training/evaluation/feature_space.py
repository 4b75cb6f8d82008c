"""Extract features of samples, and fit coordinates to the features of a reference set."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional

from ...api.outputs import Output
from ...api.plugin_calls import find_features
from ...api.spec import GeneratorSpec
from .features import ImageFeatures, image_features, robust_range, scale_to_images
from .measures import Features, frechet_distance, principal_axes

# Principal axes of image features and of other features.
IMAGE_AXES, OTHER_AXES = 64, 32
# With fewer samples per axis, a covariance depends on the draw more than on the set.
SAMPLES_PER_AXIS = 4
# Largest side, in pixels, of images that are compared without the feature network.
THUMBNAIL = 32

Outputs = Mapping[str, NDArray[np.float32]]


def is_compared_as_image(spec: GeneratorSpec, output: Output) -> bool:
    """Return whether samples of an output are compared as images.

    These are colours, and maps without alignment because the signals wrap along every axis.
    """
    visible = output.unit == "sRGB" or all(spec.wraps)
    return spec.features is None and output.axes == ("channel", "height", "width") and visible


@dataclass(frozen=True, eq=False)
class FeatureExtractor:
    """Extracts features by output, or by the kind of asset when the plugin has its own features.

    Attributes:
        spec: Generator of the samples.
        image_network: Feature network of images; None to compare them as vectors, at most THUMBNAIL pixels large.
        names: Outputs that are compared.
        ranges: Values of black and white in maps that are not colours, by output.
    """

    spec: GeneratorSpec
    image_network: ImageFeatures | None
    names: Collection[str]
    ranges: Mapping[str, tuple[float, float]] = field(default_factory=dict)

    def image_names(self) -> list[str]:
        """Return the outputs with features of EfficientNet-Lite0."""
        if self.image_network is None:
            return []
        return [o.name for o in self.spec.outputs if o.name in self.names and is_compared_as_image(self.spec, o)]

    def __call__(self, outputs: Outputs, conditions: NDArray[np.float32]) -> dict[str, Features]:
        """Extract (n, d) features of samples.

        Args:
            outputs: (n, ...) by name.
            conditions: (n, c) physical condition values.
        """
        if self.spec.features is not None:
            return {self.spec.asset_kind: find_features(self.spec, outputs, conditions)}
        return {o.name: self.extract_output(o, outputs[o.name]) for o in self.spec.outputs if o.name in self.names}

    def extract_output(self, output: Output, values: NDArray[np.float32]) -> Features:
        """Extract (n, d) features of one output (n, ...)."""
        if is_compared_as_image(self.spec, output):
            if self.image_network is not None:
                low, high = self.ranges.get(output.name, (0.0, 1.0))
                return image_features(self.image_network, scale_to_images(values, low, high))
            values = shrink_images(values)
        return values.reshape(len(values), -1).astype(np.float64)


def map_ranges(spec: GeneratorSpec, outputs: Outputs) -> dict[str, tuple[float, float]]:
    """Return the robust range of maps that are not colours, by output."""
    return {
        o.name: robust_range(outputs[o.name])
        for o in spec.outputs
        if is_compared_as_image(spec, o) and o.unit != "sRGB"
    }


def shrink_images(images: NDArray[np.float32]) -> NDArray[np.float32]:
    """Shrink (n, c, h, w) images to at most THUMBNAIL pixels a side, by means of pixels."""
    size = (min(images.shape[2], THUMBNAIL), min(images.shape[3], THUMBNAIL))
    return functional.adaptive_avg_pool2d(torch.from_numpy(np.array(images)), size).numpy()


@dataclass(frozen=True, eq=False)
class PrincipalAxes:
    """Principal axes of one kind of features.

    Attributes:
        mean: (d,) mean of the reference's features.
        directions: (d, k) unit vectors; at most one less than there are reference samples.
        scale: Divisor of the coordinates.
        balance: Root of the total variance of the reference's coordinates. Divided by it, each kind of features has the
            same weight in joint measures.
    """

    mean: Features
    directions: Features
    scale: float
    balance: float


@dataclass(frozen=True, eq=False)
class FeatureCoordinates:
    """Coordinates of samples in a feature space.

    Attributes:
        parts: (n, k) along the principal axes, by kind of features.
        joint: (n, m) all kinds side by side, each with the same weight. For each kind one more number holds the length
            of what the axes don't span, so distances to samples in their span are exact.
    """

    parts: dict[str, Features]
    joint: Features

    def __len__(self) -> int:
        return len(self.joint)

    def __getitem__(self, index: slice | NDArray[np.int64]) -> FeatureCoordinates:
        """Return some of the samples."""
        return FeatureCoordinates({name: part[index] for name, part in self.parts.items()}, self.joint[index])


def concatenate_coordinates(sets: Collection[FeatureCoordinates]) -> FeatureCoordinates:
    """Return the samples of several sets, one set after the other."""
    names = next(iter(sets)).parts
    return FeatureCoordinates(
        {name: np.concatenate([one.parts[name] for one in sets]) for name in names},
        np.concatenate([one.joint for one in sets]),
    )


class FeatureSpace:
    """Coordinates fitted to the features of a reference set.

    Args:
        reference: (n, d) features by kind.
        image_names: Kinds with features of EfficientNet-Lite0. They get IMAGE_AXES and keep their scale, so that their
            distances compare with published ones. Others get OTHER_AXES and unit total variance, which makes a distance
            a share of the variance.
    """

    def __init__(self, reference: Mapping[str, Features], image_names: Collection[str]) -> None:
        self.axes = {name: fit_axes(features, name in image_names) for name, features in reference.items()}

    def __call__(self, features: Mapping[str, Features]) -> FeatureCoordinates:
        """Return the coordinates of (n, d) features by kind."""
        parts, joint = {}, []
        for name, axes in self.axes.items():
            centred = features[name] - axes.mean
            along = centred @ axes.directions
            remainder = np.linalg.norm(centred - along @ axes.directions.T, axis=1, keepdims=True)
            parts[name] = along / axes.scale
            joint.append(np.concatenate([along, remainder], 1) / (axes.scale * axes.balance))
        return FeatureCoordinates(parts, np.concatenate(joint, 1))


def fit_axes(features: Features, are_image_features: bool) -> PrincipalAxes:
    """Fit principal axes to (n, d) features of a reference set."""
    count = min(IMAGE_AXES if are_image_features else OTHER_AXES, len(features) - 1)
    mean, directions = principal_axes(features, count)
    along = (features - mean) @ directions
    scale = 1.0 if are_image_features else float(np.sqrt((along**2).sum(1).mean())) or 1.0
    return PrincipalAxes(mean, directions, scale, float(np.sqrt((along / scale).var(0).sum())) or 1.0)


def usable_axes(axes: int, *counts: int) -> int:
    """Return how many of the first principal axes allow a Frechet distance between sets of these sizes; at least 1."""
    return max(min(axes, min(counts) // SAMPLES_PER_AXIS), 1)


def frechet_distances(reference: FeatureCoordinates, other: FeatureCoordinates) -> Iterator[tuple[str, float]]:
    """Yield the Frechet distance of two sets by kind of features, on as many axes as their sizes allow.

    Both sets need two samples or more, which must not all be equal.
    """
    for name, part in reference.parts.items():
        count = usable_axes(part.shape[1], len(reference), len(other))
        yield name, frechet_distance(part[:, :count], other.parts[name][:, :count])
