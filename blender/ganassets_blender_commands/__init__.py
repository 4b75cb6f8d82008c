"""`ganassets blender`: each command in a module of this package."""

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
    short_help="Fill asset libraries; make Blender's extension.",
    epilog=EXAMPLES,
)
@debug_option
def command() -> None:
    """Asset libraries for Blender, and the extension that makes assets inside it."""
