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

# Fields that differ from the generator's own preset. "Pairs" are real samples with fakes of the same latents. Where the
# linear model reproduces all of the data, both are the same, and nothing can be learnt from pairs.
CHOICES: dict[str, dict[str, Any]] = {
    "as it is": {},
    "rates of 0 (the start)": {"learning_rate": 0.0, "regression_rate": 0.0},
    "no regression, no pairs": {"regression": 0.0, "regression_weight": 0.0},
    "always pairs": {"paired": 1.0},
    "gamma 200": {"gamma": 200.0},
    "gamma 2": {"gamma": 2.0},
    "augmentation up to 0.5": {"augmentation": 0.5},
    "penalty every step": {"penalty_interval": 1},
    "penalty every 16 steps": {"penalty_interval": 16},
    "non-saturating loss": {"objective": "nonsaturating"},
    "minimax loss": {"objective": "minimax"},
    "8 components": {"components": 8},
    "128 components": {"components": 128},
    "clusters": {"clusters": 16, "z_dim": 144},
    "width 8": {"width": 8, "max_width": 64},
    "width 24": {"width": 24},
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
