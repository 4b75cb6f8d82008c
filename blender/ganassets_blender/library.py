"""Asset libraries: a plan's assets as .blend files that Blender's Asset Browser shows.

    LIBRARY/blender_assets.cats.txt      catalogs, ours among the user's
    LIBRARY/ganassets/index.jsonl        which volume holds what; also the lock
    LIBRARY/ganassets/textures-0001.blend, ...   volumes of at most 100 assets and half a GB
    LIBRARY/ganassets/parts-1a2b3c4d/    assets on their way, and pictures of volumes that don't hold them

The batch engine makes the parts of assets; a background Blender makes a volume of each hundred of them meanwhile. A
volume gets its name when it is whole, and is entered after that; one that was announced and not entered is made again.
"""

from __future__ import annotations

import contextlib
import glob
import hashlib
import json
import os
import re
import secrets
import shutil
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import Any

from ganassets.api.blender import Blender, command
from ganassets.api.errors import GanassetsError, InputError
from ganassets.api.writer import TEMPORARY, can_not_write
from ganassets.inference.batch.engine import Failure, Progress, Settings, is_done, run
from ganassets.inference.batch.index import Index, as_json
from ganassets.inference.batch.journal import Ledger, lines_of
from ganassets.inference.batch.plan import Job, Plan, Unit

from . import catalogs

FOLDER, INDEX = "ganassets", "index.jsonl"
# Of a volume: assets, and bytes of their parts. Whoever opens it has them in memory.
MOST, MOST_BYTES = 100, 512 * 2**20
SCRIPT = Path(__file__).with_name("addon") / "volume_writer.py"
UNFINISHED = re.compile(f"{TEMPORARY.pattern}@?")  # Blender adds the @ while it writes
WAIT = 0.5  # seconds between looks whether another one has left the library
NOT_PICTURES = (".json", ".npz", "_thumb.png")

Waiting = Callable[[str], None]


@dataclass(frozen=True)
class Terms:
    """How assets are kept.

    Attributes:
        pack: pictures inside the volumes; else beside them.
        author, licence: written into each asset; the licence is the model's where it is "".
    """

    pack: bool = True
    author: str = ""
    licence: str = ""


@dataclass
class Added:
    """What came of it.

    Attributes:
        new: assets that were added.
        there: assets that the library had.
        volumes: that were written, by their paths.
        failures: what could not be made.
    """

    new: int = 0
    there: int = 0
    volumes: list[Path] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)


class Shelf:
    """The volumes of a library, open for more and locked.

    Args:
        library: its folder, made if it isn't there.
        waiting: told, again and again, that another one has the library; may raise to stop that.

    Attributes:
        keys: of the assets that are in volumes (see plan.Job.key).

    Raises:
        InputError: the folder can't be written, or its index is damaged.
    """

    def __init__(self, library: Path, waiting: Waiting = lambda line: None) -> None:
        self.library, self.folder = library, library / FOLDER
        self.path = self.folder / INDEX
        self.keys: set[str] = set()
        self.numbers: dict[str, int] = {}

        def taken() -> None:
            waiting(f"Another Blender is adding to {library}; this one goes on when it is done.")
            time.sleep(WAIT)

        self._ledger = Ledger(self.path, library, taken)
        try:
            self._ledger.cut(self._read())
            self._tidy()
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Shelf:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let others have the library."""
        self._ledger.close()

    def _tidy(self) -> None:
        """Remove what a killed Blender left half-written; one that still writes ends soon."""
        for path in self.folder.iterdir():
            if UNFINISHED.fullmatch(path.name):
                remove(path)

    def _read(self) -> int:
        """Take in the index; returns the bytes up to the end of its last whole line."""
        end = 0
        for number, line in enumerate(lines_of(self.path), start=1):
            if not line.endswith(b"\n"):
                break  # whoever wrote it was killed
            try:
                self._take(json.loads(line))
            except (ValueError, KeyError, TypeError, RecursionError) as error:
                raise InputError(
                    f"{self.path} is damaged in line {number}; move the folder {self.folder} away, or choose another "
                    "library folder."
                ) from error
            end += len(line)
        return end

    def _take(self, line: Mapping[str, Any]) -> None:
        volume = str(line["volume"])
        stem, _, number = volume.removesuffix(".blend").rpartition("-")
        if "/" in volume or not stem:
            raise ValueError(volume)
        if "assets" in line:
            self.numbers[stem] = max(int(number), self.numbers.get(stem, 0))
            if (self.folder / volume).is_file():  # what the user has removed can be made again
                self.keys.update(map(str, line["assets"]))

    def announce(self, stem: str) -> Path:
        """Path of the next volume of that stem. Whatever has the name was announced and never entered; a stranger's
        file is stepped over.
        """
        announced = self._announced(stem)
        number = self.numbers.get(stem, 0) + 1
        while (path := self.folder / f"{stem}-{number:04d}.blend").exists() and path.name not in announced:
            number += 1
        self.numbers[stem] = number
        self._ledger.write(as_json({"volume": path.name}))
        return path

    def _announced(self, stem: str) -> set[str]:
        lines = [json.loads(line) for line in lines_of(self.path)]
        return {line["volume"] for line in lines if line["volume"].startswith(f"{stem}-")}

    def enter(self, volume: Path, assets: Mapping[str, str]) -> None:
        """A volume is whole.

        Args:
            volume: its path.
            assets: titles by key.
        """
        self._ledger.write(as_json({"volume": volume.name, "assets": dict(assets)}))
        self.keys.update(assets)


def add_to_library(
    plan: Plan,
    library: Path,
    terms: Terms,
    settings: Settings,
    progress: Progress = lambda done, total: None,
    report: Callable[[str], None] = lambda line: None,
) -> Added:
    """Make what a library lacks of a plan and add it.

    Args:
        plan: checked, of jobs whose format is "parts".
        library: the folder, made if it isn't there.
        terms: how assets are kept.
        settings: how they are made.
        progress: told (done, total) as assets are made, and after each volume; what it raises stops all.
        report: told what is waited for, in one line.

    Raises:
        InputError: the library can't be written, or there is no Blender.
        GanassetsError: nothing more can be made.
    """
    start = command(SCRIPT, "asset libraries need")
    with Shelf(library, lambda line: (report(line), progress(0, len(plan)))[0]) as shelf:
        parts = shelf.folder / f"parts-{digest_of(plan)}"
        missing = {job.key(unit) for job, unit in plan} - shelf.keys
        added = Added(there=len(plan) - len(missing))
        if not missing:
            clear(parts, terms.pack)
            return added
        with Binder(shelf, terms, parts, start, added) as binder:
            for job, unit in leftovers(plan, parts, missing):
                binder.take(job, unit)
            done = len(binder)

            def made(job: Job, unit: Unit) -> None:
                binder.take(job, unit)
                binder.check()

            summary = run(
                plan,
                parts,
                settings,
                lambda n, total: progress(added.there + done + n, len(plan)),
                report,
                made,
                elsewhere=frozenset(shelf.keys),
            )
            progress(len(plan), len(plan))
            report("Writing the library.")
            for _ in binder.finish():
                progress(len(plan), len(plan))
        added.failures = summary.failures
        clear(parts, terms.pack)
    return added


def digest_of(plan: Plan) -> str:
    """What tells plans apart, for the name of a folder."""
    digest = hashlib.sha256()
    for job, unit in plan:
        digest.update(job.key(unit).encode())
    return digest.hexdigest()[:8]


def leftovers(plan: Plan, parts: Path, missing: set[str]) -> Iterator[tuple[Job, Unit]]:
    """Units that a run made that was stopped before they were in a volume."""
    if not parts.is_dir():
        return
    with Index(parts) as index:
        found = [(job, unit) for job, unit in plan if job.key(unit) in missing and is_done(index, parts, job, unit)]
    yield from found


def clear(parts: Path, all_of_it: bool) -> None:
    """Remove assets on their way: all of them, or all but the pictures of volumes that don't hold them."""
    if all_of_it:
        shutil.rmtree(parts, ignore_errors=True)
    elif parts.is_dir():
        for path in parts.rglob("*"):
            if path.name.endswith(NOT_PICTURES) or path.suffix == ".jsonl":
                remove(path)


def remove(path: Path) -> None:
    """Remove a file that isn't needed, unless Windows doesn't because somebody looks into it."""
    with contextlib.suppress(OSError):
        path.unlink(missing_ok=True)


class Binder:
    """Makes volumes of parts in a background Blender, in a thread of its own.

    Args:
        shelf: the library.
        terms: how assets are kept.
        parts: the folder that holds them.
        start: the background Blender's command.
        added: is kept up to date.
    """

    def __init__(self, shelf: Shelf, terms: Terms, parts: Path, start: list[str], added: Added) -> None:
        self.shelf, self.terms, self.parts, self.start, self.added = shelf, terms, parts, start, added
        self.open: dict[str, list[tuple[str, Path]]] = {}  # (key, card) by the volumes' stem
        self.sizes: dict[str, int] = {}  # bytes of these
        self.thread = ThreadPoolExecutor(1)
        self.blender: Blender | None = None
        self.stopped = False
        # At once: a Blender that can't serve is known before all assets are made.
        self.bound: list[Future[Any]] = [self.thread.submit(self._running)]

    def __enter__(self) -> Binder:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        for future in self.bound:
            future.cancel()
        self.stopped = kind is not None
        if kind and self.blender:
            self.blender.process.kill()  # what it writes has no name yet
        self.thread.shutdown()
        if self.blender:
            self.blender.close()

    def __len__(self) -> int:
        return sum(map(len, self.open.values()))

    def take(self, job: Job, unit: Unit) -> None:
        """Put a unit, whose parts are there, into the next volume."""
        card = self.parts / f"{job.path(unit)}.json"
        pile = self.open.setdefault(job.generator, [])
        pile.append((job.key(unit), card))
        self.sizes[job.generator] = self.sizes.get(job.generator, 0) + sum(p.stat().st_size for p in parts_of(card))
        if len(pile) == MOST or self.sizes[job.generator] > MOST_BYTES:
            self._send(job.generator)

    def check(self) -> None:
        """Raise what went wrong with a volume."""
        for future in self.bound:
            if future.done():
                future.result()

    def finish(self) -> Iterator[None]:
        """Bind what is left; yields now and then until all volumes are whole."""
        for stem in [stem for stem, pile in self.open.items() if pile]:
            self._send(stem)
        while any(not future.done() for future in self.bound):
            yield
            time.sleep(0.1)
        self.check()

    def _send(self, stem: str) -> None:
        pile, self.open[stem], self.sizes[stem] = self.open[stem], [], 0
        self.bound.append(self.thread.submit(self._bind, stem, pile))

    def _bind(self, stem: str, pile: Sequence[tuple[str, Path]]) -> None:
        """Make one volume."""
        told = [json.loads(card.read_bytes()) for _, card in pile]
        identifiers = catalogs.merge(self.shelf.library, {card["catalog"] for card in told})
        volume = self.shelf.announce(stem)
        temporary = volume.with_name(f".{secrets.token_hex(8)}.tmp")
        try:
            self._ask(
                {
                    "do": "volume",
                    "cards": [str(card) for _, card in pile],
                    "file": str(temporary),
                    "pack": self.terms.pack,
                    "author": self.terms.author,
                    "licence": self.terms.licence,
                    "catalogs": identifiers,
                }
            )
            with open(temporary, "rb+") as file:
                os.fsync(file.fileno())
            os.replace(temporary, volume)
        except OSError as error:
            raise can_not_write(self.shelf.library, error) from error
        finally:
            remove(temporary)
        self.shelf.enter(volume, {key: card["title"] for (key, _), card in zip(pile, told, strict=True)})
        self.added.new += len(pile)
        self.added.volumes.append(volume)
        self._drop([card for _, card in pile])

    def _ask(self, request: Mapping[str, Any]) -> None:
        """Have a request carried out; by another Blender once more if the one that runs ends over it."""
        try:
            answer = self._answer(request)
        except GanassetsError as error:
            if self.stopped or isinstance(error, InputError):  # a Blender that can't serve stays so
                raise
            answer = self._answer(request)
        if answer["error"]:
            raise GanassetsError(f"Blender couldn't write the library {self.shelf.library}: {answer['error']}.")

    def _answer(self, request: Mapping[str, Any]) -> dict[str, Any]:
        return self._running().ask(dict(request))

    def _running(self) -> Blender:
        """The Blender that runs, or a new one."""
        if not (self.blender and self.blender.usable()):
            self.blender = Blender(self.start)
        self.blender.wait_until_ready()
        return self.blender

    def _drop(self, cards: Sequence[Path]) -> None:
        """Remove the parts that are in a volume now."""
        for path in chain.from_iterable(map(parts_of, cards)):
            if self.terms.pack or path.name.endswith(NOT_PICTURES):
                remove(path)


def parts_of(card: Path) -> list[Path]:
    """The files of an asset: its card and what is called after it."""
    found = card.parent.glob(f"{glob.escape(card.stem)}*")
    return [path for path in found if path.stem.removeprefix(card.stem)[:1] in ("", "_")]
