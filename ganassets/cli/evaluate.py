"""`ganassets evaluate`: compare a model with data."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import click

from ..api.errors import InputError
from ..api.registry import load_generator
from ..api.spec import GeneratorSpec
from ..inference.model_search import check_trusted, find_model
from ..training.loading import load_training
from .base import GeneratorCommand, complete_generators, debug_option
from .generation import say_versions
from .options import TRUSTED_OPTION
from .output import make_console, say_json
from .plugin_options import generator_of
from .train import data_parameter

SPEC = "ganassets.evaluate.spec"
# Second name of every generator's first data option.
MAIN = "data"

EXAMPLES = """\b
Examples:
  ganassets evaluate faces
  ganassets evaluate textures --data my-materials --samples 256
  ganassets evaluate runs/faces-20260131-1/model.onnx --samples 1024 --json
  ganassets evaluate poses --help      (lists its data options)
"""


class EvaluateCommand(GeneratorCommand):
    """A command with the data options of the generator, model or run on its command line."""

    def find_generator(self, args: Sequence[str]) -> str | None:
        """Return the name of the generator on the command line, also by a model or run."""
        named = super().find_generator(args)
        return named or next((name for arg in self.positional_arguments(args) if (name := generator_of(arg))), None)

    def prepare(self, ctx: click.Context, name: str | None) -> None:
        """Store the generator's spec."""
        ctx.meta[SPEC] = load_generator(name) if name else None

    def get_params(self, ctx: click.Context) -> list[click.Parameter]:
        """Return its own parameters and the generator's data options."""
        return [*super().get_params(ctx), *data_options(ctx.meta.get(SPEC))]


def data_options(spec: GeneratorSpec | None) -> list[click.Option]:
    """Return the options of a generator's dataset.

    The first is also called --data. Without a generator, --data stands for all of them.
    """
    if spec is None:
        return [click.Option([f"--{MAIN}", data_parameter(MAIN)], help="Your own data, as for `ganassets train`.")]
    names = [option.name for option in spec.data_options]
    return [
        click.Option(
            [f"--{option.name}", *([f"--{MAIN}"] if i == 0 and MAIN not in names else []), data_parameter(option.name)],
            help=option.help,
        )
        for i, option in enumerate(spec.data_options)
    ]


@click.command(cls=EvaluateCommand, name="evaluate", short_help="Compare a model with data.", epilog=EXAMPLES)
@click.argument("name_or_model", shell_complete=complete_generators)
@click.option(
    "--samples", type=click.IntRange(16, 100_000), default=512, show_default=True, help="Number of samples to compare."
)
@click.option("--seed", type=click.IntRange(0, 2**63 - 1), default=0, show_default=True, help="Random seed.")
@click.option("--json", "as_json", is_flag=True, help="Print the measures as JSON.")
@TRUSTED_OPTION
@debug_option
def command(name_or_model: str, samples: int, seed: int, as_json: bool, trusted: bool, **data: Any) -> None:
    """Compare a model's samples with real data, and with a linear model of the data.

    Choose the data with the data options. Without them, the data of the model's run or the generator's own data are
    used.
    """
    from ..inference.model import check_generator, inspect_model

    model = inspect_model(find_model(name_or_model))
    check_trusted(model, trusted)
    spec = load_generator(model.manifest.generator)
    check_generator(model, spec)
    say_versions([model])
    given = {option.name: data.get(data_parameter(option.name)) for option in spec.data_options}
    options = {name: value for name, value in given.items() if value is not None}
    if any(data.values()) and not options:
        raise InputError(f"{spec.name} can't use your own data; leave out the data options.")
    measures = load_training("ganassets.training.evaluation.comparison", "evaluate")(
        spec, model.path, samples=samples, seed=seed, console=make_console(stderr=as_json), data_options=options
    )
    if as_json:
        say_json(measures)
