"""`ganassets mix`: style mixing of two assets."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from ..api.registry import load_generator
from .base import complete_generators, debug_option
from .generation import make_from_recipes, open_in_process, write_recipes
from .options import FORMAT_OPTIONS, LOOK_OPTIONS, RUN_OPTIONS, build_request, with_options
from .plugin_options import GenerationCommand

EXAMPLES = """\b
Examples:
  ganassets mix faces 3 9 --layers 3-          (the shape of 3, the finer layers of 9)
  ganassets mix textures 7 12 --layers 0-2 --size 512 -o mixed
"""


@click.command(cls=GenerationCommand, name="mix", short_help="Mix the layers of two assets.", epilog=EXAMPLES)
@click.argument("name_or_model", shell_complete=complete_generators)
@click.argument("first")
@click.argument("other")
@click.option("--layers", default="2-", show_default=True, help="Layers to take from OTHER: 3-, -2, 1-3 or 0,4.")
@with_options(LOOK_OPTIONS, FORMAT_OPTIONS, RUN_OPTIONS)
@debug_option
def command(name_or_model: str, first: str, other: str, layers: str, **params: Any) -> None:
    """Make FIRST with some layers of OTHER (style mixing). Both are seeds, recipes, or files that contain a recipe.

    Early layers hold the overall shape, late layers the details. The recipe is written beside the asset.
    """
    from ..inference.latent_edits import mix_styles, parse_layers
    from ..inference.resolve import read_look, resolve_request

    resolved = resolve_request(build_request(name_or_model, params))
    chosen = parse_layers(layers, resolved.file.manifest.layers)
    spec = load_generator(resolved.generator)
    a, b = (read_look(resolved, spec, text) for text in (first, other))
    recipe = mix_styles(open_in_process(resolved.file, params["untrusted"]), a, b, chosen)
    make_from_recipes(resolved, [recipe], params)
    write_recipes([recipe], Path(params["out"]), params["dry_run"])
