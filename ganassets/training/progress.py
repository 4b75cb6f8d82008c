"""Progress of a run on the console, and the signals that stop it."""

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

LOG_SECONDS = 2.0
LINE_SECONDS = 20.0  # between lines of progress where there is no terminal


def stop_signals() -> list[signal.Signals]:
    """Signals that stop a run: Ctrl-C, SIGTERM, and a closed terminal, unless nohup keeps the process from it."""
    numbers = [signal.SIGINT, signal.SIGTERM]
    hang_up = getattr(signal, "SIGHUP", None)  # not on Windows
    if hang_up is not None and signal.getsignal(hang_up) is not signal.SIG_IGN:
        numbers.append(hang_up)
    return numbers


class Watch:
    """Progress on the console: bar with ETA on a terminal, a line now and then elsewhere; averages for the log."""

    def __init__(self, console: Console, trainer: Trainer, quiet: bool = False) -> None:
        self.console, self.trainer = console, trainer
        self.begin()
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

    def begin(self) -> None:
        """Count images, time and losses from where the trainer is now."""
        self.sums: dict[str, list[float]] = {}
        self.started = self.logged = self.told = time.monotonic()
        self.logged_images = self.first_images = self.trainer.images

    def __enter__(self) -> Watch:
        self.bar.start()
        return self

    def __exit__(self, *exception: object) -> None:
        with suppress(OSError):  # the terminal may be gone
            self.bar.stop()

    def update(self, metrics: dict[str, float]) -> dict[str, float] | None:
        """Take a step's metrics; every LOG_SECONDS return their means with speed and memory."""
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
        if self.bar.disable and now - self.told > LINE_SECONDS:
            self.told = now
            rate = max((trainer.images - self.first_images) / (now - self.started), 1e-9)
            eta = (trainer.preset.kimg * 1000 - trainer.images) / rate
            self.console.print(f"{trainer.progress:4.0%}  eta {eta / 60:.0f} min {eta % 60:02.0f} s  {note}")
        return record


@contextmanager
def stop_requests() -> Iterator[list[int]]:
    """A list that a signal is put into: the running step ends, then the loop saves and stops.

    A second Ctrl-C stops at once. Other signals may come many times, as when a terminal is closed: the shell and the
    system both say so.
    """
    stopping: list[int] = []

    def handle(number: int, frame: object) -> None:
        if stopping and number == signal.SIGINT:
            raise KeyboardInterrupt
        stopping.append(number)

    kept = {number: signal.signal(number, handle) for number in stop_signals()}
    try:
        yield stopping
    finally:
        for number, handler in kept.items():
            signal.signal(number, handler)
