"""`ganassets evaluate`: how good a model is."""

from __future__ import annotations

import click

from ..plugins import load_generator
from .base import complete_generators, debug_option, load_training, make_console
from .find import find_model

EXAMPLES = """\b
Examples:
  ganassets evaluate faces
  ganassets evaluate runs/faces-20260131-1/model.onnx --samples 1024 --json
"""


@click.command(name="evaluate", short_help="Compare a model with its data.", epilog=EXAMPLES)
@click.argument("name_or_model", shell_complete=complete_generators)
@click.option("--samples", type=click.IntRange(16, 100_000), default=512, show_default=True, help="To compare.")
@click.option("--seed", type=click.IntRange(0, 2**63 - 1), default=0, show_default=True, help="Of the comparison.")
@click.option("--json", "as_json", is_flag=True, help="The measures as JSON.")
@debug_option
def command(name_or_model: str, samples: int, seed: int, as_json: bool) -> None:
    """Compare what a model makes with its training data and with simpler models of it."""
    import json

    from ..model import check_plugin, open_model

    model = open_model(find_model(name_or_model))
    spec = load_generator(model.manifest.generator)
    check_plugin(model, spec)
    evaluate = load_training("ganassets.evaluation.run", "evaluate")
    measures = evaluate(spec, model.path, samples=samples, seed=seed, console=make_console(stderr=as_json))
    if as_json:
        click.echo(json.dumps(measures, indent=2))
