"""Command-line options that come from the generator and the formats: sliders, settings, options of formats."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.shell_completion import CompletionItem

from ..api.conditions import Condition
from ..api.errors import GanassetsError
from ..api.options import describe_option
from ..api.registry import find_exporters, generator_names, load_generator
from ..api.texts import printable
from ..inference.model_search import find_model, is_path
from .base import GeneratorCommand

if TYPE_CHECKING:
    from ..api.assets import Exporter, Option
    from ..api.conditions import Condition
    from ..api.manifest import Manifest
    from ..api.spec import GeneratorSpec

# Keys of click's ctx.meta.
SPEC, WORDS, NAMES = "ganassets.generate.spec", "ganassets.generate.words", "ganassets.generate.names"
# Kinds of options; the parameter of an option starts with its kind.
SLIDER, SETTING, FORMAT = "slider", "setting", "format"


class GenerationCommand(GeneratorCommand):
    """A command that accepts the sliders and settings of its generator, and the options of the formats."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Remember the words that may name a model, then parse."""
        ctx.meta[WORDS] = self.positional_arguments(args)
        return super().parse_args(ctx, args)

    def find_generator(self, args: Sequence[str]) -> str | None:
        """Return the generator that is named, or that of a named model or run."""
        return super().find_generator(args) or next(
            (name for arg in self.positional_arguments(args) if (name := generator_of(arg))), None
        )

    def prepare(self, ctx: click.Context, name: str | None) -> None:
        """Remember the generator's spec, with the sliders of the named model, which may depend on its data."""
        spec = load_generator(name) if name else None
        if spec:
            spec = with_conditions(spec, next((m for word in ctx.meta[WORDS] if (m := manifest_of(word))), None))
        ctx.meta[SPEC] = spec

    def get_params(self, ctx: click.Context) -> list[click.Parameter]:
        """Return the command's own parameters, then those of the generator and the formats."""
        own = super().get_params(ctx)
        options, ctx.meta[NAMES] = plugin_options(ctx.meta.get(SPEC), {word for param in own for word in param.opts})
        return [*own, *options]

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the tables of plugin options, then the examples."""
        own = {word for param in self.params for word in param.opts}
        for title, rows in help_tables(ctx.meta.get(SPEC), own):
            if rows:
                with formatter.section(title):
                    formatter.write_dl(rows)
        super().format_epilog(ctx, formatter)


def generator_of(text: str) -> str | None:
    """Return the generator of a model file or of a run with a model; None where the text names neither."""
    manifest = manifest_of(text) if is_path(text) else None
    return manifest.generator if manifest else None


def manifest_of(text: str) -> Manifest | None:
    """Return the manifest of the model that a word names; None where there is no model of an installed generator."""
    from ..inference.model import read_manifest, read_model_file

    try:
        manifest = read_manifest(read_model_file(find_model(text)), Path(text))
    except (GanassetsError, OSError):  # reported when the model is opened
        return None
    return manifest if manifest.generator in generator_names() else None


def with_conditions(spec: GeneratorSpec, manifest: Manifest | None) -> GeneratorSpec:
    """Return the spec with the conditions of one of its models."""
    if manifest is None or manifest.generator != spec.name:
        return spec
    return replace(spec, conditions=manifest.conditions)


def help_tables(spec: GeneratorSpec | None, own: set[str]) -> list[tuple[str, list[tuple[str, str]]]]:
    """Return titles and rows of the help's tables: sliders, settings, and the options of each format."""
    tables: list[tuple[str, list[tuple[str, str]]]] = []
    if spec:
        sliders = [(option_word(c.name, c.switch), describe_condition(c)) for c in spec.conditions]
        settings = [(option_word(o.name, o.type is bool), describe_option(o)) for o in spec.settings]
        tables += [(f"Sliders of {spec.name}", sliders), (f"Settings of {spec.name}", settings)]
    names: dict[tuple[Option, ...], list[str]] = {}
    for exporter in exporters_for(spec):
        names.setdefault(format_options_for(exporter, spec), []).append(exporter.name)
    for options, same in names.items():
        rows = [(format_option_word(spec, o, own), describe_option(o)) for o in options]
        tables.append((f"Options of --to {', '.join(same)}", rows))
    return tables


def exporters_for(spec: GeneratorSpec | None) -> list[Exporter]:
    """Return the formats for the generator's kind of asset; all formats without a generator."""
    exporters = [record.plugin for record in find_exporters() if record.plugin]
    return [exporter for exporter in exporters if spec is None or spec.asset_kind in exporter.kinds]


def format_options_for(exporter: Exporter, spec: GeneratorSpec | None) -> tuple[Option, ...]:
    """Return the format's options that apply to the generator's kind of asset."""
    return tuple(o for o in exporter.options if spec is None or not o.kinds or spec.asset_kind in o.kinds)


def option_word(name: str, switch: bool) -> str:
    """Write an option as in a help text: "--age", or "--[no-]loop" for a switch."""
    return f"--[no-]{name}" if switch else f"--{name}"


def format_option_word(spec: GeneratorSpec | None, option: Option, own: set[str]) -> str:
    """Write a format's option as an option of its own, or with --option where the word is taken by another option."""
    words = own | ({f"--{one.name}" for one in (*spec.conditions, *spec.settings)} if spec else set())
    if f"--{option.name}" in words:
        return f"--option {option.name}="
    return option_word(option.name, option.type is bool)


def plugin_options(spec: GeneratorSpec | None, taken: set[str]) -> tuple[list[click.Option], dict[str, str]]:
    """Make the options of the generator and of the formats.

    They are optional texts, read like the values of --set and --option, and hidden from the help's list because its
    tables show them. Where a word is taken, --set and --option remain.

    Args:
        spec: the generator, if it is known.
        taken: words of the command's own options.

    Returns:
        the options, and the name of each slider or setting by its parameter.
    """
    options: dict[str, click.Option] = {}
    names: dict[str, str] = {}

    def add(kind: str, name: str, switch: bool, choices: Sequence[str]) -> None:
        word, parameter = f"--{name}", f"{kind}_{name.replace('-', '_')}"
        if word in taken or word in options:
            return
        names[parameter] = name
        if switch:
            options[word] = click.Option([f"{word}/--no-{name}", parameter], default=None, hidden=True)
        else:
            options[word] = _text_option(word, parameter, choices)

    if spec:
        for condition in spec.conditions:
            add(SLIDER, condition.name, condition.switch, condition.choices)
        for option in spec.settings:
            add(SETTING, option.name, option.type is bool, option.choices)
    for exporter in exporters_for(spec):
        for option in format_options_for(exporter, spec):
            add(FORMAT, option.name, option.type is bool, option.choices)
    return list(options.values()), names


def _text_option(word: str, parameter: str, choices: Iterable[str]) -> click.Option:
    """Make a hidden option that takes a text, and completes its choices in the shell."""

    def complete(_context: click.Context, _parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
        return [CompletionItem(choice) for choice in choices if choice.startswith(incomplete)]

    return click.Option([word, parameter], hidden=True, shell_complete=complete)


def values_of(kind: str, params: Mapping[str, Any]) -> list[str]:
    """Return NAME=VALUE for each plugin option of a kind that was given."""
    names: dict[str, str] = click.get_current_context().meta.get(NAMES, {})
    given = {
        name: params[parameter]
        for parameter, name in names.items()
        if parameter.startswith(f"{kind}_") and params.get(parameter) is not None
    }
    return [f"{name}={int(value) if isinstance(value, bool) else value}" for name, value in given.items()]


def describe_condition(condition: Condition) -> str:
    """Describe a slider or category in one line of a help text."""
    values = "|".join(condition.choices) or f"{condition.low:g}..{condition.high:g} {condition.unit}".rstrip()
    return printable(f"{condition.help} [{'yes|no' if condition.switch else values}]")
