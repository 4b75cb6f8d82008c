"""Processor time of contact sheets: `ganassets generate` with and without its preview.

Usage: python benchmarks/previews.py [MODEL...]

Generates 8 and 64 assets with each model, by default those in the box (textures at 256 px), in processes of their own,
with and without the preview in turn. Takes the least processor time of ROUNDS runs, children included. Prints a
markdown table; exits with 1 if a preview makes a command more than LIMIT times as expensive.
"""

from __future__ import annotations

import resource
import subprocess
import sys
import tempfile
from pathlib import Path

from tables import print_table

COUNTS = (8, 64)
ROUNDS = 3
LIMIT = 1.5
IN_THE_BOX = ("faces", "poses", "textures")
SIZES = {"textures": ("--size", "256")}


def processor_seconds(model: str, count: int, preview: bool) -> float:
    """Processor seconds of a command that generates assets into an empty folder."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "ganassets", "generate", model, *SIZES.get(model, ())]
        options = ["-n", str(count), "-o", folder, *([] if preview else ["--no-preview"])]
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([*command, *options], check=True, stdout=subprocess.DEVNULL)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main() -> None:
    """Print the table."""
    rows: list[dict[str, str]] = []
    ratios: list[float] = []
    for model in sys.argv[1:] or IN_THE_BOX:
        for count in COUNTS:
            times = [
                (processor_seconds(model, count, False), processor_seconds(model, count, True)) for _ in range(ROUNDS)
            ]
            without, with_preview = (min(column) for column in zip(*times, strict=True))
            ratios.append(with_preview / without)
            name = f"{count} {Path(model).stem}"
            rows.append(
                {
                    "assets": name,
                    "without, s": f"{without:.2f}",
                    "with, s": f"{with_preview:.2f}",
                    "ratio": f"{ratios[-1]:.2f}",
                }
            )
    print_table(rows)
    sys.exit(max(ratios) > LIMIT)


if __name__ == "__main__":
    main()
