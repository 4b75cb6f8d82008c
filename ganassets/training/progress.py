"""Show a run's progress on the console, and catch the signals that stop it."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

import psutil
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from .trainer import Trainer

if TYPE_CHECKING:
    from rich.console import Console

# Seconds between records of the log.
LOG_SECONDS = 2.0
# Seconds between lines of progress without a terminal.
LINE_SECONDS = 20.0


def stop_signals() -> list[signal.Signals]:
    """Return the signals that stop a run: Ctrl-C, SIGTERM and, without nohup, a closed terminal."""
    numbers = [signal.SIGINT, signal.SIGTERM]
    hang_up = getattr(signal, "SIGHUP", None)  # Windows has none
    if hang_up is not None and signal.getsignal(hang_up) is not signal.SIG_IGN:
        numbers.append(hang_up)
    return numbers


class ProgressDisplay:
    """Progress on the console: a bar on a terminal, else a line from time to time; means of metrics for the log."""

    def __init__(self, console: Console, trainer: Trainer, quiet: bool = False) -> None:
        self.console, self.trainer = console, trainer
        self.reset()
        self.process = psutil.Process()
        self.bar = Progress(
            SpinnerColumn(),
            TextColumn("[bold]training"),
            BarColumn(),
            TextColumn("{task.percentage:>3.0f}%"),
            TimeElapsedColumn(),
            TextColumn("eta"),
            TimeRemainingColumn(),
            TextColumn("{task.fields[note]}"),
            console=console,
            disable=quiet or not console.is_terminal,
        )
        self.task = self.bar.add_task("", total=trainer.preset.kimg * 1000, completed=trainer.images, note="")

    def reset(self) -> None:
        """Count images, time and metrics from the trainer's current state."""
        self.sums: dict[str, list[float]] = {}
        self.started = self.logged = self.printed = time.monotonic()
        self.logged_images = self.first_images = self.trainer.images

    def __enter__(self) -> ProgressDisplay:
        self.bar.start()
        return self

    def __exit__(self, *exception: object) -> None:
        with suppress(OSError):  # the terminal may be closed
            self.bar.stop()

    def update(self, metrics: dict[str, float]) -> dict[str, float] | None:
        """Add a step's metrics; return a record for the log every LOG_SECONDS, else None.

        The record holds the metrics' means since the last one, the speed and the memory in use.
        """
        for name, value in metrics.items():
            self.sums.setdefault(name, []).append(value)
        now, trainer = time.monotonic(), self.trainer
        self.bar.update(self.task, completed=trainer.images)
        if now - self.logged < LOG_SECONDS:
            return None
        speed = (trainer.images - self.logged_images) / (now - self.logged)
        record = {name: round(sum(values) / len(values), 5) for name, values in self.sums.items()}
        memory = self.process.memory_info().rss / 2**20
        record |= {"images": trainer.images, "images_per_second": round(speed, 2), "memory_mib": round(memory)}
        self.sums, self.logged, self.logged_images = {}, now, trainer.images
        losses = " ".join(f"{name} {record[name]:.3f}" for name in ("g_loss", "d_loss", "distance") if name in record)
        note = f"{speed:.1f} img/s  {losses}  {memory:.0f} MiB"
        self.bar.update(self.task, note=note)
        if self.bar.disable and now - self.printed > LINE_SECONDS:
            self.printed = now
            self._print_line(now, note)
        return record

    def _print_line(self, now: float, note: str) -> None:
        trainer = self.trainer
        rate = max((trainer.images - self.first_images) / (now - self.started), 1e-9)
        eta = (trainer.preset.kimg * 1000 - trainer.images) / rate
        self.console.print(f"{trainer.progress:4.0%}  eta {eta / 60:.0f} min {eta % 60:02.0f} s  {note}")


@contextmanager
def catch_stop_signals() -> Iterator[list[int]]:
    """Yield a list that collects stop signals, so that the loop can finish its step, save and stop.

    A second Ctrl-C raises KeyboardInterrupt. Other signals may repeat: when a terminal closes, both the shell and the
    system send one.
    """
    received: list[int] = []

    def handle(number: int, frame: object) -> None:
        del frame
        if received and number == signal.SIGINT:
            raise KeyboardInterrupt
        received.append(number)

    previous = {number: signal.signal(number, handle) for number in stop_signals()}
    try:
        yield received
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
