"""Options that a generator and the formats bring along: sliders, settings, settings of formats."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ..api.errors import GanassetsError, InputError
from ..api.options import describe_option, option_values
from ..api.registry import find_exporters, generator_names, load_format, load_generator
from ..api.texts import printable
from ..inference.model_search import find_model, is_path
from .base import GeneratorCommand, parse_pairs

if TYPE_CHECKING:
    from ..api.assets import Exporter, Option
    from ..api.conditions import Condition
    from ..api.manifest import Manifest
    from ..api.spec import GeneratorSpec

SPEC, WORDS = "ganassets.generate.spec", "ganassets.generate.words"
# What the words of a dynamic option are kept under, by where they belong.
SLIDER, SETTING, FORMAT = "slider", "setting", "format"


class MakingCommand(GeneratorCommand):
    """Takes the sliders and settings of the named generator and those of the formats as options of their own."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Keep the words that may name a model."""
        ctx.meta[WORDS] = self.positional_arguments(args)
        return super().parse_args(ctx, args)

    def find_generator(self, args: Sequence[str]) -> str | None:
        """The generator that is named, or that a named model or run is of."""
        return super().find_generator(args) or next(
            (name for arg in self.positional_arguments(args) if (name := generator_of(arg))), None
        )

    def prepare(self, ctx: click.Context, name: str | None) -> None:
        """Keep the generator's spec; where it has no sliders, with those of the model, which the data alone knew."""
        spec = load_generator(name) if name else None
        if spec and not spec.conditions:
            spec = with_sliders(spec, next((m for word in ctx.meta[WORDS] if (m := manifest_of(word))), None))
        ctx.meta[SPEC] = spec

    def get_params(self, ctx: click.Context) -> list[click.Parameter]:
        """Its own parameters, then those of the generator and the formats."""
        own = super().get_params(ctx)
        return [*own, *dynamic_options(ctx.meta.get(SPEC), {word for param in own for word in param.opts})]

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the tables and the examples."""
        spec: GeneratorSpec | None = ctx.meta.get(SPEC)
        own = {word for param in self.params for word in param.opts}
        for title, rows in tables(spec, own):
            if rows:
                with formatter.section(title):
                    formatter.write_dl(rows)
        super().format_epilog(ctx, formatter)


def generator_of(text: str) -> str | None:
    """Generator of a model file or of a run with one; None where the text is neither."""
    manifest = manifest_of(text) if is_path(text) else None
    return manifest.generator if manifest else None


def manifest_of(text: str) -> Manifest | None:
    """Manifest of the model that a word means; None where it means none of an installed generator."""
    from ..inference.model import read_manifest, read_model_file

    try:
        manifest = read_manifest(read_model_file(find_model(text)), Path(text))
    except (GanassetsError, OSError):  # told when the model is opened
        return None
    return manifest if manifest.generator in generator_names() else None


def with_sliders(spec: GeneratorSpec, manifest: Manifest | None) -> GeneratorSpec:
    """The spec with the sliders and categories of one of its models."""
    if manifest is None or manifest.generator != spec.name:
        return spec
    return replace(spec, conditions=manifest.conditions)


def tables(spec: GeneratorSpec | None, own: set[str]) -> list[tuple[str, list[tuple[str, str]]]]:
    """Titles and rows of the help's tables: sliders, settings, and what each format takes."""
    found: list[tuple[str, list[tuple[str, str]]]] = []
    if spec:
        sliders = [(option_word(c.name, c.switch), describe_condition(c)) for c in spec.conditions]
        settings = [(option_word(o.name, o.type is bool), describe_option(o)) for o in spec.settings]
        found += [(f"Sliders of {spec.name}", sliders), (f"Settings of {spec.name}", settings)]
    names: dict[tuple[Option, ...], list[str]] = {}
    for exporter in fitting_exporters(spec):
        names.setdefault(fitting_options(exporter, spec), []).append(exporter.name)
    for options, same in names.items():
        rows = [(format_word(spec, o, own), describe_option(o)) for o in options]
        found.append((f"Settings of --to {', '.join(same)}", rows))
    return found


def fitting_options(exporter: Exporter, spec: GeneratorSpec | None) -> tuple[Option, ...]:
    """A format's settings that change what the generator makes."""
    return tuple(o for o in exporter.options if spec is None or not o.kinds or spec.asset_kind in o.kinds)


def option_word(name: str, switch: bool) -> str:
    """ "--age", or "--[no-]loop" of what is yes or no."""
    return f"--[no-]{name}" if switch else f"--{name}"


def format_word(spec: GeneratorSpec | None, option: Option, own: set[str]) -> str:
    """How a format's setting is given: as an option, or by --option where another one is named so."""
    words = own | ({f"--{one.name}" for one in (*spec.conditions, *spec.settings)} if spec else set())
    taken = f"--{option.name}" in words
    return f"--option {option.name}=" if taken else option_word(option.name, option.type is bool)


def fitting_exporters(spec: GeneratorSpec | None) -> list[Exporter]:
    """Formats that take what the generator makes."""
    found = [record.plugin for record in find_exporters() if record.plugin]
    return [exporter for exporter in found if spec is None or spec.asset_kind in exporter.kinds]


def dynamic_options(spec: GeneratorSpec | None, taken: set[str]) -> list[click.Option]:
    """Options that the generator and the formats bring along; where a word is taken, --set and --option remain.

    They stand in tables of the help and not in its list, and are optional texts that are read like --set and --option.
    """
    made: dict[str, click.Option] = {}

    def add(kind: str, name: str, switch: bool, choices: Sequence[str]) -> None:
        word, parameter = f"--{name}", f"{kind}_{name.replace('-', '_')}"
        if word in taken or word in made:
            return
        if switch:
            made[word] = click.Option([f"{word}/--no-{name}", parameter], default=None, hidden=True)
        else:
            complete = lambda ctx, param, incomplete: [c for c in choices if c.startswith(incomplete)]  # noqa: E731
            made[word] = click.Option([word, parameter], hidden=True, shell_complete=complete)

    if spec:
        for condition in spec.conditions:
            add(SLIDER, condition.name, condition.switch, condition.choices)
        for option in spec.settings:
            add(SETTING, option.name, option.type is bool, option.choices)
    for exporter in fitting_exporters(spec):
        for option in fitting_options(exporter, spec):
            add(FORMAT, option.name, option.type is bool, option.choices)
    return list(made.values())


def dynamic_values(kind: str, params: Mapping[str, Any], names: Sequence[str]) -> list[str]:
    """NAME=VALUE of the options of a kind that were given, for these names."""
    values = {name: params.get(f"{kind}_{name.replace('-', '_')}") for name in names}
    return [f"{name}={int(v) if isinstance(v, bool) else v}" for name, v in values.items() if v is not None]


def describe_condition(condition: Condition) -> str:
    """One line for a help text."""
    values = "|".join(condition.choices) or f"{condition.low:g}..{condition.high:g} {condition.unit}".rstrip()
    return printable(f"{condition.help} [{'yes|no' if condition.switch else values}]")


def chosen_format(
    spec: GeneratorSpec, target: str | None, settings: Sequence[str], dynamic: Mapping[str, Any]
) -> tuple[Exporter, dict[str, Any]]:
    """The exporter and the values of all its options."""
    exporter = load_format(spec, target)
    words = dynamic_values(FORMAT, dynamic, [option.name for option in exporter.options])
    given = {name for name, value in dynamic.items() if name.startswith(f"{FORMAT}_") and value is not None}
    known = {f"{FORMAT}_{option.name.replace('-', '_')}" for option in exporter.options}
    for name in sorted(given - known):
        raise InputError(f"{exporter.name} has no setting {name.removeprefix(f'{FORMAT}_').replace('_', '-')!r}.")
    return exporter, option_values(exporter.options, parse_pairs("--option", [*settings, *words]))
