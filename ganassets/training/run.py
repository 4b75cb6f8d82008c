"""A training run in its folder: start, go on, stop at any moment."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from rich.progress import Progress

from ..api.data import TrainingData
from ..api.data.records import summarize_left_out
from ..api.errors import GanassetsError, InputError
from ..api.plugin_calls import make_dataset
from ..api.spec import GeneratorSpec, Preset
from ..api.texts import shell_command
from ..api.writer import write_atomic
from ..inference.model import inspect_model
from ..inference.model_search import check_trusted
from .checkpoint import load_fit, newest_whole, save_fit
from .checks import check_export, check_networks, check_spec, checked_noise, make_domain
from .distributed import Team, check_share, in_torchrun, make_team
from .fine_tune import Start, read_start
from .hardware import apply_hardware, choose_hardware
from .initialization import fit_of, with_latents
from .lock import lock_run
from .loss import OBJECTIVES
from .networks import Domain, LinearFit, count_parameters
from .progress import Watch, stop_requests
from .run_folder import (
    CARD,
    CONFIG,
    LINEAR,
    RunFolder,
    card_of,
    check_conditions,
    check_same,
    fingerprint,
    has_begun,
    make_folder,
    remove_unbegun,
)
from .settings import RunSettings, read_settings, to_toml
from .trainer import NotFiniteError, Trainer

if TYPE_CHECKING:
    from rich.console import Console

CONDITION_ROWS = 512
LOOKS = 12  # snapshots over the run
CHECKPOINT_SECONDS = 60.0
MOST_ROLLBACKS = 3
# Tells the processes that a run starts which folder it chose.
FOLDER_VARIABLE = "GANASSETS_RUN_FOLDER"


@dataclass(frozen=True, eq=False)
class Prepared:
    """What a run trains with.

    Attributes:
        settings: of the run.
        data: its samples.
        fit: the linear model of them.
        rows: (r, c) conditions of samples.
        folder: of the run.
        team: the processes that train.
    """

    settings: RunSettings
    data: TrainingData
    fit: LinearFit
    rows: np.ndarray
    folder: Path
    team: Team


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
    devices: int = 1,
    start: Path | None = None,
    precision: str = "auto",
) -> Path:
    """Train a generator and return its run folder.

    Args:
        spec: the generator.
        preset: sizes and length, with the user's changes.
        out: run folder to make (must not exist), or None for runs/<generator>-<date>-<n>.
        seed: of everything random; the same seed, threads and precision on the same CPU give the same weights.
        objective: a key of OBJECTIVES.
        device, threads, precision: see choose_hardware.
        data_options: of the plugin's dataset.
        console: where progress goes.
        devices: processes of this machine that train together, each on a device or on its share of the threads.
        start: model file whose generator the run starts from, in place of an untrained one.
    """
    check_spec(spec)
    if objective not in OBJECTIVES:
        raise InputError(f"there is no objective {objective!r}; choose one of {', '.join(OBJECTIVES)}.")
    check_share(preset.batch, devices)
    started = None if start is None else read_start(start, spec)
    hardware = choose_hardware(device, threads, devices, precision)
    options = {key: str(value) for key, value in data_options.items() if value is not None}
    settings = RunSettings(spec.name, preset, objective, seed, hardware, options, str(start or ""))
    folder, team = gather(spec, settings, out)
    ours = False
    try:
        with lead(folder, team):
            ours = team.leads
            return begin(spec, settings, started, folder, team, console)
    except BaseException:
        if ours:  # not where another process has the lock
            remove_unbegun(folder)
        raise


@contextmanager
def lead(folder: Path, team: Team) -> Iterator[None]:
    """Hold the lock of a run in the process that writes its files."""
    if not team.leads:
        yield
        return
    with lock_run(folder):
        yield


def begin(
    spec: GeneratorSpec, settings: RunSettings, started: Start | None, folder: Path, team: Team, console: Console
) -> Path:
    """Train from the beginning in a folder that holds nothing yet, or what a killed process began with."""
    if team.leads:
        write_atomic(folder / CONFIG, to_toml(settings).encode())  # first, so that --resume can begin again
    apply_hardware(settings.hardware)
    data = prepare(spec, settings, console if team.leads else None)
    if team.leads:
        write_beginning(settings, data, started, folder)
    team.wait()
    fit, rows, _ = load_fit(folder / LINEAR)
    return go_on(spec, Prepared(settings, data, fit, rows, folder, team), console, started)


def gather(spec: GeneratorSpec, settings: RunSettings, out: Path | None) -> tuple[Path, Team]:
    """The run's folder, made once, and the processes that train in it."""
    hardware = settings.hardware
    if in_torchrun():
        if out is None:
            raise InputError("say with --out where the run goes, so that all processes know it.")
        team = make_team(hardware.device, hardware.devices)
        if team.leads:
            make_folder(out, spec.name)
        return out, team
    chosen = os.environ.get(FOLDER_VARIABLE) if hardware.devices > 1 else None
    folder = Path(chosen) if chosen else make_folder(out, spec.name)
    if hardware.devices > 1:
        os.environ[FOLDER_VARIABLE] = str(folder)
    return folder, make_team(hardware.device, hardware.devices)


def write_beginning(settings: RunSettings, data: TrainingData, start: Start | None, folder: Path) -> None:
    """Write what a run begins with: linear model, the data's card."""
    preset, seed = settings.preset, settings.seed
    fit = (start.fit if start else fit_of)(preset, data, np.random.default_rng([seed, 3]))
    rows = data.conditions[np.random.default_rng([seed, 4]).permutation(len(data))[:CONDITION_ROWS]]
    save_fit(folder / LINEAR, fit, rows, fingerprint(data))
    write_atomic(folder / CARD, json.dumps(asdict(card_of(data)), indent=1).encode())


def resume(spec: GeneratorSpec, run: Path, console: Console, trusted: bool = False) -> Path:
    """Go on with a run from its newest checkpoint, everything restored; from the beginning where it has none yet.

    Args:
        spec: the generator.
        run: its folder.
        console: where progress goes.
        trusted: whether the user trusts the model that the run starts from.

    Raises:
        InputError: the folder is damaged, of another generator, or names a model that is not trusted.
    """
    settings = read_settings(run / CONFIG)
    if settings.generator != spec.name:
        raise InputError(f"{run} is a run of {settings.generator}, not of {spec.name}.")
    begun = has_begun(run)  # before the processes meet, behind which the first of them writes
    started = None
    if settings.start and not begun:
        check_trusted(inspect_model(Path(settings.start)), trusted)  # the folder may be a stranger's
        started = read_start(Path(settings.start), spec)
    team = make_team(settings.hardware.device, settings.hardware.devices)
    with lead(run, team):
        if begun:
            return resume_checkpoint(spec, settings, run, team, console)
        if team.leads:
            console.print(f"{run} has no checkpoint yet: starting from the beginning.", soft_wrap=True, markup=False)
        return begin(spec, settings, started, run, team, console)


def resume_checkpoint(spec: GeneratorSpec, settings: RunSettings, run: Path, team: Team, console: Console) -> Path:
    """Go on from a run's newest checkpoint."""
    tensors, numbers, wrong = newest_whole(run / "checkpoints")
    if team.leads:
        for problem in wrong:
            console.print(f"{problem.rstrip('.')}; going on from the one before.", soft_wrap=True, markup=False)
    apply_hardware(settings.hardware)
    fit, rows, prints = load_fit(run / LINEAR)
    data = prepare(spec, settings, console if team.leads else None)
    check_same(fit.constants, data.constants, run)
    if prints:  # runs of the first version have none
        check_same(prints, fingerprint(data), run)
    check_conditions(data, run)
    return go_on(spec, Prepared(settings, data, fit, rows, run, team), console, None, (tensors, numbers))


def go_on(
    spec: GeneratorSpec,
    prepared: Prepared,
    console: Console,
    start: Start | None,
    checkpoint: tuple[dict, dict] | None = None,
) -> Path:
    """Train from a checkpoint, from another model's generator, or from nothing, to the end."""
    settings, data, fit, folder = prepared.settings, prepared.data, prepared.fit, prepared.folder
    preset, team = settings.preset, prepared.team
    data = with_latents(preset, fit, data)
    domain, own = make_domain(spec, preset, fit), spec.networks
    if team.leads:
        check_before_steps(spec, prepared, domain, data, console, new=checkpoint is None)
    noise = checked_noise(spec, domain)
    trainer = Trainer(preset, domain, data, settings.objective, settings.hardware, settings.seed, noise, own, team=team)
    if checkpoint is not None:
        trainer.restore(*checkpoint)
    elif start is not None:
        start.load(trainer)
    run = None
    if team.leads:
        console.print(introduction(trainer, len(data), folder), soft_wrap=True, markup=False)
        seconds = checkpoint[1].get("seconds", 0.0) if checkpoint else 0.0
        run = RunFolder(spec, folder, prepared.rows, domain, prepared.data, settings.seed, seconds)
        if checkpoint is None:
            run.save(trainer)
            run.look(trainer, must=True)
        else:
            run.rewind(trainer.images)
            run.event(trainer, "resume", "Went on from a checkpoint.")
    with Watch(console, trainer, quiet=run is None) as watch, stop_requests() as stopping:
        done = Loop(trainer, run, watch, folder).run(stopping)
        if run is not None:
            run.save(trainer)  # while signals are held, and before anything is said to a terminal that may be gone
    if run is not None and done:
        run.look(trainer, must=True)
    elif run is not None:
        again = shell_command("ganassets", "train", spec.name, "--resume", folder)
        with suppress(OSError):
            console.print(f"Stopped; saved. Go on with: {again}", soft_wrap=True, markup=False)
    team.wait()
    if not done:
        raise KeyboardInterrupt
    return folder


def check_before_steps(
    spec: GeneratorSpec, prepared: Prepared, domain: Domain, data: TrainingData, console: Console, new: bool
) -> None:
    """Find out whether the networks fit the data and, of a new run, whether they can be exported."""
    began = time.monotonic()
    check_networks(spec, prepared.settings.preset, domain, data)
    if new:
        check_export(spec, prepared.settings.preset, domain, prepared.rows)
        console.print(f"checked samples, networks and export in {time.monotonic() - began:.1f} s", soft_wrap=True)


def introduction(trainer: Trainer, samples: int, folder: Path) -> str:
    """One line about what trains where."""
    hardware = trainer.hardware
    made, judging = (count_parameters(n) / 1e6 for n in (trainer.generator, trainer.discriminator))
    together = f"{trainer.team.size} processes, each " if trainer.team.size > 1 else ""
    layout = ", channels last" if hardware.channels_last else ""
    reason = f" ({hardware.reason})" if hardware.reason else ""
    return (
        f"{together}{hardware.device}, {hardware.threads} threads, {hardware.precision}{reason}{layout}; "
        f"generator {made:.2f} M, discriminator {judging:.2f} M parameters; {samples} samples; into {folder}"
    )


class Loop:
    """Steps until the run's images are seen.

    Args:
        trainer: what steps.
        run: its files; None in processes that don't lead.
        watch: the console.
        folder: of the run, where its checkpoints are.
    """

    def __init__(self, trainer: Trainer, run: RunFolder | None, watch: Watch, folder: Path) -> None:
        self.trainer, self.files, self.watch, self.folder = trainer, run, watch, folder
        self.saved = time.monotonic()
        self.next_look = look_after(trainer)

    def run(self, stopping: list[int]) -> bool:
        """Train to the end; False when a stop was asked for."""
        trainer = self.trainer
        while trainer.images < trainer.preset.kimg * 1000:
            try:
                metrics = trainer.step()
            except NotFiniteError:
                self.roll_back()
                continue
            if self.files is not None:
                self.write(self.files, metrics)
            if trainer.team.any(bool(stopping)):
                return False
        return True

    def write(self, files: RunFolder, metrics: dict[str, float]) -> None:
        """Log, look and save where it is time."""
        record = self.watch.update(metrics)
        if record:
            files.log(record)
        if self.trainer.progress * LOOKS >= self.next_look and self.trainer.progress < 1:
            self.next_look += 1
            files.look(self.trainer)
        if time.monotonic() - self.saved > CHECKPOINT_SECONDS:
            files.save(self.trainer)
            self.saved = time.monotonic()

    def roll_back(self) -> None:
        """Back to the newest checkpoint, at half the rate; GanassetsError after too many times."""
        trainer = self.trainer
        images, rollbacks, scale = trainer.images, trainer.rollbacks + 1, trainer.rate_scale / 2
        if rollbacks > MOST_ROLLBACKS:
            raise GanassetsError(
                f"the losses stopped being finite {rollbacks} times, the last time at {images} images, although the "
                f"rate was lowered each time; the last checkpoint is kept in {self.folder}; look for odd samples in "
                "the data, or train anew with a preset of a lower rate or a higher gamma."
            )
        tensors, numbers, _ = newest_whole(self.folder / "checkpoints")
        trainer.restore(tensors, numbers)
        trainer.rollbacks, trainer.rate_scale = rollbacks, scale
        trainer.team.wait()  # nobody may still be reading what is written next
        self.next_look = look_after(trainer)
        self.watch.begin()
        if self.files is None:
            return
        text = (
            f"A loss stopped being finite at {images} images; back to {trainer.images}, learning rates times {scale:g}."
        )
        self.watch.console.print(text, soft_wrap=True)
        self.files.save(trainer)
        self.files.rewind(trainer.images)
        self.files.event(trainer, "rollback", text)


def look_after(trainer: Trainer) -> int:
    """Number of the first look that comes after a moment of a run."""
    return int(trainer.progress * LOOKS) + 1


def prepare(spec: GeneratorSpec, settings: RunSettings, console: Console | None) -> TrainingData:
    """The plugin's training samples; on a console with progress, notes and a count of the files that were left out."""
    with Progress(console=console, disable=console is None or not console.is_terminal, transient=True) as bar:
        task = bar.add_task("preparing samples", total=None)
        report = lambda done, total: bar.update(task, completed=done, total=total)  # noqa: E731
        data = make_dataset(spec, settings.preset, settings.data_options, settings.seed, report)
    if console is not None:
        folder = settings.data_options.get(spec.folder_option or "")
        for line in (*data.notes, *summarize_left_out(data.files, spec.name, folder)):
            console.print(line, soft_wrap=True, markup=False)
    return data
