"""`ganassets evaluate`: how good a model is."""

from __future__ import annotations

from typing import Any

import click

from ..api.errors import InputError
from ..api.registry import load_generator
from ..api.spec import GeneratorSpec
from ..inference.model_search import check_trusted, find_model
from .base import GeneratorCommand, complete_generators, debug_option, load_training
from .generation import say_versions
from .options import TRUSTED_OPTION
from .output import make_console, say_json
from .plugin_options import generator_of
from .train import data_parameter

SPEC = "ganassets.evaluate.spec"
MAIN = "data"  # how a generator's first data option may always be called

EXAMPLES = """\b
Examples:
  ganassets evaluate faces
  ganassets evaluate textures --data my-materials --samples 256
  ganassets evaluate runs/faces-20260131-1/model.onnx --samples 1024 --json
  ganassets evaluate poses --help      (lists its data options)
"""


class EvaluateCommand(GeneratorCommand):
    """Takes the data options of the generator that is named, or that the named model or run is of."""

    def named(self, args: Any) -> str | None:
        """The generator's name, where the command line tells."""
        return super().named(args) or next((name for arg in self.free(args) if (name := generator_of(arg))), None)

    def learn(self, ctx: click.Context, name: str | None) -> None:
        """Keep the generator's spec."""
        ctx.meta[SPEC] = load_generator(name) if name else None

    def get_params(self, ctx: click.Context) -> list[click.Parameter]:
        """Its own parameters and the generator's data options."""
        return [*super().get_params(ctx), *data_options(ctx.meta.get(SPEC))]


def data_options(spec: GeneratorSpec | None) -> list[click.Option]:
    """Options of a generator's dataset; the first is --data too. Without a generator --data stands for what it has."""
    if spec is None:
        return [click.Option([f"--{MAIN}", data_parameter(MAIN)], help="Data of your own, as for `ganassets train`.")]
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
@click.option("--samples", type=click.IntRange(16, 100_000), default=512, show_default=True, help="To compare.")
@click.option("--seed", type=click.IntRange(0, 2**63 - 1), default=0, show_default=True, help="Of the comparison.")
@click.option("--json", "as_json", is_flag=True, help="The measures as JSON.")
@TRUSTED_OPTION
@debug_option
@click.pass_context
def command(
    ctx: click.Context, name_or_model: str, samples: int, seed: int, as_json: bool, trusted: bool, **data: Any
) -> None:
    """Compare what a model makes with data and with simpler models of it.

    The data are those of the options; without any, those of the model's run, or the generator's own.
    """
    from ..inference.model import check_plugin, inspect_model

    model = inspect_model(find_model(name_or_model))
    check_trusted(model, trusted)
    spec = load_generator(model.manifest.generator)
    check_plugin(model, spec)
    say_versions([model])
    given = {option.name: data.get(data_parameter(option.name)) for option in spec.data_options}
    options = {name: value for name, value in given.items() if value is not None}
    if any(data.values()) and not options:
        raise InputError(f"{spec.name} takes no data of your own.")
    measures = load_training("ganassets.training.evaluation.comparison", "evaluate")(
        spec, model.path, samples=samples, seed=seed, console=make_console(stderr=as_json), data_options=options
    )
    if as_json:
        say_json(measures)
