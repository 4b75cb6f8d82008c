"""Generate thousands of assets in one batch that is killed and resumed, and print cost and memory over time.

Usage: python benchmarks/soak.py FOLDER [--materials N] [--heads N] [--clips N] [--size N] [--kills N] [--check]

Runs `ganassets batch` for materials as GLB, heads as GLB and clips as VRMA, and kills and resumes it at regular
intervals. Twice a second, it measures how many assets are in the index, and the memory of all processes (proportional
set size, in which shared memory counts once). Prints markdown tables with cost and peak memory for parts of each job.
--check validates every GLB and VRMA with the Khronos validator (npm packages of tests/real/web).
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import psutil
from tables import print_table, say

INTERVAL = 0.5  # seconds between measurements
MAX_PARTS, MIN_PART = 10, 250  # parts of each job; assets in a part
# Number of files in one call of the validator.
FILES_PER_CALL = 500
VALIDATOR = Path(__file__).parents[1] / "tests" / "real" / "web"


@dataclass(frozen=True)
class SoakSample:
    """A measurement.

    Attributes:
        seconds: running time, without the pauses between a kill and the next start.
        assets: number of assets in the index.
        mebibytes: memory of all processes.
    """

    seconds: float
    assets: int
    mebibytes: float


def jobs_of(args: argparse.Namespace) -> str:
    """Content of the file of jobs."""
    return f"""
[[job]]
title = "materials"
model = "textures"
count = {args.materials}
size = {args.size}
to = "gltf"
folder = "materials"
[[job]]
title = "heads"
model = "faces"
count = {args.heads}
folder = "heads"
[[job]]
title = "clips"
model = "poses"
count = {args.clips}
to = "vrma"
folder = "clips"
"""


def memory_of(process: psutil.Process) -> float:
    """Memory of a process and its descendants in MiB."""
    total = 0
    for one in (process, *process.children(recursive=True)):
        try:
            total += one.memory_full_info().pss
        except (psutil.Error, AttributeError):
            continue
    return total / 2**20


def count_assets(out: Path, known: tuple[int, int]) -> tuple[int, int]:
    """Count the assets in the index.

    Args:
        out: folder of the batch.
        known: result of the last call, from which to continue.

    Returns:
        Number of bytes read, number of assets.
    """
    at, count = known
    index = out / "index.jsonl"
    if index.exists():
        with index.open("rb") as file:
            file.seek(at)
            for line in file:
                if not line.endswith(b"\n"):
                    break
                at += len(line)
                count += line.startswith(b'{"name"')
    return at, count


def soak(out: Path, jobs: Path, total: int, kills: int) -> list[SoakSample]:
    """Run the batch to its end, and kill it at regular intervals on the way."""
    moments: list[SoakSample] = []
    seconds, known, code = 0.0, (0, 0), None
    for stop in [total * (k + 1) // (kills + 1) for k in range(kills)] + [total + 1]:
        process = psutil.Popen([sys.executable, "-m", "ganassets", "batch", str(jobs), "-o", str(out), "--no-preview"])
        started = time.monotonic()
        while process.poll() is None:
            time.sleep(INTERVAL)
            known = count_assets(out, known)
            moments.append(SoakSample(seconds + time.monotonic() - started, known[1], memory_of(process)))
            if known[1] >= stop:
                process.kill()
                process.wait()
                say(f"Killed at {known[1]:,} assets.")
        seconds += time.monotonic() - started
        code = process.returncode
    assert code == 0
    return moments


def curve(moments: list[SoakSample], title: str, first: int, last: int) -> list[dict[str, str]]:
    """Table rows with the cost and memory of each part of a job."""
    rows = []
    parts = max(1, min(MAX_PARTS, (last - first) // MIN_PART))
    for k in range(parts):
        low, high = (first + (last - first) * part // parts for part in (k, k + 1))
        within = [moment for moment in moments if low <= moment.assets <= high]
        if len(within) > 1 and within[-1].assets > within[0].assets:
            cost = 1000 * (within[-1].seconds - within[0].seconds) / (within[-1].assets - within[0].assets)
            most = max(moment.mebibytes for moment in within)
            rows.append(
                {title: f"{low - first:,}-{high - first:,}", "ms an asset": f"{cost:.1f}", "MiB": f"{most:,.0f}"}
            )
    return rows


def check(out: Path) -> None:
    """Validate every file with the Khronos validator, and print the numbers of errors and warnings."""
    files = sorted(path for path in out.rglob("*") if path.suffix in (".glb", ".vrma"))
    counts: Counter[str] = Counter()
    for start in range(0, len(files), FILES_PER_CALL):
        part = [str(path.resolve()) for path in files[start : start + FILES_PER_CALL]]
        command = ["node", "validate.mjs", *part]
        done = subprocess.run(command, cwd=VALIDATOR, capture_output=True, text=True, check=True)
        report = json.loads(done.stdout.splitlines()[-1])
        counts.update({name: report[name] for name in ("files", "errors", "warnings")})
    issues = f"{counts['errors']} errors, {counts['warnings']} warnings"
    say(f"The Khronos validator read {counts['files']:,} files: {issues}.")


def main() -> None:
    """Run the batch and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    for name, count in (("materials", 10_000), ("heads", 1000), ("clips", 1000), ("size", 256), ("kills", 3)):
        parser.add_argument(f"--{name}", type=int, default=count)
    parser.add_argument("--check", action="store_true")
    args = parser.parse_args()
    args.folder.mkdir(parents=True, exist_ok=True)
    jobs, out = args.folder / "jobs.toml", args.folder / "out"
    jobs.write_text(jobs_of(args), encoding="utf-8")
    counts = {"materials": args.materials, "heads": args.heads, "clips": args.clips}
    moments = soak(out, jobs, sum(counts.values()), args.kills)
    first = 0
    for title, count in counts.items():
        if rows := curve(moments, title, first, first + count):
            print_table(rows)
        first += count
    files = [path.stat().st_size for path in out.rglob("*") if path.is_file()]
    say(f"{len(files):,} files, {sum(files) / 1e9:.1f} GB, {moments[-1].seconds / 60:.1f} minutes.")
    if args.check:
        check(out)


if __name__ == "__main__":
    main()
