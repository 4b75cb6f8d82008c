"""`ganassets models`: list the models in the box."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import click
from click.shell_completion import CompletionItem

from ..api.errors import InputError
from ..api.registry import generator_names
from ..api.texts import shell_command, suggest_name
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


def complete_models(_context: click.Context, _parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Complete the names of models in the shell."""
    return [CompletionItem(name) for name in models_in_box() if name.startswith(incomplete)]


@click.command(name="models", short_help="List the models in the box, or show the card of one.", epilog=EXAMPLES)
@click.argument("name", required=False, shell_complete=complete_models)
@click.option("--json", "as_json", is_flag=True, help="Print the list as JSON.")
@debug_option
def command(name: str | None, as_json: bool) -> None:
    """List the models that come with ganassets and its plugins.

    Every command accepts their names. With NAME, show the model's card: training data, licences, measurements and
    weaknesses.
    """
    models = models_in_box()
    if name is not None and name not in models:
        raise InputError(f"there is no model {name!r} in the box; {suggest_name(name, list(models))}")
    if as_json:
        chosen = models if name is None else {name: models[name]}
        say_json([model_facts(key, path) for key, path in chosen.items()])
    elif name is not None:
        show_card(models[name])
    else:
        show_table(models)


def models_in_box() -> dict[str, Path]:
    """Return the model files of all generators by name."""
    return {model.stem: model for generator in generator_names() for model in shipped_models(generator)}


def model_facts(name: str, path: Path) -> dict[str, object]:
    """Return what the list shows of a model."""
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
    """Print a table with one line for each model."""
    from rich.table import Table

    table = Table("name", "MB", "licence", "trained on", box=None)
    for name, path in models.items():
        table.add_row(*table_cells(model_facts(name, path)))
    make_console().print(table)


def table_cells(facts: dict[str, object]) -> Iterator[str]:
    """Return the cells of a model's line."""
    for key in ("name", "megabytes", "licence", "data"):
        yield str(facts[key])


def show_card(path: Path) -> None:
    """Print a model's card; InputError where it has none."""
    from rich.markdown import Markdown

    card = path.with_suffix(".md")
    if not card.is_file():
        command = shell_command("ganassets", "inspect", path)
        raise InputError(f"{path.stem} has no card; `{command}` shows the file's metadata.")
    make_console().print(Markdown(card.read_text(encoding="utf-8"), hyperlinks=False))
