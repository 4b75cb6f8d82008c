"""A training run in its folder: start, go on, stop at any moment."""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import psutil
import torch
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from ..data import TrainingData
from ..errors import GanassetsError, InputError
from ..latents import latents
from ..networks import LinearFit, count_parameters, fit_linear
from ..spec import GeneratorSpec, Preset
from ..writer import write_atomic
from .checkpoint import load_checkpoint, load_fit, newest_checkpoint, save_checkpoint, save_fit
from .hardware import apply_hardware, choose_hardware
from .objective import OBJECTIVES
from .settings import RunSettings, read_settings, to_toml
from .snapshot import picture_of
from .trainer import Trainer

if TYPE_CHECKING:
    from rich.console import Console

CONDITION_ROWS = 512
SNAPSHOTS = 12  # over the run
SNAPSHOT_SEEDS = 32
LOG_SECONDS = 2.0
CHECKPOINT_SECONDS = 60.0
LINE_SECONDS = 20.0  # between lines of progress where there is no terminal


@dataclass(frozen=True)
class DataCard:
    """What a run was trained on (data.json)."""

    name: str
    licence: str
    source: str
    samples: int
    problems: tuple[tuple[str, str], ...]
    notes: tuple[str, ...]


def train(
    spec: GeneratorSpec,
    preset: Preset,
    *,
    out: Path | None,
    seed: int,
    objective: str,
    device: str,
    threads: int | None,
    data_options: Mapping[str, Any],
    console: Console,
) -> Path:
    """Train a generator and return its run folder.

    Args:
        spec: the generator.
        preset: sizes and length, with the user's changes.
        out: run folder to make (must not exist), or None for runs/<generator>-<date>-<n>.
        seed: of everything random; the same seed on the same CPU gives the same weights.
        objective: "rpgan" or "minimax".
        device, threads: see choose_hardware.
        data_options: of the plugin's dataset.
        console: where progress goes.
    """
    if objective not in OBJECTIVES:
        raise InputError(f"there is no objective {objective!r}; choose one of {', '.join(OBJECTIVES)}.")
    hardware = choose_hardware(device, threads)
    options = {key: str(value) for key, value in data_options.items() if value is not None}
    settings = RunSettings(spec.name, preset, objective, seed, hardware, options)
    apply_hardware(hardware)
    data = prepare(spec, settings, console)
    folder = make_folder(out, spec.name)
    fit = fit_linear(data, preset.z_dim, preset.components, np.random.default_rng([seed, 3]))
    rows = data.conditions[np.random.default_rng([seed, 4]).permutation(len(data))[:CONDITION_ROWS]]
    save_fit(folder / "linear.safetensors", fit, rows)
    card = DataCard(data.name, data.licence, data.source, len(data), data.problems, data.notes)
    write_atomic(folder / "data.json", json.dumps(asdict(card), indent=1).encode())
    write_atomic(folder / "config.toml", to_toml(settings).encode())
    return go_on(spec, settings, data, fit, rows, folder, None, console)


def resume(spec: GeneratorSpec, run: Path, console: Console) -> Path:
    """Go on with a run from its newest checkpoint, everything restored."""
    settings = read_settings(run / "config.toml")
    if settings.generator != spec.name:
        raise InputError(f"{run} is a run of {settings.generator}, not of {spec.name}.")
    newest = newest_checkpoint(run / "checkpoints")
    apply_hardware(settings.hardware)
    fit, rows = load_fit(run / "linear.safetensors")
    data = prepare(spec, settings, console)
    check_constants(fit, data, run)
    return go_on(spec, settings, data, fit, rows, run, newest, console)


def check_constants(fit: LinearFit, data: TrainingData, run: Path) -> None:
    """InputError where the data of a run give other constants than when it began."""

    def same(name: str) -> bool:
        old, new = fit.constants[name], data.constants[name]
        return old.shape == new.shape and np.allclose(old, new, rtol=1e-3, atol=1e-3 * float(np.abs(old).max()))

    if fit.constants.keys() != data.constants.keys() or not all(map(same, fit.constants)):
        raise InputError(f"the data of {run} are not what they were; put them back as they were, or start a new run.")


def go_on(
    spec: GeneratorSpec,
    settings: RunSettings,
    data: TrainingData,
    fit: LinearFit,
    rows: np.ndarray,
    folder: Path,
    checkpoint: Path | None,
    console: Console,
) -> Path:
    """Train from a checkpoint, or from the start, to the end."""
    preset, hardware = settings.preset, settings.hardware
    trainer = Trainer(preset, spec.domain(preset, fit), data, settings.objective, hardware, settings.seed, spec.noise)
    seconds = 0.0
    if checkpoint is not None:
        tensors, numbers = load_checkpoint(checkpoint)
        trainer.restore(tensors, numbers)
        seconds = numbers.get("seconds", 0.0)
    count = [count_parameters(network) for network in (trainer.generator, trainer.discriminator)]
    console.print(
        f"{hardware.device}, {hardware.threads} threads, {hardware.precision}"
        f"{', channels last' if hardware.channels_last else ''}; generator {count[0] / 1e6:.2f} M, "
        f"discriminator {count[1] / 1e6:.2f} M parameters; {len(data)} samples; into {folder}"
    )
    run = RunFolder(spec, folder, rows, seconds)
    if checkpoint is None:
        run.snapshot(trainer)
        run.save(trainer)
    with Watch(console, trainer) as watch, stop_requests() as stopping:
        done = loop(trainer, run, watch, stopping)
    run.save(trainer)
    if not done:
        console.print(f"Stopped; saved. Go on with: ganassets train {spec.name} --resume {folder}", soft_wrap=True)
        raise KeyboardInterrupt
    run.snapshot(trainer)
    return folder


def loop(trainer: Trainer, run: RunFolder, watch: Watch, stopping: list[int]) -> bool:
    """Step until the run's images are seen; False when a stop was asked for."""
    total = trainer.preset.kimg * 1000
    saved = time.monotonic()
    next_snapshot = np.floor(trainer.progress * SNAPSHOTS) + 1
    while trainer.images < total:
        metrics = trainer.step()
        if not all(np.isfinite(value) for value in metrics.values()):
            raise GanassetsError(
                f"the losses stopped being finite at {trainer.images} images; the last checkpoint is kept in "
                f"{run.folder}; try a lower rate or a higher gamma."
            )
        record = watch.update(metrics)
        if record:
            run.log(record)
        if trainer.progress * SNAPSHOTS >= next_snapshot:
            next_snapshot += 1
            run.snapshot(trainer)
        if stopping:
            return False
        if time.monotonic() - saved > CHECKPOINT_SECONDS:
            run.save(trainer)
            saved = time.monotonic()
    return True


class RunFolder:
    """The files of a run that has already taken some seconds."""

    def __init__(self, spec: GeneratorSpec, folder: Path, rows: np.ndarray, seconds: float) -> None:
        self.spec, self.folder = spec, folder
        self.started = time.monotonic() - seconds
        self.conditions = torch.from_numpy(np.resize(rows, (SNAPSHOT_SEEDS, rows.shape[1])))

    def save(self, trainer: Trainer) -> None:
        """Write a checkpoint."""
        tensors, numbers = trainer.state()
        seconds = round(time.monotonic() - self.started, 1)
        save_checkpoint(self.folder / "checkpoints", tensors, numbers | {"seconds": seconds})

    def snapshot(self, trainer: Trainer) -> None:
        """Write a grid from fixed latents and conditions."""
        z = torch.from_numpy(latents(range(SNAPSHOT_SEEDS), trainer.preset.z_dim))
        picture = picture_of(self.spec, trainer.snapshot(z, self.conditions), self.conditions.numpy())
        if picture is not None:
            (self.folder / "snapshots").mkdir(exist_ok=True)
            write_atomic(self.folder / "snapshots" / f"{trainer.images:010d}.png", picture)

    def log(self, record: dict[str, float]) -> None:
        """Append a line to log.jsonl."""
        try:
            with open(self.folder / "log.jsonl", "a", encoding="utf-8") as file:
                file.write(json.dumps(record) + "\n")
        except OSError as error:
            raise GanassetsError(
                f"can't write in {self.folder} ({error.strerror}); make room, then go on with --resume {self.folder}."
            ) from error


class Watch:
    """Progress on the console: bar with ETA on a terminal, a line now and then elsewhere; averages for the log."""

    def __init__(self, console: Console, trainer: Trainer) -> None:
        self.console, self.trainer = console, trainer
        self.sums: dict[str, list[float]] = {}
        self.started = self.logged = self.told = time.monotonic()
        self.logged_images = self.first_images = trainer.images
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
            disable=not console.is_terminal,
        )
        self.task = self.bar.add_task("", total=trainer.preset.kimg * 1000, completed=trainer.images, note="")

    def __enter__(self) -> Watch:
        self.bar.start()
        return self

    def __exit__(self, *exception: object) -> None:
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
    """A list that a signal is put into: the running step ends, then the loop saves and stops. A second one kills."""
    stopping: list[int] = []

    def handle(number: int, frame: object) -> None:
        if stopping:
            raise KeyboardInterrupt
        stopping.append(number)

    kept = {number: signal.signal(number, handle) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stopping
    finally:
        for number, handler in kept.items():
            signal.signal(number, handler)


def prepare(spec: GeneratorSpec, settings: RunSettings, console: Console) -> TrainingData:
    """The plugin's training samples, with progress; files that were left out are listed."""
    with Progress(console=console, disable=not console.is_terminal, transient=True) as bar:
        task = bar.add_task("preparing samples", total=None)
        data = spec.dataset(
            settings.preset,
            settings.data_options,
            settings.seed,
            lambda done, total: bar.update(task, completed=done, total=total),
        )
    for note in data.notes:
        console.print(note, soft_wrap=True, markup=False)
    for file, problem in data.problems:
        console.print(f"left out {file}: {problem}", soft_wrap=True, markup=False)
    return data


def make_folder(out: Path | None, name: str) -> Path:
    """A new run folder; InputError when it exists or can't be made."""
    try:
        if out is not None:
            out.mkdir(parents=True)
            return out
        for n in range(1, 10_000):
            folder = Path("runs") / f"{name}-{date.today():%Y%m%d}-{n}"
            try:
                folder.mkdir(parents=True)
                return folder
            except FileExistsError:
                continue
    except FileExistsError as error:
        raise InputError(f"{out} exists already; choose another --out, or go on with --resume {out}.") from error
    except OSError as error:
        raise InputError(f"the run folder {out or 'runs'} can't be made ({error.strerror}).") from error
    raise InputError("runs holds too many runs of today; tidy it up.")
