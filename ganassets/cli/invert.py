"""`ganassets invert`: find the recipe that comes nearest to a file (GAN inversion)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from ..api.errors import InputError
from ..api.registry import load_generator
from .base import complete_generators, debug_option
from .generation import make_from_recipes, open_in_process, write_recipes
from .options import FORMAT_OPTIONS, LOOK_OPTIONS, RUN_OPTIONS, build_request, with_options
from .output import make_console, say
from .plugin_options import GenerationCommand

EXAMPLES = """\b
Examples:
  ganassets invert textures brick-wall.jpg --set material=brick -o like-it
  ganassets invert faces my-skin.png --seconds 120
  ganassets invert poses kick.bvh --to bvh
"""


@click.command(cls=GenerationCommand, name="invert", short_help="Make the asset nearest to a file.", epilog=EXAMPLES)
@click.argument("name_or_model", shell_complete=complete_generators)
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--seconds",
    type=click.FloatRange(1, 86_400),
    default=60.0,
    show_default=True,
    help="Time limit of the search, in seconds.",
)
@click.option(
    "--tries", type=click.IntRange(1, 100_000), default=256, show_default=True, help="Number of seeds to try first."
)
@with_options(LOOK_OPTIONS, FORMAT_OPTIONS, RUN_OPTIONS)
@debug_option
def command(name_or_model: str, file: Path, seconds: float, tries: int, **params: Any) -> None:
    """Find the latent, the sliders and the offsets in w whose asset comes nearest to FILE, and make that asset.

    FILE is a texture or a folder with its maps, a skin in MakeHuman's layout, a picture, or a motion clip. The recipe
    is written beside the asset; commands accept it in place of a seed. The result can only show what the model has
    learnt.
    """
    from ..api.plugin_calls import read_target
    from ..inference.inversion import invert
    from ..inference.resolve import resolve_request

    resolved = resolve_request(build_request(name_or_model, params))
    spec = load_generator(resolved.generator)
    if spec.target is None:
        raise InputError(f"{spec.name} can't compare files with its assets.")
    if not file.exists():
        raise InputError(f"{file} is not there.")
    model = open_in_process(resolved.file, params["untrusted"], threads=None)
    target = read_target(spec, file)
    if target.note:
        say(target.note)
    console = make_console(stderr=True)
    with console.status("Beginning") as status:

        def show(stage: str, distance: float) -> None:
            status.update(f"Improving {stage}: {distance:.3g} {target.unit}")

        found = invert(model, spec, target, resolved, tries, seconds, show)
    name = f"{found.recipe.generator}-like-{name_part(file)}"
    recipe = resolved.add_offset(found.recipe.changed(name=name, note=f"found in {file.name}"))
    make_from_recipes(resolved, [recipe], params)
    write_recipes([recipe], Path(params["out"]), params["dry_run"])
    say(
        f"Distance {found.distance:.3g} {target.unit}; the nearest of {tries} seeds had {found.nearest:.3g}. "
        f"The asset shows {found.explained:.0%} of the difference between {file.name} and this model's average."
    )
    for name, share in found.shares.items():
        say(f"It has {share:.0%} of the {name} of {file.name}; 0% is noise with the same spectrum.")


def name_part(file: Path) -> str:
    """Return a file's name with only the characters that an asset's name may have."""
    kept = "".join(letter if letter.isalnum() and letter.isascii() else "-" for letter in file.stem)
    return kept.strip("-")[:60] or "file"
