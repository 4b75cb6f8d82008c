"""The Blender extension as users have it: what it does to Blender's main thread, its memory, libraries, and the zip.

Usage: python benchmarks/blender.py [--blender PROGRAM_OR_PYTHON] [--count 100] [--size 512] [--wheels FOLDER]
                                    [--only stall|library|memory|size]

Builds the zip (pip fetches the wheels, unless a folder has them), installs it into a fresh user folder of the Blender
(by default the one that `ganassets blender library` would use) and prints markdown tables:

- stall: how long a call of the add-on's timer takes while batches come in, without a window; and in a window of the
  Blender that is a program, the longest time between two looks of a timer at the clock, whose pause is 5 ms, during a
  batch and without one. Drawing, by a software rasteriser, is in both.
- library: materials into an asset library, from nothing to whole files, against work that can't be avoided.
- memory: resident memory of Blender and of all processes beside it; what these share counts for each.
- size: of the zip, of what it installs, and how long that takes.
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

from ganassets.api.blender import VARIABLE, Blender, command
from ganassets.inference.batch.engine import BatchSettings, default_workers, run
from ganassets.inference.batch.plan import Plan
from ganassets_blender import catalogs
from ganassets_blender.build import build_extension, this_platform
from ganassets_blender.library import SCRIPT, LibraryTerms, add_to_library

SESSION = Path(__file__).with_name("blender_session.py")
SHARE = 5  # of a batch of materials, one of heads or clips
LOOKS = 0.05  # seconds between looks at memory
SCREEN = (1600, 1000)
TAB = (1307, 258)  # the add-on's, in a new Blender's sidebar on such a screen
CLICKS = 1.5  # seconds between clicks on it
SECONDS = 3600.0  # that a Blender may run


@dataclass
class Phase:
    """What memory was seen while something went on, each (Blender, beside it) in bytes."""

    peak: tuple[int, int] = (0, 0)
    last: tuple[int, int] = (0, 0)

    def take(self, seen: tuple[int, int]) -> None:
        """Take a look in."""
        self.peak, self.last = (max(self.peak[0], seen[0]), max(self.peak[1], seen[1])), seen


def memory_of(process: psutil.Process) -> tuple[int, int]:
    """Resident bytes of a process, and of all that it started."""
    beside = 0
    for child in process.children(recursive=True):
        with suppress(psutil.Error):
            beside += child.memory_info().rss
    return process.memory_info().rss, beside


@dataclass
class Ran:
    """What a Blender reported, and the memory seen by phase."""

    report: dict[str, Any] = field(default_factory=dict)
    phases: dict[str, Phase] = field(default_factory=dict)
    now: Phase = field(default_factory=Phase)


def run_blender(
    start: Sequence[str],
    deed: str,
    word: str,
    variables: dict[str, str],
    begun: Callable[[str], None] = lambda phase: None,
) -> Ran:
    """Run a deed of blender_session.py in a Blender and look at its memory meanwhile.

    Args:
        start: command that runs a script of Python inside the Blender.
        deed, word: arguments of the script.
        variables: environment of the Blender.
        begun: told each phase as it begins.

    Raises:
        RuntimeError: it ended without a report.
    """
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")} | variables
    ran, said = Ran(), []
    with tempfile.TemporaryFile("w+") as errors:
        with subprocess.Popen(
            [*start, str(SESSION), "--", deed, word],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
        ) as process:
            assert process.stdout
            with ended_after(process, SECONDS), memory_seen(process, ran):
                for line in process.stdout:
                    said.append(line)
                    kind, _, rest = line.strip().partition(" ")
                    if kind == "PHASE":
                        ran.now = ran.phases.setdefault(rest, Phase())
                        begun(rest)
                    elif kind == "REPORT":
                        ran.report = json.loads(rest)
        if not ran.report:
            errors.seek(0)
            told = "".join(said[-20:]) + errors.read()[-3000:]
            raise RuntimeError(f"Blender ended with code {process.returncode} and no report: {told}")
    return ran


@contextmanager
def ended_after(process: subprocess.Popen[str], seconds: float) -> Iterator[None]:
    """Kill a process that runs for longer, or that nobody listens to any more."""
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
def memory_seen(process: subprocess.Popen[str], ran: Ran) -> Iterator[None]:
    """Look at a process's memory again and again, for the phase that it is in."""
    seen, done = psutil.Process(process.pid), threading.Event()

    def look() -> None:
        while not done.wait(LOOKS):
            with suppress(psutil.Error):  # it is gone
                ran.now.take(memory_of(seen))

    looking = threading.Thread(target=look)
    looking.start()
    try:
        yield
    finally:
        done.set()
        looking.join()


class Installed:
    """A Blender with the extension in a user folder of its own.

    Args:
        program: a Blender, or a Python that has bpy.
        package: the extension's zip.
        folder: that gets the user folder; emptied by the caller.

    Attributes:
        facts: "version" of Blender and "seconds" that installing took.
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

    def __call__(self, deed: str, word: str) -> Ran:
        """Run a deed without a window."""
        quiet = ("-b", "--factory-startup", "--python-exit-code", "1", "--python") if self.is_program else ()
        return run_blender([self.program, *quiet], deed, word, self.variables)

    def in_window(self, word: str, display: str) -> Ran:
        """Run the deed "window" on an X display, with a click on the panel's tab again and again until it is open."""
        variables = self.variables | {"DISPLAY": display, "LIBGL_ALWAYS_SOFTWARE": "1"}
        geometry = ("--factory-startup", "--window-geometry", "0", "0", *map(str, SCREEN), "--python")
        opened = threading.Event()

        def click() -> None:
            words = ["xdotool", "mousemove", *map(str, TAB), "sleep", "0.2", "click", "1"]
            while not opened.wait(CLICKS):
                subprocess.run(words, env={**os.environ, **variables}, check=False)

        clicking = threading.Thread(target=click)
        clicking.start()
        try:
            return run_blender(
                [self.program, *geometry],
                "window",
                word,
                variables,
                begun=lambda phase: opened.set() if phase == "panel" else None,
            )
        finally:
            opened.set()
            clicking.join()


def is_program(program: str) -> bool:
    """Whether it is a Blender, and no Python that has bpy."""
    return Path(program).stem.lower().startswith("blender")


@contextmanager
def screen() -> Iterator[str]:
    """An X display that nobody sees."""
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
class Bench:
    """What is measured with.

    Attributes:
        program: a Blender, or a Python that has bpy.
        count: materials of a batch.
        size: their side in pixels.
        folder: for all that is made; emptied by the caller.
        wheels: folder that has the wheels of others, or None.
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
    def installed(self) -> Installed:
        """The Blender that is measured."""
        return Installed(self.program, self.package, self.folder / "user")

    @cached_property
    def session(self) -> Ran:
        """All jobs, one after the other, without a window."""
        return self.installed("session", json.dumps(self.jobs))

    @property
    def jobs(self) -> dict[str, dict[str, str]]:
        """Arguments of the operator by name."""
        few = max(1, self.count // SHARE)
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
        """The job that is carried out in a window too."""
        return f"{self.count} materials, grid"

    def plan(self, exporter: str) -> Plan:
        """The materials, for the batch engine."""
        case = batch.Case("textures", exporter, self.count, (self.size, self.size))
        return batch.plan_of(case)


def milliseconds(seconds: float) -> str:
    """ "3.1 ms"."""
    return f"{1000 * seconds:.1f} ms"


def megabytes(count: int) -> str:
    """ "61 MB"."""
    return f"{count / 1e6:.0f} MB"


def stall(bench: Bench) -> None:
    """Print how long Blender's main thread stands."""
    report = bench.session.report
    say(f"The add-on's timer on Blender's main thread, Blender {bench.installed.facts['version']} without a window:")
    print_table([row_of(name, facts) for name, facts in report.items()])
    program = bench.program if is_program(bench.program) else "blender"
    absent = [name for name in (program, "Xvfb", "xdotool") if not shutil.which(name)]
    if absent:
        say(f"No window: {', '.join(absent)} is not installed.")
        return
    windowed = Installed(program, bench.package, bench.folder / "windowed")
    with screen() as display:
        ran = windowed.in_window(json.dumps({bench.shown: bench.jobs[bench.shown]}), display)
    say(
        f"The same in a window of Blender {windowed.facts['version']}, its panel open, and the time between two looks "
        "of a 5 ms timer at the clock, with the batch and in an equally long time in which the panel alone is drawn:"
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
    """What was seen of a job."""
    return {
        "": name,
        "longest call": milliseconds(facts["longest"]),
        "99 % of calls": milliseconds(facts["p99"]),
        "calls": f"{facts['ticks']:.0f}",
        "share of the main thread": f"{facts['share']:.1%}",
        "from click to end": f"{facts['wall']:.1f} s",
    }


def library(bench: Bench) -> None:
    """Print how long a library takes."""
    case = batch.Case("textures", "images", bench.count, (bench.size, bench.size))
    seconds = {
        "inference alone": bench.count / batch.on_all_cores(batch.bare_network, case),
        "PNG encoding alone": bench.count / batch.on_all_cores(batch.bare_export, case),
        "Blender's save alone": save_alone(bench),
    }
    whole = timed(lambda: fill(bench))
    total = sum(seconds.values())
    seconds |= {"sum of these": total, "into a library": whole}
    say(
        f"{bench.count} materials of {bench.size} px into an asset library, seconds, on {os.cpu_count()} cores. "
        "Inference and encoding are on all cores, in as many processes; Blender's save is one request to one that runs."
    )
    print_table([{name: f"{value:.1f}" for name, value in seconds.items()} | {"ratio": f"{whole / total:.2f}"}])


def save_alone(bench: Bench) -> float:
    """Seconds that a Blender that runs takes for a volume of assets whose parts are made."""
    plan, parts = bench.plan("parts"), bench.folder / "parts"
    run(plan, parts, settings_for(plan))
    cards = [parts / f"{job.path(unit)}.json" for job, unit in plan]
    told = {json.loads(card.read_bytes())["catalog"] for card in cards}
    request = {
        "do": "volume",
        "cards": [str(card) for card in cards],
        "file": str(bench.folder / "volume.blend"),
        "pack": True,
        "author": "",
        "licence": "",
        "catalogs": catalogs.add_catalogs(bench.folder, told),
    }
    blender = Blender(command(SCRIPT, "asset libraries need"))
    try:
        answer = blender.ask(request)
    finally:
        blender.close()
    assert not answer["error"], answer["error"]
    return answer["seconds"]


def fill(bench: Bench) -> None:
    """All of it, from nothing."""
    plan = bench.plan("parts")
    added = add_to_library(plan, bench.folder / "filled", LibraryTerms(), settings_for(plan))
    assert added.new == bench.count


def settings_for(plan: Plan) -> BatchSettings:
    """As many processes as the command line would take."""
    return BatchSettings(workers=default_workers(plan, cuda=False))


def timed(work: Callable[[], object]) -> float:
    """Seconds that something takes."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def memory(bench: Bench) -> None:
    """Print the memory of the session."""
    say(f"Resident memory, Blender {bench.installed.facts['version']} without a window; of jobs the highest:")
    jobs = bench.session.report
    seen = {name: phase.peak if name in jobs else phase.last for name, phase in bench.session.phases.items() if name}
    print_table(
        [{"": name, "Blender": megabytes(one[0]), "beside it": megabytes(one[1])} for name, one in seen.items()]
    )


def size(bench: Bench) -> None:
    """Print how large the extension is."""
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


TABLES: dict[str, Callable[[Bench], None]] = {"size": size, "stall": stall, "memory": memory, "library": library}


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--blender", help="a Blender, or a Python that has bpy")
    parser.add_argument("--count", type=int, default=100, help="materials of a batch")
    parser.add_argument("--size", type=int, default=512, help="their side in pixels")
    parser.add_argument("--wheels", type=Path, help="folder with the wheels of others")
    parser.add_argument("--only", choices=TABLES, action="append", help="some of the tables")
    chosen = parser.parse_args(arguments)
    if chosen.blender:
        os.environ[VARIABLE] = chosen.blender
    program = command(SCRIPT, "the extension needs")[0]
    with tempfile.TemporaryDirectory(prefix="ganassets-benchmark-") as folder:
        bench = Bench(program, chosen.count, chosen.size, Path(folder), chosen.wheels)
        for name in chosen.only or TABLES:
            TABLES[name](bench)


if __name__ == "__main__":
    main()
