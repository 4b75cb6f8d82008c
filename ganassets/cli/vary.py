"""`ganassets vary`: looks near one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from .base import complete_generators, debug_option
from .generation import FORMAT_OPTIONS, LOOK_OPTIONS, RUN_OPTIONS, carry_out, keep_recipes, wanted, with_options
from .plugin_options import MakingCommand

EXAMPLES = """\b
Examples:
  ganassets vary faces 7 --strength 0.2 -n 16 -o near-7
  ganassets vary textures out/textures-00000007_baseColor.png -n 8
"""


@click.command(cls=MakingCommand, name="vary", short_help="Make looks near one.", epilog=EXAMPLES)
@click.argument("name_or_model", shell_complete=complete_generators)
@click.argument("base")
@click.option(
    "--strength", type=float, default=0.2, show_default=True, help="0 is BASE itself, 1 has nothing left of it."
)
@click.option("-n", "--count", type=click.IntRange(1, 10_000), default=8, show_default=True, help="How many.")
@with_options(LOOK_OPTIONS, FORMAT_OPTIONS, RUN_OPTIONS)
@debug_option
def command(name_or_model: str, base: str, strength: float, count: int, **params: Any) -> None:
    """Make variations of BASE: a seed, a recipe, or a file that carries one.

    The latent and the sliders lean to others; choices, layout and what you set stay. Each one's recipe is written
    beside it.
    """
    from ..inference.batch.plan import Plan
    from ..inference.latent_edits import vary

    asked = wanted(name_or_model, params, params)
    recipes = vary(asked.file.manifest, asked.recipe(base), strength, count, asked.request.wishes)
    carry_out(Plan([asked.job(recipes=recipes)]), params)
    keep_recipes(recipes, Path(params["out"]), params["dry_run"])
