"""Processor time of the commands that must answer at once.

Usage: python benchmarks/cli.py [ROUNDS]

Prints a markdown table of user + system seconds; exits with 1 when a median is over the limit.
"""

from __future__ import annotations

import resource
import statistics
import subprocess
import sys
from pathlib import Path

LIMIT = 0.25  # seconds of user + system time
COMMANDS = (("--help",), ("plugins", "list"))
PROGRAM = Path(sys.executable).with_name("ganassets")


def processor_seconds(arguments: tuple[str, ...]) -> float:
    """User + system seconds of one run of `ganassets` with these arguments."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([PROGRAM, *arguments], check=True, stdout=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main() -> int:
    """Measure all commands in turns and print the table."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 11
    for arguments in COMMANDS:  # fills the caches of bytecode and files
        processor_seconds(arguments)
    seconds = {arguments: [] for arguments in COMMANDS}
    for _ in range(rounds):
        for arguments in COMMANDS:
            seconds[arguments].append(processor_seconds(arguments))
    print("| command | best | median | limit |")
    print("| --- | --- | --- | --- |")
    for arguments, found in seconds.items():
        name = f"`ganassets {' '.join(arguments)}`"
        print(f"| {name} | {min(found):.3f} s | {statistics.median(found):.3f} s | {LIMIT} s |")
    return int(any(statistics.median(found) > LIMIT for found in seconds.values()))


if __name__ == "__main__":
    sys.exit(main())
