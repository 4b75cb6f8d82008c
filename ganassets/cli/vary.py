"""`ganassets vary`: make variations of an asset."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from ..api.registry import load_generator
from .base import complete_generators, debug_option
from .generation import make_from_recipes, write_recipes
from .options import FORMAT_OPTIONS, LOOK_OPTIONS, RUN_OPTIONS, build_request, with_options
from .plugin_options import GenerationCommand

EXAMPLES = """\b
Examples:
  ganassets vary faces 7 --strength 0.2 -n 16 -o near-7
  ganassets vary textures out/textures-00000007_baseColor.png -n 8
"""


@click.command(cls=GenerationCommand, name="vary", short_help="Make variations of an asset.", epilog=EXAMPLES)
@click.argument("name_or_model", shell_complete=complete_generators)
@click.argument("base")
@click.option(
    "--strength",
    type=float,
    default=0.2,
    show_default=True,
    help="Difference from BASE, above 0 (none) to 1 (a different asset).",
)
@click.option(
    "-n",
    "--count",
    "variations",
    type=click.IntRange(1, 10_000),
    default=8,
    show_default=True,
    help="Number of variations.",
)
@with_options(LOOK_OPTIONS, FORMAT_OPTIONS, RUN_OPTIONS)
@debug_option
def command(name_or_model: str, base: str, strength: float, variations: int, **params: Any) -> None:
    """Make variations of BASE: a seed, a recipe, or a file that contains a recipe.

    The latent and the sliders change. Choices, the layout and the sliders that you set stay the same.
    The recipe of each variation is written beside it.
    """
    from ..inference.latent_edits import vary
    from ..inference.resolve import read_look, resolve_request

    resolved = resolve_request(build_request(name_or_model, params))
    look = read_look(resolved, load_generator(resolved.generator), base)
    recipes = vary(resolved.file.manifest, look, strength, variations, resolved.conditions)
    make_from_recipes(resolved, recipes, params)
    write_recipes(recipes, Path(params["out"]), params["dry_run"])
