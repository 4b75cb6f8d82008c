"""Cases that run one after the other, each in a process of its own, and their results as lines of a file."""

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
from contender import Contender, clock_of, race
from images import DATA, Images
from judge import SAMPLES, Judge, grid

Make = Callable[[str, Images, str, int], Contender]
Result = dict[str, Any]

# One thread. Memory is kept for the next step: glibc hands large blocks back to the system each time, and attention
# spends a third of its time on getting them again.
KEEP_MEMORY = {
    "OMP_NUM_THREADS": "1",
    "MALLOC_MMAP_MAX_": "0",
    "MALLOC_TRIM_THRESHOLD_": str(2**33),
}


@dataclass(frozen=True)
class Case:
    """A contender on a data set: what a result is known by."""

    data: str
    contender: str
    seed: int
    seconds: float
    device: str

    def is_of(self, result: Result) -> bool:
        """Whether it is this case's."""
        return asdict(self).items() <= result.items()

    @property
    def picture(self) -> str:
        """File name of its samples."""
        return f"{self.data}-{re.sub(r'[^a-z0-9.]+', '-', self.contender)}-{self.seed}.png"


def command_line(usage: str, seconds: float, seeds: str, out: str) -> argparse.ArgumentParser:
    """Options that all comparisons have."""
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


def results_of(options: argparse.Namespace, contenders: Sequence[str], make: Make) -> list[Result]:
    """Results of a command line's cases; those that are missing are run first, unless only tables are wanted."""
    folders = {name: Path(folder) for name, _, folder in (given.partition("=") for given in options.data)}
    names = options.only.split(";") if options.only else list(contenders)
    cases = [
        Case(data, name, int(seed), options.seconds, options.device)
        for seed in options.seeds.split(",")
        for data in folders
        for name in names
    ]
    file = options.out / "results.jsonl"
    if options.one is not None:
        case = cases[options.one]
        result = run_case(case, DATA[case.data](folders[case.data]), make, options.out)
        with file.open("a", encoding="utf-8") as lines:
            lines.write(json.dumps(result) + "\n")
        sys.exit()
    options.out.mkdir(parents=True, exist_ok=True)
    for index, case in enumerate(cases if not options.tables else ()):
        if not any(map(case.is_of, read(file))):
            print(f"{index + 1} of {len(cases)}: {case}", flush=True)
            subprocess.run([sys.executable, *sys.argv, "--one", str(index)], env=os.environ | KEEP_MEMORY, check=False)
    return [result for result in read(file) if any(case.is_of(result) for case in cases)]


def read(file: Path) -> list[Result]:
    """Results that are there; the last line of a run that was killed may be half of one."""
    if not file.exists():
        return []
    lines = file.read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines if line.endswith("}")]


def run_case(case: Case, images: Images, make: Make, out: Path) -> Result:
    """Train, judge what comes out (of live and averaged weights the better, by distance), save a grid of samples."""
    torch.set_num_threads(1)
    ended = race(lambda: make(case.contender, images, case.device, case.seed), case.seconds, clock_of(case.device))
    samples = {weights: made.nan_to_num() for weights, made in ended.contender.samples(SAMPLES).items()}
    judge = Judge(images)
    measured = {weights: judge.measures(made) for weights, made in samples.items()}
    best = min(measured, key=lambda weights: measured[weights]["fd"])
    grid(samples[best]).save(out / case.picture)
    facts = {
        "images": len(images),
        "steps": ended.steps,
        "spent": round(ended.seconds, 1),
        "rate": round(ended.rate, 2),
        "parameters": ended.parameters,
        "precision_of_numbers": ended.contender.precision,
        "weights": best,
        "fd_of": {weights: values["fd"] for weights, values in measured.items()},
    }
    return asdict(case) | facts | measured[best]
