"""Compare ganassets with two packages from PyPI on the same images, at the same size, in the same time.

Usage: python benchmarks/peers/compare.py DATA... [--seconds S] [--seeds 1,2,3] [--only NAME;...] [--device cpu]
           [--out DIR] [--pictures DIR] [--tables]

DATA: portraits=FOLDER (any pictures, their middle squares), textures=FOLDER (random crops of FOLDER/*/albedo.*), heads
(skins that our own painter makes).

Each contender trains in its own process for the same seconds. On a CPU these are the seconds of its one thread, which
other programs hardly change; on a GPU they are wall-clock seconds. Results are lines of DIR/results.jsonl, with grids
of samples beside it; existing results are not repeated. Then tables are printed (with --tables, nothing else is done),
and --pictures gets one image of samples for each data set.

First install the packages in a folder of their own (benchmarks/peers/requirements.txt), and add it to PYTHONPATH.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence
from pathlib import Path

from bench import Result, collect_results, comparison_parser
from contender import Contender
from images import Images
from ours import Ours
from packages import LIGHTWEIGHT_NARROW, STYLE_NARROW, LightweightGan, StyleGan2
from results import draw_comparison, print_measures, print_table, select_results, values

OURS = "ganassets"
CONTENDERS: dict[str, Callable[[Images, str, int], Contender]] = {
    OURS: Ours,
    "lightweight-gan": LightweightGan,
    "lightweight-gan narrow": lambda *given: LightweightGan(*given, **LIGHTWEIGHT_NARROW),
    "stylegan2-pytorch": StyleGan2,
    "stylegan2-pytorch narrow": lambda *given: StyleGan2(*given, **STYLE_NARROW),
}
# Targets for our result divided by theirs: upper bounds of distances, and a lower bound of the speed.
MOST_OF_DEFAULT, MOST_OF_NARROW, LEAST_SPEED = 0.5, 0.8, 1.5


def build_contender(name: str, images: Images, device: str, seed: int) -> Contender:
    """Build a contender by its name."""
    return CONTENDERS[name](images, device, seed)


def print_ratios(results: Sequence[Result]) -> None:
    """Print our means divided by theirs, and whether they meet the targets."""
    rows = []
    for data in dict.fromkeys(result["data"] for result in results):
        for name in list(CONTENDERS)[1:]:
            ours, theirs = (select_results(results, data=data, contender=which) for which in (OURS, name))
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
    """Run missing cases, then print the tables."""
    parser = comparison_parser(__doc__ or "", 150, "1,2,3", "runs/peers")
    parser.add_argument("--pictures", type=Path)
    options = parser.parse_args()
    order = list(CONTENDERS)
    results = sorted(
        collect_results(options, order, build_contender), key=lambda r: (r["data"], order.index(r["contender"]))
    )
    print_measures(results)
    print_ratios(results)
    for data in dict.fromkeys(result["data"] for result in results if options.pictures):
        draw_comparison(results, data, options.out).quantize(128).save(options.pictures / f"peers-{data}.png")


if __name__ == "__main__":
    main()
