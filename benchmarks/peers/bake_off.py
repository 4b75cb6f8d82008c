"""Compare settings of our training on the same images, at the same size, in the same time.

Usage: python benchmarks/peers/bake_off.py DATA... [--seconds S] [--seeds 1,2] [--only NAME;...] [--device cpu]
           [--out DIR] [--tables]

DATA, times and results are the same as in compare.py. Each row changes one setting of the preset "as it is". Rows are
ordered by mean distance. A difference from "as it is" that is not larger than the differences between seeds shows
nothing.
"""

from __future__ import annotations

import statistics
from typing import Any

from bench import collect_results, comparison_parser
from contender import Contender
from images import Images
from ours import Ours
from results import by_contender, print_measures, values

# The way before learned codes: networks that add to a linear model, and an adversary that starts untrained.
FROM_LINEAR = {
    "codes": 0,
    "regression": 0.0,
    "batch": 8,
    "width": 16,
    "w_dim": 96,
    "gamma": 300.0,
    "learning_rate": 4e-4,
}
# Fields that differ from the generator's own preset.
CHOICES: dict[str, dict[str, Any]] = {
    "as it is": {},
    "linear model and RpGAN": FROM_LINEAR,
    "linear model alone": {**FROM_LINEAR, "learning_rate": 0.0},
    "reproduction alone": {"regression": 1.0},
    "no reproduction first": {"regression": 0.0},
    "no features": {"feature_weight": 0.0},
    "no matching": {"matching_weight": 0.0},
    "no adversary": {"adversarial_weight": 0.0},
    "adversary 0.3": {"adversarial_weight": 0.3},
    "no augmentation": {"augmentation": 0.0},
    "codes of 16": {"w_dim": 32},
    "width 12": {"width": 12},
    "batch 20": {"batch": 20},
    "learning rate 0.001": {"learning_rate": 1e-3},
}


def build_contender(name: str, images: Images, device: str, seed: int) -> Contender:
    """Build our training with one of the choices."""
    return Ours(images, device, seed, **CHOICES[name])


def main() -> None:
    """Run missing cases, then print the tables."""
    results = collect_results(
        comparison_parser(__doc__ or "", 90, "1,2", "runs/bake-off").parse_args(), list(CHOICES), build_contender
    )
    mean = {
        (data, name): statistics.mean(values(some, "fd"))
        for data in dict.fromkeys(result["data"] for result in results)
        for name, some in by_contender(results, data)
    }
    print_measures(sorted(results, key=lambda result: (result["data"], mean[result["data"], result["contender"]])))


if __name__ == "__main__":
    main()
