"""Measure what each measure says of real crops, image quilting and noise, by which the report's thresholds are set.

Usage: python benchmarks/measures.py FOLDER [--size 64] [--count 24] [--sets 18]

Each material set of FOLDER is compared with other crops of its own: real ones, quilts of the set, noise with the power
spectrum of crops, and noise with the colours of crops alone. All are albedo. The second table compares all sets
together, where one view of the samples praises noise and several views don't.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tables import print_table, say

from ganassets.training.evaluation.feature_space import FeatureExtractor, FeatureSpace
from ganassets.training.evaluation.features import ImageFeatures
from ganassets.training.evaluation.measures import neighbourhoods
from ganassets.training.evaluation.quilting import Quilter
from ganassets.training.evaluation.set_measures import SetMeasures, measure_sets
from ganassets.training.evaluation.structure import randomize_phases
from ganassets_textures import SPEC
from ganassets_textures.sets import read_sets

FloatArray = NDArray[np.float32]

OUTPUT = "albedo"
# Each measure's path in SetMeasures, and whether the ratio to the real crops is shown rather than the value.
MEASURES: dict[str, tuple[tuple[str, ...], bool]] = {
    "FD": (("distance", OUTPUT), True),
    "FD2": (("check", OUTPUT), True),
    "pyramid": (("pyramid", OUTPUT), True),
    "spectrum": (("structure", OUTPUT, "spectrum"), True),
    "autocorrelation": (("structure", OUTPUT, "autocorrelation"), True),
    "structure": (("structure", OUTPUT, "structure"), False),
    "peaks": (("structure", OUTPUT, "peaks"), False),
    "precision": (("precision",), False),
    "density": (("density",), False),
    "coverage": (("coverage",), False),
}


def cut_crops(image: FloatArray, count: int, size: int, rng: np.random.Generator) -> FloatArray:
    """Cut (count, 3, size, size) crops at random places of a (3, h, w) image."""
    tops, lefts = (rng.integers(0, side - size + 1, count) for side in image.shape[1:])
    return np.stack([image[:, y : y + size, x : x + size] for y, x in zip(tops, lefts, strict=True)])


def spectrum_noise(crops: FloatArray, rng: np.random.Generator) -> FloatArray:
    """Return noise with the power spectrum of (n, 3, h, w) crops; all channels get the same phases."""
    n, channels, h, w = crops.shape
    seeds = rng.integers(0, 2**32, n)
    planes = [
        [randomize_phases(plane[None].astype(np.float64), np.random.default_rng(seed))[0] for plane in crop]
        for crop, seed in zip(crops, seeds, strict=True)
    ]
    return np.array(planes).reshape(n, channels, h, w).clip(0, 1).astype(np.float32)


def colour_noise(crops: FloatArray, rng: np.random.Generator) -> FloatArray:
    """Return noise of amplitude 1 / frequency with the mean and the covariance of each crop's colours."""
    size = crops.shape[2:]
    frequency = np.hypot(np.fft.fftfreq(size[0])[:, None], np.fft.rfftfreq(size[1])[None])
    frequency[0, 0] = np.inf
    made = []
    for crop in crops:
        noise = np.fft.irfft2(np.fft.rfft2(rng.normal(size=crop.shape)) / frequency, size)
        noise /= noise.std((1, 2), keepdims=True)
        root = np.linalg.cholesky(np.cov(crop.reshape(3, -1)) + 1e-8 * np.eye(3))
        made.append(crop.mean((1, 2), keepdims=True) + np.tensordot(root, noise, 1))
    return np.array(made).clip(0, 1).astype(np.float32)


def make_rows(image: FloatArray, count: int, size: int, rng: np.random.Generator) -> dict[str, FloatArray]:
    """Make the reference and the compared crops of a (3, h, w) image."""
    quilter = Quilter(np.ascontiguousarray(image.transpose(1, 2, 0)), max(size // 4, 16), max(size // 16, 4))
    return {
        "reference": cut_crops(image, count, size, rng),
        "real": cut_crops(image, count, size, rng),
        "quilting": np.stack([quilter(size, rng).transpose(2, 0, 1) for _ in range(count)]),
        "noise with the spectrum": spectrum_noise(cut_crops(image, count, size, rng), rng),
        "noise in the colours": colour_noise(cut_crops(image, count, size, rng), rng),
    }


def find_value(measures: SetMeasures, path: Sequence[str]) -> float:
    """Return the number under a path of keys; NaN when it is unknown."""
    value = asdict(measures)
    for key in path:
        value = value[key]
    return np.nan if value is None else float(value)  # pyright: ignore[reportArgumentType]


def print_measures(found: Sequence[Mapping[str, SetMeasures]]) -> None:
    """Print the median of each measure over the materials, with the lowest and the highest."""
    rows = []
    for title, (path, is_ratio) in MEASURES.items():
        row = {"measure": f"{title}, by that of real crops" if is_ratio else title}
        for name in found[0]:
            values = np.array([find_value(measures[name], path) for measures in found])
            if is_ratio:
                values /= [find_value(measures["real"], path) for measures in found]
            low, middle, high = np.nanpercentile(values, [0, 50, 100])
            row[name] = f"{middle:.2g} ({low:.2g} to {high:.2g})"
        rows.append(row)
    print_table(rows)


def print_views(pooled: Mapping[str, FloatArray], networks: tuple[ImageFeatures, ImageFeatures]) -> None:
    """Print precision and density of all materials together, by one view and by three."""
    spec = replace(SPEC, conditions=(), outputs=SPEC.outputs[:1])
    extractor = FeatureExtractor(spec, networks[0], [OUTPUT], {}, networks[1])
    features = {
        name: extractor({OUTPUT: images}, np.zeros((len(images), 0), np.float32)) for name, images in pooled.items()
    }
    space = FeatureSpace(features["reference"], [OUTPUT])
    coordinates = {name: space(found) for name, found in features.items()}
    real = coordinates.pop("reference")
    rows = []
    for name, other in coordinates.items():
        one = neighbourhoods(real.joint, other.joint)
        three = neighbourhoods(list(real.views.values()), list(other.views.values()))
        row = {"samples": name}
        for title, around in (("one view", one), ("three views", three)):
            row |= {f"precision, {title}": f"{around.precision:.2f}", f"density, {title}": f"{around.density:.2f}"}
        rows.append(row)
    print_table(rows)


def main() -> int:
    """Measure, and print both tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="folder of material sets")
    parser.add_argument("--size", type=int, default=64, help="pixels along a side of a crop")
    parser.add_argument("--count", type=int, default=24, help="crops of each set in each row")
    parser.add_argument("--sets", type=int, default=18, help="number of material sets, evenly taken")
    given = parser.parse_args()
    sets = [s for s in read_sets(given.folder)[0] if min(s.albedo.shape[:2]) >= 4 * given.size]
    chosen = [sets[int(i)] for i in np.linspace(0, len(sets) - 1, min(given.sets, len(sets)))]
    rng, networks = np.random.default_rng(0), (ImageFeatures(), ImageFeatures(2))
    spec = replace(SPEC, conditions=(), outputs=SPEC.outputs[:1])
    found, parts = [], []
    for source in chosen:
        rows = make_rows(source.albedo.transpose(2, 0, 1) * np.float32(1 / 255), given.count, given.size, rng)
        none = np.zeros((given.count, 0), np.float32)
        measures = measure_sets(
            spec, networks[0], {name: ({OUTPUT: images}, none) for name, images in rows.items()}, [OUTPUT], networks[1]
        )
        found.append({row.name: row for row in measures})
        parts.append(rows)
    say(
        f"{len(chosen)} material sets, {given.count} crops of {given.size} px in each row; median over the sets "
        "(lowest to highest):"
    )
    print_measures(found)
    say("All sets together:")
    print_views({name: np.concatenate([part[name] for part in parts]) for name in parts[0]}, networks)
    return 0


if __name__ == "__main__":
    sys.exit(main())
