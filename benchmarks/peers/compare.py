"""Our training against two packages from PyPI: the same images, size and time.

Usage: python benchmarks/peers/compare.py DATA... [--seconds S] [--seeds 1,2,3] [--only NAME;...] [--device cpu]
           [--out DIR] [--pictures DIR] [--tables]

DATA: portraits=FOLDER (any pictures, their middle squares), textures=FOLDER (random crops of FOLDER/*/albedo.*), heads
(skins that our own painter makes).

Every contender trains in a process of its own for the same seconds: on a CPU those of its one thread as the system
counts them, which what else runs on the machine hardly changes; on a GPU those on the wall. Results are lines of
DIR/results.jsonl, grids of samples lie beside it; what is there already is not run again. Then tables are printed
(--tables: nothing else is done), and --pictures gets one picture of samples for each data set.

Install the packages apart first (benchmarks/peers/requirements.txt) and name their folder in PYTHONPATH.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence
from pathlib import Path

from bench import Result, command_line, results_of
from contender import Contender
from images import Images
from ours import Ours
from packages import LIGHTWEIGHT_NARROW, STYLE_NARROW, LightweightGan, StyleGan2
from tell import comparison, of, print_measures, print_table, values

OURS = "ganassets"
CONTENDERS: dict[str, Callable[[Images, str, int], Contender]] = {
    OURS: Ours,
    "lightweight-gan": LightweightGan,
    "lightweight-gan narrow": lambda *given: LightweightGan(*given, **LIGHTWEIGHT_NARROW),
    "stylegan2-pytorch": StyleGan2,
    "stylegan2-pytorch narrow": lambda *given: StyleGan2(*given, **STYLE_NARROW),
}
# Ours by theirs: at most for distances, at least for speed.
MOST_OF_DEFAULT, MOST_OF_NARROW, LEAST_SPEED = 0.5, 0.8, 1.5


def make(name: str, images: Images, device: str, seed: int) -> Contender:
    """A contender by its name."""
    return CONTENDERS[name](images, device, seed)


def print_ratios(results: Sequence[Result]) -> None:
    """Ours by each of theirs, seed by seed, with what was aimed at."""
    rows = []
    for data in dict.fromkeys(result["data"] for result in results):
        for name in list(CONTENDERS)[1:]:
            ours, theirs = of(results, data=data, contender=OURS), of(results, data=data, contender=name)
            if not (ours and theirs):
                continue
            mean = {key: [statistics.mean(values(some, key)) for some in (ours, theirs)] for key in ("fd", "rate")}
            distance, speed = (mean[key][0] / mean[key][1] for key in ("fd", "rate"))
            narrow = name.endswith("narrow")
            most = MOST_OF_NARROW if narrow else MOST_OF_DEFAULT
            rows.append(
                {
                    "data": data,
                    "ours by": name,
                    "FD": f"{distance:.2f}",
                    "at most": f"{most} {'met' if distance <= most else 'missed'}",
                    "images/s": f"{speed:.1f}",
                    "at least": f"{LEAST_SPEED} {'met' if speed >= LEAST_SPEED else 'missed'}" if narrow else "",
                }
            )
    if rows:
        print_table(rows)


def main() -> None:
    """Run what is missing, then print the tables."""
    parser = command_line(__doc__ or "", 150, "1,2,3", "runs/peers")
    parser.add_argument("--pictures", type=Path)
    options = parser.parse_args()
    order = list(CONTENDERS)
    results = sorted(results_of(options, order, make), key=lambda r: (r["data"], order.index(r["contender"])))
    print_measures(results)
    print_ratios(results)
    for data in dict.fromkeys(result["data"] for result in results if options.pictures):
        comparison(results, data, options.out).quantize(128).save(options.pictures / f"peers-{data}.png")


if __name__ == "__main__":
    main()
