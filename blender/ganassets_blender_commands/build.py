"""`ganassets blender build`: build the extension's zip."""

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
ALL = "all"


@click.command(name="build", short_help="Build the extension's zip.", epilog=EXAMPLES)
@click.option(
    "--platform",
    "platforms",
    multiple=True,
    type=click.Choice([*PLATFORMS, ALL]),
    help="Platform of the zip; may be given more than once.  [default: this machine's]",
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
    help="Folder with the wheels of other packages, for example from an earlier zip.  [default: pip's index]",
)
@debug_option
def command(platforms: tuple[str, ...], folder: Path, wheels: Path | None) -> None:
    """Build the zip that Blender installs, one for each platform.

    The zip includes everything, also the models; the extension downloads nothing. To install it, choose Edit >
    Preferences > Get Extensions > Install from Disk in Blender 4.2 and later, or Edit > Preferences > Add-ons > Install
    in Debian's Blender 3.4. The lock file decides which wheels of other packages are included; see `ganassets blender
    lock`.
    """
    from ganassets_blender.build import build_extension, this_platform

    chosen = tuple(PLATFORMS) if ALL in platforms else dict.fromkeys(platforms or (this_platform(),))
    for platform in chosen:
        path = build_extension(platform, folder, wheels, lambda text: say(text, err=True))
        say(f"{path} ({path.stat().st_size / 1e6:.1f} MB)")
