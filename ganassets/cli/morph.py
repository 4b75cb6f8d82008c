"""`ganassets morph`: from one look to another."""

from __future__ import annotations

from typing import Any

import click

from .base import complete_generators, debug_option
from .generation import FORMAT_OPTIONS, LOOK_OPTIONS, RUN_OPTIONS, carry_out, wanted, with_options
from .plugin_options import MakingCommand

EXAMPLES = """\b
Examples:
  ganassets morph faces 3 9 --steps 16 -o way
  ganassets morph textures 7 my-look.recipe.json --space w --size 512
"""


@click.command(cls=MakingCommand, name="morph", short_help="Go from one look to another in steps.", epilog=EXAMPLES)
@click.argument("name_or_model", shell_complete=complete_generators)
@click.argument("first")
@click.argument("last")
@click.option("--steps", type=click.IntRange(2, 10_000), default=8, show_default=True, help="Both ends included.")
@click.option(
    "--space", type=click.Choice(["z", "w"]), default="z", show_default=True,
    help="z goes along the sphere of latents, w straight in what the layers read.",
)  # fmt: skip
@with_options(LOOK_OPTIONS, FORMAT_OPTIONS, RUN_OPTIONS)
@debug_option
def command(name_or_model: str, first: str, last: str, steps: int, space: str, **params: Any) -> None:
    """Make the assets on the way from FIRST to LAST: seeds, recipes, or files that carry one."""
    from ..inference.batch.plan import Plan
    from ..inference.latent_edits import morph

    asked = wanted(name_or_model, params, params)
    a, b = asked.recipe(first), asked.recipe(last)
    model = asked.opened(params["untrusted"])
    carry_out(Plan([asked.job(recipes=morph(model, a, b, steps, space))]), params)
