"""`ganassets regenerate`: make a file again from its recipe."""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ..api.errors import GanassetsError, InputError
from ..api.files import read_limited
from ..api.registry import load_exporter, load_generator
from ..api.texts import shell_command
from ..inference.model_search import check_trusted
from .base import debug_option
from .find import model_of_digest
from .options import TRUSTED_OPTION
from .output import say

if TYPE_CHECKING:
    from ..api.spec import GeneratorSpec
    from ..inference.recipe import Recipe

PICTURES = {".png", ".webp"}
# Maximum size of a file to compare with.
MAX_BYTES = 2**31

EXAMPLES = """\b
Examples:
  ganassets regenerate out/textures-00000007_normal.png
  ganassets regenerate head.glb -o again
"""


@click.command(name="regenerate", short_help="Make a file again from its recipe.", epilog=EXAMPLES)
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--model", help="Model that made the file.  [default: searched in the box and in ./runs]")
@click.option("-o", "--out", type=click.Path(path_type=Path), help="Output folder.  [default: only compare]")
@click.option("--overwrite", is_flag=True, help="Replace existing files.")
@TRUSTED_OPTION
@debug_option
def command(file: Path, model: str | None, out: Path | None, overwrite: bool, trusted: bool) -> None:
    """Make FILE and its companion files again, and report whether the bytes are the same or what differs.

    The same version of ganassets on the same kind of machine gives the same bytes.
    """
    from ..api.writer import write_files
    from ..inference.model import inspect_model
    from ..inference.provenance import origin_of

    recipe = origin_of(file).recipe
    if recipe.file is None:
        command = shell_command("ganassets", "generate", recipe.generator, "--recipe", file)
        raise InputError(f"{file} is only a recipe; make its asset with `{command}`.")
    path = model_of_digest(recipe.generator, recipe.model, model)
    source = inspect_model(path)
    check_trusted(source, trusted)
    spec = load_generator(source.manifest.generator)
    old = read_limited(file, MAX_BYTES, "a file that ganassets made")
    files = make_files(path, spec, recipe)
    if file.name not in files:  # before anything is written
        raise InputError(f"{file} was renamed: its recipe makes {', '.join(files)}; rename it back.")
    if out is not None:
        written = write_files(out, files, overwrite)
        say(f"Written: {', '.join(map(str, written))}")
    if files[file.name] == old:
        say(f"{file} comes out the same, to the last byte.")
        return
    reasons = [*describe_versions(recipe, spec), describe_difference(old, files[file.name], file.suffix.lower())]
    raise GanassetsError(f"{file} comes out differently: {'; '.join(reasons)}.")


def make_files(path: Path, spec: GeneratorSpec, recipe: Recipe) -> Mapping[str, bytes]:
    """Make the files of a recipe, by name."""
    from ..api.options import as_texts, option_values
    from ..api.plugin_calls import export_asset
    from ..inference.model import check_generator, open_model
    from ..inference.pipeline import check_recipe, make_assets

    model = open_model(path, threads=1)
    check_generator(model, spec)
    check_recipe(model, spec, recipe)
    assert recipe.file is not None
    exporter = load_exporter(recipe.file.to)
    options = option_values(exporter.options, as_texts(recipe.file.options))
    (asset,) = make_assets(model, spec, [recipe])
    return export_asset(exporter, asset, options)


def describe_versions(recipe: Recipe, spec: GeneratorSpec) -> Iterator[str]:
    """Describe which software has another version than when the file was made."""
    from .. import __version__

    if recipe.software != f"ganassets {__version__}":
        yield f"it was made by {recipe.software}, this is ganassets {__version__}"
    if recipe.generator_version != spec.version:
        yield f"it was made by {recipe.generator} {recipe.generator_version}, this is {spec.version}"


def describe_difference(old: bytes, new: bytes, suffix: str) -> str:
    """Describe the difference between the old and the new content of a file."""
    if suffix in PICTURES:
        try:
            return describe_picture_difference(old, new)
        except (OSError, ValueError):
            return "it is an incomplete picture"
    if len(old) != len(new):
        return f"it has {len(old):,} bytes, not {len(new):,}"
    import numpy as np

    differing = np.flatnonzero(np.frombuffer(old, np.uint8) != np.frombuffer(new, np.uint8))
    return f"{len(differing):,} of {len(old):,} bytes differ, the first at {differing[0]:,}"


def describe_picture_difference(old: bytes, new: bytes) -> str:
    """Describe the difference between the pixels of two pictures."""
    import numpy as np
    from PIL import Image

    arrays = []
    for content in (old, new):
        with Image.open(io.BytesIO(content)) as picture:
            arrays.append(np.asarray(picture).astype(np.int64))
    if arrays[0].shape != arrays[1].shape:
        return "it has another size or other channels"
    most = int(np.abs(arrays[0] - arrays[1]).max())
    return f"pixels differ by at most {most}" if most else "the pixels are the same, but its metadata differs"
