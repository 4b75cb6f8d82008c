"""Compare a model of poses with real motion: feet, seams, similarity, variety, actions, speed.

Usage: python benchmarks/poses.py MODEL --train DIR --real DIR [--only quality,actions,speed] [--samples N]
       python benchmarks/poses.py MODEL --sheet FILE.webp

DIR are folders of motion as `ganassets train poses` reads them: the training data, and motion held out from it.
Sections, each with a markdown table:
  quality  real motion, the model, a linear model of windows, and blends of training clips
  actions  some of the same by action, of real motion and of the model; `nearest` is the plain distance
  speed    clips per minute to BVH and GLB, and the time of each step (needs no folders)
--sheet writes sixteen seeds of four actions as one animated picture, and measures nothing.

The unit of comparison is a cell: an action, with loops and single actions apart, with at least two held-out clips.
Cells have the same weights in every row: the square root of their number of held-out clips, as in training. Loops
last about 2 s, single actions have their natural length. Motions other than steps are the right-handed ones in all
rows.

Columns:
  skating      share of the frames with a foot on the ground in which it slides
  loop gap     largest difference of a pose (radians, metres) between a loop's first and last frame
  seam         mean change of movement there relative to that between other frames; 1 is no seam
  FD           Frechet distance of windows of 32 frames on motion_features, relative to the reference's variance;
               FD train: the same for training motion
  coverage     share of the reference's windows with one of this row nearer than their own fifth neighbour
  precision    share of this row's windows nearer to one of the reference than that one's third neighbour
  diversity    mean distance between windows of a cell relative to that of training motion
  nearest      median distance to the nearest window of training motion relative to that of held-out motion; < 1
               hints at copies
  jerk         median in m/s^3, and the share of clips within the 5th to 95th percentile of held-out motion
  penetration  mean over clips of the millimetres that feet go below the ground at most
  bones        most millimetres by which bones stretch
  action seen  share of windows in which a kernel classifier finds the right action among all actions of training
               motion; for training motion, clips that it wasn't fitted to

References are halves of the held-out clips (for FD train: of the training clips), drawn several times; the row of the
same motion is always the other half. For coverage every row has as many windows as the other half. Little motion is
held out, so its halves differ. The row of training motion, which is not part of the reference, therefore shows what a
perfect model would reach. Exits with 1 when a limit is missed: loop gaps, and skating of the model beyond that of
training motion.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from motion_samples import (
    ActionClassifier,
    Cell,
    Clips,
    Windows,
    blended_clips,
    by_cell,
    gaussian_clips,
    made_clips,
    real_clips,
    recordings,
    segments_in,
    some_of,
)
from numpy.typing import NDArray
from scipy.spatial.distance import cdist
from tables import print_table, say

from ganassets.api.assets import MotionClip
from ganassets.api.motion.animation import animated_sheet
from ganassets.api.motion.measures import (
    bone_length_error,
    jerk,
    loop_gap,
    loop_seam,
    nearest_rows,
    penetration,
    skating,
)
from ganassets.api.options import option_values
from ganassets.api.registry import load_exporter, load_generator
from ganassets.api.spec import GeneratorSpec
from ganassets.api.writer import write_files
from ganassets.inference.model import Model, check_generator, open_model
from ganassets.inference.request import DEFAULT_TRUNCATION, GenerationRequest
from ganassets.inference.resolve import generate_assets
from ganassets.training.evaluation.measures import Features, frechet_distance, pairwise_distance
from ganassets_poses.segments import Segment

FloatArray = NDArray[np.floating]

# Minimum number of training clips and of held-out clips of a cell.
FEWEST = 2
# Minimum number of generated clips of a cell.
LEAST_PER_CELL = 8
# Maximum number of training segments of a cell.
TRAINING_SEGMENTS = 200
SPLITS = 8  # random halves
DRAWN = 4096  # windows of a row in the Frechet distance, drawn by the weights of its cells
# Maximum number of windows of a cell whose distances are compared.
PAIRS = 400
NEIGHBOURS, PRECISION_NEIGHBOURS = 5, 3
GAP_LIMIT = 1e-4
# Number of clips and of repetitions of the speed measurement.
CLIPS, ROUNDS = 128, 3
EXPORTERS = ("bvh", "gltf")
HELD_OUT, TRAINING, MODEL = "real, held out", "real, training", f"model, truncation {DEFAULT_TRUNCATION:g}"


@dataclass(frozen=True)
class PosesBenchmark:
    """Inputs of all sections: model, folders of motion, and number of generated clips in a row."""

    model: Model
    spec: GeneratorSpec
    train: Path | None
    real: Path | None
    samples: int

    @cached_property
    def comparison(self) -> Comparison:
        """All rows of clips."""
        assert self.train is not None and self.real is not None
        known, unseen = by_cell(segments_in(self.train)), by_cell(segments_in(self.real))
        sources = {cell: recordings(segments) for cell, segments in sorted(unseen.items())}
        sources = {
            cell: count for cell, count in sources.items()
            if count >= FEWEST and recordings(known.get(cell, [])) >= FEWEST
        }  # fmt: skip
        if not sources:
            raise SystemExit(f"no action is in {FEWEST} clips of both {self.train} and {self.real}.")
        total = sum(count**0.5 for count in sources.values())
        shares = {cell: count**0.5 / total for cell, count in sources.items()}
        counts = {cell: max(round(self.samples * share), LEAST_PER_CELL) for cell, share in shares.items()}
        rng = np.random.default_rng(0)

        def made(truncation: float, **settings: Any) -> Clips:
            return made_clips(self.model, self.spec, counts, 1, truncation, **settings)

        def baseline(make: Callable[[Sequence[Segment], int, np.random.Generator], list[MotionClip]]) -> Clips:
            return Clips({cell: make(known[cell], count, rng) for cell, count in counts.items()})

        training = real_clips({cell: some_of(segments, TRAINING_SEGMENTS, rng) for cell, segments in known.items()})
        rows = {
            HELD_OUT: real_clips({cell: unseen[cell] for cell in shares}),
            TRAINING: Clips({cell: training.by_cell[cell] for cell in shares}),
            "model, truncation 1": made(1.0),
            MODEL: made(DEFAULT_TRUNCATION),
            "the same, feet not held": made(DEFAULT_TRUNCATION, **{"hold-feet": False}),
            "PCA and Gaussian of windows": baseline(gaussian_clips),
            "blends of two training clips": baseline(blended_clips),
        }
        return Comparison(sources, shares, training, rows)


@dataclass(frozen=True, eq=False)
class Comparison:
    """Rows of clips, and what they are compared with.

    Attributes:
        sources: number of held-out recordings of each cell.
        shares: weights of the cells, with a sum of 1.
        training: real clips of all cells, also of those that are not compared, because the classifier needs them.
        rows: clips by cell, by the row's name.
    """

    sources: Mapping[Cell, int]
    shares: Mapping[Cell, float]
    training: Clips
    rows: Mapping[str, Clips]

    def mean(self, values: Mapping[Cell, float]) -> float:
        """Return the weighted mean over cells; NaN values are left out."""
        weights = {cell: self.shares[cell] for cell, value in values.items() if np.isfinite(value)}
        return sum(values[cell] * w for cell, w in weights.items()) / sum(weights.values()) if weights else float("nan")

    def drawn(self, values: Mapping[Cell, NDArray], seed: int = 0) -> NDArray:
        """Draw about DRAWN entries (n, ...) of cells by their weights."""
        rng = np.random.default_rng(seed)
        return np.concatenate(
            [values[cell][rng.integers(0, len(values[cell]), round(DRAWN * w))] for cell, w in self.shares.items()]
        )

    @cached_property
    def held_out_halves(self) -> list[tuple[Windows, Windows]]:
        """References of held-out motion, and the rest of it."""
        return [self.rows[HELD_OUT].halves(np.random.default_rng(seed)) for seed in range(SPLITS)]

    @cached_property
    def training_halves(self) -> list[tuple[Windows, Windows]]:
        """References of training motion of all cells, and the rest of it."""
        return [self.training.halves(np.random.default_rng(seed)) for seed in range(SPLITS)]

    @cached_property
    def classifiers(self) -> list[tuple[ActionClassifier, Windows]]:
        """Two classifiers, each fitted to half of the training motion, with the other half."""
        first, second = self.training_halves[0]
        return [(ActionClassifier(first), second), (ActionClassifier(second), first)]

    @cached_property
    def training_windows(self) -> Features:
        """Windows of training motion of all cells."""
        return np.concatenate(list(self.training.features.values()))

    @cached_property
    def usual_jerk(self) -> tuple[float, float]:
        """5th and 95th percentile of the jerk of held-out motion."""
        low, high = np.percentile(self.drawn(each(self.rows[HELD_OUT], jerk)), [5, 95])
        return float(low), float(high)

    def frechet(self, name: str) -> tuple[float, float]:
        """Return the Frechet distances to halves of held-out and of training motion.

        They are relative to the variance of the references.
        """
        found = []
        for halves, same in ((self.held_out_halves, HELD_OUT), (self.training_halves, TRAINING)):
            distances = []
            for seed, (reference, rest) in enumerate(halves):
                row = rest if name == same else self.rows[name].features
                a, b = self.drawn(reference, seed), self.drawn(row, seed)
                distances.append(frechet_distance(a, b) / a.var(0).sum())
            found.append(float(np.mean(distances)))
        return found[0], found[1]

    def coverage(self, name: str) -> float:
        """Return the coverage of held-out motion (Naeem et al. 2020).

        Each row has as many windows of a cell as the other half of held-out motion.
        """
        found = []
        for seed, (reference, rest) in enumerate(self.held_out_halves):
            rng = np.random.default_rng(seed)
            row = rest if name == HELD_OUT else self.rows[name].features
            made = np.concatenate([rng.permutation(row[cell])[: len(rest[cell])] for cell in self.shares])
            real = np.concatenate([reference[cell] for cell in self.shares])
            covered = cdist(real, made).min(1) <= radius(real, NEIGHBOURS)
            found.append(self.mean(split_means(covered, reference)))
        return float(np.mean(found))

    def precision(self, name: str) -> float:
        """Return the share of windows that look like held-out motion (Kynkaanniemi et al. 2019)."""
        found = []
        for reference, rest in self.held_out_halves:
            row = rest if name == HELD_OUT else self.rows[name].features
            real, made = (np.concatenate([windows[cell] for cell in self.shares]) for windows in (reference, row))
            inside = np.any(cdist(made, real) <= radius(real, PRECISION_NEIGHBOURS), axis=1)
            found.append(self.mean(split_means(inside, row)))
        return float(np.mean(found))

    def diversity(self, name: str) -> dict[Cell, float]:
        """Return the mean distance between windows of each cell relative to that of training motion."""
        training = self.training.features
        return {cell: spread(f) / spread(training[cell]) for cell, f in self.rows[name].features.items()}

    def distances(self, name: str) -> dict[Cell, FloatArray]:
        """Return the distances of a row's windows to the nearest window of training motion."""
        return {cell: nearest_rows(self.training_windows, f)[0] for cell, f in self.rows[name].features.items()}

    def seen(self, name: str) -> dict[Cell, float]:
        """Return the share of windows of each cell in which the classifiers find the right action."""
        found = []
        for classifier, rest in self.classifiers:
            row = rest if name == TRAINING else self.rows[name].features
            found.append(classifier.seen({cell: row[cell] for cell in self.shares}))
        return {cell: float(np.mean([one[cell] for one in found])) for cell in self.shares}


def radius(points: Features, neighbours: int) -> FloatArray:
    """Return the distance (n,) from each point to its `neighbours`-th nearest other point."""
    return np.sort(cdist(points, points), axis=1)[:, neighbours]


def split_means(values: NDArray, windows: Windows) -> dict[Cell, float]:
    """Return the mean of each cell's part of the values for the windows of all cells."""
    ends = np.cumsum([len(rows) for rows in windows.values()])[:-1]
    return {cell: float(part.mean()) for cell, part in zip(windows, np.split(values, ends), strict=True)}


def spread(features: Features) -> float:
    """Return the mean distance between windows, of at most PAIRS."""
    return pairwise_distance(np.random.default_rng(0).permutation(features)[:PAIRS])


def each(row: Clips, measure: Callable[[MotionClip], float]) -> dict[Cell, FloatArray]:
    """Return a measure of all clips of each cell."""
    return {cell: np.array([measure(clip) for clip in clips]) for cell, clips in row.by_cell.items()}


def means(row: Clips, measure: Callable[[MotionClip], float]) -> dict[Cell, float]:
    """Return the mean of a measure over the clips of each cell; NaN where it is NaN for one of them."""
    return {cell: float(values.mean()) for cell, values in each(row, measure).items()}


def seam(clip: MotionClip) -> float:
    """Return the loop's seam, see `loop_seam`; NaN for other clips."""
    return loop_seam(clip) if clip.loop else float("nan")


def largest_gap(row: Clips) -> float:
    """Return the largest gap of all loops; NaN where there are none."""
    return max((loop_gap(clip)[0] for clips in row.by_cell.values() for clip in clips if clip.loop), default=np.nan)


def number(value: float, form: str) -> str:
    """Format a number; a dash for NaN."""
    return format(value, form) if np.isfinite(value) else "-"


def quality(bench: PosesBenchmark) -> bool:
    """Print all rows; return whether loops close and the model's feet slide no more than real ones."""
    comparison = bench.comparison
    held_out = ", ".join(f"{cell_name(cell)} {count}" for cell, count in comparison.sources.items())
    low, high = comparison.usual_jerk
    say(f"Held-out clips: {held_out}. Their jerk is {low:.0f} to {high:.0f} m/s^3.")
    usual = float(np.median(comparison.drawn(comparison.distances(HELD_OUT))))
    table, gaps, slides = [], [], {}
    for name, row in comparison.rows.items():
        gaps.append(largest_gap(row))
        slides[name] = comparison.mean(means(row, skating))
        distance, distance_train = comparison.frechet(name)
        near = np.median(comparison.drawn(comparison.distances(name))) / usual
        jerks = comparison.drawn(each(row, jerk))
        table.append(
            {
                "motion": name,
                "skating": f"{slides[name]:.1%}",
                "loop gap": number(gaps[-1], ".0e"),
                "seam": number(comparison.mean(means(row, seam)), ".2f"),
                "FD": f"{distance:.3f}",
                "FD train": f"{distance_train:.3f}",
                "coverage": f"{comparison.coverage(name):.0%}",
                "precision": f"{comparison.precision(name):.0%}",
                "diversity": f"{comparison.mean(comparison.diversity(name)):.2f}",
                "nearest": "-" if name == TRAINING else f"{near:.2f}",
                "jerk": f"{np.median(jerks):.0f} ({np.mean((jerks >= low) & (jerks <= high)):.0%})",
                "penetration": f"{1000 * comparison.mean(means(row, penetration)):.0f}",
                "bones": f"{1000 * max(values.max() for values in each(row, bone_length_error).values()):.3f}",
                "action seen": f"{comparison.mean(comparison.seen(name)):.0%}",
            }
        )
    print_table(table)
    return max(gap for gap in gaps if np.isfinite(gap)) < GAP_LIMIT and slides[MODEL] <= slides[TRAINING]


def actions(bench: PosesBenchmark) -> bool:
    """Print measures by cell, of real motion and of the model."""
    comparison = bench.comparison
    say(f"{HELD_OUT} / {TRAINING} / {MODEL}; a cell of held-out motion has too few windows for the other measures:")
    measures: dict[str, tuple[Callable[[str], Mapping[Cell, float]], str]] = {
        "skating": (lambda name: means(comparison.rows[name], skating), ".1%"),
        "diversity": (comparison.diversity, ".2f"),
        "nearest": (lambda name: {c: float(np.median(v)) for c, v in comparison.distances(name).items()}, ".2f"),
        "jerk": (lambda name: {c: float(np.median(v)) for c, v in each(comparison.rows[name], jerk).items()}, ".0f"),
        "action seen": (comparison.seen, ".0%"),
    }
    table: dict[Cell, dict[str, str]] = {cell: {"action": cell_name(cell)} for cell in comparison.shares}
    for title, (measure, form) in measures.items():
        found = [measure(name) for name in (HELD_OUT, TRAINING, MODEL)]
        for cell, line in table.items():
            line[title] = " / ".join(format(values[cell], form) for values in found)
    print_table(list(table.values()))
    return True


def cell_name(cell: Cell) -> str:
    """Return a cell's name, such as "walk, loop"."""
    return f"{cell[0]}, {'loop' if cell[1] else 'once'}"


def speed(bench: PosesBenchmark) -> bool:
    """Print clips per minute from seeds to files, and milliseconds per clip of each step."""
    request = GenerationRequest(model="poses", count=CLIPS, settings={"seconds": 2.0})
    plain = GenerationRequest(model="poses", count=CLIPS, settings={"seconds": 2.0, "hold-feet": False})
    clips = [clip for batch in generate_assets(bench.model, bench.spec, request) for clip in batch]
    exporters = {name: load_exporter(name) for name in EXPORTERS}
    options = {name: option_values(exporter.options, {}) for name, exporter in exporters.items()}

    def whole(name: str) -> None:
        with tempfile.TemporaryDirectory() as folder:
            for assets in generate_assets(bench.model, bench.spec, request):
                files = [exporters[name].export(asset, options[name]) for asset in assets]
                write_files(Path(folder), {name: content for one in files for name, content in one.items()})

    work: dict[str, Callable[[], object]] = {
        "held": lambda: list(generate_assets(bench.model, bench.spec, request)),
        "not held": lambda: list(generate_assets(bench.model, bench.spec, plain)),
        "network": lambda: undecoded(bench, request),
    }
    work |= {f"to {name}": lambda name=name: whole(name) for name in EXPORTERS}
    work |= {
        f"export {name}": lambda name=name: [exporters[name].export(clip, options[name]) for clip in clips]
        for name in EXPORTERS
    }
    for task in work.values():  # warms up
        task()
    turns = [{name: seconds_of(task) for name, task in work.items()} for _ in range(ROUNDS)]
    spent = {name: statistics.median(turn[name] for turn in turns) / CLIPS for name in work}
    say(f"{CLIPS} clips of 2 s, no preview, in batches of 8; median of {ROUNDS} rounds:")
    print_table([{"to": name, "clips a minute": f"{60 / spent[f'to {name}']:,.0f}"} for name in EXPORTERS])
    parts = {
        "noise maps and network": spent["network"],
        "decoding but for feet": spent["not held"] - spent["network"],
        "holding feet": spent["held"] - spent["not held"],
    } | {f"exporting {name}": spent[f"export {name}"] for name in EXPORTERS}
    print_table([{"part": name, "milliseconds a clip": f"{1000 * value:.1f}"} for name, value in parts.items()])
    return True


def undecoded(bench: PosesBenchmark, request: GenerationRequest) -> None:
    """Generate without decoding."""
    spec = replace(bench.spec, decode=lambda arrays, manifest, names, provenances, settings: list(names))
    list(generate_assets(bench.model, spec, request))


def seconds_of(work: Callable[[], object]) -> float:
    """Return the wall time of a call."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def sheet(bench: PosesBenchmark) -> bytes:
    """Return an animated WebP of sixteen seeds of each of SHEET's actions, all of 2 s."""
    clips = []
    for action, loop in SHEET:
        conditions = {"action": action, "loop": loop}
        request = GenerationRequest(model="poses", count=16, conditions=conditions, settings={"seconds": 2.0})
        made = [clip for batch in generate_assets(bench.model, bench.spec, request) for clip in batch]
        clips += [replace(clip, name=f"{action} {seed}") for seed, clip in enumerate(made, start=1)]
    return animated_sheet(clips, columns=8, size=108, fps=8)


SHEET = (("walk", 1.0), ("run", 1.0), ("jump", 0.0), ("punch", 0.0))
SECTIONS: dict[str, Callable[[PosesBenchmark], bool]] = {"quality": quality, "actions": actions, "speed": speed}


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", help="model file of poses")
    parser.add_argument("--train", type=Path, help="folder of the motion that it was trained on")
    parser.add_argument("--real", type=Path, help="folder of motion that it wasn't trained on")
    parser.add_argument("--only", default=",".join(SECTIONS), help="sections, with commas between them")
    parser.add_argument("--samples", type=int, default=480, help="clips of the model in a row, about")
    parser.add_argument("--threads", type=int, default=0, help="of onnxruntime; 0 takes all")
    parser.add_argument("--sheet", type=Path, help="animated picture to write instead")
    given = parser.parse_args()
    chosen = given.only.split(",")
    if unknown := set(chosen) - SECTIONS.keys():
        parser.error(f"there is no section {min(unknown)}; there are {', '.join(SECTIONS)}")
    if not given.sheet and set(chosen) != {"speed"} and not (given.train and given.real):
        parser.error("quality and actions need --train and --real")
    model = open_model(given.model, threads=given.threads or None)
    spec = load_generator(model.manifest.generator)
    check_generator(model, spec)
    bench = PosesBenchmark(model, spec, given.train, given.real, given.samples)
    if given.sheet:
        given.sheet.write_bytes(sheet(bench))
        return 0
    say(f"{model.path.name}, preset {model.manifest.training.preset}.")
    missed = [name for name in chosen if not SECTIONS[name](bench)]
    print(f"Limits missed: {', '.join(missed) or 'none'}.")
    return int(bool(missed))


if __name__ == "__main__":
    sys.exit(main())
