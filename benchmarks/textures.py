"""Measure a model of textures: tiling, exactness, variety, classes, distance to real materials, speed, memory.

Usage: python benchmarks/textures.py MODEL [--only seams,speed] [--real DIR] [--train DIR] [--quick]

Sections, each with markdown tables:
  seams      change of maps across their border by their change elsewhere
  lattice    change across the lines of the network's coarsest cells by change across the same lines elsewhere
  exact      moved noise moves the maps; windows give the whole; normals are those of the height
  diversity  distances between the most similar seeds of a class, by those of painted materials
  classes    share of materials in which a classifier trained on painted ones sees the requested class
  fd         FD-EffNetLite0 of albedo crops against held-out real sets (needs --real)
  speed      seconds against bare onnxruntime, and peak memory

FD-EffNetLite0 is the Frechet distance on features of EfficientNet-Lite0; it can't be compared with FID. The exit code
is 1 when a limit is missed.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import islice
from pathlib import Path

import numpy as np
import torch
from material_crops import crop_albedo
from material_samples import BATCH, Discriminant, MaterialFeatures, ModelSampler, paint_pictures
from numpy.typing import NDArray
from scipy.spatial.distance import cdist, pdist
from tables import print_table, say

from ganassets.api.registry import load_generator
from ganassets.inference.conditions import ConditionValue
from ganassets.inference.model import check_generator, open_model
from ganassets.inference.pipeline import Inputs
from ganassets.inference.request import DEFAULT_TRUNCATION, GenerationRequest
from ganassets.inference.resolve import generate_assets
from ganassets.inference.tiled import run_in_windows
from ganassets.training.evaluation.features import ImageFeatures, image_features
from ganassets.training.evaluation.measures import Features, frechet_distance, principal_axes
from ganassets.training.evaluation.quilting import Quilter
from ganassets.training.evaluation.tiling import equivariance, largest_difference, normal_agreement, seam_ratio
from ganassets_textures.materials import CLASSES
from ganassets_textures.measures import batch_maps
from ganassets_textures.sets import MaterialSet, read_sets

SEAM_LIMITS = (0.95, 1.05)
LATTICE_LIMIT = 1.05
LATTICE_SIZE = (128, 128)
LATTICE_SHIFT = 5  # texels by which noise is moved, so that no line of cells meets another
DIFFERENCE_LIMIT = 1e-5
SEAM_SIZES = ((64, 64), (128, 128), (128, 256))  # rows, columns
# Percentile of the distances between painted materials, and the share of the seeds' pairs that may be closer.
CLOSE_PERCENTILE, MAX_CLOSE_SHARE = 1.0, 0.03
PROBE_SAMPLES = 96  # painted materials of each class that train the classifier
CROP = 128
FD_AXES = 32
TRAINING_CROPS = 8  # crops of each training set among which the nearest is found
WINDOW = 512
# First seed of the model, and the seed of painted materials.
FIRST_SEED, PAINTER_SEED = 1, 7_000_003

# VmHWM is the peak of the process itself; getrusage includes the parent's memory before exec.
PEAK = """
import re, sys
from ganassets.inference.request import GenerationRequest
from ganassets.inference.resolve import generate_assets
from ganassets.inference.model import open_model
from ganassets.api.registry import load_generator
path, size, window, threads = sys.argv[1], *map(int, sys.argv[2:])
model = open_model(path, threads=threads or None)
request = GenerationRequest(model=path, seeds=1, size=size, window=window or None)
list(generate_assets(model, load_generator(model.manifest.generator), request))
print(re.search(r"VmHWM:\\s+(\\d+)", open("/proc/self/status").read())[1])
"""


@dataclass(frozen=True)
class SampleCounts:
    """Numbers of samples.

    Attributes:
        samples: Seeds for seams.
        per_class: Seeds of each class.
        crops: Crops of each held-out set; half of them are the reference.
        lattice: Seeds of each class for the lattice.
        rounds: Rounds of timing.
        sizes: Sizes for speed, in texels.
    """

    samples: int = 1000
    per_class: int = 64
    crops: int = 32
    lattice: int = 16
    rounds: int = 3
    sizes: tuple[int, ...] = (256, 512, 1024, 2048)


QUICK = SampleCounts(samples=64, per_class=16, crops=8, lattice=8, rounds=1, sizes=(256, 512))


@dataclass(frozen=True)
class TextureBench:
    """Model, settings and shared results of all sections."""

    sampler: ModelSampler
    counts: SampleCounts
    real: Path | None
    train: Path | None
    threads: int

    @cached_property
    def network(self) -> ImageFeatures:
        """Network of the features."""
        return ImageFeatures()

    @cached_property
    def classes(self) -> ClassFeatures:
        """Features for the sections on classes of materials."""
        n, size = self.counts.per_class, self.sampler.size
        probe_labels, labels = class_labels(PROBE_SAMPLES), class_labels(n)
        reference = paint_pictures(class_names(probe_labels), PAINTER_SEED, size)
        space = MaterialFeatures(self.network, reference)
        generated = space(self.sampler.pictures(class_names(labels), FIRST_SEED, size))
        fresh = space(paint_pictures(class_names(labels), PAINTER_SEED + 1, size))
        return ClassFeatures(space(reference), probe_labels, fresh, generated, labels)


@dataclass(frozen=True, eq=False)
class ClassFeatures:
    """Features of materials, the same number of each class.

    Attributes:
        probe, probe_labels: (n, 128) and (n,) of painted materials that train the classifier.
        painted: (m, 128) of other painted materials.
        generated: (m, 128) of the model's materials.
        labels: (m,) index into CLASSES, of `painted` and `generated`.
    """

    probe: Features
    probe_labels: NDArray[np.int64]
    painted: Features
    generated: Features
    labels: NDArray[np.int64]


def class_labels(count: int) -> NDArray[np.int64]:
    """Repeat each class `count` times."""
    return np.repeat(np.arange(len(CLASSES)), count)


def class_names(labels: NDArray[np.int64]) -> list[str]:
    """Return the names of class indices."""
    return [CLASSES[label] for label in labels]


def seams(bench: TextureBench) -> bool:
    """Measure seams after moving the noise map at random, so that the border lies anywhere in the pattern."""
    count, stride = bench.counts.samples, bench.sampler.stride
    results = {size: seam_ratios(bench.sampler, size, count, (stride, 1)) for size in SEAM_SIZES}
    low, high = SEAM_LIMITS
    say(
        f"Change across the border by change across all lines a multiple of {stride} texels from it, where the "
        f"network's coarsest cells meet: mean of {count} seeds (limits {low} to {high}) and its standard error. "
        "Maps that are constant are left out:"
    )
    print_table(seam_table(results, 0))
    say("The same by change between all neighbours, which also depends on the cells:")
    print_table(seam_table(results, 1))
    return all(low <= np.nanmean(ratios[:, 0]) <= high for by_map in results.values() for ratios in by_map.values())


def seam_table(results: Mapping[tuple[int, int], Mapping[str, NDArray[np.float64]]], kind: int) -> list[dict[str, str]]:
    """Make the rows of one kind of ratio: a row for each map, a column for each size."""
    rows: dict[str, dict[str, str]] = {}
    for (height, width), by_map in results.items():
        for name, ratios in by_map.items():
            values = ratios[np.isfinite(ratios[:, kind]), kind]
            cell = f"{values.mean():.3f} ± {values.std() / len(values) ** 0.5:.3f}"
            rows.setdefault(name, {"map": name})[f"{width} x {height}"] = cell
    return list(rows.values())


def seam_ratios(
    sampler: ModelSampler, size: tuple[int, int], count: int, strides: Sequence[int]
) -> dict[str, NDArray[np.float64]]:
    """Measure (count, strides) ratios by map."""
    rng = np.random.default_rng(size)
    ratios: dict[str, list[list[float]]] = {}
    asked = (sampler.inputs(seed, size) for seed in range(FIRST_SEED, FIRST_SEED + count))
    while part := list(islice(asked, BATCH)):
        moved = [replace(one, noise=np.roll(one.noise, rng.integers(0, size), (1, 2))) for one in part]  # pyright: ignore
        for asset in sampler.materials(moved):
            for name, values in batch_maps(asset).items():
                ratios.setdefault(name, []).append([float(seam_ratio(values, stride)[0]) for stride in strides])
    return {name: np.array(values) for name, values in ratios.items()}


def lattice(bench: TextureBench) -> bool:
    """Measure whether the network's coarsest cells show, in each class."""
    sampler = bench.sampler
    count = bench.counts.lattice
    rows = []
    passed = True
    for name in CLASSES:
        values: dict[str, ConditionValue] = {"material": {name: 1.0}}
        inputs = [sampler.inputs(seed, LATTICE_SIZE, values) for seed in range(FIRST_SEED, FIRST_SEED + count)]
        ratios = lattice_ratios(sampler, inputs)
        rows.append({"class": name} | {key: f"{value:.3f}" for key, value in ratios.items()})
        passed &= max(ratios.values()) <= LATTICE_LIMIT
    say(
        f"Change across lines a multiple of {sampler.stride} texels from the noise map's border, by change across the "
        f"same lines of the pattern after the noise was moved by {LATTICE_SHIFT} texels: mean of {count} seeds "
        f"(limit {LATTICE_LIMIT}):"
    )
    print_table(rows)
    return passed


def lattice_ratios(sampler: ModelSampler, inputs: Sequence[Inputs]) -> dict[str, float]:
    """Measure the ratio of each map that isn't constant, over all materials."""
    on: dict[str, float] = {}
    off: dict[str, float] = {}
    moved = [replace(one, noise=np.roll(one.noise, LATTICE_SHIFT, (1, 2))) for one in inputs]  # pyright: ignore
    for first, second in zip(sampler.materials(inputs), sampler.materials(moved), strict=True):
        for name, values in batch_maps(first).items():
            lines = slice(0, None, sampler.stride)
            other = batch_maps(second)[name]
            for axis in (2, 3):
                here, there = (line_changes(maps, axis) for maps in (values, other))
                elsewhere = np.roll(there, -LATTICE_SHIFT), np.roll(here, LATTICE_SHIFT)
                on[name] = on.get(name, 0.0) + float(here[lines].sum() + there[lines].sum())
                off[name] = off.get(name, 0.0) + float(elsewhere[0][lines].sum() + elsewhere[1][lines].sum())
    return {name: on[name] / off[name] for name in on if off[name] > 1e-3}


def line_changes(maps: NDArray[np.float32], axis: int) -> NDArray[np.float64]:
    """Return the mean absolute change of (n, channels, h, w) maps across each line, from that to the line before."""
    change = np.abs(maps.astype(np.float64) - np.roll(maps, 1, axis))
    return change.mean(tuple(k for k in range(4) if k != axis))


def exact(bench: TextureBench) -> bool:
    """Measure differences that should be zero."""
    sampler, stride = bench.sampler, bench.sampler.stride
    info = sampler.model.manifest.noise
    assert info is not None
    inputs = [sampler.inputs(seed, (128, 128)) for seed in range(FIRST_SEED, FIRST_SEED + 8)]
    noise = np.stack([one.noise for one in inputs if one.noise is not None])
    large = sampler.inputs(FIRST_SEED, (256, 384))

    def run(part: NDArray[np.float32]) -> dict[str, NDArray[np.float32]]:
        return sampler.run([replace(a, noise=b) for a, b in zip(inputs, part, strict=True)])

    def run_large(part: NDArray[np.float32]) -> dict[str, NDArray[np.float32]]:
        return sampler.run([replace(large, noise=part[0])])

    assert large.noise is not None
    margin = -(-info.reach // stride) * stride
    pieces = run_in_windows(run_large, large.noise[None], 2 * margin + 2 * stride, stride, info.reach)
    results = {
        f"noise moved by {stride} and {3 * stride} texels": equivariance(run, noise, (stride, 3 * stride)),
        "256 x 384 texels in windows or whole": largest_difference(run_large(large.noise[None]), pieces),
        "normal map and normals of the height": max(
            normal_agreement(asset.height, asset.normal, asset.texel_size) for asset in sampler.materials(inputs)
        ),
    }
    say(f"Largest absolute differences (limit {DIFFERENCE_LIMIT:g}):")
    print_table([{"what": name, "difference": f"{value:.1e}"} for name, value in results.items()])
    return all(value <= DIFFERENCE_LIMIT for value in results.values())


def diversity(bench: TextureBench) -> bool:
    """Measure distances between seeds of a class, in features of albedo and height."""
    results = bench.classes
    rows, passed = [], []
    for label, name in enumerate(CLASSES):
        real = pdist(results.painted[results.labels == label])
        ours = pdist(results.generated[results.labels == label])
        limit = np.percentile(real, CLOSE_PERCENTILE)
        passed.append(bool((ours < limit).mean() <= MAX_CLOSE_SHARE))
        rows.append(
            {
                "class": name,
                "smallest": f"{ours.min():.2f}",
                "limit": f"{limit:.2f}",
                "smallest, painted": f"{real.min():.2f}",
                "pairs below the limit": f"{(ours < limit).mean():.1%}",
                "median by painted": f"{np.median(ours) / np.median(real):.2f}",
                "passed": "yes" if passed[-1] else "NO",
            }
        )
    n = bench.counts.per_class
    say(
        f"Distances between {n} seeds of a class, and between {n} painted materials of it. The limit is "
        f"percentile {CLOSE_PERCENTILE:g} of the painted materials' distances. At most {MAX_CLOSE_SHARE:.0%} of the "
        "seeds' pairs may be closer:"
    )
    print_table(rows)
    say(f"{sum(passed)} of {len(passed)} classes pass.")
    return all(passed)


def classes(bench: TextureBench) -> bool:
    """Measure the accuracy of a classifier on new painted materials and on the model's."""
    results = bench.classes
    probe = Discriminant(results.probe, results.probe_labels)
    right = {"painted, not seen": probe(results.painted) == results.labels}
    right["model"] = probe(results.generated) == results.labels
    rows = [
        {"class": name} | {row: f"{values[results.labels == label].mean():.0%}" for row, values in right.items()}
        for label, name in enumerate(CLASSES)
    ]
    rows.append({"class": "mean"} | {row: f"**{values.mean():.1%}**" for row, values in right.items()})
    say(
        "Materials that a linear discriminant sees as the class that they should be, "
        f"{bench.counts.per_class} of each (trained on {PROBE_SAMPLES} painted ones of each, features of albedo "
        "and height):"
    )
    print_table(rows)
    return True


def frechet_distances(bench: TextureBench) -> bool:
    """Measure the Frechet distances of albedo to held-out real sets, with the same classes in every row."""
    if bench.real is None:
        say("fd: skipped; give a folder of material sets that the model wasn't trained on with --real.")
        return True
    sets = read_sets(bench.real)[0]
    half, rng = bench.counts.crops // 2, np.random.default_rng(0)
    reference = albedo_features(bench, cut_crops(sets, half, rng))
    held_out = albedo_features(bench, cut_crops(sets, half, rng))
    materials = [source.material for source in sets for _ in range(half)]
    drawn = [material or CLASSES[int(rng.integers(len(CLASSES)))] for material in materials]
    rows: dict[str, Features] = {"real: other crops of the same sets": held_out}
    rows["model"] = albedo_features(bench, bench.sampler.pictures(materials, FIRST_SEED, CROP)["albedo"])
    rows["our own painter"] = albedo_features(bench, paint_pictures(drawn, PAINTER_SEED, CROP)["albedo"])
    if bench.train is not None:
        known = read_sets(bench.train)[0]
        candidates = albedo_features(bench, cut_crops(known, TRAINING_CROPS, rng))
        rows["nearest crop of the training sets"] = candidates[cdist(held_out, candidates).argmin(1)]
        rows["image quilting of a training crop"] = albedo_features(bench, quilt_crops(known, materials, rng))
    mean, axes = principal_axes(reference, FD_AXES)
    say(
        f"FD-EffNetLite0 of albedo, {CROP} px, {FD_AXES} axes, against {half} crops of each of {len(sets)} held-out "
        f"sets; {len(materials)} pictures in every row, of the same classes:"
    )
    distances = {name: frechet_distance((reference - mean) @ axes, (row - mean) @ axes) for name, row in rows.items()}
    print_table([{"pictures": name, "FD-EffNetLite0": f"{value:.0f}"} for name, value in distances.items()])
    return True


def albedo_features(bench: TextureBench, albedo: NDArray[np.float32]) -> Features:
    """Compute the (n, 1280) features of (n, 3, h, w) albedo."""
    return image_features(bench.network, albedo)


def cut_crops(sets: Sequence[MaterialSet], count: int, rng: np.random.Generator) -> NDArray[np.float32]:
    """Cut (sets * count, 3, h, w) albedo out of sets, as for training."""
    return np.stack([crop_albedo(source, CROP, rng) for source in sets for _ in range(count)])


def quilt_crops(
    sets: Sequence[MaterialSet], materials: Sequence[str | None], rng: np.random.Generator
) -> NDArray[np.float32]:
    """Quilt (n, 3, h, w) albedo of a crop of a set of each class, or of any set where no set has the class."""
    out = []
    for material in materials:
        fitting = [source for source in sets if source.material == material] or sets
        example = cut_crops([fitting[int(rng.integers(len(fitting)))]], 1, rng)[0]
        out.append(Quilter(example.transpose(1, 2, 0))(CROP, rng).transpose(2, 0, 1))
    return np.stack(out)


def speed(bench: TextureBench) -> bool:
    """Measure seconds and peak memory of one square material of each size."""
    say(
        f"One material: median of {bench.counts.rounds} rounds, and the peak memory of a process of its own. "
        "`generate_assets` makes the noise map, runs the network and computes the other maps; bare onnxruntime runs "
        "the same inputs in one piece:"
    )
    rows = []
    for size in bench.counts.sizes:
        whole, windowed, bare = median_seconds(bench, size)
        rows.append(
            {
                "size": f"{size} x {size}",
                "`generate_assets`": f"{whole:.2f} s",
                "bare onnxruntime": f"{bare:.2f} s",
                "ratio": f"{whole / bare:.2f}",
                "peak": f"{peak_mebibytes(bench, size, 0):.0f} MiB",
                f"`--window {WINDOW}`": f"{windowed:.2f} s",
                "peak in windows": f"{peak_mebibytes(bench, size, WINDOW):.0f} MiB",
            }
        )
    print_table(rows)
    return True


def median_seconds(bench: TextureBench, size: int) -> tuple[float, float, float]:
    """Return median seconds of generate, generate in windows, and bare onnxruntime, taking turns in one process."""
    sampler, manifest = bench.sampler, bench.sampler.model.manifest
    one = sampler.inputs(1, (size, size))
    assert one.noise is not None
    feeds = {
        "z": one.z[None],
        "condition": one.condition[None],
        "noise": one.noise[None],
        "truncation": np.array([sampler.truncation], np.float32),
        "w_offset": np.zeros((1, manifest.layers, manifest.w_dim), np.float32),
    }
    request = GenerationRequest(model="textures", seeds=1, truncation=sampler.truncation, size=size)
    work: list[Callable[[], object]] = [
        lambda: list(generate_assets(sampler.model, sampler.spec, request)),
        lambda: list(generate_assets(sampler.model, sampler.spec, request.model_copy(update={"window": WINDOW}))),
        lambda: sampler.model.session.run(None, feeds),
    ]
    for task in work:  # warm up
        task()
    turns = [[measure_seconds(task) for task in work] for _ in range(bench.counts.rounds)]
    whole, windowed, bare = (statistics.median(column) for column in zip(*turns, strict=True))
    return whole, windowed, bare


def measure_seconds(work: Callable[[], object]) -> float:
    """Measure the wall time of a call."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def peak_mebibytes(bench: TextureBench, size: int, window: int) -> float:
    """Measure the peak memory of a separate process that generates one material; window 0 is the default."""
    arguments = [str(bench.sampler.model.path), str(size), str(window), str(bench.threads)]
    run = subprocess.run([sys.executable, "-c", PEAK, *arguments], check=True, capture_output=True, text=True)
    return int(run.stdout) / 1024


SECTIONS: dict[str, Callable[[TextureBench], bool]] = {
    "seams": seams,
    "lattice": lattice,
    "exact": exact,
    "diversity": diversity,
    "classes": classes,
    "fd": frechet_distances,
    "speed": speed,
}


def main() -> int:
    """Run the sections and print their tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", help="model file of textures")
    parser.add_argument("--only", default=",".join(SECTIONS), help="sections to run, separated by commas")
    parser.add_argument("--real", type=Path, help="folder of material sets that the model wasn't trained on")
    parser.add_argument("--train", type=Path, help="folder of the material sets that it was trained on")
    parser.add_argument("--samples", type=int, help="number of seeds for seams")
    parser.add_argument("--truncation", type=float, default=DEFAULT_TRUNCATION, help="truncation of all samples")
    parser.add_argument("--threads", type=int, default=0, help="number of threads; 0 takes all cores")
    parser.add_argument("--quick", action="store_true", help="few samples of everything")
    given = parser.parse_args()
    chosen = given.only.split(",")
    if unknown := set(chosen) - SECTIONS.keys():
        parser.error(f"unknown section {min(unknown)}; choose from {', '.join(SECTIONS)}")
    counts = QUICK if given.quick else SampleCounts()
    counts = replace(counts, samples=given.samples or counts.samples)
    if given.threads:
        torch.set_num_threads(given.threads)
    model = open_model(given.model, threads=given.threads or None)
    spec = load_generator(model.manifest.generator)
    check_generator(model, spec)
    bench = TextureBench(ModelSampler(model, spec, given.truncation), counts, given.real, given.train, given.threads)
    say(f"{model.path.name}, preset {model.manifest.training.preset}, truncation {given.truncation:g}.")
    missed = [name for name in chosen if not SECTIONS[name](bench)]
    print(f"Limits missed: {', '.join(missed) or 'none'}.")
    return int(bool(missed))


if __name__ == "__main__":
    sys.exit(main())
