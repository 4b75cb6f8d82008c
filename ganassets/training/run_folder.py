"""The files of a run: what is written while it trains, and what of it stands when it goes on from a checkpoint."""

from __future__ import annotations

import json
import math
import os
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ..api.data import PER_SAMPLE, TrainingData, as_float
from ..api.data.records import FileTotals, count_files
from ..api.errors import InputError, PluginError
from ..api.files import read_text
from ..api.latents import latents
from ..api.spec import Condition, GeneratorSpec
from ..api.texts import shell_command
from ..api.writer import can_not_write, write_atomic
from .checkpoint import BEST, checkpoints, save_checkpoint
from .evaluation.monitor import Monitor, pairs_picture
from .lock import LOCK
from .networks import Domain
from .report import write_report
from .settings import MAX_CARD_BYTES
from .snapshot import picture_of
from .trainer import Trainer

RUNS = Path("runs")
CONFIG, LINEAR, CARD = "config.toml", "linear.safetensors", "data.json"
SNAPSHOT_SEEDS = 64
MEASURED_SEEDS = 256
MEASURING_SHARE = 0.05  # of the run's time, at most
SAME = 1e-3  # by which numbers computed twice may differ, relative to the largest


@dataclass(frozen=True)
class DataCard:
    """What a run was trained on (data.json)."""

    name: str
    licence: str
    source: str
    samples: int
    files: FileTotals
    notes: tuple[str, ...]
    conditions: tuple[Condition, ...] | None  # of the data alone, see TrainingData.conditions_of


def card_of(data: TrainingData) -> DataCard:
    """The card of samples."""
    return DataCard(
        data.name, data.licence, data.source, len(data), count_files(data.files), data.notes, data.conditions_of
    )


def fingerprint(data: TrainingData) -> dict[str, np.ndarray]:
    """(n,) float32 mean of each sample's numbers, by the name of the array: tells other samples from these.

    It stays the same, but for rounding, where the samples are made again by another version of a library.
    """
    arrays = {**data.signals, **data.vectors, "conditions": data.conditions}
    arrays |= {name: getattr(data, name) for name in PER_SAMPLE if getattr(data, name) is not None}
    return {name: means_of(array) for name, array in arrays.items()}


def means_of(array: np.ndarray) -> np.ndarray:
    """(n,) float32 means of the finite numbers of each row, some rows at a time."""

    def means(rows: np.ndarray) -> np.ndarray:
        values = np.nan_to_num(as_float(rows).reshape(len(rows), -1))
        return values.mean(1) if values.shape[1] else np.zeros(len(rows), np.float32)

    return np.concatenate([means(array[i : i + 256]) for i in range(0, len(array), 256)])


def check_same(old: Mapping[str, np.ndarray], new: Mapping[str, np.ndarray], run: Path) -> None:
    """InputError where the data of a run give other numbers than when it began."""

    def same(name: str) -> bool:
        a, b = old[name], new[name]
        return a.shape == b.shape and np.allclose(a, b, rtol=SAME, atol=SAME * float(np.abs(a).max(initial=0)))

    if old.keys() != new.keys() or not all(map(same, old)):
        raise InputError(f"the data of {run} are not what they were; put them back as they were, or start a new run.")


def check_conditions(data: TrainingData, run: Path) -> None:
    """InputError where the data of a run have other labels than when it began."""
    try:
        saved = json.loads(read_text(run / CARD, MAX_CARD_BYTES)).get("conditions")
    except (OSError, ValueError, AttributeError) as error:
        raise InputError(f"{run / CARD} is missing or damaged; the run can't go on.") from error
    if saved != json.loads(json.dumps(asdict(card_of(data))["conditions"])):
        raise InputError(f"the data of {run} have other labels than they had; put them back, or start a new run.")


def make_folder(out: Path | None, name: str) -> Path:
    """A new run folder; InputError when it exists or can't be made."""
    try:
        if out is not None:
            out.mkdir(parents=True)
            return out
        for n in range(1, 10_000):
            folder = RUNS / f"{name}-{date.today():%Y%m%d}-{n}"
            try:
                folder.mkdir(parents=True)
                return folder
            except FileExistsError:
                continue
    except FileExistsError as error:
        again = shell_command("--resume", out) if out is not None and (out / CONFIG).is_file() else ""
        advice = f", or go on with {again}" if again else ""
        raise InputError(f"{out} exists already; choose another --out{advice}.") from error
    except OSError as error:
        raise InputError(f"the run folder {out or RUNS} can't be made ({error.strerror}).") from error
    raise InputError("runs holds too many runs of today; tidy it up.")


def has_begun(run: Path) -> bool:
    """Whether a run has ever had a checkpoint: its first is written before anything is logged or drawn."""
    later = ("log.jsonl", "metrics.jsonl", "events.jsonl", "snapshots")
    return bool(checkpoints(run / "checkpoints")) or any((run / name).exists() for name in later)


def remove_unbegun(run: Path) -> None:
    """Remove the folder of a run that failed before its first checkpoint, so that the next try may have its name."""
    if not has_begun(run):
        for name in (CONFIG, LINEAR, CARD, LOCK):
            (run / name).unlink(missing_ok=True)
        with suppress(OSError):  # somebody else's file is in it
            run.rmdir()


class RunFolder:
    """The files of a run.

    Args:
        spec: its generator.
        folder: where they are.
        rows: (r, c) physical conditions of samples.
        domain: the plugin's torch part.
        data: what it trains on.
        seed: of the run.
        seconds: that it has taken already.
    """

    def __init__(
        self,
        spec: GeneratorSpec,
        folder: Path,
        rows: np.ndarray,
        domain: Domain,
        data: TrainingData,
        seed: int,
        seconds: float,
    ) -> None:
        self.spec, self.folder = spec, folder
        self.started = time.monotonic() - seconds
        self.measuring = 0.0
        self.conditions = torch.from_numpy(np.resize(rows, (MEASURED_SEEDS, rows.shape[1])))
        self.monitor = Monitor(spec, domain, data, seed)
        self.best = min((line["distance"] for line in self.lines("metrics.jsonl") if "distance" in line), default=None)

    @property
    def seconds(self) -> float:
        """That the run has taken so far."""
        return round(time.monotonic() - self.started, 1)

    def save(self, trainer: Trainer, name: str | None = None) -> None:
        """Write a checkpoint, named by its images or as told."""
        tensors, numbers = trainer.state()
        save_checkpoint(self.folder / "checkpoints", tensors, numbers | {"seconds": self.seconds}, name)

    def look(self, trainer: Trainer, must: bool = False) -> None:
        """Write a grid from fixed latents and conditions; measure where the run's time allows for it or it must.

        What fails here later than at the start is an event, because the run itself goes well.
        """
        try:
            self.write_look(trainer, must)
        except PluginError as error:
            if not trainer.images:
                raise
            self.event(trainer, "problem", str(error))

    def write_look(self, trainer: Trainer, must: bool) -> None:
        """See look."""
        measured = must or self.measuring <= MEASURING_SHARE * self.seconds
        count = MEASURED_SEEDS if measured else SNAPSHOT_SEEDS
        before = time.monotonic()
        outputs = trainer.snapshot(self.latents(trainer, count), self.conditions[:count])
        strange = [name for name, array in outputs.items() if not np.isfinite(array).all()]
        if strange:
            text = f"Samples have {' and '.join(strange)} with numbers that are not finite; nothing is measured."
            self.event(trainer, "problem", text)
            return
        first = {name: array[:SNAPSHOT_SEEDS] for name, array in outputs.items()}
        self.picture(
            "snapshots", trainer.images, picture_of(self.spec, first, self.conditions[:SNAPSHOT_SEEDS].numpy())
        )
        if measured:
            self.measure(trainer, outputs)
            self.measuring += time.monotonic() - before
        write_report(self.folder)

    def latents(self, trainer: Trainer, count: int) -> Tensor:
        """(count, z_dim) of the seeds 0 to count - 1."""
        return torch.from_numpy(latents(range(count), trainer.preset.z_dim))

    def measure(self, trainer: Trainer, outputs: Mapping[str, np.ndarray]) -> None:
        """Measure what was made against the data; keep the checkpoint that comes nearest."""
        conditions = self.conditions.numpy()
        measured = self.monitor.measure(outputs, conditions)
        near = self.monitor.neighbour_outputs(measured)
        self.picture("nearest", trainer.images, pairs_picture(self.spec, outputs, conditions, *near))
        self.append("metrics.jsonl", {"images": trainer.images, "seconds": self.seconds, **measured.record()})
        distance = measured.distance
        if trainer.images and distance is not None and (self.best is None or distance <= self.best):
            self.save(trainer, BEST)
        if distance is not None:
            self.best = distance if self.best is None else min(self.best, distance)

    def picture(self, kind: str, images: int, content: bytes | None) -> None:
        """Write a picture of a moment."""
        if content is not None:
            write_atomic(self.folder / kind / f"{images:010d}.png", content)

    def event(self, trainer: Trainer, kind: str, text: str) -> None:
        """Note what happened."""
        self.append("events.jsonl", {"images": trainer.images, "seconds": self.seconds, "kind": kind, "text": text})

    def log(self, record: Mapping[str, float]) -> None:
        """Note losses and speed."""
        self.append("log.jsonl", record)

    def append(self, name: str, record: Mapping[str, Any]) -> None:
        """Add a line to a file of records."""
        try:
            with open(self.folder / name, "a", encoding="utf-8") as file:
                file.write(json.dumps(record) + "\n")
        except OSError as error:
            raise can_not_write(self.folder, error) from error

    def lines(self, name: str) -> list[dict[str, Any]]:
        """Records of a file, without lines that were cut off."""
        records = []
        path = self.folder / name
        for line in path.read_text(encoding="utf-8", errors="replace").splitlines() if path.is_file() else ():
            try:
                record = json.loads(line)
            except ValueError:
                continue
            if isinstance(record, dict) and isinstance(record.get("images"), int):
                records.append(record)
        return records

    def rewind(self, images: int) -> None:
        """Drop what came after a checkpoint, because it will come again: records and checkpoints that are damaged.

        Of events, which tell of it, only a line that was cut off goes.
        """
        for path in checkpoints(self.folder / "checkpoints"):
            if path.stem > f"{images:010d}":
                path.unlink()
        for name, last in (("log.jsonl", images), ("metrics.jsonl", images), ("events.jsonl", math.inf)):
            kept = [record for record in self.lines(name) if record["images"] <= last]
            if kept:
                write_atomic(self.folder / name, "".join(json.dumps(record) + "\n" for record in kept).encode())
            elif (self.folder / name).is_file():
                os.unlink(self.folder / name)
