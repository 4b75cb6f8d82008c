"""`ganassets morph`: interpolate between two assets."""

from __future__ import annotations

from typing import Any

import click

from ..api.registry import load_generator
from .base import complete_generators, debug_option
from .generation import make_from_recipes, open_in_process
from .options import FORMAT_OPTIONS, LOOK_OPTIONS, RUN_OPTIONS, build_request, with_options
from .plugin_options import GenerationCommand

EXAMPLES = """\b
Examples:
  ganassets morph faces 3 9 --steps 16 -o way
  ganassets morph textures 7 my-look.recipe.json --space w --size 512
"""


@click.command(cls=GenerationCommand, name="morph", short_help="Interpolate between two assets.", epilog=EXAMPLES)
@click.argument("name_or_model", shell_complete=complete_generators)
@click.argument("first")
@click.argument("last")
@click.option(
    "--steps",
    type=click.IntRange(2, 10_000),
    default=8,
    show_default=True,
    help="Number of assets, both ends included.",
)
@click.option(
    "--space",
    type=click.Choice(["z", "w"]),
    default="z",
    show_default=True,
    help="Space to interpolate in: z along the sphere of latents, w along a straight line.",
)
@with_options(LOOK_OPTIONS, FORMAT_OPTIONS, RUN_OPTIONS)
@debug_option
def command(name_or_model: str, first: str, last: str, steps: int, space: str, **params: Any) -> None:
    """Make assets in equal steps from FIRST to LAST. Both are seeds, recipes, or files that contain a recipe."""
    from ..inference.latent_edits import morph
    from ..inference.resolve import read_look, resolve_request

    resolved = resolve_request(build_request(name_or_model, params))
    spec = load_generator(resolved.generator)
    a, b = (read_look(resolved, spec, text) for text in (first, last))
    model = open_in_process(resolved.file, params["untrusted"])
    make_from_recipes(resolved, morph(model, a, b, steps, space), params)
