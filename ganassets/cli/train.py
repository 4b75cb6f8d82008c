"""`ganassets train`: train a generator in a run folder, or resume a run."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from ..api.errors import GanassetsError, InputError
from ..api.registry import load_generator
from ..api.spec import OBJECTIVES, PRECISIONS, GeneratorSpec
from ..api.texts import shell_command
from ..api.writer import WriteError
from ..inference.model_search import check_trusted, find_model
from ..training.loading import load_training
from ..training.presets import choose_preset
from .base import GeneratorCommand, complete_generators, debug_option
from .find import SETTINGS_FILE, spec_of_run
from .options import TRUSTED_OPTION
from .output import make_console, say

SPEC = "ganassets.train.spec"
POSITIVE = click.FloatRange(min=0, min_open=True)

EXAMPLES = """\b
Examples:
  ganassets train faces
  ganassets train faces --preset small --kimg 50
  ganassets train --resume runs/faces-20260131-1
  ganassets train faces --help      (lists its presets and data options)
"""


def data_parameter(name: str) -> str:
    """Return the parameter name of a data option, which differs from those of the command's own options."""
    return f"data_{name.replace('-', '_')}"


class TrainCommand(GeneratorCommand):
    """A command with the data options of the named generator; its help lists the presets."""

    def prepare(self, ctx: click.Context, name: str | None) -> None:
        """Store the generator's spec."""
        ctx.meta[SPEC] = load_generator(name) if name else None

    def get_params(self, ctx: click.Context) -> list[click.Parameter]:
        """Return its own parameters and the generator's data options."""
        spec: GeneratorSpec | None = ctx.meta.get(SPEC)
        data = [
            click.Option([f"--{option.name}", data_parameter(option.name)], help=option.help)
            for option in (spec.data_options if spec else ())
        ]
        return [*data, *super().get_params(ctx)]

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the presets and the examples."""
        spec: GeneratorSpec | None = ctx.meta.get(SPEC)
        if spec:
            with formatter.section(f"Presets of {spec.name}"):
                formatter.write_dl([(preset.name, preset.summary) for preset in spec.presets])
        super().format_epilog(ctx, formatter)


@click.command(cls=TrainCommand, name="train", short_help="Train a generator, or resume a run.", epilog=EXAMPLES)
@click.argument("name", required=False, shell_complete=complete_generators)
@click.option("--preset", help="Sizes and length of the run.  [default: the generator's first]")
@click.option("--out", type=click.Path(path_type=Path), help="Run folder.  [default: runs/NAME-DATE-N]")
@click.option("--seed", type=click.IntRange(0, 2**63 - 1), default=0, show_default=True, help="Random seed.")
@click.option("--kimg", type=POSITIVE, help="Length of the run in thousands of images.  [default: the preset's]")
@click.option("--objective", type=click.Choice(OBJECTIVES), help="Adversarial loss.  [default: the preset's]")
@click.option("--device", default="auto", show_default=True, help="Device: auto, cpu, cuda, cuda:1 or mps.")
@click.option("--threads", type=click.IntRange(1, 1024), help="Number of CPU threads.  [default: measured]")
@click.option(
    "--precision",
    type=click.Choice(PRECISIONS),
    default="auto",
    show_default=True,
    help="Number format of the networks; auto measures, and prints its choice. To repeat a run, use the same one.",
)
@click.option("--devices", type=click.IntRange(1, 1024), default=1, show_default=True, help="Number of devices.")
@click.option(
    "--from",
    "start",
    metavar="MODEL",
    help="Model to start from: a file, a run or a name from `ganassets models`.",
)
@TRUSTED_OPTION
@click.option("--resume", metavar="RUN", type=click.Path(path_type=Path), help="Resume a stopped run.")
@debug_option
@click.pass_context
def command(
    ctx: click.Context,
    name: str | None,
    preset: str | None,
    out: Path | None,
    seed: int,
    kimg: float | None,
    objective: str | None,
    device: str,
    threads: int | None,
    precision: str,
    devices: int,
    start: str | None,
    trusted: bool,
    resume: Path | None,
    **data: Any,
) -> None:
    """Train a generator. Ctrl-C saves and stops the run; --resume continues it."""
    if resume is not None:
        resume_run(ctx, resume, trusted)
        return
    if name is None:
        raise InputError("name a generator to train, such as `ganassets train faces`; see `ganassets plugins list`.")
    spec: GeneratorSpec = ctx.meta[SPEC] or load_generator(name)
    model = find_start_model(start, trusted) if start else None
    data_options = {option.name: data[data_parameter(option.name)] for option in spec.data_options}
    has_data = data_options.get(spec.folder_option or "") is not None
    chosen = choose_preset(spec, preset, model, has_data, kimg=kimg, objective=objective)
    train = load_training("ganassets.training.run", "train")
    with explain_how_to_resume(spec.name):
        run = train(
            spec,
            chosen,
            out=out,
            seed=seed,
            objective=chosen.objective,
            device=device,
            threads=threads,
            data_options={key: value for key, value in data_options.items() if value is not None},
            console=make_console(),
            devices=devices,
            start=model,
            precision=precision,
        )
    print_next_step(run)


@contextlib.contextmanager
def explain_how_to_resume(generator: str) -> Iterator[None]:
    """Add how to resume the run to an error of writing its files, if it has a checkpoint."""
    try:
        yield
    except WriteError as error:
        run = next((folder for folder in (error.folder, *error.folder.parents) if can_resume(folder)), None)
        if run is None:
            raise
        command = shell_command("ganassets", "train", generator, "--resume", run)
        remedy = error.remedy or "fix that"
        raise GanassetsError(
            f"can't write in {error.folder}: {error.why}; {remedy}, then continue with `{command}`."
        ) from error


def can_resume(folder: Path) -> bool:
    """Return whether a folder is a run folder with a checkpoint."""
    return (folder / SETTINGS_FILE).is_file() and bool(list((folder / "checkpoints").glob("[0-9]*.safetensors")))


def find_start_model(text: str, trusted: bool) -> Path:
    """Find the model file that a run starts from; InputError when it needs --trusted."""
    from ..inference.model import inspect_model

    file = inspect_model(find_model(text))
    check_trusted(file, trusted)
    return file.path


def resume_run(ctx: click.Context, run: Path, trusted: bool) -> None:
    """Resume a run with its own settings."""
    if not run.is_dir():
        raise InputError(f"there is no run folder {run}.")
    given = [
        param
        for param, value in ctx.params.items()
        if param not in ("name", "resume", "trusted")
        and ctx.get_parameter_source(param) is click.core.ParameterSource.COMMANDLINE
    ]
    if given:
        raise InputError(f"--resume keeps the run's own settings; leave out --{given[0].removeprefix('data_')}.")
    resume = load_training("ganassets.training.run", "resume")
    spec = spec_of_run(run)
    with explain_how_to_resume(spec.name):
        resume(spec, run, console=make_console(), trusted=trusted)
    print_next_step(run)


def print_next_step(run: Path) -> None:
    """Print the run folder and the next command."""
    say(f"Run: {run}")
    say(f"Next: {shell_command('ganassets', 'export', run, '--onnx')}")
