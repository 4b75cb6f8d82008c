"""`ganassets models`: the models in the box."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import click
from click.shell_completion import CompletionItem

from ..api.errors import InputError
from ..api.registry import generator_names
from ..api.texts import nearest, shell_command
from ..inference.model_search import shipped_models
from .base import debug_option
from .output import make_console, say_json

EXAMPLES = """\b
Examples:
  ganassets models
  ganassets models faces
  ganassets generate faces -n 8
  ganassets train textures --from textures --data my-materials
"""


def complete_models(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Names of models for the shell's completion."""
    return [CompletionItem(name) for name in boxed() if name.startswith(incomplete)]


@click.command(name="models", short_help="List the models in the box, or show the card of one.", epilog=EXAMPLES)
@click.argument("name", required=False, shell_complete=complete_models)
@click.option("--json", "as_json", is_flag=True, help="What there is as JSON.")
@debug_option
def command(name: str | None, as_json: bool) -> None:
    """List the models that come with ganassets and its plugins.

    Every command takes their names. A name shows the model's card: what it learnt from and under which licences, what
    was measured, what it is bad at.
    """
    models = boxed()
    if name is not None and name not in models:
        raise InputError(f"there is no model {name!r} in the box; {nearest(name, list(models))}")
    if as_json:
        wanted = models if name is None else {name: models[name]}
        say_json([facts(key, path) for key, path in wanted.items()])
    elif name is not None:
        show_card(models[name])
    else:
        show_table(models)


def boxed() -> dict[str, Path]:
    """Model files by name, of all generators."""
    return {model.stem: model for generator in generator_names() for model in shipped_models(generator)}


def facts(name: str, path: Path) -> dict[str, object]:
    """What a list shows of a model."""
    from ..inference.model import CPU, open_model

    manifest = open_model(path, providers=[CPU]).manifest
    return {
        "name": name,
        "generator": manifest.generator,
        "megabytes": round(path.stat().st_size / 1e6, 1),
        "licence": manifest.licence,
        "data": manifest.data.name,
        "preset": manifest.training.preset,
        "kimg": manifest.training.kimg,
        "path": str(path),
    }


def show_table(models: dict[str, Path]) -> None:
    """Print one line a model."""
    from rich.table import Table

    table = Table("name", "MB", "licence", "learnt from", box=None)
    for name, path in models.items():
        table.add_row(*rows_of(facts(name, path)))
    make_console().print(table)


def rows_of(fact: dict[str, object]) -> Iterator[str]:
    """The cells of a model's line."""
    for key in ("name", "megabytes", "licence", "data"):
        yield str(fact[key])


def show_card(path: Path) -> None:
    """Print a model's card, or where there is none what the file says about itself."""
    from rich.markdown import Markdown

    card = path.with_suffix(".md")
    if not card.is_file():
        command = shell_command("ganassets", "inspect", path)
        raise InputError(f"{path.stem} has no card; `{command}` shows what the file says about itself.")
    make_console().print(Markdown(card.read_text(encoding="utf-8"), hyperlinks=False))
