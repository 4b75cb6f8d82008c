"""Write what a run leaves in its folder while it trains: checkpoints, snapshots, measures, records and the report."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from ..api.data import TrainingData
from ..api.errors import PluginError
from ..api.latents import latents
from ..api.spec import GeneratorSpec
from ..api.writer import write_atomic
from .checkpoint import BEST, save_checkpoint
from .evaluation.monitor import Monitor, draw_nearest_pairs
from .evaluation.samples import match_size
from .networks import Domain
from .report import write_report
from .run_folder import (
    CHECKPOINTS,
    COMPARISON,
    COMPARISON_DATA,
    EVENTS,
    LOG,
    METRICS,
    NEAREST,
    SNAPSHOTS,
    list_checkpoints,
)
from .run_log import RunLog
from .snapshot import draw_samples
from .trainer import Trainer

SNAPSHOT_SEEDS = 64
MEASURED_SEEDS = 256
# Samples that are shown beside training samples.
COMPARED_SEEDS = 16
# Largest share of a run's time that measuring may take.
MEASURING_SHARE = 0.05


class RunRecorder:
    """Writes the files of a run; only the main process has one.

    Args:
        spec: Generator of the run.
        folder: Folder of the run.
        rows: (r, c) physical conditions of samples.
        domain: The plugin's domain.
        data: Training samples.
        seed: Random seed of the run.
        seconds: Time that the run took before it was resumed.
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
        self.records = RunLog(folder)
        self.started = time.monotonic() - seconds
        self.measuring_seconds = 0.0
        self.conditions = torch.from_numpy(np.resize(rows, (MEASURED_SEEDS, rows.shape[1])))
        self.monitor = Monitor(spec, domain, data, seed)
        measured = [record["distance"] for record in self.records.read(METRICS) if "distance" in record]
        self.best_distance = min(measured, default=None)

    @property
    def seconds(self) -> float:
        """Time that the run took so far, in seconds rounded to a tenth."""
        return round(self._elapsed(), 1)

    def _elapsed(self) -> float:
        return time.monotonic() - self.started

    def save(self, trainer: Trainer, name: str | None = None) -> None:
        """Write a checkpoint, named by its images or by `name`."""
        tensors, numbers = trainer.state()
        save_checkpoint(self.folder / CHECKPOINTS, tensors, numbers | {"seconds": self.seconds}, name)

    def record_snapshot(self, trainer: Trainer, must_measure: bool = False) -> None:
        """Write a grid of samples with fixed latents and conditions, measure them, and write the report.

        Measuring is skipped while it would take more than MEASURING_SHARE of the run's time. When the plugin fails
        after the start, the run continues and an event is recorded.

        Args:
            trainer: Trainer of the run.
            must_measure: Measure in any case.

        Raises:
            PluginError: The plugin failed at the start of the run.
        """
        try:
            self._record_snapshot(trainer, must_measure)
        except PluginError as error:
            if not trainer.images:
                raise
            self.record_event(trainer, "problem", str(error))

    def _record_snapshot(self, trainer: Trainer, must_measure: bool) -> None:
        # Not of `seconds`: rounded, the first tenth of a second would count as no time at all.
        measures = must_measure or self.measuring_seconds <= MEASURING_SHARE * self._elapsed()
        count = MEASURED_SEEDS if measures else SNAPSHOT_SEEDS
        before = time.monotonic()
        outputs = trainer.snapshot(self.fixed_latents(trainer, count), self.conditions[:count])
        broken = [name for name, array in outputs.items() if not np.isfinite(array).all()]
        if broken:
            text = f"Samples have {' and '.join(broken)} with numbers that are not finite; nothing is measured."
            self.record_event(trainer, "problem", text)
            return
        shown = {name: array[:SNAPSHOT_SEEDS] for name, array in outputs.items()}
        image = draw_samples(self.spec, shown, self.conditions[:SNAPSHOT_SEEDS].numpy())
        self.write_image(SNAPSHOTS, trainer.images, image)
        if measures:
            self.record_measures(trainer, outputs)
            self.measuring_seconds += time.monotonic() - before
        write_report(self.folder)

    def fixed_latents(self, trainer: Trainer, count: int) -> Tensor:
        """Return (count, z_dim) latents of the seeds 0 to count - 1."""
        return torch.from_numpy(latents(range(count), trainer.preset.z_dim))

    def record_measures(self, trainer: Trainer, outputs: Mapping[str, np.ndarray]) -> None:
        """Measure outputs against the data, and save the checkpoint that is nearest so far."""
        conditions = self.conditions.numpy()
        scores = self.monitor.measure(outputs, conditions)
        neighbours, neighbour_conditions = self.monitor.neighbour_outputs(scores)
        image = draw_nearest_pairs(self.spec, outputs, conditions, neighbours, neighbour_conditions)
        self.write_image(NEAREST, trainer.images, image)
        self.record_comparison(trainer, outputs)
        self.records.append(METRICS, {"images": trainer.images, "seconds": self.seconds, **scores.record()})
        distance = scores.distance
        if distance is None:
            return
        if trainer.images and (self.best_distance is None or distance <= self.best_distance):
            self.save(trainer, BEST)
        self.best_distance = distance if self.best_distance is None else min(self.best_distance, distance)

    def record_comparison(self, trainer: Trainer, outputs: Mapping[str, np.ndarray]) -> None:
        """Draw samples, and once training samples under the same conditions, at the same size.

        Samples keep their margin, which the plugin's own drawing may expect; training samples are continued to it.
        """
        conditions = self.conditions.numpy()[:COMPARED_SEEDS]
        real, real_conditions = self.monitor.similar_outputs(conditions)
        samples = {name: array[: len(conditions)] for name, array in outputs.items()}
        real = {name: match_size(real[name], array.shape[2:]) for name, array in samples.items()}
        self.write_image(COMPARISON, trainer.images, draw_samples(self.spec, samples, conditions))
        path = self.folder / COMPARISON / COMPARISON_DATA
        image = None if path.exists() else draw_samples(self.spec, real, real_conditions)
        if image is not None:
            write_atomic(path, image)

    def write_image(self, folder: str, images: int, content: bytes | None) -> None:
        """Write a PNG named by the images that training had seen; nothing without content."""
        if content is not None:
            write_atomic(self.folder / folder / f"{images:010d}.png", content)

    def record_event(self, trainer: Trainer, kind: str, text: str) -> None:
        """Record an event, such as a rollback."""
        self.records.append(EVENTS, {"images": trainer.images, "seconds": self.seconds, "kind": kind, "text": text})

    def record_log(self, record: Mapping[str, float]) -> None:
        """Record losses and speed."""
        self.records.append(LOG, record)

    def rewind(self, images: int) -> None:
        """Drop records and damaged checkpoints after a checkpoint, because the run will write them again."""
        for path in list_checkpoints(self.folder / CHECKPOINTS):
            if path.stem > f"{images:010d}":
                path.unlink()
        self.records.rewind(images)
