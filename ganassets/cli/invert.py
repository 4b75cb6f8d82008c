"""`ganassets invert`: the look that a file shows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from ..api.errors import InputError
from .base import complete_generators, debug_option
from .generation import FORMAT_OPTIONS, LOOK_OPTIONS, RUN_OPTIONS, carry_out, keep_recipes, wanted, with_options
from .output import make_console, say
from .plugin_options import MakingCommand

EXAMPLES = """\b
Examples:
  ganassets invert textures brick-wall.jpg --set material=brick -o like-it
  ganassets invert faces my-skin.png --seconds 120
  ganassets invert poses kick.bvh --to bvh
"""


@click.command(cls=MakingCommand, name="invert", short_help="Find the look that a file shows.", epilog=EXAMPLES)
@click.argument("name_or_model", shell_complete=complete_generators)
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--seconds", type=click.FloatRange(1, 86_400), default=60.0, show_default=True, help="To search for, about."
)
@click.option("--tries", type=click.IntRange(1, 100_000), default=256, show_default=True, help="Seeds to begin with.")
@with_options(LOOK_OPTIONS, FORMAT_OPTIONS, RUN_OPTIONS)
@debug_option
def command(name_or_model: str, file: Path, seconds: float, tries: int, **params: Any) -> None:
    """Find the latent, the sliders and the offset of the layers that come nearest to FILE, and make their asset.

    A texture or a folder with its maps, a skin in MakeHuman's layout, a picture, a clip. Its recipe is written beside
    the asset and stands for a seed everywhere. What a model has not learnt, it can only come near to.
    """
    from ..api.plugin_calls import read_target
    from ..inference.batch.plan import Plan
    from ..inference.inversion import invert

    asked = wanted(name_or_model, params, params)
    if asked.spec.target is None:
        raise InputError(f"{asked.spec.name} can't compare files with what it makes.")
    if not file.exists():
        raise InputError(f"{file} is not there.")
    model = asked.opened(params["untrusted"], threads=None)
    target = read_target(asked.spec, file)
    if target.note:
        say(target.note)
    console = make_console(stderr=True)
    with console.status("Beginning") as status:
        tell = lambda stage, distance: status.update(f"Improving {stage}: {distance:.3g} {target.unit}")  # noqa: E731
        found = invert(model, asked.spec, target, asked.request, tries, seconds, tell)
    name = f"{found.recipe.generator}-like-{plain(file)}"
    recipe = asked.pulled(found.recipe.changed(name=name, note=f"found in {file.name}"))
    carry_out(Plan([asked.job(recipes=[recipe])]), params)
    keep_recipes([recipe], Path(params["out"]), params["dry_run"])
    say(
        f"Off by {found.distance:.3g} {target.unit}; the nearest of {tries} seeds was off by {found.nearest:.3g}. "
        f"It has {found.explained:.0%} of what sets {file.name} apart from this model's average."
    )


def plain(file: Path) -> str:
    """A file's name as part of an asset's."""
    kept = "".join(letter if letter.isalnum() and letter.isascii() else "-" for letter in file.stem)
    return kept.strip("-")[:60] or "file"
