"""Write the assets of a plan into an asset library: .blend files that Blender's Asset Browser shows.

    LIBRARY/blender_assets.cats.txt      list of catalogs, the user's and ours
    LIBRARY/ganassets/index.jsonl        assets of each volume; also the library's lock
    LIBRARY/ganassets/textures-0001.blend, ...   volumes of at most MAX_ASSETS assets and MAX_BYTES
    LIBRARY/ganassets/parts-1a2b3c4d/    parts of assets that are in no volume yet, and images that are not packed

The batch engine generates parts while a background Blender writes volumes of the finished ones. A volume gets its final
name when it is complete, and is then recorded in the index. A volume that was announced in the index but never recorded
is written again.
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
from pathlib import Path
from typing import Any

from ganassets.api.blender import Blender, blender_command
from ganassets.api.errors import GanassetsError, InputError
from ganassets.api.writer import TEMPORARY, write_error
from ganassets.inference.batch.engine import BatchSettings, Progress, UnitFailure, is_done, run_batch
from ganassets.inference.batch.index import Index, to_json_line
from ganassets.inference.batch.journal import Journal, lines_of
from ganassets.inference.batch.plan import BatchUnit, Plan, ResolvedRequest

from . import catalogs
from .errors import LibraryError, VolumeError

FOLDER, INDEX = "ganassets", "index.jsonl"
# Limits of a volume, which is in memory as a whole when Blender opens it: assets, and bytes of their parts.
MAX_ASSETS, MAX_BYTES = 100, 512 * 2**20
SCRIPT = Path(__file__).with_name("addon") / "volume_writer.py"
UNFINISHED = re.compile(f"{TEMPORARY.pattern}@?")  # Blender adds the @ while it writes a file
LOCK_INTERVAL = 0.5  # seconds between attempts to lock a library
CHECK_INTERVAL = 0.1  # seconds between checks whether all volumes are complete
NOT_IMAGES = (".json", ".npz", "_thumb.png")  # suffixes of parts that a volume does not refer to

Report = Callable[[str], None]


def ignore_text(_: str) -> None:
    """Ignore a report."""


def ignore_progress(_done: int, _total: int) -> None:
    """Ignore progress."""


@dataclass(frozen=True)
class LibraryTerms:
    """Settings for storing assets in a library.

    Attributes:
        pack: whether images are stored in the volumes; otherwise they are stored beside them.
        author: author of the assets; may be empty.
        licence: licence of the assets; empty for the model's licence.
    """

    pack: bool = True
    author: str = ""
    licence: str = ""


@dataclass
class LibraryResult:
    """Result of adding assets to a library.

    Attributes:
        new: number of assets that were added.
        there: number of assets that the library had already.
        volumes: paths of the new volumes.
        failures: assets that could not be generated.
    """

    new: int = 0
    there: int = 0
    volumes: list[Path] = field(default_factory=list)
    failures: list[UnitFailure] = field(default_factory=list)


class LibraryIndex:
    """The index of a library's volumes, which is locked while it is open.

    Args:
        library: folder of the library, created if missing.
        report: called repeatedly while another process has locked the library; may raise to stop waiting.

    Attributes:
        keys: keys of the assets in volumes (see ResolvedRequest.key in ganassets.inference.batch.plan).

    Raises:
        InputError: the folder can't be written, or its index is damaged.
    """

    def __init__(self, library: Path, report: Report = ignore_text) -> None:
        self.library, self.folder = library, library / FOLDER
        self.path = self.folder / INDEX
        self.keys: set[str] = set()
        self.numbers: dict[str, int] = {}

        def wait_for_lock() -> None:
            report(f"Another Blender is adding to {library}. This job continues when that one is finished.")
            time.sleep(LOCK_INTERVAL)

        self._journal = Journal(self.path, library, wait_for_lock)
        try:
            self._journal.cut(self._read())
            self._remove_unfinished()
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> LibraryIndex:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Unlock the library."""
        self._journal.close()

    def _remove_unfinished(self) -> None:
        """Remove files that a killed Blender has left half-written; a Blender that still writes one will end soon."""
        for path in self.folder.iterdir():
            if UNFINISHED.fullmatch(path.name):
                remove_file(path)

    def _read(self) -> int:
        """Read the index; returns the size in bytes up to its last complete line."""
        end = 0
        for number, line in enumerate(lines_of(self.path), start=1):
            if not line.endswith(b"\n"):
                break  # the process that wrote it was killed
            try:
                self._add_line(json.loads(line))
            except (ValueError, KeyError, TypeError, RecursionError) as error:
                raise LibraryError(
                    f"{self.path} is damaged in line {number}. Move the folder {self.folder} away, or choose another "
                    "library folder."
                ) from error
            end += len(line)
        return end

    def _add_line(self, line: Mapping[str, Any]) -> None:
        volume = str(line["volume"])
        stem, _, number = volume.removesuffix(".blend").rpartition("-")
        if "/" in volume or not stem:
            raise ValueError(volume)
        if "assets" in line:
            self.numbers[stem] = max(int(number), self.numbers.get(stem, 0))
            if (self.folder / volume).is_file():  # the assets of a volume that the user has removed can be added again
                self.keys.update(map(str, line["assets"]))

    def announce(self, stem: str) -> Path:
        """Choose the path of the next volume and announce it in the index.

        An existing file is replaced if its name was announced but not recorded; other files keep their names.

        Args:
            stem: start of the file name.
        """
        announced = self._announced(stem)
        number = self.numbers.get(stem, 0) + 1
        while (path := self.folder / f"{stem}-{number:04d}.blend").exists() and path.name not in announced:
            number += 1
        self.numbers[stem] = number
        self._journal.write(to_json_line({"volume": path.name}))
        return path

    def _announced(self, stem: str) -> set[str]:
        lines = [json.loads(line) for line in lines_of(self.path)]
        return {line["volume"] for line in lines if line["volume"].startswith(f"{stem}-")}

    def record(self, volume: Path, assets: Mapping[str, str]) -> None:
        """Record a complete volume.

        Args:
            volume: path of the volume.
            assets: titles of its assets by key.
        """
        self._journal.write(to_json_line({"volume": volume.name, "assets": dict(assets)}))
        self.keys.update(assets)


def add_to_library(
    plan: Plan,
    library: Path,
    terms: LibraryTerms,
    settings: BatchSettings,
    progress: Progress = ignore_progress,
    report: Report = ignore_text,
) -> LibraryResult:
    """Generate the assets of a plan that a library does not have, and add them to it.

    Args:
        plan: a checked plan of jobs with the format "parts".
        library: folder of the library, created if missing.
        terms: how the assets are stored.
        settings: how the assets are generated.
        progress: receives (done, total) after each asset and each volume; may raise to stop.
        report: receives a line when the library is locked, or when the last volumes are being written.

    Raises:
        InputError: the library can't be written, or there is no Blender.
        GanassetsError: no further asset can be generated.
    """
    start = blender_command(SCRIPT, "asset libraries need")

    def report_lock(line: str) -> None:
        report(line)
        progress(0, len(plan))

    with LibraryIndex(library, report_lock) as index:
        parts = index.folder / f"parts-{plan_digest(plan)}"
        missing = {job.key(unit) for job, unit in plan} - index.keys
        result = LibraryResult(there=len(plan) - len(missing))
        if not missing:
            remove_parts(parts, all_files=terms.pack)
            return result
        with VolumeWriter(index, terms, parts, start, result) as writer:
            done = result.there
            for job, unit in finished_units(plan, parts, missing):
                writer.add(job, unit)
                done += 1

            def count(n: int, _total: int) -> None:
                progress(done + n, len(plan))

            def add(job: ResolvedRequest, unit: BatchUnit) -> None:
                writer.add(job, unit)
                writer.raise_errors()

            summary = run_batch(plan, parts, settings, count, report, add, elsewhere=frozenset(index.keys))
            progress(len(plan), len(plan))
            report("Writing the library.")
            for _ in writer.finish():
                progress(len(plan), len(plan))
        result.failures = summary.failures
        remove_parts(parts, all_files=terms.pack)
    return result


def plan_digest(plan: Plan) -> str:
    """Short digest of the assets in a plan, for the name of a folder."""
    digest = hashlib.sha256()
    for job, unit in plan:
        digest.update(job.key(unit).encode())
    return digest.hexdigest()[:8]


def finished_units(plan: Plan, parts: Path, missing: set[str]) -> Iterator[tuple[ResolvedRequest, BatchUnit]]:
    """Iterate over units whose parts an interrupted run has generated, but which are in no volume."""
    if not parts.is_dir():
        return
    with Index(parts) as index:
        found = [(job, unit) for job, unit in plan if job.key(unit) in missing and is_done(index, parts, job, unit)]
    yield from found


def remove_parts(parts: Path, all_files: bool) -> None:
    """Remove parts of assets that are in volumes.

    Args:
        parts: folder with the parts.
        all_files: whether to remove the images too, to which volumes refer unless they are packed.
    """
    if all_files:
        shutil.rmtree(parts, ignore_errors=True)
    elif parts.is_dir():
        for path in parts.rglob("*"):
            if path.name.endswith(NOT_IMAGES) or path.suffix == ".jsonl":
                remove_file(path)


def remove_file(path: Path) -> None:
    """Remove a file that is not needed; on Windows it stays if another program has opened it."""
    with contextlib.suppress(OSError):
        path.unlink(missing_ok=True)


class VolumeWriter:
    """Writes volumes in a background Blender, from a thread of its own.

    Args:
        index: index of the library.
        terms: how the assets are stored.
        parts: folder with the parts.
        start: command of the background Blender.
        result: counts the assets and volumes.
    """

    def __init__(
        self, index: LibraryIndex, terms: LibraryTerms, parts: Path, start: list[str], result: LibraryResult
    ) -> None:
        self.index, self.terms, self.parts, self.start, self.result = index, terms, parts, start, result
        self.open: dict[str, list[tuple[str, Path]]] = {}  # (key, card) of the next volume's assets, by its stem
        self.sizes: dict[str, int] = {}  # bytes of their parts
        self.thread = ThreadPoolExecutor(1)
        self.blender: Blender | None = None
        self.stopped = False
        # Start Blender now, so that an unsuitable one is known before all assets are generated.
        self.futures: list[Future[Any]] = [self.thread.submit(self._ready_blender)]

    def __enter__(self) -> VolumeWriter:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        for future in self.futures:
            future.cancel()
        self.stopped = kind is not None
        if kind and self.blender:
            self.blender.process.kill()  # the volume that it writes has only a temporary name
        self.thread.shutdown()
        if self.blender:
            self.blender.close()

    def add(self, job: ResolvedRequest, unit: BatchUnit) -> None:
        """Add a unit, whose parts are generated, to the next volume."""
        card = self.parts / f"{job.path(unit)}.json"
        assets = self.open.setdefault(job.generator, [])
        assets.append((job.key(unit), card))
        self.sizes[job.generator] = self.sizes.get(job.generator, 0) + sum(p.stat().st_size for p in asset_files(card))
        if len(assets) == MAX_ASSETS or self.sizes[job.generator] > MAX_BYTES:
            self._submit(job.generator)

    def raise_errors(self) -> None:
        """Raise the error of a volume that could not be written."""
        for future in self.futures:
            if future.done():
                future.result()

    def finish(self) -> Iterator[None]:
        """Write the remaining volumes; yields repeatedly until all are complete."""
        for stem in [stem for stem, assets in self.open.items() if assets]:
            self._submit(stem)
        while any(not future.done() for future in self.futures):
            yield
            time.sleep(CHECK_INTERVAL)
        self.raise_errors()

    def _submit(self, stem: str) -> None:
        assets, self.open[stem], self.sizes[stem] = self.open[stem], [], 0
        self.futures.append(self.thread.submit(self._write_volume, stem, assets))

    def _write_volume(self, stem: str, assets: Sequence[tuple[str, Path]]) -> None:
        cards = [json.loads(path.read_bytes()) for _, path in assets]
        identifiers = catalogs.add_catalogs(self.index.library, {card["catalog"] for card in cards})
        volume = self.index.announce(stem)
        temporary = volume.with_name(f".{secrets.token_hex(8)}.tmp")
        try:
            self._request(
                {
                    "do": "volume",
                    "cards": [str(path) for _, path in assets],
                    "file": str(temporary),
                    "pack": self.terms.pack,
                    "author": self.terms.author,
                    "licence": self.terms.licence,
                    "catalogs": identifiers,
                }
            )
            with temporary.open("rb+") as file:
                os.fsync(file.fileno())
            temporary.replace(volume)
        except OSError as error:
            raise write_error(self.index.library, error) from error
        finally:
            remove_file(temporary)
        self.index.record(volume, {key: card["title"] for (key, _), card in zip(assets, cards, strict=True)})
        self.result.new += len(assets)
        self.result.volumes.append(volume)
        for _, path in assets:
            self._remove_written(path)

    def _request(self, request: dict[str, Any]) -> None:
        """Send a request to Blender; if that Blender ends, send it to another one once."""
        try:
            answer = self._ready_blender().ask(request)
        except GanassetsError as error:
            if self.stopped or isinstance(error, InputError):  # an unsuitable Blender stays unsuitable
                raise
            answer = self._ready_blender().ask(request)
        if answer["error"]:
            raise VolumeError(f"Blender couldn't write the library {self.index.library}: {answer['error']}.")

    def _ready_blender(self) -> Blender:
        """The running Blender, or a new one."""
        if not (self.blender and self.blender.usable()):
            self.blender = Blender(self.start)
        self.blender.wait_until_ready()
        return self.blender

    def _remove_written(self, card: Path) -> None:
        """Remove the parts of an asset that is in a volume, except images to which the volume refers."""
        for path in asset_files(card):
            if self.terms.pack or path.name.endswith(NOT_IMAGES):
                remove_file(path)


def asset_files(card: Path) -> list[Path]:
    """Files of an asset: its card, and the files whose names start with its name."""
    found = card.parent.glob(f"{glob.escape(card.stem)}*")
    return [path for path in found if path.stem.removeprefix(card.stem)[:1] in ("", "_")]
