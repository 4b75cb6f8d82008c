"""`ganassets export`: a trained run as a model file."""

from __future__ import annotations

from pathlib import Path

import click

from ..api.errors import InputError
from ..api.texts import shell_command
from .base import complete_generators, debug_option, load_training
from .find import find_run, spec_of_run
from .output import make_console, say

EXAMPLES = """\b
Examples:
  ganassets export --onnx
  ganassets export faces --onnx -o faces.onnx
  ganassets export runs/faces-20260131-1 --onnx
"""


@click.command(name="export", short_help="Turn a trained run into a model file.", epilog=EXAMPLES)
@click.argument("run_or_name", required=False, shell_complete=complete_generators)
@click.option("--onnx", is_flag=True, help="As ONNX, the one format of models so far.")
@click.option(
    "-o", "--out", type=click.Path(dir_okay=False, path_type=Path), help="File.  [default: model.onnx in the run]"
)
@click.option("--best", is_flag=True, help="The checkpoint that measured nearest to the data, not the newest.")
@click.option("--licence", help="Of the model, where it was trained on data of your own.")
@click.option("--source", help="Where that data come from, and whom to credit.")
@debug_option
def command(
    run_or_name: str | None, onnx: bool, out: Path | None, best: bool, licence: str | None, source: str | None
) -> None:
    """Turn a run into one file that needs no torch and runs anywhere.

    Takes a run folder, or the newest run of a generator, or the newest of all.
    """
    if not onnx:
        raise InputError("say which format: `ganassets export --onnx`.")
    run = find_run(run_or_name)
    export_run = load_training("ganassets.training.onnx_export", "export_run")
    given = {name: text for name, text in (("licence", licence), ("source", source)) if text}
    model = export_run(spec_of_run(run), run, out, make_console(), given, best)
    say(f"Model: {model}")
    say(f"Next: {shell_command('ganassets', 'generate', model)}")
