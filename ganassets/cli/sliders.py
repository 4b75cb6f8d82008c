"""`ganassets sliders`: find directions in w that serve as sliders, and name them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ..api.errors import InputError
from ..api.registry import load_generator
from ..api.texts import shell_command, suggest_name
from ..inference.model_search import check_trusted, find_model
from .base import complete_generators, debug_option
from .generation import draw_sheet, say_versions
from .options import TRUSTED_OPTION
from .output import make_console, say

if TYPE_CHECKING:
    import numpy as np

    from ..api.spec import GeneratorSpec
    from ..inference.directions import Direction
    from ..inference.model import Model, ModelFile

AMOUNTS = (-6.0, -3.0, 0.0, 3.0, 6.0)  # columns of a sheet, in standard deviations
SHEET_SEEDS = (1, 2)
BATCH_SIZE = 16  # samples in one run of the network
MAX_PARTS = 16  # parts of an axis that are averaged, to compare outputs

EXAMPLES = """\b
Examples:
  ganassets sliders discover faces --count 8 --sheets found
  ganassets sliders rename faces found-1 jaw
  ganassets sliders list faces
  ganassets generate faces --seeds 1-20 --slider jaw=1.5
"""


@click.group(name="sliders", short_help="Find and name sliders in a model.", epilog=EXAMPLES)
@debug_option
def command() -> None:
    """Find and name sliders that were not trained: directions in w along which a model's outputs vary most."""


@command.command(name="discover", short_help="Find sliders and draw their effect.")
@click.argument("name_or_model", shell_complete=complete_generators)
@click.option("--count", type=click.IntRange(1, 64), default=8, show_default=True, help="Number of sliders.")
@click.option(
    "--samples",
    type=click.IntRange(64, 100_000),
    default=512,
    show_default=True,
    help="Number of random latents to compare.",
)
@click.option(
    "--sheets",
    type=click.Path(path_type=Path),
    default=Path("sliders"),
    show_default=True,
    help="Output folder of the pictures.",
)
@click.option("--overwrite", is_flag=True, help="Replace sliders that were found before, with their names.")
@TRUSTED_OPTION
@debug_option
def discover_command(
    name_or_model: str, count: int, samples: int, sheets: Path, overwrite: bool, trusted: bool
) -> None:
    """Find the directions in w that change the model's outputs most, the strongest first.

    They are written to a small file beside the model. A sheet for each slider shows its effect on some seeds.
    """
    from ..inference.directions import Direction, directions_file, discover, write_directions
    from ..inference.model import check_generator, inspect_model, open_model
    from ..inference.recipe import pack_floats

    file = inspect_model(find_model(name_or_model))
    check_trusted(file, trusted)
    model = open_model(file.path)
    spec = load_generator(model.manifest.generator)
    check_generator(model, spec)
    say_versions([model])
    if directions_file(model.path).exists() and not overwrite:
        raise InputError(f"{directions_file(model.path)} exists already; use --overwrite to find the sliders again.")
    w, outputs = sample_outputs(model, spec, samples)
    found = [
        Direction(name=f"found-{i}", vector=pack_floats(vector), share=min(share, 1.0))
        for i, (vector, share) in enumerate(discover(w, outputs, count), start=1)
    ]
    path = write_directions(model, found)
    for direction in found:
        written = draw_sheet(spec, make_sheet_assets(model, spec, direction), sheets, direction.name)
        say(f"{direction.name}: {direction.share:.0%} of the variation; {written[0]}")
    rename = shell_command("ganassets", "sliders", "rename", name_or_model, found[0].name, "NAME")
    say(f"Written: {path}. Name the sliders with `{rename}`.")


def sample_outputs(model: Model, spec: GeneratorSpec, samples: int) -> tuple[np.ndarray, np.ndarray]:
    """Run the model on random latents under one condition and noise map.

    Returns:
        (n, w_dim) w, and (n, k) numbers of the outputs.
    """
    import numpy as np
    from rich.progress import track

    from ..api.latents import latents
    from ..inference.model import noise_axes
    from ..inference.pipeline import inputs_of, run_inputs
    from ..inference.request import GenerationRequest
    from ..inference.resolve import seed_recipe

    noise = model.manifest.noise
    size = (noise.size,) * noise_axes(model.manifest) if noise and not spec.map_size else None
    base = seed_recipe(model, spec, GenerationRequest(model=str(model.path), truncation=1.0, size=size), 0)
    inputs = inputs_of(model.manifest, spec, base)
    z = latents(range(1, samples + 1), model.manifest.z_dim)
    w = model.w(z, np.repeat(base.row[None], samples, 0))
    parts: dict[str, list[np.ndarray]] = {}
    console = make_console(stderr=True)
    starts = range(0, samples, BATCH_SIZE)
    for start in track(starts, "Sampling", console=console, transient=True, disable=not console.is_terminal):
        outputs = run_inputs(model, [replace(inputs, z=one) for one in z[start : start + BATCH_SIZE]], 1.0)
        for name, array in outputs.items():
            parts.setdefault(name, []).append(reduce_axes(array))
    return w, np.concatenate([balance_output(np.concatenate(arrays)) for arrays in parts.values()], 1)


def reduce_axes(arrays: np.ndarray) -> np.ndarray:
    """Average long axes of outputs (n, ...) in about MAX_PARTS equal parts, and flatten them to (n, k)."""
    import numpy as np

    for axis, length in enumerate(arrays.shape[1:], start=1):
        step = length // MAX_PARTS
        if step > 1:
            even = np.moveaxis(arrays, axis, -1)[..., : length // step * step]
            arrays = np.moveaxis(even.reshape(*even.shape[:-1], -1, step).mean(-1), -1, axis)
    return arrays.reshape(len(arrays), -1)


def balance_output(numbers: np.ndarray) -> np.ndarray:
    """Centre and scale one output's numbers (n, k), so that all outputs vary equally."""
    import numpy as np

    centred = numbers - numbers.mean(0)
    return centred / max(float(np.sqrt((centred**2).sum(1).mean())), 1e-12)


def make_sheet_assets(model: Model, spec: GeneratorSpec, direction: Direction) -> list[Any]:
    """Make the assets of a sheet: one row for each seed, one column for each amount of a slider."""
    from ..inference.directions import direction_offset
    from ..inference.latent_edits import add_offset
    from ..inference.pipeline import make_assets
    from ..inference.request import GenerationRequest
    from ..inference.resolve import seed_recipe

    request = GenerationRequest(model=str(model.path))
    recipes = []
    for seed in SHEET_SEEDS:
        base = seed_recipe(model, spec, request, seed)
        for i, amount in enumerate(AMOUNTS):
            offset = direction_offset(model.manifest, direction, amount)
            recipes.append(add_offset(model.manifest, base.changed(name=f"{base.name}-{i}"), offset))
    return [asset.reduced(256) for recipe in recipes for asset in make_assets(model, spec, [recipe])]


@command.command(name="list", short_help="List the sliders that were found in a model.")
@click.argument("name_or_model", shell_complete=complete_generators)
@debug_option
def list_command(name_or_model: str) -> None:
    """List the sliders that were found in a model, the strongest first, with their share of the variation."""
    from ..inference.directions import read_directions
    from ..inference.model import inspect_model

    for direction in read_directions(inspect_model(find_model(name_or_model))).directions:
        say(f"{direction.name}  {direction.share:.0%}")


@command.command(name="rename", short_help="Rename a found slider.")
@click.argument("name_or_model", shell_complete=complete_generators)
@click.argument("old")
@click.argument("new")
@debug_option
def rename_command(name_or_model: str, old: str, new: str) -> None:
    """Rename the slider OLD to NEW: a word of lower-case letters, digits and hyphens."""
    import re

    from ..inference.directions import NAME, read_directions, write_directions
    from ..inference.model import inspect_model

    file: ModelFile = inspect_model(find_model(name_or_model))
    found = read_directions(file).directions
    names = [direction.name for direction in found]
    if old not in names:
        raise InputError(f"no slider {old!r} was found in {file.path}; {suggest_name(old, names)}")
    if not re.fullmatch(NAME, new):
        raise InputError(f"{new!r} is no name for a slider; use lower-case letters, digits and hyphens.")
    if new in names and new != old:
        raise InputError(f"{file.path} has a slider {new!r} already.")
    write_directions(file, [d.model_copy(update={"name": new}) if d.name == old else d for d in found])
    say(f"Renamed {old} to {new}.")
