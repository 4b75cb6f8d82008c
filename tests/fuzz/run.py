"""Coverage-guided fuzzing of one parser (needs the extra "fuzz"):

    python tests/fuzz/run.py NAME --seconds 600

Findings are told once each, by error and place, and kept in --found; the run goes on. Inputs that reach new code are
kept in --corpus, from which the next run goes on.
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

import atheris  # pyright: ignore[reportMissingImports]  # in the extra "fuzz" alone

TESTS = Path(__file__).parents[1]
sys.path.insert(0, str(TESTS))
INSTRUMENTED = [
    "ganassets", "ganassets_poses", "ganassets_textures", "PIL", "zipfile", "tomllib", "json", "xml", "string",
]  # fmt: skip
with atheris.instrument_imports(include=INSTRUMENTED):  # pyright: ignore[reportAttributeAccessIssue]  # made at run time
    from fuzz.harnesses import HARNESSES, ROOT, Harness
    from fuzz.trial import attempt

MEMORY = 2**30  # bytes that a run may grow by
LONGEST = 20_000  # bytes of an input


class Run:
    """What is seen in a run.

    Args:
        harness: that is run.
        name: of the harness.
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
            if peak() - self.memory > MEMORY:
                raise MemoryError(f"{peak() - self.memory:,} bytes more than at the start")
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
        self.memory = peak() if isinstance(error, MemoryError) else self.memory
        self.findings.add(kind)
        path = self.found / f"{self.name}-{type(error).__name__}-{hashlib.sha256(data).hexdigest()[:8]}"
        path.write_bytes(data)
        print(f"FINDING {kind}: {str(error)[:200]} -> {path}", flush=True)

    def told(self) -> str:
        """A line of JSON about it."""
        seconds = round(time.monotonic() - self.began)
        numbers = {"parser": self.name, "seconds": seconds, "executions": self.executions}
        return json.dumps({**numbers, "findings": sorted(self.findings)})


def peak() -> int:
    """Bytes that the process had at most."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def main() -> None:
    """Fuzz."""
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
    run = Run(harness, options.name, options.found)
    for data in starts:  # what libraries load on their first use is not the parsers' doing
        try:
            attempt(harness, data, watched=False)
        except Exception as error:
            run.keep(error, data)
    run.memory, run.began = peak(), time.monotonic()
    end = time.monotonic() + options.seconds

    def one(data: bytes) -> None:
        run.one(data)
        if time.monotonic() > end:
            print(run.told(), flush=True)
            os._exit(0)  # libFuzzer ends the process without a word of its own otherwise

    arguments = [f"-max_len={LONGEST}", "-timeout=60", "-rss_limit_mb=6000", "-verbosity=0", "-use_value_profile=0"]
    atheris.Setup([sys.argv[0], *arguments, f"-artifact_prefix={options.found}/{options.name}-", str(corpus)], one)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
