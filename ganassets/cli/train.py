"""`ganassets train`: a run folder with a trained generator."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from ..api.errors import GanassetsError, InputError
from ..api.registry import load_generator
from ..api.spec import OBJECTIVES, PRECISIONS, GeneratorSpec, Preset, with_overrides
from ..api.texts import shell_command
from ..api.writer import WriteError
from ..inference.model_search import check_trusted, find_model
from .base import GeneratorCommand, complete_generators, debug_option, load_training
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


# Thousand images that move a model visibly towards other data: some minutes on two cores. Higher rates, or a weaker
# penalty, spoil what the generator knows before the discriminator knows anything.
FINE_TUNE_KIMG = 4.0
FINE_TUNE_RATE = 0.2  # of the preset's rates


def data_parameter(name: str) -> str:
    """Python name of a data option's parameter, apart from those of every generator."""
    return f"data_{name.replace('-', '_')}"


class TrainCommand(GeneratorCommand):
    """Takes the data options of the named generator, and lists its presets."""

    def learn(self, ctx: click.Context, name: str | None) -> None:
        """Keep the generator's spec."""
        ctx.meta[SPEC] = load_generator(name) if name else None

    def get_params(self, ctx: click.Context) -> list[click.Parameter]:
        """Its own parameters and the generator's data options."""
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


@click.command(cls=TrainCommand, name="train", short_help="Train a generator, or go on with a run.", epilog=EXAMPLES)
@click.argument("name", required=False, shell_complete=complete_generators)
@click.option("--preset", help="Sizes and length of the run.  [default: the generator's first]")
@click.option("--out", type=click.Path(path_type=Path), help="Run folder.  [default: runs/NAME-DATE-N]")
@click.option("--seed", type=click.IntRange(0, 2**63 - 1), default=0, show_default=True, help="Of all random numbers.")
@click.option("--kimg", type=POSITIVE, help="Thousand images to train for, instead of the preset's.")
@click.option("--objective", type=click.Choice(OBJECTIVES), help="Adversarial losses.  [default: the preset's]")
@click.option("--device", default="auto", show_default=True, help="auto, cpu, cuda, cuda:1, mps.")
@click.option("--threads", type=click.IntRange(1, 1024), help="Of the CPU.  [default: chosen from the machine]")
@click.option(
    "--precision",
    type=click.Choice(PRECISIONS),
    default="auto",
    show_default=True,
    help="Number format of the networks; auto measures and says what it chose. The same weights need the same one.",
)
@click.option("--devices", type=click.IntRange(1, 1024), default=1, show_default=True, help="That train together.")
@click.option(
    "--from",
    "start",
    metavar="MODEL",
    help="Model that the run starts from: a file, a run or a name of `ganassets models`.",
)
@TRUSTED_OPTION
@click.option("--resume", metavar="RUN", type=click.Path(path_type=Path), help="Go on with a run that was stopped.")
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
    """Train a generator. Ctrl-C saves the run; --resume goes on with it."""
    if resume is not None:
        resume_run(ctx, resume, trusted)
        return
    if name is None:
        raise InputError("say which generator to train, such as `ganassets train faces`; see `ganassets plugins list`.")
    spec: GeneratorSpec = ctx.meta[SPEC] or load_generator(name)
    model = start_model(start, trusted) if start else None
    chosen = spec.preset(preset) if preset else spec.presets[0] if model is None else preset_of(model, spec)
    chosen = with_overrides(chosen, kimg=kimg, objective=objective)
    given = {option.name: data[data_parameter(option.name)] for option in spec.data_options}
    train = load_training("ganassets.training.run", "train")
    with told_how_to_resume(spec.name):
        run = train(
            spec,
            chosen,
            out=out,
            seed=seed,
            objective=chosen.objective,
            device=device,
            threads=threads,
            data_options={key: value for key, value in given.items() if value is not None},
            console=make_console(),
            devices=devices,
            start=model,
            precision=precision,
        )
    finish(run)


@contextlib.contextmanager
def told_how_to_resume(generator: str) -> Iterator[None]:
    """Where the disk refuses a run's file, say how to go on with the run, if it has a checkpoint."""
    try:
        yield
    except WriteError as error:
        run = next((folder for folder in (error.folder, *error.folder.parents) if can_resume(folder)), None)
        if run is None:
            raise
        command = shell_command("ganassets", "train", generator, "--resume", run)
        remedy = error.remedy or "mend that"
        raise GanassetsError(
            f"can't write in {error.folder}: {error.why}; {remedy}, then go on with `{command}`."
        ) from error


def can_resume(folder: Path) -> bool:
    """Whether a folder is that of a run with a checkpoint."""
    return (folder / SETTINGS_FILE).is_file() and bool(list((folder / "checkpoints").glob("[0-9]*.safetensors")))


def start_model(text: str, trusted: bool) -> Path:
    """The model file that a run is to start from; InputError where it is a stranger's and not said to be trusted."""
    from ..inference.model import inspect_model

    file = inspect_model(find_model(text))
    check_trusted(file, trusted)
    return file.path


def preset_of(model: Path, spec: GeneratorSpec) -> Preset:
    """The preset that a model was trained with, for a run of a length that suits fine-tuning."""
    from ..inference.model import CPU, open_model

    manifest = open_model(model, providers=[CPU]).manifest
    if manifest.generator != spec.name:
        raise InputError(f"{model} is a model of {manifest.generator}, not of {spec.name}.")
    preset = spec.preset(manifest.training.preset)
    return with_overrides(
        preset,
        kimg=FINE_TUNE_KIMG,
        learning_rate=FINE_TUNE_RATE * preset.learning_rate,
        regression_rate=FINE_TUNE_RATE * preset.regression_rate,
        gamma=preset.gamma / FINE_TUNE_RATE,
    )


def resume_run(ctx: click.Context, run: Path, trusted: bool) -> None:
    """Go on with a run, which knows all its settings itself."""
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
    with told_how_to_resume(spec.name):
        resume(spec, run, console=make_console(), trusted=trusted)
    finish(run)


def finish(run: Path) -> None:
    """Say where the run is and what comes next."""
    say(f"Run: {run}")
    say(f"Next: {shell_command('ganassets', 'export', run, '--onnx')}")
