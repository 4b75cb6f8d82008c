"""What a model of poses is worth against real motion: feet, seams, likeness, variety, actions, speed.

Usage: python benchmarks/poses.py MODEL --train DIR --real DIR [--only quality,actions,speed] [--samples N]

DIR are folders of motion as `ganassets train poses` reads them: what the model was trained on, and what it wasn't.
Sections, each with a markdown table:
  quality  real motion, the model, a linear model of windows, and blends of training clips
  actions  the same measures of each action, of held-out motion and of the model
  speed    clips a minute to BVH and GLB, and where the time goes (needs no folders)

Compared are cells: an action, loops apart from what happens once, of which at least two clips were held out. Cells
weigh the same in every row: the root of how many held-out clips they have, as in training. Loops last about 2 s, what
happens once as long as it takes. Motions other than steps are the right-handed ones in all rows.

Columns:
  skating      share of the frames with a foot on the ground in which it slides
  loop gap     largest difference of a pose (radians, metres) between a loop's first and last frame
  seam         change of movement there by that between other frames, mean; 1 is no seam
  FD           Frechet distance of windows of 32 frames on motion_features, as a share of the reference's variance;
               FD train: the same against training motion
  coverage     share of the reference's windows that have one of this row nearer than their own fifth neighbour
  precision    share of this row's windows that are nearer to one of the reference than that one's third neighbour
  diversity    mean distance between windows of a cell by the same of training motion
  nearest      median distance to the nearest window of training motion by that of held-out motion; < 1 hints at copies
  jerk         median in m/s^3, and the share of clips within the 5th to 95th percentile of held-out motion
  penetration  millimetres that feet go below the ground at most, mean
  bones        millimetres by which bones stretch at most
  action seen  share of windows whose action a kernel classifier sees, among all those that training motion shows; of
               training motion clips that it didn't learn from

References are halves of the held-out clips (of FD train: of the training clips), of each cell as many, drawn several
times; the row of the same motion is always the other half. As many windows count for coverage in every row as the other
half has. Little motion is held out, so its halves differ: the row of training motion, which is no part of the
reference, says what a perfect model would reach. Exits with 1 when a limit is missed: loop gaps, and skating of the
model beyond that of training motion.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import textwrap
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from motion_samples import (
    ActionClassifier,
    Cell,
    Clips,
    blended_clips,
    by_cell,
    gaussian_clips,
    made_clips,
    real_clip,
    seam,
    some_of,
    units_in,
)
from numpy.typing import NDArray
from scipy.spatial.distance import cdist

from ganassets.assets import MotionClip
from ganassets.cli.generate import export_assets, write_assets
from ganassets.evaluation.measures import Features, frechet_distance, pairwise_distance
from ganassets.generation import DEFAULT_TRUNCATION, Request, generate
from ganassets.model import Model, check_plugin, open_model
from ganassets.motion.measures import (
    bone_length_error,
    jerk,
    loop_gap,
    motion_features,
    nearest,
    penetration,
    skating,
)
from ganassets.options import option_values
from ganassets.plugins import load_exporter, load_generator
from ganassets.spec import GeneratorSpec
from ganassets_poses.units import Unit

FloatArray = NDArray[np.float64]

FEWEST = 2  # held-out clips that a cell needs
LEAST_PER_CELL = 8  # clips made
TRAINING_CLIPS = 200  # of a cell that distances, diversity and the classifier are measured with
SPLITS = 8
DRAWN = 4096  # windows that stand for a row, its cells weighing as they should
PAIRS = 400  # windows of a cell whose distances are compared
NEIGHBOURS, PRECISION_NEIGHBOURS = 5, 3
GAP_LIMIT = 1e-4
CLIPS, ROUNDS = 128, 3  # for speed
EXPORTERS = ("bvh", "gltf")
HELD_OUT, TRAINING, MODEL = "real, held out", "real, training", f"model, truncation {DEFAULT_TRUNCATION:g}"
Table = dict[str, dict[str, str]]


@dataclass(frozen=True)
class Bench:
    """What all sections share."""

    model: Model
    spec: GeneratorSpec
    train: Path | None
    real: Path | None
    samples: int

    @cached_property
    def comparison(self) -> Comparison:
        """All rows of clips, made once."""
        assert self.train is not None and self.real is not None
        return Comparison(self)


class Comparison:
    """Rows of clips, and what they are measured with.

    Attributes:
        shares: of each cell, which sum to 1.
        rows: by name.
    """

    def __init__(self, bench: Bench) -> None:
        assert bench.train is not None and bench.real is not None
        rng = np.random.default_rng(0)
        training, self.held_out = by_cell(units_in(bench.train)), by_cell(units_in(bench.real))
        sources = {cell: len({unit.source for unit in units}) for cell, units in self.held_out.items()}
        cells = sorted(cell for cell, count in sources.items() if count >= FEWEST and cell in training)
        if not cells:
            raise SystemExit(f"{bench.real} holds no action, of those trained, in {FEWEST} clips.")
        roots = {cell: sources[cell] ** 0.5 for cell in cells}
        self.shares = {cell: root / sum(roots.values()) for cell, root in roots.items()}
        self.sources = {cell: sources[cell] for cell in cells}
        counts = {cell: max(round(bench.samples * share), LEAST_PER_CELL) for cell, share in self.shares.items()}
        # All actions may be mistaken for each other, also those that aren't compared.
        self.known = {
            cell: [real_clip(unit) for unit in some_of(units, TRAINING_CLIPS, rng)] for cell, units in training.items()
        }
        self.known_features = {cell: motion_features(clips) for cell, clips in self.known.items()}
        made = lambda *given, **settings: made_clips(bench.model, bench.spec, counts, 1, *given, **settings)  # noqa: E731
        baseline = lambda make: Clips({cell: make(training[cell], counts[cell], rng) for cell in cells})  # noqa: E731
        self.rows = {
            HELD_OUT: Clips({cell: [real_clip(unit) for unit in self.held_out[cell]] for cell in cells}),
            TRAINING: Clips({cell: self.known[cell] for cell in cells}),
            "model, truncation 1": made(1.0),
            MODEL: made(DEFAULT_TRUNCATION),
            "- its feet not held": made(DEFAULT_TRUNCATION, **{"hold-feet": False}),
            "PCA and Gaussian of windows": baseline(gaussian_clips),
            "blends of two training clips": baseline(blended_clips),
        }

    @cached_property
    def known_windows(self) -> Features:
        """Windows of training motion, of all cells."""
        return np.concatenate(list(self.known_features.values()))

    @cached_property
    def classifier(self) -> Discriminant:
        """Tells actions apart, by the index of actions.NAMES that there are."""
        labels = [np.full(len(rows), self.label(cell)) for cell, rows in self.known_features.items()]
        return shrunk(self.known_windows, np.concatenate(labels))

    def label(self, cell: Cell) -> int:
        """What the classifier calls an action."""
        present = sorted({action for action, _ in self.known_features})
        return present.index(cell[0])

    def mean(self, values: Mapping[Cell, float]) -> float:
        """Of cells that weigh as they should; NaN of a cell is left out."""
        weights = {cell: self.shares[cell] for cell, value in values.items() if np.isfinite(value)}
        total = sum(weights.values())
        return sum(values[cell] * weight for cell, weight in weights.items()) / total if total else float("nan")

    def drawn(self, values: Mapping[Cell, NDArray], seed: int = 0) -> NDArray:
        """(about DRAWN, ...) rows of cells, repeated so that these weigh as they should."""
        rng = np.random.default_rng(seed)
        parts = [rows[rng.integers(0, len(rows), round(DRAWN * self.shares[cell]))] for cell, rows in values.items()]
        return np.concatenate(parts)

    @cached_property
    def halves(self) -> list[tuple[Clips, Clips]]:
        """Reference and the other half of the held-out motion: of each cell half of the clips it is of."""
        found = []
        for seed in range(SPLITS):
            rng = np.random.default_rng(seed)
            first: dict[Cell, list[MotionClip]] = {}
            second: dict[Cell, list[MotionClip]] = {}
            for cell in self.shares:
                units, clips = self.held_out[cell], self.rows[HELD_OUT].by_cell[cell]
                chosen = half_of(units, rng)
                first[cell] = [clip for clip, unit in zip(clips, units, strict=True) if unit.source in chosen]
                second[cell] = [clip for clip, unit in zip(clips, units, strict=True) if unit.source not in chosen]
            found.append((Clips(first), Clips(second)))
        return found

    @cached_property
    def jerks(self) -> tuple[float, float]:
        """5th and 95th percentile of held-out motion."""
        values = {cell: np.array([jerk(clip) for clip in clips]) for cell, clips in self.rows[HELD_OUT].by_cell.items()}
        low, high = np.percentile(self.drawn(values), [5, 95])
        return float(low), float(high)

    def likeness(self, name: str) -> tuple[float, float, float]:
        """FD, coverage and precision against halves of held-out motion, mean of all of these."""
        found = []
        for seed, (reference, other) in enumerate(self.halves):
            row = other if name == HELD_OUT else self.rows[name]
            found.append(
                (
                    self.frechet(reference.features, row.features, seed),
                    self.coverage(reference.features, row.features, other.features, seed),
                    self.precision(reference.features, row.features),
                )
            )
        distance, covered, precise = np.mean(found, 0)
        return float(distance), float(covered), float(precise)

    def frechet(self, reference: Mapping[Cell, Features], row: Mapping[Cell, Features], seed: int) -> float:
        """As a share of the reference's variance."""
        a, b = self.drawn(reference, seed), self.drawn(row, seed)
        return frechet_distance(a, b) / float(a.var(0).sum())

    def coverage(
        self,
        reference: Mapping[Cell, Features],
        row: Mapping[Cell, Features],
        other: Mapping[Cell, Features],
        seed: int,
    ) -> float:
        """Naeem et al. 2020, with as many windows of each cell of the row as `other` has (or all it has)."""
        rng = np.random.default_rng(seed)
        made = np.concatenate([rows[rng.permutation(len(rows))[: len(other[cell])]] for cell, rows in row.items()])
        real = np.concatenate(list(reference.values()))
        radii = radius(real, real, NEIGHBOURS)
        covered = cdist(real, made).min(1) <= radii
        return self.mean(split_means(covered, reference))

    def precision(self, reference: Mapping[Cell, Features], row: Mapping[Cell, Features]) -> float:
        """Kynkaanniemi et al. 2019."""
        real, made = (np.concatenate(list(part.values())) for part in (reference, row))
        inside = (cdist(made, real) <= radius(real, real, PRECISION_NEIGHBOURS)).any(1)
        return self.mean(split_means(inside, row))

    def diversity(self, row: Clips) -> dict[Cell, float]:
        """Mean distance between windows of a cell by that of training motion."""
        return {cell: spread(features) / spread(self.known_features[cell]) for cell, features in row.features.items()}

    def distances(self, row: Clips) -> dict[Cell, FloatArray]:
        """Of a row's windows to the nearest window of training motion."""
        return {cell: nearest(self.known_windows, features)[0] for cell, features in row.features.items()}

    def recognised(self, row: Clips) -> dict[Cell, float]:
        """Share of windows whose action is seen."""
        return {
            cell: float((self.classifier(features) == self.label(cell)).mean())
            for cell, features in row.features.items()
        }


def half_of(units: Sequence[Unit], rng: np.random.Generator) -> set[str]:
    """Half of the clips that units are of; the odd one by chance."""
    sources = sorted({unit.source for unit in units})
    count = (len(sources) + int(rng.integers(2))) // 2
    return set(rng.permutation(sources)[:count].tolist())


def radius(centres: Features, points: Features, neighbours: int) -> FloatArray:
    """(n,) distance from each centre to its nearest points but itself, the last of so many."""
    return np.sort(cdist(centres, points), axis=1)[:, neighbours]


def split_means(values: NDArray, lengths: Mapping[Cell, Features]) -> dict[Cell, float]:
    """Means over each cell's part of the rows of all cells, one after the other."""
    ends = np.cumsum([len(rows) for rows in lengths.values()])[:-1]
    return {cell: float(part.mean()) for cell, part in zip(lengths, np.split(values, ends), strict=True)}


def spread(features: Features) -> float:
    """Mean distance between windows, of no more than PAIRS."""
    return pairwise_distance(np.random.default_rng(0).permutation(features)[:PAIRS])


def clip_means(row: Clips, measure: Callable[[MotionClip], float]) -> dict[Cell, float]:
    """Mean of a measure over the clips of each cell."""
    return {cell: float(np.mean([measure(clip) for clip in clips])) for cell, clips in row.by_cell.items()}


def worst(row: Clips, measure: Callable[[MotionClip], float], loops_only: bool = False) -> float:
    """Largest value of a measure over all clips, or all loops; NaN where there are none."""
    return max(
        (measure(c) for clips in row.by_cell.values() for c in clips if c.loop or not loops_only), default=np.nan
    )


def say(text: str) -> None:
    """A paragraph."""
    print(textwrap.fill(text, 100), end="\n\n", flush=True)


def print_table(rows: Sequence[dict[str, str]]) -> None:
    """Markdown of rows by column."""
    for row in (rows[0], ["---"] * len(rows[0]), *(row.values() for row in rows)):
        print(f"| {' | '.join(row)} |")
    print(flush=True)


def number(value: float, form: str) -> str:
    """Text of a number, a dash for none."""
    return format(value, form) if np.isfinite(value) else "-"


def quality(bench: Bench) -> bool:
    """All rows; passed when loops close and the model's feet slide no more than real ones."""
    comparison = bench.comparison
    parts = ", ".join(
        f"{action} {'loop' if loop else 'once'} {count}" for (action, loop), count in comparison.sources.items()
    )
    say(f"Held-out clips: {parts}. Jerk of held-out motion: {comparison.jerks[0]:.0f} to {comparison.jerks[1]:.0f}.")
    rows, gaps, slides = [], [], {}
    base = float(np.median(comparison.drawn(comparison.distances(comparison.rows[HELD_OUT]))))
    for name, row in comparison.rows.items():
        distance, covered, precise = comparison.likeness(name)
        jerks = comparison.drawn({c: np.array([jerk(clip) for clip in clips]) for c, clips in row.by_cell.items()})
        low, high = comparison.jerks
        gap, slides[name] = worst(row, lambda clip: loop_gap(clip)[0], True), comparison.mean(clip_means(row, skating))
        gaps.append(gap)
        near = float("nan") if name == TRAINING else np.median(comparison.drawn(comparison.distances(row))) / base
        seams = {
            c: float(np.mean([seam(clip) for clip in clips if clip.loop] or np.nan)) for c, clips in row.by_cell.items()
        }
        rows.append(
            {
                "motion": name,
                "skating": f"{slides[name]:.1%}",
                "loop gap": number(gap, ".0e"),
                "seam": number(comparison.mean(seams), ".2f"),
                "FD": f"{distance:.3f}",
                "coverage": f"{covered:.0%}",
                "precision": f"{precise:.0%}",
                "diversity": f"{comparison.mean(comparison.diversity(row)):.2f}",
                "nearest": number(float(near), ".2f"),
                "jerk": f"{np.median(jerks):.0f} ({np.mean((jerks >= low) & (jerks <= high)):.0%})",
                "penetration": f"{1000 * comparison.mean(clip_means(row, penetration)):.0f}",
                "bones": f"{1000 * worst(row, bone_length_error):.3f}",
                "action seen": f"{comparison.mean(comparison.recognised(row)):.0%}",
            }
        )
    print_table(rows)
    closed = all(not np.isfinite(gap) or gap < GAP_LIMIT for gap in gaps)
    return closed and slides[MODEL] <= slides[HELD_OUT]


def actions(bench: Bench) -> bool:
    """Measures by cell, of held-out motion and of the model."""
    comparison = bench.comparison
    real, made = comparison.rows[HELD_OUT], comparison.rows[MODEL]
    say(f"By action: held-out motion / {MODEL}. FD is left out, as a cell of held-out motion has too few windows:")
    slides, diverse, seen, sinks, shaken = (
        [measure(row) for row in (real, made)]
        for measure in (
            lambda row: clip_means(row, skating),
            comparison.diversity,
            comparison.recognised,
            lambda row: clip_means(row, penetration),
            lambda row: {c: float(np.median([jerk(clip) for clip in clips])) for c, clips in row.by_cell.items()},
        )
    )
    near = [{c: float(np.median(v)) for c, v in comparison.distances(row).items()} for row in (real, made)]
    print_table(
        [
            {
                "action": f"{cell[0]}, {'loop' if cell[1] else 'once'}",
                "skating": " / ".join(f"{values[cell]:.1%}" for values in slides),
                "diversity": " / ".join(f"{values[cell]:.2f}" for values in diverse),
                "nearest": f"{near[1][cell] / near[0][cell]:.2f}",
                "jerk": " / ".join(f"{values[cell]:.0f}" for values in shaken),
                "penetration": " / ".join(f"{1000 * values[cell]:.0f}" for values in sinks),
                "action seen": " / ".join(f"{values[cell]:.0%}" for values in seen),
            }
            for cell in comparison.shares
        ]
    )
    return True


def speed(bench: Bench) -> bool:
    """Clips a minute from seeds to files, and milliseconds a clip of each part."""
    chosen = option_values(bench.spec.settings, {}) | {"seconds": 2.0}
    request = Request(range(1, CLIPS + 1), settings=chosen)
    plain = Request(range(1, CLIPS + 1), settings=chosen | {"hold-feet": False})
    clips = [clip for batch in generate(bench.model, bench.spec, request) for clip in batch]
    exporters = {name: load_exporter(name) for name in EXPORTERS}
    options = {name: option_values(exporter.options, {}) for name, exporter in exporters.items()}

    def whole(name: str) -> None:
        with tempfile.TemporaryDirectory() as folder:
            write_assets(bench.model, bench.spec, request, exporters[name], options[name], Path(folder), False, 0)

    work: dict[str, Callable[[], object]] = {
        "held": lambda: list(generate(bench.model, bench.spec, request)),
        "not held": lambda: list(generate(bench.model, bench.spec, plain)),
        "network": lambda: undecoded(bench, plain),
    }
    work |= {f"to {name}": lambda name=name: whole(name) for name in EXPORTERS}
    work |= {
        f"export {name}": lambda name=name: export_assets(exporters[name], clips, options[name]) for name in EXPORTERS
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


def undecoded(bench: Bench, request: Request) -> None:
    """All that generate does before the decoder."""
    from dataclasses import replace

    list(generate(bench.model, replace(bench.spec, decode=lambda arrays, *rest: []), request))


def seconds_of(work: Callable[[], object]) -> float:
    """Wall time."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


SECTIONS: dict[str, Callable[[Bench], bool]] = {"quality": quality, "actions": actions, "speed": speed}


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", help="model file of poses")
    parser.add_argument("--train", type=Path, help="folder of the motion that it was trained on")
    parser.add_argument("--real", type=Path, help="folder of motion that it wasn't trained on")
    parser.add_argument("--only", default=",".join(SECTIONS), help="sections, with commas between them")
    parser.add_argument("--samples", type=int, default=480, help="clips of the model in a row, about")
    parser.add_argument("--threads", type=int, default=0, help="of onnxruntime; 0 takes all")
    given = parser.parse_args()
    chosen = given.only.split(",")
    if unknown := set(chosen) - SECTIONS.keys():
        parser.error(f"there is no section {min(unknown)}; there are {', '.join(SECTIONS)}")
    if set(chosen) != {"speed"} and not (given.train and given.real):
        parser.error("quality and actions need --train and --real")
    model = open_model(given.model, threads=given.threads or None)
    spec = load_generator(model.manifest.generator)
    check_plugin(model, spec)
    bench = Bench(model, spec, given.train, given.real, given.samples)
    say(f"{model.path.name}, preset {model.manifest.training.preset}.")
    missed = [name for name in chosen if not SECTIONS[name](bench)]
    print(f"Limits missed: {', '.join(missed) or 'none'}.")
    return int(bool(missed))


if __name__ == "__main__":
    sys.exit(main())
