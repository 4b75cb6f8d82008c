"""Measure the installed Blender extension: the main thread, memory, asset libraries, and the size of the zip.

Usage: python benchmarks/blender.py [--blender PROGRAM_OR_PYTHON] [--count 100] [--size 512] [--wheels FOLDER]
                                    [--only stall|library|memory|size]

Builds the zip (pip downloads the wheels, unless a folder is given), installs it into a new user folder of the Blender
that `ganassets blender library` would use, or of another one, and prints markdown tables:

- stall: duration of the calls of the add-on's timer while batches run, without a window; and in a window of the Blender
  program, the longest time between two calls of a 5 ms timer, with and without a batch. Both include drawing by a
  software rasteriser.
- library: time to fill an asset library with materials, compared with the work that is unavoidable.
- memory: resident memory of Blender and of its worker processes; shared memory counts in each of them.
- size: size of the zip and of the installed files, and the time to install them.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import batch
import psutil
from tables import print_table, say

from ganassets.api.blender import VARIABLE, Blender, blender_command
from ganassets.inference.batch.engine import BatchSettings, default_workers, run_batch
from ganassets.inference.batch.plan import Plan
from ganassets_blender import catalogs
from ganassets_blender.build import build_extension, this_platform
from ganassets_blender.library import SCRIPT, LibraryTerms, add_to_library

SESSION = Path(__file__).with_name("blender_session.py")
HEADS_SHARE = 5  # materials for each head or clip of a batch
MEMORY_INTERVAL = 0.05  # seconds between measurements of memory
SCREEN = (1600, 1000)
TAB = (1307, 258)  # place of the add-on's tab in Blender's default layout, on a screen of this size
CLICK_INTERVAL = 1.5  # seconds
TIMEOUT = 3600.0  # seconds for each run of Blender


@dataclass
class MemoryPhase:
    """Memory in a phase: peak and last measurement, each (Blender, worker processes) in bytes."""

    peak: tuple[int, int] = (0, 0)
    last: tuple[int, int] = (0, 0)

    def add(self, seen: tuple[int, int]) -> None:
        """Add a measurement."""
        self.peak, self.last = (max(self.peak[0], seen[0]), max(self.peak[1], seen[1])), seen


def memory_of(process: psutil.Process) -> tuple[int, int]:
    """Resident memory of a process, and of all its descendants, in bytes."""
    beside = 0
    for child in process.children(recursive=True):
        with suppress(psutil.Error):
            beside += child.memory_info().rss
    return process.memory_info().rss, beside


@dataclass
class BlenderRun:
    """Report of a Blender, and its memory by phase."""

    report: dict[str, Any] = field(default_factory=dict)
    phases: dict[str, MemoryPhase] = field(default_factory=dict)
    now: MemoryPhase = field(default_factory=MemoryPhase)


def run_blender(
    start: Sequence[str],
    action: str,
    argument: str,
    variables: dict[str, str],
    begun: Callable[[str], None] = lambda phase: None,
) -> BlenderRun:
    """Run an action of blender_session.py in a Blender and measure its memory.

    Args:
        start: command that runs a Python script in the Blender.
        action: name of the action.
        argument: its argument.
        variables: more environment variables.
        begun: receives the name of each phase as it begins.

    Raises:
        RuntimeError: Blender ended without a report.
    """
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")} | variables
    ran, said = BlenderRun(), []
    with tempfile.TemporaryFile("w+") as errors:
        with subprocess.Popen(
            [*start, str(SESSION), "--", action, argument],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
        ) as process:
            assert process.stdout
            with time_limit(process, TIMEOUT), measure_memory(process, ran):
                for line in process.stdout:
                    said.append(line)
                    kind, _, rest = line.strip().partition(" ")
                    if kind == "PHASE":
                        ran.now = ran.phases.setdefault(rest, MemoryPhase())
                        begun(rest)
                    elif kind == "REPORT":
                        ran.report = json.loads(rest)
        if not ran.report:
            errors.seek(0)
            output = "".join(said[-20:]) + errors.read()[-3000:]
            raise RuntimeError(f"Blender ended with code {process.returncode} and no report: {output}")
    return ran


@contextmanager
def time_limit(process: subprocess.Popen[str], seconds: float) -> Iterator[None]:
    """Kill a process after a time in seconds, or if the block fails."""
    clock = threading.Timer(seconds, process.kill)
    clock.start()
    try:
        yield
    except BaseException:
        process.kill()
        raise
    finally:
        clock.cancel()


@contextmanager
def measure_memory(process: subprocess.Popen[str], ran: BlenderRun) -> Iterator[None]:
    """Measure a process's memory repeatedly, for the phase that it is in."""
    seen, done = psutil.Process(process.pid), threading.Event()

    def look() -> None:
        while not done.wait(MEMORY_INTERVAL):
            with suppress(psutil.Error):  # the process has ended
                ran.now.add(memory_of(seen))

    looking = threading.Thread(target=look)
    looking.start()
    try:
        yield
    finally:
        done.set()
        looking.join()


class InstalledExtension:
    """A Blender with the extension in a user folder of its own.

    Args:
        program: a Blender, or a Python that has bpy.
        package: the extension's zip.
        folder: an empty folder, which becomes the user folder.

    Attributes:
        facts: "version" of Blender, and "seconds" to install the extension.
    """

    def __init__(self, program: str, package: Path, folder: Path) -> None:
        self.program, self.is_program = program, is_program(program)
        self.folder = folder
        names = ("config", "scripts", "datafiles", "extensions")
        for name in names:
            (folder / name).mkdir(parents=True)
        self.variables = {f"BLENDER_USER_{name.upper()}": str(folder / name) for name in names}
        if not self.is_program:
            self.variables = {"BLENDER_USER_RESOURCES": str(folder)}
        self.facts = self("install", str(package)).report

    def __call__(self, action: str, argument: str) -> BlenderRun:
        """Run an action without a window."""
        quiet = ("-b", "--factory-startup", "--python-exit-code", "1", "--python") if self.is_program else ()
        return run_blender([self.program, *quiet], action, argument, self.variables)

    def in_window(self, argument: str, display: str) -> BlenderRun:
        """Run the action "window" on an X display, and click the panel's tab until the panel is open."""
        variables = self.variables | {"DISPLAY": display, "LIBGL_ALWAYS_SOFTWARE": "1"}
        geometry = ("--factory-startup", "--window-geometry", "0", "0", *map(str, SCREEN), "--python")
        opened = threading.Event()

        def click() -> None:
            words = ["xdotool", "mousemove", *map(str, TAB), "sleep", "0.2", "click", "1"]
            while not opened.wait(CLICK_INTERVAL):
                subprocess.run(words, env={**os.environ, **variables}, check=False)

        clicking = threading.Thread(target=click)
        clicking.start()
        try:
            return run_blender(
                [self.program, *geometry],
                "window",
                argument,
                variables,
                begun=lambda phase: opened.set() if phase == "panel" else None,
            )
        finally:
            opened.set()
            clicking.join()


def is_program(program: str) -> bool:
    """Return whether a program is Blender, rather than a Python with bpy."""
    return Path(program).stem.lower().startswith("blender")


@contextmanager
def screen() -> Iterator[str]:
    """Start a virtual X display; provides its name."""
    read, write = os.pipe()
    size = "{}x{}x24".format(*SCREEN)
    start = ["Xvfb", "-displayfd", str(write), "-screen", "0", size, "-nolisten", "tcp"]
    with os.fdopen(read) as number, subprocess.Popen(start, pass_fds=[write], stderr=subprocess.DEVNULL) as server:
        os.close(write)
        try:
            yield f":{number.readline().strip()}"
        finally:
            server.terminate()


@dataclass
class ExtensionBenchmark:
    """Settings and shared results of the measurements.

    Attributes:
        program: a Blender, or a Python with bpy.
        count: number of materials in a batch.
        size: their side in pixels.
        folder: an empty folder for all files.
        wheels: folder with the wheels of other packages; None to let pip download them.
    """

    program: str
    count: int
    size: int
    folder: Path
    wheels: Path | None

    @cached_property
    def package(self) -> Path:
        """The extension's zip."""
        return build_extension(this_platform(), self.folder / "dist", self.wheels)

    @cached_property
    def installed(self) -> InstalledExtension:
        """The Blender with the extension."""
        return InstalledExtension(self.program, self.package, self.folder / "user")

    @cached_property
    def session(self) -> BlenderRun:
        """A run of all jobs, one after the other, without a window."""
        return self.installed("session", json.dumps(self.jobs))

    @property
    def jobs(self) -> dict[str, dict[str, str]]:
        """Arguments of the operator by name of the job."""
        few = max(1, self.count // HEADS_SHARE)
        materials = {"model": "textures", "seeds": f"1-{self.count}", "size": str(self.size)}
        library = {"target": "LIBRARY", "library": str(self.folder / "library")}
        return {
            f"{self.count} materials, library": materials | library,
            self.shown: {**materials, "target": "GRID"},
            f"{few} heads, grid": {"model": "faces", "seeds": f"1-{few}", "target": "GRID"},
            f"{few} clips, grid": {"model": "poses", "seeds": f"1-{few}", "target": "GRID"},
        }

    @property
    def shown(self) -> str:
        """Name of the job that also runs in a window."""
        return f"{self.count} materials, grid"

    def plan(self, exporter: str) -> Plan:
        """Plan of the materials for the batch engine."""
        case = batch.BatchCase("textures", exporter, self.count, (self.size, self.size))
        return batch.plan_of(case)


def milliseconds(seconds: float) -> str:
    """Format a duration in seconds, for example "3.1 ms"."""
    return f"{1000 * seconds:.1f} ms"


def megabytes(count: int) -> str:
    """Format a size in bytes, for example "61 MB"."""
    return f"{count / 1e6:.0f} MB"


def stall(bench: ExtensionBenchmark) -> None:
    """Print how long Blender's main thread is blocked."""
    report = bench.session.report
    say(f"The add-on's timer on Blender's main thread, Blender {bench.installed.facts['version']} without a window:")
    print_table([row_of(name, facts) for name, facts in report.items()])
    program = bench.program if is_program(bench.program) else "blender"
    absent = [name for name in (program, "Xvfb", "xdotool") if not shutil.which(name)]
    if absent:
        say(f"No window: {', '.join(absent)} is not installed.")
        return
    windowed = InstalledExtension(program, bench.package, bench.folder / "windowed")
    with screen() as display:
        ran = windowed.in_window(json.dumps({bench.shown: bench.jobs[bench.shown]}), display)
    say(
        f"The same in a window of Blender {windowed.facts['version']} with an open panel, and the time between two "
        "calls of a 5 ms timer, with the batch and in an equally long time in which only the panel is drawn:"
    )
    print_table(
        [
            row_of(name, facts)
            | {
                "longest gap": milliseconds(facts["gap"]["longest"]),
                "99 % of gaps": milliseconds(facts["gap"]["p99"]),
                "longest gap without": milliseconds(facts["without"]["longest"]),
                "99 % without": milliseconds(facts["without"]["p99"]),
            }
            for name, facts in ran.report.items()
        ]
    )


def row_of(name: str, facts: dict[str, Any]) -> dict[str, str]:
    """Table row of a job."""
    return {
        "": name,
        "longest call": milliseconds(facts["longest"]),
        "99 % of calls": milliseconds(facts["p99"]),
        "calls": f"{facts['ticks']:.0f}",
        "share of the main thread": f"{facts['share']:.1%}",
        "from click to end": f"{facts['wall']:.1f} s",
    }


def library(bench: ExtensionBenchmark) -> None:
    """Print how long it takes to fill a library."""
    case = batch.BatchCase("textures", "images", bench.count, (bench.size, bench.size))
    seconds = {
        "inference alone": bench.count / batch.sum_rates(batch.bare_network, case),
        "PNG encoding alone": bench.count / batch.sum_rates(batch.bare_export, case),
        "Blender's save alone": save_alone(bench),
    }
    whole = measure(lambda: fill(bench))
    total = sum(seconds.values())
    seconds |= {"sum of these": total, "into a library": whole}
    say(
        f"{bench.count} materials of {bench.size} px into an asset library, in seconds, on {os.cpu_count()} cores. "
        "Inference and encoding use a process for each core; Blender's save is one request to a running Blender."
    )
    print_table([{name: f"{value:.1f}" for name, value in seconds.items()} | {"ratio": f"{whole / total:.2f}"}])


def save_alone(bench: ExtensionBenchmark) -> float:
    """Time in seconds that a running Blender needs to write a volume of finished parts."""
    plan, parts = bench.plan("parts"), bench.folder / "parts"
    run_batch(plan, parts, settings_for(plan))
    cards = [parts / f"{job.path(unit)}.json" for job, unit in plan]
    paths = {json.loads(card.read_bytes())["catalog"] for card in cards}
    request = {
        "do": "volume",
        "cards": [str(card) for card in cards],
        "file": str(bench.folder / "volume.blend"),
        "pack": True,
        "author": "",
        "licence": "",
        "catalogs": catalogs.add_catalogs(bench.folder, paths),
    }
    blender = Blender(blender_command(SCRIPT, "asset libraries need"))
    try:
        answer = blender.ask(request)
    finally:
        blender.close()
    assert not answer["error"], answer["error"]
    return answer["seconds"]


def fill(bench: ExtensionBenchmark) -> None:
    """Fill a new library."""
    plan = bench.plan("parts")
    added = add_to_library(plan, bench.folder / "filled", LibraryTerms(), settings_for(plan))
    assert added.new == bench.count


def settings_for(plan: Plan) -> BatchSettings:
    """Settings with as many processes as the command line uses."""
    return BatchSettings(workers=default_workers(plan, cuda=False))


def measure(work: Callable[[], object]) -> float:
    """Time in seconds that a function takes."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def memory(bench: ExtensionBenchmark) -> None:
    """Print the memory of the session."""
    say(f"Resident memory, Blender {bench.installed.facts['version']} without a window; peaks for jobs:")
    jobs = bench.session.report
    seen = {name: phase.peak if name in jobs else phase.last for name, phase in bench.session.phases.items() if name}
    print_table(
        [{"": name, "Blender": megabytes(one[0]), "worker processes": megabytes(one[1])} for name, one in seen.items()]
    )


def size(bench: ExtensionBenchmark) -> None:
    """Print the size of the extension."""
    before = bench.installed.facts
    files = [path for path in bench.installed.folder.rglob("*") if path.is_file() and not path.is_symlink()]
    say(f"The extension in Blender {before['version']}, on {platform.system()} {platform.machine()}:")
    print_table(
        [
            {
                "zip": megabytes(bench.package.stat().st_size),
                "installed": megabytes(sum(path.stat().st_size for path in files)),
                "time to install": f"{before['seconds']:.1f} s",
            }
        ]
    )


TABLES: dict[str, Callable[[ExtensionBenchmark], None]] = {
    "size": size,
    "stall": stall,
    "memory": memory,
    "library": library,
}


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--blender", help="a Blender, or a Python with bpy")
    parser.add_argument("--count", type=int, default=100, help="number of materials in a batch")
    parser.add_argument("--size", type=int, default=512, help="their side in pixels")
    parser.add_argument("--wheels", type=Path, help="folder with the wheels of other packages")
    parser.add_argument("--only", choices=TABLES, action="append", help="table to print; may be given more than once")
    chosen = parser.parse_args(arguments)
    if chosen.blender:
        os.environ[VARIABLE] = chosen.blender
    program = blender_command(SCRIPT, "the extension needs")[0]
    with tempfile.TemporaryDirectory(prefix="ganassets-benchmark-") as folder:
        bench = ExtensionBenchmark(program, chosen.count, chosen.size, Path(folder), chosen.wheels)
        for name in chosen.only or TABLES:
            TABLES[name](bench)


if __name__ == "__main__":
    main()
