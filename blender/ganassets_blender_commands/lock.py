"""`ganassets blender lock`: renew the lock file of the extension's wheels."""

from __future__ import annotations

import click

from ganassets.cli.base import debug_option
from ganassets.cli.output import say

EXAMPLES = """\b
Examples:
  ganassets blender lock
"""


@click.command(name="lock", short_help="Renew the lock file of the extension's wheels.", epilog=EXAMPLES)
@debug_option
def command() -> None:
    """Choose the wheels of other packages for `ganassets blender build`.

    Chooses the versions that are installed here, so that the same seeds give the same bytes in Blender. If a version
    has no wheel for a platform, the newest version that fits is chosen. Writes file names and SHA-256 digests into the
    package.
    """
    from ganassets_blender.lock import renew_lock

    say(renew_lock(lambda text: say(text, err=True)))
