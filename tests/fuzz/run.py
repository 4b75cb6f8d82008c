"""Fuzz one parser, guided by coverage; needs the extra "fuzz".

    python tests/fuzz/run.py NAME --seconds 600

Each finding (an error at a place) is printed once and its input kept in --found; the run continues. Inputs that reach
new code are kept in --corpus, where the next run starts.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import resource
import sys
import time
import traceback
from pathlib import Path

import atheris  # pyright: ignore[reportMissingImports]  # only the extra "fuzz" installs it

TESTS = Path(__file__).parents[1]
sys.path.insert(0, str(TESTS))
INSTRUMENTED = [
    "ganassets", "ganassets_poses", "ganassets_textures", "PIL", "zipfile", "tomllib", "json", "xml", "string",
]  # fmt: skip
with atheris.instrument_imports(include=INSTRUMENTED):  # pyright: ignore[reportAttributeAccessIssue]  # made at run time
    from fuzz.harnesses import HARNESSES, ROOT, Harness
    from fuzz.trial import attempt

MOST_GROWTH = 2**30  # bytes of memory
LONGEST = 20_000  # bytes of an input


class FuzzRun:
    """Runs a harness and keeps its findings.

    Args:
        harness: the harness.
        name: name of the harness.
        found: folder for findings.
    """

    def __init__(self, harness: Harness, name: str, found: Path) -> None:
        self.harness, self.name, self.found = harness, name, found
        self.executions, self.findings = 0, set[str]()
        self.memory = 0
        self.began = time.monotonic()

    def one(self, data: bytes) -> None:
        """Try an input."""
        self.executions += 1
        try:
            attempt(self.harness, data)
            if peak_memory() - self.memory > MOST_GROWTH:
                raise MemoryError(f"{peak_memory() - self.memory:,} bytes more than at the start")
        except Exception as error:
            self.keep(error, data)

    def keep(self, error: Exception, data: bytes) -> None:
        """Keep the first input of each kind of finding."""
        frames = traceback.extract_tb(error.__traceback__)
        ours = [frame for frame in frames if frame.filename.startswith(str(ROOT)) and ".venv" not in frame.filename]
        place = f"{Path(ours[-1].filename).name}:{ours[-1].lineno}"
        kind = f"{type(error).__name__} at {place}"
        if kind in self.findings:
            return
        self.memory = peak_memory() if isinstance(error, MemoryError) else self.memory
        self.findings.add(kind)
        path = self.found / f"{self.name}-{type(error).__name__}-{hashlib.sha256(data).hexdigest()[:8]}"
        path.write_bytes(data)
        print(f"FINDING {kind}: {str(error)[:200]} -> {path}", flush=True)

    def summarize(self) -> str:
        """Summarize the run in a line of JSON."""
        seconds = round(time.monotonic() - self.began)
        numbers = {"parser": self.name, "seconds": seconds, "executions": self.executions}
        return json.dumps({**numbers, "findings": sorted(self.findings)})


def peak_memory() -> int:
    """Return the largest memory of the process so far, in bytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def main() -> None:
    """Fuzz the parser that the command line names."""
    parser = argparse.ArgumentParser(description="Fuzz one parser.")
    parser.add_argument("name", choices=HARNESSES)
    parser.add_argument("--seconds", type=int, default=600)
    parser.add_argument("--corpus", type=Path, default=ROOT / "out/fuzz/corpus")
    parser.add_argument("--found", type=Path, default=ROOT / "out/fuzz/found")
    options = parser.parse_args()
    corpus = options.corpus / options.name
    for folder in (corpus, options.found):
        folder.mkdir(parents=True, exist_ok=True)
    harness = HARNESSES[options.name]
    starts = [*harness.seeds(), *(path.read_bytes() for path in (TESTS / "fuzz/cases" / options.name).glob("*"))]
    for data in starts:
        (corpus / hashlib.sha256(data).hexdigest()).write_bytes(data)
    run = FuzzRun(harness, options.name, options.found)
    for data in starts:  # libraries load their own files on first use
        try:
            attempt(harness, data, watched=False)
        except Exception as error:
            run.keep(error, data)
    run.memory, run.began = peak_memory(), time.monotonic()
    end = time.monotonic() + options.seconds

    def one(data: bytes) -> None:
        run.one(data)
        if time.monotonic() > end:
            print(run.summarize(), flush=True)
            os._exit(0)  # otherwise libFuzzer ends the process without a message

    arguments = [f"-max_len={LONGEST}", "-timeout=60", "-rss_limit_mb=6000", "-verbosity=0", "-use_value_profile=0"]
    atheris.Setup([sys.argv[0], *arguments, f"-artifact_prefix={options.found}/{options.name}-", str(corpus)], one)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
