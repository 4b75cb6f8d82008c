"""`ganassets blender`: a module for each command.

This is a package of its own because the extension, ganassets_blender, works without the command line.
"""

from __future__ import annotations

import click

from ganassets.cli.base import LazyGroup, debug_option

EXAMPLES = """\b
Examples:
  ganassets blender library textures -n 50 -o my-library
  ganassets blender build
"""


@click.group(
    name="blender",
    cls=LazyGroup,
    modules=("library", "build", "lock"),
    package=__package__,
    short_help="Fill asset libraries; build Blender's extension.",
    epilog=EXAMPLES,
)
@debug_option
def command() -> None:
    """Fill asset libraries for Blender, and build the extension that generates assets in Blender."""
