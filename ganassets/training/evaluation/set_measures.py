"""Measure sets of samples against a reference set of real ones."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray

from ...api.errors import GanassetsError
from ...api.outputs import Output
from ...api.spec import GeneratorSpec
from .feature_space import (
    CHECK,
    MAIN,
    FeatureCoordinates,
    FeatureExtractor,
    FeatureSpace,
    Outputs,
    frechet_distances,
    is_compared_as_image,
    map_ranges,
)
from .features import ImageFeatures
from .image_measures import ImageMeasures, ImageReference, category_labels, record_structure
from .measures import Features, neighbourhoods, pairwise_distance
from .pyramids import mean_level

# Outputs by name and (n, c) physical condition values, by the name of the set.
SampleSets = Mapping[str, tuple[Mapping[str, NDArray], NDArray]]


@dataclass(frozen=True)
class SetMeasures:
    """Measures of a set of samples against the reference set.

    Attributes:
        name: Name of the set. "real" are other real samples, whose measures are the floor.
        distance: Frechet distance by output. For images it is FD-EffNetLite0: on the first 64 principal axes of the
            reference's features of EfficientNet-Lite0, so that some hundred samples are enough; it doesn't compare with
            FID. For other outputs it is on 32 axes, as a share of the reference's variance. Sets with fewer than four
            samples per axis are compared on fewer axes. A plugin with features of its own has one distance, by the kind
            of asset.
        kernel: Kernel distance (KID) of images by output, by torchmetrics: the squared maximum mean discrepancy with
            the kernel (x y / 1280 + 1)^3 on all 1280 features, unbiased (Binkowski et al. 2018). Real samples get about
            0 at any number of samples.
        precision: See Neighbourhoods; on all outputs together. The views are features of EfficientNet-Lite0, those of
            EfficientNet-Lite2, and statistics of details; for outputs that are not images a single one.
        recall: See Neighbourhoods.
        density: See Neighbourhoods.
        coverage: See Neighbourhoods.
        spread: Mean distance between two samples, divided by that of the reference; far below 1 is mode collapse.
        sliders: Correlation by condition column between a sample's condition and what a regression, fitted on real
            samples, predicts from the sample; columns that don't vary in the data are left out.
        assets: The plugin's own measures of finished assets, by name; empty without any.
        check: Frechet distance of images by output, like `distance`, with features of EfficientNet-Lite2, which no
            training learns by.
        pyramid: Mean over the levels of the sliced Wasserstein distance of patches by output, see PyramidReference.
        pyramid_levels: The same for each level, by output and side in pixels.
        structure: StructureScores by output, for images whose content has no place of its own; None in place of NaN.
    """

    name: str
    distance: dict[str, float]
    kernel: dict[str, float]
    precision: float
    recall: float
    density: float
    coverage: float
    spread: float
    sliders: dict[str, float]
    assets: dict[str, float] = field(default_factory=dict)
    check: dict[str, float] = field(default_factory=dict)
    pyramid: dict[str, float] = field(default_factory=dict)
    pyramid_levels: dict[str, dict[int, float]] = field(default_factory=dict)
    structure: dict[str, dict[str, float | None]] = field(default_factory=dict)


def measure_sets(
    spec: GeneratorSpec,
    image_network: ImageFeatures | None,
    sets: SampleSets,
    names: Sequence[str],
    check_network: ImageFeatures | None = None,
) -> list[SetMeasures]:
    """Measure all sets but the first against the first.

    Args:
        spec: Generator of the samples.
        image_network: Feature network; None when no output is compared as an image.
        sets: Outputs by name and (n, c) physical condition values of each set.
        names: Outputs that are compared.
        check_network: Another feature network, which checks the first; None for none.
    """
    reference, *others = sets
    ranges = map_ranges(spec, sets[reference][0])
    extractor = FeatureExtractor(spec, image_network, names, ranges, check_network)
    features = {name: extractor(*samples) for name, samples in sets.items()}
    feature_space = FeatureSpace(features[reference], extractor.image_names())
    coordinates = {name: feature_space(found) for name, found in features.items()}
    real = coordinates[reference]
    predict = fit_regression(real.joint, sets[reference][1])
    columns = [column for condition in spec.conditions for column in condition.columns]
    varies = np.all([np.ptp(conditions, axis=0) > 0 for _, conditions in sets.values()], 0)
    image_measures = measure_images(extractor, sets)

    def measure(name: str) -> SetMeasures:
        predicted, given = predict(coordinates[name].joint), sets[name][1]
        main, images = (features[reference][MAIN], features[name][MAIN]), image_measures[name]
        return SetMeasures(
            name=name,
            distance=dict(frechet_distances(real, coordinates[name])),
            kernel={o: kernel_distance(main[0][o], main[1][o]) for o in extractor.image_names()},
            **asdict(neighbourhoods(list(real.views.values()), list(coordinates[name].views.values()))),
            spread=relative_spread(real, coordinates[name]),
            sliders={c: correlate(predicted[:, i], given[:, i]) for i, c in enumerate(columns) if varies[i]},
            check=dict(frechet_distances(real, coordinates[name], CHECK)),
            pyramid={o: mean_level(found.pyramid) for o, found in images.items()},
            pyramid_levels={o: found.pyramid for o, found in images.items()},
            structure=record_structure(images),
        )

    return [measure(name) for name in others]


def measure_images(extractor: FeatureExtractor, sets: SampleSets) -> dict[str, dict[str, ImageMeasures]]:
    """Compare the images of all sets but the first with those of the first; returns measures by set and output."""
    spec, (reference, *others) = extractor.spec, sets
    found: dict[str, dict[str, ImageMeasures]] = {name: {} for name in others}
    for output in spec.outputs:
        if output.name not in extractor.names or not is_compared_as_image(spec, output):
            continue

        def images_of(outputs: Outputs, output: Output = output) -> NDArray[np.float32]:
            return extractor.to_images(output, outputs[output.name])

        labels = {name: category_labels(spec, conditions) for name, (_, conditions) in sets.items()}
        real = ImageReference(images_of(sets[reference][0]), labels[reference], has_places=not all(spec.wraps))
        for name in others:
            found[name][output.name] = real.measure(images_of(sets[name][0]), labels[name])
    return found


def kernel_distance(real: Features, fake: Features) -> float:
    """Return the KID of (n, d) and (m, d) features, on all samples at once instead of random subsets."""
    try:
        from torchmetrics.image.kid import KernelInceptionDistance
    except ImportError as error:
        raise GanassetsError('Measuring needs more packages: pip install "ganassets[evaluate]".') from error
    count = min(len(real), len(fake))
    with warnings.catch_warnings(), torch.random.fork_rng(devices=[]):
        warnings.simplefilter("ignore", UserWarning)  # about the memory that it needs
        torch.manual_seed(0)  # it shuffles
        metric = KernelInceptionDistance(torch.nn.Identity(), subsets=1, subset_size=count).set_dtype(torch.float64)
        metric.update(torch.from_numpy(real[:count]), real=True)
        metric.update(torch.from_numpy(fake[:count]), real=False)
        return float(metric.compute()[0])


def relative_spread(real: FeatureCoordinates, other: FeatureCoordinates) -> float:
    """Return the mean distance between two samples, divided by that of the reference."""
    return pairwise_distance(other.joint) / max(pairwise_distance(real.joint), np.finfo(float).tiny)


def correlate(predicted: NDArray, given: NDArray) -> float:
    """Return the correlation of (n,) and (n,) values; 0 when the predicted ones are constant."""
    return float(np.corrcoef(predicted, given)[0, 1]) if np.ptp(predicted) > 0 else 0.0


def fit_regression(features: Features, conditions: NDArray, ridge: float = 1e-3) -> Callable[[Features], Features]:
    """Fit a ridge regression of (n, c) conditions on (n, d) features; returns its prediction for other features."""
    mean, centre = features.mean(0), conditions.mean(0)
    x = features - mean
    weights = np.linalg.solve(
        x.T @ x / len(x) + ridge * np.eye(x.shape[1]) / x.shape[1], x.T @ (conditions - centre) / len(x)
    )

    def predict(other: Features) -> Features:
        return (other - mean) @ weights + centre

    return predict


def beats_linear(measures: Sequence[SetMeasures]) -> dict[str, bool] | None:
    """Return by output whether the model is nearer to the data than the linear model; None without a linear model."""
    by_name = {row.name: row for row in measures}
    if "linear" not in by_name:
        return None
    model = measures[1]
    return {name: value < by_name["linear"].distance[name] for name, value in model.distance.items()}
