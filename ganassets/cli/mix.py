"""`ganassets mix`: parts of two looks."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from .base import complete_generators, debug_option
from .generation import FORMAT_OPTIONS, LOOK_OPTIONS, RUN_OPTIONS, carry_out, keep_recipes, wanted, with_options
from .plugin_options import MakingCommand

EXAMPLES = """\b
Examples:
  ganassets mix faces 3 9 --layers 3-          (3's shape, 9's finer layers)
  ganassets mix textures 7 12 --layers 0-2 --size 512 -o mixed
"""


@click.command(cls=MakingCommand, name="mix", short_help="Give one look layers of another.", epilog=EXAMPLES)
@click.argument("name_or_model", shell_complete=complete_generators)
@click.argument("first")
@click.argument("other")
@click.option("--layers", default="2-", show_default=True, help="That are OTHER's: 3-, -2, 1-3 or 0,4.")
@with_options(LOOK_OPTIONS, FORMAT_OPTIONS, RUN_OPTIONS)
@debug_option
def command(name_or_model: str, first: str, other: str, layers: str, **params: Any) -> None:
    """Make FIRST with some layers of OTHER: seeds, recipes, or files that carry one.

    Early layers hold what is large, late ones what is fine. The recipe is written beside the asset.
    """
    from ..inference.batch.plan import Plan
    from ..inference.latent_edits import mix, parse_layers

    asked = wanted(name_or_model, params, params)
    chosen = parse_layers(layers, asked.file.manifest.layers)
    a, b = asked.recipe(first), asked.recipe(other)
    recipe = mix(asked.opened(params["untrusted"]), a, b, chosen)
    carry_out(Plan([asked.job(recipes=[recipe])]), params)
    keep_recipes([recipe], Path(params["out"]), params["dry_run"])
