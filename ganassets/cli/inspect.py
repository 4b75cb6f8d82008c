"""`ganassets inspect`: show the metadata of a model file or of an asset's file."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ..api.registry import generator_names
from ..api.texts import shell_command
from ..inference.model_search import SUFFIX, find_model, is_trusted
from .base import complete_generators, debug_option
from .options import TRUSTED_OPTION
from .output import make_console, say, say_json

if TYPE_CHECKING:
    from ..api.manifest import Manifest
    from ..inference.recipe import Recipe

EXAMPLES = """\b
Examples:
  ganassets inspect faces
  ganassets inspect runs/faces-20260131-1/model.onnx --json
  ganassets inspect out/faces-00000001.glb
"""


@click.command(name="inspect", short_help="Show the metadata of a model or an asset's file.", epilog=EXAMPLES)
@click.argument("name_or_model", shell_complete=complete_generators)
@click.option("--json", "as_json", is_flag=True, help="Print all metadata as JSON.")
@TRUSTED_OPTION
@debug_option
def command(name_or_model: str, as_json: bool, trusted: bool) -> None:
    """Check a model file and show its manifest: origin, data, licence, sliders, outputs.

    For any other file that ganassets made, show its model, seed, sliders and licence, and how to make it again.
    """
    from ..inference.model import CPU, inspect_model, open_model

    if is_asset(name_or_model):
        show_origin(Path(name_or_model), as_json)
        return
    model = inspect_model(find_model(name_or_model))
    if trusted or is_trusted(model):
        model = open_model(model.path, providers=[CPU])
    size = model.path.stat().st_size
    if as_json:
        facts = {"path": str(model.path), "bytes": size, "sha256": model.digest}
        say_json({**facts, "manifest": model.manifest.model_dump(mode="json")})
        return
    file = [("file", str(model.path)), ("size", f"{size / 1e6:.1f} MB"), ("SHA-256", model.digest)]
    show_table([*file, *manifest_rows(model.manifest)])


def is_asset(text: str) -> bool:
    """Return whether a word names a file that is no model."""
    path = Path(text)
    return text not in generator_names() and path.suffix.lower() != SUFFIX and path.exists() and not path.is_dir()


def show_table(rows: Iterable[tuple[str, str]]) -> None:
    """Print a table of names and values."""
    from rich.table import Table
    from rich.text import Text

    table = Table(show_header=False, box=None)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for name, value in rows:
        table.add_row(Text(name, "bold"), value)
    make_console().print(table)


def show_origin(path: Path, as_json: bool) -> None:
    """Print the origin of a file."""
    from ..inference.provenance import origin_of

    origin = origin_of(path)
    if as_json:
        say(origin.recipe.to_json())
        return
    show_table([("file", str(path)), ("recipe", origin.where), *recipe_rows(origin.recipe)])
    name = origin.recipe.generator
    again = ["regenerate", path] if origin.recipe.file else ["generate", name, "--recipe", path]
    say(f"Again: {shell_command('ganassets', *again, '-o', 'again')}")
    say(f"More like it: {shell_command('ganassets', 'vary', name, path, '-n', 8, '-o', 'near')}")


def recipe_rows(recipe: Recipe) -> Iterator[tuple[str, str]]:
    """Return the rows of the table for a recipe."""
    yield "asset", recipe.name
    yield "generator", f"{recipe.generator} {recipe.generator_version}, by {recipe.software}"
    yield "model", recipe.model
    yield "licence", recipe.licence
    yield "seed", f"{recipe.seed}, truncation {recipe.truncation:g}"
    if recipe.note:
        yield "found by", recipe.note
    if recipe.size:
        yield "size", " x ".join(map(str, reversed(recipe.size)))
    for name, value in (*recipe.condition.items(), *recipe.settings.items()):
        yield name, f"{value:g}" if isinstance(value, float) else str(value)
    if recipe.file:
        yield "format", ", ".join([recipe.file.to, *(f"{k} {v}" for k, v in recipe.file.options.items())])


def manifest_rows(manifest: Manifest) -> Iterator[tuple[str, str]]:
    """Return the rows of the table for a manifest."""
    data, training, parity = manifest.data, manifest.training, manifest.parity
    yield "generator", f"{manifest.generator} {manifest.generator_version}"
    yield "made", f"{manifest.created} by {manifest.software}"
    yield "licence", manifest.licence
    yield "data", f"{data.name}, {data.samples} samples, {data.licence}"
    pace = f"{training.kimg:g} kimg in {training.seconds / 60:.1f} min on {training.device}"
    yield "training", f"{training.preset}, {training.objective}, {pace}, seed {training.seed}"
    yield "latents", f"z {manifest.z_dim}, w {manifest.layers} x {manifest.w_dim}"
    if noise := manifest.noise:
        yield "sizes", f"multiples of {noise.stride}; {noise.channels} noise channels, trained at {noise.size}"
    worst = max(parity.max_abs_difference.values(), default=0.0)
    yield "parity", f"at most {worst:.1e} from torch over {parity.latents} latents"
    for output in manifest.outputs:
        yield f"output {output.name}", f"{' x '.join(output.axes)}, {output.unit}"
    for condition in manifest.conditions:
        values = "|".join(condition.choices) or f"{condition.low:g}..{condition.high:g} {condition.unit}".rstrip()
        yield f"slider {condition.name}", f"{values}  {condition.help}".rstrip()
    for name, digest in manifest.static_digests.items():
        yield f"needs {name}", digest
