"""The command line; each command has its own module, and heavy packages are imported when a command needs them."""

from __future__ import annotations

import os
import sys

import click

from .. import __version__
from .base import DEBUG_OPTION, ExtensibleGroup, debug_option

EXAMPLES = """\b
Examples:
  ganassets generate faces -n 8
  ganassets generate faces --seeds 1-200 --set age=70 --to gltf -o heads/
  ganassets data my-portraits
  ganassets train faces --preset quick
  ganassets export faces --onnx
  ganassets plugins list
"""


@click.group(
    cls=ExtensibleGroup,
    modules=(
        "generate",
        "batch",
        "morph",
        "mix",
        "vary",
        "sliders",
        "invert",
        "regenerate",
        "models",
        "data",
        "train",
        "report",
        "export",
        "inspect",
        "evaluate",
        "plugins",
        "completion",
    ),
    epilog=EXAMPLES,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
)
@click.version_option(__version__, prog_name="ganassets", message="%(prog)s %(version)s")
@debug_option
def cli() -> None:
    """Train small GANs on your own art and turn them into assets for games and Blender."""


def main() -> None:
    """Run the `ganassets` program."""
    if DEBUG_OPTION not in sys.argv:
        # Child processes inherit it.
        os.environ.setdefault("PYTHONWARNINGS", "ignore")
    cli.main(prog_name="ganassets")
