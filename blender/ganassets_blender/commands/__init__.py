"""`ganassets blender`: each command in a module of this package."""

from __future__ import annotations

import click

from ganassets.cli.base import LazyGroup, debug_option

EXAMPLES = """\b
Examples:
  ganassets blender build
"""


@click.group(
    name="blender",
    cls=LazyGroup,
    modules=("build",),
    package=__package__,
    short_help="Make Blender's extension.",
    epilog=EXAMPLES,
)
@debug_option
def command() -> None:
    """What Blender needs: the extension that makes assets inside it."""
