"""Measure the processor time of commands that must answer at once, and of importing ganassets.

Usage: python benchmarks/cli.py [ROUNDS]

Each measurement runs in its own process. Prints a markdown table of user + system seconds. Exits with 1 if a median is
over its limit.
"""

from __future__ import annotations

import resource
import statistics
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

PROGRAM = str(Path(sys.executable).with_name("ganassets"))


@dataclass(frozen=True)
class TimedCommand:
    """A command line, and the limit of its processor time in seconds."""

    title: str
    arguments: tuple[str, ...]
    limit: float


COMMANDS = (
    TimedCommand("`ganassets --help`", (PROGRAM, "--help"), 0.25),
    TimedCommand("`ganassets plugins list`", (PROGRAM, "plugins", "list"), 0.25),
    TimedCommand("`import ganassets`", (sys.executable, "-c", "import ganassets"), 0.15),
)


def processor_seconds(command: TimedCommand) -> float:
    """Return the user + system seconds of one run of a command."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command.arguments, check=True, stdout=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main() -> int:
    """Measure all commands in turn, and print the table."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 11
    # The first run fills the caches of bytecode and files.
    for command in COMMANDS:
        processor_seconds(command)
    seconds: dict[TimedCommand, list[float]] = {command: [] for command in COMMANDS}
    for _ in range(rounds):
        for command in COMMANDS:
            seconds[command].append(processor_seconds(command))
    print("| command | best | median | limit |")
    print("| --- | --- | --- | --- |")
    for command, found in seconds.items():
        print(f"| {command.title} | {min(found):.3f} s | {statistics.median(found):.3f} s | {command.limit} s |")
    return int(any(statistics.median(found) > command.limit for command, found in seconds.items()))


if __name__ == "__main__":
    sys.exit(main())
