"""`ganassets plugins`: what is installed, and whether it works."""

from __future__ import annotations

from collections.abc import Iterator

import click

from ..errors import GanassetsError, InputError
from ..plugins import (
    EXPORTERS,
    GENERATORS,
    PluginRecord,
    exporter_names,
    find_exporters,
    find_generators,
    generator_names,
    nearest,
    records_named,
)
from .base import debug_option
from .dynamic import describe_condition

EXAMPLES = """\b
Examples:
  ganassets plugins list
  ganassets plugins check faces
"""


@click.group(name="plugins", short_help="Show and check generators and exporters.", epilog=EXAMPLES)
@debug_option
def command() -> None:
    """Show installed generators and exporters, and check them."""


@command.command(name="list", epilog="\b\nExamples:\n  ganassets plugins list\n")
@debug_option
def list_plugins() -> None:
    """List generators and exporters; those that failed with the reason."""
    rows = [("kind", "name", "state", "package", "summary")]
    for record in [*find_generators(), *find_exporters()]:
        state = "failed" if record.error else "ok"
        rows.append((record.kind, record.name, state, record.where, record.error or record.plugin.summary))
    # Plain columns: a table library would cost more time than everything else here.
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        line = "  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip()
        click.secho(line, bold=row is rows[0], fg="red" if row[2] == "failed" else None)


def complete_plugins(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    """Names for the shell's completion."""
    return [name for name in [*generator_names(), *exporter_names()] if name.startswith(incomplete)]


@command.command(name="check", epilog="\b\nExamples:\n  ganassets plugins check faces\n")
@click.argument("name", shell_complete=complete_plugins)
@debug_option
def check_plugin(name: str) -> None:
    """Load a plugin and check it against its contract; exit code 1 when it fails."""
    known = {GENERATORS: generator_names(), EXPORTERS: exporter_names()}
    records = [record for kind, names in known.items() if name in names for record in records_named(kind, name)]
    if not records:
        raise InputError(f"there is no plugin {name!r}; {nearest(name, generator_names() + exporter_names())}")
    failed = [record for record in records if not check_record(record)]
    if failed:
        raise GanassetsError(f"{failed[0].kind} {name!r} of {failed[0].where} does not pass.")


def check_record(record: PluginRecord) -> bool:
    """Print what a plugin offers and what it breaks; True when all is well."""
    from ..plugin_checks import exporter_problems, generator_problems

    click.secho(f"{record.kind} {record.name} ({record.where}, {record.value})", bold=True)
    if record.error:
        click.echo(record.traceback or record.error)
        return False
    generator = record.kind == GENERATORS.name
    for line in generator_lines(record.plugin) if generator else exporter_lines(record.plugin):
        click.echo(f"  {line}")
    problems = generator_problems(record.plugin) if generator else exporter_problems(record.plugin)
    for problem in problems:
        click.secho(f"  problem: {problem}", fg="red")
    if not problems:
        click.echo("  ok")
    return not problems


def generator_lines(spec) -> Iterator[str]:
    """What a generator offers."""
    yield spec.summary
    for output in spec.outputs:
        yield f"output {output.name}: {' x '.join(output.axes)}, {output.unit}"
    for condition in spec.conditions:
        yield f"slider {condition.name}: {describe_condition(condition)}"
    for preset in spec.presets:
        yield f"preset {preset.name}: {preset.summary} (size {preset.size}, {preset.kimg:g} kimg)"
    for option in spec.data_options:
        yield f"data option --{option.name}: {option.help}"


def exporter_lines(exporter) -> Iterator[str]:
    """What an exporter offers."""
    from ..options import describe_option

    yield exporter.summary
    yield f"takes {', '.join(exporter.kinds)}; writes {', '.join(exporter.suffixes)}"
    for option in exporter.options:
        yield f"option {option.name}: {describe_option(option)}"
