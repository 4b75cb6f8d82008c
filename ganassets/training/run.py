"""Start a training run in its folder, or resume one."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from torch import Tensor

from ..api.data import TrainingData
from ..api.errors import InputError
from ..api.spec import GeneratorSpec, Preset
from ..api.texts import shell_command
from ..api.writer import write_atomic
from ..inference.model import inspect_model
from ..inference.model_search import check_trusted
from .checkpoint import load_fit, load_newest_intact
from .checks import check_export, check_networks, check_spec
from .data_card import check_same_data, check_same_labels, fingerprint
from .distributed import DistributedContext, check_batch_size, in_torchrun, make_distributed_context
from .fine_tune import StartModel, read_start_model
from .hardware import apply_hardware, choose_hardware
from .initialization import add_latents
from .lock import lock_run
from .loss import OBJECTIVES
from .networks import Domain, count_parameters
from .plugin_domain import make_domain, make_noise_map
from .preparation import RunInputs, prepare_data, write_start_files
from .progress import ProgressDisplay, catch_stop_signals
from .run_folder import CHECKPOINTS, CONFIG, LINEAR, has_started, make_folder, remove_unstarted
from .run_recorder import RunRecorder
from .settings import RunSettings, read_settings, to_toml
from .trainer import Trainer
from .training_loop import TrainingLoop

if TYPE_CHECKING:
    from rich.console import Console

# Environment variable with the run folder that the main process chose, for the other processes.
FOLDER_VARIABLE = "GANASSETS_RUN_FOLDER"

Checkpoint = tuple[dict[str, Tensor], dict[str, Any]]


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
        spec: Generator to train.
        preset: Sizes and length, with the user's changes.
        out: Run folder to make (must not exist), or None for runs/<generator>-<date>-<n>.
        seed: Random seed. The same seed, threads and precision on the same CPU give the same weights.
        objective: Key of OBJECTIVES.
        device: See choose_hardware.
        threads: See choose_hardware.
        data_options: Options of the plugin's dataset.
        console: Where progress is printed.
        devices: Number of processes on this machine, each with its own device or its share of the threads.
        start: Model file to start from; None for an untrained generator.
        precision: See choose_hardware.

    Raises:
        InputError: An argument is wrong, or the data can't be read.
        GanassetsError: The plugin breaks its contract, or the losses stopped being finite.
        KeyboardInterrupt: A signal stopped the run; it is saved.
    """
    check_spec(spec)
    if objective not in OBJECTIVES:
        raise InputError(f"there is no objective {objective!r}; choose one of {', '.join(OBJECTIVES)}.")
    check_batch_size(preset.batch, devices)
    start_model = None if start is None else read_start_model(start, spec)
    hardware = choose_hardware(device, threads, devices, precision)
    options = {key: str(value) for key, value in data_options.items() if value is not None}
    settings = RunSettings(spec.name, preset, objective, seed, hardware, options, str(start or ""))
    folder, context = make_run_folder(spec, settings, out)
    has_lock = False
    try:
        with lock_in_main_process(folder, context):
            has_lock = context.is_main_process
            return start_run(spec, settings, start_model, folder, context, console)
    except BaseException:
        if has_lock:  # otherwise the folder may belong to another process
            remove_unstarted(folder)
        raise


@contextmanager
def lock_in_main_process(folder: Path, context: DistributedContext) -> Iterator[None]:
    """Hold the lock of a run in the main process, which writes its files."""
    if not context.is_main_process:
        yield
        return
    with lock_run(folder):
        yield


def make_run_folder(spec: GeneratorSpec, settings: RunSettings, out: Path | None) -> tuple[Path, DistributedContext]:
    """Make the run's folder once, and join the processes that train in it."""
    hardware = settings.hardware
    if in_torchrun():
        if out is None:
            raise InputError("with torchrun, name the run folder with --out, so that all processes know it.")
        context = make_distributed_context(hardware.device, hardware.devices)
        if context.is_main_process:
            make_folder(out, spec.name)
        return out, context
    chosen = os.environ.get(FOLDER_VARIABLE) if hardware.devices > 1 else None
    folder = Path(chosen) if chosen else make_folder(out, spec.name)
    if hardware.devices > 1:
        os.environ[FOLDER_VARIABLE] = str(folder)
    return folder, make_distributed_context(hardware.device, hardware.devices)


def start_run(
    spec: GeneratorSpec,
    settings: RunSettings,
    start: StartModel | None,
    folder: Path,
    context: DistributedContext,
    console: Console,
) -> Path:
    """Train from the beginning in an empty folder, or in one whose run was killed before its first checkpoint."""
    if context.is_main_process:
        write_atomic(folder / CONFIG, to_toml(settings).encode())  # first, so that --resume can start again
    apply_hardware(settings.hardware)
    data = prepare_data(spec, settings, console if context.is_main_process else None)
    if context.is_main_process:
        write_start_files(settings, data, start, folder)
    context.barrier()
    fit, rows, _ = load_fit(folder / LINEAR)
    return train_to_end(spec, RunInputs(settings, data, fit, rows, folder, context), console, start)


def resume(spec: GeneratorSpec, run: Path, console: Console, trusted: bool = False) -> Path:
    """Resume a run from its newest checkpoint, or from the beginning when it has none yet.

    Args:
        spec: Generator of the run.
        run: Folder of the run.
        console: Where progress is printed.
        trusted: Whether the user trusts the model that the run starts from.

    Raises:
        InputError: The folder is damaged, of another generator, or names a model that is not trusted.
    """
    settings = read_settings(run / CONFIG)
    if settings.generator != spec.name:
        raise InputError(f"{run} is a run of {settings.generator}, not of {spec.name}.")
    # Asked before the processes join, because the main process writes files after that.
    started = has_started(run)
    start = None
    if settings.start and not started:
        check_trusted(inspect_model(Path(settings.start)), trusted)  # somebody else may have written config.toml
        start = read_start_model(Path(settings.start), spec)
    context = make_distributed_context(settings.hardware.device, settings.hardware.devices)
    with lock_in_main_process(run, context):
        if started:
            return resume_checkpoint(spec, settings, run, context, console)
        if context.is_main_process:
            console.print(f"{run} has no checkpoint yet: starting from the beginning.", soft_wrap=True, markup=False)
        return start_run(spec, settings, start, run, context, console)


def resume_checkpoint(
    spec: GeneratorSpec, settings: RunSettings, run: Path, context: DistributedContext, console: Console
) -> Path:
    """Resume a run from its newest checkpoint."""
    tensors, numbers, problems = load_newest_intact(run / CHECKPOINTS)
    if context.is_main_process:
        for problem in problems:
            text = f"{problem.rstrip('.')}; continuing from the one before."
            console.print(text, soft_wrap=True, markup=False)
    apply_hardware(settings.hardware)
    fit, rows, prints = load_fit(run / LINEAR)
    data = prepare_data(spec, settings, console if context.is_main_process else None)
    check_same_data(fit.constants, data.constants, run)
    if prints:  # runs of the first version have no fingerprint
        check_same_data(prints, fingerprint(data), run)
    check_same_labels(data, run)
    return train_to_end(spec, RunInputs(settings, data, fit, rows, run, context), console, None, (tensors, numbers))


def train_to_end(
    spec: GeneratorSpec,
    inputs: RunInputs,
    console: Console,
    start: StartModel | None,
    checkpoint: Checkpoint | None = None,
) -> Path:
    """Train to the end from a checkpoint, from another model's generator, or from untrained networks."""
    context, folder = inputs.context, inputs.folder
    data = add_latents(inputs.settings.preset, inputs.fit, inputs.data)
    domain = make_domain(spec, inputs.settings.preset, inputs.fit)
    if context.is_main_process:
        check_before_steps(spec, inputs, domain, data, console, is_new=checkpoint is None)
    trainer = make_trainer(spec, inputs, domain, data)
    if checkpoint is not None:
        trainer.restore(*checkpoint)
    elif start is not None:
        start.load_into(trainer)
    recorder = None
    if context.is_main_process:
        console.print(describe_run(trainer, len(data), folder), soft_wrap=True, markup=False)
        recorder = start_recorder(spec, inputs, trainer, checkpoint)
    with ProgressDisplay(console, trainer, quiet=recorder is None) as display, catch_stop_signals() as stopping:
        done = TrainingLoop(trainer, recorder, display, folder).run(stopping)
        if recorder is not None:
            # While signals are caught, and before printing to a terminal that may be closed.
            recorder.save(trainer)
    if recorder is not None and done:
        recorder.record_snapshot(trainer, must_measure=True)
    elif recorder is not None:
        command = shell_command("ganassets", "train", spec.name, "--resume", folder)
        with suppress(OSError):
            console.print(f"Stopped; saved. Continue with: {command}", soft_wrap=True, markup=False)
    context.barrier()
    if not done:
        raise KeyboardInterrupt
    return folder


def make_trainer(spec: GeneratorSpec, inputs: RunInputs, domain: Domain, data: TrainingData) -> Trainer:
    """Build the trainer of a run."""
    settings = inputs.settings
    return Trainer(
        settings.preset,
        domain,
        data,
        settings.objective,
        settings.hardware,
        settings.seed,
        make_noise_map(spec, domain),
        spec.networks,
        inputs.context,
    )


def start_recorder(
    spec: GeneratorSpec, inputs: RunInputs, trainer: Trainer, checkpoint: Checkpoint | None
) -> RunRecorder:
    """Build the recorder; save and measure the start of a new run, or rewind the records of a resumed one."""
    seconds = checkpoint[1].get("seconds", 0.0) if checkpoint else 0.0
    recorder = RunRecorder(spec, inputs.folder, inputs.rows, trainer.domain, inputs.data, inputs.settings.seed, seconds)
    if checkpoint is None:
        recorder.save(trainer)
        recorder.record_snapshot(trainer, must_measure=True)
    else:
        recorder.rewind(trainer.images)
        recorder.record_event(trainer, "resume", "Continued from a checkpoint.")
    return recorder


def check_before_steps(
    spec: GeneratorSpec, inputs: RunInputs, domain: Domain, data: TrainingData, console: Console, is_new: bool
) -> None:
    """Check that the networks fit the data and, for a new run, that they can be exported."""
    began = time.monotonic()
    check_networks(spec, inputs.settings.preset, domain, data)
    if is_new:
        check_export(spec, inputs.settings.preset, domain, inputs.rows)
        console.print(f"checked samples, networks and export in {time.monotonic() - began:.1f} s", soft_wrap=True)


def describe_run(trainer: Trainer, samples: int, folder: Path) -> str:
    """Return one line about hardware, networks, samples and folder."""
    hardware = trainer.hardware
    generator, discriminator = (count_parameters(n) / 1e6 for n in (trainer.generator, trainer.discriminator))
    processes = f"{trainer.context.world_size} processes, each " if trainer.context.world_size > 1 else ""
    layout = ", channels last" if hardware.channels_last else ""
    reason = f" ({hardware.reason})" if hardware.reason else ""
    return (
        f"{processes}{hardware.device}, {hardware.threads} threads, {hardware.precision}{reason}{layout}; "
        f"generator {generator:.2f} M, discriminator {discriminator:.2f} M parameters; {samples} samples; into {folder}"
    )
