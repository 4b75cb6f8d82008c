"""Our own choices against each other: the same pictures, size and time, one thing changed at a time.

Usage: python benchmarks/peers/bake_off.py DATA... [--seconds S] [--seeds 1,2] [--only NAME;...] [--device cpu]
           [--out DIR] [--tables]

DATA, times and results are those of compare.py. Rows are ordered by mean distance; a change that doesn't beat "as it
is" by more than the two differ between seeds has not been shown to be one for the better.
"""

from __future__ import annotations

import statistics
from typing import Any

from bench import command_line, results_of
from contender import Contender
from images import Images
from ours import Ours
from tell import by_contender, print_measures, values

# Fields of the preset that differ from the generator's own. Pairs are samples with fakes of the same latents: where the
# linear model holds all of the data, these are the samples themselves, and nothing can be learnt from them.
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


def make(name: str, images: Images, device: str, seed: int) -> Contender:
    """Our training with one of the choices."""
    return Ours(images, device, seed, **CHOICES[name])


def main() -> None:
    """Run what is missing, then print the tables."""
    results = results_of(command_line(__doc__ or "", 90, "1,2", "runs/bake-off").parse_args(), list(CHOICES), make)
    mean = {
        (data, name): statistics.mean(values(some, "fd"))
        for data in dict.fromkeys(result["data"] for result in results)
        for name, some in by_contender(results, data)
    }
    print_measures(sorted(results, key=lambda result: (result["data"], mean[result["data"], result["contender"]])))


if __name__ == "__main__":
    main()
