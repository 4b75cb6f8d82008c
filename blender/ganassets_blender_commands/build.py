"""`ganassets blender build`: the extension's zip."""

from __future__ import annotations

from pathlib import Path

import click

from ganassets.cli.base import debug_option
from ganassets.cli.output import say
from ganassets_blender.lock import PLATFORMS

EXAMPLES = """\b
Examples:
  ganassets blender build
  ganassets blender build --platform windows-x64 --platform linux-x64 -o dist/
  ganassets blender build --platform all
  ganassets blender build --wheels wheels/        (offline)
"""
EVERY = "all"


@click.command(name="build", short_help="Make the extension's zip.", epilog=EXAMPLES)
@click.option(
    "--platform",
    "platforms",
    multiple=True,
    type=click.Choice([*PLATFORMS, EVERY]),
    help="What it is for, this machine's platform if none is named; may be repeated.",
)
@click.option(
    "-o",
    "--output",
    "folder",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("dist"),
    show_default=True,
    help="Folder for the zips.",
)
@click.option(
    "--wheels",
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    help="Folder with the wheels of other packages, such as the one in an earlier zip.  [default: pip's index]",
)
@debug_option
def command(platforms: tuple[str, ...], folder: Path, wheels: Path | None) -> None:
    """Make the zip that Blender installs, one for each platform.

    It brings everything along, models included, and fetches nothing when it runs. Blender 4.2 and later install it with
    Edit > Preferences > Get Extensions > Install from Disk, Debian's 3.4 with Edit > Preferences > Add-ons > Install.
    The wheels of other packages are those of the package's lock file; see `ganassets blender lock`.
    """
    from ganassets_blender.build import build_extension, this_platform

    wanted = tuple(PLATFORMS) if EVERY in platforms else dict.fromkeys(platforms or (this_platform(),))
    for platform in wanted:
        path = build_extension(platform, folder, wheels, lambda text: say(text, err=True))
        say(f"{path} ({path.stat().st_size / 1e6:.1f} MB)")
