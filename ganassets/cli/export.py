"""`ganassets export`: export a trained run as a model file."""

from __future__ import annotations

from pathlib import Path

import click

from ..api.errors import InputError
from ..api.texts import shell_command
from ..training.loading import load_training
from .base import complete_generators, debug_option
from .find import find_run, spec_of_run
from .output import make_console, say

EXAMPLES = """\b
Examples:
  ganassets export --onnx
  ganassets export faces --onnx -o faces.onnx
  ganassets export runs/faces-20260131-1 --onnx
"""


@click.command(name="export", short_help="Export a trained run as a model file.", epilog=EXAMPLES)
@click.argument("run_or_name", required=False, shell_complete=complete_generators)
@click.option("--onnx", is_flag=True, help="Export as ONNX, the only format so far.")
@click.option(
    "-o",
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Model file.  [default: model.onnx in the run folder]",
)
@click.option(
    "--best", is_flag=True, help="Export the checkpoint with samples nearest to the data instead of the newest."
)
@click.option("--licence", help="Licence of the model, if you trained it on your own data.")
@click.option("--source", help="Source of your data, and whom to credit.")
@debug_option
def command(
    run_or_name: str | None, onnx: bool, out: Path | None, best: bool, licence: str | None, source: str | None
) -> None:
    """Export a run as one ONNX file that needs no torch.

    RUN_OR_NAME is a run folder, or the name of a generator for its newest run. The default is the newest run of all.
    """
    if not onnx:
        raise InputError("name a format: `ganassets export --onnx`.")
    run = find_run(run_or_name)
    export_run = load_training("ganassets.training.onnx_export", "export_run")
    facts = {name: text for name, text in (("licence", licence), ("source", source)) if text}
    model = export_run(spec_of_run(run), run, out, make_console(), facts, best)
    say(f"Model: {model}")
    say(f"Next: {shell_command('ganassets', 'generate', model)}")
