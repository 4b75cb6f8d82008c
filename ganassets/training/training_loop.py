"""Run training steps until the run's images are seen: log, save, and return to a checkpoint after a bad step."""

from __future__ import annotations

import time
from pathlib import Path

from ..api.errors import GanassetsError
from .checkpoint import load_newest_intact
from .progress import ProgressDisplay
from .run_folder import CHECKPOINTS
from .run_recorder import RunRecorder
from .trainer import NotFiniteError, Trainer

# Number of snapshots over a run.
SNAPSHOTS_PER_RUN = 12
# Seconds between checkpoints.
CHECKPOINT_SECONDS = 60.0
MAX_ROLLBACKS = 3


class TrainingLoop:
    """Steps of a run.

    Args:
        trainer: Trainer to step.
        recorder: Writes the run's files; None in processes other than the main one.
        display: Progress on the console.
        folder: Folder of the run, whose checkpoints a rollback reads.
    """

    def __init__(self, trainer: Trainer, recorder: RunRecorder | None, display: ProgressDisplay, folder: Path) -> None:
        self.trainer, self.recorder, self.display, self.folder = trainer, recorder, display, folder
        self.saved = time.monotonic()
        self.next_snapshot = next_snapshot(trainer)

    def run(self, stop_signals: list[int]) -> bool:
        """Train to the end of the run; return False when a stop signal ended it early."""
        trainer = self.trainer
        while trainer.images < trainer.preset.kimg * 1000:
            try:
                metrics = trainer.step()
            except NotFiniteError:
                self.roll_back()
                continue
            if self.recorder is not None:
                self.record(self.recorder, metrics)
            if trainer.context.any_process(bool(stop_signals)):
                return False
        return True

    def record(self, recorder: RunRecorder, metrics: dict[str, float]) -> None:
        """Write log record, snapshot and checkpoint when they are due."""
        record = self.display.update(metrics)
        if record:
            recorder.record_log(record)
        if self.trainer.progress * SNAPSHOTS_PER_RUN >= self.next_snapshot and self.trainer.progress < 1:
            self.next_snapshot += 1
            recorder.record_snapshot(self.trainer)
        if time.monotonic() - self.saved > CHECKPOINT_SECONDS:
            recorder.save(self.trainer)
            self.saved = time.monotonic()

    def roll_back(self) -> None:
        """Return to the newest checkpoint and halve the learning rates.

        Raises:
            GanassetsError: It happened more than MAX_ROLLBACKS times.
        """
        trainer = self.trainer
        images, rollbacks, scale = trainer.images, trainer.rollbacks + 1, trainer.rate_scale / 2
        if rollbacks > MAX_ROLLBACKS:
            raise GanassetsError(
                f"the losses stopped being finite {rollbacks} times, the last time at {images} images, although the "
                f"rate was lowered each time; the last checkpoint is kept in {self.folder}; look for odd samples in "
                "the data, or start a new run with a preset of a lower rate or a higher gamma."
            )
        tensors, numbers, _ = load_newest_intact(self.folder / CHECKPOINTS)
        trainer.restore(tensors, numbers)
        trainer.rollbacks, trainer.rate_scale = rollbacks, scale
        trainer.context.barrier()  # all processes have read the checkpoint before the next one is written
        self.next_snapshot = next_snapshot(trainer)
        self.display.reset()
        if self.recorder is None:
            return
        text = (
            f"A loss stopped being finite at {images} images; back to {trainer.images}, learning rates times {scale:g}."
        )
        self.display.console.print(text, soft_wrap=True)
        self.recorder.save(trainer)
        self.recorder.rewind(trainer.images)
        self.recorder.record_event(trainer, "rollback", text)


def next_snapshot(trainer: Trainer) -> int:
    """Return the number of the first snapshot after the trainer's current state."""
    return int(trainer.progress * SNAPSHOTS_PER_RUN) + 1
