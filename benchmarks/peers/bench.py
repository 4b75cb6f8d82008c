"""Run the cases of a comparison, each in its own process, and store their results in a file."""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from contender import Contender, choose_clock, train_contender
from images import DATA, Images
from judge import SAMPLES, SampleJudge, draw_grid

BuildContender = Callable[[str, Images, str, int], Contender]
Result = dict[str, Any]

# Environment of a case: one thread, and freed memory is kept. By default, glibc returns large blocks to the system
# after each step, and attention spends a third of its time on getting them back.
ENVIRONMENT = {
    "OMP_NUM_THREADS": "1",
    "MALLOC_MMAP_MAX_": "0",
    "MALLOC_TRIM_THRESHOLD_": str(2**33),
}


@dataclass(frozen=True)
class PeerCase:
    """A contender on a data set; these fields identify its result."""

    data: str
    contender: str
    seed: int
    seconds: float
    device: str

    def matches(self, result: Result) -> bool:
        """Return whether a result belongs to this case."""
        return asdict(self).items() <= result.items()

    @property
    def picture(self) -> str:
        """Return the file name of the grid of samples."""
        return f"{self.data}-{re.sub(r'[^a-z0-9.]+', '-', self.contender)}-{self.seed}.png"


def comparison_parser(usage: str, seconds: float, seeds: str, out: str) -> argparse.ArgumentParser:
    """Define the options that all comparisons share."""
    parser = argparse.ArgumentParser(description=usage, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", nargs="+", metavar="DATA")
    parser.add_argument("--seconds", type=float, default=seconds)
    parser.add_argument("--seeds", default=seeds)
    parser.add_argument("--only", default="")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--out", type=Path, default=Path(out))
    parser.add_argument("--tables", action="store_true")
    parser.add_argument("--one", type=int, help=argparse.SUPPRESS)
    return parser


def collect_results(options: argparse.Namespace, contenders: Sequence[str], build: BuildContender) -> list[Result]:
    """Return the results of a command line's cases; run missing ones first, unless --tables is given."""
    folders = {name: Path(folder) for name, _, folder in (given.partition("=") for given in options.data)}
    names = options.only.split(";") if options.only else list(contenders)
    cases = [
        PeerCase(data, name, int(seed), options.seconds, options.device)
        for seed in options.seeds.split(",")
        for data in folders
        for name in names
    ]
    file = options.out / "results.jsonl"
    if options.one is not None:
        case = cases[options.one]
        result = run_case(case, DATA[case.data](folders[case.data]), build, options.out)
        with file.open("a", encoding="utf-8") as lines:
            lines.write(json.dumps(result) + "\n")
        sys.exit()
    options.out.mkdir(parents=True, exist_ok=True)
    for index, case in enumerate(cases if not options.tables else ()):
        if not any(map(case.matches, read_results(file))):
            print(f"{index + 1} of {len(cases)}: {case}", flush=True)
            subprocess.run([sys.executable, *sys.argv, "--one", str(index)], env=os.environ | ENVIRONMENT, check=False)
    return [result for result in read_results(file) if any(case.matches(result) for case in cases)]


def read_results(file: Path) -> list[Result]:
    """Read the stored results; a killed process may have left an incomplete last line."""
    if not file.exists():
        return []
    lines = file.read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines if line.endswith("}")]


def run_case(case: PeerCase, images: Images, build: BuildContender, out: Path) -> Result:
    """Train a contender, measure its samples, and save a grid of them.

    If it has live and averaged weights, those with the smaller distance count.
    """
    torch.set_num_threads(1)
    trained = train_contender(
        lambda: build(case.contender, images, case.device, case.seed), case.seconds, choose_clock(case.device)
    )
    samples = {weights: found.nan_to_num() for weights, found in trained.contender.samples(SAMPLES).items()}
    judge = SampleJudge(images)
    measured = {weights: judge.measures(found) for weights, found in samples.items()}
    best = min(measured, key=lambda weights: measured[weights]["fd"])
    draw_grid(samples[best]).save(out / case.picture)
    facts = {
        "images": len(images),
        "steps": trained.steps,
        "spent": round(trained.seconds, 1),
        "rate": round(trained.rate, 2),
        "parameters": trained.parameters,
        "precision_of_numbers": trained.contender.precision,
        "weights": best,
        "fd_of": {weights: values["fd"] for weights, values in measured.items()},
    }
    return asdict(case) | facts | measured[best]
