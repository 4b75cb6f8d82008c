"""What a model of textures is worth: tiling, exactness, variety, classes, likeness to real materials, speed, memory.

Usage: python benchmarks/textures.py MODEL [--only seams,speed] [--real DIR] [--train DIR] [--quick]

Sections, each with markdown tables:
  seams      how much maps change across their border by how much they change elsewhere
  exact      moved noise moves the maps; windows give the whole; normals are those of the height
  diversity  how alike the most alike of a class's seeds are, by how alike real pairs are
  classes    whether a classifier that learnt from painted materials sees the class that was asked for
  fd         FD-EffNetLite0 of albedo crops against real sets that nothing was trained on (needs --real)
  speed      seconds against bare onnxruntime, and peak memory

FD-EffNetLite0 is the Frechet distance on features of EfficientNet-Lite0; it doesn't compare with FID. Exits with 1 when
a limit is missed.
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
from material_samples import BATCH, Discriminant, FeatureSpace, Maker, painted
from numpy.typing import NDArray
from quilting import quilted
from scipy.spatial.distance import cdist, pdist
from tables import print_table, say

from ganassets.api.registry import load_generator
from ganassets.inference.model import check_plugin, open_model
from ganassets.inference.request import DEFAULT_TRUNCATION, GenerationRequest
from ganassets.inference.resolve import generate
from ganassets.inference.tiled import run_in_windows
from ganassets.training.evaluation.features import ImageFeatures, image_features
from ganassets.training.evaluation.measures import Features, frechet_distance, principal_axes
from ganassets.training.evaluation.tiling import equivariance, largest_difference, normal_agreement, seam_ratio
from ganassets_textures.materials import CLASSES, LOOKS
from ganassets_textures.measures import maps_of
from ganassets_textures.photos import part_of
from ganassets_textures.sets import MaterialSet, read_sets

SEAM_LIMITS = (0.95, 1.05)
DIFFERENCE_LIMIT = 1e-5
SEAM_SIZES = ((64, 64), (128, 128), (128, 256))  # rows, columns
# Percentile of the distances of real pairs, and the share of the seeds' pairs that may be closer (of real ones: 1 %).
CLOSE, MOST_CLOSE = 1.0, 0.03
PROBE_SAMPLES = 96  # of each class, to train the classifier
CROP = 128
FD_AXES = 32
TRAINING_CROPS = 8  # of each training set, to find the nearest in
WINDOW = 512
# Seeds that no other section uses.
FIRST_SEED, PAINTER_SEED = 1, 7_000_003

# The peak as Linux counts it for the process itself; what getrusage says includes the parent's before exec.
PEAK = """
import re, sys
from ganassets.inference.request import GenerationRequest
from ganassets.inference.resolve import generate
from ganassets.inference.model import open_model
from ganassets.api.registry import load_generator
path, size, window, threads = sys.argv[1], *map(int, sys.argv[2:])
model = open_model(path, threads=threads or None)
request = GenerationRequest(model=path, seeds=1, size=size, window=window or None)
list(generate(model, load_generator(model.manifest.generator), request))
print(re.search(r"VmHWM:\\s+(\\d+)", open("/proc/self/status").read())[1])
"""


@dataclass(frozen=True)
class Amounts:
    """How much is measured."""

    samples: int = 1000  # for seams
    per_class: int = 64
    crops: int = 32  # of each held-out set; half of them are the reference
    rounds: int = 3
    sizes: tuple[int, ...] = (256, 512, 1024, 2048)


QUICK = Amounts(samples=64, per_class=16, crops=8, rounds=1, sizes=(256, 512))


@dataclass(frozen=True)
class Bench:
    """What all sections share."""

    maker: Maker
    amounts: Amounts
    real: Path | None
    train: Path | None
    threads: int

    @cached_property
    def network(self) -> ImageFeatures:
        """Of features."""
        return ImageFeatures()

    @cached_property
    def classes(self) -> ClassFeatures:
        """What the sections on classes of materials compare."""
        n, size = self.amounts.per_class, self.maker.size
        probe_labels, labels = class_labels(PROBE_SAMPLES), class_labels(n)
        reference = painted(names_of(probe_labels), PAINTER_SEED, size)
        space = FeatureSpace(self.network, reference)
        made = {
            look: space(self.maker.pictures(names_of(labels), look, FIRST_SEED, size)) for look in looks_of(self.maker)
        }
        fresh = space(painted(names_of(labels), PAINTER_SEED + 1, size))
        return ClassFeatures(space(reference), probe_labels, fresh, made, labels)


@dataclass(frozen=True, eq=False)
class ClassFeatures:
    """Features of materials, as many of each class.

    Attributes:
        probe, probe_labels: (n, 128), (n,) painted materials.
        painted: (m, 128) other painted ones.
        made: by look, (m, 128) the model's.
        labels: (m,) index into CLASSES, of `painted` and `made`.
    """

    probe: Features
    probe_labels: NDArray[np.int64]
    painted: Features
    made: dict[str, Features]
    labels: NDArray[np.int64]


def class_labels(count: int) -> NDArray[np.int64]:
    """Each class `count` times."""
    return np.repeat(np.arange(len(CLASSES)), count)


def names_of(labels: NDArray[np.int64]) -> list[str]:
    """Classes by their index."""
    return [CLASSES[label] for label in labels]


def looks_of(maker: Maker) -> list[str]:
    """Looks that the model was trained on."""
    conditions = maker.model.manifest.conditions
    columns = [column for condition in conditions for column in condition.columns]
    rows = np.array(maker.model.manifest.condition_rows)
    return [look for look in LOOKS if rows[:, columns.index(f"look:{look}")].any()]


def seams(bench: Bench) -> bool:
    """Ratios of materials whose noise map was moved at random, so that the border lies anywhere in the pattern."""
    count, stride = bench.amounts.samples, bench.maker.stride
    found = {size: seam_ratios(bench.maker, size, count, (stride, 1)) for size in SEAM_SIZES}
    low, high = SEAM_LIMITS
    say(
        f"Change across the border by change across all lines a multiple of {stride} texels from it, where the "
        f"network's coarsest cells meet: mean of {count} seeds (limits {low} to {high}) and its standard error. "
        "Maps that are constant are left out:"
    )
    print_table(seam_table(found, 0))
    say("The same by change between all neighbours, which tells of the cells as well:")
    print_table(seam_table(found, 1))
    return all(low <= np.nanmean(ratios[:, 0]) <= high for by_map in found.values() for ratios in by_map.values())


def seam_table(found: Mapping[tuple[int, int], Mapping[str, NDArray[np.float64]]], kind: int) -> list[dict[str, str]]:
    """Rows of one kind of ratio: a map each, a column for each size."""
    rows: dict[str, dict[str, str]] = {}
    for (height, width), by_map in found.items():
        for name, ratios in by_map.items():
            values = ratios[np.isfinite(ratios[:, kind]), kind]
            cell = f"{values.mean():.3f} ± {values.std() / len(values) ** 0.5:.3f}"
            rows.setdefault(name, {"map": name})[f"{width} x {height}"] = cell
    return list(rows.values())


def seam_ratios(
    maker: Maker, size: tuple[int, int], count: int, strides: Sequence[int]
) -> dict[str, NDArray[np.float64]]:
    """By map, (count, strides) ratios."""
    rng = np.random.default_rng(size)
    ratios: dict[str, list[list[float]]] = {}
    asked = (maker.inputs(seed, size) for seed in range(FIRST_SEED, FIRST_SEED + count))
    while part := list(islice(asked, BATCH)):
        moved = [replace(one, noise=np.roll(one.noise, rng.integers(0, size), (1, 2))) for one in part]  # pyright: ignore
        for asset in maker.materials(moved):
            for name, values in maps_of(asset).items():
                ratios.setdefault(name, []).append([float(seam_ratio(values, stride)[0]) for stride in strides])
    return {name: np.array(values) for name, values in ratios.items()}


def exact(bench: Bench) -> bool:
    """Largest differences where there should be none."""
    maker, stride = bench.maker, bench.maker.stride
    info = maker.model.manifest.noise
    assert info is not None
    inputs = [maker.inputs(seed, (128, 128)) for seed in range(FIRST_SEED, FIRST_SEED + 8)]
    noise = np.stack([one.noise for one in inputs if one.noise is not None])
    run = lambda part: maker.run([replace(a, noise=b) for a, b in zip(inputs, part, strict=True)])  # noqa: E731
    large = maker.inputs(FIRST_SEED, (256, 384))
    alone = lambda part: maker.run([replace(large, noise=part[0])])  # noqa: E731
    assert large.noise is not None
    margin = -(-info.reach // stride) * stride
    pieces = run_in_windows(alone, large.noise[None], 2 * margin + 2 * stride, stride, info.reach)
    found = {
        f"noise moved by {stride} and {3 * stride} texels": equivariance(run, noise, (stride, 3 * stride)),
        "256 x 384 texels in windows or whole": largest_difference(alone(large.noise[None]), pieces),
        "normal map and normals of the height": max(
            normal_agreement(asset.height, asset.normal, asset.texel_size) for asset in maker.materials(inputs)
        ),
    }
    say(f"Largest absolute differences (limit {DIFFERENCE_LIMIT:g}):")
    print_table([{"what": name, "difference": f"{value:.1e}"} for name, value in found.items()])
    return all(value <= DIFFERENCE_LIMIT for value in found.values())


def diversity(bench: Bench) -> bool:
    """How near seeds of a class come to each other, in features of albedo and height, for the first look there is."""
    found = bench.classes
    look, made = next(iter(found.made.items()))
    rows, passed = [], []
    for label, name in enumerate(CLASSES):
        real = pdist(found.painted[found.labels == label])
        ours = pdist(made[found.labels == label])
        limit = np.percentile(real, CLOSE)
        passed.append(bool((ours < limit).mean() <= MOST_CLOSE))
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
    n = bench.amounts.per_class
    say(
        f"Distances between {n} seeds of a class, look {look}, and between {n} painted materials of it. The limit is "
        f"percentile {CLOSE:g} of the painted ones' distances, so {CLOSE:g} % of their own pairs are below it; "
        f"{MOST_CLOSE:.0%} of the seeds' pairs may be:"
    )
    print_table(rows)
    say(f"{sum(passed)} of {len(passed)} classes pass.")
    return all(passed)


def classes(bench: Bench) -> bool:
    """Accuracy of a classifier on painted materials that it hasn't seen, and on the model's."""
    found = bench.classes
    probe = Discriminant(found.probe, found.probe_labels)
    right = {"painted, not seen": probe(found.painted) == found.labels}
    right |= {f"model, look {look}": probe(features) == found.labels for look, features in found.made.items()}
    rows = [
        {"class": name} | {made: f"{values[found.labels == label].mean():.0%}" for made, values in right.items()}
        for label, name in enumerate(CLASSES)
    ]
    rows.append({"class": "mean"} | {made: f"**{values.mean():.1%}**" for made, values in right.items()})
    say(
        "Materials that a linear discriminant sees as the class that they should be, "
        f"{bench.amounts.per_class} of each (trained on {PROBE_SAMPLES} painted ones of each, features of albedo "
        "and height):"
    )
    print_table(rows)
    return True


def fd(bench: Bench) -> bool:
    """Likeness of albedo to that of real sets held out, for the same classes in every row."""
    if bench.real is None:
        say("fd: left out; --real names a folder of material sets that the model wasn't trained on.")
        return True
    sets = read_sets(bench.real)[0]
    half, rng = bench.amounts.crops // 2, np.random.default_rng(0)
    reference = features_of(bench, crops(sets, half, rng))
    held_out = features_of(bench, crops(sets, half, rng))
    materials = [source.material for source in sets for _ in range(half)]
    drawn = [material or CLASSES[int(rng.integers(len(CLASSES)))] for material in materials]
    rows: dict[str, Features] = {"real: other crops of the same sets": held_out}
    for look in looks_of(bench.maker):
        pictures = bench.maker.pictures(materials, look, FIRST_SEED, CROP)
        rows[f"model, look {look}"] = features_of(bench, pictures["albedo"])
    rows["our own painter"] = features_of(bench, painted(drawn, PAINTER_SEED, CROP)["albedo"])
    if bench.train is not None:
        known = read_sets(bench.train)[0]
        candidates = features_of(bench, crops(known, TRAINING_CROPS, rng))
        rows["nearest crop of the training sets"] = candidates[cdist(held_out, candidates).argmin(1)]
        rows["image quilting of a training crop"] = features_of(bench, quilts(known, materials, rng))
    mean, axes = principal_axes(reference, FD_AXES)
    say(
        f"FD-EffNetLite0 of albedo, {CROP} px, {FD_AXES} axes, against {half} crops of each of {len(sets)} held-out "
        f"sets; {len(materials)} pictures in every row, of the same classes:"
    )
    distances = {name: frechet_distance((reference - mean) @ axes, (row - mean) @ axes) for name, row in rows.items()}
    print_table([{"pictures": name, "FD-EffNetLite0": f"{value:.0f}"} for name, value in distances.items()])
    return True


def features_of(bench: Bench, albedo: NDArray[np.float32]) -> Features:
    """(n, 1280) of (n, 3, h, w)."""
    return image_features(bench.network, albedo)


def crops(sets: Sequence[MaterialSet], count: int, rng: np.random.Generator) -> NDArray[np.float32]:
    """(sets * count, 3, h, w) albedo of parts of each set, as they are drawn for training."""
    return np.stack([part_of(source, CROP, rng)[0]["albedo"] for source in sets for _ in range(count)])


def quilts(
    sets: Sequence[MaterialSet], materials: Sequence[str | None], rng: np.random.Generator
) -> NDArray[np.float32]:
    """(n, 3, h, w) albedo quilted of a crop of a set of each class; of any set where there is none of that class."""
    out = []
    for material in materials:
        fitting = [source for source in sets if source.material == material] or sets
        example = crops([fitting[int(rng.integers(len(fitting)))]], 1, rng)[0]
        out.append(quilted(example.transpose(1, 2, 0), CROP, rng).transpose(2, 0, 1))
    return np.stack(out)


def speed(bench: Bench) -> bool:
    """Seconds and peak memory of one square material of each size."""
    say(
        f"One material: median of {bench.amounts.rounds} rounds, and the peak memory of a process of its own. "
        "`generate` makes the noise map, runs the network and computes the other maps; bare onnxruntime runs the same "
        "inputs in one piece:"
    )
    rows = []
    for size in bench.amounts.sizes:
        whole, windowed, bare = median_seconds(bench, size)
        rows.append(
            {
                "size": f"{size} x {size}",
                "`generate`": f"{whole:.2f} s",
                "bare onnxruntime": f"{bare:.2f} s",
                "ratio": f"{whole / bare:.2f}",
                "peak": f"{peak_mebibytes(bench, size, 0):.0f} MiB",
                f"`--window {WINDOW}`": f"{windowed:.2f} s",
                "peak in windows": f"{peak_mebibytes(bench, size, WINDOW):.0f} MiB",
            }
        )
    print_table(rows)
    return True


def median_seconds(bench: Bench, size: int) -> tuple[float, float, float]:
    """Of generate, generate in windows, and bare onnxruntime, taking turns in one process."""
    maker, manifest = bench.maker, bench.maker.model.manifest
    one = maker.inputs(1, (size, size))
    assert one.noise is not None
    feeds = {
        "z": one.z[None],
        "condition": one.condition[None],
        "noise": one.noise[None],
        "truncation": np.array([maker.truncation], np.float32),
        "w_offset": np.zeros((1, manifest.layers, manifest.w_dim), np.float32),
    }
    request = GenerationRequest(model="textures", seeds=1, truncation=maker.truncation, size=size)
    work: list[Callable[[], object]] = [
        lambda: list(generate(maker.model, maker.spec, request)),
        lambda: list(generate(maker.model, maker.spec, request.model_copy(update={"window": WINDOW}))),
        lambda: maker.model.session.run(None, feeds),
    ]
    for task in work:  # warms up
        task()
    turns = [[seconds_of(task) for task in work] for _ in range(bench.amounts.rounds)]
    whole, windowed, bare = (statistics.median(column) for column in zip(*turns, strict=True))
    return whole, windowed, bare


def seconds_of(work: Callable[[], object]) -> float:
    """Wall time."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def peak_mebibytes(bench: Bench, size: int, window: int) -> float:
    """Most memory that a process of its own takes to generate one material; window 0 leaves the choice to it."""
    arguments = [str(bench.maker.model.path), str(size), str(window), str(bench.threads)]
    run = subprocess.run([sys.executable, "-c", PEAK, *arguments], check=True, capture_output=True, text=True)
    return int(run.stdout) / 1024


SECTIONS: dict[str, Callable[[Bench], bool]] = {
    "seams": seams,
    "exact": exact,
    "diversity": diversity,
    "classes": classes,
    "fd": fd,
    "speed": speed,
}


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", help="model file of textures")
    parser.add_argument("--only", default=",".join(SECTIONS), help="sections, with commas between them")
    parser.add_argument("--real", type=Path, help="folder of material sets that the model wasn't trained on")
    parser.add_argument("--train", type=Path, help="folder of the material sets that it was trained on")
    parser.add_argument("--samples", type=int, help="seeds for seams")
    parser.add_argument("--truncation", type=float, default=DEFAULT_TRUNCATION, help="of all that is made")
    parser.add_argument("--threads", type=int, default=0, help="of the CPU; 0 takes all")
    parser.add_argument("--quick", action="store_true", help="little of everything")
    given = parser.parse_args()
    chosen = given.only.split(",")
    if unknown := set(chosen) - SECTIONS.keys():
        parser.error(f"there is no section {min(unknown)}; there are {', '.join(SECTIONS)}")
    amounts = QUICK if given.quick else Amounts()
    amounts = replace(amounts, samples=given.samples or amounts.samples)
    if given.threads:
        torch.set_num_threads(given.threads)
    model = open_model(given.model, threads=given.threads or None)
    spec = load_generator(model.manifest.generator)
    check_plugin(model, spec)
    bench = Bench(Maker(model, spec, given.truncation), amounts, given.real, given.train, given.threads)
    say(f"{model.path.name}, preset {model.manifest.training.preset}, truncation {given.truncation:g}.")
    missed = [name for name in chosen if not SECTIONS[name](bench)]
    print(f"Limits missed: {', '.join(missed) or 'none'}.")
    return int(bool(missed))


if __name__ == "__main__":
    sys.exit(main())
