"""Extract features of samples, and fit coordinates to the features of a reference set."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional

from ...api.outputs import Output
from ...api.plugin_calls import find_features
from ...api.spec import GeneratorSpec
from .details import detail_features, has_details
from .features import ImageFeatures, image_features, robust_range, scale_to_images
from .measures import Features, frechet_distance, principal_axes

# Principal axes of image features and of other features.
IMAGE_AXES, OTHER_AXES = 64, 32
# With fewer samples per axis, a covariance depends on the draw more than on the set.
SAMPLES_PER_AXIS = 4
# Largest side, in pixels, of images that are compared without the feature network.
THUMBNAIL = 32
# Views of samples. The main one holds features of EfficientNet-Lite0, or of other outputs. Training may learn by the
# same network, so another one and plain statistics of details check it.
MAIN, CHECK, DETAIL = "features", "check", "detail"

Outputs = Mapping[str, NDArray[np.float32]]
# (n, d) features by output, by view.
SampleFeatures = dict[str, dict[str, Features]]


def is_compared_as_image(spec: GeneratorSpec, output: Output) -> bool:
    """Return whether samples of an output are compared as images.

    These are colours, and maps without alignment because the signals wrap along every axis.
    """
    visible = output.unit == "sRGB" or all(spec.wraps)
    return spec.features is None and output.axes == ("channel", "height", "width") and visible


LARGEST_BYTE = 255


@dataclass(frozen=True, eq=False)
class FeatureExtractor:
    """Extracts features by view and output, or by the kind of asset when the plugin has its own features.

    Attributes:
        spec: Generator of the samples.
        image_network: Feature network of images; None to compare them as vectors, at most THUMBNAIL pixels large.
        names: Outputs that are compared.
        ranges: Values of black and white in maps that are not colours, by output.
        check_network: Another feature network of images, for the view CHECK; None for none.
    """

    spec: GeneratorSpec
    image_network: ImageFeatures | None
    names: Collection[str]
    ranges: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    check_network: ImageFeatures | None = None

    def image_names(self) -> list[str]:
        """Return the outputs with features of EfficientNet-Lite0."""
        if self.image_network is None:
            return []
        return [o.name for o in self.spec.outputs if o.name in self.names and is_compared_as_image(self.spec, o)]

    def __call__(self, outputs: Outputs, conditions: NDArray[np.float32]) -> SampleFeatures:
        """Extract (n, d) features of samples by view and output.

        Args:
            outputs: (n, ...) by name.
            conditions: (n, c) physical condition values.
        """
        if self.spec.features is not None:
            return {MAIN: {self.spec.asset_kind: find_features(self.spec, outputs, conditions)}}
        compared = [o for o in self.spec.outputs if o.name in self.names]
        images = {o.name: self.to_images(o, outputs[o.name]) for o in compared if is_compared_as_image(self.spec, o)}
        views = {MAIN: {o.name: self.extract_output(outputs[o.name], images.get(o.name)) for o in compared}}
        if images and self.check_network is not None:
            network = self.check_network
            views[CHECK] = {name: image_features(network, values) for name, values in images.items()}
        detailed = {name: detail_features(values) for name, values in images.items() if has_details(values)}
        return views | ({DETAIL: detailed} if detailed else {})

    def to_images(self, output: Output, values: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return (n, 3, h, w) images in [0, 1] of one output (n, c, h, w).

        Numbers from 0 to 1 are rounded to bytes, as files and most training samples hold them; otherwise the finest
        steps would tell real samples from generated ones.
        """
        if (output.low, output.high) == (0, 1):
            values = (np.rint(values * LARGEST_BYTE) / LARGEST_BYTE).astype(np.float32)
        return scale_to_images(values, *self.ranges.get(output.name, (0.0, 1.0)))

    def extract_output(self, values: NDArray[np.float32], images: NDArray[np.float32] | None) -> Features:
        """Extract (n, d) features of one output (n, ...) for the main view; as images if these are given."""
        if images is not None and self.image_network is not None:
            return image_features(self.image_network, images)
        values = values if images is None else shrink_images(values)
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
        parts: (n, k) along the principal axes, by view and kind of features.
        views: (n, m) by view: all kinds side by side, each with the same weight. For each kind one more number holds
            the length of what the axes don't span, so distances to samples in their span are exact.
    """

    parts: dict[str, dict[str, Features]]
    views: dict[str, Features]

    def __len__(self) -> int:
        return len(self.joint)

    def __getitem__(self, index: slice | NDArray[np.int64]) -> FeatureCoordinates:
        """Return some of the samples."""
        return FeatureCoordinates(
            {view: {name: part[index] for name, part in parts.items()} for view, parts in self.parts.items()},
            {view: joint[index] for view, joint in self.views.items()},
        )

    @property
    def joint(self) -> Features:
        """(n, m) coordinates of the main view."""
        return self.views[MAIN]


def concatenate_features(sets: Sequence[SampleFeatures]) -> SampleFeatures:
    """Return the features of several sets, one set after the other."""
    return {
        view: {name: np.concatenate([one[view][name] for one in sets]) for name in parts}
        for view, parts in sets[0].items()
    }


def concatenate_coordinates(sets: Sequence[FeatureCoordinates]) -> FeatureCoordinates:
    """Return the samples of several sets, one set after the other."""
    return FeatureCoordinates(
        concatenate_features([one.parts for one in sets]),
        {view: np.concatenate([one.views[view] for one in sets]) for view in sets[0].views},
    )


class FeatureSpace:
    """Coordinates fitted to the features of a reference set.

    Args:
        reference: (n, d) features by view and kind.
        image_names: Kinds with features of a network for images. They get IMAGE_AXES and keep their scale, so that
            their distances compare with published ones. Others get OTHER_AXES and unit total variance, which makes a
            distance a share of the variance.
    """

    def __init__(self, reference: SampleFeatures, image_names: Collection[str]) -> None:
        self.axes = {
            view: {name: fit_axes(part, view != DETAIL and name in image_names) for name, part in parts.items()}
            for view, parts in reference.items()
        }

    def __call__(self, features: SampleFeatures) -> FeatureCoordinates:
        """Return the coordinates of (n, d) features by view and kind."""
        parts: dict[str, dict[str, Features]] = {}
        views: dict[str, Features] = {}
        for view, axes_of in self.axes.items():
            joint = []
            for name, axes in axes_of.items():
                centred = features[view][name] - axes.mean
                along = centred @ axes.directions
                remainder = np.linalg.norm(centred - along @ axes.directions.T, axis=1, keepdims=True)
                parts.setdefault(view, {})[name] = along / axes.scale
                joint.append(np.concatenate([along, remainder], 1) / (axes.scale * axes.balance))
            views[view] = np.concatenate(joint, 1)
        return FeatureCoordinates(parts, views)


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


def frechet_distances(
    reference: FeatureCoordinates, other: FeatureCoordinates, view: str = MAIN
) -> Iterator[tuple[str, float]]:
    """Yield the Frechet distance of two sets by kind of features in a view, on as many axes as their sizes allow.

    Both sets need two samples or more, which must not all be equal. A view that is missing has none.
    """
    for name, part in reference.parts.get(view, {}).items():
        count = usable_axes(part.shape[1], len(reference), len(other))
        yield name, frechet_distance(part[:, :count], other.parts[view][name][:, :count])
